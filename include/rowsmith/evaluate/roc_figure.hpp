// SPDX-License-Identifier: MIT
/// \file
/// The picture of what judges found.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// What judges found among so many false alarms, one curve a judge. \param alarms, found  what the axes say
inline std::string roc_figure(const std::vector<DetectionResult>& detection,
                              std::string_view alarms = "real rows called synthetic",
                              std::string_view found = "synthetic rows found") {
  constexpr double width = 460;
  constexpr double height = 290;
  constexpr double left = 40;
  constexpr double top = 8;
  constexpr double across = width - left - 8;
  constexpr double down = height - top - 36;
  std::string text =
      concat("<figure><figcaption>ROC of the judges<span>diagonal: cannot tell</span></figcaption>",
             svg(width, height, "ROC curves of the detectors"), axes(left, top, across, down),
             line(left, top + down, left + across, top, "zero"));
  std::vector<std::string> judges;
  for (std::size_t k = 0; k < detection.size(); ++k) {
    const auto& roc = detection[k].roc;
    text += polyline(
        line_class(k), roc.size(), [&](std::size_t i) { return left + across * roc[i].false_positive_rate; },
        [&](std::size_t i) { return top + down * (1 - roc[i].true_positive_rate); });
    judges.push_back(concat(to_string(detection[k].classifier), " ", fixed(detection[k].auc.mean, 3)));
  }
  text += label(left + across / 2, height - 4, alarms, "text-anchor=\"middle\"");
  text += label(0, 0, found,
                concat("text-anchor=\"middle\" transform=\"translate(12,", fixed(top + down / 2, 1),
                       ") rotate(-90)\""));
  text += label(left, height - 20, "0");
  text += label(left + across, height - 20, "1", "text-anchor=\"end\"");
  text += label(left - 6, top + 10, "1", "text-anchor=\"end\"");
  return concat(text, "</svg>", legend(judges), "</figure>");
}

} // namespace evaluate::detail
ROWSMITH_END
