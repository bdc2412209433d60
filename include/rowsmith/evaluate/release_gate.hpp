// SPDX-License-Identifier: MIT
/// \file
/// A gate that lets a synthetic table pass or names the limit it breaks.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// A bound on one figure of a report, both ends included.
struct Limit {
  std::string key{};
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
};

struct GateResult {
  bool passed = true;
  std::vector<std::string> failures; ///< one sentence for each limit broken
};

/// Does a report keep within limits? \throws OptionError for a limit on a figure that the report does not
/// have
inline GateResult release_gate(const Report& report, std::span<const Limit> limits) {
  GateResult result;
  for (const auto& limit : limits) {
    const Figure* const figure = report.find(limit.key);
    if (figure == nullptr) {
      std::string known;
      for (const auto& each : report.figures)
        known.append(known.empty() ? "" : ", ").append(each.key);
      throw OptionError("limit on '" + limit.key + "': the report has no such figure; it has: " + known);
    }
    if (figure->value >= limit.least && figure->value <= limit.most)
      continue;
    result.passed = false;
    const bool below = figure->value < limit.least;
    result.failures.push_back(
        std::isnan(figure->value) // keeps within no limit
            ? detail::concat(limit.key, " was not measured: ", figure->meaning)
            : detail::concat(limit.key, " is ", json_number(figure->value),
                             below ? ", below the least allowed, " : ", above the most allowed, ",
                             json_number(below ? limit.least : limit.most)));
  }
  return result;
}

/// Limits that a table made with care should keep. None of them proves privacy. None is stricter than what as
/// many real rows show at worst by chance, so that few rows do not fail an honest table: on privacy, three
/// standard deviations above what no leak would show; on fidelity, `Figure::chance`.
inline std::vector<Limit> usual_limits(const Report& report) {
  std::vector<Limit> limits{{.key = "copies.p_value", .least = 0.001}};
  const auto most = [&](const char* key, double limit, std::optional<double> none) {
    if (const Figure* const figure = report.find(key); figure != nullptr)
      limits.push_back({.key = key, .most = std::max(limit, none ? *none + 3 * figure->sd : figure->chance)});
  };
  most("shapes.mean", 0.05, std::nullopt);
  most("trends.mean", 0.08, std::nullopt);
  most("holdout.overlap", 0.01, 0);
  most("distances.share", 0.52, 0.5);
  most("membership.distance.auc", 0.53, 0.5);
  most("membership.distance.tpr_at_0.1_percent", 0.005, 0.001);
  most("membership.boosted.auc", 0.53, 0.5);
  most("attributes.mean", 0.01, 0);
  return limits;
}

} // namespace evaluate
using evaluate::release_gate;
using evaluate::usual_limits;
ROWSMITH_END
