// SPDX-License-Identifier: MIT
#include "fit_model.hpp"

#include <algorithm>

#include <rowsmith/synthesizer.hpp>

namespace common {
namespace {

template <class Recipe>
rowsmith::TableModel fit(const rowsmith::Table& train, const FitSettings& settings) {
  rowsmith::RecipeOptions<Recipe> options;
  options.seed = settings.seed;
  options.threads = settings.threads;
  if (settings.other_categories)
    options.encoding.unseen = rowsmith::UnseenCategory::other;
  if (settings.quick) {
    options.autoencoder.steps = 150;
    options.gan.steps = 60;
    options.refit.steps = std::min<std::size_t>(options.refit.steps, 150);
    options.guide.rounds = std::min<std::size_t>(options.guide.rounds, 20);
  }
  return rowsmith::Synthesizer::fit(train, options).model();
}

} // namespace

rowsmith::TableModel fit_default(const rowsmith::Table& train, const FitSettings& settings) {
  return fit<rowsmith::DefaultRecipe>(train, settings);
}
rowsmith::TableModel fit_faithful(const rowsmith::Table& train, const FitSettings& settings) {
  return fit<rowsmith::FaithfulRecipe>(train, settings);
}

} // namespace common
