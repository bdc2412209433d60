// SPDX-License-Identifier: MIT
// The recipes, by name.
#include "fit.hpp"

#include <algorithm>

#include <rowsmith/train/recipes.hpp>

namespace program {
namespace {

template <class Recipe>
rowsmith::TableModel fit_one(const FitSettings& settings, const rowsmith::TableFile& file,
                             const rowsmith::ProgressCallback& progress,
                             const rowsmith::CheckpointStore& checkpoints) {
  rowsmith::RecipeOptions<Recipe> options;
  options.seed = settings.seed;
  options.threads = settings.threads;
  options.conditional = settings.conditional;
  options.preparation.relations = settings.relations;
  options.preparation.min_share = settings.min_share;
  options.preparation.dates = file.format.dates();
  if (settings.min_category_rows > 0) {
    options.encoding.min_category_rows = settings.min_category_rows;
    options.encoding.unseen = rowsmith::UnseenCategory::other;
  }
  if (settings.quick) {
    options.autoencoder.steps = 60;
    options.gan.steps = 30;
    options.refit.steps = std::min<std::size_t>(options.refit.steps, 30);
  }
  return typename Recipe::Trainer(options).fit(file.table, progress, checkpoints);
}

} // namespace

rowsmith::TableModel fit_recipe(const FitSettings& settings, const rowsmith::TableFile& file,
                                const rowsmith::ProgressCallback& progress,
                                const rowsmith::CheckpointStore& checkpoints) {
  if (settings.recipe == "neural")
    return fit_one<rowsmith::NeuralRecipe>(settings, file, progress, checkpoints);
  if (settings.recipe == "trees")
    return fit_one<rowsmith::TreeRecipe>(settings, file, progress, checkpoints);
  if (settings.recipe == "faithful")
    return fit_one<rowsmith::FaithfulRecipe>(settings, file, progress, checkpoints);
  return fit_one<rowsmith::DefaultRecipe>(settings, file, progress, checkpoints);
}

} // namespace program
