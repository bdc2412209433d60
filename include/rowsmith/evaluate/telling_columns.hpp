// SPDX-License-Identifier: MIT
/// \file
/// Which columns give synthetic rows away?
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// How well real and synthetic rows can be told apart by one column or two alone.
struct TellingPair {
  std::size_t first = 0; ///< numbers of the columns; the same twice: one column alone
  std::size_t second = 0;
  std::string first_name;
  std::string second_name;
  Estimate auc; ///< 0.5 is ideal
};

struct TellingColumns {
  std::vector<TellingPair> columns; ///< each column alone, largest AUC first
  std::vector<TellingPair> pairs;   ///< each two columns, largest AUC first
};

struct TellingOptions {
  std::size_t bins = 20; ///< of equal frequency, for numbers with more distinct values; [2, 1000]
  std::uint64_t seed = 0;
  int threads = 0; ///< 0: all; never changes the result
};

/// Which columns and pairs of columns tell the most: for each, rows are scored by the ratio of synthetic to
/// real rows in their cell of the joint histogram, counted on the other half of the rows. The AUC of that
/// score shows what a judge knows who sees these columns only. \throws SchemaError if the tables' columns
/// differ or a table has fewer than 4 rows, OptionError
inline TellingColumns telling_columns(const Table& real, const Table& synthetic,
                                      const TellingOptions& options = {}) {
  detail::check_count("telling.bins", options.bins, 2, 1000);
  if (real.rows() < 4 || synthetic.rows() < 4)
    throw SchemaError("telling_columns: a table has fewer than 4 rows");
  const SharedCodes codes({&real, &synthetic});
  auto features = codes.features(real);
  const auto more = codes.features(synthetic);
  std::vector<std::vector<std::uint32_t>> levels(real.size());
  std::vector<std::size_t> counts(real.size());
  parallel_for(real.size(), resolve_threads(options.threads), [&](std::size_t c) {
    FeatureMatrix one;
    one.names.push_back(features.names[c]);
    one.columns.push_back(std::move(features.columns[c]));
    one.columns[0].insert(one.columns[0].end(), more.columns[c].begin(), more.columns[c].end());
    const auto binning =
        forest::Binning::fit(one, real[c].kind == ColumnKind::numerical ? options.bins : std::size_t{65534});
    const auto binned = binning.apply(one);
    levels[c].assign(binned.columns[0].begin(), binned.columns[0].end());
    counts[c] = binning.bins(0);
  });
  // Which half a row belongs to: a stratified draw, the same for all pairs.
  std::vector<std::uint16_t> labels(real.rows(), 0);
  labels.resize(real.rows() + synthetic.rows(), 1);
  const auto half = stratified_folds(labels, 2, options.seed);
  const double prior = static_cast<double>(synthetic.rows()) / static_cast<double>(labels.size());

  const auto judge = [&](std::size_t a, std::size_t b) {
    constexpr std::uint64_t dense = 1U << 20U;
    const std::uint64_t cells = std::uint64_t{counts[a]} * (a == b ? 1 : counts[b]);
    std::vector<std::uint64_t> keys(labels.size());
    for (std::size_t i = 0; i < keys.size(); ++i)
      keys[i] = a == b ? levels[a][i] : std::uint64_t{levels[a][i]} * counts[b] + levels[b][i];
    std::size_t distinct = static_cast<std::size_t>(cells);
    if (cells > dense) {
      auto sorted = keys;
      std::sort(sorted.begin(), sorted.end());
      sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
      for (auto& key : keys)
        key =
            static_cast<std::uint64_t>(std::lower_bound(sorted.begin(), sorted.end(), key) - sorted.begin());
      distinct = sorted.size();
    }
    double aucs[2] = {};
    for (std::uint16_t fold = 0; fold < 2; ++fold) {
      struct Cell {
        double score = 0;
        double learned[2] = {}; // real and synthetic rows of the half that scores are learned from
        double tested[2] = {};  // and of the other one
      };
      std::vector<Cell> table(distinct);
      for (std::size_t i = 0; i < keys.size(); ++i)
        ++(half[i] == fold ? table[keys[i]].tested : table[keys[i]].learned)[labels[i]];
      // Two rows at the average share keep a rare cell's own share from being believed.
      for (auto& cell : table)
        cell.score = (cell.learned[1] + 2 * prior) / (cell.learned[0] + cell.learned[1] + 2);
      std::sort(table.begin(), table.end(), [](const Cell& x, const Cell& y) { return x.score < y.score; });
      double below = 0; // real rows of lower scores
      double won = 0;
      double total = 0;
      for (std::size_t begin = 0; begin < table.size();) {
        double tied[2] = {};
        std::size_t end = begin;
        for (; end < table.size() && table[end].score == table[begin].score; ++end)
          for (int k : {0, 1})
            tied[k] += table[end].tested[k];
        won += tied[1] * (below + tied[0] / 2);
        below += tied[0];
        total += tied[1];
        begin = end;
      }
      aucs[fold] = won / (below * total);
    }
    const double n = static_cast<double>(real.rows());
    const double m = static_cast<double>(synthetic.rows());
    return Estimate{(aucs[0] + aucs[1]) / 2, std::sqrt((n + m + 1) / (12 * n * m))};
  };

  TellingColumns result;
  std::vector<TellingPair> all;
  for (std::size_t a = 0; a < real.size(); ++a)
    for (std::size_t b = a; b < real.size(); ++b)
      all.push_back({a, b, real[a].name, real[b].name, {}});
  parallel_for(all.size(), resolve_threads(options.threads),
               [&](std::size_t p) { all[p].auc = judge(all[p].first, all[p].second); });
  for (auto& pair : all)
    (pair.first == pair.second ? result.columns : result.pairs).push_back(std::move(pair));
  for (auto* list : {&result.columns, &result.pairs})
    std::stable_sort(list->begin(), list->end(),
                     [](const TellingPair& a, const TellingPair& b) { return a.auc.value > b.auc.value; });
  return result;
}

inline std::string to_json(const TellingPair& pair) {
  if (pair.first == pair.second)
    return detail::json_object<"first auc sd">(pair.first_name, pair.auc.value, pair.auc.sd);
  return detail::json_object<"first second auc sd">(pair.first_name, pair.second_name, pair.auc.value,
                                                    pair.auc.sd);
}

inline std::string to_json(const TellingColumns& result) {
  return detail::json_object<"columns pairs">(result.columns, result.pairs);
}

inline std::ostream& operator<<(std::ostream& out, const TellingColumns& result) {
  out << "told by two columns alone (AUC):";
  for (std::size_t i = 0; i < std::min<std::size_t>(5, result.pairs.size()); ++i)
    out << (i == 0 ? " " : ", ") << result.pairs[i].first_name << " x " << result.pairs[i].second_name << ' '
        << result.pairs[i].auc.value;
  return out << '\n';
}

} // namespace evaluate
ROWSMITH_END
