// SPDX-License-Identifier: MIT
// Times the library's two calls, a fit from a file and a sample, for compare_python.py, which times the same
// of the package. Prints a line of JSON and writes the model file, which holds what the program's would.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/train/recipes.hpp>

#include "../examples/common/quick_steps.hpp"

namespace rs = rowsmith;

namespace {

rs::TableModel fit(const std::string& path, const std::string& label,
                   rs::RecipeOptions<rs::DefaultRecipe> options, bool quick) {
  rs::TableFileOptions reading;
  reading.label = label;
  const auto file = rs::read_table_file(path, reading);
  options.preparation.dates = file.format.dates();
  if (quick)
    common::take_quick_steps(options);
  auto parts = rs::DefaultRecipe::Trainer(options).fit(file.table).parts();
  parts.notes["format"] = rs::to_json(file.format);
  return rs::TableModel(std::move(parts));
}

} // namespace

int main(int argc, char** argv) {
  std::string path;
  std::string label;
  std::string out;
  std::size_t rows = 100'000;
  bool quick = false;
  rs::RecipeOptions<rs::DefaultRecipe> options;
  options.threads = 1;
  CLI::App app("Times a fit by the default recipe and a sample; prints a line of JSON.");
  app.add_option("FILE", path, "The table")->required();
  app.add_option("-o", out, "The model file to write")->required();
  app.add_option("--label", label, "The column that says what a row is");
  app.add_option("--rows", rows, "Rows to sample")->check(CLI::Range(1, 100'000'000))->capture_default_str();
  app.add_option("--seed", options.seed, "Of the fit and of the rows")->capture_default_str();
  app.add_option("--threads", options.threads, "0: all")->capture_default_str();
  app.add_flag("--quick", quick, "A few steps only, to see that all works");
  CLI11_PARSE(app, argc, argv);
  try {
    using Clock = std::chrono::steady_clock;
    const auto seconds = [](Clock::time_point from) {
      return rs::json_number(std::chrono::duration<double>(Clock::now() - from).count());
    };
    auto start = Clock::now();
    const auto model = fit(path, label, options, quick);
    const auto fit_seconds = seconds(start);
    start = Clock::now();
    const auto table = model.sample(rows, {.seed = options.seed, .threads = options.threads});
    const auto sample_seconds = seconds(start);
    rs::save_model(model, out);
    std::cout << "{\"fit_s\":" << fit_seconds << ",\"sample_s\":" << sample_seconds
              << ",\"rows\":" << table.rows() << "}" << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "bench_library: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
