// SPDX-License-Identifier: MIT
// The recipes, by name.
#include "fit.hpp"

#include <algorithm>
#include <iostream>

#include <rowsmith/train/private_recipe.hpp>
#include <rowsmith/train/recipes.hpp>

#include "private_fit.hpp"

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

int run_private_fit(const FitSettings& asked) {
  auto settings = asked;
  if (settings.recipe == "default")
    settings.recipe = "private";
  check_private(settings);
  auto options = rowsmith::PrivateRecipe::options();
  options.seed = settings.seed;
  options.threads = settings.threads;
  options.privacy = privacy_options(settings, options.privacy);
  const auto file = read_privately(settings);
  // No word of how many rows there are, or what they look like: whoever sees it may not be who may see the
  // table.
  const InterruptGuard guard;
  const auto bar = settings.quiet ? rowsmith::ProgressCallback{} : rowsmith::progress_bar();
  try {
    const auto trained =
        rowsmith::PrivateRecipe::Trainer(options).fit(file.table, [&bar](const rowsmith::Progress& told) {
          if (InterruptGuard::seen())
            throw Interrupted();
          return bar ? bar(told) : rowsmith::ProgressAction::go_on;
        });
    auto parts = trained.parts();
    parts.notes["format"] = rowsmith::to_json(format_of_model(file.format, trained));
    const rowsmith::TableModel model(std::move(parts));
    rowsmith::save_model(model, settings.out);
    if (!settings.quiet)
      std::cout << model.privacy().statement();
  } catch (const Interrupted&) {
    std::clog << "\ninterrupted; a private training keeps no checkpoint: what was spent is spent\n";
    return 1;
  }
  return 0;
}

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
