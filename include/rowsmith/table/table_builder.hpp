// SPDX-License-Identifier: MIT
/// \file
/// Builds a table row by row, from wherever the rows come.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/table/cell_view.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Takes rows, cell by cell or whole, and becomes a table:
///
/// \code
/// rowsmith::TableBuilder builder(People::table_schema());
/// builder.add_row({39, "Oslo", {}});
/// const rowsmith::Table table = std::move(builder).build();
/// \endcode
///
/// Errors name the row, from 1, and the column. After one, the cells given so far still stand; `drop_row`
/// takes back those of the current row.
class TableBuilder {
public:
  /// Columns by schema: a cell of another kind is an error.
  explicit TableBuilder(const TableSchema& schema) : label_(schema.label()) {
    for (const auto& [name, kind] : schema.columns())
      columns_.push_back({{.name = name, .kind = kind, .decimals = 0},
                          true,
                          kind == ColumnKind::numerical,
                          kind == ColumnKind::categorical});
  }
  /// Columns whose kinds their cells decide: numerical if there is a number and no text, else categorical.
  /// Numbers of a column that turns out categorical become the texts they were written as.
  explicit TableBuilder(const std::vector<std::string>& names) {
    for (const auto& name : names)
      columns_.push_back({{.name = name, .decimals = 0}});
  }

  /// Rows that were ended.
  std::size_t rows() const noexcept { return rows_; }
  /// Columns.
  std::size_t size() const noexcept { return columns_.size(); }

  /// Sets memory aside for so many rows in all.
  void reserve(std::size_t rows) {
    for (auto& building : columns_) {
      if (building.numbers)
        building.column.values.reserve(rows);
      else
        building.column.codes.reserve(rows);
      if (building.undecided())
        building.decimals.reserve(rows);
    }
  }

  /// Gives the current row's cell of a column, each once, in any order.
  /// \throws SchemaError if there is no such column, it has its cell, or the cell does not fit
  void set(std::size_t column, const CellView& cell) {
    auto& building = at(column);
    if (cell.is_text())
      add_text(building, cell.text());
    else if (cell.is_number())
      add_number(building, cell.number(), cell.decimals());
    else
      add_missing(building);
  }
  /// The same from a text out of a file that does not tell numbers from texts: it is a number if it reads as
  /// one and the column is not declared categorical.
  void set_written(std::size_t column, std::string_view text) {
    auto& building = at(column);
    const auto number = building.numbers ? detail::read_number(text) : std::nullopt;
    if (!number)
      return add_text(building, text);
    add_number(building, number->value, number->decimals);
    if (building.texts && !number->plain)
      building.unusual.emplace_back(rows_, text);
  }
  /// \throws SchemaError if a column has no cell
  void end_row() {
    for (const auto& building : columns_)
      if (building.rows() == rows_)
        fail(building, "has no cell");
    ++rows_;
  }
  /// Forgets the cells of the current row; what they decided about kinds stays.
  void drop_row() noexcept {
    for (auto& building : columns_) {
      building.column.values.resize(std::min(building.column.values.size(), rows_));
      building.column.codes.resize(std::min(building.column.codes.size(), rows_));
      building.decimals.resize(std::min(building.decimals.size(), rows_));
      if (!building.unusual.empty() && building.unusual.back().first == rows_)
        building.unusual.pop_back();
    }
  }
  /// A whole row, one cell a column; all or nothing. \throws SchemaError
  void add_row(std::span<const CellView> cells) {
    if (cells.size() != size())
      throw SchemaError("row " + std::to_string(rows_ + 1) + " has " + std::to_string(cells.size()) +
                        " cells, expected " + std::to_string(size()));
    try {
      for (std::size_t column = 0; column < size(); ++column)
        set(column, cells[column]);
      end_row();
    } catch (...) {
      drop_row();
      throw;
    }
  }
  void add_row(std::initializer_list<CellView> cells) { add_row(std::span(cells.begin(), cells.size())); }

  /// The table of all rows. \throws SchemaError if the last one was not ended, and what `Table` throws
  Table build() && {
    std::vector<Column> columns;
    for (auto& building : columns_) {
      if (building.rows() != rows_)
        fail(building, "has a cell, but the row was not ended");
      auto& column = building.column;
      if (building.undecided() && column.missing_count() == rows_)
        building.become_texts();
      if (!building.declared)
        column.kind = building.numbers ? ColumnKind::numerical : ColumnKind::categorical;
      if (column.kind == ColumnKind::numerical) {
        column.codes = {};
        column.dictionary = {};
      } else {
        column.values = {};
        column.decimals = -1;
      }
      columns.push_back(std::move(column));
    }
    return Table(std::move(columns), label_);
  }

private:
  struct Building {
    Column column;
    bool declared = false;
    bool numbers = true; ///< `column.values` is kept
    bool texts = true;   ///< `column.codes` is kept; with `numbers`, the kind is not decided yet
    /// While it is not: what numbers were written with, by row, so that reading a column of numbers does not
    /// look each up in a dictionary; −1: the shortest text.
    std::vector<signed char> decimals{};
    /// Rows whose numbers were written in another way, and how.
    std::vector<std::pair<std::size_t, std::string>> unusual{};

    bool undecided() const noexcept { return numbers && texts; }
    std::size_t rows() const noexcept { return numbers ? column.values.size() : column.codes.size(); }
    /// What was taken for numbers so far is texts.
    void become_texts() {
      numbers = false;
      column.codes.reserve(column.values.capacity());
      std::string written;
      auto next = unusual.begin();
      for (std::size_t row = 0; row < column.values.size(); ++row) {
        written.clear();
        if (next != unusual.end() && next->first == row)
          written = (next++)->second;
        else if (!std::isnan(column.values[row]))
          append_number(written, column.values[row], decimals[row]);
        column.codes.push_back(std::isnan(column.values[row]) ? missing_code
                                                              : column.dictionary.insert(written));
      }
      column.values = {};
      decimals = {};
      unusual = {};
    }
  };

  Building& at(std::size_t column) {
    if (column >= size())
      throw SchemaError("row " + std::to_string(rows_ + 1) + ": there is no column " +
                        std::to_string(column + 1) + " of " + std::to_string(size()));
    return columns_[column];
  }
  [[noreturn]] void fail(const Building& building, const std::string& what) const {
    throw SchemaError("row " + std::to_string(rows_ + 1) + ", column '" + building.column.name + "' " + what);
  }
  void check_open(const Building& building) const {
    if (building.rows() != rows_)
      fail(building, "has its cell already");
  }
  void add_text(Building& building, std::string_view text) {
    check_open(building);
    if (building.numbers) {
      if (building.declared)
        fail(building, "holds " + detail::in_quotes(text) + ", expected a number or a missing value");
      building.become_texts();
    }
    building.column.codes.push_back(building.column.dictionary.insert(text));
  }
  void add_number(Building& building, double number, int decimals) {
    check_open(building);
    if (std::isinf(number))
      fail(building, "is infinite, expected a finite number or a missing value");
    auto& column = building.column;
    if (building.numbers) {
      column.decimals = detail::common_decimals(column.decimals, decimals);
      column.values.push_back(number);
      if (building.texts)
        building.decimals.push_back(static_cast<signed char>(decimals > 100 ? -1 : decimals));
      return;
    }
    std::string written;
    append_number(written, number, decimals);
    if (building.declared)
      fail(building, "holds the number " + written + ", expected a text or a missing value");
    column.codes.push_back(column.dictionary.insert(written));
  }
  void add_missing(Building& building) {
    check_open(building);
    if (building.numbers)
      building.column.values.push_back(std::numeric_limits<double>::quiet_NaN());
    else
      building.column.codes.push_back(missing_code);
    if (building.undecided())
      building.decimals.push_back(0);
  }

  std::vector<Building> columns_;
  std::string label_;
  std::size_t rows_ = 0;
};

ROWSMITH_END
