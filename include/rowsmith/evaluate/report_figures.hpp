// SPDX-License-Identifier: MIT
/// \file
/// What the parts of a report come to: figures and their lights.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/text.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN
namespace evaluate {

namespace detail {

inline Light worst(Light a, Light b) { return static_cast<int>(a) > static_cast<int>(b) ? a : b; }

/// Green up to `good`, amber up to `fair`, else red; the other way round if good > fair. What chance alone
/// makes of real rows is green: where `good` is stricter, both marks are moved. Amber for NaN.
inline Light grade(double value, double good, double fair,
                   double chance = std::numeric_limits<double>::quiet_NaN()) {
  if (std::isnan(value))
    return Light::amber;
  const double turn = good > fair ? -1 : 1;
  const double shift = std::max(0.0, turn * (chance - good)); // 0 for NaN
  const double above = turn * (value - good) - shift;
  return above <= 0 ? Light::green : above <= turn * (fair - good) ? Light::amber : Light::red;
}

/// Red for strong evidence of an effect that matters, amber for some evidence.
inline Light leak_light(double p_value, bool matters) {
  if (p_value < 1e-3 && matters)
    return Light::red;
  return p_value < 0.01 ? Light::amber : Light::green;
}

/// What an error may come to by chance, if that of real rows is `real`. \param shrink  how much smaller it is
/// in as many rows as the synthetic ones
inline double chance_error(const Estimate& error, const Estimate& real, double shrink) {
  return shrink * real.value + 3 * std::hypot(error.sd, shrink * real.sd);
}

/// The standard deviation of the AUC of guesses about `rows` rows of each kind (Mann–Whitney).
inline double guessing_sd(std::size_t rows) {
  const auto n = static_cast<double>(rows);
  return std::sqrt((2 * n + 1) / (12 * n * n));
}

inline std::string detection_key(Classifier classifier) {
  return concat("detection.", to_string(classifier), ".auc");
}
inline std::string efficacy_key(Classifier classifier, std::string_view target) {
  return concat("efficacy.", to_string(classifier), ".", target);
}
inline std::string loss_key(Classifier classifier, std::string_view target) {
  return concat("r2_loss.", to_string(classifier), ".", target);
}

/// Adds the figures to a report that has all else.
class FigureList {
public:
  explicit FigureList(Report& report) : report_(report) {}

  void add_all() {
    section_ = "fidelity";
    distributions();
    relations();
    counted(report_.synthetic_rows);
    support();
    counted(report_.support.rows);
    for (std::size_t k = 0; k < report_.detection.size(); ++k) {
      detection(report_.detection[k], report_.ideal_detection[k]);
      counted(report_.detection[k].rows);
    }
    section_ = "utility";
    for (const auto& result : report_.efficacy)
      efficacy(result);
    for (const auto& result : report_.regression)
      regression(result);
    counted(report_.synthetic_rows);
    if (report_.augmentation) {
      augmentation(*report_.augmentation);
      counted(report_.augmentation->synthetic_rows);
    }
    section_ = "privacy";
    copies();
    counted(report_.copies.synthetic_rows);
    distances();
    counted(report_.distances.synthetic_rows);
    for (std::size_t k = 0; k < report_.membership.attacks.size(); ++k)
      membership(k == 0 ? "membership.distance" : "membership.boosted", report_.membership.attacks[k],
                 report_.ideal_membership.attacks[k]);
    counted(report_.membership.members);
    attributes();
    counted(report_.attributes.persons);
    for (const auto& figure : report_.figures) {
      auto& light = figure.section == "fidelity"  ? report_.fidelity
                    : figure.section == "utility" ? report_.utility
                                                  : report_.privacy;
      light = worst(light, figure.light);
    }
  }

private:
  enum Unit { plain, share }; // as a number, or in per cent

  /// The figures that were added last are of so many rows, but for those that say so themselves.
  void counted(std::size_t rows) {
    for (; counted_ < report_.figures.size(); ++counted_)
      if (auto& figure = report_.figures[counted_]; figure.rows == 0)
        figure.rows = rows;
  }

  Figure& add(std::string key, std::string title, const Estimate& value, std::optional<Estimate> ideal,
              Unit unit, Light light, std::string meaning) {
    Figure figure{.key = std::move(key), .section = section_, .title = std::move(title)};
    figure.value = value.value;
    figure.sd = value.sd;
    if (ideal) {
      figure.ideal = ideal->value;
      figure.ideal_sd = ideal->sd;
    }
    figure.per_cent = unit == share;
    figure.light = light;
    figure.meaning = std::move(meaning);
    report_.figures.push_back(std::move(figure));
    return report_.figures.back();
  }
  static Estimate of(const MeanSd& figure) { return {figure.mean, figure.sd}; }
  static std::string four_digits(double value) { return json_number(std::round(value * 1e4) / 1e4); }

  /// A figure of the fidelity of distributions, graded with what chance makes of real rows.
  void error(std::string key, std::string title, const Estimate& value, const Estimate& ideal,
             const Estimate& real, double good, double fair, std::string meaning) {
    const double chance = chance_error(value, real, shrink());
    add(std::move(key), std::move(title), value, ideal, share, grade(value.value, good, fair, chance),
        std::move(meaning))
        .chance = chance;
  }
  /// Errors of two samples of one source shrink with the root of their sizes.
  double shrink() const {
    const auto part = [](std::size_t rows) { return 1 / static_cast<double>(rows); };
    return std::sqrt((part(report_.train_rows) + part(report_.synthetic_rows)) /
                     (part(report_.train_rows) + part(report_.yardstick.rows)));
  }

  void distributions() {
    const auto& real = report_.yardstick;
    const auto worst_of = [](const ShapeResult& shapes) -> const ColumnShape& {
      return shapes.columns[shapes.worst];
    };
    error("shapes.mean", "Column shapes, mean error", report_.shapes.mean, report_.ideal_shapes.mean,
          real.shapes.mean, 0.02, 0.05,
          "How far single columns are off: Kolmogorov-Smirnov (numbers) or total variation distance.");
    error("shapes.worst", "Column shapes, worst column", worst_of(report_.shapes).error,
          worst_of(report_.ideal_shapes).error, worst_of(real.shapes).error, 0.05, 0.15,
          concat("The same of the worst column, ", worst_of(report_.shapes).name, "."));
    error("trends.mean", "Pair trends, mean error", report_.trends.mean, report_.ideal_trends.mean,
          real.trends.mean, 0.04, 0.08,
          "How far relations of two columns are off: correlations, and joint shares.");
    const auto& pair = report_.trends.pairs[0];
    error("trends.worst", "Pair trends, worst pair", pair.error, report_.ideal_trends.pairs[0].error,
          real.trends.pairs[0].error, 0.1, 0.3,
          concat("The same of the worst pair, ", pair.first_name, " and ", pair.second_name, "."));
  }

  void relations() {
    const auto& result = report_.relations;
    const auto sd = [](double kept, std::size_t rows) {
      return std::sqrt(kept * (1 - kept) / static_cast<double>(std::max<std::size_t>(rows, 1)));
    };
    constexpr std::size_t most = 5;
    std::string meaning = result.found.empty()
                              ? "No exact relation of columns was found in the training rows."
                              : "Share of the rows that keep all of: ";
    for (std::size_t i = 0; i < std::min(result.found.size(), most); ++i)
      meaning += concat(i == 0 ? "" : "; ", result.found[i]);
    if (result.found.size() > most)
      meaning += concat("; and ", std::to_string(result.found.size() - most), " more");
    const double chance = result.ideal - 3 * sd(result.ideal, report_.holdout_rows);
    add("relations.kept", "Exact relations kept", {result.kept, sd(result.kept, report_.synthetic_rows)},
        Estimate{result.ideal, sd(result.ideal, report_.holdout_rows)}, share,
        grade(result.kept, 0.99, 0.9, chance), std::move(meaning))
        .chance = chance;
  }

  void support() {
    const auto& precision = report_.support.alpha_precision;
    const auto& real = report_.yardstick.support;
    const double fewer =
        std::sqrt(static_cast<double>(real.rows) / static_cast<double>(report_.support.rows));
    const double precise = 1 - chance_error({1 - precision.value, precision.sd},
                                            {1 - real.alpha_precision.value, real.alpha_precision.sd}, fewer);
    add("support.alpha_precision", "α-precision", precision, report_.ideal_support.alpha_precision, plain,
        grade(precision.value, 0.95, 0.85, precise),
        "Whether synthetic rows are as typical as real ones, and as untypical.")
        .chance = precise;
    const auto& recall = report_.support.beta_recall;
    const double reach = std::max(real.beta_recall.value, 1e-9);
    const double chance = reach - 3 * std::hypot(recall.sd, real.beta_recall.sd);
    add("support.beta_recall", "β-recall", recall, report_.ideal_support.beta_recall, plain,
        grade(recall.value / reach, 0.9, 0.6, chance / reach),
        "Whether synthetic rows reach every corner that real rows are in; real rows reach about 0.5.")
        .chance = chance;
  }

  void detection(const DetectionResult& result, const DetectionResult& ideal) {
    const std::string_view by = result.classifier == Classifier::forest    ? "random forest"
                                : result.classifier == Classifier::boosted ? "boosted trees"
                                                                           : "logistic regression";
    const double sd = guessing_sd(result.rows);
    const double chance = 0.5 + 3 * sd;
    // Copies pull a judge below one half: it takes a synthetic row for the real one that it has learnt.
    const double least =
        std::min(0.5, ideal.auc.mean) - std::max(0.03, 3 * std::hypot(sd, guessing_sd(ideal.rows)));
    const bool low = result.auc.mean < least;
    const Light light = grade(result.auc.mean, 0.6, 0.8, chance);
    auto& figure =
        add(detection_key(result.classifier), concat("Detection, ", by), of(result.auc), of(ideal.auc), plain,
            low ? worst(light, Light::amber) : light,
            concat("AUC of a model that tells synthetic from real rows: 0.5 cannot, 1 always can.",
                   low ? " Well below what real rows show, it says that rows were learnt by heart." : ""));
    figure.ideal_sd = std::numeric_limits<double>::quiet_NaN(); // one seed has no sd
    figure.chance = chance;
  }

  /// Where real rows teach nothing, it is no merit of synthetic ones to teach as much.
  static constexpr std::string_view nothing =
      " Real rows themselves teach next to nothing about it, so that nothing can be said.";
  static bool teaches(double auc, double chance_sd) { return auc - 0.5 > std::max(0.01, 3 * chance_sd); }

  /// A figure of what models learn. \param note  says why there is none, if it is NaN
  void learning(std::string key, std::string title, const MeanSd& value, std::optional<Estimate> ideal,
                const std::string& note, bool taught, double good, double fair, double chance,
                const std::string& meaning) {
    const Light light = grade(value.mean, good, fair, chance);
    add(std::move(key), std::move(title), of(value), ideal, plain,
        taught ? light : worst(light, Light::amber),
        std::isnan(value.mean) ? note : concat(meaning, taught ? "" : nothing))
        .chance = chance;
  }

  void efficacy(const EfficacyResult& result) {
    learning(efficacy_key(result.classifier, result.target),
             concat("Efficacy on ", result.target, ", ", to_string(result.classifier)), result.ratio,
             Estimate{1, 0}, result.note, teaches(result.auc_real.mean, result.chance_sd), 0.98, 0.95,
             1 - 3 * std::hypot(result.ratio.sd, result.sampling_sd),
             concat("AUC ", four_digits(result.auc_synthetic.mean), " learnt from synthetic, ",
                    four_digits(result.auc_real.mean), " from real rows; F1 ",
                    four_digits(result.f1_synthetic.mean), " and ", four_digits(result.f1_real.mean),
                    "; the ratio of the AUCs is shown."));
  }

  void regression(const RegressionEfficacyResult& result) {
    learning(loss_key(result.model, result.target),
             concat("Loss of R² on ", result.target, ", ", to_string(result.model)), result.loss,
             Estimate{0, 0}, result.note, result.r2_real.mean > std::max(0.01, 3 * result.r2_real.sd), 0.02,
             0.08, 3 * std::hypot(result.loss.sd, result.sampling_sd),
             concat("R² ", four_digits(result.r2_synthetic.mean), " learnt from synthetic, ",
                    four_digits(result.r2_real.mean), " from real rows."));
  }

  void augmentation(const AugmentationResult& result) {
    const double sd =
        result.gain.n > 1 ? result.gain.sd / std::sqrt(static_cast<double>(result.gain.n)) : result.chance_sd;
    learning("augmentation.gain", "Augmentation gain", result.gain, std::nullopt, result.note,
             teaches(std::max(result.auc_real.mean, result.auc_both.mean), result.chance_sd), 0, -0.02,
             -3 * sd,
             concat("What ", std::to_string(result.synthetic_rows), " synthetic rows add to the AUC of ",
                    std::to_string(result.real_rows), " real ones (boosted trees, ", result.target, ")."));
  }

  void copies() {
    const auto& result = report_.copies;
    add("holdout.overlap", "Hold-out rows that are training rows, beyond chance", result.overlap,
        Estimate{0, 0}, share, leak_light(result.overlap_p_value, result.overlap.value > 0.01),
        concat(per_cent(result.base_share.value), " of the hold-out rows equal a training row, where ",
               per_cent(result.twin_share.value),
               " would by chance. A hold-out of training rows is blind to every leak."))
        .rows = result.holdout_rows;
    const bool many =
        result.share.value > result.base_share.value + 3 * result.base_share.sd + 3 * result.share.sd;
    add("copies.share", "Exact copies of training rows", result.share, result.base_share, share,
        worst(leak_light(result.p_value, true), many ? Light::amber : Light::green),
        "Hold-out rows, which nothing can have copied, set the base rate.");
    add("copies.p_value", "Copies come from the training rows, p", {result.p_value, 0}, std::nullopt, plain,
        Light::none,
        concat(std::to_string(result.only_in_training),
               " distinct rows are found in a sample of training rows only, ",
               std::to_string(result.only_in_holdout),
               " in as many hold-out rows only; chance makes the two alike."));
  }

  void distances() {
    const auto& result = report_.distances;
    add("distances.share", "Nearer to training than to hold-out rows", result.share,
        report_.ideal_distances.share, share, leak_light(result.p_value, result.share.value > 0.51),
        "50 % is ideal. Blind to many leaks: never enough by itself.");
    const double median = result.synthetic.distance[3];
    const double natural = result.holdout.distance[3];
    // The median's deviation, from the quartiles, as of normal numbers.
    const auto deviation = [](const DistanceQuantiles& of, std::size_t rows) {
      return 0.93 * (of.distance[4] - of.distance[2]) / std::sqrt(static_cast<double>(rows));
    };
    const double chance = natural - 3 * std::hypot(deviation(result.synthetic, result.synthetic_rows),
                                                   deviation(result.holdout, result.holdout_rows));
    add("distances.median", "Median distance to the closest training row", {median, 0}, Estimate{natural, 0},
        plain, median < std::min(0.9 * natural, chance) ? Light::amber : Light::green,
        "Columns' ranges are the unit; hold-out rows show what is natural. Far below: rows lean on real "
        "ones.")
        .chance = chance;
  }

  void membership(const std::string& key, const MembershipAttack& attack, const MembershipAttack& ideal) {
    const std::string by = concat(", ", attack.name);
    add(key + ".auc", "Membership inference" + by, attack.auc, ideal.auc, plain,
        leak_light(attack.p_value,
                   attack.auc.value > 0.53 || attack.tpr_at_1.value > 0.02 || attack.tpr_at_01.value > 0.005),
        "AUC of telling training rows from unseen ones: 0.5 cannot.");
    add(key + ".tpr_at_1_percent", "Members found at 1 % false alarms" + by, attack.tpr_at_1, ideal.tpr_at_1,
        share, Light::none, "1 % is what guessing finds.");
    add(key + ".tpr_at_0.1_percent", "Members found at 0.1 % false alarms" + by, attack.tpr_at_01,
        ideal.tpr_at_01, share, Light::none,
        "0.1 % is what guessing finds; few members at high risk show here.");
  }

  void attributes() {
    const auto& result = report_.attributes;
    const auto& most = result.risks[0];
    add("attributes.mean", "Attribute inference, mean advantage", result.mean, report_.ideal_attributes.mean,
        share, leak_light(result.p_value, result.mean.value > 0.005 || most.advantage.value > 0.02),
        "How much oftener a training row's value is guessed than that of a row no model has seen.");
    add("attributes.worst", concat("Attribute inference, ", most.secret), most.advantage,
        report_.ideal_attributes.risks[0].advantage, share, Light::none,
        "The column with the largest advantage; the largest of many is above 0 by chance.");
  }

  Report& report_;
  const char* section_ = "";
  std::size_t counted_ = 0; ///< figures whose rows are known
};

} // namespace detail

/// The keys of all figures that `judge` finds for tables of that schema, in the order of a report: what
/// limits can refer to. \throws OptionError, SchemaError for an unknown target
inline std::vector<std::string> report_keys(const TableSchema& schema, const ReportOptions& options = {}) {
  std::vector<std::string> keys{"shapes.mean",        "shapes.worst",   "trends.mean",
                                "trends.worst",       "relations.kept", "support.alpha_precision",
                                "support.beta_recall"};
  constexpr Classifier classifiers[] = {Classifier::forest, Classifier::boosted, Classifier::linear};
  for (const auto classifier : classifiers)
    keys.push_back(detail::detection_key(classifier));
  const auto targets = options.targets_in(schema);
  const auto categorical = [&](const std::string& target) {
    return schema[schema.index_of(target)].kind == ColumnKind::categorical;
  };
  for (const bool classes : {true, false})
    for (const auto& target : targets)
      for (const auto classifier : classifiers)
        if (categorical(target) == classes)
          keys.push_back(classes ? detail::efficacy_key(classifier, target)
                                 : detail::loss_key(classifier, target));
  if (std::any_of(targets.begin(), targets.end(), categorical))
    keys.push_back("augmentation.gain");
  for (const char* key : {"holdout.overlap", "copies.share", "copies.p_value", "distances.share",
                          "distances.median", "membership.distance.auc",
                          "membership.distance.tpr_at_1_percent", "membership.distance.tpr_at_0.1_percent",
                          "membership.boosted.auc", "membership.boosted.tpr_at_1_percent",
                          "membership.boosted.tpr_at_0.1_percent", "attributes.mean", "attributes.worst"})
    keys.emplace_back(key);
  return keys;
}

} // namespace evaluate
ROWSMITH_END
