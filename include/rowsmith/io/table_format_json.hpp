// SPDX-License-Identifier: MIT
/// \file
/// How a file is written and what its columns mean, as JSON: for people to edit, and in a model's notes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/io/model_json.hpp>
#include <rowsmith/table/table_format.hpp>

ROWSMITH_BEGIN

namespace detail {

inline std::string one_character(const nlohmann::json& json, std::string_view name, bool may_be_empty) {
  const auto value = text(json, name);
  if (value.size() > 1 || (value.empty() && !may_be_empty))
    throw ModelFileError("'" + std::string(name) + "' is " + in_quotes(value) + ", expected one character");
  return value;
}

inline nlohmann::json column_format_json(const ColumnFormat& column) {
  const auto mark = [](char c) { return c == 0 ? std::string() : std::string(1, c); };
  nlohmann::json json{{"name", column.name}, {"role", to_string(column.role)}};
  if (column.role == ColumnRole::integer || column.role == ColumnRole::real) {
    const auto& marks = column.marks;
    if (!(marks == NumberMarks{}))
      json["marks"] = {{"prefix", marks.prefix},         {"suffix", marks.suffix},
                       {"decimal", mark(marks.decimal)}, {"thousands", mark(marks.thousands)},
                       {"brackets", marks.brackets},     {"scientific", marks.scientific},
                       {"digits", marks.digits}};
  }
  if (!column.pattern.empty())
    json["pattern"] = column.pattern;
  if (column.role == ColumnRole::identifier && column.pattern == "#")
    json["first"] = column.first;
  if (!(column.origin == WholeNumber{})) // as a text: other readers of JSON would round it
    json["origin"] = to_string(column.origin);
  if (column.quoted)
    json["quoted"] = true;
  json["missing"] = column.missing;
  if (column.missing_quoted)
    json["missing_quoted"] = true;
  if (!column.missing_words.empty())
    json["missing_words"] = column.missing_words;
  return json;
}

inline ColumnFormat column_format_from(const nlohmann::json& json) {
  ColumnFormat column;
  column.name = text(json, "name");
  column.role = static_cast<ColumnRole>(choice(json, "role", column_role_names));
  if (json.contains("marks")) {
    const auto& marks = json["marks"];
    column.marks = {.prefix = text(marks, "prefix"),
                    .suffix = text(marks, "suffix"),
                    .decimal = one_character(marks, "decimal", false)[0],
                    .brackets = boolean(marks, "brackets"),
                    .scientific = boolean(marks, "scientific"),
                    .digits = static_cast<int>(integer(marks, "digits", 0, 17))};
    const auto thousands = one_character(marks, "thousands", true);
    column.marks.thousands = thousands.empty() ? static_cast<char>(0) : thousands[0];
  }
  if (json.contains("pattern"))
    column.pattern = text(json, "pattern");
  if (json.contains("first"))
    column.first = integer(json, "first", INT64_MIN, INT64_MAX);
  if (json.contains("origin")) {
    const auto origin = parse_whole(text(json, "origin"));
    if (!origin || TableFormat::kind_of(column.role) != ColumnKind::numerical ||
        column.role == ColumnRole::date)
      throw ModelFileError("'origin' of column '" + column.name +
                           "' is no whole number of 64 bits in quotes, or the column's role is not integer");
    column.origin = *origin;
  }
  column.quoted = json.contains("quoted") && boolean(json, "quoted");
  if (json.contains("missing"))
    column.missing = text(json, "missing");
  column.missing_quoted = json.contains("missing_quoted") && boolean(json, "missing_quoted");
  if (json.contains("missing_words"))
    column.missing_words = texts(json, "missing_words");
  if ((column.role == ColumnRole::date || column.role == ColumnRole::identifier) && column.pattern.empty())
    throw ModelFileError("column '" + column.name + "' has no 'pattern', which a " +
                         std::string(to_string(column.role)) + " needs");
  return column;
}

} // namespace detail

/// \throws ModelFileError if a name is not valid UTF-8
inline std::string to_json(const TableFormat& format, int indent = -1) {
  const auto& dialect = format.dialect;
  nlohmann::json columns = nlohmann::json::array();
  for (const auto& column : format.columns)
    columns.push_back(detail::column_format_json(column));
  const nlohmann::ordered_json json{{"delimiter", std::string(1, dialect.delimiter)},
                                    {"header", dialect.header},
                                    {"encoding", to_string(dialect.encoding)},
                                    {"byte_order_mark", dialect.byte_order_mark},
                                    {"crlf", dialect.crlf},
                                    {"carriage_returns", dialect.carriage_returns},
                                    {"separator_line", dialect.separator_line},
                                    {"label", format.label},
                                    {"columns", columns}};
  try {
    return json.dump(indent);
  } catch (const nlohmann::json::exception& error) {
    throw ModelFileError(std::string("the format of the table: ") + error.what());
  }
}

/// The reverse. Nothing in `text` is trusted. \throws ModelFileError saying what is wrong
inline TableFormat table_format_from_json(std::string_view json_text) {
  const auto json = nlohmann::json::parse(json_text, nullptr, false);
  if (!json.is_object())
    throw ModelFileError("the format of the table is no JSON object");
  TableFormat format;
  format.dialect.delimiter = detail::one_character(json, "delimiter", false)[0];
  format.dialect.header = detail::boolean(json, "header");
  format.dialect.encoding = static_cast<TextEncoding>(detail::choice(json, "encoding", text_encoding_names));
  const auto flag = [&](std::string_view name) {
    return json.contains(std::string(name)) && detail::boolean(json, name);
  };
  format.dialect.byte_order_mark = flag("byte_order_mark");
  format.dialect.crlf = flag("crlf");
  format.dialect.carriage_returns = flag("carriage_returns");
  format.dialect.separator_line = flag("separator_line");
  if (format.dialect.crlf && format.dialect.carriage_returns)
    throw ModelFileError("'crlf' and 'carriage_returns' are both true, expected one of them");
  format.label = json.contains("label") ? detail::text(json, "label") : std::string();
  for (const auto& column : detail::array_of(detail::member(json, "columns"), "columns"))
    format.columns.push_back(detail::column_format_from(column));
  detail::check_format(format);
  static_cast<void>(format.schema()); // names are there, and once
  return format;
}

/// Reads a file that `rowsmith describe --schema-out` wrote, edited or not. \throws ModelFileError naming it
inline TableFormat read_table_format(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in && text.empty())
    throw ModelFileError(path + ": cannot be read");
  try {
    return table_format_from_json(text);
  } catch (const Error& error) {
    throw ModelFileError(path + ": " + error.what());
  }
}

ROWSMITH_END
