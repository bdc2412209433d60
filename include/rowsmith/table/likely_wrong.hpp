// SPDX-License-Identifier: MIT
/// \file
/// What is likely wrong with a table as something to learn from.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// One sentence each.
struct TableFindings {
  std::vector<std::string> warnings{}; ///< what is likely wrong
  std::vector<std::string> notes{};    ///< what is worth knowing
};

namespace detail {

inline std::string percent(std::size_t part, std::size_t whole) {
  std::array<char, 32> text; // NOLINT: filled by to_chars
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return std::string(
             text.data(),
             std::to_chars(text.data(), text.data() + text.size(), share, std::chars_format::fixed, 1).ptr) +
         " %";
}

/// Looks through a table.
class TableFaults {
public:
  explicit TableFaults(const Table& table) : table_(table) {
    for (const auto& column : table.columns())
      if (column.kind == ColumnKind::categorical) {
        counts_.emplace_back(column.dictionary.size());
        for (const auto code : column.codes)
          if (code != missing_code)
            ++counts_.back()[static_cast<std::size_t>(code)];
      } else {
        counts_.emplace_back();
      }
  }

  TableFindings find() {
    for (std::size_t c = 0; c < table_.size(); ++c)
      look_at(table_[c], counts_[c]);
    if (const auto& name = table_.schema().label(); !name.empty()) {
      const std::size_t label = table_.schema().index_of(name);
      look_at_label(table_[label], counts_[label]);
      for (const std::size_t c : telling(label))
        warn("column '" + table_[c].name + "' alone tells the label in nearly every row: if it says the " +
             "label in other words, or is known only after it, leave it out (--drop)");
    }
    copies();
    return std::move(found_);
  }

private:
  static constexpr std::size_t looked_at = 200'000; ///< rows, where columns are compared with the label

  void warn(std::string text) { found_.warnings.push_back(std::move(text)); }
  static std::size_t used(const std::vector<std::size_t>& counts) {
    return counts.size() - static_cast<std::size_t>(std::count(counts.begin(), counts.end(), 0U));
  }

  void look_at(const Column& column, const std::vector<std::size_t>& counts) {
    const std::string name = "column '" + column.name + "' ";
    const std::size_t missing = column.missing_count();
    const std::size_t rows = column.rows();
    if (missing == rows)
      return warn(name + "is empty in every row");
    if (100 * missing > 99 * rows)
      warn(name + "is missing in " + percent(missing, rows) + " of the rows");
    if (column.kind == ColumnKind::numerical)
      return;
    const std::size_t different = used(counts);
    if (10 * different > rows - missing && rows - missing >= 20)
      warn(name + "has " + std::to_string(different) + " categories in " + std::to_string(rows - missing) +
           " rows: most have few rows, and generated rows repeat them all");
    if (different > 100 && column.name != table_.schema().label())
      look_at_numbers(name, column, counts, different);
  }
  /// Categories nearly all of which are numbers.
  void look_at_numbers(const std::string& name, const Column& column, const std::vector<std::size_t>& counts,
                       std::size_t different) {
    std::size_t numbers = 0;
    bool zeros = false;
    bool exponents = false;
    bool long_ones = false;
    std::string other;
    for (std::size_t k = 0; k < counts.size(); ++k) {
      if (counts[k] == 0)
        continue;
      const std::string_view text = column.dictionary.texts()[k];
      if (!parse_number(text)) {
        if (other.empty())
          other = in_quotes(text) + " (" + std::to_string(counts[k]) + (counts[k] == 1 ? " row)" : " rows)");
        continue;
      }
      ++numbers;
      zeros = zeros || (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9');
      exponents = exponents || text.find_first_of("eE") != std::string_view::npos;
      long_ones = long_ones || text.size() > 16;
    }
    if (100 * numbers < 95 * different)
      return;
    const std::string why = !other.empty() ? "others are none, such as " + other
                            : zeros        ? "some have zeros in front"
                            : exponents    ? "some could be codes such as 12E3"
                            : long_ones    ? "they are too long and too far apart for numbers"
                                           : "it was said to be one of categories";
    warn(name + "is taken for one of categories, though " + percent(numbers, different) + " of its " +
         std::to_string(different) + " texts look like numbers: " + why);
  }

  void look_at_label(const Column& label, const std::vector<std::size_t>& counts) {
    const std::size_t classes = used(counts);
    const std::string name = "the label '" + label.name + "' ";
    if (classes < 2)
      return warn(name + "has one value only: there is nothing to tell apart");
    bool numbers = true;
    for (std::size_t k = 0; k < counts.size() && numbers; ++k)
      numbers = counts[k] == 0 || parse_number(label.dictionary.texts()[k]).has_value();
    if (numbers && classes > 20)
      warn(name + "is of " + std::to_string(classes) +
           " numbers, each taken for a class of its own: something to predict as a number is no label");
    else if (classes > 100)
      warn(name + "has " + std::to_string(classes) + " classes: few rows each to tell them by");
  }

  /// The columns that alone tell the label, of rows that did not take part in the telling.
  std::vector<std::size_t> telling(std::size_t label) const {
    std::vector<std::size_t> rows;
    const std::size_t most = std::min(looked_at, table_.rows());
    for (std::size_t k = 0; k < most; ++k)
      if (const std::size_t row = k * table_.rows() / most; !table_[label].is_missing(row))
        rows.push_back(row);
    std::vector<std::size_t> counts(table_[label].dictionary.size());
    for (const std::size_t row : rows)
      ++counts[static_cast<std::size_t>(table_[label].codes[row])];
    const std::size_t usual = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    std::vector<std::size_t> found;
    if (rows.size() < 50 || 100 * usual >= 99 * rows.size())
      return found;
    for (std::size_t c = 0; c < table_.size(); ++c)
      if (c != label && 1000 * told(table_[label], groups(table_[c], rows), rows) >= 995 * rows.size())
        found.push_back(c);
    return found;
  }
  /// Rows by what they have in a column: a category, a number of few, or one of 64 ranges of many.
  static std::vector<std::uint32_t> groups(const Column& column, std::span<const std::size_t> rows) {
    std::vector<std::uint32_t> result;
    result.reserve(rows.size());
    if (column.kind == ColumnKind::categorical) {
      for (const std::size_t row : rows)
        result.push_back(static_cast<std::uint32_t>(column.codes[row] + 1));
      return result;
    }
    constexpr std::size_t ranges = 64;
    std::vector<double> edges;
    for (const std::size_t row : rows)
      if (!std::isnan(column.values[row]))
        edges.push_back(column.values[row]);
    std::sort(edges.begin(), edges.end());
    auto different = edges;
    different.erase(std::unique(different.begin(), different.end()), different.end());
    if (different.size() > ranges) {
      different.clear();
      for (std::size_t k = 1; k < ranges; ++k)
        different.push_back(edges[k * edges.size() / ranges]);
    }
    for (const std::size_t row : rows)
      result.push_back(
          std::isnan(column.values[row])
              ? 0
              : 1 + static_cast<std::uint32_t>(
                        std::upper_bound(different.begin(), different.end(), column.values[row]) -
                        different.begin()));
    return result;
  }
  /// How many rows have the label that most of the other rows of their group have.
  static std::size_t told(const Column& label, const std::vector<std::uint32_t>& groups,
                          std::span<const std::size_t> rows) {
    std::vector<std::uint32_t> first(*std::max_element(groups.begin(), groups.end()) + 2U);
    for (const auto group : groups)
      ++first[group + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<std::int32_t> labels(rows.size()); // by group
    auto next = first;
    for (std::size_t k = 0; k < rows.size(); ++k)
      labels[next[groups[k]]++] = label.codes[rows[k]];
    std::vector<std::uint32_t> counts(label.dictionary.size());
    std::size_t right = 0;
    for (std::size_t group = 0; group + 1 < first.size(); ++group) {
      const std::span members(labels.data() + first[group], first[group + 1] - first[group]);
      std::uint32_t best = 0;
      for (const auto code : members)
        best = std::max(best, ++counts[static_cast<std::size_t>(code)]);
      bool seen = false; // the best one
      std::uint32_t second = 0;
      for (const auto code : members) {
        const auto count = std::exchange(counts[static_cast<std::size_t>(code)], 0);
        if (count == best && !seen)
          seen = true;
        else
          second = std::max(second, count);
      }
      right += best > second + 1 ? best : 0; // one less without the row itself
    }
    return right;
  }

  void copies() {
    std::vector<std::uint64_t> rows(table_.rows());
    for (const auto& column : table_.columns())
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::uint64_t cell =
            column.kind == ColumnKind::categorical ? static_cast<std::uint64_t>(column.codes[row])
            : column.is_missing(row)               ? ~std::uint64_t{0}
                                                   : std::bit_cast<std::uint64_t>(column.values[row] + 0.0);
        rows[row] = (std::rotl(rows[row], 23) ^ cell) * 0xD6E8FEB86659FD93U;
        rows[row] ^= rows[row] >> 32U;
      }
    std::sort(rows.begin(), rows.end());
    const auto different = static_cast<std::size_t>(std::unique(rows.begin(), rows.end()) - rows.begin());
    if (const std::size_t copied = table_.rows() - different; 100 * copied > table_.rows())
      found_.notes.push_back(percent(copied, table_.rows()) +
                             " of the rows are the same as rows before them in all columns that are learnt");
  }

  const Table& table_;
  std::vector<std::vector<std::size_t>> counts_; ///< by column: rows of each category
  TableFindings found_;
};

} // namespace detail

/// Finds columns that are empty or nearly so, categories that look like numbers or have few rows each, labels
/// that are none, columns that alone tell the label (in 99.5 of 100 rows, by the other rows that have the
/// same there; of large tables 200,000 rows are looked at), and rows that are there more than once.
inline TableFindings likely_wrong(const Table& table) { return detail::TableFaults(table).find(); }

/// Columns of a table of which more than a tenth of the cells are categories that another table, of the same
/// columns, does not have: one of the two is written otherwise, such as with a full stop behind each label.
inline std::vector<std::string> unknown_categories(const Table& table, const Table& known) {
  std::vector<std::string> warnings;
  for (std::size_t c = 0; c < std::min(table.size(), known.size()); ++c) {
    const auto& column = table[c];
    if (column.kind != ColumnKind::categorical || known[c].kind != ColumnKind::categorical)
      continue;
    std::size_t cells = 0;
    std::int32_t first = missing_code;
    for (const auto code : column.codes)
      if (code != missing_code && known[c].dictionary.find(column.dictionary.text(code)) == missing_code)
        first = cells++ == 0 ? code : first;
    if (10 * cells > table.rows())
      warnings.push_back(
          "column " + detail::in_quotes(column.name) + ": " + detail::percent(cells, table.rows()) +
          " of the cells are categories that the training rows do not have, such as " +
          detail::in_quotes(column.dictionary.text(first)) + ": are both written in the same way?");
  }
  return warnings;
}

ROWSMITH_END
