// SPDX-License-Identifier: MIT
// The recipes, by name.
#include "fit.hpp"

#include <iostream>

#include <rowsmith/train/private_recipe.hpp>
#include <rowsmith/train/recipes.hpp>

#include "../common/quick_steps.hpp"
#include "private_fit.hpp"

#ifdef ROWSMITH_PROGRAM_MPI
#include <rowsmith/distributed/mpi.hpp>
#endif

namespace program {
namespace {

template <class Recipe>
FittedFile fit_one(const FitSettings& settings, const TellFile& tell,
                   const rowsmith::ProgressCallback& progress, const rowsmith::CheckpointStore& checkpoints) {
  rowsmith::RecipeOptions<Recipe> options;
  options.seed = settings.seed;
  options.threads = settings.threads;
  options.conditional = settings.conditional;
  options.preparation.relations = settings.relations;
  options.preparation.min_share = settings.min_share;
  if (settings.min_category_rows > 0) {
    options.encoding.min_category_rows = settings.min_category_rows;
    options.encoding.unseen = rowsmith::UnseenCategory::other;
  }
  if (settings.quick)
    common::take_quick_steps(options);
  rowsmith::TableFormat format; // known to the process that reads, which writes the model, too
  const auto read = [&] {
    if (settings.in_chunks()) {
      auto files = settings.input.read_rows(settings.files, settings.folder(), options, progress);
      tell(files.file);
      format = std::move(files.file.format);
      return std::move(files.rows);
    }
    auto file = settings.input.read(settings.source());
    tell(file);
    format = std::move(file.format);
    options.preparation.dates = format.dates();
    return rowsmith::TrainingRows::of(file.table, options);
  };
#ifdef ROWSMITH_PROGRAM_MPI
  if (settings.team != nullptr) {
    auto model = rowsmith::fit_on_team<Recipe>(*settings.team, options, read, progress, checkpoints,
                                               settings.folder());
    return {std::move(model), std::move(format)};
  }
#endif
  auto rows = read();
  return {typename Recipe::Trainer(options).fit(std::move(rows), progress, checkpoints), std::move(format)};
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

FittedFile fit_recipe(const FitSettings& settings, const TellFile& tell,
                      const rowsmith::ProgressCallback& progress,
                      const rowsmith::CheckpointStore& checkpoints) {
  if (settings.recipe == "nearest")
    return fit_one<rowsmith::NearestRecipe>(settings, tell, progress, checkpoints);
  if (settings.recipe == "neural")
    return fit_one<rowsmith::NeuralRecipe>(settings, tell, progress, checkpoints);
  if (settings.recipe == "trees")
    return fit_one<rowsmith::TreeRecipe>(settings, tell, progress, checkpoints);
  if (settings.recipe == "faithful")
    return fit_one<rowsmith::FaithfulRecipe>(settings, tell, progress, checkpoints);
  return fit_one<rowsmith::DefaultRecipe>(settings, tell, progress, checkpoints);
}

} // namespace program
