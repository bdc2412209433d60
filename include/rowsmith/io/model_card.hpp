// SPDX-License-Identifier: MIT
/// \file
/// What a model says about itself, and above all which values of its training rows it repeats.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/table/column_format.hpp>

ROWSMITH_BEGIN

/// A number of values that the file of a model holds and generated rows repeat.
struct CopiedValues {
  std::size_t count = 0;
  std::string what{};         ///< in the plural, such as "categories"
  std::size_t least_rows = 1; ///< so many training rows had each of them, or more; 0: by counts with noise
};

/// What a model keeps of a column.
struct CardColumn {
  std::string name{};
  std::string role{};                 ///< as `to_string(ColumnRole)`, or the kind where the file is unknown
  std::vector<CopiedValues> copied{}; ///< none: no value of a training row comes back but by chance
  std::string otherwise{};            ///< what else stands in generated rows, or how the column is made
  std::vector<std::string> held{};    ///< the first of what is repeated, as the file writes it
  std::vector<double> values{}; ///< of numbers that are repeated: these, or some evenly from all of them
  std::vector<double> edges{};  ///< of bins, between which numbers are drawn; or some of them
  ColumnFormat format{};        ///< how values and edges are written
  int decimals = -1;            ///< of them, as `Column::decimals`
};

/// What a model says about itself.
struct ModelCard {
  std::string recipe{};
  std::optional<std::size_t> training_rows{}; ///< nothing if the model does not know
  std::string label{};                        ///< of a conditional model: what rows can be asked for by
  std::vector<CardColumn> columns{};          ///< of the table's file, in its order
  std::vector<CardColumn> made{};             ///< that stand for columns of the file in what is learnt
  std::vector<std::string> relations{};       ///< that generated rows keep
  std::vector<LearningCurve> training{};      ///< how it went, stage by stage; none where the file has none
  std::string privacy{};                      ///< what is promised of any one row, in words
};

namespace detail {

/// Fills in a card.
class CardMaker {
public:
  explicit CardMaker(const TableModel& model) : parts_(model.parts()) {}

  ModelCard make() {
    ModelCard card;
    card.recipe = note("recipe");
    card.training_rows = whole(note("training_rows"));
    card.privacy = parts_.privacy.statement();
    card.training = parts_.curves;
    if (parts_.conditional())
      card.label = parts_.encoder.schema().label();
    const auto& preparation = parts_.preparation;
    const auto& schema = preparation.schema();
    card.relations = preparation.relations();
    std::optional<TableFormat> format;
    if (const auto found = parts_.notes.find("format"); found != parts_.notes.end())
      format = table_format_from_json(found->second);
    if (!format || format->schema().columns() != user_schema().columns()) {
      format = TableFormat();
      for (const auto& column : user_schema().columns())
        format->columns.push_back(
            {.name = column.name,
             .role = column.kind == ColumnKind::categorical ? ColumnRole::category : ColumnRole::real});
    }
    std::size_t slot = 0;
    for (const auto& column : format->columns) {
      card.columns.push_back({column.name, std::string(to_string(column.role)), {}, {}});
      auto& to = card.columns.back();
      if (column.role == ColumnRole::identifier)
        to.otherwise = "made anew";
      else if (column.role == ColumnRole::text)
        to.otherwise = "a placeholder";
      else if (column.role == ColumnRole::dropped)
        to.otherwise = "left out";
      else
        column_of(slot++, column, to);
    }
    for (std::size_t i = 0; i < preparation.model_slots().size(); ++i)
      if (preparation.model_slots()[i] >= schema.size() && schema.size() > 0) {
        const auto& codec = parts_.encoder.codecs()[i];
        card.made.push_back({codec.name, std::string(to_string(codec.column_kind())), {}, {}});
        codes(codec,
              {.role =
                   codec.column_kind() == ColumnKind::categorical ? ColumnRole::category : ColumnRole::real},
              card.made.back());
      }
    return card;
  }

private:
  std::string note(const std::string& key) const {
    const auto found = parts_.notes.find(key);
    return found == parts_.notes.end() ? std::string() : found->second;
  }
  static std::optional<std::size_t> whole(std::string_view text) {
    std::size_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    return text.empty() || result.ec != std::errc{} || result.ptr != text.data() + text.size()
               ? std::nullopt
               : std::optional(number);
  }
  /// An option of the training; `otherwise` if the model does not know.
  std::size_t option(const std::string& name, std::size_t otherwise) const {
    const auto options = "\n" + note("options");
    const std::string before = "\n" + name + " = ";
    const auto at = options.find(before);
    if (at == std::string::npos)
      return otherwise;
    const auto begin = at + before.size();
    const auto number = parse_number(options.substr(begin, options.find('\n', begin) - begin));
    return number && *number >= 0 && *number < 0x1p53 ? static_cast<std::size_t>(*number) : otherwise;
  }
  const TableSchema& user_schema() const {
    return parts_.preparation.schema().size() > 0 ? parts_.preparation.schema() : parts_.encoder.schema();
  }

  /// A column that the model draws, or that a transform puts back.
  void column_of(std::size_t slot, const ColumnFormat& format, CardColumn& to) const {
    const auto& preparation = parts_.preparation;
    if (preparation.schema().size() == 0)
      return codes(parts_.encoder.codecs()[slot], format, to);
    const auto& slots = preparation.model_slots();
    if (const auto place = std::find(slots.begin(), slots.end(), slot); place != slots.end())
      return codes(parts_.encoder.codecs()[static_cast<std::size_t>(place - slots.begin())], format, to);
    const auto relations = preparation.relations();
    for (std::size_t t = 0; t < preparation.transforms().size(); ++t) {
      const auto& transform = preparation.transforms()[t];
      const auto takes = std::visit([](const auto& one) { return one.takes(); }, transform);
      if (std::find(takes.begin(), takes.end(), slot) == takes.end())
        continue;
      to.otherwise = "put back: " + relations[t];
      if (const auto* constant = std::get_if<ConstantColumn>(&transform)) {
        if (!constant->missing)
          to.copied.push_back({1, "value", 1});
      } else if (const auto* lookup = std::get_if<LookupColumn>(&transform)) {
        to.copied.push_back({lookup->texts.size() + lookup->numbers.size(), "values in a table", 1});
        to.copied.push_back({lookup->key_texts.size() + lookup->key_numbers.size(), "keys of it", 1});
      } else if (const auto* calendar = std::get_if<CalendarColumn>(&transform)) {
        const auto parts = std::count(calendar->learnt.begin(), calendar->learnt.end(), 0);
        if (parts > 0)
          to.copied.push_back({static_cast<std::size_t>(parts), "parts of a date", 1});
      }
      return;
    }
  }
  /// At most so many, evenly, with the first and the last.
  static std::vector<double> some_of(const std::vector<double>& all, std::size_t most) {
    if (all.size() <= most)
      return all;
    std::vector<double> some;
    for (std::size_t k = 0; k < most; ++k)
      some.push_back(all[k * (all.size() - 1) / (most - 1)]);
    return some;
  }
  void codes(const ColumnCodec& codec, const ColumnFormat& format, CardColumn& to) const {
    const auto put = [&](std::size_t count, const char* what, std::size_t least_rows) {
      if (count > 0)
        to.copied.push_back({count, what, parts_.privacy.empty() ? std::max<std::size_t>(least_rows, 1) : 0});
    };
    constexpr std::size_t shown = 12;
    constexpr std::size_t drawn = 200;
    for (std::size_t k = 0; k < std::min(shown, codec.categories.size()); ++k)
      to.held.push_back(codec.categories[k]);
    for (std::size_t k = 0; k < std::min(shown, codec.points.size()); ++k)
      append_formatted(to.held.emplace_back(), codec.points[k], codec.decimals, format);
    to.format = format;
    to.decimals = codec.decimals;
    to.values = some_of(codec.points, drawn);
    to.edges = some_of(codec.knots, drawn);
    switch (codec.kind) {
    case ColumnCodec::Kind::categorical:
      put(codec.categories.size(), "categories",
          codec.has_other ? option("encoding.min_category_rows", 1) : 1);
      if (codec.has_other)
        to.otherwise = "rarer ones are " + in_quotes(codec.other_text);
      return;
    case ColumnCodec::Kind::exact:
      put(codec.points.size(), "values", 1);
      return;
    case ColumnCodec::Kind::binned:
      put(codec.points.size(), "point masses", 5);
      put(codec.atoms.size(), "atoms", option("encoding.min_atom_rows", 1));
      break;
    case ColumnCodec::Kind::standardised:
      break;
    }
    to.otherwise = "numbers drawn from ";
    append_formatted(to.otherwise, codec.minimum, codec.decimals, format);
    to.otherwise += " to ";
    append_formatted(to.otherwise, codec.maximum, codec.decimals, format);
  }

  const TableModelParts& parts_;
};

inline std::string copied_text(const CardColumn& column) {
  std::string text;
  for (const auto& values : column.copied) {
    text += (text.empty() ? "" : ", ") + std::to_string(values.count) + " " + values.what;
    text += values.least_rows == 0   ? " (by noisy counts)"
            : values.least_rows == 1 ? " (of 1 row or more)"
                                     : " (of " + std::to_string(values.least_rows) + " rows or more)";
  }
  return text.empty() ? "nothing" : text;
}

/// Why a stage ended, for people.
inline std::string_view end_text(StageEnd end) {
  constexpr std::string_view texts[] = {"its steps were used up", "held-out rows got no likelier any more",
                                        "it was stopped"};
  return texts[static_cast<std::size_t>(end)];
}

inline std::string loss_text(double value) {
  std::string text;
  append_number(text, value, std::abs(value) < 1e6 ? 3 : 0);
  return text;
}

/// How a stage went, in one line. \param write  (number) -> text
template <class Write>
std::string curve_line(const LearningCurve& curve, const Write& write) {
  std::string text = std::to_string(curve.epochs) + (curve.epochs == 1 ? " epoch" : " epochs");
  if (!curve.steps.empty())
    text += ", " + std::to_string(curve.steps.back()) + (curve.steps.back() == 1 ? " step" : " steps");
  text += "; ended because " + std::string(end_text(curve.end));
  for (std::size_t f = 0; f < curve.figures.size() && !curve.steps.empty(); ++f) {
    text += "; " + readable_utf8(curve.figures[f]) + " " + write(curve.value(0, f)) + " to " +
            write(curve.value(curve.steps.size() - 1, f));
    if (curve.figures[f] == "validation") {
      // Of all epochs, where the file says; else there may have been less between the points it keeps.
      const auto point = curve.least_point(f);
      text += curve.best
                  ? ", least " + write(curve.best->loss) + " after step " + std::to_string(curve.best->step)
                  : ", least of the points that were kept " + write(curve.value(point, f)) + " after step " +
                        std::to_string(curve.steps[point]);
    }
  }
  return text;
}

/// What a model is, in one line.
inline std::string head_text(const ModelCard& card) {
  std::string text = "a model, recipe " + (card.recipe.empty() ? "unknown" : readable_utf8(card.recipe));
  if (card.training_rows)
    text += ", of " + std::to_string(*card.training_rows) + " rows";
  if (!card.label.empty())
    text += "; makes rows for a '" + readable_utf8(card.label) + "' that is asked for";
  return text;
}

} // namespace detail

/// The card of a model.
inline ModelCard model_card(const TableModel& model) { return detail::CardMaker(model).make(); }

/// The card for people, in lines.
inline std::string to_text(const ModelCard& card) {
  std::string text = detail::head_text(card) + "\n\n";
  std::vector<std::vector<std::string>> lines{
      {"column", "role", "repeats of the training rows", "otherwise"}};
  const auto add = [&lines](const CardColumn& column) {
    lines.push_back({column.name.empty() ? "(no name)" : readable_utf8(column.name), column.role,
                     detail::copied_text(column), readable_utf8(column.otherwise)});
  };
  for (const auto& column : card.columns)
    add(column);
  if (!card.made.empty())
    lines.push_back({"learnt in place of columns that are put back:", "", "", ""});
  for (const auto& column : card.made)
    add(column);
  std::vector<std::size_t> width(4);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size() && !line[1].empty(); ++i)
      width[i] = std::max(width[i], line[i].size());
  for (const auto& line : lines) {
    std::string row = " ";
    for (std::size_t i = 0; i < line.size(); ++i)
      row += " " + line[i] + std::string(width[i] - std::min(width[i], line[i].size()) + 1, ' ');
    text.append(row, 0, row.find_last_not_of(' ') + 1).append(1, '\n');
  }
  if (!card.relations.empty())
    text += "\nrelations, which generated rows keep:\n";
  for (const auto& relation : card.relations)
    text += "  " + readable_utf8(relation) + '\n';
  if (!card.training.empty())
    text += "\ntraining, stage by stage (losses a row):\n";
  for (const auto& curve : card.training)
    text += "  " + readable_utf8(curve.stage) + ": " + detail::curve_line(curve, detail::loss_text) + '\n';
  return text +
         "\nThe file of the model holds what is repeated as it was in the training rows. Ranges are rounded "
         "outwards.\n\nprivacy: " +
         card.privacy;
}

ROWSMITH_END
