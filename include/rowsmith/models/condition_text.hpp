// SPDX-License-Identifier: MIT
/// \file
/// Conditions as people write them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/models/conditions.hpp>
#include <rowsmith/table/schema.hpp>

ROWSMITH_BEGIN
namespace detail {

inline std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

/// Texts between commas; one in double quotes may hold commas, and two quotes for one.
inline std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> result;
  for (;;) {
    text = without_blanks(text);
    std::string value;
    std::size_t end = 0;
    if (!text.empty() && text.front() == '"') {
      for (end = 1; end < text.size() && (text[end] != '"' || text.substr(end, 2) == "\"\""); ++end) {
        end += text[end] == '"' ? 1U : 0U;
        value += text[end];
      }
      if (end == text.size())
        throw SchemaError("a quotation mark that is never closed");
      end = text.find(',', end);
    } else {
      end = text.find(',');
      value = without_blanks(text.substr(0, end));
    }
    result.push_back(std::move(value));
    if (end == std::string_view::npos)
      return result;
    text.remove_prefix(end + 1);
  }
}

} // namespace detail

/// A condition from its text: `age >= 60`, `sex = Female`, `town != Oslo`, `job in Sales, "Farming,
/// fishing"`, `age is missing`, `age is present`. The signs are = != < <= > >=; blanks around them do not
/// count. What stands behind = or != is one value, commas and all. \param to_number  (column, text) ->
/// std::optional<double>: how numerical columns are written, such as dates \throws SchemaError naming the
/// condition and what was expected
template <class ToNumber>
Condition parse_condition(std::string_view text, const TableSchema& schema, const ToNumber& to_number) {
  const auto fail = [text](const std::string& what) -> void {
    throw SchemaError("condition " + detail::in_quotes(text) + ": " + what);
  };
  const std::string_view whole = detail::without_blanks(text);
  // The longest name that it begins with: names may hold blanks and signs.
  std::size_t column = schema.size();
  std::size_t length = 0;
  std::string_view rest;
  static constexpr std::array<std::string_view, 8> signs{"!=", "<=", ">=", "==", "=", "<", ">", ""};
  const auto sign_of = [](std::string_view after) {
    std::size_t sign = 0;
    while (!after.starts_with(signs[sign]))
      ++sign;
    return signs[sign];
  };
  for (std::size_t c = 0; c < schema.size(); ++c) {
    const auto& name = schema[c].name;
    if (!whole.starts_with(name) || (column < schema.size() && name.size() <= length))
      continue;
    const auto after = whole.substr(name.size());
    const auto trimmed = detail::without_blanks(after);
    if (!sign_of(trimmed).empty() ||
        (after != trimmed && (trimmed.starts_with("in ") || trimmed.starts_with("is ")))) {
      column = c;
      length = name.size();
      rest = trimmed;
    }
  }
  if (column == schema.size()) {
    std::string known;
    for (std::size_t c = 0; c < schema.size() && c < 20; ++c)
      known += (c == 0 ? "" : ", ") + schema[c].name;
    fail("expected a column, then one of = != < <= > >= in is; the columns are: " + known +
         (schema.size() > 20 ? ", …" : ""));
  }
  Condition condition{.column = schema[column].name};
  const bool numerical = schema[column].kind == ColumnKind::numerical;
  const auto number = [&](std::string_view written) {
    const std::optional<double> value = to_number(column, written);
    if (!value)
      fail("column '" + condition.column + "' holds numbers or dates as the table writes them, and " +
           detail::in_quotes(written) + " is none");
    return *value;
  };
  const auto allow = [&](std::string_view value) {
    if (!numerical) {
      condition.values.emplace_back(value);
      return;
    }
    const double own = number(value);
    condition.ranges.push_back({.least = own, .most = own});
  };
  const auto sign = sign_of(rest);
  if (sign.empty()) {
    const auto words = detail::without_blanks(rest.substr(2));
    if (rest.starts_with("in ")) {
      std::vector<std::string> values;
      try {
        values = detail::listed(words);
      } catch (const SchemaError& error) {
        fail(error.what());
      }
      for (const auto& value : values)
        allow(value);
    } else if (words == "missing") {
      condition.missing = true;
    } else if (words == "present" || words == "not missing") {
      condition.negated = true;
    } else {
      fail("expected 'is missing' or 'is present'");
    }
    return condition;
  }
  auto value = detail::without_blanks(rest.substr(sign.size()));
  if (value.size() > 1 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  if (sign == "=" || sign == "==" || sign == "!=") {
    condition.negated = sign == "!=";
    allow(value);
    return condition;
  }
  if (!numerical)
    fail("column '" + condition.column + "' holds texts, which have no order; use = != or in");
  const double bound = number(value);
  if (sign.front() == '<')
    condition.ranges.push_back({.most = bound, .without_most = sign.size() == 1});
  else
    condition.ranges.push_back({.least = bound, .without_least = sign.size() == 1});
  return condition;
}
/// The same with numbers as C++ writes them.
inline Condition parse_condition(std::string_view text, const TableSchema& schema) {
  return parse_condition(text, schema,
                         [](std::size_t, std::string_view number) { return parse_number(number); });
}

ROWSMITH_END
