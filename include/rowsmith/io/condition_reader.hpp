// SPDX-License-Identifier: MIT
/// \file
/// Conditions in the words of the file that a model learnt.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/models/condition_text.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/table/column_format.hpp>

ROWSMITH_BEGIN
namespace detail {

/// The ranges of numbers that are written within a condition's: times that show no seconds are written as the
/// nearest minute. \param of_day  the last half minute of a day is written as its first minute
inline void widen_to_minutes(Condition& condition, bool of_day) {
  constexpr double half = 30;
  for (auto& range : condition.ranges) {
    range.least += range.without_least ? half : -half;
    range.most += range.without_most ? -half : half;
    if (of_day && !condition.negated)
      range.most = std::min(range.most, 86'400 - half);
    // Half a minute is rounded up.
    range.without_most = true;
    range.without_least = false;
  }
}

inline TableFormat learnt_format(const TableModel& model) {
  const auto& notes = model.parts().notes;
  const auto found = notes.find("format");
  return found == notes.end() ? TableFormat{} : table_format_from_json(found->second);
}

inline Condition read_condition(std::string_view text, const TableSchema& schema, const TableFormat& format) {
  const auto of = [&](std::string_view name) -> const ColumnFormat* {
    for (const auto& column : format.columns)
      if (column.name == name)
        return &column;
    return nullptr;
  };
  auto condition = parse_condition(text, schema, [&](std::size_t column, std::string_view number) {
    const ColumnFormat* known = of(schema[column].name);
    return known == nullptr ? parse_number(number) : parse_typed(number, *known);
  });
  if (const ColumnFormat* known = of(condition.column); known != nullptr && known->role == ColumnRole::date &&
                                                        has(known->pattern, 'h') && !has(known->pattern, 's'))
    widen_to_minutes(condition, !has(known->pattern, 'Y'));
  return condition;
}

} // namespace detail

/// A condition from its text, as `parse_condition` takes it, with numbers and dates as they are written in
/// the file that the model learnt, or plainly. \throws SchemaError as that
inline Condition read_condition(std::string_view text, const TableModel& model) {
  return detail::read_condition(text, model.schema(), detail::learnt_format(model));
}
/// Several of them, which all hold.
inline std::vector<Condition> read_conditions(const std::vector<std::string>& texts,
                                              const TableModel& model) {
  std::vector<Condition> conditions;
  if (texts.empty())
    return conditions;
  const auto format = detail::learnt_format(model);
  for (const auto& text : texts)
    conditions.push_back(detail::read_condition(text, model.schema(), format));
  return conditions;
}

ROWSMITH_END
