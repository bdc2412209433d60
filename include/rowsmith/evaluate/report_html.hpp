// SPDX-License-Identifier: MIT
/// \file
/// A report as one HTML file that needs nothing else: no scripts, no fonts, no pictures from elsewhere.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <rowsmith/core/version.hpp>
#include <rowsmith/evaluate/html_drawing.hpp>
#include <rowsmith/evaluate/html_figures.hpp>
#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/roc_figure.hpp>
#include <rowsmith/evaluate/text.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// What the report's head says.
struct HtmlOptions {
  std::string title = "Synthetic data report"; ///< such as the name of the table
  std::string date{};                          ///< as it is to be printed; empty: a blank to fill in
  std::string train{};                         ///< where the tables come from, such as file names
  std::string holdout{};
  std::string synthetic{};
};

namespace detail {

/// As its section shows it; "–" for what was not measured.
inline std::string figure_value(const Figure& figure, double value) {
  if (!std::isfinite(value))
    return "–";
  return figure.per_cent ? per_cent(value)
                         : (std::abs(value) < 1e-4 && value != 0 ? short_number(value) : fixed(value, 4));
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
    out_ += html_end;
    return std::move(out_);
  }

private:
  template <class... Parts>
  void put(const Parts&... parts) {
    (out_.append(parts), ...);
  }

  void head() {
    put(html_begin(options_.title), "<p class=\"sub\">", grouped(report_.synthetic_rows),
        " synthetic rows, judged against ", grouped(report_.train_rows), " training rows and ",
        grouped(report_.holdout_rows), " hold-out rows of ", std::to_string(report_.columns), " columns",
        "</p>");
    if (report_.some())
      put("<p class=\"note\">Rows by chance: ", grouped(report_.train_rows), " of ",
          grouped(report_.of.train), " training rows, ", grouped(report_.holdout_rows), " of ",
          grouped(report_.of.holdout), " hold-out rows, ", grouped(report_.synthetic_rows), " of ",
          grouped(report_.of.synthetic), " synthetic rows.</p>");
    if (!options_.date.empty())
      put("<p class=\"note\">", html_escape(options_.date), "</p>");
    if (report_.options.quick)
      put("<p class=\"warn\">Quick run: one seed, small models, few rows. The figures are coarse; do not "
          "release a table by them.</p>");
    put("</header>\n");
  }

  static std::string_view word(Light light) {
    constexpr std::string_view words[] = {"", "● Good", "▲ Look", "■ Stop"};
    return words[static_cast<std::size_t>(light)];
  }
  std::string tag(Light light) const {
    return concat("<span class=\"tag ", to_string(light), "\">", word(light), "</span>");
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
      put("<section class=\"card ", to_string(light), "\"><h3>", title,
          light == Light::none ? std::string() : tag(light), "</h3><p>");
      if (light == Light::none)
        put("Not measured: no target was named.");
      else
        put(words[static_cast<std::size_t>(light)],
            html_escape(light == Light::green ? std::string() : reasons(section, light) + "."));
      put("</p></section>");
    }
    put("</div>\n");
  }

  void key_figures() {
    put("<h2>All figures</h2><p class=\"note\">± is the standard deviation over seeds, or over other samples "
        "of rows. “Real rows” is what hold-out rows show in place of synthetic ones: no table can be "
        "expected to do better.</p><div class=\"scroll\"><table "
        "class=\"stack\"><thead><tr><th>Figure</th><th class=\"n\">Synthetic</th><th class=\"n\">±</th><th "
        "class=\"n\">Real rows</th><th></th></tr></thead><tbody>");
    std::string section;
    for (const auto& figure : report_.figures) {
      if (figure.section != section) {
        section = figure.section;
        const std::string_view title = section == "fidelity"  ? "Fidelity: does it look real?"
                                       : section == "utility" ? "Utility: is it good to learn from?"
                                                              : "Privacy: does it give anyone away?";
        put("<tr class=\"section\"><td colspan=\"5\">", title, "</td></tr>");
      }
      put("<tr><td class=\"w\">", html_escape(figure.title), "<span class=\"note\">",
          html_escape(figure.meaning),
          figure.rows > 0 ? concat(" n = ", grouped(figure.rows), ".") : std::string(),
          "</span></td><td class=\"n\" data-l=\"\"><b>", figure_value(figure, figure.value),
          "</b></td><td class=\"n\" data-l=\"±\">",
          figure.sd > 0 ? figure_value(figure, figure.sd) : std::string("–"),
          "</td><td class=\"n\" data-l=\"real rows\">", figure_value(figure, figure.ideal),
          "</td><td class=\"n\" data-l=\"\">", tag(figure.light), "</td></tr>");
    }
    put("</tbody></table></div>\n");
  }

  void columns() {
    put("<h2>Column by column</h2><p class=\"note\">Shares of the rows, in per cent. The error is the "
        "largest gap of the two cumulative distributions (numbers) or half the sum of all gaps (categories). "
        "Outer bars of numbers hold all that lies beyond.</p>",
        legend({"real (training)", "synthetic"}), "<div class=\"grid\">");
    for (std::size_t c = 0; c < report_.marginals.size(); ++c) {
      const auto& column = report_.marginals[c];
      put("<figure><figcaption>", html_escape(column.name), "<span>error ",
          per_cent(report_.shapes.columns[c].error.value, 1), "</span></figcaption>");
      put(marginal_picture(column), "</figure>");
    }
    put("</div>\n");
  }

  /// Blue for negative, orange for positive, mixed with the page's own colour, so that both schemes work.
  static std::string heat(double value, double most) {
    const double strength = std::clamp(std::abs(value) / most, 0.0, 1.0);
    return concat("style=\"fill:", value < 0 ? "var(--real)" : "var(--made)",
                  ";fill-opacity:", fixed(strength, 2), "\"");
  }

  void matrix(std::string_view title, const std::vector<double>& values, double most) {
    const std::size_t n = report_.columns;
    constexpr double margin = 96;
    const double cell = std::max(13.0, 260.0 / static_cast<double>(n));
    const double size = margin + cell * static_cast<double>(n);
    put("<figure><figcaption>", title, "<span>full colour: ", short_number(most), "</span></figcaption>",
        svg(size, size, title));
    for (std::size_t i = 0; i < n; ++i) {
      const double at = margin + cell * (static_cast<double>(i) + 0.5);
      const std::string name = shortened(report_.marginals[i].name, 14);
      put(label(margin - 5, at + 4, name, "text-anchor=\"end\""),
          label(0, 0, name,
                concat("transform=\"translate(", fixed(at + 4, 1), ",", fixed(margin - 5, 1),
                       ") rotate(-90)\"")));
      for (std::size_t j = 0; j < n; ++j)
        put("<g>",
            rectangle(margin + cell * static_cast<double>(j), margin + cell * static_cast<double>(i),
                      cell - 1, cell - 1, heat(values[i * n + j], most)),
            "<title>", html_escape(report_.marginals[i].name), " × ", html_escape(report_.marginals[j].name),
            ": ", fixed(values[i * n + j], 3), "</title></g>");
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
        "of two categories, the correlation ratio of a number and a category. Orange is positive, blue "
        "negative; the third picture shows synthetic less real.</p><div class=\"three\">");
    matrix("Real", real, 1);
    matrix("Synthetic", made, 1);
    matrix("Difference", difference, largest);
    put("</div>", "<h3 style=\"margin-top:18px\">Pairs that are off most</h3><div "
                  "class=\"scroll\"><table><thead><tr><th>Columns</th><th class=\"n\">Trend error</th><th "
                  "class=\"n\">±</th></tr></thead><tbody>");
    for (std::size_t p = 0; p < std::min<std::size_t>(8, report_.trends.pairs.size()); ++p) {
      const auto& pair = report_.trends.pairs[p];
      put("<tr><td>", html_escape(pair.first_name), " × ", html_escape(pair.second_name),
          "</td><td class=\"n\">", fixed(100 * pair.error.value, 2), " %</td><td class=\"n\">",
          fixed(100 * pair.error.sd, 2), " %</td></tr>");
    }
    put("</tbody></table></div>\n");
  }

  void giveaways() {
    put("<h2>What gives it away</h2><p class=\"note\">Models are trained to tell synthetic from training "
        "rows and asked about rows they have not seen. An AUC of 0.5 means that they cannot tell.</p><div "
        "class=\"two\">",
        roc_figure(report_.detection));
    std::vector<std::pair<std::string, double>> items;
    const auto boosted =
        std::find_if(report_.detection.begin(), report_.detection.end(),
                     [](const auto& result) { return result.classifier == Classifier::boosted; });
    for (std::size_t k = 0; k < std::min<std::size_t>(12, boosted->importances.size()); ++k)
      items.push_back(boosted->importances[k]);
    put(bar_list("Most telling columns", "share of the boosted trees’ gain", items, 0));
    items.clear();
    for (std::size_t k = 0; k < std::min<std::size_t>(12, report_.telling.pairs.size()); ++k)
      items.emplace_back(report_.telling.pairs[k].first_name + " × " + report_.telling.pairs[k].second_name,
                         report_.telling.pairs[k].auc.value);
    put(bar_list("Two columns alone", "AUC, bars begin at 0.5", items, 0.5));
    items.clear();
    for (std::size_t k = 0; k < std::min<std::size_t>(12, report_.telling.columns.size()); ++k)
      items.emplace_back(report_.telling.columns[k].first_name, report_.telling.columns[k].auc.value);
    put(bar_list("One column alone", "AUC, bars begin at 0.5", items, 0.5));
    put("</div>\n");
  }

  void row(std::initializer_list<std::string> cells) {
    put("<tr>");
    std::size_t k = 0;
    for (const auto& cell : cells)
      put(k++ == 0 ? "<td>" : "<td class=\"n\">", html_escape(cell), "</td>");
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
        "the same hold-out rows.</p><div class=\"scroll\"><table><thead><tr><th>Target, model</th><th "
        "class=\"n\">from real rows</th><th class=\"n\">from synthetic</th><th class=\"n\">F1 real</th><th "
        "class=\"n\">F1 synthetic</th></tr></thead><tbody>");
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
    const auto warn = [&](const auto& result) {
      if (!result.note.empty())
        put("<p class=\"warn\">", html_escape(result.note), "</p>");
    };
    std::for_each(report_.efficacy.begin(), report_.efficacy.end(), warn);
    std::for_each(report_.regression.begin(), report_.regression.end(), warn);
    if (report_.augmentation)
      warn(*report_.augmentation);
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
    constexpr double width = 520;
    constexpr double bottom = 206;
    put("<figure><figcaption>Distance to the closest training row<span>columns’ ranges are the "
        "unit</span></figcaption>",
        svg(width, 232, "Histogram of distances to the closest training row"),
        paired_bars(shares(unseen), shares(made), width, bottom), label(0, bottom + 16, "0"),
        label(width, bottom + 16, short_number(most), "text-anchor=\"end\""), "</svg>",
        legend({"hold-out rows", "synthetic rows"}), "</figure>");
  }

  void privacy() {
    const auto& copies = report_.copies;
    const auto& distances = report_.distances;
    put("<h2>Privacy</h2><p>These attacks look for training rows in the synthetic ones. Hold-out rows, which "
        "the model has not seen, are the yardstick: what holds for them as well is knowledge of people in "
        "general, not of a person. <b>Passing them is no proof of privacy</b>; distances to the closest "
        "record in particular are known to miss leaks.</p><div class=\"two\"><div>");
    distance_histogram();
    put("</div><div class=\"scroll\"><table><thead><tr><th>Closest training row</th><th "
        "class=\"n\">synthetic</th><th class=\"n\">hold-out</th></tr></thead><tbody>");
    const auto counted = [](std::size_t count, double part) {
      return concat(grouped(count), " (", per_cent(part), ")");
    };
    row({"Exact copies", counted(copies.copies, copies.share.value),
         counted(copies.holdout_copies, copies.base_share.value)});
    const auto quantile = [&](const char* name, const auto& values, std::size_t at) {
      row({name, fixed((distances.synthetic.*values)[at], 4), fixed((distances.holdout.*values)[at], 4)});
    };
    quantile("Distance, 1 % quantile", &DistanceQuantiles::distance, 0);
    quantile("Distance, 5 % quantile", &DistanceQuantiles::distance, 1);
    quantile("Distance, median", &DistanceQuantiles::distance, 3);
    quantile("Closest / second closest, 5 % quantile", &DistanceQuantiles::ratio, 1);
    quantile("Closest / second closest, median", &DistanceQuantiles::ratio, 3);
    const auto percent = [](const Estimate& figure) {
      return concat(fixed(100 * figure.value, 2), " ± ", per_cent(figure.sd));
    };
    row({"Nearer to training than to hold-out rows", percent(distances.share), "50 %"});
    put("</tbody></table></div></div>");
    if (!distances.note.empty())
      put("<p class=\"note\">", html_escape(distances.note), ".</p>");
    put("<h3 style=\"margin-top:18px\">Was a person’s row among the training rows?</h3><div "
        "class=\"scroll\"><table><thead><tr><th>Attack</th><th class=\"n\">AUC</th><th class=\"n\">found at "
        "1 % false alarms</th><th class=\"n\">at 0.1 %</th><th class=\"n\">p</th></tr></thead><tbody>");
    for (const auto& [name, result] : {std::pair{"synthetic rows", &report_.membership},
                                       std::pair{"real rows in their place", &report_.ideal_membership}})
      for (const auto& attack : result->attacks)
        row({attack.name + ", " + name, concat(fixed(attack.auc.value, 4), " ± ", fixed(attack.auc.sd, 4)),
             percent(attack.tpr_at_1), percent(attack.tpr_at_01), short_number(attack.p_value)});
    put("</tbody></table></div><p class=\"note\">", grouped(report_.membership.members),
        " training rows are to be told from as many hold-out rows; the attacker knows ",
        grouped(report_.membership.reference),
        " other rows of the population. Guessing gives an AUC of 0.5 and finds 1 % and 0.1 %.</p>",
        "<h3>What is in a row that the attacker did not know?</h3><div "
        "class=\"scroll\"><table><thead><tr><th>Secret column</th><th class=\"n\">training rows "
        "guessed</th><th class=\"n\">hold-out rows guessed</th><th "
        "class=\"n\">advantage</th></tr></thead><tbody>");
    for (const auto& risk : report_.attributes.risks)
      row({risk.secret, per_cent(risk.guessed), per_cent(risk.baseline), percent(risk.advantage)});
    put("</tbody></table></div><p class=\"note\">Each column is guessed from all others by the closest "
        "synthetic row, for ",
        grouped(report_.attributes.persons),
        " training and as many hold-out rows; a number counts as guessed within 2.5 % of its range. p = ",
        short_number(report_.attributes.p_value), " for the most significant of all columns.</p>\n");
  }

  void method() {
    put("<h2>How it was computed</h2>");
    const auto source = [&](const char* name, const std::string& text) {
      if (!text.empty())
        put("<p class=\"note\">", name, ": ", html_escape(text), "</p>");
    };
    source("Training table", options_.train);
    source("Hold-out table", options_.holdout);
    source("Synthetic table", options_.synthetic);
    const auto& first = report_.detection.front();
    put("<p>Detection: ", std::to_string(report_.options.seeds),
        report_.options.seeds == 1 ? " seed, " : " seeds, ", std::to_string(first.folds),
        "-fold cross-validation on ", grouped(first.rows),
        " rows of each table; real against real: one seed, ", grouped(report_.ideal_detection.front().rows),
        " rows of each. Trees see categories as ordinal codes, missing values before all others; the linear "
        "model sees standardised numbers and one-hot categories.</p>",
        "<p>Shape and trend errors are one minus SDMetrics’ KSComplement, TVComplement, "
        "CorrelationSimilarity and ContingencySimilarity (10 bins), with missing values as values; ± by "
        "bootstrap over rows. α-precision and β-recall follow Alaa et al. (2022), on ",
        grouped(report_.support.rows),
        " rows of each. Distances are Gower’s. Membership inference follows DOMIAS (van Breugel et al. "
        "2023), attribute inference Giomi et al. (2023).</p>",
        "<p>Lights: privacy is red where a leak is both certain (p &lt; 0.001) and large enough to matter, "
        "amber where p &lt; 0.01. Fidelity and utility compare with marks, such as a detection AUC of 0.6 "
        "(green) and 0.8 (amber), and an efficacy of 0.98 and 0.95, or with what as many real rows show by "
        "chance (three standard deviations) where that is worse. A detection well below what real rows show, "
        "and what cannot be measured, are at most amber. A section shows the worst of its lights.</p>",
        "<p class=\"note\">Made by rowsmith " ROWSMITH_VERSION ", seed ",
        std::to_string(report_.options.seed),
        ". The same tables, seed and build give the same report.</p>\n");
  }

  void signature() {
    put("<h2>Decision</h2><ul class=\"checks\"><li>Release as it is</li><li>Release with "
        "conditions</li><li>Do not release</li></ul><div class=\"sign\"><div>Name and "
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

} // namespace evaluate
using evaluate::to_html;
ROWSMITH_END
