// SPDX-License-Identifier: MIT
/// \file
/// Measures that a table may not allow, which then costs their figures alone.
#pragma once

#include <limits>
#include <string>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/evaluate/regression_efficacy.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// What `measure()` finds. If the tables do not allow it: `blank` with the reason in `note`, and NaN in all
/// `figures`.
template <class Result, class Measure, class... Figures>
Result measured(const Measure& measure, Result blank, Figures... figures) {
  try {
    return measure();
  } catch (const SchemaError& error) {
    blank.note = error.what();
  } catch (const ShapeError& error) {
    blank.note = error.what();
  }
  ((blank.*figures = {std::numeric_limits<double>::quiet_NaN(), 0, 0}), ...);
  return blank;
}

inline EfficacyResult measured_efficacy(const Table& train, const Table& test, const Table& synthetic,
                                        const std::string& target, const EfficacyOptions& options) {
  return measured([&] { return efficacy(train, test, synthetic, target, options); },
                  EfficacyResult{.classifier = options.classifier, .target = target}, &EfficacyResult::ratio,
                  &EfficacyResult::auc_real, &EfficacyResult::auc_synthetic, &EfficacyResult::f1_real,
                  &EfficacyResult::f1_synthetic);
}
inline RegressionEfficacyResult measured_regression(const Table& train, const Table& test,
                                                    const Table& synthetic, const std::string& target,
                                                    const EfficacyOptions& options) {
  return measured([&] { return regression_efficacy(train, test, synthetic, target, options); },
                  RegressionEfficacyResult{.model = options.classifier, .target = target},
                  &RegressionEfficacyResult::r2_real, &RegressionEfficacyResult::r2_synthetic,
                  &RegressionEfficacyResult::loss);
}

} // namespace evaluate::detail
ROWSMITH_END
