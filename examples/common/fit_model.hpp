// SPDX-License-Identifier: MIT
// Recipes, compiled once for several programs: training is what takes a compiler long.
#pragma once

#include <cstdint>

#include <rowsmith/models/table_model.hpp>

namespace common {

struct FitSettings {
  std::uint64_t seed = 0;
  int threads = 0;    // 0: all
  bool quick = false; // little training: for a try, not for figures
  // A category that no training row had has a code, so that rows that hold it can be scored by
  // reconstruction, too.
  bool other_categories = false;
};

// A model of a table, by the recipe of that name.
rowsmith::TableModel fit_default(const rowsmith::Table& train, const FitSettings& settings);
rowsmith::TableModel fit_faithful(const rowsmith::Table& train, const FitSettings& settings);

} // namespace common
