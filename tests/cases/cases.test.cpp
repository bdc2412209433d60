// SPDX-License-Identifier: MIT
// Awkward files, each with what is right for it: what `describe` says, or the message and exit code, with
// nothing half written.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/table_file.hpp>

#include "../support/folder.hpp"
#include "../support/run_program.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Many lines, each made from its number.
std::string lines(const std::string& header, std::size_t count,
                  const std::function<std::string(std::size_t)>& line, const std::string& end = "\n") {
  std::string text = header.empty() ? "" : header + end;
  for (std::size_t i = 0; i < count; ++i)
    text += line(i) + end;
  return text;
}
std::string n(std::size_t i) { return std::to_string(i); }
std::string digits(std::size_t i, std::size_t width) {
  auto text = n(i);
  return std::string(width > text.size() ? width - text.size() : 0, '0') + text;
}
std::string pick(std::size_t i, std::initializer_list<const char*> of) {
  return std::data(of)[i % of.size()];
}
// Numbers without a pattern.
std::string number(std::size_t i, std::size_t range) {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user), i);
  return n(random.below(static_cast<std::uint32_t>(range)));
}
std::string plain(std::size_t i) { return number(i, 90) + "," + pick(i, {"red", "blue"}); }
std::string utf16(const std::string& ascii) {
  std::string result = "\xFF\xFE";
  for (const char c : ascii)
    result.append(1, c).append(1, '\0');
  return result;
}

struct Case {
  const char* name;
  std::string bytes;
  std::vector<std::string> options;
  int code;
  std::vector<const char*> says; // in the output, or in the error
};

std::vector<Case> cases() {
  using namespace std::string_literals;
  const auto semicolons = lines("a;b;c", 60, [](auto i) {
    return number(i, 50) + "," + n(i % 10) + ";" + number(i + 7, 9) + ";" + pick(i, {"x", "y"});
  });
  return {
      // How files are written.
      {"commas",
       lines("a,b", 50, plain),
       {},
       0,
       {"50 rows, 2 columns; commas", "a       integer", "category"}},
      {"semicolons",
       lines("a;b", 50,
             [](auto i) {
               return number(i, 90) + ";" + pick(i, {"x", "y"});
             }),
       {},
       0,
       {"semicolons", "integer"}},
      {"tabs",
       lines("a\tb", 50,
             [](auto i) {
               return number(i, 90) + "\t" + pick(i, {"x", "y"});
             }),
       {},
       0,
       {"tabs"}},
      {"pipes",
       lines("a|b", 50,
             [](auto i) {
               return number(i, 90) + "|" + pick(i, {"x", "y"});
             }),
       {},
       0,
       {"pipes"}},
      {"another delimiter, declared",
       lines("a^b", 50,
             [](auto i) {
               return number(i, 90) + "^" + pick(i, {"x", "y"});
             }),
       {"--delimiter", "^"},
       0,
       {"'^'", "2 columns"}},
      {"tab, declared",
       lines("a\tb", 50, [](auto i) { return number(i, 90) + "\t" + n(i % 3); }),
       {"--delimiter", "\\t"},
       0,
       {"tabs"}},
      {"decimal commas", semicolons, {}, 0, {"semicolons", "a       real", "to 48,"}},
      {"two characters as a delimiter",
       lines("a,b", 20, plain),
       {"--delimiter", "::"},
       2,
       {"--delimiter: '::', expected one character"}},
      {"lines that no delimiter cuts alike",
       "a;b;c\n1;2\n1;2;3;4\n1\n2;3;4;5;6\n7;8\n1\n",
       {},
       1,
       {":", "expected"}},
      {"CR LF", lines("a,b", 50, plain, "\r\n"), {}, 0, {"CR LF", "2 columns"}},
      {"CR alone", lines("a,b", 50, plain, "\r"), {}, 0, {"lines end in CR", "50 rows"}},
      {"byte order mark", "\xEF\xBB\xBF" + lines("a,b", 50, plain), {}, 0, {"a       integer"}},
      {"UTF-16", utf16(lines("a,b", 50, plain)), {}, 0, {"utf-16le", "50 rows"}},
      {"UTF-16 of half a character",
       utf16(lines("a,b", 50, plain)) + "x",
       {},
       1,
       {"ends within a character"}},
      {"Latin-1",
       lines("a,b", 50, [](auto i) { return n(i % 7) + ",M\xFCnchen"; }),
       {},
       1,
       {":2:", "is no UTF-8 text", "--encoding latin-1"}},
      {"Latin-1, declared",
       lines("a,b", 50, [](auto i) { return n(i % 7) + ",M\xFCnchen"; }),
       {"--encoding", "latin-1"},
       0,
       {"latin-1", "M\xC3\xBCnchen"}},
      {"Latin-1 far behind the first lines",
       lines("a,b", 60'000, [](auto i) { return n(i % 7) + (i == 59'000 ? ",M\xFCnchen" : ",Bern"); }),
       {},
       1,
       {"is no UTF-8 text"}},
      {"an encoding that there is not",
       lines("a,b", 20, plain),
       {"--encoding", "ebcdic"},
       2,
       {"expected utf-8, utf-16le, utf-16be or latin-1"}},
      {"a zero byte", "a,b\n1,x\n2,\0y\n"s, {}, 1, {":3:", "a zero byte"}},
      {"sep= line", "sep=;\n" + semicolons, {}, 0, {"semicolons", "1 line before"}},
      {"a title",
       "Figures of the year\n\n" + lines("a,b", 50, plain),
       {},
       0,
       {"2 lines before", "'Figures of the year'"}},
      {"a header that comes again",
       lines("a,b", 30, plain) + lines("a,b", 30, plain),
       {},
       0,
       {"60 rows", "comes 1 more times"}},
      {"no header", lines("", 50, plain), {}, 0, {"no header", "column_1"}},
      {"no header, declared",
       lines("", 50,
             [](auto i) {
               return pick(i, {"p", "q"}) + "," + pick(i / 2, {"x", "y"});
             }),
       {"--no-header"},
       0,
       {"column_2", "50 rows"}},
      {"years as names",
       lines("country,2020,2021", 50,
             [](auto i) {
               return pick(i, {"DE", "FR"}) + "," + number(i, 9) + "," + number(i + 1, 7);
             }),
       {},
       0,
       {"2020     integer", "50 rows"}},
      {"years as names, declared",
       lines("2020,2021", 50, [](auto i) { return number(i, 9) + "," + number(i + 1, 9); }),
       {"--header"},
       0,
       {"2020", "50 rows"}},
      {"header and none",
       lines("a,b", 20, plain),
       {"--header", "--no-header"},
       2,
       {"expected one of the two"}},
      {"an unnamed index",
       lines(",w,s", 50,
             [](auto i) {
               return n(i) + "," + number(i, 90) + "," + pick(i, {"m", "k"});
             }),
       {},
       0,
       {"(no name)", "identifier", "count on from 50"}},
      {"an unnamed column",
       lines(",w,s", 50,
             [](auto i) {
               return number(i, 9) + "," + number(i, 90) + "," + pick(i, {"m", "k"});
             }),
       {},
       1,
       {"name is empty"}},
      {"a delimiter at the end of lines",
       lines("w,s,", 50,
             [](auto i) {
               return number(i, 90) + "," + pick(i, {"m", "k"}) + ",";
             }),
       {},
       0,
       {"2 columns", "ends with a delimiter"}},
      {"a ragged row",
       lines("a,b", 50, [](auto i) { return i == 30 ? "1"s : plain(i); }),
       {},
       1,
       {":32: 1 fields, expected 2"}},
      {"a short header",
       lines("a,b", 50, [](auto i) { return n(i) + "," + plain(i); }),
       {},
       1,
       {":2: 3 fields, expected 2"}},
      {"a name twice", lines("a,a", 50, plain), {}, 1, {"'a' is there twice"}},
      {"a footer",
       lines("w,s", 300, plain) + "Total,5000\n",
       {},
       1,
       {"'Total' (line 302)", "footer", "--missing"}},
      {"a footer, declared missing",
       lines("w,s", 300, plain) + "Total,red\n",
       {"--missing", "Total"},
       0,
       {"w       integer"}},
      {"a quote that is not closed", "a,b\n1,\"x\n2,y\n", {}, 1, {"never closed"}},
      {"an empty file", "", {}, 1, {"the file is empty"}},
      {"nothing but blank lines", "\n\n\n", {}, 1, {"the file is empty"}},
      {"a header alone", "a,b\n", {}, 1, {"no rows below its header"}},
      {"line breaks in quotes",
       lines("a,b", 50, [](auto i) { return number(i, 90) + ",\"two\nlines" + n(i % 3) + "\""; }),
       {},
       0,
       {"50 rows", "category"}},
      // What columns mean.
      {"all quoted",
       lines("\"a\",\"b\"", 50,
             [](auto i) {
               return "\"" + number(i, 90) + "\",\"" + pick(i, {"x", "y"}) + "\"";
             }),
       {},
       0,
       {"a       integer"}},
      {"quoted nothing for a number",
       lines("a,b", 50, [](auto i) { return (i % 5 == 0 ? "\"\"" : number(i, 90)) + ",x" + n(i % 2); }),
       {},
       0,
       {"a       integer", "20.0 %"}},
      {"NaN",
       lines("a,b", 50, [](auto i) { return (i % 5 == 0 ? "NaN" : number(i, 90)) + ",x" + n(i % 2); }),
       {},
       0,
       {"a       integer", "20.0 %", "'NaN' (line 2)"}},
      {"None as a category",
       lines("a,b", 50,
             [](auto i) {
               return number(i, 90) + "," + pick(i, {"None", "Paved", "Gravel"});
             }),
       {},
       0,
       {"None, Paved, Gravel"}},
      {"infinity",
       lines("a,b", 50, [](auto i) { return (i == 7 ? "Infinity" : number(i, 90)) + ",x" + n(i % 2); }),
       {},
       0,
       {"a       integer", "'Infinity' (line 9)"}},
      {"words of spreadsheets",
       lines("a,b", 60,
             [](auto i) {
               return (i % 6 == 0 ? pick(i / 6, {"#N/A", "n/a", "\\N", "-", "null", "#DIV/0!"})
                                  : number(i, 90)) +
                      ",x" + n(i % 2);
             }),
       {},
       0,
       {"a       integer", "'#N/A' (line 2)"}},
      {"a country called NA",
       lines("c,b", 90,
             [](auto i) {
               return pick(i, {"DE", "FR", "NA", "IT", "CH", "AT", "NL"}) + "," + number(i, 9);
             }),
       {},
       0,
       {"category", "7         "}},
      {"leading zeros",
       lines("zip,b", 50, [](auto i) { return digits(1357 + i % 9, 5) + "," + number(i, 9); }),
       {},
       0,
       {"zip     category", "01357"}},
      {"lots like 12E3",
       lines("lot,b", 50, [](auto i) { return n(12 + i % 9) + "E3," + number(i, 9); }),
       {},
       0,
       {"lot     category", "12E3"}},
      {"scientific notation",
       lines("a,b", 50,
             [](auto i) { return "1." + digits(i * 37 % 1000, 3) + "e-1" + n(i % 9) + ",x" + n(i % 2); }),
       {},
       0,
       {"a       real", "e-1"}},
      {"dollars",
       lines("a,b", 50,
             [](auto i) { return "$" + number(i, 900) + "." + digits(i * 7 % 100, 2) + ",x" + n(i % 2); }),
       {},
       0,
       {"a       real", "$"}},
      {"thousands",
       lines("a,b", 50,
             [](auto i) {
               return "\"" + n(1 + i % 7) + "," + digits(i * 37 % 1000, 3) + "," + digits(i * 91 % 1000, 3) +
                      "\",x" + n(i % 2);
             }),
       {},
       0,
       {"a       integer", ","}},
      {"euros",
       lines("a;b", 50,
             [](auto i) {
               return number(i, 900) + "," + digits(i * 7 % 100, 2) + " \xE2\x82\xAC;x" + n(i % 2);
             }),
       {},
       0,
       {"a       real", "\xE2\x82\xAC"}},
      {"points for thousands",
       lines("a;b", 50,
             [](auto i) {
               return n(1 + i % 9) + "." + digits(i * 37 % 1000, 3) + "," + digits(i * 7 % 100, 2) + ";x" +
                      n(i % 2);
             }),
       {},
       0,
       {"a       real"}},
      {"accounting brackets",
       lines("a,b", 50,
             [](auto i) {
               return (i % 4 == 0 ? "(" + number(i, 90) + ".50)" : number(i, 90) + ".25") + ",x" + n(i % 2);
             }),
       {},
       0,
       {"a       real", "("}},
      {"percent",
       lines("a,b", 50, [](auto i) { return number(i, 90) + "." + n(i % 10) + "%,x" + n(i % 2); }),
       {},
       0,
       {"a       real", "%"}},
      {"units",
       lines("a,b", 50, [](auto i) { return number(i, 90) + " km,x" + n(i % 2); }),
       {},
       0,
       {"a       integer", " km"}},
      {"codes with a letter",
       lines("town,b", 50, [](auto i) { return "t" + n(i % 9) + "," + number(i, 9); }),
       {},
       0,
       {"town    category", "t0, t1"}},
      {"euros by their code",
       lines("a,b", 50, [](auto i) { return "EUR " + number(i, 900) + ".50,x" + n(i % 2); }),
       {},
       0,
       {"a       real", "EUR "}},
      {"telephone numbers",
       lines("a,b", 50, [](auto i) { return "030/" + number(i, 900'000) + ",x" + n(i % 2); }),
       {},
       0,
       {"a       text"}},
      {"dates",
       lines("day,b", 50,
             [](auto i) {
               return "2020-0" + n(1 + i % 9) + "-" + digits(1 + i * 7 % 28, 2) + ",x" + n(i % 2);
             }),
       {},
       0,
       {"date YYYY-MM-DD", "2020-01-"}},
      {"days before months",
       lines("day,b", 50,
             [](auto i) { return digits(1 + i * 7 % 28, 2) + "/0" + n(1 + i % 9) + "/2020,x" + n(i % 2); }),
       {},
       0,
       {"date DD/MM/YYYY"}},
      {"months before days",
       lines("day,b", 50,
             [](auto i) {
               return "0" + n(1 + i % 9) + "/" + digits(1 + i * 7 % 28, 2) + "/2020,x" + n(i % 2);
             }),
       {},
       0,
       {"date MM/DD/YYYY"}},
      {"days that could be months",
       lines("day,b", 50,
             [](auto i) { return "0" + n(1 + i % 9) + "/0" + n(1 + i * 7 % 9) + "/2020,x" + n(i % 2); }),
       {},
       0,
       {"date MM/DD/YYYY", "can be read with the day or the month first"}},
      {"days that could be months, declared",
       lines("day,b", 50,
             [](auto i) { return "0" + n(1 + i % 9) + "/0" + n(1 + i * 7 % 9) + "/2020,x" + n(i % 2); }),
       {"--day-first"},
       0,
       {"date DD/MM/YYYY"}},
      {"points between days",
       lines("day;b", 50,
             [](auto i) { return digits(1 + i * 7 % 28, 2) + ".0" + n(1 + i % 9) + ".2020;x" + n(i % 2); }),
       {},
       0,
       {"date DD.MM.YYYY"}},
      {"times of day",
       lines("at,b", 50,
             [](auto i) { return digits(i % 24, 2) + ":" + digits(i * 7 % 60, 2) + ",x" + n(i % 2); }),
       {},
       0,
       {"date hh:mm"}},
      {"times with a zone",
       lines("at,b", 50,
             [](auto i) {
               return "2020-01-" + digits(1 + i % 28, 2) + "T" + digits(i % 24, 2) + ":" +
                      digits(i * 7 % 60, 2) + ":00Z,x" + n(i % 2);
             }),
       {},
       0,
       {"date YYYY-MM-DDThh:mm:ssZ"}},
      {"a day that is none",
       lines("day,b", 50,
             [](auto i) {
               return (i == 7 ? "2021-02-30"s : "2020-0" + n(1 + i % 9) + "-10") + ",x" + n(i % 2);
             }),
       {},
       0,
       {"day     category"}},
      {"a counter",
       lines("id,b", 60, [](auto i) { return n(1000 + i) + "," + plain(i); }).replace(0, 4, "id,x,b"),
       {},
       0,
       {"id      identifier", "count on from 1060"}},
      {"keys by name",
       lines("customer_id,b", 60, [](auto i) { return n(1000 + i * i) + "," + number(i, 9); }),
       {},
       0,
       {"identifier", "count on from 4482"}},
      {"keys above 2^53",
       lines("id,b", 60,
             [](auto i) { return "90071992547409" + digits(930 + i * 3, 5) + "," + number(i, 9); }),
       {},
       0,
       {"identifier"}},
      {"UUIDs",
       lines("u,b", 60,
             [](auto i) {
               return digits(i * 7919, 8) + "-1a2b-4c3d-8e4f-" + digits(i * 104729, 12) + "," + number(i, 9);
             }),
       {},
       0,
       {"u       identifier", "uuid"}},
      {"keys of a pattern",
       lines("k,b", 60, [](auto i) { return "AB-"s + digits(i * 97 % 10000, 4) + "," + number(i, 9); }),
       {},
       0,
       {"k       identifier", "99999"}},
      {"free text",
       lines("note,b", 60,
             [](auto i) {
               return "blue parcel " + number(i, 1'000'000) + " late" + std::string(i % 3, '!') + "," +
                      number(i, 9);
             }),
       {},
       0,
       {"note    text", "placeholder"}},
      {"free text, declared a category",
       lines("note,b", 60,
             [](auto i) {
               return "blue parcel " + number(i, 1'000'000) + " late" + std::string(i % 3, '!') + "," +
                      number(i, 9);
             }),
       {"--categorical", "note"},
       0,
       {"note    category"}},
      {"numbers declared categories",
       lines("a,b", 50, plain),
       {"--categorical", "a"},
       0,
       {"a       category"}},
      {"a column left out", lines("a,b", 50, plain), {"--drop", "a"}, 0, {"a       dropped"}},
      {"all columns left out", lines("a,b", 50, plain), {"--drop", "a,b"}, 1, {"no column is left to learn"}},
      {"a declared column that is not there",
       lines("a,b", 50, plain),
       {"--text", "z"},
       2,
       {"'z' is declared, but the file does not have it"}},
      {"a label that is not there",
       lines("a,b", 50, plain),
       {"--label", "z"},
       2,
       {"the label 'z' is no column"}},
      {"a numerical label",
       lines("a,b", 50, [](auto i) { return number(i, 3) + "," + n(i % 2); }),
       {"--label", "b"},
       0,
       {"b       category"}},
      {"a label of one value",
       lines("a,b", 50, [](auto i) { return number(i, 90) + ",x"; }),
       {"--label", "b"},
       0,
       {"has one value only"}},
      {"an empty column",
       lines("a,b", 50, [](auto i) { return number(i, 90) + ","; }),
       {},
       0,
       {"b       category", "100.0 %", "empty in every row"}},
      {"one row", lines("a,b", 1, plain), {}, 0, {"1 row, 2 columns"}},
      {"one column",
       lines("a", 50, [](auto i) { return number(i, 90); }),
       {},
       0,
       {"50 rows, 1 columns", "a       integer"}},
      {"a sum",
       lines("a,b,c", 90,
             [](auto i) {
               return number(i, 90) + "," + number(i + 1, 90) + "," +
                      n(std::stoul(number(i, 90)) + std::stoul(number(i + 1, 90)));
             }),
       {},
       0,
       {"'c' = 'a' + 'b'"}},
      {"a file that is not there", "", {"--schema-out", "/no/such/folder/x"}, 2, {"cannot be written"}},
  };
}

} // namespace

TEST_CASE("awkward files are read as they should, or refused with the reason", "[cases]") {
  for (const auto& one : cases()) {
    DYNAMIC_SECTION(one.name) {
      const TestFolder folder;
      auto words = std::vector<std::string>{"describe", folder.write("file.csv", one.bytes)};
      words.insert(words.end(), one.options.begin(), one.options.end());
      const auto result = run_program(words);
      CAPTURE(result.out, result.error);
      CHECK(result.code == one.code);
      for (const auto* said : one.says)
        CHECK_THAT(one.code == 0 ? result.out : result.error, Contains(said));
      CHECK((one.code == 0) == result.error.empty());
      CHECK(read_file(folder.file("file.csv")) == one.bytes);
      CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1); // nothing was written
    }
  }
}

TEST_CASE("conditions hold for times as they are written", "[cases]") {
  const TestFolder folder;
  const auto in =
      folder.write("in.csv", lines("start,kind", 400, [](auto i) {
                     return digits(i * 7 % 24, 2) + ":" + digits(i * 13 % 60, 2) + "," + pick(i, {"a", "b"});
                   }));
  REQUIRE(run_program({"fit", in, "-o", folder.file("m"), "--recipe", "trees", "--quick", "--quiet"}).code ==
          0);
  const auto written = [&](const std::string& condition) {
    const auto made = run_program({"sample", folder.file("m"), "-n", "300", "--where", condition});
    CAPTURE(condition, made.error);
    REQUIRE(made.code == 0);
    std::vector<std::string> times;
    std::istringstream rows(made.out);
    std::string line;
    std::getline(rows, line);
    while (std::getline(rows, line))
      times.push_back(line.substr(0, 5));
    REQUIRE(times.size() == 300);
    std::sort(times.begin(), times.end());
    return times;
  };
  CHECK(written("start < 10:00").back() < "10:00");
  CHECK(written("start >= 20:00").front() >= "20:00");
  CHECK(written("start > 11:30").front() > "11:30");
  CHECK(written("start <= 11:30").back() <= "11:30");
}

TEST_CASE("from a table to rows that are written as it was", "[cases]") {
  const TestFolder folder;
  const auto in =
      folder.write("in.csv", lines(
                                 "key;note;day;sent;price;share;class;gap", 300,
                                 [](auto i) {
                                   const auto day = 1 + std::stoul(number(i, 27));
                                   return "K-" + digits(i * 7919 % 100'000, 5) + ";remark " +
                                          number(i, 1'000'000'000) + " of the day;" + digits(day, 2) +
                                          ".03.2021;" + digits(day + std::stoul(number(i + 500, 4)), 2) +
                                          ".03.2021;" + n(1 + i % 9) + "." + digits(i * 37 % 1000, 3) + "," +
                                          digits(i * 7 % 100, 2) + " \xE2\x82\xAC;" + number(i, 99) + "," +
                                          n(i % 10) + "%;" + pick(i, {"\"a;b\"", "c"}) + ";" +
                                          (i % 4 == 0 ? "n/a" : number(i + 1000, 50));
                                 },
                                 "\r\n"));
  auto result =
      run_program({"fit", in, "-o", folder.file("m"), "--recipe", "trees", "--quick", "--threads", "1"});
  CAPTURE(result.error, result.log);
  REQUIRE(result.code == 0);
  CHECK_THAT(result.log, Contains("'day' <= 'sent'"));
  result = run_program({"describe", folder.file("m"), "--schema-out", folder.file("schema.json")});
  CAPTURE(result.out);
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("recipe trees, of 300 rows") && Contains("made anew") &&
                             Contains("2 categories (of 1 row or more)") && Contains("'day' <= 'sent'"));
  CHECK_THAT(read_file(folder.file("schema.json")), Contains("DD.MM.YYYY"));
  result =
      run_program({"sample", folder.file("m"), "-n", "400", "--seed", "3", "-o", folder.file("out.csv")});
  CAPTURE(result.error);
  REQUIRE(result.code == 0);
  // The file is read as the table was, column by column.
  const auto real = rs::read_table_file(in);
  const auto made = rs::read_table_file(folder.file("out.csv"));
  REQUIRE(made.format.columns.size() == real.format.columns.size());
  CHECK(made.format.dialect.delimiter == ';');
  CHECK(made.format.dialect.crlf);
  for (std::size_t c = 0; c < real.format.columns.size(); ++c) {
    CAPTURE(real.format.columns[c].name);
    const auto& a = real.format.columns[c];
    const auto& b = made.format.columns[c];
    CHECK(a.name == b.name);
    if (a.role == rs::ColumnRole::text)
      continue;
    CHECK(to_string(a.role) == to_string(b.role));
    CHECK(a.missing == b.missing);
    if (rs::TableFormat::kind_of(a.role)) {
      CHECK(a.pattern == b.pattern);
      CHECK(a.marks == b.marks);
    }
  }
  const auto& table = made.table;
  for (std::size_t r = 0; r < table.rows(); ++r)
    CHECK(table["day"].values[r] <= table["sent"].values[r]);
  // No key and no text of the table comes back.
  const auto text = read_file(folder.file("out.csv"));
  std::istringstream original(read_file(in));
  std::string line;
  std::getline(original, line);
  std::size_t copied = 0;
  while (std::getline(original, line)) {
    const auto end = line.find(';');
    copied += text.find(line.substr(0, end) + ";") != std::string::npos ? 1 : 0;
    copied += text.find(line.substr(end, line.find(';', end + 1) - end)) != std::string::npos ? 1 : 0;
  }
  CHECK(copied == 0);
  // Keys are different.
  std::set<std::string> keys;
  std::istringstream rows(text);
  while (std::getline(rows, line))
    keys.insert(line.substr(0, line.find(';')));
  CHECK(keys.size() == 401);
  // Row i is the same however many are made, and wherever they begin.
  const auto first = run_program({"sample", folder.file("m"), "-n", "1", "--seed", "3", "--first-row", "7"});
  std::istringstream again(text);
  for (int i = 0; i < 9; ++i)
    std::getline(again, line);
  CHECK_THAT(first.out, Contains(line));
  // Rows on demand: conditions are written as the table is, or plainly.
  const auto wanted = run_program(
      {"sample", folder.file("m"), "-n", "50", "--where", "price >= 2.000,50 \xE2\x82\xAC", "--where",
       "price < 7000", "--where", "class = c", "--where", "sent >= 2021-03-15", "--where",
       "day != 20.03.2021", "--where", "gap is present", "--allow-rare", "-o", folder.file("some.csv")});
  CAPTURE(wanted.error, wanted.log);
  REQUIRE(wanted.code == 0);
  CHECK_THAT(wanted.log, Contains("of the model's rows meet the conditions; each is chosen from"));
  const auto some = rs::read_table_like(folder.file("some.csv"), real.format);
  CHECK(some.rows() == 50);
  std::size_t met = 0;
  for (std::size_t r = 0; r < some.rows(); ++r)
    met += some["price"].values[r] >= 2000.5 && some["price"].values[r] < 7000 &&
                   some["class"].cell(r).text() == "c" && some["sent"].values[r] >= 18701 &&
                   some["day"].values[r] != 18706 && !some["gap"].is_missing(r)
               ? 1
               : 0;
  CHECK(met == 50);
  const auto unmet = [&](const std::string& condition, int code, const std::string& why) {
    const auto refused = run_program({"sample", folder.file("m"), "-n", "5", "--where", condition});
    CAPTURE(condition);
    CHECK(refused.code == code);
    CHECK_THAT(refused.error, Contains(why));
  };
  unmet("price >= dear", 2, "'dear' is none");
  unmet("key = K-00001", 2, "the columns are: day, sent, price");
  unmet("class = d", 2, "'d', which the model does not know");
  unmet("price < 0", 1, "no candidate meets the conditions");
  // Partial rows are completed; what is there stays as it is written, and other columns are drawn.
  const auto partial =
      folder.write("partial.csv", "note;price;class;key\r\nmine; 1.234,5 \xE2\x82\xAC;;K-7\r\n"
                                  "\"a;b\";;c;K-00009\r\n;12,00 \xE2\x82\xAC;e;K-8\r\n");
  for (const bool expect : {false, true}) {
    std::vector<std::string> words{"sample", folder.file("m"), "--where-file", partial, "--quiet"};
    if (expect)
      words.emplace_back("--expect");
    const auto complete = run_program(words);
    CAPTURE(complete.error, complete.log, complete.out);
    REQUIRE(complete.code == 0);
    CHECK_THAT(complete.log, Contains("cells filled in 3 rows") &&
                                 Contains("1 cells hold categories that the model does not know"));
    std::istringstream text_of_rows(complete.out);
    std::vector<std::string> made_lines;
    while (std::getline(text_of_rows, line))
      made_lines.push_back(line);
    REQUIRE(made_lines.size() == 4);
    CHECK_THAT(made_lines[1], Contains("K-7;mine;") && Contains(";1.234,5 \xE2\x82\xAC;"));
    CHECK_THAT(made_lines[2], Contains("K-00009;\"a;b\";") && Contains(";c;"));
    CHECK_THAT(made_lines[3], Contains("K-8;;") && Contains(";12,00 \xE2\x82\xAC;") && Contains(";e;"));
    const auto read = [&] {
      std::ofstream(folder.file("complete.csv"), std::ios::binary) << complete.out;
      return rs::read_table_like(folder.file("complete.csv"), real.format);
    }();
    CHECK(read["price"].missing_count() == 0);
    CHECK(read["class"].missing_count() == 0);
    CHECK(read["day"].missing_count() == 0);
    for (std::size_t r = 0; r < 3; ++r)
      CHECK(read["day"].values[r] <= read["sent"].values[r]);
  }
  const auto other = folder.write("other.csv", "class;size\r\nc;3\r\n");
  const auto refused_file = run_program({"sample", folder.file("m"), "--where-file", other});
  CHECK(refused_file.code == 1);
  CHECK_THAT(refused_file.error, Contains("other.csv") && Contains("'size' is none of the model's"));
  CHECK(run_program({"sample", folder.file("m")}).code == 2);
  CHECK(run_program({"sample", folder.file("m"), "-n", "3", "--where-file", partial}).code == 2);
  CHECK(run_program({"sample", folder.file("m"), "-n", "3", "--expect"}).code == 2);
  CHECK(run_program({"sample", folder.file("m"), "--where-file", partial, "-o", partial}).code == 2);
  // Scores name what is odd.
  const auto scores = run_program({"score", folder.file("m"), in, "--top", "5", "--samples", "4"});
  CHECK(scores.code == 0);
  CHECK(std::count(scores.out.begin(), scores.out.end(), '\n') == 6);
  CHECK(run_program({"export", folder.file("m"), "-o", folder.file("m.hpp"), "--no-score"}).code == 0);
  // Wrong use is refused, and nothing is overwritten.
  const auto before = read_file(in);
  CHECK(run_program({"fit", in, "-o", in}).code == 2);
  CHECK(run_program({"sample", folder.file("m"), "-n", "5", "-o", folder.file("m")}).code == 2);
  CHECK(run_program({"sample", folder.file("m"), "-n", "0"}).code == 2);
  CHECK(run_program({"sample", folder.file("m"), "-n", "5", "--label", "a"}).code == 2);
  CHECK(run_program({"fit", in, "-o", folder.file("x"), "--conditional"}).code == 2);
  CHECK(run_program({"fit", in, "-o", folder.file("x"), "--relation", "day < sent", "--quiet"}).code == 1);
  CHECK(run_program({"sample", in, "-n", "5"}).code == 1);
  CHECK(run_program({"nothing"}).code == 2);
  CHECK(read_file(in) == before);
  CHECK_FALSE(std::filesystem::exists(folder.file("x")));
}

TEST_CASE("a model whose rows are told from real ones has a guide, which sampling can leave out", "[cases]") {
  const TestFolder folder;
  // The last column nearly follows from the first, which a network does not find in a few steps.
  const auto in = folder.write("in.csv", lines("a,b,c", 800, [](auto i) {
                                 const auto a = std::stoul(number(i, 8));
                                 return "a" + n(a) + ",b" + number(i + 2000, 4) + "," +
                                        ((a % 4 < 2) != (i % 10 == 0) ? "low" : "high");
                               }));
  auto result = run_program({"fit", in, "-o", folder.file("m"), "--quick", "--threads", "1"});
  CAPTURE(result.error, result.log);
  REQUIRE(result.code == 0);
  CHECK_THAT(result.log, Contains("candidates a row; sample --unguided takes all"));
  const auto wrong = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"sample", folder.file("m"), "-n", "2000", "--seed", "3"};
    words.insert(words.end(), more.begin(), more.end());
    const auto made = run_program(words);
    REQUIRE(made.code == 0);
    std::istringstream rows(made.out);
    std::string line;
    std::getline(rows, line);
    double count = 0;
    while (std::getline(rows, line)) // such as a3,b1,high
      count += ((line[1] - '0') % 4 < 2) == (line.substr(6) == "low") ? 0 : 1;
    return count / 2000;
  };
  CHECK(wrong({}) < 0.8 * wrong({"--unguided"}));
}

TEST_CASE("nanoseconds are learnt, and written to the last digit", "[cases]") {
  const TestFolder folder;
  const auto in =
      folder.write("in.csv", lines("begin,end,b", 300, [](auto i) {
                     const auto begin =
                         1'700'000'000'000'000'000 + std::stoll(number(i, 90'000)) * 1'000'000'007;
                     return n(static_cast<std::size_t>(begin)) + "," +
                            n(static_cast<std::size_t>(begin) + 1 + std::stoul(number(i + 500, 40))) + "," +
                            pick(i, {"x", "y"});
                   }));
  auto result =
      run_program({"fit", in, "-o", folder.file("m"), "--recipe", "trees", "--quick", "--threads", "1"});
  CAPTURE(result.error, result.log);
  REQUIRE(result.code == 0);
  CHECK_THAT(result.log, Contains("kept to the last digit, as their distance from 17000"));
  CHECK_THAT(result.log, Contains("'begin' <= 'end'"));
  for (const char* plain : {"", "--plain"}) {
    std::vector<std::string> words{"sample", folder.file("m"), "-n", "200"};
    if (*plain != 0)
      words.emplace_back(plain);
    result = run_program(words);
    CAPTURE(result.error, result.out);
    REQUIRE(result.code == 0);
    std::istringstream rows(result.out);
    std::string line;
    std::getline(rows, line);
    CHECK(line == "begin,end,b");
    std::set<std::string> last_digits;
    while (std::getline(rows, line)) {
      const auto begin = rs::parse_whole(line.substr(0, 19));
      const auto end = rs::parse_whole(line.substr(20, 19));
      REQUIRE((begin && end));
      CHECK_FALSE(*end < *begin);
      last_digits.insert(line.substr(16, 3));
    }
    CHECK(last_digits.size() > 50); // doubles of that size have steps of 256
  }
}

TEST_CASE("no generated row is of a weekday or an hour that no row was of", "[cases]") {
  const TestFolder folder;
  const auto in = folder.write(
      "in.csv", lines("ordered,sent,price", 3000, [](auto i) {
        std::string ordered;
        std::string sent;
        auto day = static_cast<std::int64_t>(18'900 + std::stoul(number(i, 800)));
        day -= rs::kernel::week_of(day) != rs::kernel::week_of(day + 1) ? 1 : 0; // no Sundays
        const auto time = 32'400 + std::stoul(number(i + 5000, 28'800));         // 9 to 17
        rs::append_date(ordered, static_cast<double>(day * 86400) + static_cast<double>(time),
                        "DD.MM.YYYY hh:mm");
        rs::append_date(sent, static_cast<double>(day + 1 + static_cast<std::int64_t>(i % 3)), "DD.MM.YYYY");
        return ordered + "," + sent + "," + number(i + 9000, 500);
      }));
  auto result = run_program({"describe", in});
  CHECK_THAT(result.out, Contains("'ordered' is learnt as its week, weekday and time of day") &&
                             Contains("'sent' is learnt as the days behind 'ordered'"));
  result = run_program({"fit", in, "-o", folder.file("m"), "--recipe", "trees", "--quick", "--threads", "1"});
  CAPTURE(result.error, result.log);
  REQUIRE(result.code == 0);
  CHECK_THAT(result.log, Contains("'ordered' is learnt as its week, weekday and time of day"));
  result =
      run_program({"sample", folder.file("m"), "-n", "2000", "--seed", "3", "-o", folder.file("out.csv")});
  REQUIRE(result.code == 0);
  const auto made = rs::read_table_file(folder.file("out.csv")).table;
  REQUIRE(made.rows() == 2000);
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < made.rows(); ++r) {
    const auto day = static_cast<std::int64_t>(std::floor(made["ordered"].values[r] / 86400));
    const double time = made["ordered"].values[r] - 86400 * static_cast<double>(day);
    const double later = made["sent"].values[r] - static_cast<double>(day);
    wrong += rs::kernel::week_of(day) != rs::kernel::week_of(day + 1) ? 1 : 0;
    wrong += time < 9 * 3600 || time > 17 * 3600 ? 1 : 0;
    wrong += later < 1 || later > 3 ? 1 : 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("every mark of a missing value is one in the table, too, and rounding is said", "[cases]") {
  const TestFolder folder;
  const auto in = folder.write("in.csv", lines("a,b", 400, [](auto i) {
                                 return (i == 9 ? "0.12345678901234567" : number(i, 90) + ".5") + "," +
                                        (i % 7 == 0    ? "?"
                                         : i % 11 == 0 ? "NA"
                                                       : pick(i, {"red", "blue", "\"NA\""}));
                               }));
  for (const bool declared : {false, true}) {
    rs::TableFileOptions options;
    if (declared)
      options.declared["b"] = rs::ColumnRole::category;
    const auto file = rs::read_table_file(in, options);
    CHECK(file.table["b"].missing_count() == file.found[1].missing_rows);
    CHECK(file.found[1].missing_rows > 80);
    CHECK(std::set<std::string>(file.table["b"].dictionary.texts().begin(),
                                file.table["b"].dictionary.texts().end()) ==
          std::set<std::string>{"red", "blue", "NA"}); // in quotes, it is a text
    REQUIRE(file.found[0].notes.size() == 1);
    CHECK_THAT(file.found[0].notes[0], Contains("1 number rounded to the 1 decimals"));
  }
}

TEST_CASE("a shell can complete commands and options", "[cases]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto result = run_program({"completion", shell});
    CHECK(result.code == 0);
    for (const char* word : {"describe", "fit", "sample", "evaluate", "compare", "score", "export",
                             "completion", "manual", "label", "schema-out"})
      CHECK_THAT(result.out, Contains(word));
  }
  const TestFolder folder;
  const auto completed = [&folder, bash = run_program({"completion", "bash"}).out](const std::string& words,
                                                                                   const std::string& count) {
    const auto script =
        folder.write("script", bash + "COMP_WORDS=(" + words + ")\nCOMP_CWORD=" + count +
                                   "\n_rowsmith\necho \"${COMPREPLY[@]}\" > " + folder.file("said") + "\n");
    CHECK(std::system(("bash " + script).c_str()) == 0);
    return read_file(folder.file("said"));
  };
  CHECK(completed("rowsmith fit --la", "2") == "--label\n");
  CHECK(completed("rowsmith de", "1") == "describe\n");
  CHECK(completed("rowsmith fit --recipe n", "3") == "nearest neural\n");
  CHECK(completed("rowsmith export m --weights f", "4") == "f16 f32\n");
  CHECK(completed("rowsmith completion f", "2") == "fish\n");
  CHECK(run_program({"completion", "tcsh"}).code == 2);
}

TEST_CASE("the manual page names every command and option", "[cases]") {
  const auto page = run_program({"manual"});
  CHECK(page.code == 0);
  CHECK_THAT(page.out, Contains(".TH ROWSMITH 1 \"\" \"rowsmith " ROWSMITH_VERSION "\""));
  for (const char* text :
       {".SS describe\n", ".SS manual\n", "\\fB\\-o\\fR, \\fB\\-\\-out\\fR \\fITEXT\\fR\n",
        "\\fB\\-\\-recipe\\fR \\fBdefault\\fR|\\fBnearest\\fR|", "e\\(haEPSILON", "(default 0.01)"})
    CHECK_THAT(page.out, Contains(text));
}

TEST_CASE("an edited schema is taken in place of finding out", "[cases]") {
  const TestFolder folder;
  const auto in = folder.write(
      "in.csv", lines("zip,amount", 60, [](auto i) { return n(10'000 + i % 9) + "," + number(i, 90); }));
  CHECK(run_program({"describe", in, "--schema-out", folder.file("s.json")}).code == 0);
  auto text = read_file(folder.file("s.json"));
  const auto at = text.find("\"integer\"");
  REQUIRE(at != std::string::npos);
  text.replace(text.find("integer", text.find("zip") - 60), 7, "category");
  folder.write("s.json", text);
  const auto result = run_program({"describe", in, "--schema", folder.file("s.json")});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("category"));
  folder.write("s.json", "{}");
  CHECK(run_program({"describe", in, "--schema", folder.file("s.json")}).code == 2);
}

TEST_CASE("numbers of any magnitude keep their digits, and zero has no sign", "[cases]") {
  const auto written = [](double value, int decimals, const rs::NumberMarks& marks) {
    std::string text;
    rs::append_marked(text, value, decimals, marks);
    return text;
  };
  CHECK(written(-1234567.5, 2, {.prefix = "$", .thousands = ','}) == "-$1,234,567.50");
  CHECK(written(-1234567.5, 2, {.prefix = "$", .thousands = ',', .brackets = true}) == "($1,234,567.50)");
  CHECK(written(1234567.5, 1, {.suffix = " €", .decimal = ',', .thousands = '.'}) == "1.234.567,5 €");
  CHECK(written(999, 0, {.thousands = ','}) == "999");
  CHECK(written(1.5e-186, -1, {.scientific = true, .digits = 3}) == "1.500e-186");
  for (const double zero : {-0.0, -0.004})
    CHECK(written(zero, 2, {}) == "0.00");
  std::string scratch;
  for (const char* text : {"-$1,234,567.50", "$-1,234,567.50", "($1,234,567.50)"})
    CHECK(rs::parse_marked(text, {.prefix = "$", .thousands = ',', .brackets = true}, scratch) == -1234567.5);
  // A file of small numbers, and one like it with a large one.
  CHECK(rs::parse_marked("1.256,08", {.decimal = ','}, scratch) == 1256.08);
  CHECK(rs::parse_marked("1,256.08", {}, scratch) == 1256.08);
  CHECK_FALSE(rs::parse_marked("1.25,08", {.decimal = ','}, scratch));
  CHECK_FALSE(rs::parse_marked("1,25", {}, scratch));
  for (const char* text : {"$1,23,456", "$12,34", "1,234", "$", "$1,234,56.7", "$--1"})
    CHECK_FALSE(rs::parse_marked(text, {.prefix = "$", .thousands = ','}, scratch));
}

TEST_CASE("dates are numbers and back", "[cases]") {
  const auto back = [](const char* text, const char* pattern) {
    const auto number = rs::parse_date(text, pattern);
    std::string result;
    if (number)
      rs::append_date(result, *number, pattern);
    return result;
  };
  CHECK(rs::parse_date("1970-01-02", "YYYY-MM-DD") == 1);
  CHECK(rs::parse_date("2000-03-01", "YYYY-MM-DD") == 11017);
  CHECK(rs::parse_date("1969-12-31 23:59:59", "YYYY-MM-DD hh:mm:ss") == -1);
  for (const char* text :
       {"0001-01-01", "1600-02-29", "1899-12-31", "1970-01-01", "2024-02-29", "9999-12-31"})
    CHECK(back(text, "YYYY-MM-DD") == text);
  CHECK(back("31.12.1999", "DD.MM.YYYY") == "31.12.1999");
  CHECK(back("3/9/2020", "M/D/YYYY") == "3/9/2020");
  CHECK(back("03/09/69", "MM/DD/YY") == "03/09/69");
  CHECK(back("2020-05-06T07:08:09.250Z", "YYYY-MM-DDThh:mm:ss.fffZ") == "2020-05-06T07:08:09.250Z");
  CHECK(back("23:59", "hh:mm") == "23:59");
  for (const char* text :
       {"2021-02-29", "2020-13-01", "2020-00-01", "2020-01-32", "2020-1-01", "2020-01-011", ""})
    CHECK_FALSE(rs::parse_date(text, "YYYY-MM-DD"));
  CHECK_FALSE(rs::parse_date("24:00", "hh:mm"));
}

TEST_CASE("keys are different, and each row has its own", "[cases]") {
  for (const char* pattern : {"AB-9999", "\\A9999", "uuid", "hh-99a9", "#"}) {
    CAPTURE(pattern);
    const rs::ColumnFormat format{.role = rs::ColumnRole::identifier, .pattern = pattern, .first = 5};
    std::set<std::string> keys;
    for (std::uint64_t row = 0; row < 10'000; ++row) {
      std::string key;
      rs::append_identifier(key, format, row, 9);
      keys.insert(key);
    }
    CHECK(keys.size() == 10'000);
  }
  std::string key;
  rs::append_identifier(key, {.pattern = "\\A-99"}, 3, 1);
  CHECK(key.substr(0, 2) == "A-");
  CHECK(key.size() == 4);
}
