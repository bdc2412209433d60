// SPDX-License-Identifier: MIT
/// \file
/// Conditions as people write them.
#pragma once

#include <algorithm>
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

/// Takes a text off the beginning of another: what stands between double quotes, where two are one, or all up
/// to a comma, if `listed`. \returns what it says \throws SchemaError
inline std::string take_value(std::string_view& text, bool listed) {
  text = without_blanks(text);
  if (text.empty() || text.front() != '"') {
    const auto end = listed ? text.find(',') : std::string_view::npos;
    const auto value = without_blanks(text.substr(0, end));
    text.remove_prefix(std::min(end, text.size()));
    return std::string(value);
  }
  std::string value;
  std::size_t at = 1;
  for (; at < text.size() && (text[at] != '"' || text.substr(at, 2) == "\"\""); ++at) {
    at += text[at] == '"' ? 1U : 0U;
    value += text[at];
  }
  if (at >= text.size())
    throw SchemaError("a quotation mark is never closed");
  text = without_blanks(text.substr(at + 1));
  if (!text.empty() && !(listed && text.front() == ','))
    throw SchemaError("expected " + std::string(listed ? "a comma or " : "") +
                      "the end behind a closing quotation mark");
  return value;
}

[[noreturn]] inline void refuse_condition(std::string_view text, const std::string& what) {
  throw SchemaError("condition " + in_quotes(text) + ": " + what);
}

} // namespace detail

/// A condition from its text: `age >= 60`, `sex = Female`, `town != Oslo`, `job in Sales, "Farming,
/// fishing"`, `age is missing`, `age is present`. The signs are = != < <= > >=; blanks around them do not
/// count. What stands behind = or != is one value, commas and all. \param to_number  (column, text) ->
/// std::optional<double>: how numerical columns are written, such as dates \throws SchemaError naming the
/// condition and what was expected
template <class ToNumber>
Condition parse_condition(std::string_view text, const TableSchema& schema, const ToNumber& to_number) {
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
    detail::refuse_condition(text, "expected a column, then one of = != < <= > >= in is; the columns are: " +
                                       known + (schema.size() > 20 ? ", …" : ""));
  }
  Condition condition{.column = schema[column].name};
  const bool numerical = schema[column].kind == ColumnKind::numerical;
  const auto number = [&](std::string_view written) {
    const std::optional<double> value = to_number(column, written);
    if (!value)
      detail::refuse_condition(text, "column '" + condition.column +
                                         "' holds numbers or dates as the table writes them, and " +
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
  const auto value_of = [&](std::string_view& left, bool listed) {
    try {
      return detail::take_value(left, listed);
    } catch (const SchemaError& error) {
      detail::refuse_condition(text, error.what());
    }
  };
  const auto sign = sign_of(rest);
  if (sign.empty()) {
    const auto words = detail::without_blanks(rest.substr(2));
    if (rest.starts_with("in ")) {
      auto left = words;
      for (bool more = true; more; left.remove_prefix(more ? 1 : 0)) {
        allow(value_of(left, true));
        more = !left.empty();
      }
    } else if (words == "missing") {
      condition.missing = true;
    } else if (words == "present" || words == "not missing") {
      condition.negated = true;
    } else {
      detail::refuse_condition(text, "expected 'is missing' or 'is present'");
    }
    return condition;
  }
  auto left = rest.substr(sign.size());
  const std::string value = value_of(left, false);
  if (sign == "=" || sign == "==" || sign == "!=") {
    condition.negated = sign == "!=";
    allow(value);
    return condition;
  }
  if (!numerical)
    detail::refuse_condition(text, "column '" + condition.column +
                                       "' holds texts, which have no order; use = != or in");
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
