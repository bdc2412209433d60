// SPDX-License-Identifier: MIT
// Databases in place of files, as the program takes and writes them.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include <rowsmith/sqlite/database.hpp>

#include "../../examples/rowsmith/private_fit.hpp"
#include "../support/folder.hpp"
#include "../support/run_program.hpp"

#if ROWSMITH_HAS_SQLITE

using Catch::Matchers::Contains;

namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The same 200 people as people.csv and as a table of people.db: every ninth has no income.
struct People {
  TestFolder folder;

  People() {
    std::string csv = "age,income,job\n";
    std::string sql = "create table people(age, income, job); begin;";
    const std::vector<std::string> jobs{"cook", "nurse", "smith"};
    for (int i = 0; i < 200; ++i) {
      const auto age = std::to_string(18 + i * 37 % 60);
      const auto income = std::to_string(i * 113 % 900) + ".25";
      const auto& job = jobs[static_cast<std::size_t>(i * i % 7 % 3)];
      csv += age + "," + (i % 9 == 0 ? "" : income) + "," + job + "\n";
      sql += "insert into people values(" + age + "," + (i % 9 == 0 ? "null" : income) + ",'" + job + "');";
    }
    folder.write("people.csv", csv);
    const rowsmith::detail::SqliteDatabase made(file("people.db"), true, file("people.db"));
    made.run(sql + "commit;");
  }

  std::string file(const std::string& name) const { return folder.path + "/" + name; }
  void fit(const std::string& model, std::vector<std::string> source) const {
    source.insert(source.begin(), "fit");
    source.insert(source.end(), {"--recipe", "trees", "--quick", "--quiet", "-o", file(model)});
    const auto result = run_program(source);
    CAPTURE(source, result.error);
    REQUIRE(result.code == 0);
  }
};

} // namespace

TEST_CASE("the program fits the same model to a database and to its rows as a file", "[cli][sqlite]") {
  const People people;
  people.fit("csv.model", {people.file("people.csv"), "--stream"});
  const auto model = bytes_of(people.file("csv.model"));
  REQUIRE(!model.empty());
  people.fit("table.model", {"--sqlite", people.file("people.db"), "--table", "people"});
  CHECK((bytes_of(people.file("table.model")) == model));
  people.fit("query.model",
             {"--sqlite", people.file("people.db"), "--query", "select age, income, job from people"});
  CHECK((bytes_of(people.file("query.model")) == model));
  people.fit("other.model", {"--sqlite", people.file("people.db"), "--query",
                             "select age, income, job from people where age < 60"});
  CHECK((bytes_of(people.file("other.model")) != model)); // the query counts

  const auto told = run_program({"describe", "--sqlite", people.file("people.db"), "--table", "people"});
  CHECK(told.error == "");
  CHECK(told.code == 0);
  CHECK_THAT(told.out, Contains("200 rows, 3 columns; SQLite, table people") && Contains("11.5 %") &&
                           Contains("nurse"));
}

TEST_CASE("wrong use of a database is refused with exit code 2", "[cli][sqlite]") {
  const People people;
  const auto db = people.file("people.db");
  const auto csv = people.file("people.csv");
  const auto model = people.file("refused.model");
  const auto before = bytes_of(db);
  const auto refused = [&](const std::vector<std::string>& words, const std::string& why) {
    CAPTURE(words);
    const auto result = run_program(words);
    CHECK(result.code == 2);
    CHECK_THAT(result.error, Contains(why));
    CHECK(result.out == "");
    CHECK(!std::filesystem::exists(model));
    CHECK((bytes_of(db) == before));
  };
  refused({"fit", csv, "--sqlite", db, "-o", model}, "expected none beside --sqlite");
  refused({"fit", "-o", model}, "expected a table, or --sqlite");
  refused({"fit", csv, "--table", "people", "-o", model}, "expected --sqlite beside them");
  refused({"fit", "--sqlite", db, "--delimiter", ";", "-o", model}, "a database has no --delimiter");
  refused({"fit", "--sqlite", db, "--table", "none", "-o", model}, "there is no table 'none'");
  refused({"fit", "--sqlite", db, "--table", "people", "--query", "select 1 as a", "-o", model},
          "a query or a table, not both");
  refused({"fit", "--sqlite", db, "--query", "delete from people", "-o", model}, "writes, expected a query");
  refused({"fit", "--sqlite", db, "-o", db}, "the file of --sqlite");
  refused({"fit", csv, "--stream", "--in-memory", "-o", model}, "--stream and --in-memory: expected one");
  refused({"fit", csv, "--stream", "--epsilon", "1", "-o", model}, "--stream: a private training");
  refused({"describe", csv, "--sqlite", db}, "expected none beside --sqlite");
  refused({"describe", csv, "--query", "select 1 as a"}, "expected --sqlite beside them");
}

TEST_CASE("what a private training takes for known of a database is not that of a file", "[cli][sqlite]") {
  const auto known = [](const program::FitSettings& settings) {
    std::string all;
    for (const auto& fact : program::facts_of_source(settings))
      all += fact + '\n';
    return all;
  };
  program::FitSettings settings;
  settings.files = {"people.csv"};
  CHECK_THAT(known(settings), Contains("delimiter") && Contains("first line") && Contains("\"NA\", nothing"));
  settings.files.clear();
  settings.input.sqlite.file = "people.db";
  CHECK_THAT(known(settings), Contains("the query") && Contains("joins") && Contains("LIMIT") &&
                                  Contains("NULL") && Contains("none of them") && !Contains("delimiter") &&
                                  !Contains("first line"));
  settings.input.schema = "schema.json";
  CHECK_THAT(known(settings), Contains("the query") && Contains("schema file") && !Contains("NULL"));
}

TEST_CASE("a generated database holds numbers as numbers and NULL for missing", "[cli][sqlite]") {
  const People people;
  people.fit("m", {"--sqlite", people.file("people.db")});
  const auto result = run_program(
      {"sample", people.file("m"), "-n", "300", "-o", people.file("made.db"), "--sqlite-table", "made"});
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  // SQLite counts itself: what is wrong makes a cell of one row or of none.
  const rowsmith::detail::SqliteDatabase made(people.file("made.db"), false, "made.db");
  const auto holds = [&](const std::string& condition) {
    CAPTURE(condition);
    // A check that fails stops the statement with an error.
    CHECK_NOTHROW(made.run("select case when (select " + condition +
                           " from made) then 1 else abs(-9223372036854775808) end"));
  };
  holds("count(*) = 300");
  holds("count(*) = sum(typeof(age) = 'integer')");
  holds("count(*) = sum(typeof(income) in ('real', 'null'))");
  holds("sum(income is null) between 1 and 150");
  holds("count(*) = sum(job in ('cook', 'nurse', 'smith'))");
  CHECK_THROWS(made.run("select case when (select count(*) = 299 from made) then 1 "
                        "else abs(-9223372036854775808) end")); // the check itself can fail
}

#endif
