// SPDX-License-Identifier: MIT
// Rows from a database and into one. Databases are made here, by SQLite itself.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/sqlite/sqlite_rows.hpp>
#include <rowsmith/sqlite/sqlite_writer.hpp>
#include <rowsmith/table/table_file.hpp>

#include "../support/folder.hpp"

#if ROWSMITH_HAS_SQLITE

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

// Makes a database by statements; its path.
std::string database(const TestFolder& folder, const std::string& name, const std::string& sql) {
  const auto path = folder.path + "/" + name;
  const rs::detail::SqliteDatabase made(path, true, path);
  made.run(sql);
  return path;
}
std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
// All cells of a query, as SQLite writes them in SQL.
std::vector<std::string> quoted_cells(const std::string& path, const std::string& columns,
                                      const std::string& rest) {
  const rs::detail::SqliteDatabase opened(path, false, path);
  std::vector<std::string> cells;
  const rs::detail::SqliteStatement statement(opened, "SELECT " + columns + " FROM " + rest);
  while (statement.step())
    for (int c = 0; c < sqlite3_column_count(statement.handle()); ++c)
      cells.emplace_back(statement.text(c));
  return cells;
}
// Texts of all rows of one column.
std::vector<std::string> column_texts(const rs::SqliteQuery& query, std::size_t most = 100) {
  const auto source = rs::sqlite_rows(query);
  rs::TextChunk chunk;
  std::vector<std::string> texts;
  while (source->next(chunk, most))
    for (const auto code : chunk.columns[0].codes()) {
      const auto text = chunk.columns[0][code];
      texts.push_back((text.quoted ? "'" : "") + std::string(text.text));
    }
  return texts;
}
void read_all(const rs::SqliteQuery& query) {
  const auto source = rs::sqlite_rows(query);
  rs::TextChunk chunk;
  while (source->next(chunk, 3)) {
  }
}

} // namespace

TEST_CASE("cells of a database keep all they hold", "[sqlite]") {
  const TestFolder folder;
  const auto path =
      database(folder, "a.db",
               "CREATE TABLE t (x); INSERT INTO t VALUES (-9223372036854775808), (9007199254740993), "
               "(0.1), (2.0), (1e300), (0.30000000000000004), (1e-7), (-0.5), ('text'), (''), ('NA'), "
               "('?'), (NULL), ('007'), (' a '), ('\xC3\xA9')");
  const std::vector<std::string> expected{"-9223372036854775808",
                                          "9007199254740993",
                                          "0.1",
                                          "2.0",
                                          "1e+300",
                                          "0.30000000000000004",
                                          "0.0000001",
                                          "-0.5",
                                          "text",
                                          "'",
                                          "'NA",
                                          "'?",
                                          "",
                                          "007",
                                          " a ",
                                          "\xC3\xA9"};
  CHECK(column_texts({.file = path}) == expected);
  CHECK(column_texts({.file = path, .table = "t"}, 1) == expected);
  CHECK(column_texts({.file = path, .query = "select x from t where x = 0.1 -- a comment\n;"}) ==
        std::vector<std::string>{"0.1"});
}

TEST_CASE("an empty text is a category, NULL is missing", "[sqlite]") {
  const TestFolder folder;
  const auto path = database(folder, "a.db",
                             "CREATE TABLE t (town TEXT, n INTEGER); INSERT INTO t VALUES "
                             "('', 1), ('Oslo', 2), (NULL, NULL), ('NA', 4)");
  const auto source = rs::sqlite_rows({.file = path});
  const auto file = rs::read_table_file(*source);
  const auto& town = file.table["town"];
  CHECK(town.dictionary.texts() == std::vector<std::string>{"", "Oslo", "NA"});
  CHECK(town.missing_count() == 1);
  CHECK(town.is_missing(2));
  CHECK(file.table["n"].is_missing(2));
  CHECK(rs::read_table_like(*source, file.format).rows() == 4);
}

TEST_CASE("what is no query of rows is refused", "[sqlite]") {
  const TestFolder folder;
  const auto path =
      database(folder, "a.db",
               "CREATE TABLE one (x, y); CREATE TABLE \"two \"\"2\" (z); INSERT INTO one VALUES (1, 2); "
               "INSERT INTO \"two \"\"2\" VALUES (7)");
  const auto refused = [&](const std::string& query) { read_all({.file = path, .query = query}); };
  CHECK_THROWS_WITH(refused("delete from one"), Contains("a.db: 'delete from one' writes"));
  CHECK_THROWS_AS(refused("insert into one values (1, 2) returning x"), rs::OptionError);
  CHECK_THROWS_WITH(refused("begin"), Contains("gives no columns"));
  CHECK_THROWS_WITH(refused("select 1; drop table one"), Contains("more than one query"));
  CHECK_THROWS_WITH(refused("select 1; nonsense"), Contains("more than one query"));
  CHECK_THROWS_WITH(refused("-- nothing"), Contains("is no query"));
  CHECK_THROWS_WITH(refused("select ?"), Contains("parameters"));
  CHECK_THROWS_WITH(refused("select absent from one"),
                    Contains("'select absent from one': no such column: absent"));
  CHECK_THROWS_WITH(refused("select x, y as x from one"), Contains("'x'") && Contains("twice"));
  CHECK_THROWS_WITH(refused("select x as \"\" from one"), Contains("column 1") && Contains("has no name"));
  CHECK_THROWS_WITH(refused("select x from one where x > 5"), Contains("gives no rows"));
  CHECK_THROWS_WITH(refused("select 'a' as t, x'00' as b"), Contains("row 1, column 'b' holds a BLOB"));
  CHECK_THROWS_WITH(refused("select 1 as t union all select 9e999"),
                    Contains("row 2, column 't' holds an infinite"));
  CHECK_THROWS_WITH(refused("select cast(x'C3' as text) as t"),
                    Contains("row 1, column 't'") && Contains("UTF-8"));
  CHECK_THROWS_WITH(refused("select cast(x'410042' as text) as t"), Contains("zero byte"));
  CHECK_THROWS_WITH(read_all({.file = path}), Contains("several tables") && Contains("'one', 'two \"2'"));
  CHECK_THROWS_WITH(read_all({.file = path, .table = "three"}), Contains("no table 'three'"));
  CHECK_THROWS_WITH(read_all({.file = path, .query = "select 1", .table = "one"}), Contains("not both"));
  CHECK(column_texts({.file = path, .table = "two \"2"}) == std::vector<std::string>{"7"});
  CHECK_THROWS_WITH(read_all({.file = folder.path + "/none.db"}), Contains("none.db: cannot be opened"));
  CHECK_FALSE(std::filesystem::exists(folder.path + "/none.db"));
  CHECK_THROWS_WITH(read_all({.file = folder.write("no.db", std::string(5000, 'x'))}),
                    Contains("not a database"));
}

TEST_CASE("rows stay the same over all passes", "[sqlite]") {
  const TestFolder folder;
  const auto path = database(
      folder, "a.db", "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (3)");
  const auto source = rs::sqlite_rows({.file = path});
  rs::TextChunk chunk;
  const auto count = [&] {
    std::size_t rows = 0;
    source->rewind();
    while (source->next(chunk, 2))
      rows += chunk.rows;
    return rows;
  };
  CHECK(count() == 3);
  const rs::detail::SqliteDatabase other(path, true, path);
  other.run("INSERT INTO t VALUES (4)");
  CHECK(count() == 3);
  CHECK(column_texts({.file = path}).size() == 4);
  // A query by chance is told of, not learnt.
  const auto random = rs::sqlite_rows({.file = path, .query = "select random() as x from t"});
  const auto pass = [&] {
    random->rewind();
    while (random->next(chunk, 100)) {
    }
  };
  pass();
  CHECK_THROWS_WITH(pass(), Contains("gives other rows"));
}

TEST_CASE("generated rows are written as a table", "[sqlite]") {
  const TestFolder folder;
  const auto path = folder.path + "/out.db";
  rs::TableFormat format;
  format.columns = {
      {.name = "id", .role = rs::ColumnRole::identifier, .pattern = "#", .first = 100},
      {.name = "a \"b\"", .role = rs::ColumnRole::integer},
      {.name = "price", .role = rs::ColumnRole::real, .marks = {.prefix = "$", .decimal = ','}},
      {.name = "day", .role = rs::ColumnRole::date, .pattern = "DD.MM.YYYY"},
      {.name = "town", .role = rs::ColumnRole::category, .missing = "?"},
      {.name = "note", .role = rs::ColumnRole::text},
      {.name = "gone", .role = rs::ColumnRole::dropped},
      {.name = "nr", .role = rs::ColumnRole::integer, .origin = {18'000'000'000'000'000'000U, false}},
      {.name = "ns", .role = rs::ColumnRole::integer, .origin = {1'700'000'000'000'000'000U, false}}};
  const double nan = std::nan("");
  const rs::Table table(
      {rs::Column::numerical("a \"b\"", {7, nan}, 0), rs::Column::numerical("price", {1234.5, 0.1}, 2),
       rs::Column::numerical("day", {0, nan}, 0), rs::Column::categorical("town", {"", "?"}),
       rs::Column::numerical("nr", {1, nan}, 0), rs::Column::numerical("ns", {1, 2}, 0)});
  const auto files = [&] { return std::distance(std::filesystem::directory_iterator(folder.path), {}); };
  const auto write = [&](const std::string& name) {
    const auto before = files();
    rs::write_sqlite(path, name, format, table, 5, [&](rs::SqliteRowWriter& rows) {
      rows.append(table, 10);
      CHECK(files() == before + 1); // no journal beside the partial file: it would stay after a kill
    });
  };
  write("made");
  CHECK(quoted_cells(path, "sql", "sqlite_master") ==
        std::vector<std::string>{
            "CREATE TABLE \"made\" (\"id\" INTEGER, \"a \"\"b\"\"\" INTEGER, \"price\" REAL, "
            "\"day\" TEXT, \"town\" TEXT, \"note\" TEXT, \"nr\" TEXT, \"ns\" INTEGER)"});
  CHECK(quoted_cells(path,
                     "quote(id), quote(\"a \"\"b\"\"\"), quote(price), quote(day), quote(town), quote(note), "
                     "quote(nr), quote(ns)",
                     "made") == std::vector<std::string>{"110", "7", "1234.5", "'01.01.1970'", "''",
                                                         "'[text]'", "'18000000000000000001'",
                                                         "1700000000000000001", "111", "NULL", "0.1", "NULL",
                                                         "'?'", "'[text]'", "NULL", "1700000000000000002"});
  // A file is replaced as any other, but not with the loss of what it held besides, and whole or not at all.
  write("made");
  CHECK_THROWS_WITH(write("other"), Contains("has 'made', which would be lost"));
  CHECK_THROWS_WITH(write("sqlite_x"), Contains("none that SQLite allows"));
  const auto before = file_bytes(path);
  CHECK_THROWS_WITH(rs::write_sqlite(path, "made", format, table, 5,
                                     [&](rs::SqliteRowWriter& rows) {
                                       rows.append(table, 0);
                                       throw rs::Error("stopped");
                                     }),
                    EndsWith("stopped"));
  CHECK((file_bytes(path) == before));
  CHECK(files() == 1);
  folder.write("out.db-wal", "x");
  CHECK_THROWS_WITH(write("made"), Contains("is in use"));
  // By a link, too: SQLite has the log beside the file itself.
  const TestFolder links;
  const auto link = links.path + "/link.db";
  std::filesystem::create_symlink(path, link);
  CHECK_THROWS_WITH(rs::write_sqlite(link, "made", format, table, 5, [](rs::SqliteRowWriter&) {}),
                    Contains("link.db: is in use") && Contains("out.db-wal"));
  CHECK((file_bytes(path) == before));
  std::filesystem::remove(path + "-wal");
  rs::write_sqlite(link, "made", format, table, 6, [](rs::SqliteRowWriter&) {});
  CHECK(std::filesystem::is_symlink(link));
  CHECK(quoted_cells(path, "count(*)", "made") == std::vector<std::string>{"0"});
  CHECK_THROWS_WITH(
      rs::write_sqlite(folder.path + "/nowhere/x.db", "t", format, table, 0, [](rs::SqliteRowWriter&) {}),
      Contains("x.db: cannot be opened for writing"));
}

#endif
