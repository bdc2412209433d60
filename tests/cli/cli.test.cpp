// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <stdlib.h>

#include <rowsmith/core/random.hpp>
#include <rowsmith/csv/compressed.hpp>
#include <rowsmith/table/date_text.hpp>
#include <rowsmith/table/write_csv.hpp>

#include "../evaluate/small_tables.hpp"
#include "../support/run_program.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A folder with three tables of people, one of whose columns has a comma in its name.
struct Folder {
  std::string path;

  Folder() {
    path = (std::filesystem::temp_directory_path() / "rowsmith-cli-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    std::uint64_t seed = 0;
    for (const char* name : {"train.csv", "holdout.csv", "made.csv"}) {
      auto columns = small_tables::people(150, ++seed).columns();
      columns[3].name = "last, first";
      rs::write_csv(file(name), rs::Table(std::move(columns)));
    }
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }

  std::string file(const std::string& name) const { return path + "/" + name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }

  Result run(const std::vector<std::string>& more, const std::string& holdout = "holdout.csv") const {
    std::vector<std::string> words{"evaluate",    "--quick",         "--quiet",
                                   "--train",     file("train.csv"), "--holdout",
                                   file(holdout), "--synthetic",     file("made.csv")};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
};

} // namespace

TEST_CASE("a table is judged, written and let through or stopped by the exit code", "[cli]") {
  const Folder folder;
  folder.write("gate.json", R"({"shapes.mean": {"max": 0.5}, "efficacy.forest.last, first": {"min": 0}})");
  auto result =
      folder.run({"--target", "last, first", "--target", "y,b", "--json", folder.file("report.json"),
                  "--html", folder.file("report.html"), "--gate", folder.file("gate.json")});
  CHECK(result.error == "");
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("release gate: passed (2 limits)"));
  const auto json = nlohmann::json::parse(read_file(folder.file("report.json")));
  CHECK(json["efficacy"][0]["target"] == "last, first");
  CHECK(json["efficacy"].size() == 6);
  CHECK(json["regression"].size() == 3);
  CHECK_THAT(read_file(folder.file("report.html")), Contains("</html>"));

  // Some rows of each, by chance; every figure says of how many it is.
  for (const auto& figure : json["figures"])
    CHECK(figure["n"].get<std::size_t>() <= 150);
  CHECK(result.out.find("by chance") == std::string::npos);
  result = folder.run({"--rows", "120", "--json", folder.file("some.json")});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Catch::StartsWith("judged by rows by chance: 120 of 150 training rows, 120 of 150"));
  const auto some = nlohmann::json::parse(read_file(folder.file("some.json")));
  CHECK(some["synthetic_rows"] == 120);
  CHECK(some["of"]["synthetic_rows"] == 150);
  CHECK(folder.run({"--rows", "99"}).code == 2);
  // Copies are found among all training rows, also among those that were not taken.
  std::filesystem::rename(folder.file("made.csv"), folder.file("honest.csv"));
  std::filesystem::copy_file(folder.file("train.csv"), folder.file("made.csv"));
  result = folder.run({"--rows", "100", "--json", folder.file("copies.json")});
  std::size_t told = 0;
  const auto copies = nlohmann::json::parse(read_file(folder.file("copies.json")));
  for (const auto& figure : copies["figures"])
    if (figure["key"] == "copies.all") {
      ++told;
      CHECK(figure["value"] == 1);
      CHECK(figure["ideal"] == 0);
      CHECK(figure["n"] == 100);
      CHECK(figure["light"] == "amber");
    } else if (figure["key"] == "copies.share") {
      CHECK(figure["value"] < 0.95); // two thirds of the training rows were taken
    }
  CHECK(told == 1);
  std::filesystem::rename(folder.file("honest.csv"), folder.file("made.csv"));

  folder.write("gate.json", R"({"shapes.mean": {"max": 0}})");
  result = folder.run({"--gate", folder.file("gate.json")});
  CHECK(result.code == 1);
  CHECK_THAT(result.out, Contains("release gate: FAILED") && Contains("shapes.mean is "));
}

TEST_CASE("a table is described on a page, with a picture of each column", "[cli]") {
  const Folder folder;
  const auto file = folder.file("train.csv");
  const auto plain = run_program({"describe", file});
  const auto drawn = run_program({"describe", file, "--html", folder.file("page.html")});
  CHECK(drawn.code == 0);
  CHECK(drawn.out == plain.out);
  const auto page = read_file(folder.file("page.html"));
  std::size_t pictures = 0;
  for (auto at = page.find("<svg "); at != std::string::npos; at = page.find("<svg ", at + 1))
    ++pictures;
  CHECK(pictures == small_tables::people(150, 1).size());
  CHECK_THAT(page, Contains("last, first") && Contains("150 rows") && Contains("</html>"));
  // Read in chunks, a table that a sketch holds whole is described alike.
  CHECK(run_program({"describe", file, "--stream"}).out == plain.out);
  CHECK_THAT(run_program({"describe", file, folder.file("holdout.csv")}).out,
             Contains("train.csv and 1 more: 300 rows"));
  CHECK(run_program({"describe", file, "--stream", "--in-memory"}).code == 2);
  const auto before = read_file(file);
  CHECK(run_program({"describe", file, "--html", file}).code == 2);
  CHECK(read_file(file) == before);
}

TEST_CASE("two tables are compared, and wrong use is refused", "[cli]") {
  const Folder folder;
  rs::write_csv(folder.file("first.csv"), small_tables::people(240, 1));
  rs::write_csv(folder.file("second.csv"), small_tables::people(120, 2));
  const auto run = [&](const std::vector<std::string>& more, const std::string& second = "second.csv") {
    std::vector<std::string> words{"compare", "--quick", "--quiet", folder.file("first.csv"),
                                   folder.file(second)};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  const auto result =
      run({"--target", "y", "--json", folder.file("likeness.json"), "--html", folder.file("likeness.html")});
  CHECK(result.error == "");
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("n = 120 rows by chance") && Contains("AUC of predicting y"));
  CHECK(nlohmann::json::parse(read_file(folder.file("likeness.json")))["n"] == 120);
  CHECK_THAT(read_file(folder.file("likeness.html")), Contains("first.csv and ") && Contains("</html>"));
  const auto second = read_file(folder.file("second.csv"));
  for (const auto& [more, why] : std::initializer_list<std::pair<std::vector<std::string>, std::string>>{
           {{"--target", "z"}, "--target: no column is called 'z'"},
           {{"--json", folder.file("second.csv")}, "is the file of B"},
           {{"--html", folder.file("nowhere/page.html")}, "cannot be written"},
           {{"--json", folder.file("x"), "--html", folder.file("x")}, "is the file of --json"},
           {{"--max-rows", "99"}, "from 100 to"},
           {{"--rows", "many"}, "expected a whole number"},
           {{"--label", "y"}, "--label"}}) {
    CAPTURE(more);
    const auto refused = run(more);
    CHECK(refused.code == 2);
    CHECK_THAT(refused.error, Contains(why));
    CHECK(refused.out == "");
  }
  CHECK_THAT(run({"--rows", "200"}).out,
             Contains("240 (200 of them were taken, by chance)") && Contains("n = 100 rows"));
  CHECK(run({}, "first.csv").code == 2);
  CHECK(read_file(folder.file("second.csv")) == second);
  rs::write_csv(folder.file("few.csv"), small_tables::people(99, 2));
  CHECK(run({}, "few.csv").code == 2);
}

TEST_CASE("wrong use is refused before any work, with exit code 2", "[cli]") {
  const Folder folder;
  folder.write("unknown.json", R"({"efficacy.forest.z": {"min": 0.9}})");
  folder.write("model.json", R"({"likelihood.holdout": {"min": -9}})"); // of a model, but none is given
  folder.write("twice.json", R"({"shapes.mean": {"max": 0.9}, "shapes.mean": {"max": 0.1}})");
  std::filesystem::create_symlink(folder.file("train.csv"), folder.file("link.csv"));
  std::filesystem::create_hard_link(folder.file("made.csv"), folder.file("hard.csv"));
  std::filesystem::copy_file(folder.file("train.csv"), folder.file("copy.csv"));
  const auto train = read_file(folder.file("train.csv"));
  const auto made = read_file(folder.file("made.csv"));
  const auto files = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  };
  const std::size_t before = files();
  const auto refused = [&](const std::vector<std::string>& more, const std::string& why,
                           const std::string& holdout = "holdout.csv") {
    CAPTURE(more, holdout);
    const auto result = folder.run(more, holdout);
    CHECK(result.code == 2);
    CHECK_THAT(result.error, Contains(why));
    CHECK(result.out == ""); // no figure was made
  };
  refused({"--target", "z"}, "--target: no column is called 'z'");
  refused({"--target", "last"}, "no column is called 'last'");
  refused({"--target", "y", "--target", "y"}, "'y' is there twice");
  refused({"--target", "y,b,y"}, "'y' is there twice");
  refused({"--categorical", "z"}, "column 'z' is declared, but the file does not have it");
  refused({"--gate", folder.path}, "is a folder");
  refused({"--gate", folder.file("nowhere.json")}, "cannot be read");
  refused({"--gate", folder.file("unknown.json")}, "no figure 'efficacy.forest.z'");
  refused({"--gate", folder.file("model.json")}, "no figure 'likelihood.holdout'");
  refused({"--gate", folder.file("twice.json")}, "'shapes.mean' is there twice");
  for (const char* number : {"-1", "1.5", "0x10", "18446744073709551616", "", "one"}) {
    refused({"--seed", number}, "--seed");
    refused({"--threads", number}, "--threads");
  }
  refused({"--seeds", "0"}, "from 1 to 1000");
  // The same file by another name: a path with dots, a symbolic and a hard link.
  refused({"--json", folder.file("train.csv")}, "the file of --train");
  refused({"--json", folder.path + "/./train.csv"}, "the file of --train");
  refused({"--html", folder.file("link.csv")}, "the file of --train");
  refused({"--html", folder.file("hard.csv")}, "the file of --synthetic");
  refused({"--json", folder.file("new"), "--html",
           folder.path + "/../" + std::filesystem::path(folder.path).filename().string() + "/new"},
          "the file of --json");
  refused({"--gate", folder.file("unknown.json"), "--json", folder.file("unknown.json")},
          "the file of --gate");
  refused({"--json", folder.path}, "cannot be written");
  refused({"--json", folder.file("nowhere/report.json")}, "cannot be written");
  refused({}, "--train", "train.csv");
  refused({}, "--train", "link.csv");
  refused({}, "same rows as the training table", "copy.csv");
  refused({"--nonsense"}, "--nonsense");
  CHECK(read_file(folder.file("train.csv")) == train);
  CHECK(read_file(folder.file("made.csv")) == made);
  CHECK(files() == before);
}

TEST_CASE("work that fails has exit code 1, help has 0", "[cli]") {
  const Folder folder;
  const auto missing = folder.run({}, "nowhere.csv");
  CHECK(missing.code == 1);
  CHECK_THAT(missing.error, Contains("nowhere.csv"));
  folder.write("bad.model", "no model");
  CHECK(folder.run({"--model", folder.file("bad.model")}).code == 1);
  CHECK(folder.run({"--help"}).code == 0);
  CHECK(folder.run({"--seed", "010", "--json", folder.file("ten.json")}).code == 0); // decimal, not octal
  CHECK(nlohmann::json::parse(read_file(folder.file("ten.json")))["seed"] == 10);
}

namespace {

// Rows of towns and prices: dear in Oslo, cheap in Lima; the numbers of `odd` come last. Few days and prices,
// so that leaves of few rows know them all.
std::string offers(std::size_t rows, std::uint64_t seed, const std::string& odd = "") {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 78));
  std::string text = "town,day,price\n";
  for (std::size_t i = 0; i < rows; ++i) {
    const bool oslo = random.below(2) == 0;
    text += oslo ? "Oslo," : "Lima,";
    rs::append_date(text, 19'723 + random.below(20), "YYYY-MM-DD"); // from the first of January 2024 on
    const bool dear = oslo && random.below(10) != 0; // few in Oslo are cheap, so that no price tells the town
    text += "," + std::to_string((dear ? 500 : 100) + 10 * random.below(10)) + "\n";
  }
  return text + odd;
}
std::size_t lines_with(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    count += line.find(part) != std::string::npos ? 1 : 0;
  return count;
}

} // namespace

TEST_CASE("rows are flagged at a threshold by held-out rows, and it is said in words why", "[cli]") {
  const Folder folder;
  folder.write("offers.csv", offers(2000, 1));
  folder.write("held.csv", offers(1000, 2));
  folder.write(
      "new.csv",
      offers(500, 3,
             "Lima,2024-01-15,560\nOslo,2024-01-15,9000\nRome,2024-01-15,150\nOslo,2031-05-15,550\n"));
  const auto fitted = run_program(
      {"fit", folder.file("offers.csv"), "-o", folder.file("m"), "--recipe", "trees", "--quick", "--quiet"});
  REQUIRE(fitted.code == 0);
  for (const char* by : {"likelihood", "cells"}) {
    CAPTURE(by);
    const auto result = run_program({"score", folder.file("m"), folder.file("new.csv"), "--calibrate",
                                     folder.file("held.csv"), "--false-alarms", "0.02", "--explain", "--by",
                                     by, "--samples", "4"});
    CAPTURE(result.error, result.out);
    REQUIRE(result.code == 0);
    CHECK_THAT(result.log, Contains("threshold ") &&
                               Contains(" of 1000 rows of " + folder.file("held.csv")) &&
                               Contains(" of 504 rows flagged"));
    CHECK_THAT(result.out, Catch::StartsWith("row,score,flagged,reasons\n"));
    CHECK(lines_with(result.out, ",yes,") + lines_with(result.out, ",no,") == 504);
    CHECK(lines_with(result.out, ",yes,") <= 4 + 30); // 2 % of 500, and what chance adds
    std::istringstream lines(result.out);
    std::string line;
    for (std::size_t row = 0; std::getline(lines, line); ++row) {
      if (row > 0 && line.find(",no,") != std::string::npos)
        CHECK(line.substr(line.find(",no,")) == ",no,"); // nothing to explain
      // That a price is one of the other town stands out by cells; the likelihood of so few trees, smoothed,
      // need not be below what luck with the other columns does.
      if (row <= 500 || (row == 501 && std::string(by) == "likelihood"))
        continue;
      CAPTURE(line);
      CHECK_THAT(line, Contains(",yes,"));
      if (row == 501)
        CHECK_THAT(line, Contains("price is 560, where 1") && Contains("is usual beside 'town = Lima'"));
      if (row == 502)
        CHECK_THAT(line, Contains("price is 9000, outside of 100 to 590"));
      if (row == 503)
        CHECK_THAT(line, Contains(",inf,yes,") && Contains("town is 'Rome', which no training row had"));
      if (row == 504) // a date, as the file writes them
        CHECK_THAT(line, Contains("day is 2031-05-15, outside of 2024-01-01 to 2024-01-20"));
    }
  }
  // Several files, compressed or not, are one table: the same bytes.
  const auto rows = read_file(folder.file("new.csv"));
  const auto header = rows.find('\n') + 1;
  const auto middle = rows.find('\n', rows.size() / 3) + 1;
  folder.write("first.csv", rows.substr(0, middle));
  {
    std::ofstream rest(folder.file("rest.csv.gz"), std::ios::binary);
    rs::write_compressed(rest, rs::Compression::gzip,
                         [&](std::ostream& out) { out << rows.substr(0, header) << rows.substr(middle); });
  }
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, std::vector<std::string>{"--top", "9", "--explain"},
        std::vector<std::string>{"--calibrate", folder.file("held.csv"), "--false-alarms", "0.02"}}) {
    std::vector<std::string> one{"score", folder.file("m"), folder.file("new.csv")};
    std::vector<std::string> two{"score", folder.file("m"), folder.file("first.csv"),
                                 folder.file("rest.csv.gz")};
    for (auto* words : {&one, &two}) {
      words->insert(words->end(), more.begin(), more.end());
      words->insert(words->end(), {"--samples", "4"});
    }
    const auto whole = run_program(one);
    const auto parts = run_program(two);
    CHECK(whole.code == 0);
    CHECK(parts.out == whole.out);
    CHECK(parts.log == whole.log);
  }

  // Without held-out rows nothing is flagged, and every row that is written has its reasons.
  auto result = run_program(
      {"score", folder.file("m"), folder.file("new.csv"), "--top", "2", "--explain", "--samples", "4"});
  CHECK_THAT(result.out, Catch::StartsWith("row,score,reasons\n503,inf,") && Contains("outside of"));
  result = run_program({"score", folder.file("m"), folder.file("new.csv"), "--top", "2", "--samples", "4"});
  CHECK(lines_with(result.out, "") == 3);

  const auto refused = [&](std::vector<std::string> more, const std::string& why) {
    more.insert(more.begin(), {"score", folder.file("m"), folder.file("new.csv")});
    const auto told = run_program(more);
    CAPTURE(more);
    CHECK(told.code == 2);
    CHECK_THAT(told.error, Contains(why));
    CHECK(told.out == "");
  };
  folder.write("few.csv", offers(98, 4));
  const auto held = folder.file("held.csv");
  refused({"--false-alarms", "0.01"}, "--calibrate");
  refused({"--calibrate", held, "--false-alarms", "0"}, "--false-alarms");
  refused({"--calibrate", held, "--false-alarms", "1"}, "--false-alarms");
  refused({"--calibrate", held, "--false-alarms", "often"}, "--false-alarms");
  refused({"--calibrate", folder.file("few.csv")}, "98 rows are too few");
  refused({"--calibrate", held, "-o", held}, "the file of --calibrate");
  refused({"--by", "luck"}, "--by");
}

TEST_CASE("models of the base method score by reconstruction, and have no reasons", "[cli]") {
  const Folder folder;
  folder.write("offers.csv", offers(600, 1));
  folder.write("new.csv", offers(300, 3, "Lima,2024-01-15,560\nOslo,2024-01-15,9000\n"));
  REQUIRE(run_program({"fit", folder.file("offers.csv"), "-o", folder.file("m"), "--recipe", "faithful",
                       "--quick", "--quiet"})
              .code == 0);
  const auto result = run_program({"score", folder.file("m"), folder.file("new.csv"), "--calibrate",
                                   folder.file("offers.csv"), "--top", "1"});
  REQUIRE(result.code == 0);
  CHECK_THAT(result.out, Catch::StartsWith("row,score,flagged,reasons\n302,"));
  CHECK(lines_with(result.out, ",yes,") == 1);
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--explain"}, std::vector<std::string>{"--by", "likelihood"}}) {
    auto words = more;
    words.insert(words.begin(), {"score", folder.file("m"), folder.file("new.csv")});
    const auto told = run_program(words);
    CHECK(told.code == 2);
    CHECK_THAT(told.error, Contains("no distribution"));
  }
}

TEST_CASE("a model with a guarantee: what is promised is printed, kept in the file, and wrong use is refused",
          "[cli]") {
  const Folder folder;
  rs::write_csv(folder.file("many.csv"), small_tables::people(3000, 5));
  const std::vector<std::string> fit{"fit", folder.file("many.csv"), "--label", "y",
                                     "-o",  folder.file("model")};
  const auto with = [&](std::vector<std::string> more) {
    auto words = fit;
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  const auto fitted = with({"--epsilon", "2", "--delta", "1e-5", "--quick"});
  CAPTURE(fitted.error);
  REQUIRE(fitted.code == 0);
  CHECK_THAT(fitted.out, Contains("(2, 1e-05)-differentially private"));
  CHECK_THAT(fitted.out, Contains("which columns are numbers"));
  CHECK_THAT(fitted.out, Contains("how the file is written down"));
  const auto described = run_program({"describe", folder.file("model")});
  CHECK(described.code == 0);
  CHECK_THAT(described.out, Contains("(2, 1e-05)-differentially private"));
  for (const auto& more : std::initializer_list<std::vector<std::string>>{
           {"--label", "y"}, {"--delimiter", ";"}, {"--missing", "?"}, {"--day-first"}, {"--stream"}}) {
    std::vector<std::string> words{"describe", folder.file("model")};
    words.insert(words.end(), more.begin(), more.end());
    const auto refused = run_program(words);
    CHECK(refused.code == 2);
    CHECK(refused.out == "");
    CHECK_THAT(refused.error, Contains(more[0] + ": ") && Contains("is a model"));
  }
  const auto made = run_program({"sample", folder.file("model"), "-n", "40", "-o", "-"});
  CHECK(made.code == 0);
  CHECK(std::count(made.out.begin(), made.out.end(), '\n') == 41);
  CHECK(made.out.substr(0, made.out.find('\n')) ==
        read_file(folder.file("many.csv")).substr(0, made.out.find('\n')));

  // What everybody knows: kinds by a schema, domains by themselves.
  REQUIRE(run_program({"describe", folder.file("many.csv"), "--label", "y", "--schema-out",
                       folder.file("schema.json")})
              .code == 0);
  const auto declared = with({"--epsilon", "2", "--quick", "--schema", folder.file("schema.json"), "--domain",
                              "y=yes|no", "--quiet"});
  CAPTURE(declared.error);
  CHECK(declared.code == 0);
  CHECK(declared.out == "");
  const auto card = run_program({"describe", folder.file("model")}).out;
  CHECK_THAT(card, Contains("what is declared of column 'y'"));
  CHECK_THAT(card, !Contains("which columns are numbers"));

  const auto refused = [&](std::vector<std::string> more, const std::string& why) {
    CAPTURE(more);
    const auto result = with(std::move(more));
    CHECK(result.code == 2);
    CHECK_THAT(result.error, Contains(why));
  };
  refused({"--epsilon", "0"}, "--epsilon");
  refused({"--epsilon", "1", "--delta", "1"}, "--delta");
  refused({"--recipe", "private"}, "--epsilon: is missing");
  refused({"--domain", "y=a|b"}, "--epsilon: is missing");
  refused({"--epsilon", "1", "--recipe", "trees"}, "has no guarantee to give");
  refused({"--epsilon", "1", "--conditional"}, "--conditional");
  refused({"--epsilon", "1", "--relation", "a = b + c"}, "--relation");
  refused({"--epsilon", "1", "--min-category-rows", "3"}, "--min-category-rows");
  for (const std::string domain : {"y", "y=", "=1..2", "a=2..1", "a=1..x", "a=1..2:9", "a=1..2:x"})
    refused({"--epsilon", "1", "--domain", domain}, "--domain");
}
