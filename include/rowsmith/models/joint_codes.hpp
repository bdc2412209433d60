// SPDX-License-Identifier: MIT
/// \file
/// Columns that depend on each other most, merged into one code over the combinations that occur.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/heads.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/nn/inference.hpp>

ROWSMITH_BEGIN

/// Trained joint heads: groups of code columns and the combinations of codes in each. The decoder's network
/// ends in them. A value type.
struct JointCodes {
  struct Group {
    std::vector<std::int32_t> columns; ///< positions in the encoder's layout, ascending
    /// combinations × columns, codes that count from 0 in their column; in ascending order
    std::vector<std::int32_t> combinations;

    std::int32_t width() const noexcept {
      return static_cast<std::int32_t>(combinations.size() / std::max<std::size_t>(columns.size(), 1));
    }
    const std::int32_t* combination(std::int32_t number) const noexcept {
      return combinations.data() + static_cast<std::size_t>(number) * columns.size();
    }
    /// \param label  of a conditional model: the stretch of its label
    kernel::Group view(std::ptrdiff_t label = -1) const noexcept {
      const auto found = std::find(columns.begin(), columns.end(), static_cast<std::int32_t>(label));
      return {columns.data(), columns.size(), combinations.data(), width(),
              found == columns.end() ? -1 : found - columns.begin()};
    }
  };
  std::vector<Group> groups; ///< every code column is in one

  Index width() const noexcept {
    Index total = 0;
    for (const auto& group : groups)
      total += group.width();
    return total;
  }
  Index reads(const TableEncoder&) const noexcept { return width(); }
  void check(const TableEncoder& encoder) const {
    const auto require = [](bool fine, const char* what) {
      if (!fine)
        throw ShapeError(std::string("joint heads: ") + what);
    };
    const auto& layout = encoder.layout();
    require(encoder.number_columns() == 0, "they need every column as codes");
    std::vector<bool> seen(layout.size());
    for (const auto& group : groups) {
      const std::size_t count = group.columns.size();
      require(count > 0 && !group.combinations.empty() && group.combinations.size() % count == 0,
              "a group has no columns or no whole combinations");
      for (const auto column : group.columns) {
        require(column >= 0 && static_cast<std::size_t>(column) < layout.size(), "a column is not there");
        require(!seen[static_cast<std::size_t>(column)], "a column is in two groups");
        seen[static_cast<std::size_t>(column)] = true;
      }
      for (std::size_t i = 0; i < group.combinations.size(); ++i)
        require(group.combinations[i] >= 0 &&
                    group.combinations[i] < layout[static_cast<std::size_t>(group.columns[i % count])].width,
                "a combination holds a code that its column does not have");
      for (std::int32_t k = 1; k < group.width(); ++k)
        require(std::lexicographical_compare(group.combination(k - 1), group.combination(k),
                                             group.combination(k), group.combination(k) + count),
                "the combinations do not rise");
    }
    require(std::find(seen.begin(), seen.end(), false) == seen.end(), "a column is in no group");
  }
  std::vector<std::vector<std::int32_t>> stretches(const TableEncoder&) const {
    std::vector<std::vector<std::int32_t>> result;
    for (const auto& group : groups)
      result.push_back(group.columns);
    return result;
  }
  std::vector<kernel::Group> views(const kernel::Columns& columns) const {
    std::vector<kernel::Group> result;
    for (const auto& group : groups)
      result.push_back(group.view(columns.label));
    return result;
  }
  /// \param views  of `views`, which must outlive the result
  static kernel::JointHeads view(const std::vector<kernel::Group>& views) noexcept {
    Index widest = 0;
    for (const auto& group : views)
      widest = std::max(widest, Index{group.width});
    return {views.data(), views.size(), widest};
  }
  template <class DrawOf>
  void draw(const kernel::Columns& columns, const float* read, Index rows, const DrawOf& draw_of,
            std::int32_t* codes, InferenceScratch&) const {
    const auto groups_view = views(columns);
    detail::draw_each_row(view(groups_view), columns, read, width(), rows, draw_of, codes);
  }
  void score(const kernel::Columns& columns, const float* read, Index rows, const std::int32_t* codes,
             const float* numbers, double* scores, InferenceScratch&) const {
    const auto groups_view = views(columns);
    detail::score_each_row(view(groups_view), columns, read, width(), rows, codes, numbers, scores);
  }
};

/// Merges the two groups with the largest mutual information again and again, as long as a merged group has
/// at most `most` combinations that occur and the information is worth it (0.01 nats). \throws OptionError if
/// the encoder has columns that are numbers, not codes
inline JointCodes fit_joint_codes(const TableEncoder& encoder, const EncodedTable& rows, std::int32_t most) {
  if (encoder.number_columns() > 0)
    throw OptionError(
        "JointHeads need every column as codes: set encoding.numerical = NumericalEncoding::codes");
  const auto n = rows.rows();
  // A group in the making: the number of each row's combination.
  struct Part {
    std::vector<std::int32_t> columns;
    std::vector<std::int32_t> code;
    std::int32_t width = 0;
    double entropy = 0;
  };
  const auto entropy_of = [n](const std::vector<std::int32_t>& counts) {
    double sum = 0;
    for (const auto count : counts)
      if (count > 0)
        sum -= static_cast<double>(count) / static_cast<double>(n) *
               std::log(static_cast<double>(count) / static_cast<double>(n));
    return sum;
  };
  std::vector<Part> parts;
  for (std::size_t h = 0; h < encoder.layout().size(); ++h) {
    Part part;
    part.columns = {static_cast<std::int32_t>(h)};
    part.width = encoder.layout()[h].width;
    std::vector<std::int32_t> counts(static_cast<std::size_t>(part.width));
    part.code.resize(n);
    for (std::size_t r = 0; r < n; ++r) {
      part.code[r] = rows.code(r, h);
      ++counts[static_cast<std::size_t>(part.code[r])];
    }
    part.entropy = entropy_of(counts);
    parts.push_back(std::move(part));
  }
  struct Pair {
    double information = 0;
    std::int32_t width = 0;
  };
  std::vector<std::int32_t> counts;
  const auto pair_of = [&](const Part& a, const Part& b) {
    Pair pair;
    const std::int64_t cells = std::int64_t{a.width} * b.width;
    if (cells > 4'000'000) // far more than can be few combinations
      return Pair{0, most + 1};
    counts.assign(static_cast<std::size_t>(cells), 0);
    for (std::size_t r = 0; r < n; ++r)
      ++counts[static_cast<std::size_t>(a.code[r] * b.width + b.code[r])];
    pair.width = static_cast<std::int32_t>(
        std::count_if(counts.begin(), counts.end(), [](std::int32_t count) { return count > 0; }));
    pair.information = a.entropy + b.entropy - entropy_of(counts);
    return pair;
  };
  std::map<std::pair<std::size_t, std::size_t>, Pair> pairs;
  std::vector<bool> gone(parts.size());
  const auto add_pairs = [&](std::size_t b) {
    for (std::size_t a = 0; a < b; ++a)
      if (!gone[a])
        pairs[{a, b}] = pair_of(parts[a], parts[b]);
  };
  for (std::size_t b = 1; b < parts.size(); ++b)
    add_pairs(b);
  while (true) {
    constexpr double worth = 0.01;
    const auto* best =
        static_cast<const std::pair<const std::pair<std::size_t, std::size_t>, Pair>*>(nullptr);
    for (const auto& entry : pairs)
      if (entry.second.width <= most && entry.second.information > worth &&
          (best == nullptr || entry.second.information > best->second.information))
        best = &entry;
    if (best == nullptr)
      break;
    const auto [a, b] = best->first;
    Part merged;
    merged.columns = parts[a].columns;
    merged.columns.insert(merged.columns.end(), parts[b].columns.begin(), parts[b].columns.end());
    std::vector<std::int32_t> number(static_cast<std::size_t>(parts[a].width * parts[b].width), -1);
    merged.code.resize(n);
    for (std::size_t r = 0; r < n; ++r) {
      auto& known = number[static_cast<std::size_t>(parts[a].code[r] * parts[b].width + parts[b].code[r])];
      if (known < 0)
        known = merged.width++;
      merged.code[r] = known;
    }
    std::vector<std::int32_t> merged_counts(static_cast<std::size_t>(merged.width));
    for (const auto code : merged.code)
      ++merged_counts[static_cast<std::size_t>(code)];
    merged.entropy = entropy_of(merged_counts);
    gone[a] = gone[b] = true;
    std::erase_if(pairs,
                  [&](const auto& entry) { return gone[entry.first.first] || gone[entry.first.second]; });
    parts[a].code = {};
    parts[b].code = {};
    parts.push_back(std::move(merged));
    gone.push_back(false);
    add_pairs(parts.size() - 1);
  }

  JointCodes joint;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (gone[k])
      continue;
    JointCodes::Group group;
    group.columns = parts[k].columns;
    std::sort(group.columns.begin(), group.columns.end());
    std::vector<std::vector<std::int32_t>> seen;
    if (group.columns.size() == 1) { // also codes that never occur, so that other tables can be encoded
      for (std::int32_t code = 0; code < parts[k].width; ++code)
        seen.push_back({code});
    } else {
      std::vector<bool> taken(static_cast<std::size_t>(parts[k].width));
      for (std::size_t r = 0; r < n; ++r)
        if (!taken[static_cast<std::size_t>(parts[k].code[r])]) {
          taken[static_cast<std::size_t>(parts[k].code[r])] = true;
          seen.emplace_back();
          for (const auto column : group.columns)
            seen.back().push_back(rows.code(r, static_cast<std::size_t>(column)));
        }
      std::sort(seen.begin(), seen.end());
    }
    for (const auto& combination : seen)
      group.combinations.insert(group.combinations.end(), combination.begin(), combination.end());
    joint.groups.push_back(std::move(group));
  }
  std::sort(joint.groups.begin(), joint.groups.end(),
            [](const auto& a, const auto& b) { return a.columns.front() < b.columns.front(); });
  return joint;
}

ROWSMITH_END
