// SPDX-License-Identifier: MIT
/// \file
/// A gate that lets a synthetic table pass or names the limit it breaks.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/evaluate/report.hpp>

ROWSMITH_BEGIN

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
    // A NaN keeps within no limit.
    if (figure->value >= limit.least && figure->value <= limit.most)
      continue;
    const bool below = figure->value < limit.least;
    result.passed = false;
    result.failures.push_back(
        std::string(limit.key)
            .append(" is ")
            .append(json_number(figure->value))
            .append(below ? ", below the least allowed, " : ", above the most allowed, ")
            .append(json_number(below ? limit.least : limit.most)));
  }
  return result;
}

/// Limits that a table made with care should keep. None of them proves privacy. A limit on privacy is at
/// least three standard deviations above what no leak would show, so that few hold-out rows do not fail an
/// honest table by chance.
inline std::vector<Limit> usual_limits(const Report& report) {
  std::vector<Limit> limits{{.key = "shapes.mean", .most = 0.05},
                            {.key = "trends.mean", .most = 0.08},
                            {.key = "copies.p_value", .least = 0.001}};
  struct Bound {
    const char* key;
    double none; // without a leak
    double most;
  };
  for (const auto& [key, none, most] :
       {Bound{"distances.share", 0.5, 0.52}, Bound{"membership.distance.auc", 0.5, 0.53},
        Bound{"membership.distance.tpr_at_0.1_percent", 0.001, 0.005},
        Bound{"membership.boosted.auc", 0.5, 0.53}, Bound{"attributes.mean", 0, 0.01}}) {
    if (const Figure* const figure = report.find(key); figure != nullptr)
      limits.push_back({.key = key, .most = std::max(most, none + 3 * figure->sd)});
  }
  return limits;
}

ROWSMITH_END
