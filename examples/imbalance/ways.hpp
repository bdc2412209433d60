// SPDX-License-Identifier: MIT
// What can be done about a class of which there are few rows: ways to make the rows that a classifier is
// fitted to.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/table/split.hpp>
#include <rowsmith/table/table.hpp>

namespace ways {

namespace rs = rowsmith;

// Rows to learn from, and the classes that there shall be more of.
struct Task {
  rs::Table train;
  std::string target;
  std::vector<std::string> rare;
  double ratio = 0.1; // wanted rows of a rare class, of those of the largest one
  std::uint64_t seed = 0;

  std::vector<std::size_t> rows_of(const std::string& category) const {
    std::vector<std::size_t> rows;
    const auto& column = train[target];
    const auto code = column.dictionary.find(category);
    for (std::size_t row = 0; row < train.rows(); ++row)
      if (column.codes[row] == code)
        rows.push_back(row);
    return rows;
  }
  std::size_t wanted() const {
    std::size_t most = 0;
    for (const auto& text : train[target].dictionary.texts())
      most = std::max(most, rows_of(text).size());
    return static_cast<std::size_t>(std::llround(ratio * static_cast<double>(most)));
  }
};

// The training rows, and `more` of each rare class: (its rows, how many) -> rows to add.
template <class More>
rs::Table with_more(const Task& task, const More& more) {
  rs::Table all = task.train;
  for (const auto& category : task.rare) {
    const auto rows = task.rows_of(category);
    if (rows.empty() || rows.size() >= task.wanted())
      continue;
    all = rs::concatenate(all, more(category, rows, task.wanted() - rows.size()));
  }
  return all;
}

// Every rare row counts as often as makes its class as large as is wanted: weights, for models that take
// rows.
inline rs::Table by_weights(const Task& task) {
  return with_more(task, [&](const std::string&, const std::vector<std::size_t>& rows, std::size_t count) {
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < count; ++i)
      again.push_back(rows[i % rows.size()]);
    return task.train.select(again);
  });
}

// Rare rows drawn again at random.
inline rs::Table by_oversampling(const Task& task) {
  rs::RandomSequence random(rs::RandomStream(task.seed, rs::Purpose::user, 1));
  return with_more(task, [&](const std::string&, const std::vector<std::size_t>& rows, std::size_t count) {
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < count; ++i)
      again.push_back(rows[random.below(static_cast<std::uint32_t>(rows.size()))]);
    return task.train.select(again);
  });
}

// SMOTE-NC (Chawla et al. 2002): between a rare row and one of its five nearest of the same class. A
// different category counts as the median of the standard deviations of the class's numbers; categories are
// those of most of the neighbours.
inline rs::Table by_smote(const Task& task) {
  constexpr std::size_t neighbours = 5;
  rs::RandomSequence random(rs::RandomStream(task.seed, rs::Purpose::user, 2));
  return with_more(task, [&](const std::string&, const std::vector<std::size_t>& rows, std::size_t count) {
    const rs::Table rare = task.train.select(rows);
    std::vector<double> spreads;
    for (const auto& column : rare.columns()) {
      double n = 0;
      double sum = 0;
      double squares = 0;
      for (const double x : column.values)
        if (!std::isnan(x)) {
          ++n;
          sum += x;
          squares += x * x;
        }
      if (n > 0)
        spreads.push_back(std::sqrt(std::max(squares / n - sum / n * (sum / n), 0.0)));
    }
    std::sort(spreads.begin(), spreads.end());
    const double median = spreads.empty() ? 1 : spreads[spreads.size() / 2];
    const auto distance = [&](std::size_t a, std::size_t b) {
      double total = 0;
      for (const auto& column : rare.columns()) {
        double one = 0;
        if (column.kind == rs::ColumnKind::categorical)
          one = column.codes[a] == column.codes[b] ? 0 : median;
        else if (std::isnan(column.values[a]) != std::isnan(column.values[b]))
          one = median;
        else if (!std::isnan(column.values[a]))
          one = column.values[a] - column.values[b];
        total += one * one;
      }
      return total;
    };
    std::vector<std::vector<std::size_t>> nearest(rare.rows());
    for (std::size_t a = 0; a < rare.rows(); ++a) {
      std::vector<std::pair<double, std::size_t>> others;
      for (std::size_t b = 0; b < rare.rows(); ++b)
        if (b != a)
          others.emplace_back(distance(a, b), b);
      const std::size_t k = std::min(neighbours, others.size());
      std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(k), others.end());
      for (std::size_t i = 0; i < k; ++i)
        nearest[a].push_back(others[i].second);
    }
    auto columns = rare.columns();
    for (auto& column : columns) {
      column.values.clear();
      column.codes.clear();
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t a = random.below(static_cast<std::uint32_t>(rare.rows()));
      const std::size_t b =
          nearest[a].empty() ? a : nearest[a][random.below(static_cast<std::uint32_t>(nearest[a].size()))];
      const double place = random.uniform();
      for (std::size_t c = 0; c < columns.size(); ++c) {
        const auto& from = rare[c];
        if (from.kind == rs::ColumnKind::numerical) {
          const double x = from.values[a];
          const double y = from.values[b];
          columns[c].values.push_back(std::isnan(x) || std::isnan(y) ? x : x + place * (y - x));
          continue;
        }
        std::map<std::int32_t, std::size_t> votes;
        for (const std::size_t n : nearest[a])
          ++votes[from.codes[n]];
        std::int32_t most = from.codes[a];
        for (const auto& [code, number] : votes)
          if (number > votes[most])
            most = code;
        columns[c].codes.push_back(most);
      }
    }
    for (auto& column : columns)
      column.decimals = column.kind == rs::ColumnKind::numerical ? -1 : column.decimals;
    return rs::Table(std::move(columns), rare.schema().label());
  });
}

// Rows of the rare class that a model of the training rows makes when it is asked for them.
inline rs::Table by_model(const Task& task, const rs::TableModel& model) {
  return with_more(task, [&](const std::string& category, const std::vector<std::size_t>&,
                             std::size_t count) {
    return model.sample(
        count, {.seed = task.seed, .conditions = {rs::where(task.target).is(category)}, .allow_rare = true});
  });
}

// All of them by name: the rows as they are, and with more.
inline std::vector<std::pair<std::string, rs::Table>> all_of(const Task& task, const rs::TableModel& model) {
  return {{"nothing", task.train},
          {"class weights", by_weights(task)},
          {"oversampling", by_oversampling(task)},
          {"SMOTE-NC", by_smote(task)},
          {"rowsmith", by_model(task, model)}};
}

} // namespace ways
