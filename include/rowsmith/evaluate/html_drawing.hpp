// SPDX-License-Identifier: MIT
/// \file
/// Pages, texts and pictures in HTML.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/core/version.hpp>
#include <rowsmith/evaluate/html_style.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// Well-formed whatever the text holds: bytes that are no UTF-8 as `readable_utf8` writes them, control
/// characters, which HTML does not know, as "?".
inline std::string html_escape(std::string_view text) {
  std::string result;
  for (const char c : readable_utf8(text))
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
  return result;
}

/// The first characters of a text that may be of any length and no UTF-8; the whole one (as far as a reader
/// will follow) is told on pointing at it.
inline std::string html_shortened(std::string_view text, std::size_t characters) {
  const auto whole = readable_utf8(text);
  const auto first = shortened(whole, characters);
  if (first.size() == whole.size())
    return html_escape(whole);
  return concat("<abbr title=\"", html_escape(shortened(whole, std::max<std::size_t>(characters, 400))),
                "\">", html_escape(first), "</abbr>");
}

/// A page up to where its content begins.
inline std::string html_begin(std::string_view title) {
  return concat("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                "content=\"width=device-width,initial-scale=1\"><meta name=\"generator\" "
                "content=\"rowsmith " ROWSMITH_VERSION "\"><title>",
                html_escape(title), "</title><style>", html_style,
                "</style></head><body><main>\n<header><h1>", html_escape(title), "</h1>");
}
inline constexpr std::string_view html_end = "</main></body></html>\n";

// ---- parts of an SVG picture, in its own units
inline std::string rectangle(double x, double y, double width, double height, std::string_view rest) {
  return concat("<rect x=\"", fixed(x, 1), "\" y=\"", fixed(y, 1), "\" width=\"",
                fixed(std::max(width, 0.0), 1), "\" height=\"", fixed(std::max(height, 0.0), 1), "\" ", rest,
                "/>");
}
/// \param text  is escaped here
inline std::string label(double x, double y, std::string_view text, std::string_view rest = {}) {
  return concat("<text x=\"", fixed(x, 1), "\" y=\"", fixed(y, 1), "\" ", rest, ">", html_escape(text),
                "</text>");
}
inline std::string svg(double width, double height, std::string_view description) {
  return concat("<svg viewBox=\"0 0 ", fixed(width, 0), " ", fixed(height, 0),
                "\" role=\"img\" aria-label=\"", html_escape(description), "\">");
}
inline std::string line(double x1, double y1, double x2, double y2, std::string_view style_class) {
  return concat("<line x1=\"", fixed(x1, 1), "\" y1=\"", fixed(y1, 1), "\" x2=\"", fixed(x2, 1), "\" y2=\"",
                fixed(y2, 1), "\" class=\"", style_class, "\"/>");
}

/// Points in a row. \param x, y  of point k
template <class X, class Y>
std::string polyline(std::string_view style_class, std::size_t points, const X& x, const Y& y) {
  std::string text = concat("<polyline class=\"", style_class, "\" points=\"");
  for (std::size_t k = 0; k < points; ++k)
    text += concat(fixed(x(k), 1), ",", fixed(y(k), 1), " ");
  return text.append("\"/>");
}
/// The two axes of a chart.
inline std::string axes(double left, double top, double across, double down) {
  return concat(line(left, top + down, left + across, top + down, "axis"),
                line(left, top, left, top + down, "axis"));
}

/// How the lines of a chart look, one after the other, and the colours that a legend has for them.
inline std::string_view line_class(std::size_t k) {
  constexpr std::string_view classes[] = {"lr", "ls", "lg"};
  return classes[k % 3];
}
/// What colours stand for, in the order of the lines. \param meanings  are HTML already
inline std::string legend(const std::vector<std::string>& meanings) {
  constexpr std::string_view colours[] = {"real", "made", "green"};
  std::string text = "<p class=\"legend\">";
  for (std::size_t k = 0; k < meanings.size(); ++k)
    text += concat("<span><i style=\"background:var(--", colours[k % 3], ")\"></i>", meanings[k], "</span>");
  return text.append("</p>");
}

/// Two histograms of the same bins, bar beside bar, with the largest share written above.
inline std::string paired_bars(const std::vector<double>& real, const std::vector<double>& made, double width,
                               double bottom) {
  constexpr double top = 16;
  double highest = 1e-12;
  for (const auto* shares : {&real, &made})
    for (const double value : *shares)
      highest = std::max(highest, value);
  std::string text = line(0, bottom, width, bottom, "axis");
  const double step = width / static_cast<double>(real.size());
  for (std::size_t k = 0; k < real.size(); ++k) {
    const double x = static_cast<double>(k) * step;
    const double of_real = real[k] / highest * (bottom - top);
    const double of_made = made[k] / highest * (bottom - top);
    text += rectangle(x + step * 0.06, bottom - of_real, step * 0.43, of_real, "class=\"r\"");
    text += rectangle(x + step * 0.51, bottom - of_made, step * 0.43, of_made, "class=\"s\"");
  }
  return text + label(0, 11, per_cent(highest, 1));
}

/// One histogram, as a single shape, so that pages of many columns stay small.
inline std::string single_bars(const std::vector<double>& shares, double width, double bottom) {
  constexpr double top = 16;
  double highest = 1e-12;
  for (const double value : shares)
    highest = std::max(highest, value);
  const double step = width / static_cast<double>(shares.size());
  std::string path;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    const double height = shares[k] / highest * (bottom - top);
    if (height > 0)
      path += concat("M", fixed((static_cast<double>(k) + 0.04) * step, 1), " ", fixed(bottom, 0), "v-",
                     fixed(std::max(height, 0.5), 1), "h", fixed(0.92 * step, 1), "V", fixed(bottom, 0), "z");
  }
  return concat(line(0, bottom, width, bottom, "axis"), "<path class=\"r\" d=\"", path, "\"/>",
                label(0, 11, per_cent(highest, 1)));
}

/// Where numbers lie: a tall mark for each of `marks`, a short one below the axis for each of `dots`. Both
/// ascending; empty if there are none. \param write  how the axis tells a number, as a text
template <class Write>
std::string number_line(std::string_view description, const std::vector<double>& marks,
                        const std::vector<double>& dots, const Write& write) {
  constexpr double width = 340;
  constexpr double bottom = 46;
  if (marks.empty() && dots.empty())
    return {};
  const double low =
      std::min(marks.empty() ? dots.front() : marks.front(), dots.empty() ? marks.front() : dots.front());
  const double high =
      std::max(marks.empty() ? dots.back() : marks.back(), dots.empty() ? marks.back() : dots.back());
  // Halves, since the range of two doubles may be no double.
  const auto place = [&](double value) {
    return high > low ? 1 + (width - 2) * std::min((value / 2 - low / 2) / (high / 2 - low / 2), 1.0)
                      : width / 2;
  };
  const auto path = [&](const std::vector<double>& values, double from, double length,
                        const char* style_class) {
    std::string text;
    for (const double value : values)
      text += concat("M", fixed(place(value), 1), " ", fixed(from, 0), "v", fixed(length, 0));
    return concat("<path class=\"", style_class, "\" d=\"", text, "\"/>");
  };
  return concat(svg(width, 66, description), line(0, bottom, width, bottom, "axis"),
                path(marks, 8, bottom - 8, "lr"), path(dots, bottom, 6, "ls"),
                label(0, bottom + 18, write(low)),
                label(width, bottom + 18, write(high), "text-anchor=\"end\""), "</svg>");
}

} // namespace evaluate::detail
ROWSMITH_END
