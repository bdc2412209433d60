// SPDX-License-Identifier: MIT
// rowsmith export: a model as one C++ header.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <rowsmith/deploy/export_header.hpp>
#include <rowsmith/io/model_file.hpp>

#include "command.hpp"

namespace program {

struct ExportSettings {
  std::string model;
  std::string header;
  rowsmith::ExportOptions options;
  bool no_score = false;
  bool unguided = false;
};

inline Run add_export(CLI::App& app) {
  auto& command = *app.add_subcommand(
      "export", "Writes a model as one self-contained C++20 header with functions sample and score");
  const auto settings = std::make_shared<ExportSettings>();
  command.add_option("model", settings->model, "The model file")->required();
  command.add_option("-o,--out", settings->header, "The header to write")->required();
  command.add_option("--name", settings->options.name, "Namespace of the header")->capture_default_str();
  command
      .add_option("--weights", settings->options.weights,
                  "f32 (exact), f16 (half the size) or i8 (a quarter)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, rowsmith::WeightFormat>{{"f32", rowsmith::WeightFormat::f32},
                                                        {"f16", rowsmith::WeightFormat::f16},
                                                        {"i8", rowsmith::WeightFormat::i8}}));
  command.add_flag("--no-score", settings->no_score, "Leave the anomaly score and the encoder's weights out");
  command.add_flag("--unguided", settings->unguided,
                   "Rows as they are drawn: a smaller header, several times as many rows a second");
  command.footer("rowsmith export people.model -o people.hpp --name people");
  return [settings] {
    auto options = settings->options;
    options.scoring = !settings->no_score;
    options.check();
    check_outputs({{"MODEL", settings->model}}, {{"-o", settings->header}});
    const auto model = rowsmith::load_model(settings->model);
    rowsmith::export_header(settings->unguided ? model.without_guide() : model, settings->header, options);
    return 0;
  };
}

} // namespace program
