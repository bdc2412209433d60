// SPDX-License-Identifier: MIT
/// \file
/// Generated rows as a table of a SQLite database.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/whole_number.hpp>
#include <rowsmith/sqlite/database.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_format.hpp>

ROWSMITH_BEGIN

#if ROWSMITH_HAS_SQLITE

/// Takes the rows of `write_sqlite`.
class SqliteRowWriter {
public:
  /// \param first_row  the number of row 0 in the sample \throws Error if the disk is full
  void append(const Table& table, std::uint64_t first_row) {
    for (std::size_t row = 0; row < table.rows(); ++row) {
      int place = 0;
      std::size_t at = 0;
      for (std::size_t c = 0; c < format_.columns.size(); ++c) {
        const auto& column = format_.columns[c];
        if (column.role == ColumnRole::dropped)
          continue;
        bind(++place, c, TableFormat::kind_of(column.role) ? &table[at++] : nullptr, row, first_row + row);
      }
      insert_->step();
      insert_->reset();
    }
  }

private:
  template <class Fill>
  friend void write_sqlite(const std::filesystem::path&, const std::string&, const TableFormat&, const Table&,
                           std::uint64_t, const Fill&);

  SqliteRowWriter(const detail::SqliteDatabase& database, const std::string& table, const TableFormat& format,
                  const Table& like, std::uint64_t seed)
      : database_(database), format_(format), seed_(seed) {
    std::string columns;
    std::string places;
    std::size_t at = 0;
    for (const auto& column : format.columns) {
      const Column* cells = TableFormat::kind_of(column.role) ? &like[at++] : nullptr;
      types_.push_back(type_of(column, cells));
      if (column.role == ColumnRole::dropped)
        continue;
      if (column.name.empty() || column.name.find('\0') != std::string::npos)
        throw SchemaError("a column has no name that a database could give it");
      columns += (columns.empty() ? "" : ", ") + detail::sql_name(column.name) +
                 (types_.back() == Type::integer ? " INTEGER"
                  : types_.back() == Type::real  ? " REAL"
                                                 : " TEXT");
      places += places.empty() ? "?" : ", ?";
    }
    database.run("CREATE TABLE " + detail::sql_name(table) + " (" + columns + ")");
    insert_ = std::make_unique<detail::SqliteStatement>(database, "INSERT INTO " + detail::sql_name(table) +
                                                                      " VALUES (" + places + ")");
  }

  enum class Type { integer, real, text };
  static Type type_of(const ColumnFormat& format, const Column* cells) {
    // Integers have 63 bits: others would become fractions, and stay exact as texts.
    if (format.role == ColumnRole::integer || format.role == ColumnRole::real) {
      if (!(format.origin == WholeNumber{}))
        return format.origin.magnitude < std::uint64_t{1} << 62U ? Type::integer : Type::text;
      return format.role == ColumnRole::integer || cells->decimals == 0 ? Type::integer : Type::real;
    }
    return format.role == ColumnRole::identifier && format.pattern == "#" ? Type::integer : Type::text;
  }
  void bind(int place, std::size_t c, const Column* cells, std::size_t row, std::uint64_t number) {
    auto* const handle = insert_->handle();
    const auto& format = format_.columns[c];
    const auto text = [&](std::string_view of) {
      check(sqlite3_bind_text64(handle, place, of.data(), of.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    };
    cell_.clear();
    if (cells == nullptr) {
      if (format.role == ColumnRole::text)
        return text("[text]");
      append_identifier(cell_, format, number, seed_);
      if (types_[c] != Type::integer)
        return text(cell_);
      return check(sqlite3_bind_int64(handle, place, signed_number(*parse_whole(cell_)).value()));
    }
    if (cells->is_missing(row))
      return check(sqlite3_bind_null(handle, place));
    if (cells->kind == ColumnKind::categorical)
      return text(cells->dictionary.text(cells->codes[row]));
    if (format.role == ColumnRole::date || types_[c] == Type::text) {
      append_formatted(cell_, cells->values[row], cells->decimals, format);
      return text(cell_);
    }
    // The number that a file's text would have, without its marks.
    auto plain = format;
    plain.marks = {.scientific = format.marks.scientific, .digits = format.marks.digits};
    append_formatted(cell_, cells->values[row], cells->decimals, plain);
    const auto whole = types_[c] == Type::integer ? parse_whole(cell_) : std::nullopt;
    if (const auto exact = whole ? signed_number(*whole) : std::nullopt)
      return check(sqlite3_bind_int64(handle, place, *exact));
    check(sqlite3_bind_double(handle, place, parse_number(cell_).value()));
  }
  void check(int result) const {
    if (result != SQLITE_OK)
      database_.fail("a cell cannot be written");
  }

  const detail::SqliteDatabase& database_;
  const TableFormat& format_;
  std::uint64_t seed_;
  std::vector<Type> types_; ///< by column of the format
  std::unique_ptr<detail::SqliteStatement> insert_;
  std::string cell_;
};

namespace detail {

/// A database is replaced whole, as any file is that is written: other tables in it would be lost.
inline void check_replaceable(const std::filesystem::path& path, const std::string& table) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const auto status = fs::status(path, failure);
  if (!fs::exists(status))
    return;
  if (!fs::is_regular_file(status))
    throw Error(path.string() + ": is no file, expected one to write a database to");
  // SQLite has them beside the file that a link leads to, which is the one that is replaced.
  const fs::path real = fs::canonical(path, failure);
  if (failure)
    throw_write_error(path, "cannot be found", failure);
  for (const char* ending : {"-wal", "-journal"}) // SQLite would take it for what the new file lacks
    if (const auto beside = fs::path(real) += ending; fs::exists(beside, failure))
      throw Error(path.string() + ": is in use, or was not closed: there is " + beside.string());
  std::string magic(16, '\0');
  std::ifstream(path, std::ios::binary).read(magic.data(), static_cast<std::streamsize>(magic.size()));
  if (magic != std::string("SQLite format 3\0", 16))
    return;
  const SqliteDatabase old(path.string(), false, path.string());
  for (const auto& other : tables_of(old))
    if (other.name != table)
      throw Error(path.string() + ": is a database that has " + in_quotes(other.name) +
                  ", which would be lost; expected another file");
}

} // namespace detail

/// Writes rows into a database of one table: in one transaction, to a file of another name, which is then
/// renamed. Numbers are numbers without marks, dates and keys of a pattern texts, missing cells NULL; whole
/// numbers beyond 63 bits are texts.
/// \param format  what the columns are \param like  a table of its columns, of any number of rows
/// \param seed  of the keys that are made \param fill  called once with a `SqliteRowWriter&`
/// \throws Error if it cannot be written, or the file is a database of other tables, or in use; and whatever
/// `fill` throws: what was there is then untouched
template <class Fill>
void write_sqlite(const std::filesystem::path& path, const std::string& table, const TableFormat& format,
                  const Table& like, std::uint64_t seed, const Fill& fill) {
  if (table.empty() || table.starts_with("sqlite_") || table.find('\0') != std::string::npos)
    throw OptionError("the table's name " + detail::in_quotes(table) + " is none that SQLite allows");
  detail::check_replaceable(path, table);
  detail::replace_file(
      path, [&](const std::filesystem::path& partial, std::optional<std::filesystem::perms> permissions) {
        if (!std::ofstream(partial, std::ios::binary | std::ios::trunc))
          detail::throw_write_error(path, "cannot be opened for writing", {});
        if (permissions)
          detail::set_permissions(path, partial, *permissions);
        const detail::SqliteDatabase database(partial.string(), true, path.string());
        // Nobody sees the file before it is whole: it needs no journal, and is synced once.
        database.run("PRAGMA journal_mode = OFF");
        database.run("PRAGMA synchronous = OFF");
        database.run("BEGIN");
        {
          SqliteRowWriter rows(database, table, format, like, seed);
          fill(rows);
        }
        database.run("COMMIT");
      });
}

#else

/// Takes the rows of `write_sqlite`.
class SqliteRowWriter {
public:
  void append(const Table&, std::uint64_t) {}
};

template <class Fill>
void write_sqlite(const std::filesystem::path& path, const std::string&, const TableFormat&, const Table&,
                  std::uint64_t, const Fill&) {
  detail::refuse_sqlite(path.string());
}

#endif

ROWSMITH_END
