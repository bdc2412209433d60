// SPDX-License-Identifier: MIT
/// \file
/// Which rows of a table can a model express?
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Rows of `table` that a model fitted to `train` can give a probability above 0: with no category, and no
/// empty cell, in a column where no training row has it. In ascending order. \param table  has the columns of
/// `train`
inline std::vector<std::size_t> expressible_rows(const Table& table, const Table& train) {
  std::vector<bool> has_empty;
  std::vector<std::vector<bool>> has; // by code of `table`; dictionaries may hold texts that no row has
  for (std::size_t c = 0; c < table.size(); ++c) {
    has_empty.push_back(train[c].missing_count() > 0);
    has.emplace_back(table[c].dictionary.size());
    for (const auto code : train[c].codes)
      if (code != missing_code)
        if (const auto known = table[c].dictionary.find(train[c].dictionary.text(code));
            known != missing_code)
          has[c][static_cast<std::size_t>(known)] = true;
  }
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    bool known = true;
    for (std::size_t c = 0; c < table.size() && known; ++c)
      if (table[c].is_missing(row))
        known = has_empty[c];
      else if (table[c].kind == ColumnKind::categorical)
        known = has[c][static_cast<std::size_t>(table[c].codes[row])];
    if (known)
      rows.push_back(row);
  }
  return rows;
}
/// Those of them that also keep what a model's preparation computes or mends: sums, orders, constants.
/// \param broken  out: the rows that do not keep it, expressible otherwise or not
inline std::vector<std::size_t> expressible_rows(const Table& table, const Table& train,
                                                 const Preparation& preparation,
                                                 std::vector<std::size_t>& broken) {
  preparation.forward(table, broken);
  auto rows = expressible_rows(table, train);
  std::erase_if(rows, [&](std::size_t row) { return std::binary_search(broken.begin(), broken.end(), row); });
  return rows;
}

ROWSMITH_END
