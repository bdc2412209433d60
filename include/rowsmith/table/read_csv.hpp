// SPDX-License-Identifier: MIT
/// \file
/// Reads tables from CSV.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <istream>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <rowsmith/core/compiled.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/csv/reader.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_builder.hpp>

ROWSMITH_BEGIN

namespace detail {

/// Hands the records of a reader to a `TableBuilder`.
class CsvTableReader {
public:
  CsvTableReader(CsvReader reader, CsvOptions options)
      : reader_(std::move(reader)), options_(std::move(options)) {
    for (const auto& text : options_.missing) {
      longest_missing_ = std::max(longest_missing_, text.size());
      begins_missing_[text.empty() ? 0 : static_cast<unsigned char>(text.front())] = true;
    }
  }

  /// Columns by schema, or with kinds inferred from the data if `schema` is null.
  Table read(const TableSchema* schema) {
    declared_ = schema != nullptr;
    names(schema);
    target_.resize(names_.size());
    std::iota(target_.begin(), target_.end(), std::size_t{0});
    if (schema != nullptr)
      match(*schema);
    suffixes();
    texts_.assign(names_.size(), false);
    if (!declared_)
      for (const auto& name : options_.categorical)
        texts_[place_of(name, "categorical")] = true;
    TableBuilder builder = schema != nullptr ? TableBuilder(*schema) : TableBuilder(names_);
    std::size_t next_estimate = 4096;
    while (builder.rows() < options_.max_rows && (have_first_ || reader_.next())) {
      have_first_ = false;
      if (reader_.fields().size() != names_.size())
        reader_.fail(0, std::to_string(reader_.fields().size()) + " fields, expected " +
                            std::to_string(names_.size()) + ", one for each column");
      for (std::size_t i = 0; i < names_.size(); ++i)
        if (target_[i] != unused)
          add(i, builder);
      builder.end_row();
      if (builder.rows() == next_estimate) {
        // Memory for eight times the rows so far, at most: later rows may be longer than these.
        next_estimate *= 8;
        builder.reserve(std::min(expected_rows(builder.rows()), next_estimate));
      }
    }
    if (builder.rows() == 0)
      throw CsvError(reader_.name(), 0, 0,
                     "the file has no rows" + std::string(options_.header ? " below its header" : "") +
                         ", expected at least one");
    return std::move(builder).build();
  }

private:
  static constexpr std::size_t unused = std::numeric_limits<std::size_t>::max();

  /// Of the whole file, if its rows are as long as the first ones; somewhat more, so that memory suffices.
  std::size_t expected_rows(std::size_t so_far) const {
    const double records = static_cast<double>(reader_.file_size()) / static_cast<double>(reader_.bytes()) *
                           static_cast<double>(so_far) * 1.02;
    return std::min(static_cast<std::size_t>(records), options_.max_rows);
  }

  void names(const TableSchema* schema) {
    const bool first = reader_.next();
    if (!first)
      throw CsvError(reader_.name(), 0, 0, "the file is empty, expected rows");
    if (options_.header) {
      for (const auto& field : reader_.fields())
        names_.emplace_back(field.text);
    } else {
      have_first_ = true; // the record is data already
      names_ = options_.names;
      if (names_.empty() && schema != nullptr)
        for (const auto& column : schema->columns())
          names_.push_back(column.name);
      if (names_.empty())
        for (std::size_t i = 0; i < reader_.fields().size(); ++i)
          names_.push_back("column_" + std::to_string(i + 1));
    }
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].empty())
        reader_.fail(i + 1, "the column's name is empty, expected a name");
      if (!seen.insert(names_[i]).second)
        reader_.fail(i + 1,
                     "the column name " + in_quotes(names_[i]) + " is there twice, expected different names");
    }
  }

  void match(const TableSchema& schema) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto known = std::find_if(schema.columns().begin(), schema.columns().end(),
                                      [&](const ColumnSchema& column) { return column.name == names_[i]; });
      target_[i] = static_cast<std::size_t>(known - schema.columns().begin());
      if (known != schema.columns().end())
        continue;
      if (!options_.ignore_unknown_columns) {
        std::string expected;
        for (const auto& column : schema.columns())
          expected += (expected.empty() ? "" : ", ") + column.name;
        reader_.fail(i + 1,
                     "the column " + in_quotes(names_[i]) + " is not in the schema, expected: " + expected);
      }
      target_[i] = unused;
    }
    for (std::size_t k = 0; k < schema.size(); ++k)
      if (std::find(target_.begin(), target_.end(), k) == target_.end())
        reader_.fail(0, "the column '" + schema[k].name + "' of the schema is missing");
  }

  void suffixes() {
    for (const auto& [name, suffix] : options_.strip_suffix) {
      suffix_.resize(names_.size());
      suffix_[place_of(name, "strip_suffix")] = suffix;
    }
  }

  /// The place in the file of a column that an option names.
  std::size_t place_of(const std::string& name, const std::string& option) const {
    const auto known = std::find(names_.begin(), names_.end(), name);
    if (known == names_.end())
      throw CsvError(reader_.name(), 0, 0,
                     option + " names the column '" + name + "', which the file does not have");
    return static_cast<std::size_t>(known - names_.begin());
  }

  bool is_missing(const CsvField& field) const {
    // Most texts are longer than any of these, or begin otherwise.
    return !field.quoted && field.text.size() <= longest_missing_ &&
           begins_missing_[field.text.empty() ? 0 : static_cast<unsigned char>(field.text.front())] &&
           std::find(options_.missing.begin(), options_.missing.end(), field.text) != options_.missing.end();
  }

  void add(std::size_t i, TableBuilder& builder) {
    const auto& field = reader_.fields()[i];
    std::string_view text = field.text;
    if (!suffix_.empty() && !suffix_[i].empty() && text.ends_with(suffix_[i]))
      text.remove_suffix(suffix_[i].size());
    try {
      if (is_missing(field))
        builder.set(target_[i], CellView());
      else if ((field.quoted && !declared_) || texts_[i])
        builder.set(target_[i], text); // quotes say that it is a text, or the caller does
      else
        builder.set_written(target_[i], text);
    } catch (const SchemaError& error) {
      reader_.fail(i + 1, error.what());
    }
  }

  CsvReader reader_;
  CsvOptions options_;
  bool have_first_ = false;
  bool declared_ = false; ///< the columns' kinds are
  std::vector<std::string> names_;
  std::vector<std::size_t> target_; ///< file column -> table column
  std::vector<std::string> suffix_;
  std::size_t longest_missing_ = 0;
  std::array<bool, 256> begins_missing_{}; ///< by first byte, 0 of the empty text: is there such a text
  std::vector<bool> texts_;                ///< by file column: taken for texts whatever they look like
};

} // namespace detail

/// Reads a table whose columns are known. Columns are found by their names in the header, in any order;
/// without a header they come in the schema's order (or in that of `options.names`). \throws CsvError with
/// file, line, column and what was expected
ROWSMITH_INLINE Table read_csv(const std::string& path, const TableSchema& schema,
                               const CsvOptions& options = {});
/// \param name stands for the file in messages
ROWSMITH_INLINE Table read_csv(std::istream& in, const std::string& name, const TableSchema& schema,
                               const CsvOptions& options = {});

/// The same with the columns given as a type: `read_csv<Schema<Numerical<"age">, Label<"income">>>(path)`.
template <class SchemaType>
Table read_csv(const std::string& path, const CsvOptions& options = {}) {
  return read_csv(path, SchemaType::table_schema(), options);
}
template <class SchemaType>
Table read_csv(std::istream& in, const std::string& name, const CsvOptions& options = {}) {
  return read_csv(in, name, SchemaType::table_schema(), options);
}

/// Reads a table and infers the kinds: a column is numerical if it has a value, every value is a number
/// without quotes, and `options.categorical` does not name it; else categorical.
ROWSMITH_INLINE Table read_csv(const std::string& path, const CsvOptions& options = {});
ROWSMITH_INLINE Table read_csv(std::istream& in, const std::string& name, const CsvOptions& options = {});

#if ROWSMITH_DEFINES

ROWSMITH_INLINE Table read_csv(const std::string& path, const TableSchema& schema,
                               const CsvOptions& options) {
  return detail::CsvTableReader(CsvReader(path, options), options).read(&schema);
}
ROWSMITH_INLINE Table read_csv(std::istream& in, const std::string& name, const TableSchema& schema,
                               const CsvOptions& options) {
  return detail::CsvTableReader(CsvReader(in, name, options), options).read(&schema);
}
ROWSMITH_INLINE Table read_csv(const std::string& path, const CsvOptions& options) {
  return detail::CsvTableReader(CsvReader(path, options), options).read(nullptr);
}
ROWSMITH_INLINE Table read_csv(std::istream& in, const std::string& name, const CsvOptions& options) {
  return detail::CsvTableReader(CsvReader(in, name, options), options).read(nullptr);
}

#endif // ROWSMITH_DEFINES

/// The schema that `read_csv` infers.
inline TableSchema infer_schema(const std::string& path, const CsvOptions& options = {}) {
  return read_csv(path, options).schema();
}

ROWSMITH_END
