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
  return detail::json_object<"key section title value sd ideal ideal_sd chance n light meaning">(
      figure.key, figure.section, figure.title, figure.value, figure.sd, figure.ideal, figure.ideal_sd,
      figure.chance, figure.rows > 0 ? detail::Json(figure.rows) : detail::Json::raw("null"),
      to_string(figure.light), figure.meaning);
}

inline std::string to_json(const Report& report) {
  using detail::json_object;
  return json_object<
      "train_rows holdout_rows synthetic_rows of columns seeds seed quick verdict figures shapes "
      "trends relations support detection telling efficacy regression augmentation copies distances "
      "membership attributes associations ideal">(
      report.train_rows, report.holdout_rows, report.synthetic_rows,
      json_object<"train_rows holdout_rows synthetic_rows">(report.of.train, report.of.holdout,
                                                            report.of.synthetic),
      report.columns, report.options.seeds, report.options.seed, report.options.quick,
      json_object<"fidelity utility privacy">(to_string(report.fidelity), to_string(report.utility),
                                              to_string(report.privacy)),
      report.figures, report.shapes, report.trends, report.relations, report.support, report.detection,
      report.telling, report.efficacy, report.regression,
      report.augmentation ? detail::Json(*report.augmentation) : detail::Json::raw("null"), report.copies,
      report.distances, report.membership, report.attributes,
      json_object<"real synthetic">(report.real_associations.values, report.synthetic_associations.values),
      json_object<"shapes trends support detection distances membership attributes">(
          report.ideal_shapes, report.ideal_trends, report.ideal_support, report.ideal_detection,
          report.ideal_distances, report.ideal_membership, report.ideal_attributes));
}

inline std::ostream& operator<<(std::ostream& out, const Report& report) {
  if (report.some())
    out << "judged by rows by chance: " << report.train_rows << " of " << report.of.train
        << " training rows, " << report.holdout_rows << " of " << report.of.holdout << " hold-out rows, "
        << report.synthetic_rows << " of " << report.of.synthetic << " synthetic rows\n";
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
    if (figure.rows > 0)
      out << "  n = " << figure.rows;
    if (figure.light != Light::none)
      out << "  " << to_string(figure.light);
    out << '\n';
  }
  return out;
}

} // namespace evaluate
using evaluate::to_json;
ROWSMITH_END
