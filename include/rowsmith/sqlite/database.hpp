// SPDX-License-Identifier: MIT
/// \file
/// What reading and writing of SQLite's databases share. For programs that link libsqlite3; without its
/// header when this is compiled, databases are refused in a sentence.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if __has_include(<sqlite3.h>)
#include <sqlite3.h>
#define ROWSMITH_HAS_SQLITE 1
#else
#define ROWSMITH_HAS_SQLITE 0
#endif

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// Whether a file's name is that of a database: `.db`, `.sqlite` or `.sqlite3`.
inline bool is_sqlite_name(std::string_view path) {
  return path.ends_with(".db") || path.ends_with(".sqlite") || path.ends_with(".sqlite3");
}

namespace detail {

[[noreturn]] inline void refuse_sqlite(const std::string& path) {
  throw Error(path + ": is a database of SQLite, which this program was built without (libsqlite3)");
}

/// A name as SQL has it.
inline std::string sql_name(std::string_view name) {
  std::string result = "\"";
  for (const char c : name)
    result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + '"';
}

#if ROWSMITH_HAS_SQLITE

/// A connection to a database.
class SqliteDatabase {
public:
  /// \param shown  the path that messages name \throws Error if it cannot be opened
  SqliteDatabase(const std::string& path, bool write, std::string shown) : shown_(std::move(shown)) {
    // A path is never one of SQLite's own names, such as file:... or :memory:.
    const std::string plain = path.empty() || path[0] != '/' ? "./" + path : path;
    const int access = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(plain.c_str(), &database_, access | SQLITE_OPEN_FULLMUTEX, nullptr) != SQLITE_OK) {
      const std::string reason = database_ == nullptr ? "there is no memory" : sqlite3_errmsg(database_);
      sqlite3_close_v2(database_);
      throw Error(shown_ + ": cannot be opened as a database: " + reason);
    }
    sqlite3_busy_timeout(database_, 5'000); // ms: another process may just be writing
    // The file may come from anybody: views in it must not call functions with effects.
#ifdef SQLITE_DBCONFIG_TRUSTED_SCHEMA
    sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
#endif
#ifdef SQLITE_DBCONFIG_DEFENSIVE
    if (!write) // who writes a file of its own does without a journal, which this would refuse
      sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
#endif
  }
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase() { sqlite3_close_v2(database_); }

  sqlite3* handle() const noexcept { return database_; }
  const std::string& path() const noexcept { return shown_; }
  /// \throws Error with what the database says of its last call
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(shown_ + ": " + what + ": " + sqlite3_errmsg(database_));
  }
  /// \throws Error naming the statement
  void run(const std::string& sql) const {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      fail(in_quotes(sql));
  }

private:
  std::string shown_;
  sqlite3* database_ = nullptr;
};

/// One statement of SQL.
class SqliteStatement {
public:
  /// \throws Error for what is no statement, OptionError for several
  SqliteStatement(const SqliteDatabase& database, const std::string& sql) : database_(database), sql_(sql) {
    const char* tail = nullptr;
    if (sql.size() > most_sql)
      throw OptionError(database.path() + ": the query is longer than " + std::to_string(most_sql) +
                        " bytes");
    if (sqlite3_prepare_v2(database.handle(), sql.c_str(), static_cast<int>(sql.size() + 1), &statement_,
                           &tail) != SQLITE_OK)
      fail();
    if (statement_ == nullptr)
      throw OptionError(database.path() + ": " + in_quotes(sql) + " is no query");
    sqlite3_stmt* more = nullptr; // blanks and comments are none
    const bool single =
        sqlite3_prepare_v2(database.handle(), tail, -1, &more, nullptr) == SQLITE_OK && more == nullptr;
    sqlite3_finalize(more);
    if (!single) {
      sqlite3_finalize(statement_);
      throw OptionError(database.path() + ": " + in_quotes(sql) + " is more than one query, expected one");
    }
  }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement() { sqlite3_finalize(statement_); }

  sqlite3_stmt* handle() const noexcept { return statement_; }
  /// \returns whether there is another row \throws Error
  bool step() const {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
      fail();
    return result == SQLITE_ROW;
  }
  void reset() const noexcept { sqlite3_reset(statement_); }
  /// Bytes of a cell of the current row, as a text.
  std::string_view text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    if (bytes == nullptr && size > 0)
      throw Error(database_.path() + ": there is no memory for a text");
    return bytes == nullptr ? std::string_view("") : std::string_view(bytes, size);
  }

private:
  static constexpr std::size_t most_sql = 1'000'000;
  [[noreturn]] void fail() const { database_.fail(in_quotes(sql_)); }

  const SqliteDatabase& database_;
  std::string sql_;
  sqlite3_stmt* statement_ = nullptr;
};

/// The tables and views that users made, by name.
struct SqliteTable {
  std::string name{};
  bool view = false;
};
inline std::vector<SqliteTable> tables_of(const SqliteDatabase& database) {
  const SqliteStatement list(database, "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') "
                                       "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
  std::vector<SqliteTable> tables;
  while (list.step())
    tables.push_back({std::string(list.text(0)), list.text(1) == "view"});
  return tables;
}

#endif

} // namespace detail
ROWSMITH_END
