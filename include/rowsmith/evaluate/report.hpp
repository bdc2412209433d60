// SPDX-License-Identifier: MIT
/// \file
/// What is known of a synthetic table: figures with their errors and their ideal values, and a verdict.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/evaluate/association.hpp>
#include <rowsmith/evaluate/attacks.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/evaluate/fidelity.hpp>
#include <rowsmith/evaluate/marginal.hpp>
#include <rowsmith/evaluate/privacy.hpp>
#include <rowsmith/evaluate/regression_efficacy.hpp>
#include <rowsmith/evaluate/relations.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/support.hpp>
#include <rowsmith/evaluate/telling_columns.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN
namespace evaluate {

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
    detail::check_count("report.seeds", seeds, 1, 1000);
    detail::check_count("report.max_rows", max_rows, 2);
    for (auto target = targets.begin(); target != targets.end(); ++target)
      if (std::find(targets.begin(), target, *target) != target)
        throw OptionError("report.targets: '" + *target + "' is there twice, expected different columns");
  }
  /// The columns to predict in a table of that schema. \throws OptionError, SchemaError for an unknown one
  std::vector<std::string> targets_in(const TableSchema& schema) const {
    check();
    for (const auto& target : targets)
      static_cast<void>(schema.index_of(target));
    return !targets.empty() || schema.label().empty() ? targets : std::vector{schema.label()};
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
  double value = 0; ///< NaN: not measured; `meaning` says why
  double sd = 0;    ///< over seeds, or of the sampling of rows
  /// What real rows show in place of the synthetic ones; NaN where it was not measured.
  double ideal = std::numeric_limits<double>::quiet_NaN();
  double ideal_sd = 0;
  bool per_cent = false; ///< to be shown as a percentage
  Light light = Light::none;
  std::string meaning{}; ///< one sentence
  /// What real rows, as many as the synthetic ones, show at worst by chance (three deviations from what they
  /// show on average): no light and no usual limit is stricter. NaN where marks need no such allowance.
  double chance = std::numeric_limits<double>::quiet_NaN();
  std::size_t rows = 0; ///< n: that were judged, or attacked, by it; 0: it is of no rows
};

struct Report {
  std::size_t train_rows = 0;
  std::size_t holdout_rows = 0;
  std::size_t synthetic_rows = 0;
  /// Rows of the sources of the tables: more, where the tables are rows by chance. `judge` takes the tables
  /// for all; whoever took some says so.
  struct Of {
    std::size_t train = 0;
    std::size_t holdout = 0;
    std::size_t synthetic = 0;
  } of;
  std::size_t columns = 0;
  ReportOptions options;
  std::vector<Figure> figures;
  Light fidelity = Light::none; ///< the worst of their figures
  Light utility = Light::none;
  Light privacy = Light::none;

  ShapeResult shapes;
  TrendResult trends;
  RelationsResult relations;
  SupportResult support;
  std::vector<DetectionResult> detection; ///< by forest, boosted trees and linear model
  TellingColumns telling;
  std::vector<EfficacyResult> efficacy; ///< of a target that cannot be learnt: NaN, and why in `note`
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

  /// The ideal with no more hold-out rows than there are synthetic ones: what marks make allowance for.
  struct Yardstick {
    std::size_t rows = 0;
    ShapeResult shapes;
    TrendResult trends;
    SupportResult support;
  } yardstick;

  std::vector<Marginal> marginals;
  AssociationMatrix real_associations;
  AssociationMatrix synthetic_associations;
  std::vector<std::pair<std::string, double>> seconds; ///< by stage; no part of the JSON, since they vary

  /// Whether a table is but a part of its source.
  bool some() const noexcept {
    return of.train > train_rows || of.holdout > holdout_rows || of.synthetic > synthetic_rows;
  }
  /// The figure of that key, or null.
  const Figure* find(std::string_view key) const {
    const auto found =
        std::find_if(figures.begin(), figures.end(), [key](const Figure& each) { return each.key == key; });
    return found == figures.end() ? nullptr : &*found;
  }
  Light light(std::string_view section) const {
    return section == "fidelity" ? fidelity : section == "utility" ? utility : privacy;
  }
};

} // namespace evaluate
using evaluate::Report;
using evaluate::ReportOptions;
ROWSMITH_END
