// SPDX-License-Identifier: MIT
/// \file
/// Learning curves of a model as JSON, and a checked reader for them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/io/model_json.hpp>
#include <rowsmith/models/learning_curve.hpp>

ROWSMITH_BEGIN
namespace detail {

inline nlohmann::json curves_json(const std::vector<LearningCurve>& curves) {
  auto list = nlohmann::json::array();
  for (const auto& curve : curves) {
    list.push_back({{"stage", curve.stage},
                    {"end", stage_end_names[static_cast<std::size_t>(curve.end)]},
                    {"epochs", curve.epochs},
                    {"figures", curve.figures},
                    {"steps", curve.steps},
                    {"values", curve.values}});
    if (curve.best)
      list.back()["best"] = {{"step", curve.best->step}, {"loss", curve.best->loss}};
  }
  return list;
}

/// \throws ModelFileError for what are no curves; whether they are of a bounded size is for `TableModel` to
/// say
inline std::vector<LearningCurve> curves_from(const nlohmann::json& json) {
  std::vector<LearningCurve> curves;
  for (const auto& entry : array_of(json, "training")) {
    LearningCurve curve;
    curve.stage = text(entry, "stage");
    curve.end = static_cast<StageEnd>(choice(entry, "end", stage_end_names));
    curve.epochs = static_cast<std::uint64_t>(integer(entry, "epochs", 0, std::int64_t{1} << 53));
    curve.figures = texts(entry, "figures");
    for (const auto& step : array_of(member(entry, "steps"), "steps")) {
      if (!step.is_number_unsigned())
        throw ModelFileError("'steps' is not a list of whole numbers");
      curve.steps.push_back(step.get<std::uint64_t>());
    }
    curve.values = numbers(entry, "values");
    if (entry.contains("best")) {
      const auto& best = member(entry, "best");
      curve.best =
          BestEpoch{.step = static_cast<std::uint64_t>(integer(best, "step", 1, std::int64_t{1} << 53)),
                    .loss = number(best, "loss")};
      // Here and not with the other checks: a stage that goes on has no point of its last epochs yet.
      if (curve.steps.empty() || curve.steps.back() < curve.best->step)
        throw ModelFileError("'best' is not within the steps of its stage");
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

} // namespace detail
ROWSMITH_END
