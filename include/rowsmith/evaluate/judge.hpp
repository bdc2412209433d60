// SPDX-License-Identifier: MIT
/// \file
/// Everything about a synthetic table in one go.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/evaluate/measured.hpp>
#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/report_figures.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/some_rows.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// Looks at what `judge` would refuse, which takes next to no time. \throws what `judge` throws
inline void check_judge(const Table& train, const Table& holdout, const Table& synthetic,
                        const ReportOptions& options = {}) {
  static_cast<void>(options.targets_in(train.schema()));
  static_cast<void>(SharedCodes({&train, &holdout, &synthetic})); // the columns are the same
  detail::NamedTables tables{{&train, "training"}, {&holdout, "hold-out"}, {&synthetic, "synthetic"}};
  for (const auto& [table, name] : tables)
    if (table->rows() < 100)
      throw ShapeError(detail::concat("judge: the ", name, " table has ", std::to_string(table->rows()),
                                      " rows, expected at least 100"));
  if (train.size() < 2)
    throw SchemaError("judge: the tables have one column, expected two or more");
  if (detail::same_rows(train, holdout))
    throw SchemaError(
        "judge: the hold-out table holds the same rows as the training table, expected rows that the "
        "model never saw: with these no leak could be seen");
}

/// Judges a synthetic table. \param train rows the model was fitted to \param holdout rows of the same source
/// that it never saw, at least 100
/// A target that cannot be learnt (missing, or the same in all rows) costs its own figures alone: they are
/// NaN and say why. \throws SchemaError if the tables' columns differ, a target is unknown or the hold-out
/// rows are the training rows, ShapeError for a table that is too small, OptionError
inline Report judge(const Table& train, const Table& holdout, const Table& synthetic,
                    const ReportOptions& options = {}) {
  check_judge(train, holdout, synthetic, options);
  Report report;
  report.options = options;
  auto& used = report.options;
  used.targets = options.targets_in(train.schema());
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
  report.of = {train.rows(), holdout.rows(), synthetic.rows()};
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

  // What real rows show depends on how many there are.
  const bool fewer = synthetic.rows() < holdout.rows();
  const Table alike =
      fewer ? detail::some_rows(holdout, synthetic.rows(), used.seed, detail::report_alike) : holdout;

  stage("columns and pairs", [&](const auto& tell) {
    const FidelityOptions own{
        .replicates = used.quick ? 5U : 20U, .seed = used.seed, .threads = used.threads};
    report.shapes = column_shapes(train, synthetic, own);
    report.ideal_shapes = column_shapes(train, holdout, own);
    report.trends = pair_trends(train, synthetic, own);
    report.ideal_trends = pair_trends(train, holdout, own);
    report.yardstick.rows = alike.rows();
    report.yardstick.shapes = fewer ? column_shapes(train, alike, own) : report.ideal_shapes;
    report.yardstick.trends = fewer ? pair_trends(train, alike, own) : report.ideal_trends;
    report.relations = relations_kept(train, holdout, synthetic);
    report.telling = telling_columns(train, synthetic, {.seed = used.seed, .threads = used.threads});
    const SharedCodes codes({&train, &synthetic});
    for (std::size_t c = 0; c < train.size(); ++c)
      report.marginals.push_back(detail::marginal(train, &synthetic, codes, c));
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
    report.yardstick.support = fewer ? support(train, alike, own) : report.ideal_support;
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
            report.efficacy.push_back(detail::measured_efficacy(train, holdout, synthetic, target, own));
          else
            report.regression.push_back(detail::measured_regression(train, holdout, synthetic, target, own));
        }
      tell(fits, fits);
    });
  if (!class_target.empty())
    stage("augmentation", [&](const auto& tell) {
      const std::size_t real_rows = std::min<std::size_t>(1000, train.rows());
      const EfficacyOptions own{.classifier = Classifier::boosted,
                                .seeds = used.seeds,
                                .seed = used.seed,
                                .boosted = boosted,
                                .progress = [&](const Progress& progress) {
                                  tell(progress.epoch, progress.epochs);
                                  return ProgressAction::go_on;
                                }};
      report.augmentation = detail::measured(
          [&] { return augmentation(train, holdout, synthetic, class_target, real_rows, own); },
          AugmentationResult{.target = class_target}, &AugmentationResult::gain,
          &AugmentationResult::auc_real, &AugmentationResult::auc_both);
    });

  // One half of the hold-out rows plays the synthetic table, the other one the hold-out.
  Table unseen;
  const Table pretender =
      detail::some_rows(holdout, holdout.rows() / 2, used.seed, detail::report_half, &unseen);
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
  detail::FigureList(report).add_all();
  return report;
}

} // namespace evaluate
using evaluate::judge;
ROWSMITH_END
