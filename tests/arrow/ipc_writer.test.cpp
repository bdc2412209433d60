// SPDX-License-Identifier: MIT
// Arrow's streams and files, read back by a reader that has nothing of the library's.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/arrow/ipc_writer.hpp>

#include "../support/arrow_reader.hpp"
#include "../support/folder.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

using Texts = std::vector<std::optional<std::string>>;
constexpr auto none = std::nullopt;

std::string ipc_bytes(rs::ArrowIpc kind, const rs::TableFormat& format, const rs::Table& like,
                      const std::vector<rs::Table>& tables, std::uint64_t seed = 0) {
  std::ostringstream out;
  rs::ArrowIpcWriter writer(out, kind, format, like, seed);
  std::uint64_t first_row = 0;
  for (const auto& table : tables) {
    writer.append(table, first_row);
    first_row += table.rows();
  }
  writer.finish();
  return out.str();
}
// Both formats hold the same.
arrow_reader::Contents ipc_contents(const rs::TableFormat& format, const rs::Table& like,
                                    const std::vector<rs::Table>& tables) {
  auto contents = arrow_reader::read_stream(ipc_bytes(rs::ArrowIpc::stream, format, like, tables));
  auto file = arrow_reader::read_file(ipc_bytes(rs::ArrowIpc::file, format, like, tables));
  contents.empty_lists.clear();
  file.empty_lists.clear();
  CHECK((file == contents));
  return contents;
}
arrow_reader::Column ipc_column(const rs::ColumnFormat& format, const rs::Column& column) {
  rs::TableFormat whole;
  whole.columns = {format};
  rs::Column empty = column;
  empty.values.clear();
  empty.codes.clear();
  return ipc_contents(whole, rs::Table({empty}), {rs::Table({column})}).columns.at(0);
}
rs::Table without_rows(const rs::Table& table) { return table.select({}); }

// A column of each type, with missing cells.
struct AllTypes {
  rs::TableFormat format;
  rs::Table table;

  AllTypes() {
    const double nan = std::nan("");
    using Role = rs::ColumnRole;
    format.columns = {
        {.name = "key", .role = Role::identifier, .pattern = "K-999"},
        {.name = "n", .role = Role::integer},
        {.name = "gone", .role = Role::dropped},
        {.name = "x", .role = Role::real},
        {.name = "day", .role = Role::date, .pattern = "DD.MM.YYYY"},
        {.name = "s", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm:ss"},
        {.name = "ms", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm:ss.fffZ"},
        {.name = "us", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm:ss.ffffff"},
        {.name = "ns", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm:ss.fffffffff"},
        {.name = "row", .role = Role::identifier, .pattern = "#", .first = 501},
        {.name = "large", .role = Role::integer, .origin = {1'700'000'000'000'000'000U, false}},
        {.name = "larger", .role = Role::integer, .origin = {14'000'000'000'000'000'000U, false}},
        {.name = "town", .role = Role::category},
        {.name = "note", .role = Role::text},
        {.name = "none", .role = Role::category},
    };
    auto town = rs::Column::categorical("town", {"Oslo", "", "K\xC3\xB6ln", "Oslo"});
    town.codes[3] = rs::missing_code;
    auto empty = rs::Column::categorical("none");
    empty.codes.assign(4, rs::missing_code);
    table = rs::Table({rs::Column::numerical("n", {1, nan, -3, 0}, 0),
                       rs::Column::numerical("x", {0.5, nan, 1e300, -0.1}),
                       rs::Column::numerical("day", {0, 19782, nan, -1}, 0),
                       rs::Column::numerical("s", {0, -1, nan, 1.7e9}, 0),
                       rs::Column::numerical("ms", {0.25, -0.75, nan, 1.7e9 + 0.125}, 3),
                       rs::Column::numerical("us", {0.25, nan, -62'135'596'800.0, 0.000001}, 6),
                       rs::Column::numerical("ns", {nan, 0.5, -1, 1e-9}, 9),
                       rs::Column::numerical("large", {1, nan, 7, 123'456'789}, 0),
                       rs::Column::numerical("larger", {1, nan, 7, 123'456'789}, 0), town, empty});
  }
};

} // namespace

TEST_CASE("a stream and a file of Arrow's have all types of columns", "[arrow][ipc]") {
  const AllTypes all;
  const auto read = ipc_contents(all.format, without_rows(all.table), {all.table});
  CHECK(read.batches == std::vector<std::int64_t>{4});
  REQUIRE(read.columns.size() == 14);
  const auto check = [&](std::size_t k, const std::string& name, const std::string& type,
                         const Texts& cells) {
    CAPTURE(name);
    CHECK(read.columns[k].name == name);
    CHECK(read.columns[k].type == type);
    CHECK(read.columns[k].nullable);
    CHECK(read.columns[k].cells == cells);
    CHECK(read.columns[k].zone == (name == "ms" ? "UTC" : ""));
    CHECK((read.columns[k].dictionary >= 0) == (name == "town"));
  };
  std::vector<std::string> keys(4);
  for (std::size_t row = 0; row < 4; ++row)
    rs::append_identifier(keys[row], all.format.columns[0], row, 0);
  check(0, "key", "text", {keys[0], keys[1], keys[2], keys[3]});
  check(1, "n", "int64", {"1", none, "-3", "0"});
  check(2, "x", "double", {"0.5", none, "1e+300", "-0.1"});
  check(3, "day", "date32", {"0", "19782", none, "-1"});
  check(4, "s", "timestamp s", {"0", "-1", none, "1700000000"});
  check(5, "ms", "timestamp ms", {"250", "-750", none, "1700000000125"});
  check(6, "us", "timestamp us", {"250000", none, "-62135596800000000", "1"});
  check(7, "ns", "timestamp ns", {none, "500000000", "-1000000000", "1"});
  check(8, "row", "int64", {"501", "502", "503", "504"});
  check(9, "large", "int64", {"1700000000000000001", none, "1700000000000000007", "1700000000123456789"});
  check(10, "larger", "text", {"14000000000000000001", none, "14000000000000000007", "14000000000123456789"});
  check(11, "town", "text", {"Oslo", "", "K\xC3\xB6ln", none});
  check(12, "note", "text", {"[text]", "[text]", "[text]", "[text]"});
  check(13, "none", "text", {none, none, none, none});
  CHECK(read.texts.begin()->second == std::vector<std::string>{"Oslo", "", "K\xC3\xB6ln"});
}

TEST_CASE("a table without a format, without rows, or in several pieces", "[arrow][ipc]") {
  const rs::Table table({rs::Column::numerical("n", {1, 2}, 0), rs::Column::categorical("c", {"a", "b"})});
  auto read = ipc_contents({}, table, {table});
  CHECK(read.columns[0].type == "int64");
  CHECK(read.columns[1].cells == Texts{"a", "b"});
  read = ipc_contents({}, table, {});
  CHECK(read.batches.empty());
  CHECK(read.columns[1].cells.empty());
  CHECK(read.texts.size() == 1);
  CHECK(ipc_contents({}, table, {without_rows(table)}) == read);
  // Other codes for the same texts, or for some of them.
  const rs::Table turned({rs::Column::numerical("n", {3, 4}, 0), rs::Column::categorical("c", {"b", "a"})});
  const rs::Table one({rs::Column::numerical("n", {5}, 0), rs::Column::categorical("c", {"b"})});
  read = ipc_contents({}, table, {table, turned, one});
  CHECK(read.batches == std::vector<std::int64_t>{2, 2, 1});
  CHECK(read.columns[0].cells == Texts{"1", "2", "3", "4", "5"});
  CHECK(read.columns[1].cells == Texts{"a", "b", "b", "a", "b"});
  CHECK(read.texts.begin()->second == std::vector<std::string>{"a", "b"});
  // Keys go on.
  rs::TableFormat format;
  format.columns = {{.name = "id", .role = rs::ColumnRole::identifier, .pattern = "#", .first = 7},
                    {.name = "n", .role = rs::ColumnRole::integer},
                    {.name = "c", .role = rs::ColumnRole::category}};
  CHECK(ipc_contents(format, table, {table, one, table}).columns[0].cells ==
        Texts{"7", "8", "9", "10", "11"});
}

TEST_CASE("many rows are several batches", "[arrow][ipc]") {
  rs::Column number = rs::Column::numerical("n", {}, 0);
  rs::Column place = rs::Column::categorical("c", {"x", "y", "z"});
  place.codes.clear();
  Texts numbers;
  Texts places;
  for (int i = 0; i < 70'000; ++i) {
    number.values.push_back(i % 7 == 3 ? std::nan("") : i);
    place.codes.push_back(i % 5 - 1 > 2 ? -1 : i % 5 - 1);
    numbers.push_back(i % 7 == 3 ? std::optional<std::string>() : std::to_string(i));
    places.push_back(place.codes.back() < 0 ? std::optional<std::string>()
                                            : std::string(1, static_cast<char>('x' + place.codes.back())));
  }
  const rs::Table table({number, place});
  const auto read = ipc_contents({}, table, {table});
  CHECK(read.batches == std::vector<std::int64_t>{65'536, 4'464});
  CHECK((read.columns[0].cells == numbers)); // too many to print
  CHECK((read.columns[1].cells == places));
}

TEST_CASE("numbers are those that a file of texts would have", "[arrow][ipc]") {
  using Role = rs::ColumnRole;
  // Halves go where the text of a file puts them: by the number that a double is, or to the even digit.
  const auto halves = [](std::vector<double> values, int decimals) {
    return ipc_column({.name = "x", .role = Role::real},
                      rs::Column::numerical("x", std::move(values), decimals));
  };
  CHECK(halves({2.5, 3.5, 0.25}, 0).cells == Texts{"2", "4", "0"});
  CHECK(halves({0.125, 1.115, 0.375}, 2).cells == Texts{"0.12", "1.11", "0.38"});
  CHECK(ipc_column({.name = "x", .role = Role::real}, rs::Column::numerical("x", {1.0 / 3, -0.001, 2}, 2))
            .cells == Texts{"0.33", "0", "2"});
  CHECK(ipc_column({.name = "x", .role = Role::real, .marks = {.scientific = true, .digits = 2}},
                   rs::Column::numerical("x", {123'456, 1e-30 / 3}))
            .cells == Texts{"123000", "3.33e-31"});
  CHECK(ipc_column(
            {.name = "x", .role = Role::real, .marks = {.prefix = "$", .decimal = ',', .thousands = '.'}},
            rs::Column::numerical("x", {1234.5}, 2))
            .cells == Texts{"1234.5"});
  // Minutes have no seconds.
  CHECK(ipc_column({.name = "t", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm"},
                   rs::Column::numerical("t", {29, 31, -31}, 0))
            .cells == Texts{"0", "60", "-60"});
  CHECK(ipc_column({.name = "t", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm:ss.f"},
                   rs::Column::numerical("t", {0.26}, 1))
            .cells == Texts{"300"});
  // Without a day, midnight is where it begins.
  const auto clock = ipc_column({.name = "t", .role = Role::date, .pattern = "hh:mm"},
                                rs::Column::numerical("t", {3'629, 86'399, 86'400}, 0));
  CHECK(clock.type == "int64");
  CHECK(clock.cells == Texts{"3600", "0", "0"});
}

TEST_CASE("what Arrow's types have no room for is refused with row and column", "[arrow][ipc]") {
  const auto refused = [](const rs::ColumnFormat& format, const rs::Column& column, const std::string& what) {
    CHECK_THROWS_WITH(ipc_column(format, column), Contains(what));
  };
  using Role = rs::ColumnRole;
  refused({.name = "n", .role = Role::real}, rs::Column::numerical("n", {0, 1e19}, 0),
          "row 2, column 'n' has the number 1e+19, expected a whole one of 64 bits");
  refused({.name = "n", .role = Role::integer}, rs::Column::numerical("n", {0.5}), "the number 0.5");
  refused({.name = "t", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm:ss.fffffff"},
          rs::Column::numerical("t", {0, -1e10}, 7),
          "row 2, column 't' has a time outside the years 1678 to 2261");
  refused({.name = "c\xFF", .role = Role::category}, rs::Column::categorical("c\xFF", {"a"}), "no UTF-8");
  refused({.name = "c", .role = Role::category}, rs::Column::categorical("c", {"\xFF"}),
          "column 'c' has the text '\\xFF', which is no UTF-8");

  const rs::Table table({rs::Column::categorical("c", {"a"})});
  std::ostringstream out;
  rs::ArrowIpcWriter writer(out, rs::ArrowIpc::stream, {}, table);
  CHECK_THROWS_WITH(writer.append(rs::Table({rs::Column::categorical("c", {"a", "b"})})),
                    Contains("row 2, column 'c' has the category 'b'"));
  CHECK_THROWS_WITH(writer.append(rs::Table({rs::Column::categorical("d", {"a"})})),
                    Contains("other columns"));
  rs::TableFormat other;
  other.columns = {{.name = "d"}};
  CHECK_THROWS_WITH(rs::ArrowIpcWriter(out, rs::ArrowIpc::stream, other, table), Contains("other columns"));

  // Types of a table with rows are decided by these: microseconds hold all years.
  rs::TableFormat format;
  format.columns = {{.name = "t", .role = Role::date, .pattern = "YYYY-MM-DD hh:mm:ss.fffffff"}};
  const rs::Table old({rs::Column::numerical("t", {-1e10}, 7)});
  CHECK(ipc_contents(format, old, {old}).columns[0].cells == Texts{"-10000000000000000"});
  CHECK_THROWS_WITH(ipc_contents(format, old, {rs::Table({rs::Column::numerical("t", {1e-7}, 7)})}),
                    Contains("more than 6 digits"));
}

TEST_CASE("a file of Arrow's is written whole", "[arrow][ipc]") {
  const TestFolder folder;
  const AllTypes all;
  rs::write_arrow_file(folder.file("rows.arrow"), all.table, all.format);
  std::ifstream in(folder.file("rows.arrow"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  CHECK(bytes == ipc_bytes(rs::ArrowIpc::file, all.format, all.table, {all.table}));
  const rs::Table wrong({rs::Column::categorical("c", {"\xFF"})});
  CHECK_THROWS_WITH(rs::write_arrow_file(folder.file("rows.arrow"), wrong), Contains("no UTF-8"));
  std::ifstream again(folder.file("rows.arrow"), std::ios::binary);
  CHECK(std::string{std::istreambuf_iterator<char>(again), {}} == bytes);
}

// So that nothing could be wrong in what the tests above have read. A stream is a part of a file.
TEST_CASE("no byte of a file of Arrow's can be another one", "[arrow][ipc]") {
  const AllTypes all;
  auto bytes = ipc_bytes(rs::ArrowIpc::file, all.format, all.table, {all.table});
  const auto contents = arrow_reader::read_file(bytes);
  std::vector<std::size_t> unseen;
  for (std::size_t k = 0; k < bytes.size(); ++k) {
    const auto bit = 1U << k % 8;
    const char before =
        std::exchange(bytes[k], static_cast<char>(static_cast<unsigned char>(bytes[k]) ^ bit));
    try {
      if (arrow_reader::read_file(bytes) == contents)
        unseen.push_back(k);
    } catch (const std::exception&) { // as it should
    }
    bytes[k] = before;
  }
  CHECK(unseen == std::vector<std::size_t>{});
}
