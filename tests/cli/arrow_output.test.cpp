// SPDX-License-Identifier: MIT
// Files and streams of Arrow's, as the program writes them: cell by cell the rows of its files of texts.
#include <catch2/catch.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <rowsmith/csv/compressed.hpp>

#include "../support/arrow_reader.hpp"
#include "../support/folder.hpp"
#include "../support/run_program.hpp"

using Catch::Matchers::Contains;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
std::string two_digits(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

// A model of 300 orders: keys, numbers, a category, dates, times to the minute, remarks; some cells are
// missing.
struct Orders {
  TestFolder folder;
  std::string model = folder.file("orders.model");

  Orders() {
    std::string csv = "id,amount,price,town,day,at,note\n";
    const std::vector<std::string> towns{"Bern", "K\xC3\xB6ln", "Oslo"};
    for (int i = 0; i < 300; ++i)
      csv += std::to_string(5000 + i) + ',' + (i % 11 == 5 ? "" : std::to_string(i * 37 % 90)) + ',' +
             (i % 7 == 2 ? "" : std::to_string(i * 113 % 900) + ".25") + ',' +
             (i % 13 == 1 ? "" : towns[static_cast<std::size_t>(i * i % 7 % 3)]) + ",19" +
             two_digits(60 + i % 20) + '-' + two_digits(1 + i * 5 % 12) + '-' + two_digits(1 + i * 17 % 28) +
             ",2021-05-" + two_digits(1 + i * 3 % 30) + ' ' + two_digits(i * 7 % 24) + ':' +
             two_digits(i * 11 % 60) + ",remark " + std::to_string(i * i) + " of row " + std::to_string(i) +
             '\n';
    folder.write("orders.csv", csv);
    const auto result = run_program(
        {"fit", folder.file("orders.csv"), "--recipe", "trees", "--quick", "--quiet", "-o", model});
    CAPTURE(result.error);
    REQUIRE(result.code == 0);
  }
  // What `sample` writes to the standard output, or to a file of that name.
  std::string sample(std::vector<std::string> options, const std::string& name = "") const {
    options.insert(options.begin(), {"sample", model, "--seed", "3"});
    if (!name.empty())
      options.insert(options.end(), {"-o", folder.file(name)});
    const auto result = run_program(options);
    CAPTURE(options, result.error);
    REQUIRE(result.code == 0);
    return name.empty() ? result.out : content_of(folder.file(name));
  }
};

long long days_of(const std::string& text) {
  const auto part = [&](std::size_t at, std::size_t size) { return std::stoi(text.substr(at, size)); };
  const std::chrono::year_month_day day{std::chrono::year(part(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  return std::chrono::sys_days(day).time_since_epoch().count();
}
// A cell of a file of texts as the reader of Arrow's files gives one of that type.
std::optional<std::string> cell_of(const std::string& text, const std::string& type) {
  if (text.empty())
    return std::nullopt;
  if (type == "double") {
    std::array<char, 64> digits{};
    return std::string(
        digits.data(),
        std::to_chars(digits.data(), digits.data() + digits.size(), std::strtod(text.c_str(), nullptr)).ptr);
  }
  if (type == "date32")
    return std::to_string(days_of(text));
  if (type == "timestamp s")
    return std::to_string(days_of(text) * 86'400 + std::stoi(text.substr(11, 2)) * 3'600 +
                          std::stoi(text.substr(14, 2)) * 60);
  return text;
}
// The same cells? None of them stands in quotes. Both are told apart by the first cell that differs.
void check_rows(const arrow_reader::Contents& read, const std::string& csv) {
  std::istringstream in(csv);
  std::string line;
  std::size_t row = 0;
  std::size_t different = 0;
  for (bool names = true; std::getline(in, line); names = false) {
    std::istringstream cells(line + ',');
    std::size_t column = 0;
    for (std::string text; std::getline(cells, text, ','); ++column) {
      REQUIRE(column < read.columns.size());
      const auto& own = read.columns[column];
      if (names) {
        CHECK(own.name == text);
        continue;
      }
      REQUIRE(row < own.cells.size());
      if (own.cells[row] == cell_of(text, own.type))
        continue;
      if (different++ == 0)
        FAIL_CHECK("row " << row << ", column " << own.name << ": " << own.cells[row].value_or("none")
                          << ", expected " << text);
    }
    REQUIRE(column == read.columns.size());
    row += names ? 0U : 1U;
  }
  CHECK(different == 0);
  for (const auto& column : read.columns)
    CHECK(column.cells.size() == row);
}

} // namespace

TEST_CASE("the program's files and streams of Arrow's have the rows of its files of texts", "[cli][arrow]") {
  const Orders orders;
  // Two blocks of rows.
  const auto csv = orders.sample({"-n", "20000"});
  const auto file = arrow_reader::read_file(orders.sample({"-n", "20000"}, "rows.arrow"));
  const auto types = [](const arrow_reader::Contents& read) {
    std::string all;
    for (const auto& column : read.columns)
      all += column.name + ' ' + column.type + (column.dictionary < 0 ? "; " : " by codes; ");
    return all;
  };
  CHECK(types(file) ==
        "id int64; amount int64; price double; town text by codes; day date32; at timestamp s; note text; ");
  CHECK(file.batches == std::vector<std::int64_t>{16'384, 3'616});
  check_rows(file, csv);
  const auto stream = orders.sample({"-n", "20000"}, "rows.arrows");
  CHECK((arrow_reader::read_stream(stream).columns == file.columns));

  // An option says so, where no name does, or another one.
  CHECK((orders.sample({"-n", "20000", "--format", "arrows"}) == stream));
  CHECK(
      (orders.sample({"-n", "20000", "--format", "arrow"}) == content_of(orders.folder.file("rows.arrow"))));
  CHECK((orders.sample({"-n", "20000", "--format", "csv"}, "texts.arrow") == csv));
#if ROWSMITH_HAS_ZLIB
  const auto packed = orders.sample({"-n", "20000"}, "rows.arrows.gz");
  CHECK(packed.size() < stream.size());
  const auto unpacked = rowsmith::open_compressed(orders.folder.file("rows.arrows.gz"));
  CHECK((std::string{std::istreambuf_iterator<char>(*unpacked), {}} == stream));
#endif

  // A dictionary is the model's, whatever rows there are: parts have the same.
  arrow_reader::Contents parts =
      arrow_reader::read_file(orders.sample({"-n", "20", "--part", "1/3"}, "1.arrow"));
  for (const auto* part : {"2/3", "3/3"}) {
    const auto more = arrow_reader::read_file(orders.sample({"-n", "20", "--part", part}, "more.arrow"));
    CHECK(more.texts == file.texts);
    for (std::size_t k = 0; k < more.columns.size(); ++k)
      parts.columns[k].cells.insert(parts.columns[k].cells.end(), more.columns[k].cells.begin(),
                                    more.columns[k].cells.end());
  }
  check_rows(parts, orders.sample({"-n", "20"}));
  const auto nothing = arrow_reader::read_file(orders.sample({"-n", "2", "--part", "1/8"}, "nothing.arrow"));
  CHECK(nothing.batches.empty());
  CHECK(types(nothing) == types(file));

  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--where", "town = Oslo", "--where", "amount >= 40"},
        {"--balance", "town"},
        {"--plain"},
        {"--first-row", "1000", "--threads", "2"}}) {
    auto words = options;
    words.insert(words.end(), {"-n", "300"});
    CAPTURE(options);
    check_rows(arrow_reader::read_stream(orders.sample(words, "some.arrows")), orders.sample(words));
  }
}

TEST_CASE("wrong use of Arrow's files is refused, and leaves nothing", "[cli][arrow]") {
  const Orders orders;
  const auto refused = [&](std::vector<std::string> words, int code, const std::string& why) {
    words.insert(words.begin(), {"sample", orders.model});
    CAPTURE(words);
    const auto result = run_program(words);
    CHECK(result.code == code);
    CHECK_THAT(result.error, Contains(why));
    CHECK(result.out == "");
  };
  const auto file = [&](const std::string& name) { return orders.folder.file(name); };
  refused({"-n", "5", "--format", "parquet", "-o", file("x.arrow")}, 2, "--format");
  refused({"-n", "5", "--format", "arrow", "-o", file("x.db")}, 2, "--format: a database is written");
  refused({"-n", "5", "--format", "arrow", "-o", file("x"), "--sqlite-table", "t"}, 2,
          "--format: a database is written");
  refused({"--where-file", file("orders.csv"), "-o", file("x.arrow")}, 2,
          "--where-file: completed rows are written as a file of texts");
  refused({"--where-file", file("orders.csv"), "--format", "arrows"}, 2, "--format csv");
  refused({"-n", "5", "-o", file("none/x.arrow")}, 2, "cannot be written");
  refused({"-n", "5", "--where", "town = Rome", "-o", file("x.arrow")}, 2, "Rome");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(orders.folder.path))
    files += entry.path().extension() == ".csv" || entry.path().extension() == ".model" ? 0U : 1U;
  CHECK(files == 0);
}
