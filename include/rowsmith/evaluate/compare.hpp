// SPDX-License-Identifier: MIT
/// \file
/// How far two tables are alike, beside what two parts of the first one show.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/evaluate/fidelity.hpp>
#include <rowsmith/evaluate/marginal.hpp>
#include <rowsmith/evaluate/measured.hpp>
#include <rowsmith/evaluate/privacy.hpp>
#include <rowsmith/evaluate/regression_efficacy.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/evaluate/some_rows.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct CompareOptions {
  std::string target{};          ///< a column to predict; empty: none
  std::size_t seeds = 3;         ///< repeats of all that fits models; [1, 1000]
  std::size_t max_rows = 50'000; ///< of each side; more are sampled; ≥ 100
  bool quick = false;            ///< one seed, small models, at most 4,000 rows: to see that all works
  std::uint64_t seed = 0;
  int threads = 0;             ///< 0: all; never changes the result
  ProgressCallback progress{}; ///< told after each measure

  /// \throws OptionError
  void check() const {
    detail::check_count("compare.seeds", seeds, 1, 1000);
    detail::check_count("compare.max_rows", max_rows, 100);
  }
};

/// How far rows are like one part of the first table.
struct Likeness {
  ShapeResult shapes;
  TrendResult trends;
  std::vector<DetectionResult> detection; ///< by a forest and by boosted trees
  Estimate found; ///< share of the rows that stand in that part, equal in every column
};

/// A part of the first table is compared with as many rows of the second and with as many other rows of the
/// first: what these show is what chance makes of tables that are alike.
struct Comparison {
  CompareOptions options;
  std::size_t first_rows = 0; ///< of the tables
  std::size_t second_rows = 0;
  /// Of their sources: more, where the tables are rows by chance. `compare` takes the tables for all.
  std::size_t first_of = 0;
  std::size_t second_of = 0;
  std::size_t rows = 0; ///< n: of the part, of the second and of the other rows
  Likeness second;
  Likeness other;
  Estimate found_in_all;       ///< share of all rows of the second table that stand anywhere in the first
  std::size_t found_among = 0; ///< rows of the first that were looked at for it
  /// With a target: learnt from the part ("train") or from rows of the second ("synthetic"), tested on the
  /// other rows of the first. One of the two.
  std::optional<EfficacyResult> efficacy;
  std::optional<RegressionEfficacyResult> regression;
  std::vector<Marginal> marginals; ///< of the part and of the rows of the second
};

/// Looks at what `compare` would refuse, which takes next to no time. \throws what `compare` throws
inline void check_compare(const Table& first, const Table& second, const CompareOptions& options = {}) {
  options.check();
  static_cast<void>(SharedCodes({&first, &second})); // the columns are the same
  if (!options.target.empty())
    static_cast<void>(first.schema().index_of(options.target));
  if (first.rows() < 200)
    throw ShapeError("compare: the first table has " + std::to_string(first.rows()) +
                     " rows, expected at least 200, which are parted in two");
  if (second.rows() < 100)
    throw ShapeError("compare: the second table has " + std::to_string(second.rows()) +
                     " rows, expected at least 100");
}

/// \throws SchemaError if the tables' columns differ or the target is unknown, ShapeError for a table that is
/// too small, OptionError
inline Comparison compare(const Table& first, const Table& second, const CompareOptions& options = {}) {
  check_compare(first, second, options);
  Comparison result;
  result.options = options;
  auto& used = result.options;
  if (used.quick) {
    used.seeds = 1;
    used.max_rows = std::min<std::size_t>(used.max_rows, 4000);
  }
  result.first_rows = first.rows();
  result.second_rows = second.rows();
  result.first_of = first.rows();
  result.second_of = second.rows();
  result.rows = std::min({first.rows() / 2, second.rows(), used.max_rows});
  Table rest;
  const Table part = detail::some_rows(first, result.rows, used.seed, detail::compare_half, &rest);
  const Table other = detail::some_rows(rest, result.rows, used.seed, detail::compare_other);
  rest = {};
  const Table made = detail::some_rows(second, result.rows, used.seed, detail::compare_second);

  const RandomForestOptions forest{.trees = used.quick ? 20U : 100U, .threads = used.threads};
  const GradientBoostingOptions boosted{.rounds = used.quick ? 20U : 100U, .threads = used.threads};
  RoundProgress progress(used.progress, "compare", used.target.empty() ? 5 : 6);
  const FidelityOptions fidelity{
      .replicates = used.quick ? 5U : 20U, .seed = used.seed, .threads = used.threads};
  for (const bool of_second : {true, false}) {
    auto& to = of_second ? result.second : result.other;
    const Table& rows = of_second ? made : other;
    to.shapes = column_shapes(part, rows, fidelity);
    to.trends = pair_trends(part, rows, fidelity);
    to.found = share_found(rows, part);
    progress.done();
    for (const auto classifier : {Classifier::forest, Classifier::boosted})
      to.detection.push_back(detection(part, rows,
                                       {.classifier = classifier,
                                        .seeds = used.seeds,
                                        .seed = used.seed,
                                        .forest = forest,
                                        .boosted = boosted}));
    progress.done();
  }
  result.found_in_all = share_found(second, first);
  result.found_among = first.rows();
  const SharedCodes codes({&part, &made});
  for (std::size_t c = 0; c < part.size(); ++c)
    result.marginals.push_back(detail::marginal(part, &made, codes, c));
  progress.done();
  if (used.target.empty())
    return result;
  const EfficacyOptions own{.classifier = Classifier::boosted,
                            .seeds = used.seeds,
                            .seed = used.seed,
                            .forest = forest,
                            .boosted = boosted};
  if (first[used.target].kind == ColumnKind::categorical)
    result.efficacy = detail::measured_efficacy(part, other, made, used.target, own);
  else
    result.regression = detail::measured_regression(part, other, made, used.target, own);
  progress.done();
  return result;
}

inline std::string to_json(const Likeness& likeness) {
  return detail::json_object<"shapes trends detection found">(likeness.shapes, likeness.trends,
                                                              likeness.detection, likeness.found);
}
inline std::string to_json(const Comparison& result) {
  using detail::Json;
  return detail::json_object<
      "first_rows second_rows first_of second_of columns n seeds seed quick second other_rows_of_first "
      "found_in_all found_among efficacy regression">(
      result.first_rows, result.second_rows, result.first_of, result.second_of, result.marginals.size(),
      result.rows, result.options.seeds, result.options.seed, result.options.quick, result.second,
      result.other, result.found_in_all, result.found_among,
      result.efficacy ? Json(*result.efficacy) : Json::raw("null"),
      result.regression ? Json(*result.regression) : Json::raw("null"));
}

namespace detail {

/// A line of a comparison: what is measured, what rows of the second and other rows of the first show.
struct ComparedFigure {
  std::string title{};
  std::string second{};
  std::string other{};
};

inline std::vector<ComparedFigure> compared_figures(const Comparison& result) {
  const auto with_sd = [](double value, double sd) {
    return sd > 0 ? concat(fixed(value, 4), " ± ", fixed(sd, 4)) : fixed(value, 4);
  };
  const auto estimate = [&](const Estimate& figure) { return with_sd(figure.value, figure.sd); };
  std::vector<ComparedFigure> lines;
  for (std::size_t k = 0; k < result.second.detection.size(); ++k) {
    const auto& second = result.second.detection[k];
    const auto& other = result.other.detection[k];
    lines.push_back(
        {concat("Told apart by ", second.classifier == Classifier::forest ? "a forest" : "boosted trees",
                ", AUC (0.5 cannot)"),
         with_sd(second.auc.mean, second.auc.sd), with_sd(other.auc.mean, other.auc.sd)});
  }
  const auto& worst = result.second.shapes.columns[result.second.shapes.worst];
  lines.push_back(
      {"Column shapes, mean error", estimate(result.second.shapes.mean), estimate(result.other.shapes.mean)});
  lines.push_back({concat("Column shapes, worst: ", shortened(readable_utf8(worst.name), 40)),
                   estimate(worst.error),
                   estimate(result.other.shapes.columns[result.second.shapes.worst].error)});
  if (!result.second.trends.pairs.empty()) {
    const auto& pair = result.second.trends.pairs[0];
    const auto same =
        std::find_if(result.other.trends.pairs.begin(), result.other.trends.pairs.end(),
                     [&](const auto& one) { return one.first == pair.first && one.second == pair.second; });
    lines.push_back(
        {"Pair trends, mean error", estimate(result.second.trends.mean), estimate(result.other.trends.mean)});
    lines.push_back({concat("Pair trends, worst: ", shortened(readable_utf8(pair.first_name), 40), " and ",
                            shortened(readable_utf8(pair.second_name), 40)),
                     estimate(pair.error), estimate(same->error)});
  }
  lines.push_back({"Rows that stand in the part of the first", per_cent(result.second.found.value),
                   per_cent(result.other.found.value)});
  if (result.efficacy)
    lines.push_back(
        {concat("AUC of predicting ", shortened(readable_utf8(result.efficacy->target), 40),
                ", learnt from them (from the part: ", fixed(result.efficacy->auc_real.mean, 4), ")"),
         fixed(result.efficacy->auc_synthetic.mean, 4), "–"});
  if (result.regression)
    lines.push_back(
        {concat("R² of predicting ", shortened(readable_utf8(result.regression->target), 40),
                ", learnt from them (from the part: ", fixed(result.regression->r2_real.mean, 4), ")"),
         fixed(result.regression->r2_synthetic.mean, 4), "–"});
  return lines;
}

/// What was compared with what, in a sentence or two.
inline std::string compared_text(const Comparison& result) {
  const auto count = [](std::size_t rows, std::size_t of) {
    return of > rows ? concat(grouped(of), " (", grouped(rows), " of them were taken, by chance)")
                     : grouped(rows);
  };
  return concat("The first table has ", count(result.first_rows, result.first_of), " rows, the second ",
                count(result.second_rows, result.second_of), ", of ", std::to_string(result.marginals.size()),
                " columns. A part of the first, n = ", grouped(result.rows),
                " rows by chance, is compared with ", grouped(result.rows), " rows of the second and with ",
                grouped(result.rows), " other rows of the first, which show what chance makes.");
}
inline std::string found_text(const Comparison& result) {
  return concat("Of the ", grouped(result.second_rows), " rows of the second table that were taken, ",
                per_cent(result.found_in_all.value), " stand in the first (", grouped(result.found_among),
                " rows), equal in every column.");
}

} // namespace detail

inline std::ostream& operator<<(std::ostream& out, const Comparison& result) {
  out << detail::compared_text(result) << "\n\n";
  const auto lines = detail::compared_figures(result);
  for (const auto& line : lines) {
    out << line.title << ": " << line.second;
    if (line.other != "–")
      out << " (other rows of the first: " << line.other << ')';
    out << '\n';
  }
  out << detail::found_text(result) << '\n';
  if (result.efficacy)
    detail::print_note(out, result.efficacy->note);
  if (result.regression)
    detail::print_note(out, result.regression->note);
  return out;
}

} // namespace evaluate
using evaluate::compare;
using evaluate::CompareOptions;
using evaluate::Comparison;
ROWSMITH_END
