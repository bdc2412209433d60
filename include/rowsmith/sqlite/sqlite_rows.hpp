// SPDX-License-Identifier: MIT
/// \file
/// What a query of a SQLite database gives, as rows to learn.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/sqlite/database.hpp>
#include <rowsmith/table/text_cell.hpp>
#include <rowsmith/table/text_source.hpp>

ROWSMITH_BEGIN

/// Which rows of a database.
struct SqliteQuery {
  std::string file{};
  std::string query{}; ///< a `select`
  std::string table{}; ///< in place of a query: a table or a view; with neither: the only table that there is
};

#if ROWSMITH_HAS_SQLITE
namespace detail {

/// Rows of a query. The database is opened for reading alone, and stays in one transaction until this ends,
/// so that its rows are the same however often they are read.
class SqliteRows final : public TextSource {
public:
  explicit SqliteRows(const SqliteQuery& asked) : database_(asked.file, false, asked.file) {
    if (!asked.query.empty() && !asked.table.empty())
      throw OptionError(asked.file + ": expected a query or a table, not both");
    database_.run("BEGIN");
    database_.run("SELECT count(*) FROM sqlite_master"); // the transaction begins with what it reads first
    query_ = asked.query.empty() ? "SELECT * FROM " + sql_name(table_of(asked)) : asked.query;
    statement_ = std::make_unique<SqliteStatement>(database_, query_);
    auto* const handle = statement_->handle();
    if (sqlite3_stmt_readonly(handle) == 0)
      throw OptionError(asked.file + ": " + in_quotes(query_) + " writes, expected a query that reads");
    const int columns = sqlite3_column_count(handle);
    if (columns == 0)
      throw OptionError(asked.file + ": " + in_quotes(query_) + " gives no columns, expected a select");
    if (sqlite3_bind_parameter_count(handle) > 0)
      throw OptionError(asked.file + ": " + in_quotes(query_) + " has parameters, expected values");
    std::unordered_set<std::string> seen;
    for (int c = 0; c < columns; ++c) {
      const char* name = sqlite3_column_name(handle, c);
      names_.emplace_back(name == nullptr ? "" : name);
      if (names_.back().empty())
        throw Error(asked.file + ": column " + std::to_string(c + 1) + " of " + in_quotes(query_) +
                    " has no name, expected one (as NAME)");
      if (!is_utf8(names_.back()))
        throw Error(asked.file + ": the name of column " + std::to_string(c + 1) + " is no UTF-8 text");
      if (!seen.insert(names_.back()).second)
        throw Error(asked.file + ": the column name " + in_quotes(names_.back()) + " of " +
                    in_quotes(query_) + " is there twice, expected different names (as NAME)");
    }
  }

  const std::vector<std::string>& names() const noexcept override { return names_; }
  std::string name() const override { return database_.path(); }
  double share_done() const noexcept override { return pass_.share_done(); }
  void rewind() override {
    statement_->reset();
    pass_.begin();
    ended_ = false;
  }
  bool next(TextChunk& chunk, std::size_t most) override {
    clear(chunk, names_.size(), pass_.rows());
    std::size_t bytes = 0;
    while (!ended_ && chunk.rows < most && bytes < most_bytes) {
      if (!statement_->step()) {
        end();
        break;
      }
      pass_.add_row();
      ++chunk.rows;
      for (std::size_t c = 0; c < names_.size(); ++c)
        bytes += add_cell(chunk.columns[c], c);
    }
    return chunk.rows > 0;
  }

private:
  static constexpr std::size_t most_bytes = std::size_t{1} << 26U; ///< about, of a chunk

  /// The table that is asked for, or the only one.
  std::string table_of(const SqliteQuery& asked) const {
    std::vector<std::string> tables;
    std::string known;
    for (const auto& [name, view] : tables_of(database_)) {
      if (!asked.table.empty() && name == asked.table)
        return name;
      known += (known.empty() ? "" : ", ") + in_quotes(name);
      if (!view)
        tables.push_back(name);
    }
    if (!asked.table.empty())
      throw OptionError(asked.file + ": there is no table " + in_quotes(asked.table) +
                        (known.empty() ? ", nor any other" : ", expected one of " + known));
    if (tables.size() != 1)
      throw OptionError(asked.file + (tables.empty() ? ": has no table"
                                                     : ": has several tables, expected the name of one of " +
                                                           known + ", or a query"));
    return tables.front();
  }
  /// \returns about how many bytes it takes
  std::size_t add_cell(TextColumn& column, std::size_t c) {
    auto* const handle = statement_->handle();
    const auto place = static_cast<int>(c);
    const int type = sqlite3_column_type(handle, place);
    cell_.clear();
    bool quoted = false;
    switch (type) {
    case SQLITE_INTEGER:
      cell_ = std::to_string(sqlite3_column_int64(handle, place));
      break;
    case SQLITE_FLOAT: {
      const double number = sqlite3_column_double(handle, place);
      if (!std::isfinite(number))
        fail_cell(c, "holds an infinite number, expected a finite one or NULL");
      append_exact_number(cell_, number);
      break;
    }
    case SQLITE_TEXT:
      cell_ = statement_->text(place);
      if (const char* wrong = wrong_text(cell_))
        fail_cell(c, wrong);
      quoted = needs_quotes_among_texts(cell_);
      break;
    case SQLITE_NULL:
      break;
    default:
      fail_cell(c, "holds a BLOB, expected a number, a text or NULL");
    }
    pass_.add_cell(cell_, static_cast<std::uint64_t>(type));
    column.add(cell_, quoted, static_cast<std::size_t>(pass_.rows()));
    return cell_.size() + 16;
  }
  /// A query may give other rows each time, such as by random() or where no order is asked for.
  void end() {
    ended_ = true;
    if (pass_.rows() == 0)
      throw Error(name() + ": " + in_quotes(query_) + " gives no rows, expected at least one");
    if (!pass_.end())
      throw Error(
          name() + ": " + in_quotes(query_) +
          " gives other rows, or another order, when it is asked again: a query that is read twice must "
          "not depend on chance");
  }
  [[noreturn]] void fail_cell(std::size_t c, const std::string& what) const {
    throw Error(name() + ": row " + std::to_string(pass_.rows()) + ", column '" + names_[c] + "' " + what);
  }

  SqliteDatabase database_;
  std::string query_;
  std::unique_ptr<SqliteStatement> statement_;
  std::vector<std::string> names_;
  PassCheck pass_;
  bool ended_ = false;
  std::string cell_;
};

} // namespace detail

/// The rows of a query: whole numbers and texts as they are, other numbers by the shortest text that reads
/// back the same, NULL as a missing value; an empty text, `NA` and `?` are texts. What the columns mean is
/// found out from all rows, whatever types they are declared with. Where messages speak of lines, rows are
/// counted from 1. \throws OptionError for a query that writes, is more than one, or gives no columns, and
/// for a table that is not there; Error for a file that is no database, a query that SQLite refuses, columns
/// without names or with the same one. Reading throws Error with row and column for a BLOB, an infinite
/// number and what is no UTF-8 text, and for a query that gives other rows when it is asked again
inline std::unique_ptr<TextSource> sqlite_rows(const SqliteQuery& query) {
  return std::make_unique<detail::SqliteRows>(query);
}

#else

inline std::unique_ptr<TextSource> sqlite_rows(const SqliteQuery& query) {
  detail::refuse_sqlite(query.file);
}

#endif

ROWSMITH_END
