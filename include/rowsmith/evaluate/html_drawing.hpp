// SPDX-License-Identifier: MIT
/// \file
/// Texts and pictures in HTML.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/utf8.hpp>
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

} // namespace evaluate::detail
ROWSMITH_END
