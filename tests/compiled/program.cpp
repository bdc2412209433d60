// SPDX-License-Identifier: MIT
// A program beside the component `compiled`: fits a file by a recipe, as `rowsmith fit --quick` does, and
// writes the model and rows of it.
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/rowsmith.hpp>
#include <rowsmith/table/table_file.hpp>

#include "../../examples/common/quick_steps.hpp"
#include "judged.hpp"

namespace rs = rowsmith;

namespace {

template <class Recipe>
rs::Synthesizer fit(const std::string& path) {
  rs::TableFileOptions reading;
  reading.label = "income";
  const auto file = rs::read_table_file(path, reading);
  rs::RecipeOptions<Recipe> options;
  options.preparation.dates = file.format.dates();
  common::take_quick_steps(options);
  auto parts = rs::Synthesizer::fit(file.table, options).model().parts();
  parts.notes["format"] = rs::to_json(file.format);
  return rs::TableModel(std::move(parts));
}

} // namespace

// usage: program TABLE RECIPE MODEL ROWS
int main(int argc, char** argv) try {
  if (argc != 5)
    throw rs::Error("usage: program TABLE RECIPE MODEL ROWS");
  const std::string recipe = argv[2];
  const auto model = recipe == "default"    ? fit<rs::DefaultRecipe>(argv[1])
                     : recipe == "nearest"  ? fit<rs::NearestRecipe>(argv[1])
                     : recipe == "neural"   ? fit<rs::NeuralRecipe>(argv[1])
                     : recipe == "trees"    ? fit<rs::TreeRecipe>(argv[1])
                     : recipe == "faithful" ? fit<rs::FaithfulRecipe>(argv[1])
                                            : throw rs::Error("there is no recipe " + recipe);
  model.save(argv[3]);
  const auto rows = rs::Synthesizer::load(argv[3]).sample(500, /*seed=*/3);
  rs::write_csv(argv[4], rows);
  std::cout << judged(rs::read_csv(argv[1]), rs::read_csv(argv[4]));
} catch (const std::exception& error) {
  std::cerr << "program: " << error.what() << '\n';
  return 1;
}
