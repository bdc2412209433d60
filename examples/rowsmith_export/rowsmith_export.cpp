// SPDX-License-Identifier: MIT
// Writes a model file as one C++20 header that needs the standard library and nothing else.
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include <rowsmith/deploy/export_header.hpp>
#include <rowsmith/io/model_file.hpp>

namespace rs = rowsmith;

int main(int argc, char** argv) {
  std::string model;
  std::string header;
  rs::ExportOptions options;
  bool no_score = false;
  CLI::App app(
      "Writes a rowsmith model file as one self-contained C++20 header with functions sample and score.");
  app.add_option("model", model, "The model file")->required();
  app.add_option("header", header, "The header to write")->required();
  app.add_option("--name", options.name, "Namespace of the header")->capture_default_str();
  app.add_option("--weights", options.weights, "f32 (exact), f16 (half the size) or i8 (a quarter)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, rs::WeightFormat>{
          {"f32", rs::WeightFormat::f32}, {"f16", rs::WeightFormat::f16}, {"i8", rs::WeightFormat::i8}}));
  app.add_flag("--no-score", no_score, "Leave the anomaly score and the encoder's weights out");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.scoring = !no_score;
  try {
    options.check();
  } catch (const rs::OptionError& error) {
    std::cerr << "rowsmith_export: " << error.what() << '\n';
    return 2;
  }
  try {
    rs::export_header(rs::load_model(model), header, options);
  } catch (const std::exception& error) {
    std::cerr << "rowsmith_export: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
