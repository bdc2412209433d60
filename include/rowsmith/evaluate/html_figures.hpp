// SPDX-License-Identifier: MIT
/// \file
/// Pictures that pages of the library have in common: of columns, of judges, of trainings.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/marginal.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// What the two colours of a picture stand for. \param first, second  are HTML already
inline std::string pair_legend(std::string_view first, std::string_view second) {
  return concat("<p class=\"legend\"><span><i style=\"background:var(--real)\"></i>", first,
                "</span><span><i style=\"background:var(--made)\"></i>", second, "</span></p>");
}

/// The spread of a column's numbers. \param write  how the axis tells a number, as a text
template <class Write>
std::string histogram(const Marginal& column, const Write& write) {
  constexpr double width = 340;
  constexpr double height = 170;
  constexpr double bottom = 146;
  std::string text = concat(
      svg(width, height, concat("Shares of ", shortened(readable_utf8(column.name), 60))),
      column.synthetic.empty() ? single_bars(column.real, width, bottom)
                               : paired_bars(column.real, column.synthetic, width, bottom),
      label(0, bottom + 16, write(column.edges.front())),
      label(width / 2, bottom + 16, write(column.edges[column.real.size() / 2]), "text-anchor=\"middle\""),
      label(width, bottom + 16, write(column.edges.back()), "text-anchor=\"end\""));
  if (column.real_missing > 0 || column.synthetic_missing > 0)
    text += label(width, 11,
                  concat("missing ", per_cent(column.real_missing, 1),
                         column.synthetic.empty() ? std::string()
                                                  : concat(" / ", per_cent(column.synthetic_missing, 1))),
                  "text-anchor=\"end\"");
  return text.append("</svg>");
}

/// The shares of a column's categories.
inline std::string category_bars(const Marginal& column) {
  constexpr double width = 340;
  constexpr double names = 118;
  constexpr double row = 22;
  const double space = width - names - 70;
  const bool two = !column.synthetic.empty();
  const auto made = [&](std::size_t k) { return two ? column.synthetic[k] : 0.0; };
  double highest = 1e-12;
  for (std::size_t k = 0; k < column.labels.size(); ++k)
    highest = std::max({highest, column.real[k], made(k)});
  std::string text = svg(width, row * static_cast<double>(column.labels.size()) + 4,
                         concat("Shares of ", shortened(readable_utf8(column.name), 60)));
  for (std::size_t k = 0; k < column.labels.size(); ++k) {
    const double y = row * static_cast<double>(k) + 2;
    text += label(names - 6, y + 13, shortened(readable_utf8(column.labels[k]), 16), "text-anchor=\"end\"");
    text += rectangle(names, y + (two ? 1 : 3), column.real[k] / highest * space, two ? 8 : 14,
                      "class=\"r\" rx=\"1\"");
    if (two)
      text += rectangle(names, y + 10, made(k) / highest * space, 8, "class=\"s\" rx=\"1\"");
    text += label(names + std::max(column.real[k], made(k)) / highest * space + 4, y + 13,
                  two ? concat(fixed(100 * column.real[k], 1), " / ", fixed(100 * made(k), 1))
                      : per_cent(column.real[k], 1));
  }
  return text.append("</svg>");
}

/// How a column's values are spread.
template <class Write>
std::string marginal_picture(const Marginal& column, const Write& write) {
  return column.kind == ColumnKind::numerical ? histogram(column, write) : category_bars(column);
}
inline std::string marginal_picture(const Marginal& column) { return marginal_picture(column, short_number); }

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
             svg(width, height, "ROC curves of the detectors"),
             line(left, top + down, left + across, top + down, "axis"),
             line(left, top, left, top + down, "axis"), line(left, top + down, left + across, top, "zero"));
  const std::string_view classes[] = {"lr", "ls", "lg"};
  for (std::size_t k = 0; k < detection.size(); ++k) {
    text += concat("<polyline class=\"", classes[k % 3], "\" points=\"");
    for (const auto& point : detection[k].roc)
      text += concat(fixed(left + across * point.false_positive_rate, 1), ",",
                     fixed(top + down * (1 - point.true_positive_rate), 1), " ");
    text += "\"/>";
  }
  text += label(left + across / 2, height - 4, alarms, "text-anchor=\"middle\"");
  text += label(0, 0, found,
                concat("text-anchor=\"middle\" transform=\"translate(12,", fixed(top + down / 2, 1),
                       ") rotate(-90)\""));
  text += label(left, height - 20, "0");
  text += label(left + across, height - 20, "1", "text-anchor=\"end\"");
  text += label(left - 6, top + 10, "1", "text-anchor=\"end\"");
  text += "</svg><p class=\"legend\">";
  const std::string_view colours[] = {"real", "made", "green"};
  for (std::size_t k = 0; k < detection.size(); ++k)
    text += concat("<span><i style=\"background:var(--", colours[k % 3], ")\"></i>",
                   to_string(detection[k].classifier), " ", fixed(detection[k].auc.mean, 3), "</span>");
  return text.append("</p></figure>");
}

/// Horizontal bars from `from` on.
inline std::string bar_list(std::string_view title, std::string_view unit,
                            const std::vector<std::pair<std::string, double>>& items, double from) {
  constexpr double width = 410;
  constexpr double names = 196;
  constexpr double row = 22;
  double most = 1e-9;
  for (const auto& item : items)
    most = std::max(most, item.second - from);
  std::string text = concat("<figure><figcaption>", title, "<span>", unit, "</span></figcaption>",
                            svg(width, row * static_cast<double>(items.size()) + 4, title));
  for (std::size_t k = 0; k < items.size(); ++k) {
    const double y = row * static_cast<double>(k) + 2;
    const double length = std::max(0.0, (items[k].second - from) / most) * (width - names - 54);
    text += label(names - 8, y + 14, shortened(readable_utf8(items[k].first), 31), "text-anchor=\"end\"");
    text += rectangle(names, y + 3, length, 14, "class=\"s\" rx=\"2\"");
    text += label(names + length + 5, y + 14, fixed(items[k].second, 3), "class=\"ink\"");
  }
  return text.append("</svg></figure>");
}

/// A line of a chart: a value for each place, and how it is drawn ("lr", "ls" or "lg").
struct ChartLine {
  std::string_view style_class{};
  std::vector<double> values{};
};

/// Lines over common places, both axes linear. \param places  ascending, as many as each line has values
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
  for (const auto& one : lines) {
    text += concat("<polyline class=\"", one.style_class, "\" points=\"");
    for (std::size_t k = 0; k < places.size(); ++k)
      text +=
          concat(fixed(left + across * (last > first ? (places[k] - first) / (last - first) : 0.5), 1), ",",
                 fixed(top + down * (1 - std::min((one.values[k] / 2 - low / 2) / range, 1.0)), 1), " ");
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
