// SPDX-License-Identifier: MIT
// The second source of the program: both declare what the component holds.
#include "judged.hpp"

#include <sstream>

#include <rowsmith/rowsmith.hpp>

namespace rs = rowsmith;

std::string judged(const rs::Table& real, const rs::Table& synthetic) {
  rs::RecipeOptions<rs::PrivateRecipe> options;
  options.privacy.steps = 5;
  options.privacy.epsilon = 2;
  options.privacy.delta = 1e-5;
  const auto fitted = rs::Synthesizer::fit(real, options);
  std::ostringstream text;
  text << rs::detection(real, synthetic, {.seeds = 1, .forest = {.trees = 5}})
       << rs::efficacy(real, real, synthetic, "income", {.seeds = 1, .forest = {.trees = 5}}) << "epsilon "
       << fitted.model().privacy().epsilon << '\n';
  return text.str();
}
