// SPDX-License-Identifier: MIT
/// \file
/// Files of unknown origin as tables.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/dialect.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/column_roles.hpp>
#include <rowsmith/table/date_text.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_format.hpp>
#include <rowsmith/table/text_column.hpp>
#include <rowsmith/table/text_records.hpp>
#include <rowsmith/table/text_source.hpp>

ROWSMITH_BEGIN

/// What the reader of a file knows of it; the rest is found out.
struct TableFileOptions {
  DialectOptions dialect{};
  RoleOptions roles{};
  std::map<std::string, ColumnRole> declared{}; ///< by column; decided otherwise by the texts
  std::string label{};
  FileOpener open{}; ///< such as of compressed files
};

/// A file that was read.
struct TableFile {
  Table table{};
  TableFormat format{};
  std::vector<FoundFormat> found{}; ///< by column of the file, what was found out about it
  std::size_t rows = 0;
};

namespace detail {

inline std::string expected_text(const ColumnFormat& format) {
  if (format.role == ColumnRole::date)
    return "a date such as " + format.pattern;
  return format.origin == WholeNumber{} ? "a number"
                                        : "a whole number at most 2^53 away from " + to_string(format.origin);
}

/// A column of texts as one of a table. \throws SchemaError for a text that the format has no place for,
/// naming its line
inline Column table_column(const TextColumn& texts, const ColumnFormat& format, const RoleOptions& roles) {
  Column column;
  column.name = format.name;
  column.kind = *TableFormat::kind_of(format.role);
  const bool numerical = column.kind == ColumnKind::numerical;
  std::vector<double> numbers(texts.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<std::int32_t> codes(texts.size(), missing_code);
  std::map<int, std::size_t> decimals; // rows by number of decimals
  std::array<std::size_t, 16> few_decimals{};
  std::string scratch;
  // Numbers without marks that stand for themselves, as nearly all do.
  const auto read_plain = [](std::string_view text) {
    const auto number = read_short_number(text);
    return number && number->plain ? number : std::nullopt;
  };
  const auto has_number = [&](const std::vector<std::string>& list) {
    return std::any_of(list.begin(), list.end(), [&](const auto& text) { return read_plain(text); });
  };
  const bool plain = numerical && format.role != ColumnRole::date && format.marks == NumberMarks{} &&
                     format.origin == WholeNumber{} && !read_plain(format.missing) &&
                     !has_number(format.missing_words) && !has_number(roles.missing);
  for (std::size_t k = 0; k < texts.size(); ++k) {
    const auto text = texts[k];
    if (const auto number = plain ? read_plain(text.text) : std::nullopt) {
      numbers[k] = number->value;
      few_decimals[static_cast<std::size_t>(number->decimals)] += text.rows;
      continue;
    }
    const auto among = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), text.text) != list.end();
    };
    // Among texts, quotes say that a word is one.
    const bool missing = (text.text == format.missing && text.quoted == format.missing_quoted) ||
                         ((numerical || !text.quoted) && among(format.missing_words)) ||
                         (!text.quoted && (numerical || text.text.empty()) && among(roles.missing));
    if (missing)
      continue;
    if (!numerical) {
      codes[k] = column.dictionary.insert(text.text);
      continue;
    }
    const auto number = parse_formatted(text.text, format, scratch);
    if (!number)
      throw SchemaError("line " + std::to_string(text.first_line) + ", column '" + format.name + "' holds " +
                        in_quotes(std::string(text.text)) + ", expected " + expected_text(format) +
                        " or a missing value");
    numbers[k] = *number;
    if (format.role != ColumnRole::date) {
      std::string_view digits = text.text;
      digits.remove_suffix(
          std::min(digits.size(), format.marks.suffix.size() + (digits.ends_with(')') ? 1U : 0U)));
      const auto point = digits.rfind(format.marks.decimal);
      const bool exponent = digits.find_first_of("eE") != std::string_view::npos;
      const std::size_t after = point == std::string_view::npos ? 0 : digits.size() - point - 1;
      decimals[exponent || after > 100 ? -1 : static_cast<int>(after)] += text.rows;
    }
  }
  for (std::size_t digits = 0; digits < few_decimals.size(); ++digits)
    if (few_decimals[digits] > 0)
      decimals[static_cast<int>(digits)] += few_decimals[digits];
  const auto rows_of = texts.codes();
  if (numerical) {
    column.values.resize(rows_of.size());
    std::transform(rows_of.begin(), rows_of.end(), column.values.begin(),
                   [&](std::uint32_t code) { return numbers[code]; });
    if (format.role == ColumnRole::date) {
      column.decimals = counts_days(format.pattern) ? 0 : fraction_digits(format.pattern);
    } else if (!decimals.contains(-1) && !decimals.empty()) {
      // A few cells with the digits of a computation do not switch rounding off.
      std::size_t rows = 0;
      std::size_t so_far = 0;
      for (const auto& [digits, count] : decimals)
        rows += count;
      for (const auto& [digits, count] : decimals) {
        so_far += count;
        column.decimals = digits;
        if (200 * so_far >= 199 * rows && decimals.rbegin()->first > digits + 6)
          break;
      }
    }
  } else {
    column.codes.resize(rows_of.size());
    std::transform(rows_of.begin(), rows_of.end(), column.codes.begin(),
                   [&](std::uint32_t code) { return codes[code]; });
  }
  return column;
}

/// Rounds away the digits of computations; numbers keep what their column is written with. \returns how many
/// numbers had more
inline std::size_t round_to_decimals(Column& column) {
  if (column.kind != ColumnKind::numerical || column.decimals < 0 || column.decimals > 15)
    return 0;
  const double scale = std::pow(10.0, column.decimals);
  std::size_t rounded = 0;
  for (double& value : column.values)
    if (std::abs(value) < 0x1p53 / scale) {
      const double whole = std::round(value * scale) / scale + 0.0;
      rounded += whole != value ? 1U : 0U;
      value = whole;
    }
  return rounded;
}

/// Calls `work`; what it says of a column is said of the file's.
template <class Work>
auto at_column(const std::string& path, std::size_t column, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const SchemaError& error) {
    throw CsvError(path, 0, column + 1, error.what());
  }
}

/// Columns whose numbers together lie less than 2^53 apart are counted from one origin, so that orders and
/// differences among them are those of the numbers.
inline void share_origins(std::vector<FoundFormat>& columns) {
  std::vector<FoundFormat*> with;
  for (auto& column : columns)
    if (!(column.format.origin == WholeNumber{}))
      with.push_back(&column);
  std::stable_sort(with.begin(), with.end(),
                   [](const FoundFormat* a, const FoundFormat* b) { return a->least < b->least; });
  for (std::size_t begin = 0, end = 0; begin < with.size(); begin = end) {
    WholeNumber most = with[begin]->most;
    for (end = begin; end < with.size(); ++end) {
      const auto next = most < with[end]->most ? with[end]->most : most;
      if (!distance(next, with[begin]->least))
        break;
      most = next;
    }
    const auto origin = origin_below(with[begin]->least, most);
    for (std::size_t k = begin; k < end; ++k)
      with[k]->format.origin = origin;
  }
  for (auto* column : with)
    column->notes.push_back("whole numbers of more digits than a double holds: kept to the last digit, as "
                            "their distance from " +
                            to_string(column->format.origin));
}

/// \throws OptionError for a declared column that the file does not have
inline void check_declared(const std::vector<std::string>& names, const TableFileOptions& options) {
  for (const auto& [name, role] : options.declared)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw OptionError("column " + in_quotes(name) + " is declared, but the file does not have it");
}
/// \throws OptionError for a label that is no column
inline void check_label(const std::vector<std::string>& names, const TableFileOptions& options) {
  if (!options.label.empty() && std::find(names.begin(), names.end(), options.label) == names.end())
    throw OptionError("the label " + in_quotes(options.label) + " is no column of the file");
}

/// Finds out what columns of texts mean. \param path  stands for the file in messages
inline TableFile table_of_texts(TextTable texts, const std::string& path, CsvDialect dialect,
                                const TableFileOptions& options) {
  TableFile file;
  file.format.dialect = std::move(dialect);
  auto& notes = file.format.dialect.notes;
  notes.insert(notes.end(), texts.notes.begin(), texts.notes.end());
  file.rows = texts.rows;
  check_declared(texts.names, options);
  for (std::size_t i = 0; i < texts.names.size(); ++i) {
    const auto& name = texts.names[i];
    const auto declared = options.declared.find(name);
    const bool category = declared != options.declared.end() ? declared->second == ColumnRole::category
                                                             : !name.empty() && name == options.label;
    auto found = at_column(path, i, [&] {
      return infer_format(texts.columns[i], name, options.roles, category, texts.rows,
                          texts.distinct.empty() ? 0 : texts.distinct[i]);
    });
    if (texts.numbers_rows[i]) {
      found.format.role = ColumnRole::identifier;
      found.format.pattern = "#";
      const auto first = TextTable::count_of(texts.columns[i][0].text);
      found.format.first = *signed_number(at_distance(*first, static_cast<double>(texts.rows)));
      found.format.origin = {};
    }
    if (declared != options.declared.end()) {
      const auto role = declared->second;
      const bool fits = role == found.format.role || role == ColumnRole::category ||
                        role == ColumnRole::dropped || role == ColumnRole::text ||
                        (role == ColumnRole::real && found.format.role == ColumnRole::integer) ||
                        (role == ColumnRole::identifier && found.format.role != ColumnRole::identifier);
      if (!fits)
        throw OptionError("column " + in_quotes(name) + " is declared " + std::string(to_string(role)) +
                          ", but its texts say " + std::string(to_string(found.format.role)));
      found.format.role = role;
      if (TableFormat::kind_of(role) != ColumnKind::numerical)
        found.format.origin = {};
      if (role == ColumnRole::identifier && found.format.pattern.empty()) {
        found.format.pattern = "#";
        found.format.first = 1;
      }
    }
    file.found.push_back(std::move(found));
  }
  share_origins(file.found);
  std::vector<Column> columns;
  for (std::size_t i = 0; i < texts.names.size(); ++i) {
    auto& found = file.found[i];
    file.format.columns.push_back(found.format);
    if (TableFormat::kind_of(found.format.role)) {
      columns.push_back(
          at_column(path, i, [&] { return table_column(texts.columns[i], found.format, options.roles); }));
      const std::size_t rounded = round_to_decimals(columns.back());
      found.rounded = rounded;
      if (rounded > 0)
        found.notes.push_back(std::to_string(rounded) + (rounded == 1 ? " number" : " numbers") +
                              " rounded to the " + std::to_string(columns.back().decimals) +
                              " decimals that nearly all others have");
    }
    texts.columns[i] = {}; // no longer needed
  }
  check_label(texts.names, options);
  file.format.label = options.label;
  check_format(file.format);
  file.table = Table(std::move(columns), options.label);
  return file;
}

} // namespace detail

/// Reads a file of unknown origin: finds out how it is written down and what its columns mean, as far as
/// `options` do not say. \throws CsvError with line and column, or SchemaError, for what cannot be read
inline TableFile read_table_file(const std::string& path, const TableFileOptions& options = {}) {
  auto dialect = find_dialect(path, options.dialect, options.open);
  auto texts = detail::read_text_table(path, dialect, options.open);
  return detail::table_of_texts(std::move(texts), path, std::move(dialect), options);
}
/// The same of rows from elsewhere. \throws also what the source does
inline TableFile read_table_file(TextSource& source, const TableFileOptions& options = {}) {
  auto texts = detail::read_text_table(source);
  return detail::table_of_texts(std::move(texts), source.name(), source.dialect(), options);
}

namespace detail {
/// Columns of texts as `read_table_of_texts` takes them.
inline TableFile categories_of_texts(const TextTable& texts, const std::string& path, CsvDialect dialect,
                                     const TableFileOptions& options) {
  TableFile file;
  file.format.dialect = std::move(dialect);
  file.rows = texts.rows;
  std::vector<Column> columns;
  for (std::size_t i = 0; i < texts.names.size(); ++i) {
    if (texts.names[i].empty())
      continue;
    ColumnFormat format{.name = texts.names[i]};
    if (const auto declared = options.declared.find(format.name); declared != options.declared.end())
      format.role = declared->second;
    if (format.role == ColumnRole::identifier) {
      format.pattern = "#";
      format.first = 1;
    }
    if (TableFormat::kind_of(format.role) == ColumnKind::numerical)
      throw OptionError("column " + in_quotes(format.name) + " is declared " +
                        std::string(to_string(format.role)) + ", but all columns are read as texts");
    format.missing_words = options.roles.missing;
    file.format.columns.push_back(format);
    if (TableFormat::kind_of(format.role))
      columns.push_back(
          at_column(path, i, [&] { return table_column(texts.columns[i], format, options.roles); }));
  }
  check_declared(texts.names, options);
  check_label(texts.names, options);
  file.format.label = options.label;
  check_format(file.format);
  file.table = Table(std::move(columns), options.label);
  return file;
}
} // namespace detail

/// Reads every column as the texts that stand in it, for those who may not look at rows to decide what a
/// column is: nothing but the dialect and the header's names is found out. Columns are categories unless
/// `options` declare them identifiers, texts or dropped; those without a name are left out. The texts of
/// `options.roles.missing` are missing values in all of them. There is a header unless `options.dialect` says
/// otherwise. \throws CsvError with line and column; OptionError for a declaration that does not fit
inline TableFile read_table_of_texts(const std::string& path, const TableFileOptions& options = {}) {
  auto known = options.dialect;
  known.header = known.header.value_or(true);
  auto dialect = find_dialect(path, known, options.open);
  dialect.notes.clear(); // they tell of rows
  const auto texts = detail::read_text_table(path, dialect, options.open);
  return detail::categories_of_texts(texts, path, std::move(dialect), options);
}
/// The same of rows from elsewhere.
inline TableFile read_table_of_texts(TextSource& source, const TableFileOptions& options = {}) {
  return detail::categories_of_texts(detail::read_text_table(source), source.name(), source.dialect(),
                                     options);
}

namespace detail {
/// Options for files that are written as one of a format, unless they say otherwise.
inline TableFileOptions written_like(TableFileOptions options, const TableFormat& format) {
  options.dialect.header = options.dialect.header.value_or(format.dialect.header);
  options.dialect.encoding_like = format.dialect.encoding;
  return options;
}
/// The texts of another file of a format's columns.
inline TextTable read_texts_like(const std::string& path, const TableFormat& format,
                                 const TableFileOptions& options) {
  const auto known = written_like(options, format).dialect;
  return read_text_table(path, find_dialect(path, known, options.open), options.open);
}
/// Texts as a table of a format's columns. Columns that the format does not learn need not be there.
inline Table table_like(const TextTable& texts, const std::string& path, const TableFormat& format,
                        const RoleOptions& roles) {
  std::vector<Column> columns;
  for (const auto& column : format.columns) {
    if (!TableFormat::kind_of(column.role))
      continue;
    const auto found = std::find(texts.names.begin(), texts.names.end(), column.name);
    if (found == texts.names.end())
      throw CsvError(path, 0, 0, "the column '" + column.name + "' is missing");
    const auto place = static_cast<std::size_t>(found - texts.names.begin());
    columns.push_back(
        at_column(path, place, [&] { return table_column(texts.columns[place], column, roles); }));
  }
  return Table(std::move(columns), format.label);
}
} // namespace detail

/// Reads another file of the same columns, whatever its order and dialect. Columns that the format does not
/// learn need not be there. \param options  of which the dialect and the missing values count \throws as
/// `read_table_file`
inline Table read_table_like(const std::string& path, const TableFormat& format,
                             const TableFileOptions& options = {}) {
  return detail::table_like(detail::read_texts_like(path, format, options), path, format, options.roles);
}
/// The same of rows from elsewhere.
inline Table read_table_like(TextSource& source, const TableFormat& format,
                             const TableFileOptions& options = {}) {
  return detail::table_like(detail::read_text_table(source), source.name(), format, options.roles);
}

/// A table of the same columns with numbers rounded to the decimals that another one is written with.
inline Table rounded_like(Table table, const Table& like) {
  const std::string label = table.schema().label();
  auto columns = std::move(table).into_columns();
  for (auto& column : columns) {
    column.decimals = like[column.name].decimals;
    detail::round_to_decimals(column);
  }
  return Table(std::move(columns), label);
}

/// A file of some of a format's columns, of which cells may be missing.
struct PartialTableFile {
  Table table{};                   ///< the learnt columns that the file has
  std::vector<TextColumn> texts{}; ///< by column of the format: as the file has it; empty: it has not
};

/// Reads rows that are to be completed. \throws as `read_table_file`, and CsvError for a column that the
/// format does not have, or a file that has none of those that it learns
inline PartialTableFile read_partial_file(const std::string& path, const TableFormat& format,
                                          const TableFileOptions& options = {}) {
  auto read = detail::read_texts_like(path, format, options);
  for (std::size_t i = 0; i < read.names.size(); ++i)
    if (std::none_of(format.columns.begin(), format.columns.end(),
                     [&](const ColumnFormat& one) { return one.name == read.names[i]; }))
      throw CsvError(path, 0, i + 1,
                     "the column " + detail::in_quotes(read.names[i]) + " is none of the model's");
  PartialTableFile file;
  std::vector<Column> columns;
  for (const auto& column : format.columns) {
    file.texts.emplace_back();
    const auto found = std::find(read.names.begin(), read.names.end(), column.name);
    if (found == read.names.end())
      continue;
    const auto place = static_cast<std::size_t>(found - read.names.begin());
    file.texts.back() = std::move(read.columns[place]);
    if (TableFormat::kind_of(column.role))
      columns.push_back(detail::at_column(
          path, place, [&] { return detail::table_column(file.texts.back(), column, options.roles); }));
  }
  if (columns.empty())
    throw CsvError(path, 0, 0, "none of the columns that the model learnt is there");
  file.table = Table(std::move(columns));
  return file;
}

ROWSMITH_END
