// SPDX-License-Identifier: MIT
// Tables from Arrow's streams and into them. Arrays are made here by hand, and count how often they are
// released.
#include <catch2/catch.hpp>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/arrow/arrow_rows.hpp>
#include <rowsmith/arrow/to_arrow.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

// One column: its type, the cells of its only array, and what an array says of itself.
struct Made {
  std::string format{};
  std::string name{};
  std::vector<std::vector<char>> buffers{}; // an empty one is no buffer
  std::int64_t length = 0;
  std::int64_t offset = 0;
  std::int64_t null_count = 0;
  std::shared_ptr<Made> dictionary{};
  std::int64_t n_buffers = -1; // < 0: those that are there
};

template <class Number>
std::vector<char> raw(const std::vector<Number>& numbers) {
  std::vector<char> bytes(numbers.size() * sizeof(Number));
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}
template <class Number>
Made numbers(const std::string& format, const std::string& name, const std::vector<Number>& values) {
  return {format, name, {{}, raw(values)}, static_cast<std::int64_t>(values.size())};
}
// Lower and upper halves.
Made decimals(const std::string& format, const std::vector<std::int64_t>& halves) {
  auto made = numbers(format, "x", halves);
  made.length /= 2;
  return made;
}
Made texts(const std::string& name, const std::vector<std::string>& values) {
  std::vector<std::int32_t> offsets{0};
  std::string bytes;
  for (const auto& value : values) {
    bytes += value;
    offsets.push_back(static_cast<std::int32_t>(bytes.size()));
  }
  return {
      "u", name, {{}, raw(offsets), {bytes.begin(), bytes.end()}}, static_cast<std::int64_t>(values.size())};
}

// A stream of tables, each of some columns. Everything that it gave must be released once.
struct Producer {
  std::vector<Made> columns;
  std::size_t arrays = 1;
  std::int64_t length = -1;     // of the struct; < 0: that of the first column
  std::int64_t offset = 0;      // of the struct
  std::int64_t n_children = -1; // of the array; < 0: all
  int failing_array = -1;       // get_next of this one fails
  std::string root = "+s";
  int given = 0;    // structures that were given away
  int released = 0; // and came back

  ArrowArrayStream stream() {
    ArrowArrayStream made{};
    ++given;
    made.private_data = new std::pair<Producer*, std::size_t>(this, 0);
    made.get_schema = [](ArrowArrayStream* from, ArrowSchema* to) {
      auto& own = *static_cast<std::pair<Producer*, std::size_t>*>(from->private_data)->first;
      *to = {};
      ++own.given;
      own.root_schema(*to);
      return 0;
    };
    made.get_next = [](ArrowArrayStream* from, ArrowArray* to) {
      auto& [own, next] = *static_cast<std::pair<Producer*, std::size_t>*>(from->private_data);
      *to = {};
      if (static_cast<int>(next) == own->failing_array)
        return EIO;
      if (next++ == own->arrays)
        return 0;
      ++own->given;
      own->root_array(*to);
      return 0;
    };
    made.get_last_error = [](ArrowArrayStream*) -> const char* { return "the disk is gone"; };
    made.release = [](ArrowArrayStream* from) {
      auto* own = static_cast<std::pair<Producer*, std::size_t>*>(from->private_data);
      ++own->first->released;
      delete own;
      from->release = nullptr;
    };
    return made;
  }

private:
  // Memory of one structure and of those below it.
  template <class Struct>
  struct Held {
    Producer* producer = nullptr;
    std::vector<std::unique_ptr<Struct>> owned{};
    std::vector<Struct*> children{};
    std::vector<std::unique_ptr<std::vector<const void*>>> buffers{};
  };
  template <class Struct>
  static void release_root(Struct* root) {
    auto* held = static_cast<Held<Struct>*>(root->private_data);
    ++held->producer->released;
    delete held;
    root->release = nullptr;
  }
  void root_schema(ArrowSchema& to) {
    auto* held = new Held<ArrowSchema>{this};
    for (const auto& column : columns)
      held->children.push_back(schema_of(column, *held));
    to.format = root.c_str();
    to.name = "";
    to.n_children = static_cast<std::int64_t>(columns.size());
    to.children = held->children.data();
    to.private_data = held;
    to.release = &release_root<ArrowSchema>;
  }
  static ArrowSchema* schema_of(const Made& column, Held<ArrowSchema>& held) {
    auto one = std::make_unique<ArrowSchema>();
    *one = {};
    one->format = column.format.c_str();
    one->name = column.name.c_str();
    one->release = [](ArrowSchema* schema) { schema->release = nullptr; };
    if (column.dictionary)
      one->dictionary = schema_of(*column.dictionary, held);
    held.owned.push_back(std::move(one));
    return held.owned.back().get();
  }
  void root_array(ArrowArray& to) {
    auto* held = new Held<ArrowArray>{this};
    for (const auto& column : columns)
      held->children.push_back(array_of(column, *held));
    held->buffers.push_back(std::make_unique<std::vector<const void*>>(1, nullptr));
    to.length = length >= 0 ? length : columns.front().length;
    to.offset = offset;
    to.n_buffers = 1;
    to.buffers = held->buffers.back()->data();
    to.n_children = n_children >= 0 ? n_children : static_cast<std::int64_t>(columns.size());
    to.children = held->children.data();
    to.private_data = held;
    to.release = &release_root<ArrowArray>;
  }
  static ArrowArray* array_of(const Made& column, Held<ArrowArray>& held) {
    auto one = std::make_unique<ArrowArray>();
    *one = {};
    auto pointers = std::make_unique<std::vector<const void*>>();
    for (const auto& buffer : column.buffers)
      pointers->push_back(buffer.empty() ? nullptr : buffer.data());
    one->length = column.length;
    one->offset = column.offset;
    one->null_count = column.null_count;
    one->n_buffers =
        column.n_buffers >= 0 ? column.n_buffers : static_cast<std::int64_t>(column.buffers.size());
    one->buffers = pointers->data();
    held.buffers.push_back(std::move(pointers));
    one->release = [](ArrowArray* array) { array->release = nullptr; };
    if (column.dictionary)
      one->dictionary = array_of(*column.dictionary, held);
    held.owned.push_back(std::move(one));
    return held.owned.back().get();
  }
};

// All cells of the first column; those in quotes with one before them.
std::vector<std::string> cells_of(rs::TextSource& source, std::size_t most = 100) {
  rs::TextChunk chunk;
  std::vector<std::string> cells;
  source.rewind();
  while (source.next(chunk, most))
    for (const auto code : chunk.columns[0].codes()) {
      const auto text = chunk.columns[0][code];
      cells.push_back((text.quoted ? "'" : "") + std::string(text.text));
    }
  return cells;
}
std::vector<std::string> cells_of(const Made& column) {
  Producer producer{{column}};
  auto stream = producer.stream();
  std::vector<std::string> cells;
  {
    rs::ArrowRows rows(stream);
    CHECK(stream.release == nullptr);
    cells = cells_of(rows, 2);
    CHECK(cells_of(rows) == cells);
  }
  CHECK(producer.released == producer.given);
  return cells;
}
using Cells = std::vector<std::string>;

} // namespace

TEST_CASE("cells of each type", "[arrow]") {
  CHECK(cells_of(numbers<std::int8_t>("c", "x", {-128, 127})) == Cells{"-128", "127"});
  CHECK(cells_of(numbers<std::uint8_t>("C", "x", {255})) == Cells{"255"});
  CHECK(cells_of(numbers<std::int16_t>("s", "x", {-32768})) == Cells{"-32768"});
  CHECK(cells_of(numbers<std::uint16_t>("S", "x", {65535})) == Cells{"65535"});
  CHECK(cells_of(numbers<std::int32_t>("i", "x", {-2147483647 - 1})) == Cells{"-2147483648"});
  CHECK(cells_of(numbers<std::uint32_t>("I", "x", {4294967295U})) == Cells{"4294967295"});
  CHECK(cells_of(numbers<std::int64_t>("l", "x", {std::numeric_limits<std::int64_t>::min()})) ==
        Cells{"-9223372036854775808"});
  CHECK(cells_of(numbers<std::uint64_t>("L", "x", {~std::uint64_t{0}})) == Cells{"18446744073709551615"});
  CHECK(cells_of(numbers<double>("g", "x", {0.1, 2, std::nan("")})) == Cells{"0.1", "2.0", ""});
  CHECK(cells_of(numbers<float>("f", "x", {0.1F, -1e30F})) == Cells{"0.1", "-1e+30"});
  // 1, -2, the least one, 65504, 1/3, NaN.
  CHECK(cells_of(numbers<std::uint16_t>("e", "x", {0x3C00, 0xC000, 1, 0x7BFF, 0x3555, 0x7E00})) ==
        Cells{"1.0", "-2.0", "0.000000059604645", "65504.0", "0.33325195", ""});
  CHECK(cells_of(Made{"b", "x", {{}, {0b101}}, 3}) == Cells{"true", "false", "true"});
  CHECK(cells_of(texts("x", {"a", "", "NA", "\xC3\xA9"})) == Cells{"a", "'", "'NA", "\xC3\xA9"});
  CHECK(cells_of(Made{"U", "x", {{}, raw<std::int64_t>({0, 1, 3}), {'a', 'b', 'c'}}, 2}) == Cells{"a", "bc"});
  CHECK(cells_of(numbers<std::int32_t>("tdD", "x", {0, -1, 19782})) ==
        Cells{"1970-01-01", "1969-12-31", "2024-02-29"});
  CHECK(cells_of(numbers<std::int64_t>("tdm", "x", {86'400'000})) == Cells{"1970-01-02"});
  CHECK(cells_of(numbers<std::int64_t>("tss:", "x", {-1, 86'399})) ==
        Cells{"1969-12-31 23:59:59", "1970-01-01 23:59:59"});
  CHECK(cells_of(numbers<std::int64_t>("tsn:Europe/Oslo", "x", {1'000'000'000, 1'500'000'000})) ==
        Cells{"1970-01-01T00:00:01.000Z", "1970-01-01T00:00:01.500Z"});
  CHECK(cells_of(numbers<std::int64_t>("tsu:", "x", {1'000'000, -1})) ==
        Cells{"1970-01-01 00:00:01.000000", "1969-12-31 23:59:59.999999"});
  CHECK(cells_of(numbers<std::int64_t>("tsu:", "x", {3'000'000})) == Cells{"1970-01-01 00:00:03"});
  CHECK(cells_of(numbers<std::int64_t>("tsn:", "x", {std::numeric_limits<std::int64_t>::min()})) ==
        Cells{"1677-09-21 00:12:43.145224192"});
  // The last one is 2^64.
  CHECK(cells_of(decimals("d:38,2", {-5, -1, 123, 0, 0, 1})) ==
        Cells{"-0.05", "1.23", "184467440737095516.16"});
  CHECK(cells_of(decimals("d:5,0,128", {42, 0})) == Cells{"42"});
  CHECK(cells_of(Made{"n", "x", {}, 2}) == Cells{"", ""});
}

TEST_CASE("missing cells, slices and dictionaries", "[arrow]") {
  auto column = numbers<std::int32_t>("i", "x", {9, 1, 2, 3, 4});
  column.offset = 1;
  column.length = 4;
  column.buffers[0] = {0b10110}; // of five cells: the second, third and fifth are there
  for (const std::int64_t count : {std::int64_t{-1}, std::int64_t{1}}) {
    column.null_count = count;
    CHECK(cells_of(column) == Cells{"1", "2", "", "4"});
  }
  column.null_count = 0; // then the bits need not be right
  CHECK(cells_of(column) == Cells{"1", "2", "3", "4"});
  // A slice of the whole table.
  Producer sliced{{numbers<std::int32_t>("i", "x", {5, 6, 7, 8})}};
  sliced.offset = 2;
  sliced.length = 2;
  auto stream = sliced.stream();
  rs::ArrowRows rows(stream);
  CHECK(cells_of(rows) == Cells{"7", "8"});
  auto codes = numbers<std::int8_t>("c", "x", {1, 0, 1, 0});
  codes.dictionary = std::make_shared<Made>(texts("", {"no", "yes"}));
  codes.buffers[0] = {0b0111};
  codes.null_count = -1;
  CHECK(cells_of(codes) == Cells{"yes", "no", "yes", ""});
  // Short texts stand in their views, long ones in a buffer.
  const std::string lengthy = "longer than twelve";
  std::vector<char> views = raw<std::int32_t>({3, 0, 0, 0, 18, 0, 0, 2});
  std::memcpy(views.data() + 4, "abc", 3);
  const std::string bytes = "__" + lengthy;
  Made view{"vu", "x", {{}, views, {bytes.begin(), bytes.end()}, raw<std::int64_t>({20})}, 2};
  CHECK(cells_of(view) == Cells{"abc", lengthy});
  view.buffers[3] = raw<std::int64_t>({19});
  CHECK_THROWS_WITH(cells_of(view), Contains("row 2, column 'x'") && Contains("does not hold it"));
}

TEST_CASE("a stream is read in chunks, once or again", "[arrow]") {
  Producer producer{{numbers<std::int64_t>("tsm:", "t", {1000, 2000, 3000}), texts("u", {"a", "b", "c"})}, 3};
  {
    rs::ArrowRows rows([&](ArrowArrayStream& to) { to = producer.stream(); });
    const auto cells = cells_of(rows, 2);
    REQUIRE(cells.size() == 9);
    CHECK(cells[8] == "1970-01-01 00:00:03");
    CHECK(cells_of(rows, 100) == cells);
    CHECK(rows.names() == Cells{"t", "u"});
  }
  CHECK(producer.given > 12);
  CHECK(producer.released == producer.given);
  auto stream = producer.stream();
  const auto file = rs::read_arrow(stream);
  CHECK(file.format.columns[0].role == rs::ColumnRole::date);
  CHECK(file.format.columns[0].pattern == "YYYY-MM-DD hh:mm:ss");
  CHECK(file.table.rows() == 9);
}

TEST_CASE("a stream that gives other rows when it is opened again is refused", "[arrow]") {
  Producer producer{{texts("x", {"a", "b"}), numbers<std::int64_t>("tsm:", "t", {1000, 2000})}};
  rs::ArrowRows rows([&](ArrowArrayStream& to) { to = producer.stream(); }, "s");
  CHECK(cells_of(rows).size() == 2);
  CHECK(cells_of(rows).size() == 2);
  producer.arrays = 2;
  CHECK_THROWS_WITH(cells_of(rows), Contains("s: gives other rows"));
  producer.arrays = 1;
  producer.columns[0] = texts("x", {"b", "a"});
  CHECK_THROWS_WITH(cells_of(rows), Contains("s: gives other rows"));
  producer.columns[0] = texts("x", {"a", "b"});
  CHECK(cells_of(rows).size() == 2);
  // Digits that no row had are not cut off.
  producer.columns[1] = numbers<std::int64_t>("tsm:", "t", {1000, 2001});
  CHECK_THROWS_WITH(cells_of(rows), Contains("row 2, column 't' holds a time of more digits"));
}

TEST_CASE("what contradicts itself is refused, and released once", "[arrow]") {
  const auto refused = [](Producer producer, const std::string& what) {
    INFO(what);
    auto stream = producer.stream();
    CHECK_THROWS_WITH(
        [&] {
          rs::ArrowRows rows(stream, "s");
          cells_of(rows);
        }(),
        Contains(what));
    CHECK(stream.release == nullptr);
    CHECK(producer.released == producer.given);
  };
  const auto fine = numbers<std::int32_t>("i", "x", {1, 2});
  const auto changed = [&](const std::function<void(Made&)>& change, Made column) {
    change(column);
    return Producer{{std::move(column)}};
  };
  refused({{}, 1}, "s: has 0 columns");
  refused({{numbers<std::int32_t>("i", "", {1})}}, "column 1 has no name");
  refused({{fine, fine}}, "'x' is there twice");
  refused({{{"+l", "x", {{}}, 1}}}, "column 'x' is of Arrow's type '+l'");
  refused({{{"z", "x", {{}, {0}, {0}}, 0}}}, "column 'x' is of Arrow's type 'z'");
  refused({{{"d:5,2,256", "x", {{}, {0}}, 0}}}, "'d:5,2,256'");
  refused({{fine}, 0}, "has no rows");
  Producer values{{fine}};
  values.root = "i";
  refused(values, "holds no tables");
  Producer fewer{{fine, numbers<std::int32_t>("i", "y", {1, 2})}};
  fewer.n_children = 1;
  refused(fewer, "has an array of 1 columns, expected 2");
  refused({{fine, numbers<std::int32_t>("i", "y", {1})}}, "column 'y' has an array of 1 cells, expected 2");
  Producer broken{{fine}, 3};
  broken.failing_array = 1;
  refused(broken, "s: cannot be read: the disk is gone");
  refused(changed([](Made& one) { one.offset = -1; }, fine), "offset -1");
  refused(changed([](Made& one) { one.offset = std::numeric_limits<std::int64_t>::max(); }, fine),
          "offset 9223");
  refused(changed([](Made& one) { one.null_count = -2; }, fine), "-2 missing cells");
  refused(changed([](Made& one) { one.null_count = 1; }, fine), "no buffer that says which");
  refused(changed([](Made& one) { one.buffers[1].clear(); }, fine), "buffer of cells is not there");
  refused(changed([](Made& one) { one.n_buffers = 3; }, fine), "3 buffers, expected 2");
  Producer negative{{fine}};
  negative.columns[0].length = -5;
  negative.length = 2;
  refused(negative, "length -5");
  auto wrong = texts("x", {"ab", "c"});
  wrong.buffers[1] = raw<std::int32_t>({0, 2, 1});
  refused({{wrong}}, "row 2, column 'x' has a text from byte 2 to 1");
  wrong.buffers[1] = raw<std::int32_t>({-1, 0, 1});
  refused({{wrong}}, "from byte -1");
  wrong = texts("x", {"ab", "c"});
  wrong.buffers[2].clear();
  refused({{wrong}}, "buffer of texts is not there");
  refused({{texts("x", {"a", "\xC3"})}}, "row 2, column 'x' holds a text that is no UTF-8");
  refused({{numbers<double>("g", "x", {1, HUGE_VAL})}}, "row 2, column 'x' holds an infinite number");
  refused({{numbers<std::int32_t>("tdD", "x", {3'000'000})}}, "year outside 0 to 9999");
  for (const char* unit : {"tss:", "tsm:", "tsu:"}) // which overflow nothing
    refused({{numbers<std::int64_t>(unit, "x", {std::numeric_limits<std::int64_t>::min()})}},
            "year outside 0 to 9999");
  refused({{numbers<std::int64_t>("tdm", "x", {1})}}, "whole days");
  auto codes = numbers<std::int8_t>("c", "x", {0, -1});
  refused(changed([](Made& one) { one.dictionary = std::make_shared<Made>(texts("", {"no"})); }, codes),
          "row 2, column 'x' has the code -1");
  codes = numbers<std::int8_t>("c", "x", {1});
  refused(changed([](Made& one) { one.dictionary = std::make_shared<Made>(texts("", {"no"})); }, codes),
          "has the code 1, but its dictionary 1 values");
  ArrowArrayStream nothing{};
  CHECK_THROWS_WITH(rs::ArrowRows(nothing), Contains("released already"));
}

TEST_CASE("a table goes into Arrow and back", "[arrow]") {
  const double nan = std::nan("");
  rs::Column empty = rs::Column::categorical("none");
  empty.codes = {rs::missing_code, rs::missing_code, rs::missing_code};
  rs::Column town = rs::Column::categorical("town", {"Oslo", "", "Oslo"});
  town.codes[2] = rs::missing_code;
  rs::TableFormat format;
  format.columns = {
      {.name = "n", .role = rs::ColumnRole::integer},
      {.name = "day", .role = rs::ColumnRole::date, .pattern = "DD.MM.YYYY"},
      {.name = "time", .role = rs::ColumnRole::date, .pattern = "YYYY-MM-DD hh:mm:ss.fff"},
      {.name = "ns", .role = rs::ColumnRole::integer, .origin = {1'700'000'000'000'000'000U, false}}};
  const rs::Table table(
      {rs::Column::numerical("n", {1, nan, -3}, 0), rs::Column::numerical("x", {0.5, nan, 1e300}),
       rs::Column::numerical("day", {0, 19782, nan}, 0), rs::Column::numerical("time", {0.25, -0.75, nan}, 3),
       rs::Column::numerical("ns", {1, nan, 7}, 0), town, empty});
  ArrowArrayStream stream{};
  rs::to_arrow_stream(table, format, stream);
  rs::ArrowRows rows(stream);
  rs::TextChunk chunk;
  REQUIRE(rows.next(chunk, 10));
  Cells cells;
  for (const auto& column : chunk.columns)
    for (const auto code : column.codes())
      cells.push_back((column[code].quoted ? "'" : "") + std::string(column[code].text));
  CHECK(cells == Cells{"1",
                       "",
                       "-3",
                       "0.5",
                       "",
                       "1e+300",
                       "1970-01-01",
                       "2024-02-29",
                       "",
                       "1970-01-01 00:00:00.250",
                       "1969-12-31 23:59:59.250",
                       "",
                       "1700000000000000001",
                       "",
                       "1700000000000000007",
                       "Oslo",
                       "'",
                       "",
                       "",
                       "",
                       ""});
  // A column that was taken out of a table outlives it.
  ArrowArray taken{};
  {
    auto made = rs::to_arrow(table);
    CHECK(std::string(made.schema->children[0]->format) == "l");
    taken = std::exchange(*made.array->children[0], {});
  }
  CHECK(static_cast<const std::int64_t*>(taken.buffers[1])[2] == -3);
  CHECK(taken.null_count == 1);
  taken.release(&taken);
  CHECK(taken.release == nullptr);
}

TEST_CASE("times and whole numbers beyond 64 bits take a coarser unit, an end, or a message", "[arrow]") {
  const double nan = std::nan("");
  rs::TableFormat format;
  format.columns = {
      {.name = "t", .role = rs::ColumnRole::date, .pattern = "YYYY-MM-DD hh:mm:ss.fffffffff"},
      {.name = "d", .role = rs::ColumnRole::date, .pattern = "YYYY-MM-DD"},
      {.name = "n", .role = rs::ColumnRole::integer, .origin = {1'700'000'000'000'000'000U, false}}};
  const auto taken = [&](const rs::Column& column) {
    const auto made = rs::to_arrow(rs::Table({column}), format);
    const auto& cells = *made.array->children[0];
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < cells.length; ++i)
      values.push_back(std::string(made.schema->children[0]->format) == "tdD"
                           ? static_cast<const std::int32_t*>(cells.buffers[1])[i]
                           : static_cast<const std::int64_t*>(cells.buffers[1])[i]);
    return std::pair(std::string(made.schema->children[0]->format), values);
  };
  const auto times = [&](const std::vector<double>& seconds) {
    return taken(rs::Column::numerical("t", seconds, 9));
  };
  using Taken = std::pair<std::string, std::vector<std::int64_t>>;
  CHECK(times({0.123456789, nan}) == Taken{"tsn:", {123'456'789, 0}});
  CHECK(times({-9'223'372'035, 9'223'372'035}) ==
        Taken{"tsn:", {-9'223'372'035'000'000'000, 9'223'372'035'000'000'000}});
  // The first of January of the year 1, and the last day of 9999.
  CHECK(times({-62'135'596'800, nan, 253'402'214'400.5, 0.25}) ==
        Taken{"tsu:", {-62'135'596'800'000'000, 0, 253'402'214'400'500'000, 250'000}});
  CHECK(times({-1e300, 1e300}) == Taken{"tsu:", {-62'167'219'200'000'000, 253'402'300'799'000'000}});
  CHECK(taken(rs::Column::numerical("d", {-1e300, 1e300}, 0)) == Taken{"tdD", {-719'528, 2'932'896}});
  CHECK(taken(rs::Column::numerical("n", {-1e300, 1e300}, 0)) ==
        Taken{"l", {1'690'992'800'745'259'008, 1'709'007'199'254'740'992}});
  // Columns before the one that is refused go with it.
  const rs::Table both({rs::Column::categorical("c", {"a", "b"}),
                        rs::Column::numerical("t", {0.123456789, 253'402'214'400}, 9)});
  CHECK_THROWS_WITH(rs::to_arrow(both, format), Contains("column 't'") && Contains("1678 to 2261"));
  ArrowArrayStream stream{};
  rs::to_arrow_stream(both, format, stream);
  ArrowSchema schema{};
  CHECK(stream.get_schema(&stream, &schema) != 0);
  CHECK_THAT(stream.get_last_error(&stream), Contains("column 't'"));
  CHECK(schema.release == nullptr);
  stream.release(&stream);
}
