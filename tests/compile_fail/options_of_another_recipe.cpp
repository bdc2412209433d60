// expect: cannot convert|no matching function
// SPDX-License-Identifier: MIT
#include <rowsmith/synthesizer.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Options = rs::RecipeOptions<rs::DefaultRecipe>;
#else
using Options = rs::RecipeOptions<rs::FaithfulRecipe>;
#endif

rs::Synthesizer fit(const rs::Table& table) {
  return rs::Synthesizer::fit<rs::FaithfulRecipe>(table, Options{});
}
