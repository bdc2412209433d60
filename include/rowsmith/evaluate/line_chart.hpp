// SPDX-License-Identifier: MIT
/// \file
/// A chart of lines, such as the losses of a training.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// A line of a chart: a value for each place, and how it is drawn ("lr", "ls" or "lg").
struct ChartLine {
  std::string_view style_class{};
  std::vector<double> values{};
};

/// Lines over common places, both axes linear; of a single place, dots. \param places  ascending, as many as
/// each line has values
inline std::string line_chart(std::string_view description, std::string_view axis,
                              const std::vector<double>& places, const std::vector<ChartLine>& lines) {
  constexpr double width = 460;
  constexpr double height = 230;
  constexpr double left = 56;
  constexpr double top = 8;
  constexpr double across = width - left - 8;
  constexpr double down = height - top - 36;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const auto& one : lines)
    for (const double value : one.values) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (!(low <= high) || places.empty())
    return {};
  // Halves, since the range of two doubles may be no double.
  const double range = std::max(high / 2 - low / 2, 1e-300);
  const double first = places.front();
  const double last = places.back();
  std::string text =
      concat(svg(width, height, description), line(left, top + down, left + across, top + down, "axis"),
             line(left, top, left, top + down, "axis"));
  const auto x = [&](std::size_t k) {
    return fixed(left + across * (last > first ? (places[k] - first) / (last - first) : 0.5), 1);
  };
  const auto y = [&](double value) {
    return fixed(top + down * (1 - std::min((value / 2 - low / 2) / range, 1.0)), 1);
  };
  for (const auto& one : lines) {
    if (places.size() == 1) { // a line of one point would not be seen
      text += concat("<circle class=\"", one.style_class, "\" cx=\"", x(0), "\" cy=\"", y(one.values[0]),
                     "\" r=\"1.5\" style=\"stroke-width:3\"/>");
      continue;
    }
    text += concat("<polyline class=\"", one.style_class, "\" points=\"");
    for (std::size_t k = 0; k < places.size(); ++k)
      text += concat(x(k), ",", y(one.values[k]), " ");
    text += "\"/>";
  }
  text += label(left - 6, top + 10, short_number(high), "text-anchor=\"end\"");
  text += label(left - 6, top + down, short_number(low), "text-anchor=\"end\"");
  text += label(left, height - 20, short_number(first));
  text += label(left + across, height - 20, short_number(last), "text-anchor=\"end\"");
  text += label(left + across / 2, height - 6, axis, "text-anchor=\"middle\"");
  return text.append("</svg>");
}

} // namespace evaluate::detail
ROWSMITH_END
