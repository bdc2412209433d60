// SPDX-License-Identifier: MIT
// Tables between Python and the library: columns of numpy arrays and texts, and files.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/table/likely_wrong.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_file.hpp>

namespace native {

namespace py = pybind11;
namespace rs = rowsmith;

using Numbers = py::array_t<double, py::array::c_style>;
using Codes = py::array_t<std::int32_t, py::array::c_style>;

// A vector as an array of numpy's, without a copy.
template <class Number>
py::array_t<Number> as_array(std::vector<Number>&& values) {
  auto* kept = new std::vector<Number>(std::move(values));
  const py::capsule owner(kept, [](void* memory) { delete static_cast<std::vector<Number>*>(memory); });
  return py::array_t<Number>(static_cast<py::ssize_t>(kept->size()), kept->data(), owner);
}

// A table, and how the file would be written that holds it.
struct NativeTable {
  rs::Table table;
  rs::TableFormat format;
  std::vector<std::string> notes;    // what was found out about a file
  std::vector<std::string> warnings; // what is likely wrong

  std::size_t rows() const { return table.rows(); }
};

// How a file is read, as the program's options have it.
struct ReadOptions {
  std::map<std::string, std::string> roles; // declared, by column
  std::string label;
  std::optional<std::string> delimiter;
  std::optional<std::string> encoding;
  std::optional<bool> header;
  std::optional<bool> day_first;
  std::vector<std::string> missing;

  rs::TableFileOptions options() const {
    rs::TableFileOptions result;
    if (delimiter) {
      if (delimiter->size() != 1)
        throw rs::OptionError("delimiter: '" + *delimiter + "', expected one character");
      result.dialect.delimiter = (*delimiter)[0];
    }
    if (encoding)
      result.dialect.encoding = rs::text_encoding_from(*encoding);
    result.dialect.header = header;
    result.roles.day_first = day_first;
    result.roles.missing.insert(result.roles.missing.end(), missing.begin(), missing.end());
    for (const auto& [name, role] : roles)
      result.declared[name] = role_from(name, role);
    result.label = label;
    return result;
  }
  static rs::ColumnRole role_from(const std::string& column, const std::string& role) {
    std::string known;
    for (std::size_t k = 0; k < rs::column_role_names.size(); ++k) {
      if (rs::column_role_names[k] == role)
        return static_cast<rs::ColumnRole>(k);
      known.append(known.empty() ? "" : ", ").append(rs::column_role_names[k]);
    }
    throw rs::OptionError("roles: column '" + column + "' is declared '" + role + "', expected one of " +
                          known);
  }
};

inline rs::ColumnFormat column_format_of(const std::string& json) {
  return rs::detail::column_format_from(nlohmann::json::parse(json));
}

// Texts of a column of a frame, row by row, as those of a file in quotes: no text but none at all is missing.
inline rs::TextColumn text_column(const Codes& codes, const std::vector<std::string>& texts) {
  rs::TextColumn column;
  const auto* code = codes.data();
  for (std::size_t row = 0; row < static_cast<std::size_t>(codes.size()); ++row)
    if (code[row] < 0)
      column.add("", false, row + 1);
    else
      column.add(texts.at(static_cast<std::size_t>(code[row])), true, row + 1);
  column.finish();
  return column;
}

// What is found out about a column of texts: its format as JSON, notes and warnings.
inline py::tuple infer_texts(const std::string& name, const Codes& codes,
                             const std::vector<std::string>& texts, bool quoted,
                             std::optional<bool> day_first) {
  rs::RoleOptions options;
  options.missing = {""};
  options.day_first = day_first;
  auto found = [&] {
    if (quoted)
      return rs::infer_format(text_column(codes, texts), name, options);
    rs::TextColumn plain;
    const auto* code = codes.data();
    for (std::size_t row = 0; row < static_cast<std::size_t>(codes.size()); ++row)
      plain.add(code[row] < 0 ? std::string() : texts.at(static_cast<std::size_t>(code[row])), false,
                row + 1);
    plain.finish();
    return rs::infer_format(plain, name, options);
  }();
  found.format.quoted = false; // as a file would be written
  return py::make_tuple(rs::detail::column_format_json(found.format).dump(), found.notes, found.warnings);
}

// One column of a frame: its format, and its cells, if it has any: numbers, or codes with their texts.
struct FrameColumn {
  std::string format;
  std::optional<Numbers> values;
  int decimals = -1;
  std::optional<Codes> codes;
  std::vector<std::string> texts;
};

inline rs::Column column_of(const FrameColumn& from, const rs::ColumnFormat& format) {
  const bool numerical = rs::TableFormat::kind_of(format.role) == rs::ColumnKind::numerical;
  if (from.values) {
    if (!numerical)
      throw rs::SchemaError("column '" + format.name + "' has numbers, expected texts");
    return rs::Column::numerical(
        format.name, {from.values->data(), from.values->data() + from.values->size()}, from.decimals);
  }
  if (!from.codes)
    throw rs::SchemaError("column '" + format.name + "' has no cells");
  if (numerical) { // dates as texts
    rs::RoleOptions roles;
    roles.missing = {""};
    return rs::detail::table_column(text_column(*from.codes, from.texts), format, roles);
  }
  rs::Column column{.name = format.name, .kind = rs::ColumnKind::categorical};
  column.codes.assign(from.codes->data(), from.codes->data() + from.codes->size());
  column.dictionary = rs::Dictionary(from.texts);
  return column;
}

inline NativeTable table_of_columns(const std::vector<FrameColumn>& columns, const std::string& label) {
  NativeTable result;
  std::vector<rs::Column> cells;
  for (const auto& column : columns) {
    result.format.columns.push_back(column_format_of(column.format));
    const auto& format = result.format.columns.back();
    if (rs::TableFormat::kind_of(format.role))
      cells.push_back(column_of(column, format));
  }
  result.format.label = label;
  rs::detail::check_format(result.format);
  result.table = rs::Table(std::move(cells), label);
  return result;
}

inline NativeTable read_file(const std::string& path, const ReadOptions& options, bool texts) {
  const auto known = options.options();
  auto file = texts ? rs::read_table_of_texts(path, known) : rs::read_table_file(path, known);
  NativeTable result{std::move(file.table), std::move(file.format), {}, {}};
  result.notes = result.format.dialect.notes;
  for (const auto& found : file.found) {
    const auto say = [&](const std::string& text) { return "column '" + found.format.name + "': " + text; };
    for (const auto& note : found.notes)
      result.notes.push_back(say(note));
    for (const auto& warning : found.warnings)
      result.warnings.push_back(say(warning));
  }
  return result;
}

inline NativeTable read_file_like(const std::string& path, const std::string& format,
                                  const ReadOptions& options) {
  auto known = rs::table_format_from_json(format);
  auto table = rs::read_table_like(path, known, options.options());
  return {std::move(table), std::move(known), {}, {}};
}

// Columns of a table for Python: (format as JSON, numbers or codes, decimals or texts); without copies of
// cells. Columns that are not learnt have no cells.
inline py::list columns_for_python(rs::Table&& table, const rs::TableFormat& format) {
  py::list result;
  auto columns = std::move(table).into_columns();
  std::size_t at = 0;
  for (const auto& known : format.columns) {
    const auto json = rs::detail::column_format_json(known).dump();
    if (!rs::TableFormat::kind_of(known.role)) {
      result.append(py::make_tuple(json, py::none(), py::none()));
      continue;
    }
    auto& column = columns.at(at++);
    if (column.kind == rs::ColumnKind::numerical)
      result.append(py::make_tuple(json, as_array(std::move(column.values)), column.decimals));
    else
      result.append(
          py::make_tuple(json, as_array(std::move(column.codes)), py::cast(column.dictionary.texts())));
  }
  return result;
}

// Numbers as the texts that a column of a file would have; None where they are missing.
inline py::list texts_of_numbers(const std::string& format, const Numbers& values, int decimals) {
  const auto known = column_format_of(format);
  py::list result;
  std::string text;
  for (py::ssize_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values.data()[i])) {
      result.append(py::none());
      continue;
    }
    text.clear();
    rs::append_formatted(text, values.data()[i], decimals, known);
    result.append(py::str(text));
  }
  return result;
}

// Keys of rows, made anew.
inline py::list made_keys(const std::string& format, std::uint64_t first_row, std::size_t rows,
                          std::uint64_t seed) {
  const auto known = column_format_of(format);
  py::list result;
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    text.clear();
    rs::append_identifier(text, known, first_row + row, seed);
    result.append(py::str(text));
  }
  return result;
}

} // namespace native
