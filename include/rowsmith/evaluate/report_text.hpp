// SPDX-License-Identifier: MIT
/// \file
/// A report as JSON and in print.
#pragma once

#include <cmath>
#include <ostream>
#include <string>
#include <string_view>

#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/result_text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

inline std::string to_json(const Figure& figure) {
  return detail::json_object({{"key", figure.key},
                              {"section", figure.section},
                              {"title", figure.title},
                              {"value", figure.value},
                              {"sd", figure.sd},
                              {"ideal", figure.ideal},
                              {"ideal_sd", figure.ideal_sd},
                              {"chance", figure.chance},
                              {"light", to_string(figure.light)},
                              {"meaning", figure.meaning}});
}

inline std::string to_json(const Report& report) {
  using detail::json_object;
  return json_object(
      {{"train_rows", report.train_rows},
       {"holdout_rows", report.holdout_rows},
       {"synthetic_rows", report.synthetic_rows},
       {"columns", report.columns},
       {"seeds", report.options.seeds},
       {"seed", report.options.seed},
       {"quick", report.options.quick},
       {"verdict", json_object({{"fidelity", to_string(report.fidelity)},
                                {"utility", to_string(report.utility)},
                                {"privacy", to_string(report.privacy)}})},
       {"figures", report.figures},
       {"shapes", report.shapes},
       {"trends", report.trends},
       {"support", report.support},
       {"detection", report.detection},
       {"telling", report.telling},
       {"efficacy", report.efficacy},
       {"regression", report.regression},
       {"augmentation", report.augmentation ? detail::Json(*report.augmentation) : detail::Json::raw("null")},
       {"copies", report.copies},
       {"distances", report.distances},
       {"membership", report.membership},
       {"attributes", report.attributes},
       {"associations", json_object({{"real", report.real_associations.values},
                                     {"synthetic", report.synthetic_associations.values}})},
       {"ideal", json_object({{"shapes", report.ideal_shapes},
                              {"trends", report.ideal_trends},
                              {"support", report.ideal_support},
                              {"detection", report.ideal_detection},
                              {"distances", report.ideal_distances},
                              {"membership", report.ideal_membership},
                              {"attributes", report.ideal_attributes}})}});
}

inline std::ostream& operator<<(std::ostream& out, const Report& report) {
  std::string_view section;
  for (const auto& figure : report.figures) {
    if (figure.section != section) {
      section = figure.section;
      out << section << ": " << to_string(report.light(section)) << '\n';
    }
    out << "  " << figure.title << ": ";
    if (std::isnan(figure.value))
      out << "not measured: " << figure.meaning;
    else
      out << figure.value << " +- " << figure.sd;
    if (!std::isnan(figure.ideal) && !std::isnan(figure.value))
      out << " (real rows: " << figure.ideal << ')';
    if (figure.light != Light::none)
      out << "  " << to_string(figure.light);
    out << '\n';
  }
  return out;
}

} // namespace evaluate
using evaluate::to_json;
ROWSMITH_END
