// SPDX-License-Identifier: MIT
/// \file
/// Tables as features for trees.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/evaluate/text.hpp>
#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// Codes of several tables' categories, shared by all of them: alphabetical order of the union.
class SharedCodes {
public:
  /// \throws SchemaError naming the first column that differs in name or kind
  explicit SharedCodes(std::initializer_list<const Table*> tables)
      : SharedCodes(std::span<const Table* const>(tables.begin(), tables.size())) {}
  explicit SharedCodes(std::span<const Table* const> tables) {
    const Table& first = *tables.front();
    for (const Table* table : tables) {
      if (table->size() != first.size())
        throw SchemaError("evaluate: one table has " + std::to_string(table->size()) + " columns, another " +
                          std::to_string(first.size()));
      for (std::size_t c = 0; c < first.size(); ++c)
        if (table->schema()[c] != first.schema()[c])
          throw SchemaError("evaluate: column " + std::to_string(c + 1) + " is '" + (*table)[c].name + "' (" +
                            std::string(to_string((*table)[c].kind)) + ") in one table, '" + first[c].name +
                            "' (" + std::string(to_string(first[c].kind)) + ") in another");
    }
    for (std::size_t c = 0; c < first.size(); ++c) {
      std::set<std::string_view> texts;
      for (const Table* table : tables)
        texts.insert((*table)[c].dictionary.texts().begin(), (*table)[c].dictionary.texts().end());
      texts_.emplace_back(texts.begin(), texts.end());
    }
  }

  /// The code of each row of a column; −1 for a missing value.
  std::vector<std::int32_t> codes(const Column& column, std::size_t number) const {
    std::vector<std::int32_t> recoded;
    for (const auto& text : column.dictionary.texts())
      recoded.push_back(code(number, text));
    std::vector<std::int32_t> result;
    result.reserve(column.codes.size());
    for (const auto code : column.codes)
      result.push_back(code == missing_code ? missing_code : recoded[static_cast<std::size_t>(code)]);
    return result;
  }
  std::int32_t code(std::size_t column, std::string_view text) const {
    const auto& texts = texts_[column];
    return static_cast<std::int32_t>(std::lower_bound(texts.begin(), texts.end(), text) - texts.begin());
  }
  const std::vector<std::string>& texts(std::size_t column) const { return texts_[column]; }

  /// All columns but `skip` (the target; `none` for no such) as features: numbers as they are, categories by
  /// their codes, missing values NaN.
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  FeatureMatrix features(const Table& table, std::size_t skip = none) const {
    FeatureMatrix result;
    for (std::size_t c = 0; c < table.size(); ++c) {
      if (c == skip)
        continue;
      result.names.push_back(table[c].name);
      if (table[c].kind == ColumnKind::numerical) {
        result.columns.push_back(table[c].values);
        continue;
      }
      std::vector<double> column;
      column.reserve(table.rows());
      for (const auto code : codes(table[c], c))
        column.push_back(code == missing_code ? std::numeric_limits<double>::quiet_NaN()
                                              : static_cast<double>(code));
      result.columns.push_back(std::move(column));
    }
    return result;
  }

private:
  std::vector<std::vector<std::string>> texts_;
};

namespace detail {

/// Tables, and what messages call them.
using NamedTables = std::initializer_list<std::pair<const Table*, const char*>>;

/// \throws ShapeError for a table without rows, or with more than a row's number can count
inline void check_rows(const char* what, NamedTables tables) {
  for (const auto& [table, name] : tables)
    if (table->rows() == 0 || table->rows() > std::numeric_limits<std::uint32_t>::max())
      throw ShapeError(concat(what, ": the ", name, " table has ", std::to_string(table->rows()),
                              " rows, expected 1 to 2^32 - 1"));
}

inline void check_rows(const char* what, const Table& train, const Table& holdout, const Table& synthetic) {
  check_rows(what, {{&train, "training"}, {&holdout, "hold-out"}, {&synthetic, "synthetic"}});
}

/// \throws SchemaError for a column that holds an infinite number, and what `check_rows` throws
inline void check_finite(const char* what, NamedTables tables) {
  check_rows(what, tables);
  for (const auto& [table, name] : tables)
    for (const auto& column : table->columns())
      if (std::any_of(column.values.begin(), column.values.end(),
                      [](double value) { return std::isinf(value); }))
        throw SchemaError(
            concat(what, ": column '", column.name, "' of the ", name, " table holds an infinite number"));
}

} // namespace detail

} // namespace evaluate
ROWSMITH_END
