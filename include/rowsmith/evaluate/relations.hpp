// SPDX-License-Identifier: MIT
/// \file
/// Relations of columns that all training rows keep: do synthetic rows?
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// Exact relations: sums, products and ratios, columns that others give, orders, cells that are missing
/// together.
struct RelationsResult {
  std::vector<std::string> found; ///< in the training rows, in words
  double kept = 1;                ///< share of the synthetic rows that keep all of them
  double ideal = 1;               ///< of the hold-out rows
};

/// Looks for relations as `Preparation::fit` does, constants apart. \throws SchemaError for an empty training
/// table, or columns that differ
inline RelationsResult relations_kept(const Table& train, const Table& holdout, const Table& synthetic) {
  const auto preparation = Preparation::fit(train, {.constants = false, .coincidences = false});
  const auto share = [&preparation](const Table& rows) {
    std::vector<std::size_t> broken;
    preparation.forward(rows, broken);
    return rows.rows() == 0 ? 1.0 : 1 - static_cast<double>(broken.size()) / static_cast<double>(rows.rows());
  };
  RelationsResult result;
  result.found = preparation.relations();
  if (!result.found.empty()) {
    result.kept = share(synthetic);
    result.ideal = share(holdout);
  }
  return result;
}

inline std::string to_json(const RelationsResult& result) {
  return detail::json_object<"found kept ideal">(result.found, result.kept, result.ideal);
}

} // namespace evaluate
ROWSMITH_END
