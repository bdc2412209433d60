// SPDX-License-Identifier: MIT
/// \file
/// Everything about a synthetic table in one go: figures with their errors and their ideal values, and a
/// verdict.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/evaluate/attacks.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/evaluate/fidelity.hpp>
#include <rowsmith/evaluate/json_object.hpp>
#include <rowsmith/evaluate/privacy.hpp>
#include <rowsmith/evaluate/support.hpp>

ROWSMITH_BEGIN

struct ReportOptions {
  std::vector<std::string>
      targets{};         ///< columns to predict; empty: the training table's label, if it has one
  std::size_t seeds = 3; ///< repeats of everything that fits models; [1, 1000]
  /// One seed, small models, at most 4,000 rows in distances: to see that all works. Its figures are coarse.
  bool quick = false;
  std::size_t max_rows = 50'000; ///< of each table in distances and attacks; more are sampled; ≥ 2
  std::uint64_t seed = 0;
  int threads = 0;             ///< 0: all; never changes the result
  ProgressCallback progress{}; ///< told as the stages go on

  /// \throws OptionError
  void check() const {
    if (seeds < 1 || seeds > 1000)
      throw OptionError("report.seeds = " + std::to_string(seeds) + ": expected 1 to 1000");
    if (max_rows < 2)
      throw OptionError("report.max_rows = " + std::to_string(max_rows) + ": expected 2 or more");
  }
};

/// What a figure says: fine, worth a look, or a reason to stop. `none`: for the reader to judge.
enum class Light { none, green, amber, red };

inline std::string_view to_string(Light light) {
  constexpr std::string_view names[] = {"none", "green", "amber", "red"};
  return names[static_cast<std::size_t>(light)];
}

/// One figure of a report.
struct Figure {
  std::string key{};     ///< such as "detection.boosted.auc"; what limits refer to
  std::string section{}; ///< "fidelity", "utility" or "privacy"
  std::string title{};
  double value = 0;
  double sd = 0; ///< over seeds, or of the sampling of rows
  /// What real rows show in place of the synthetic ones; NaN where it was not measured.
  double ideal = std::numeric_limits<double>::quiet_NaN();
  double ideal_sd = 0;
  bool per_cent = false; ///< to be shown as a percentage
  Light light = Light::none;
  std::string meaning{}; ///< one sentence
};

/// The shares of one column's values in the real and in the synthetic table.
struct Marginal {
  std::string name;
  ColumnKind kind = ColumnKind::numerical;
  std::vector<std::string> labels; ///< categorical: the most frequent ones, then "N others" and "missing"
  std::vector<double> edges;       ///< numerical: one more than bins; the outer bins reach to the extremes
  std::vector<double> real;        ///< share of the rows, one a label or bin
  std::vector<double> synthetic;
  double real_missing = 0; ///< numerical: share of the rows
  double synthetic_missing = 0;
};

struct Report {
  std::size_t train_rows = 0;
  std::size_t holdout_rows = 0;
  std::size_t synthetic_rows = 0;
  std::size_t columns = 0;
  ReportOptions options;
  std::vector<Figure> figures;
  Light fidelity = Light::none; ///< the worst of their figures
  Light utility = Light::none;
  Light privacy = Light::none;

  ShapeResult shapes;
  TrendResult trends;
  SupportResult support;
  std::vector<DetectionResult> detection; ///< by forest, boosted trees and linear model
  TellingColumns telling;
  std::vector<EfficacyResult> efficacy;
  std::vector<RegressionEfficacyResult> regression;
  std::optional<AugmentationResult> augmentation;
  CopyResult copies;
  DistanceResult distances;
  MembershipResult membership;
  AttributeResult attributes;

  // The same with hold-out rows in place of synthetic ones: the ideal. Privacy is measured with one half of
  // the hold-out rows in place of synthetic ones and the other half as hold-out.
  ShapeResult ideal_shapes;
  TrendResult ideal_trends;
  SupportResult ideal_support;
  std::vector<DetectionResult> ideal_detection; ///< of one seed
  DistanceResult ideal_distances;
  MembershipResult ideal_membership;
  AttributeResult ideal_attributes;

  std::vector<Marginal> marginals;
  AssociationMatrix real_associations;
  AssociationMatrix synthetic_associations;
  std::vector<std::pair<std::string, double>> seconds; ///< by stage; no part of the JSON, since they vary

  /// The figure of that key, or null.
  const Figure* find(std::string_view key) const {
    const auto found =
        std::find_if(figures.begin(), figures.end(), [key](const Figure& each) { return each.key == key; });
    return found == figures.end() ? nullptr : &*found;
  }
};

namespace detail {

inline Marginal marginal(const Table& real, const Table& synthetic, const SharedCodes& codes,
                         std::size_t column) {
  Marginal result;
  result.name = real[column].name;
  result.kind = real[column].kind;
  const auto share = [](std::size_t rows) { return 1 / static_cast<double>(rows); };
  if (result.kind == ColumnKind::categorical) {
    constexpr std::size_t shown = 10;
    const auto& texts = codes.texts(column);
    std::vector<double> shares[2];
    for (const auto k : {std::size_t{0}, std::size_t{1}}) {
      const Table& table = k == 0 ? real : synthetic;
      shares[k].resize(texts.size() + 1); // the last one for missing values
      for (const auto code : codes.codes(table[column], column))
        shares[k][code == missing_code ? texts.size() : static_cast<std::size_t>(code)] +=
            share(table.rows());
    }
    std::vector<std::size_t> order(texts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return shares[0][a] + shares[1][a] > shares[0][b] + shares[1][b];
    });
    const auto add = [&](std::string label, double a, double b) {
      result.labels.push_back(std::move(label));
      result.real.push_back(a);
      result.synthetic.push_back(b);
    };
    const std::size_t own = texts.size() <= shown ? texts.size() : shown - 1;
    for (std::size_t k = 0; k < own; ++k)
      add(texts[order[k]], shares[0][order[k]], shares[1][order[k]]);
    if (own < texts.size()) {
      double rest[2] = {};
      for (std::size_t k = own; k < texts.size(); ++k)
        for (const auto t : {std::size_t{0}, std::size_t{1}})
          rest[t] += shares[t][order[k]];
      add(std::to_string(texts.size() - own).append(" others"), rest[0], rest[1]);
    }
    if (shares[0].back() > 0 || shares[1].back() > 0)
      add("missing", shares[0].back(), shares[1].back());
    return result;
  }
  std::vector<double> values;
  for (const Table* table : {&real, &synthetic})
    std::copy_if((*table)[column].values.begin(), (*table)[column].values.end(), std::back_inserter(values),
                 [](double value) { return !std::isnan(value); });
  std::sort(values.begin(), values.end());
  constexpr std::size_t bins = 24;
  double low = 0;
  double high = 1;
  if (!values.empty()) { // a few extremes must not squeeze all others into one bin
    const auto at = [&](double part) {
      return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
    };
    low = at(0.005);
    high = at(0.995);
    if (!(low < high)) {
      low = values.front();
      high = values.back();
    }
    if (!(low < high))
      high = low + 1;
  }
  for (std::size_t k = 0; k <= bins; ++k)
    result.edges.push_back(low + (high - low) * (static_cast<double>(k) / bins));
  result.real.resize(bins);
  result.synthetic.resize(bins);
  for (const auto k : {std::size_t{0}, std::size_t{1}}) {
    const Table& table = k == 0 ? real : synthetic;
    auto& shares = k == 0 ? result.real : result.synthetic;
    for (const double value : table[column].values)
      if (std::isnan(value)) {
        (k == 0 ? result.real_missing : result.synthetic_missing) += share(table.rows());
      } else {
        const double place = (value - low) / (high - low) * static_cast<double>(bins);
        shares[static_cast<std::size_t>(std::clamp(place, 0.0, bins - 0.5))] += share(table.rows());
      }
  }
  return result;
}

inline Light worst(Light a, Light b) { return static_cast<int>(a) > static_cast<int>(b) ? a : b; }

/// Green up to `good`, amber up to `fair`, else red; the other way round if good > fair.
inline Light grade(double value, double good, double fair) {
  const bool rising = good > fair;
  if (rising ? value >= good : value <= good)
    return Light::green;
  return (rising ? value >= fair : value <= fair) ? Light::amber : Light::red;
}

/// Red for strong evidence of an effect that matters, amber for some evidence.
inline Light leak_light(double p_value, bool matters) {
  if (p_value < 1e-3 && matters)
    return Light::red;
  return p_value < 0.01 ? Light::amber : Light::green;
}

inline void judge(Report& report) {
  auto& figures = report.figures;
  const auto add = [&](std::string key, std::string section, std::string title, Estimate value,
                       std::optional<Estimate> ideal, bool per_cent, Light light, std::string meaning) {
    Figure figure;
    figure.key = std::move(key);
    figure.section = std::move(section);
    figure.title = std::move(title);
    figure.value = value.value;
    figure.sd = value.sd;
    if (ideal) {
      figure.ideal = ideal->value;
      figure.ideal_sd = ideal->sd;
    }
    figure.per_cent = per_cent;
    figure.light = light;
    figure.meaning = std::move(meaning);
    figures.push_back(std::move(figure));
  };
  const auto of = [](const MeanSd& figure) { return Estimate{figure.mean, figure.sd}; };

  // ---- fidelity
  add("shapes.mean", "fidelity", "Column shapes, mean error", report.shapes.mean, report.ideal_shapes.mean,
      true, grade(report.shapes.mean.value, 0.02, 0.05),
      "How far single columns are off: Kolmogorov-Smirnov (numbers) or total variation distance.");
  add("shapes.worst", "fidelity", "Column shapes, worst column",
      report.shapes.columns[report.shapes.worst].error,
      report.ideal_shapes.columns[report.ideal_shapes.worst].error, true,
      grade(report.shapes.columns[report.shapes.worst].error.value, 0.05, 0.15),
      std::string("The same of the worst column, ")
          .append(report.shapes.columns[report.shapes.worst].name)
          .append("."));
  add("trends.mean", "fidelity", "Pair trends, mean error", report.trends.mean, report.ideal_trends.mean,
      true, grade(report.trends.mean.value, 0.04, 0.08),
      "How far relations of two columns are off: correlations, and joint shares.");
  if (!report.trends.pairs.empty())
    add("trends.worst", "fidelity", "Pair trends, worst pair", report.trends.pairs[0].error,
        report.ideal_trends.pairs[0].error, true, grade(report.trends.pairs[0].error.value, 0.1, 0.3),
        std::string("The same of the worst pair, ")
            .append(report.trends.pairs[0].first_name)
            .append(" and ")
            .append(report.trends.pairs[0].second_name)
            .append("."));
  add("support.alpha_precision", "fidelity", "α-precision", report.support.alpha_precision,
      report.ideal_support.alpha_precision, false, grade(report.support.alpha_precision.value, 0.95, 0.85),
      "Whether synthetic rows are as typical as real ones, and as untypical.");
  add("support.beta_recall", "fidelity", "β-recall", report.support.beta_recall,
      report.ideal_support.beta_recall, false,
      grade(report.support.beta_recall.value / std::max(report.ideal_support.beta_recall.value, 1e-9), 0.9,
            0.6),
      "Whether synthetic rows reach every corner that real rows are in; real rows reach about 0.5.");
  for (std::size_t k = 0; k < report.detection.size(); ++k) {
    const auto& detection = report.detection[k];
    const std::string name(to_string(detection.classifier));
    add(std::string("detection.").append(name).append(".auc"), "fidelity",
        std::string("Detection, ")
            .append(detection.classifier == Classifier::forest
                        ? "random forest"
                        : (detection.classifier == Classifier::boosted ? "boosted trees"
                                                                       : "logistic regression")),
        of(detection.auc), of(report.ideal_detection[k].auc), false, grade(detection.auc.mean, 0.6, 0.8),
        "AUC of a model that tells synthetic from real rows: 0.5 cannot, 1 always can.");
    figures.back().ideal_sd = std::numeric_limits<double>::quiet_NaN(); // one seed has no sd
  }

  // ---- utility
  for (const auto& result : report.efficacy) {
    const std::string name = std::string(to_string(result.classifier)).append(".").append(result.target);
    add(std::string("efficacy.").append(name), "utility",
        std::string("Efficacy on ").append(result.target).append(", ").append(to_string(result.classifier)),
        of(result.ratio), Estimate{1, 0}, false, grade(result.ratio.mean, 0.98, 0.95),
        std::string("AUC ")
            .append(json_number(std::round(result.auc_synthetic.mean * 1e4) / 1e4))
            .append(" learnt from synthetic, ")
            .append(json_number(std::round(result.auc_real.mean * 1e4) / 1e4))
            .append(" from real rows; F1 ")
            .append(json_number(std::round(result.f1_synthetic.mean * 1e4) / 1e4))
            .append(" and ")
            .append(json_number(std::round(result.f1_real.mean * 1e4) / 1e4))
            .append("; the ratio of the AUCs is shown."));
  }
  for (const auto& result : report.regression)
    add(std::string("r2_loss.").append(to_string(result.model)).append(".").append(result.target), "utility",
        std::string("Loss of R² on ").append(result.target).append(", ").append(to_string(result.model)),
        of(result.loss), Estimate{0, 0}, false, grade(result.loss.mean, 0.02, 0.08),
        std::string("R² ")
            .append(json_number(std::round(result.r2_synthetic.mean * 1e4) / 1e4))
            .append(" learnt from synthetic, ")
            .append(json_number(std::round(result.r2_real.mean * 1e4) / 1e4))
            .append(" from real rows."));
  if (report.augmentation) {
    const auto& result = *report.augmentation;
    add("augmentation.gain", "utility", "Augmentation gain", of(result.gain), std::nullopt, false,
        grade(result.gain.mean, 0, -0.02),
        std::string("What ")
            .append(std::to_string(result.synthetic_rows))
            .append(" synthetic rows add to the AUC of ")
            .append(std::to_string(result.real_rows))
            .append(" real ones (boosted trees, ")
            .append(result.target)
            .append(")."));
  }

  // ---- privacy
  add("copies.share", "privacy", "Exact copies of training rows", report.copies.share,
      report.copies.base_share, true,
      worst(leak_light(report.copies.p_value, true),
            report.copies.share.value > report.copies.base_share.value + 3 * report.copies.base_share.sd +
                                            3 * report.copies.share.sd
                ? Light::amber
                : Light::green),
      "Hold-out rows, which nothing can have copied, set the base rate.");
  add("copies.p_value", "privacy", "Copies come from the training rows, p", {report.copies.p_value, 0},
      std::nullopt, false, Light::none,
      std::to_string(report.copies.only_in_training)
          .append(" distinct rows are found in a sample of training rows only, ")
          .append(std::to_string(report.copies.only_in_holdout))
          .append(" in as many hold-out rows only; chance makes the two alike."));
  add("distances.share", "privacy", "Nearer to training than to hold-out rows", report.distances.share,
      report.ideal_distances.share, true,
      leak_light(report.distances.p_value, report.distances.share.value > 0.51),
      "50 % is ideal. Blind to many leaks: never enough by itself.");
  add("distances.median", "privacy", "Median distance to the closest training row",
      {report.distances.synthetic.distance[3], 0}, Estimate{report.distances.holdout.distance[3], 0}, false,
      report.distances.synthetic.distance[3] < 0.9 * report.distances.holdout.distance[3] ? Light::amber
                                                                                          : Light::green,
      "Columns' ranges are the unit; hold-out rows show what is natural. Far below: rows lean on real ones.");
  for (std::size_t k = 0; k < report.membership.attacks.size(); ++k) {
    const auto& attack = report.membership.attacks[k];
    const auto& ideal = report.ideal_membership.attacks[k];
    const std::string key = k == 0 ? "membership.distance" : "membership.boosted";
    const std::string by = std::string(", ").append(attack.name);
    add(key + ".auc", "privacy", "Membership inference" + by, attack.auc, ideal.auc, false,
        leak_light(attack.p_value,
                   attack.auc.value > 0.53 || attack.tpr_at_1.value > 0.02 || attack.tpr_at_01.value > 0.005),
        "AUC of telling training rows from unseen ones: 0.5 cannot.");
    add(key + ".tpr_at_1_percent", "privacy", "Members found at 1 % false alarms" + by, attack.tpr_at_1,
        ideal.tpr_at_1, true, Light::none, "1 % is what guessing finds.");
    add(key + ".tpr_at_0.1_percent", "privacy", "Members found at 0.1 % false alarms" + by, attack.tpr_at_01,
        ideal.tpr_at_01, true, Light::none,
        "0.1 % is what guessing finds; few members at high risk show here.");
  }
  add("attributes.mean", "privacy", "Attribute inference, mean advantage", report.attributes.mean,
      report.ideal_attributes.mean, true,
      leak_light(report.attributes.p_value,
                 report.attributes.mean.value > 0.005 || report.attributes.risks[0].advantage.value > 0.02),
      "How much oftener a training row's value is guessed than that of a row no model has seen.");
  add("attributes.worst", "privacy",
      std::string("Attribute inference, ").append(report.attributes.risks[0].secret),
      report.attributes.risks[0].advantage, report.ideal_attributes.risks[0].advantage, true, Light::none,
      "The column with the largest advantage; the largest of many is above 0 by chance.");

  for (const auto& figure : figures) {
    auto& section = figure.section == "fidelity"  ? report.fidelity
                    : figure.section == "utility" ? report.utility
                                                  : report.privacy;
    section = worst(section, figure.light);
  }
}

} // namespace detail

/// Judges a synthetic table. \param train rows the model was fitted to \param holdout rows of the same source
/// that it never saw, at least 100
/// \throws SchemaError if the tables' columns differ or a target is unknown, ShapeError for a table that is
/// too small, OptionError
inline Report evaluate(const Table& train, const Table& holdout, const Table& synthetic,
                       const ReportOptions& options = {}) {
  options.check();
  for (const auto& [table, name] :
       {std::pair{&train, "training"}, std::pair{&holdout, "hold-out"}, std::pair{&synthetic, "synthetic"}})
    if (table->rows() < 100)
      throw ShapeError(std::string("evaluate: the ")
                           .append(name)
                           .append(" table has ")
                           .append(std::to_string(table->rows()))
                           .append(" rows, expected at least 100"));
  if (train.size() < 2)
    throw SchemaError("evaluate: the tables have one column, expected two or more");
  Report report;
  report.options = options;
  auto& used = report.options;
  if (used.targets.empty() && !train.schema().label().empty())
    used.targets.push_back(train.schema().label());
  std::string class_target;
  for (const auto& target : used.targets)
    if (train[target].kind == ColumnKind::categorical && class_target.empty())
      class_target = target;
  if (used.quick) {
    used.seeds = 1;
    used.max_rows = std::min<std::size_t>(used.max_rows, 4000);
  }
  report.train_rows = train.rows();
  report.holdout_rows = holdout.rows();
  report.synthetic_rows = synthetic.rows();
  report.columns = train.size();

  using Clock = std::chrono::steady_clock;
  const std::size_t stages = 6 + (used.targets.empty() ? 0 : 1) + (class_target.empty() ? 0 : 1);
  std::size_t stage_number = 0;
  // Runs one stage; its parts tell how far they are by `tell(done, of)`.
  const auto stage = [&](const char* name, const auto& body) {
    const auto begin = Clock::now();
    ++stage_number;
    const auto tell = [&, name](std::size_t done, std::size_t of) {
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      rowsmith::report(used.progress, {.stage = name,
                                       .stage_number = stage_number,
                                       .stages = stages,
                                       .epoch = done,
                                       .epochs = of,
                                       .values = {},
                                       .seconds = seconds,
                                       .stage_done = done == of});
    };
    body(tell);
    report.seconds.emplace_back(name, std::chrono::duration<double>(Clock::now() - begin).count());
  };

  RandomForestOptions forest{.trees = used.quick ? 20U : 100U, .threads = used.threads};
  GradientBoostingOptions boosted{.rounds = used.quick ? 20U : 100U, .threads = used.threads};
  const LinearOptions linear{.threads = used.threads};
  constexpr Classifier classifiers[] = {Classifier::forest, Classifier::boosted, Classifier::linear};

  stage("columns and pairs", [&](const auto& tell) {
    const FidelityOptions own{
        .replicates = used.quick ? 5U : 20U, .seed = used.seed, .threads = used.threads};
    report.shapes = column_shapes(train, synthetic, own);
    report.ideal_shapes = column_shapes(train, holdout, own);
    report.trends = pair_trends(train, synthetic, own);
    report.ideal_trends = pair_trends(train, holdout, own);
    report.telling = telling_columns(train, synthetic, {.seed = used.seed, .threads = used.threads});
    const SharedCodes codes({&train, &synthetic});
    for (std::size_t c = 0; c < train.size(); ++c)
      report.marginals.push_back(detail::marginal(train, synthetic, codes, c));
    report.real_associations = associations(train, used.threads);
    report.synthetic_associations = associations(synthetic, used.threads);
    tell(1, 1);
  });
  stage("support", [&](const auto& tell) {
    const SupportOptions own{.max_rows = used.max_rows,
                             .replicates = used.quick ? 5U : 20U,
                             .seed = used.seed,
                             .threads = used.threads};
    report.support = support(train, synthetic, own);
    tell(1, 2);
    report.ideal_support = support(train, holdout, own);
    tell(2, 2);
  });
  stage("detection", [&](const auto& tell) {
    constexpr std::size_t folds = 4;
    const std::size_t rounds = std::size(classifiers) * folds * (used.seeds + 1);
    std::size_t done = 0;
    for (const auto classifier : classifiers)
      for (const bool ideal : {false, true}) {
        const Table& other = ideal ? holdout : synthetic;
        DetectionOptions own{.classifier = classifier,
                             .seeds = ideal ? 1 : used.seeds,
                             .folds = folds,
                             .rows =
                                 used.quick ? std::min({train.rows(), other.rows(), std::size_t{4000}}) : 0,
                             .seed = used.seed,
                             .forest = forest,
                             .boosted = boosted,
                             .linear = linear,
                             .progress = [&](const Progress&) {
                               tell(++done, rounds);
                               return ProgressAction::go_on;
                             }};
        (ideal ? report.ideal_detection : report.detection).push_back(detection(train, other, own));
      }
  });
  if (!used.targets.empty())
    stage("efficacy", [&](const auto& tell) {
      // Forests are fitted anew for each seed, the others once.
      const std::size_t fits = 2 * (used.seeds + 2) * used.targets.size();
      std::size_t done = 0;
      for (const auto& target : used.targets)
        for (const auto classifier : classifiers) {
          const EfficacyOptions own{.classifier = classifier,
                                    .seeds = used.seeds,
                                    .seed = used.seed,
                                    .forest = forest,
                                    .boosted = boosted,
                                    .linear = linear,
                                    .progress = [&](const Progress&) {
                                      tell(std::min(++done, fits - 1), fits);
                                      return ProgressAction::go_on;
                                    }};
          if (train[target].kind == ColumnKind::categorical)
            report.efficacy.push_back(efficacy(train, holdout, synthetic, target, own));
          else
            report.regression.push_back(regression_efficacy(train, holdout, synthetic, target, own));
        }
      tell(fits, fits);
    });
  if (!class_target.empty())
    stage("augmentation", [&](const auto& tell) {
      const std::size_t real_rows = std::min<std::size_t>(1000, train.rows());
      report.augmentation = augmentation(train, holdout, synthetic, class_target, real_rows,
                                         {.classifier = Classifier::boosted,
                                          .seeds = used.seeds,
                                          .seed = used.seed,
                                          .boosted = boosted,
                                          .progress = [&](const Progress& progress) {
                                            tell(progress.epoch, progress.epochs);
                                            return ProgressAction::go_on;
                                          }});
    });

  // One half of the hold-out rows plays the synthetic table, the other one the hold-out.
  std::vector<std::size_t> half;
  std::vector<std::size_t> other_half;
  for (const auto row :
       detail::sample_rows(holdout.rows(), holdout.rows() / 2, used.seed, detail::report_half))
    half.push_back(row);
  for (std::size_t row = 0, next = 0; row < holdout.rows(); ++row)
    if (next < half.size() && half[next] == row)
      ++next;
    else
      other_half.push_back(row);
  const Table pretender = holdout.select(half);
  const Table unseen = holdout.select(other_half);
  stage("copies and distances", [&](const auto& tell) {
    const DistanceOptions own{.max_rows = used.max_rows, .seed = used.seed, .threads = used.threads};
    report.copies = exact_copies(train, holdout, synthetic, used.seed);
    tell(0, 2);
    report.distances = closest_records(train, holdout, synthetic, own);
    tell(1, 2);
    report.ideal_distances = closest_records(train, unseen, pretender, own);
    tell(2, 2);
  });
  stage("membership inference", [&](const auto& tell) {
    MembershipOptions own{.max_rows = used.max_rows, .seed = used.seed, .threads = used.threads};
    own.boosted.rounds = used.quick ? 20 : own.boosted.rounds;
    report.membership = membership_inference(train, holdout, synthetic, own);
    tell(1, 2);
    report.ideal_membership = membership_inference(train, unseen, pretender, own);
    tell(2, 2);
  });
  stage("attribute inference", [&](const auto& tell) {
    std::size_t done = 0;
    AttributeOptions own{.max_persons = used.quick ? 500U : 4000U,
                         .max_rows = used.max_rows,
                         .seed = used.seed,
                         .threads = used.threads,
                         .progress = [&](const Progress&) {
                           tell(++done, 2 * train.size());
                           return ProgressAction::go_on;
                         }};
    report.attributes = attribute_inference(train, holdout, synthetic, own);
    report.ideal_attributes = attribute_inference(train, unseen, pretender, own);
  });
  detail::judge(report);
  return report;
}

inline std::string to_json(const Figure& figure) {
  return detail::JsonObject()
      .add_text("key", figure.key)
      .add_text("section", figure.section)
      .add_text("title", figure.title)
      .add("value", figure.value)
      .add("sd", figure.sd)
      .add("ideal", figure.ideal)
      .add("ideal_sd", figure.ideal_sd)
      .add_text("light", to_string(figure.light))
      .add_text("meaning", figure.meaning)
      .text();
}

inline std::string to_json(const Report& report) {
  const auto each = [](const auto& results) {
    return detail::json_list(results, [](const auto& result) { return to_json(result); });
  };
  detail::JsonObject ideal;
  ideal.add("shapes", to_json(report.ideal_shapes))
      .add("trends", to_json(report.ideal_trends))
      .add("support", to_json(report.ideal_support))
      .add("detection", each(report.ideal_detection))
      .add("distances", to_json(report.ideal_distances))
      .add("membership", to_json(report.ideal_membership))
      .add("attributes", to_json(report.ideal_attributes));
  return detail::JsonObject()
      .add("train_rows", report.train_rows)
      .add("holdout_rows", report.holdout_rows)
      .add("synthetic_rows", report.synthetic_rows)
      .add("columns", report.columns)
      .add("seeds", report.options.seeds)
      .add("seed", std::to_string(report.options.seed))
      .add("quick", report.options.quick ? "true" : "false")
      .add("verdict", detail::JsonObject()
                          .add_text("fidelity", to_string(report.fidelity))
                          .add_text("utility", to_string(report.utility))
                          .add_text("privacy", to_string(report.privacy))
                          .text())
      .add("figures", each(report.figures))
      .add("shapes", to_json(report.shapes))
      .add("trends", to_json(report.trends))
      .add("support", to_json(report.support))
      .add("detection", each(report.detection))
      .add("telling", to_json(report.telling))
      .add("efficacy", each(report.efficacy))
      .add("regression", each(report.regression))
      .add("augmentation", report.augmentation ? to_json(*report.augmentation) : std::string("null"))
      .add("copies", to_json(report.copies))
      .add("distances", to_json(report.distances))
      .add("membership", to_json(report.membership))
      .add("attributes", to_json(report.attributes))
      .add("associations", detail::JsonObject()
                               .add("real", detail::json_list(report.real_associations.values))
                               .add("synthetic", detail::json_list(report.synthetic_associations.values))
                               .text())
      .add("ideal", ideal.text())
      .text();
}

inline std::ostream& operator<<(std::ostream& out, const Report& report) {
  std::string section;
  for (const auto& figure : report.figures) {
    if (figure.section != section) {
      section = figure.section;
      const Light light = section == "fidelity"  ? report.fidelity
                          : section == "utility" ? report.utility
                                                 : report.privacy;
      out << section << ": " << to_string(light) << '\n';
    }
    out << "  " << figure.title << ": " << figure.value << " +- " << figure.sd;
    if (!std::isnan(figure.ideal))
      out << " (real rows: " << figure.ideal << ')';
    out << (figure.light == Light::none ? "" : "  ")
        << (figure.light == Light::none ? std::string_view() : to_string(figure.light)) << '\n';
  }
  return out;
}

ROWSMITH_END
