// SPDX-License-Identifier: MIT
/// \file
/// A report as one HTML file that needs nothing else: no scripts, no fonts, no pictures from elsewhere.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/version.hpp>
#include <rowsmith/evaluate/report.hpp>

ROWSMITH_BEGIN

/// What the report's head says.
struct HtmlOptions {
  std::string title = "Synthetic data report"; ///< such as the name of the table
  std::string date{};                          ///< as it is to be printed; empty: a blank to fill in
  std::string train{};                         ///< where the tables come from, such as file names
  std::string holdout{};
  std::string synthetic{};
};

namespace detail {

inline std::string html_escape(std::string_view text) {
  std::string result;
  for (const char c : text)
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    default:
      result += c;
    }
  return result;
}

/// A number with so many digits after the point; "–" for NaN.
inline std::string fixed(double value, int digits) {
  if (!std::isfinite(value))
    return "–";
  std::array<char, 400> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits).ptr;
  std::string result(text.data(), end);
  if (result.find_first_not_of("-0.") == std::string::npos && result.front() == '-')
    result.erase(0, 1); // no negative zero
  return result;
}

/// 32561 as "32,561".
inline std::string grouped(std::size_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t k = 0; k < digits.size(); ++k) {
    if (k > 0 && (digits.size() - k) % 3 == 0)
      text += ',';
    text += digits[k];
  }
  return text;
}

/// Four significant digits, as axes and tables want them.
inline std::string short_number(double value) {
  if (!std::isfinite(value))
    return "–";
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e15)) {
    std::array<char, 64> text{};
    return {
        text.data(),
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, 1).ptr};
  }
  const int digits = size >= 1000 || size == 0 ? 0 : 3 - static_cast<int>(std::floor(std::log10(size)));
  if (size >= 10'000)
    return std::string(value < 0 ? "-" : "").append(grouped(static_cast<std::size_t>(std::llround(size))));
  std::string text = fixed(value, std::clamp(digits, 0, 6));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
      text.pop_back();
  }
  return text;
}

inline std::string figure_value(const Figure& figure, double value) {
  if (!std::isfinite(value))
    return "–";
  return figure.per_cent ? fixed(100 * value, 2).append(" %")
                         : (std::abs(value) < 1e-4 && value != 0 ? short_number(value) : fixed(value, 4));
}

/// The first characters of a text, whole UTF-8 characters only, with "…" if some were left off.
inline std::string shortened(std::string_view text, std::size_t characters) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U && seen++ == characters)
      return std::string(text.substr(0, i)).append("…");
  return std::string(text);
}

class HtmlWriter {
public:
  HtmlWriter(const Report& report, const HtmlOptions& options) : report_(report), options_(options) {}

  std::string write() {
    head();
    verdict();
    key_figures();
    columns();
    relations();
    giveaways();
    utility();
    privacy();
    method();
    signature();
    out_ += "</main></body></html>\n";
    return std::move(out_);
  }

private:
  HtmlWriter& put(std::string_view text) {
    out_ += text;
    return *this;
  }
  HtmlWriter& escaped(std::string_view text) {
    out_ += html_escape(text);
    return *this;
  }

  void head() {
    put("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta name=\"generator\" content=\"rowsmith " ROWSMITH_VERSION "\"><title>");
    escaped(options_.title)
        .put("</title><style>")
        .put(style())
        .put("</style></head><body><main>\n<header><h1>");
    escaped(options_.title).put("</h1><p class=\"sub\">");
    put(grouped(report_.synthetic_rows)).put(" synthetic rows, judged against ");
    put(grouped(report_.train_rows)).put(" training rows and ");
    put(grouped(report_.holdout_rows)).put(" hold-out rows of ");
    put(std::to_string(report_.columns)).put(" columns");
    put("</p>");
    if (!options_.date.empty())
      put("<p class=\"note\">").escaped(options_.date).put("</p>");
    if (report_.options.quick)
      put("<p class=\"warn\">Quick run: one seed, small models, few rows. The figures are coarse; do not "
          "release "
          "a table by them.</p>");
    put("</header>\n");
  }

  static std::string_view style() {
    return R"css(
:root{--ink:#1b2430;--soft:#566173;--line:#d7dde5;--page:#fff;--card:#f6f8fa;--real:#2f6db3;--made:#d9780f;
--green:#1f7a43;--amber:#a86200;--red:#b3261e;--greenbg:#e3f3e8;--amberbg:#fdf0d9;--redbg:#fbe4e2;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b6;--line:#344052;--page:#12171e;--card:#1a212b;
--real:#6ea8e8;--made:#f2a14a;--green:#6fcf97;--amber:#f0b45a;--red:#ff8a80;--greenbg:#16301f;--amberbg:#3a2b10;--redbg:#3d1a18}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 4px}h2{font-size:1.3rem;margin:44px 0 6px;padding-top:14px;border-top:2px solid var(--line)}
h3{font-size:1rem;margin:0 0 6px}p{margin:6px 0 12px;max-width:75ch}.sub,.note{color:var(--soft)}.note{font-size:.9rem}
.warn{background:var(--amberbg);color:var(--amber);padding:8px 12px;border-radius:6px}
.cards{display:grid;grid-template-columns:repeat(3,1fr);gap:14px;margin:18px 0}
.card{border-radius:10px;padding:14px 16px;background:var(--card);border:1px solid var(--line);border-left:6px solid var(--line)}
.card p{margin:4px 0 0;font-size:.92rem}.card h3{display:flex;justify-content:space-between;align-items:baseline;font-size:1.1rem}
.green{border-left-color:var(--green)}.amber{border-left-color:var(--amber)}.red{border-left-color:var(--red)}
.tag{display:inline-block;white-space:nowrap;border-radius:99px;padding:1px 10px;font-size:.82rem;font-weight:600}
.tag.green{background:var(--greenbg);color:var(--green)}.tag.amber{background:var(--amberbg);color:var(--amber)}
.tag.red{background:var(--redbg);color:var(--red)}.tag.none{color:var(--soft);font-weight:400;padding:0}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.93rem}
th{text-align:left;font-weight:600;color:var(--soft);font-size:.82rem;vertical-align:bottom}
th,td{padding:6px 10px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;padding-left:14px;font-variant-numeric:tabular-nums;white-space:nowrap}
td .note{display:block;font-size:.82rem;line-height:1.35}tr.section td{font-weight:700;padding-top:18px;border-bottom:2px solid var(--line)}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:14px}
.two{display:grid;grid-template-columns:1fr 1fr;gap:20px;align-items:start}.three{display:grid;grid-template-columns:repeat(3,1fr);gap:14px}
figure{margin:0;border:1px solid var(--line);border-radius:10px;padding:12px 12px 8px;background:var(--card);break-inside:avoid}
figcaption{font-weight:600;font-size:.95rem;display:flex;justify-content:space-between;gap:8px;overflow-wrap:anywhere}
figcaption span{color:var(--soft);font-weight:400;font-size:.82rem;white-space:nowrap}
svg{display:block;width:100%;height:auto;margin-top:6px}svg text{fill:var(--soft);font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
svg .ink{fill:var(--ink)}.r{fill:var(--real)}.s{fill:var(--made)}.lr{stroke:var(--real);fill:none;stroke-width:2}
.ls{stroke:var(--made);fill:none;stroke-width:2}.axis{stroke:var(--line);stroke-width:1}.zero{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
.lg{stroke:var(--green);fill:none;stroke-width:2}.g{fill:var(--green)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.9rem;color:var(--soft);margin:4px 0 12px}
.legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.sign{display:grid;grid-template-columns:2fr 1fr 1fr;gap:24px;margin-top:36px}.sign div{border-top:1px solid var(--ink);padding-top:4px;font-size:.85rem;color:var(--soft)}
.checks{list-style:none;padding:0;margin:8px 0 0}.checks li{padding:3px 0 3px 26px;position:relative}.checks li::before{content:"";position:absolute;left:2px;top:8px;width:12px;height:12px;border:1.5px solid var(--soft);border-radius:2px}
@media (max-width:760px){table{font-size:.85rem}.cards,.two,.three,.sign{grid-template-columns:1fr}main{padding:18px 14px 40px}h1{font-size:1.5rem}
.grid{grid-template-columns:1fr}
table.stack thead{display:none}table.stack tr{display:grid;grid-template-columns:1fr auto;gap:2px 12px;padding:8px 0;border-bottom:1px solid var(--line)}
table.stack td{border:0;padding:0}table.stack td.n{text-align:left}table.stack td.n::before{content:attr(data-l) " ";color:var(--soft);font-size:.82rem}
table.stack td.w{grid-column:1/-1}table.stack tr.section{display:block}}
@media print{:root{--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--card:#fff;--real:#2f6db3;--made:#d9780f;--green:#1f7a43;--amber:#a86200;--red:#b3261e;
--greenbg:#e3f3e8;--amberbg:#fdf0d9;--redbg:#fbe4e2}body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}h2{break-after:avoid;margin-top:24px}.card,figure,tr{break-inside:avoid}.grid{grid-template-columns:repeat(3,1fr)}.cards{grid-template-columns:repeat(3,1fr)}}
)css";
  }

  static std::string_view word(Light light) {
    constexpr std::string_view words[] = {"", "● Good", "▲ Look", "■ Stop"};
    return words[static_cast<std::size_t>(light)];
  }
  std::string tag(Light light) const {
    return std::string("<span class=\"tag ")
        .append(to_string(light))
        .append("\">")
        .append(word(light))
        .append("</span>");
  }

  /// The figures of a section that decide its light, in words.
  std::string reasons(std::string_view section, Light light) const {
    std::string names;
    std::size_t count = 0;
    for (const auto& figure : report_.figures)
      if (figure.section == section && figure.light == light && ++count <= 3)
        names.append(names.empty() ? "" : "; ").append(figure.title);
    if (count > 3)
      names.append("; and ").append(std::to_string(count - 3)).append(" more");
    return names;
  }

  void verdict() {
    const std::string_view privacy_words[] = {
        "", "None of the attacks told training rows from unseen ones. That is evidence, not proof.",
        "Some evidence of a leak: ", "Training rows show through: "};
    const std::string_view fidelity_words[] = {"", "Columns, pairs and whole rows look real to every judge.",
                                               "Close, but not alike: ", "A judge can tell: "};
    const std::string_view utility_words[] = {"", "Models learn as much from synthetic as from real rows.",
                                              "Models learn a little less: ", "Models learn clearly less: "};
    put("<div class=\"cards\">");
    for (const auto& [title, section, light, words] :
         {std::tuple{"Privacy", "privacy", report_.privacy, privacy_words},
          std::tuple{"Fidelity", "fidelity", report_.fidelity, fidelity_words},
          std::tuple{"Utility", "utility", report_.utility, utility_words}}) {
      put("<section class=\"card ").put(to_string(light)).put("\"><h3>").put(title);
      put(light == Light::none ? std::string() : tag(light)).put("</h3><p>");
      if (light == Light::none)
        put("Not measured: no target was named.");
      else
        put(words[static_cast<std::size_t>(light)])
            .escaped(light == Light::green ? std::string() : reasons(section, light) + ".");
      put("</p></section>");
    }
    put("</div>\n");
  }

  void key_figures() {
    put("<h2>All figures</h2><p class=\"note\">± is the standard deviation over seeds, or over other samples "
        "of "
        "rows. “Real rows” is what hold-out rows show in place of synthetic ones: no table can be expected "
        "to do "
        "better.</p><div class=\"scroll\"><table class=\"stack\"><thead><tr><th>Figure</th><th "
        "class=\"n\">Synthetic</th><th class=\"n\">±</th><th class=\"n\">Real "
        "rows</th><th></th></tr></thead><tbody>");
    std::string section;
    for (const auto& figure : report_.figures) {
      if (figure.section != section) {
        section = figure.section;
        const std::string_view title = section == "fidelity"  ? "Fidelity: does it look real?"
                                       : section == "utility" ? "Utility: is it good to learn from?"
                                                              : "Privacy: does it give anyone away?";
        put("<tr class=\"section\"><td colspan=\"5\">").put(title).put("</td></tr>");
      }
      put("<tr><td class=\"w\">").escaped(figure.title).put("<span class=\"note\">").escaped(figure.meaning);
      put("</span></td><td class=\"n\" data-l=\"\"><b>").put(figure_value(figure, figure.value));
      put("</b></td><td class=\"n\" data-l=\"±\">");
      put(figure.sd > 0 ? figure_value(figure, figure.sd) : std::string("–"));
      put("</td><td class=\"n\" data-l=\"real rows\">").put(figure_value(figure, figure.ideal));
      put("</td><td class=\"n\" data-l=\"\">").put(tag(figure.light)).put("</td></tr>");
    }
    put("</tbody></table></div>\n");
  }

  static std::string legend() {
    return "<p class=\"legend\"><span><i style=\"background:var(--real)\"></i>real (training)</span><span><i "
           "style=\"background:var(--made)\"></i>synthetic</span></p>";
  }

  // ---- drawing
  static std::string rectangle(double x, double y, double width, double height, std::string_view rest) {
    return std::string("<rect x=\"")
        .append(fixed(x, 1))
        .append("\" y=\"")
        .append(fixed(y, 1))
        .append("\" width=\"")
        .append(fixed(std::max(width, 0.0), 1))
        .append("\" height=\"")
        .append(fixed(std::max(height, 0.0), 1))
        .append("\" ")
        .append(rest)
        .append("/>");
  }
  /// \param text  is escaped here
  static std::string label(double x, double y, std::string_view text, std::string_view rest = {}) {
    return std::string("<text x=\"")
        .append(fixed(x, 1))
        .append("\" y=\"")
        .append(fixed(y, 1))
        .append("\" ")
        .append(rest)
        .append(">")
        .append(html_escape(text))
        .append("</text>");
  }
  static std::string svg(double width, double height, std::string_view description) {
    return std::string("<svg viewBox=\"0 0 ")
        .append(fixed(width, 0))
        .append(" ")
        .append(fixed(height, 0))
        .append("\" role=\"img\" aria-label=\"")
        .append(html_escape(description))
        .append("\">");
  }
  static std::string line(double x1, double y1, double x2, double y2, std::string_view style_class) {
    return std::string("<line x1=\"")
        .append(fixed(x1, 1))
        .append("\" y1=\"")
        .append(fixed(y1, 1))
        .append("\" x2=\"")
        .append(fixed(x2, 1))
        .append("\" y2=\"")
        .append(fixed(y2, 1))
        .append("\" class=\"")
        .append(style_class)
        .append("\"/>");
  }

  void histogram(const Marginal& column) {
    constexpr double width = 340;
    constexpr double height = 170;
    constexpr double bottom = 146;
    constexpr double top = 16;
    const std::size_t bins = column.real.size();
    double highest = 1e-12;
    for (std::size_t k = 0; k < bins; ++k)
      highest = std::max({highest, column.real[k], column.synthetic[k]});
    put(svg(width, height, std::string("Shares of ").append(column.name)));
    put(line(0, bottom, width, bottom, "axis"));
    const double step = width / static_cast<double>(bins);
    for (std::size_t k = 0; k < bins; ++k) {
      const double x = static_cast<double>(k) * step;
      const double real = column.real[k] / highest * (bottom - top);
      const double made = column.synthetic[k] / highest * (bottom - top);
      put(rectangle(x + step * 0.06, bottom - real, step * 0.43, real, "class=\"r\""));
      put(rectangle(x + step * 0.51, bottom - made, step * 0.43, made, "class=\"s\""));
    }
    put(label(0, bottom + 16, short_number(column.edges.front())));
    put(label(width / 2, bottom + 16, short_number(column.edges[bins / 2]), "text-anchor=\"middle\""));
    put(label(width, bottom + 16, short_number(column.edges.back()), "text-anchor=\"end\""));
    put(label(0, 11, fixed(100 * highest, 1).append(" %")));
    if (column.real_missing > 0 || column.synthetic_missing > 0)
      put(label(width, 11,
                std::string("missing ")
                    .append(fixed(100 * column.real_missing, 1))
                    .append(" % / ")
                    .append(fixed(100 * column.synthetic_missing, 1))
                    .append(" %"),
                "text-anchor=\"end\""));
    put("</svg>");
  }

  void bars(const Marginal& column) {
    constexpr double width = 340;
    constexpr double names = 118;
    constexpr double row = 22;
    const double space = width - names - 70;
    const double height = row * static_cast<double>(column.labels.size()) + 4;
    double highest = 1e-12;
    for (std::size_t k = 0; k < column.labels.size(); ++k)
      highest = std::max({highest, column.real[k], column.synthetic[k]});
    put(svg(width, height, std::string("Shares of ").append(column.name)));
    for (std::size_t k = 0; k < column.labels.size(); ++k) {
      const double y = row * static_cast<double>(k) + 2;
      put(label(names - 6, y + 13, shortened(column.labels[k], 16), "text-anchor=\"end\""));
      put(rectangle(names, y + 1, column.real[k] / highest * space, 8, "class=\"r\" rx=\"1\""));
      put(rectangle(names, y + 10, column.synthetic[k] / highest * space, 8, "class=\"s\" rx=\"1\""));
      put(label(names + std::max(column.real[k], column.synthetic[k]) / highest * space + 4, y + 13,
                fixed(100 * column.real[k], 1).append(" / ").append(fixed(100 * column.synthetic[k], 1))));
    }
    put("</svg>");
  }

  void columns() {
    put("<h2>Column by column</h2><p class=\"note\">Shares of the rows, in per cent. The error is the "
        "largest gap "
        "of the two cumulative distributions (numbers) or half the sum of all gaps (categories). Outer bars "
        "of "
        "numbers hold all that lies beyond.</p>")
        .put(legend())
        .put("<div class=\"grid\">");
    for (std::size_t c = 0; c < report_.marginals.size(); ++c) {
      const auto& column = report_.marginals[c];
      put("<figure><figcaption>").escaped(column.name).put("<span>error ");
      put(fixed(100 * report_.shapes.columns[c].error.value, 1)).put(" %</span></figcaption>");
      column.kind == ColumnKind::numerical ? histogram(column) : bars(column);
      put("</figure>");
    }
    put("</div>\n");
  }

  /// Blue for negative, orange for positive, mixed with the page's own colour, so that both schemes work.
  static std::string heat(double value, double most) {
    const double strength = std::clamp(std::abs(value) / most, 0.0, 1.0);
    return std::string("style=\"fill:")
        .append(value < 0 ? "var(--real)" : "var(--made)")
        .append(";fill-opacity:")
        .append(fixed(strength, 2))
        .append("\"");
  }

  void matrix(std::string_view title, const std::vector<double>& values, double most) {
    const std::size_t n = report_.columns;
    constexpr double margin = 96;
    const double cell = std::max(13.0, 260.0 / static_cast<double>(n));
    const double size = margin + cell * static_cast<double>(n);
    put("<figure><figcaption>").put(title).put("<span>full colour: ").put(short_number(most));
    put("</span></figcaption>").put(svg(size, size, title));
    for (std::size_t i = 0; i < n; ++i) {
      const double at = margin + cell * (static_cast<double>(i) + 0.5);
      const std::string name = shortened(report_.marginals[i].name, 14);
      put(label(margin - 5, at + 4, name, "text-anchor=\"end\""));
      put(label(0, 0, name,
                std::string("transform=\"translate(")
                    .append(fixed(at + 4, 1))
                    .append(",")
                    .append(fixed(margin - 5, 1))
                    .append(") rotate(-90)\"")));
      for (std::size_t j = 0; j < n; ++j)
        put("<g>")
            .put(rectangle(margin + cell * static_cast<double>(j), margin + cell * static_cast<double>(i),
                           cell - 1, cell - 1, heat(values[i * n + j], most)))
            .put("<title>")
            .escaped(report_.marginals[i].name)
            .put(" × ")
            .escaped(report_.marginals[j].name)
            .put(": ")
            .put(fixed(values[i * n + j], 3))
            .put("</title></g>");
    }
    put("</svg></figure>");
  }

  void relations() {
    const auto& real = report_.real_associations.values;
    const auto& made = report_.synthetic_associations.values;
    std::vector<double> difference(real.size());
    double largest = 0.05;
    for (std::size_t k = 0; k < real.size(); ++k) {
      difference[k] = made[k] - real[k];
      largest = std::max(largest, std::abs(difference[k]));
    }
    put("<h2>Relations of two columns</h2><p class=\"note\">Pearson’s correlation of two numbers, Cramér’s V "
        "of two "
        "categories, the correlation ratio of a number and a category. Orange is positive, blue negative; "
        "the third "
        "picture shows synthetic less real.</p><div class=\"three\">");
    matrix("Real", real, 1);
    matrix("Synthetic", made, 1);
    matrix("Difference", difference, largest);
    put("</div>");
    put("<h3 style=\"margin-top:18px\">Pairs that are off most</h3><div "
        "class=\"scroll\"><table><thead><tr><th>Columns</th><th class=\"n\">Trend "
        "error</th><th class=\"n\">±</th></tr></thead><tbody>");
    for (std::size_t p = 0; p < std::min<std::size_t>(8, report_.trends.pairs.size()); ++p) {
      const auto& pair = report_.trends.pairs[p];
      put("<tr><td>")
          .escaped(pair.first_name)
          .put(" × ")
          .escaped(pair.second_name)
          .put("</td><td class=\"n\">");
      put(fixed(100 * pair.error.value, 2)).put(" %</td><td class=\"n\">").put(fixed(100 * pair.error.sd, 2));
      put(" %</td></tr>");
    }
    put("</tbody></table></div>\n");
  }

  void roc() {
    constexpr double width = 460;
    constexpr double height = 290;
    constexpr double left = 40;
    constexpr double top = 8;
    constexpr double across = width - left - 8;
    constexpr double down = height - top - 36;
    put("<figure><figcaption>ROC of the judges<span>diagonal: cannot tell</span></figcaption>");
    put(svg(width, height, "ROC curves of the detectors"));
    put(line(left, top + down, left + across, top + down, "axis"));
    put(line(left, top, left, top + down, "axis"));
    put(line(left, top + down, left + across, top, "zero"));
    const std::string_view classes[] = {"lr", "ls", "lg"};
    for (std::size_t k = 0; k < report_.detection.size(); ++k) {
      put("<polyline class=\"").put(classes[k % 3]).put("\" points=\"");
      for (const auto& point : report_.detection[k].roc)
        put(fixed(left + across * point.false_positive_rate, 1))
            .put(",")
            .put(fixed(top + down * (1 - point.true_positive_rate), 1))
            .put(" ");
      put("\"/>");
    }
    put(label(left + across / 2, height - 4, "real rows called synthetic", "text-anchor=\"middle\""));
    put(label(0, 0, "synthetic rows found",
              std::string("text-anchor=\"middle\" transform=\"translate(12,")
                  .append(fixed(top + down / 2, 1))
                  .append(") rotate(-90)\"")));
    put(label(left, height - 20, "0")).put(label(left + across, height - 20, "1", "text-anchor=\"end\""));
    put(label(left - 6, top + 10, "1", "text-anchor=\"end\""));
    put("</svg><p class=\"legend\">");
    const std::string_view colours[] = {"real", "made", "green"};
    for (std::size_t k = 0; k < report_.detection.size(); ++k)
      put("<span><i style=\"background:var(--")
          .put(colours[k % 3])
          .put(")\"></i>")
          .put(to_string(report_.detection[k].classifier))
          .put(" ")
          .put(fixed(report_.detection[k].auc.mean, 3))
          .put("</span>");
    put("</p></figure>");
  }

  /// Horizontal bars from `from` on.
  void bar_list(std::string_view title, std::string_view unit,
                const std::vector<std::pair<std::string, double>>& items, double from) {
    constexpr double width = 410;
    constexpr double names = 196;
    constexpr double row = 22;
    double most = 1e-9;
    for (const auto& item : items)
      most = std::max(most, item.second - from);
    put("<figure><figcaption>").put(title).put("<span>").put(unit).put("</span></figcaption>");
    put(svg(width, row * static_cast<double>(items.size()) + 4, title));
    for (std::size_t k = 0; k < items.size(); ++k) {
      const double y = row * static_cast<double>(k) + 2;
      const double length = std::max(0.0, (items[k].second - from) / most) * (width - names - 54);
      put(label(names - 8, y + 14, shortened(items[k].first, 31), "text-anchor=\"end\""));
      put(rectangle(names, y + 3, length, 14, "class=\"s\" rx=\"2\""));
      put(label(names + length + 5, y + 14, fixed(items[k].second, 3), "class=\"ink\""));
    }
    put("</svg></figure>");
  }

  void giveaways() {
    put("<h2>What gives it away</h2><p class=\"note\">Models are trained to tell synthetic from training "
        "rows and "
        "asked about rows they have not seen. An AUC of 0.5 means that they cannot tell.</p><div "
        "class=\"two\">");
    roc();
    std::vector<std::pair<std::string, double>> items;
    const auto boosted =
        std::find_if(report_.detection.begin(), report_.detection.end(),
                     [](const auto& result) { return result.classifier == Classifier::boosted; });
    for (std::size_t k = 0; k < std::min<std::size_t>(12, boosted->importances.size()); ++k)
      items.push_back(boosted->importances[k]);
    bar_list("Most telling columns", "share of the boosted trees’ gain", items, 0);
    items.clear();
    for (std::size_t k = 0; k < std::min<std::size_t>(12, report_.telling.pairs.size()); ++k)
      items.emplace_back(report_.telling.pairs[k].first_name + " × " + report_.telling.pairs[k].second_name,
                         report_.telling.pairs[k].auc.value);
    bar_list("Two columns alone", "AUC, bars begin at 0.5", items, 0.5);
    items.clear();
    for (std::size_t k = 0; k < std::min<std::size_t>(12, report_.telling.columns.size()); ++k)
      items.emplace_back(report_.telling.columns[k].first_name, report_.telling.columns[k].auc.value);
    bar_list("One column alone", "AUC, bars begin at 0.5", items, 0.5);
    put("</div>\n");
  }

  void row(std::initializer_list<std::string> cells) {
    put("<tr>");
    std::size_t k = 0;
    for (const auto& cell : cells)
      put(k++ == 0 ? "<td>" : "<td class=\"n\">").escaped(cell).put("</td>");
    put("</tr>");
  }
  static std::string with_sd(const MeanSd& figure) {
    auto text = fixed(figure.mean, 4);
    return figure.sd > 0 ? text.append(" ± ").append(fixed(figure.sd, 4)) : text;
  }

  void utility() {
    if (report_.efficacy.empty() && report_.regression.empty())
      return;
    put("<h2>Utility</h2><p class=\"note\">Models learn from real or from synthetic rows and are tested on "
        "the same "
        "hold-out rows.</p><div class=\"scroll\"><table><thead><tr><th>Target, model</th><th "
        "class=\"n\">from real "
        "rows</th><th class=\"n\">from synthetic</th><th class=\"n\">F1 real</th><th class=\"n\">F1 "
        "synthetic</th></tr></thead><tbody>");
    for (const auto& result : report_.efficacy)
      row({result.target + ", " + std::string(to_string(result.classifier)) + ": AUC",
           with_sd(result.auc_real), with_sd(result.auc_synthetic), with_sd(result.f1_real),
           with_sd(result.f1_synthetic)});
    for (const auto& result : report_.regression)
      row({result.target + ", " + std::string(to_string(result.model)) + ": R²", with_sd(result.r2_real),
           with_sd(result.r2_synthetic), "–", "–"});
    if (report_.augmentation) {
      const auto& result = *report_.augmentation;
      row({result.target + ", boosted: AUC of " + grouped(result.real_rows) +
               " real rows, alone and with synthetic ones",
           with_sd(result.auc_real), with_sd(result.auc_both), "–", "–"});
    }
    put("</tbody></table></div>");
    for (const auto& result : report_.efficacy)
      if (!result.note.empty())
        put("<p class=\"warn\">").escaped(result.note).put("</p>");
    put("\n");
  }

  void distance_histogram() {
    const auto& made = report_.distances.synthetic_distances;
    const auto& unseen = report_.distances.holdout_distances;
    std::vector<float> all(made);
    all.insert(all.end(), unseen.begin(), unseen.end());
    const auto high_place = static_cast<std::ptrdiff_t>(0.99 * static_cast<double>(all.size() - 1));
    std::nth_element(all.begin(), all.begin() + high_place, all.end());
    const double most = std::max(1e-6, static_cast<double>(all[static_cast<std::size_t>(high_place)]));
    constexpr std::size_t bins = 40;
    const auto shares = [&](const std::vector<float>& values) {
      std::vector<double> result(bins);
      for (const float value : values)
        result[std::min(bins - 1, static_cast<std::size_t>(std::min(1.0, static_cast<double>(value) / most) *
                                                           static_cast<double>(bins)))] +=
            1 / static_cast<double>(values.size());
      return result;
    };
    const auto a = shares(unseen);
    const auto b = shares(made);
    double highest = 1e-12;
    for (std::size_t k = 0; k < bins; ++k)
      highest = std::max({highest, a[k], b[k]});
    constexpr double width = 520;
    constexpr double bottom = 206;
    constexpr double top = 16;
    put("<figure><figcaption>Distance to the closest training row<span>columns’ ranges are the "
        "unit</span></figcaption>");
    put(svg(width, 232, "Histogram of distances to the closest training row"));
    put(line(0, bottom, width, bottom, "axis"));
    const double step = width / static_cast<double>(bins);
    for (std::size_t k = 0; k < bins; ++k) {
      const double x = static_cast<double>(k) * step;
      const double real = a[k] / highest * (bottom - top);
      const double synthetic = b[k] / highest * (bottom - top);
      put(rectangle(x + step * 0.06, bottom - real, step * 0.43, real, "class=\"r\""));
      put(rectangle(x + step * 0.51, bottom - synthetic, step * 0.43, synthetic, "class=\"s\""));
    }
    put(label(0, bottom + 16, "0")).put(label(width, bottom + 16, short_number(most), "text-anchor=\"end\""));
    put(label(0, 11, fixed(100 * highest, 1).append(" %"))).put("</svg>");
    put("<p class=\"legend\"><span><i style=\"background:var(--real)\"></i>hold-out rows</span><span><i "
        "style=\"background:var(--made)\"></i>synthetic rows</span></p></figure>");
  }

  void privacy() {
    const auto& copies = report_.copies;
    const auto& distances = report_.distances;
    put("<h2>Privacy</h2><p>These attacks look for training rows in the synthetic ones. Hold-out rows, which "
        "the "
        "model has not seen, are the yardstick: what holds for them as well is knowledge of people in "
        "general, not of "
        "a person. <b>Passing them is no proof of privacy</b>; distances to the closest record in particular "
        "are known "
        "to miss leaks.</p><div class=\"two\"><div>");
    distance_histogram();
    put("</div><div class=\"scroll\"><table><thead><tr><th>Closest training row</th><th "
        "class=\"n\">synthetic</th><th "
        "class=\"n\">hold-out</th></tr></thead><tbody>");
    row({"Exact copies",
         grouped(copies.copies).append(" (").append(fixed(100 * copies.share.value, 2)).append(" %)"),
         grouped(copies.holdout_copies)
             .append(" (")
             .append(fixed(100 * copies.base_share.value, 2))
             .append(" %)")});
    row({"Distance, 1 % quantile", fixed(distances.synthetic.distance[0], 4),
         fixed(distances.holdout.distance[0], 4)});
    row({"Distance, 5 % quantile", fixed(distances.synthetic.distance[1], 4),
         fixed(distances.holdout.distance[1], 4)});
    row({"Distance, median", fixed(distances.synthetic.distance[3], 4),
         fixed(distances.holdout.distance[3], 4)});
    row({"Closest / second closest, 5 % quantile", fixed(distances.synthetic.ratio[1], 4),
         fixed(distances.holdout.ratio[1], 4)});
    row({"Closest / second closest, median", fixed(distances.synthetic.ratio[3], 4),
         fixed(distances.holdout.ratio[3], 4)});
    row({"Nearer to training than to hold-out rows",
         fixed(100 * distances.share.value, 2)
             .append(" ± ")
             .append(fixed(100 * distances.share.sd, 2))
             .append(" %"),
         "50 %"});
    put("</tbody></table></div></div>");
    if (!distances.note.empty())
      put("<p class=\"note\">").escaped(distances.note).put(".</p>");
    put("<h3 style=\"margin-top:18px\">Was a person’s row among the training rows?</h3><div "
        "class=\"scroll\"><table><thead><tr><th>Attack</th><th "
        "class=\"n\">AUC</th><th class=\"n\">found at 1 % false alarms</th><th class=\"n\">at 0.1 %</th><th "
        "class=\"n\">p</th></tr></thead><tbody>");
    const auto percent = [](const Estimate& figure) {
      return fixed(100 * figure.value, 2).append(" ± ").append(fixed(100 * figure.sd, 2)).append(" %");
    };
    for (const auto& [name, result] : {std::pair{"synthetic rows", &report_.membership},
                                       std::pair{"real rows in their place", &report_.ideal_membership}})
      for (const auto& attack : result->attacks)
        row({attack.name + ", " + name,
             fixed(attack.auc.value, 4).append(" ± ").append(fixed(attack.auc.sd, 4)),
             percent(attack.tpr_at_1), percent(attack.tpr_at_01), short_number(attack.p_value)});
    put("</tbody></table></div><p class=\"note\">")
        .put(grouped(report_.membership.members))
        .put(" training rows are to be told from as many hold-out rows; the attacker knows ")
        .put(grouped(report_.membership.reference))
        .put(" other rows of the population. Guessing gives an AUC of 0.5 and finds 1 % and 0.1 %.</p>");
    put("<h3>What is in a row that the attacker did not know?</h3><div "
        "class=\"scroll\"><table><thead><tr><th>Secret "
        "column</th><th class=\"n\">training rows guessed</th><th class=\"n\">hold-out rows guessed</th><th "
        "class=\"n\">advantage</th></tr></thead><tbody>");
    for (const auto& risk : report_.attributes.risks)
      row({risk.secret, fixed(100 * risk.guessed, 2).append(" %"), fixed(100 * risk.baseline, 2).append(" %"),
           percent(risk.advantage)});
    put("</tbody></table></div><p class=\"note\">Each column is guessed from all others by the closest "
        "synthetic row, for ")
        .put(grouped(report_.attributes.persons))
        .put(
            " training and as many hold-out rows; a number counts as guessed within 2.5 % of its range. p = ")
        .put(short_number(report_.attributes.p_value))
        .put(" for the most significant of all columns.</p>\n");
  }

  void method() {
    put("<h2>How it was computed</h2>");
    const auto source = [&](const char* name, const std::string& text) {
      if (!text.empty())
        put("<p class=\"note\">").put(name).put(": ").escaped(text).put("</p>");
    };
    source("Training table", options_.train);
    source("Hold-out table", options_.holdout);
    source("Synthetic table", options_.synthetic);
    const auto& first = report_.detection.front();
    put("<p>Detection: ")
        .put(std::to_string(report_.options.seeds))
        .put(report_.options.seeds == 1 ? " seed, " : " seeds, ");
    put(std::to_string(first.folds)).put("-fold cross-validation on ").put(grouped(first.rows));
    put(" rows of each table; real against real: one seed, ")
        .put(grouped(report_.ideal_detection.front().rows));
    put(" rows of each. Trees see categories as ordinal codes, missing values before all others; the linear "
        "model sees "
        "standardised numbers and one-hot categories.</p>");
    put("<p>Shape and trend errors are one minus SDMetrics’ KSComplement, TVComplement, "
        "CorrelationSimilarity and "
        "ContingencySimilarity (10 bins), with missing values as values; ± by bootstrap over rows. "
        "α-precision and "
        "β-recall follow Alaa et al. (2022), on ")
        .put(grouped(report_.support.rows));
    put(" rows of each. Distances are Gower’s. Membership inference follows DOMIAS (van Breugel et al. "
        "2023), attribute "
        "inference Giomi et al. (2023).</p>");
    put("<p>Lights: privacy is red where a leak is both certain (p &lt; 0.001) and large enough to matter, "
        "amber where "
        "p &lt; 0.01. Fidelity and utility compare with fixed marks, such as a detection AUC of 0.6 (green) "
        "and 0.8 "
        "(amber), and an efficacy of 0.98 and 0.95. A section shows the worst of its lights.</p>");
    put("<p class=\"note\">Made by rowsmith " ROWSMITH_VERSION ", seed ")
        .put(std::to_string(report_.options.seed));
    put(". The same tables, seed and build give the same report.</p>\n");
  }

  void signature() {
    put("<h2>Decision</h2><ul class=\"checks\"><li>Release as it is</li><li>Release with "
        "conditions</li><li>Do not "
        "release</li></ul><div class=\"sign\"><div>Name and "
        "signature</div><div>Role</div><div>Date</div></div>\n");
  }

  const Report& report_;
  const HtmlOptions& options_;
  std::string out_;
};

} // namespace detail

/// The whole report as one HTML text: light or dark as the reader's system, ready for print, readable on a
/// phone.
inline std::string to_html(const Report& report, const HtmlOptions& options = {}) {
  return detail::HtmlWriter(report, options).write();
}

ROWSMITH_END
