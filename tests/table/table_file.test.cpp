// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <stdlib.h>

#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/table_file_writer.hpp>

#include "../support/folder.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
std::string lines(const std::string& header, std::size_t count,
                  const std::function<std::string(std::size_t)>& line) {
  std::string text = header + "\n";
  for (std::size_t i = 0; i < count; ++i)
    text += line(i) + "\n";
  return text;
}
std::string encoded(const std::string& text, rs::TextEncoding encoding) {
  std::string bytes;
  REQUIRE(rs::detail::TextEncoder(encoding, false).encode(text, bytes) == rs::detail::TextEncoder::none);
  return bytes;
}
// A file as it is written again, by way of the format's JSON.
std::string again(const TestFolder& folder, const std::string& bytes,
                  const rs::TableFileOptions& options = {}) {
  const auto file = rs::read_table_file(folder.write("in", bytes), options);
  rs::write_table_file(folder.path + "/out", file.table,
                       rs::table_format_from_json(rs::to_json(file.format)));
  return read_file(folder.path + "/out");
}
const rs::ColumnFormat& column(const rs::TableFile& file, const std::string& name) {
  for (const auto& one : file.format.columns)
    if (one.name == name)
      return one;
  throw rs::SchemaError("no column " + name);
}

} // namespace

TEST_CASE("whole numbers of up to 20 digits come back to the last one", "[table]") {
  const TestFolder folder;
  for (const std::uint64_t base :
       {std::uint64_t{9'007'199'254'740'991}, std::uint64_t{12'345'678'901'234'567},
        std::uint64_t{123'456'789'012'345'678}, std::uint64_t{1'700'000'000'123'456'789},
        std::uint64_t{9'223'372'036'854'775'000}, std::uint64_t{18'446'744'073'709'500'000U}}) {
    CAPTURE(base);
    const auto number = [&](std::size_t i) { return std::to_string(base + i * i * 7 % 5003); };
    const auto bytes = lines("at,b", 100, [&](std::size_t i) {
      return (i % 10 == 3 ? "" : number(i)) + (i % 2 == 0 ? ",x" : ",y");
    });
    const auto file = rs::read_table_file(folder.write("f", bytes));
    CHECK(column(file, "at").role == rs::ColumnRole::integer);
    CHECK(again(folder, bytes) == bytes);
    const auto negative = lines("at,b", 100, [&](std::size_t i) { return "-" + number(i) + ",x"; });
    CHECK(again(folder, negative) == negative);
  }
}

TEST_CASE("a number that stands for a missing value is none, however plain", "[table]") {
  rs::TextColumn texts;
  for (const char* text : {"1", "-9", "2.50", "007", "?", "9"})
    texts.add(text, false, 1);
  const rs::ColumnFormat format{.name = "x", .role = rs::ColumnRole::real, .missing_words = {"9"}};
  const auto read = [&](const rs::ColumnFormat& of, const std::vector<std::string>& missing) {
    rs::RoleOptions roles;
    roles.missing = missing;
    const auto column = rs::detail::table_column(texts, of, roles);
    std::string result;
    for (std::size_t row = 0; row < column.rows(); ++row)
      result +=
          column.is_missing(row) ? "? " : std::to_string(static_cast<int>(column.values[row] * 10)) + " ";
    return result + std::to_string(column.decimals);
  };
  CHECK(read(format, {"?"}) == "10 -90 25 70 ? ? 2");
  CHECK(read(format, {"-9", "?"}) == "10 ? 25 70 ? ? 2");
  auto other = format;
  other.missing = "2.50";
  CHECK(read(other, {"?"}) == "10 -90 ? 70 ? ? 0");
  other.missing_words.clear();
  CHECK(read(other, {"?"}) == "10 -90 ? 70 ? 90 0");
}

TEST_CASE("large numbers with marks are exact, too", "[table]") {
  const TestFolder folder;
  const auto bytes = lines("a,b", 60, [](std::size_t i) {
    return "\"$1,700,000,000,000,00" + std::to_string(i % 7) + "," + std::to_string(100 + i * 17 % 900) +
           "\"," + (i % 2 == 0 ? "x" : "y");
  });
  CHECK(column(rs::read_table_file(folder.write("f", bytes)), "a").origin ==
        rs::WholeNumber{1'700'000'000'000'000'000, false});
  CHECK(again(folder, bytes) == bytes);
}

TEST_CASE("the origin is no row's number, and one for columns that lie together", "[table]") {
  const TestFolder folder;
  const auto bytes = lines("start,end,other", 200, [](std::size_t i) {
    const std::uint64_t start = 1'700'000'000'000'000'417 + i * i * 1'000'003;
    return std::to_string(start) + "," + std::to_string(start + i % 5) + "," +
           std::to_string(9'100'000'000'000'000'417 + i * i);
  });
  const auto file = rs::read_table_file(folder.write("f", bytes));
  CHECK(column(file, "start").origin == column(file, "end").origin);
  CHECK_FALSE(column(file, "start").origin == column(file, "other").origin);
  CHECK(column(file, "start").origin.magnitude % 1'000'000'000 == 0);
  for (std::size_t r = 0; r < file.rows; ++r) {
    CHECK(file.table["end"].values[r] - file.table["start"].values[r] == static_cast<double>(r % 5));
    CHECK(file.table["start"].values[r] > 0);
  }
  CHECK_THAT(file.found[0].notes.back(), Contains("kept to the last digit"));
  CHECK(again(folder, bytes) == bytes);
  // A file like it, whose numbers lie elsewhere but within reach; and one beyond it.
  const auto like = folder.write("g", "end,start,other\n1699999999999999999,1700000000000000001,"
                                      "9100000000000000000\n");
  CHECK(rs::read_table_like(like, file.format)["end"].values[0] < 0);
  rs::write_table_file(folder.path + "/h", rs::read_table_like(like, file.format), file.format);
  CHECK_THAT(read_file(folder.path + "/h"), Contains("1700000000000000001,1699999999999999999,91000"));
  const auto far = folder.write("g", "end,start,other\n1700000000000000000,17,9100000000000000000\n");
  CHECK_THROWS_WITH(rs::read_table_like(far, file.format),
                    Contains("'17', expected a whole number at most 2^53 away from 17000000"));
}

TEST_CASE("large numbers that lie far apart are keys or categories, and never rounded", "[table]") {
  const TestFolder folder;
  const auto wide = [](std::size_t i) {
    return std::to_string(10'000'000'000'000'003 + i * 90'071'992'547'409'937);
  };
  // Each one once: a key, made anew.
  auto file = rs::read_table_file(folder.write(
      "f", lines("a,b", 90, [&](std::size_t i) { return wide(i) + "," + std::to_string(i % 7); })));
  CHECK(column(file, "a").role == rs::ColumnRole::identifier);
  CHECK_FALSE(column(file, "a").pattern.empty());
  std::set<std::string> keys;
  for (std::uint64_t row = 0; row < 200; ++row) {
    std::string key;
    rs::append_identifier(key, column(file, "a"), row, 1);
    keys.insert(key);
  }
  CHECK(keys.size() == 200);
  for (std::size_t i = 0; i < 90; ++i)
    CHECK_FALSE(keys.contains(wide(i)));
  // Again and again: a category.
  const auto bytes =
      lines("a,b", 90, [&](std::size_t i) { return wide(i % 9) + "," + std::to_string(i % 7); });
  file = rs::read_table_file(folder.write("f", bytes));
  CHECK(column(file, "a").role == rs::ColumnRole::category);
  CHECK(again(folder, bytes) == bytes);
  // Beyond 64 bits; and one value alone.
  for (const char* text : {"340282366920938463463374607431768211455", "1700000000000000001"}) {
    const auto same = lines("a,b", 90, [&](std::size_t i) {
      return text + std::string(i % 2 == 0 && text[0] == '3' ? "0," : ",") + std::to_string(i % 7);
    });
    file = rs::read_table_file(folder.write("f", same));
    CHECK(column(file, "a").role == rs::ColumnRole::category);
    CHECK(again(folder, same) == same);
  }
}

TEST_CASE("large counters are counted on from the last, exactly", "[table]") {
  const TestFolder folder;
  const auto file =
      rs::read_table_file(folder.write("f", lines("a,id,b", 50, [](std::size_t i) {
                                         return std::to_string(1'700'000'000'000'000'001 + i) + "," +
                                                std::to_string(1'700'000'000'000'000'001 + 3 * i) + "," +
                                                std::to_string(i % 7);
                                       })));
  CHECK(column(file, "a").role == rs::ColumnRole::identifier);
  CHECK(column(file, "a").first == 1'700'000'000'000'000'051);
  CHECK(column(file, "id").role == rs::ColumnRole::identifier);
  CHECK(column(file, "id").first == 1'700'000'000'000'000'149);
  rs::write_table_file(folder.path + "/out", file.table, file.format);
  CHECK_THAT(read_file(folder.path + "/out"), Contains("\n1700000000000000100,1700000000000000198,0\n"));
}

TEST_CASE("an index without a name is counted on, whatever it is written like", "[table]") {
  const TestFolder folder;
  const auto numbered = [&](const std::function<std::string(std::size_t)>& number) {
    return rs::read_table_file(folder.write("f", lines(",b", 20,
                                                       [&](std::size_t i) {
                                                         return number(i) + "," + std::to_string(i * i % 7);
                                                       })))
        .format.columns[0];
  };
  CHECK(numbered([](std::size_t i) { return std::to_string(10 + i); }).first == 30);
  CHECK(numbered([](std::size_t i) { return std::to_string(10 + i) + ".0"; }).first == 30);
  CHECK(numbered([](std::size_t i) { return std::to_string(1'000'000'000'000'000'000 + i); }).first ==
        1'000'000'000'000'000'020);
  // No counter: these are 1 and 3 apart, which doubles would not tell; or too near the end of 64 bits.
  const auto uneven = [](std::size_t i) {
    return std::to_string(1'000'000'000'000'000'000 + i + 2 * (i % 2));
  };
  CHECK_THROWS_WITH(numbered(uneven), Contains("name is empty"));
  const auto last = [](std::size_t i) { return std::to_string(9'223'372'036'854'775'787 + i); };
  CHECK_THROWS_WITH(numbered(last), Contains("name is empty"));
}

TEST_CASE("an origin in a format's JSON is checked", "[table]") {
  const auto with = [](const std::string& more) {
    return rs::table_format_from_json(
        R"({"delimiter": ",", "header": true, "encoding": "utf-8", "columns": [)"
        R"({"name": "a", "missing": "", )" +
        more + "}]}");
  };
  CHECK(to_string(with(R"("role": "integer", "origin": "-1700000000000000000")").columns[0].origin) ==
        "-1700000000000000000");
  CHECK_THROWS_WITH(with(R"("role": "integer", "origin": "1e3")"), Contains("'origin' of column 'a'"));
  CHECK_THROWS_WITH(with(R"("role": "category", "origin": "17")"), Contains("'origin' of column 'a'"));
  CHECK_THROWS_WITH(with(R"("role": "integer", "origin": 17)"), Contains("'origin' is not a text"));
}

TEST_CASE("a file is written in the encoding and with the line ends that it was read in", "[table]") {
  const TestFolder folder;
  const std::string mark = "\xEF\xBB\xBF";
  const auto text = lines("st\xC3\xA4"
                          "dte,b,\"two\nlines\"",
                          60, [](std::size_t i) {
                            return std::string(i % 2 == 0 ? "M\xC3\xBCnchen" : "\"K\xC3\xB6ln\n\xC3\x9F\"") +
                                   "," + std::to_string(i % 9) + ",x";
                          });
  const auto semicolons = lines(
      "a;b", 60, [](std::size_t i) { return std::to_string(i * i % 89) + ",5;" + (i % 2 == 0 ? "x" : "y"); });
  const auto with_ends = [](std::string to, const std::string& end) {
    for (std::size_t at = 0; (at = to.find('\n', at)) != std::string::npos; at += end.size())
      to.replace(at, 1, end);
    return to;
  };
  rs::TableFileOptions latin1;
  latin1.dialect.encoding = rs::TextEncoding::latin1;
  struct {
    const char* name;
    std::string bytes;
    rs::TableFileOptions options;
  } const files[] = {
      {"UTF-8", text, {}},
      {"UTF-8 with a mark", mark + text, {}},
      {"UTF-16 LE", encoded(mark + text, rs::TextEncoding::utf16_le), {}},
      {"UTF-16 BE", encoded(mark + text, rs::TextEncoding::utf16_be), {}},
      {"UTF-16 LE without a mark", encoded(text, rs::TextEncoding::utf16_le), {}},
      {"Latin-1", encoded(text, rs::TextEncoding::latin1), latin1},
      {"CR", with_ends(text, "\r"), {}},
      {"UTF-16 with CR LF", encoded(mark + with_ends(semicolons, "\r\n"), rs::TextEncoding::utf16_le), {}},
      {"UTF-16 with CR", encoded(mark + with_ends(text, "\r"), rs::TextEncoding::utf16_be), {}},
      {"sep=", "sep=;\n" + semicolons, {}},
      {"sep= with a mark and CR LF", mark + with_ends("sep=;\n" + semicolons, "\r\n"), {}},
      {"sep= and no header", "sep=;\n" + semicolons.substr(4), {}},
  };
  for (const auto& one : files) {
    CAPTURE(one.name);
    CHECK((again(folder, one.bytes, one.options) == one.bytes));
  }
  // Titles do not come again.
  CHECK(again(folder, "Figures of the year\n" + semicolons) == semicolons);
}

TEST_CASE("what an encoding has no characters for is an error that says where", "[table]") {
  rs::TableFormat format;
  format.dialect.encoding = rs::TextEncoding::latin1;
  format.columns = {{.name = "a", .role = rs::ColumnRole::integer}, {.name = "b"}};
  const rs::Table table(
      {rs::Column::numerical("a", {1, 2}, 0), rs::Column::categorical("b", {"x", "\xC5\x81"})});
  std::ostringstream out;
  CHECK_THROWS_WITH(rs::TableFileWriter(format).write(out, table),
                    Contains("row 2, column 'b' holds '\xC5\x81', for which latin-1 has no characters"));
  format.columns[1].name = "\xC5\x81";
  CHECK_THROWS_WITH(rs::TableFileWriter(format).header(), Contains("the line of names holds"));
}

TEST_CASE("a file like one in Latin-1 is read so, unless it says that it is UTF-8", "[table]") {
  const TestFolder folder;
  const std::string text =
      lines("a,b", 60, [](std::size_t i) { return std::to_string(i * i % 89) + ",M\xC3\xBCnchen"; });
  rs::TableFileOptions latin1;
  latin1.dialect.encoding = rs::TextEncoding::latin1;
  const auto format =
      rs::read_table_file(folder.write("f", encoded(text, rs::TextEncoding::latin1)), latin1).format;
  for (const auto& bytes : {text, encoded(text, rs::TextEncoding::latin1), "\xEF\xBB\xBF" + text,
                            encoded("\xEF\xBB\xBF" + text, rs::TextEncoding::utf16_le)})
    CHECK(rs::read_table_like(folder.write("g", bytes), format)["b"].dictionary.texts() ==
          std::vector<std::string>{"M\xC3\xBCnchen"});
  // The first character that tells is far behind the beginning: nothing is guessed.
  const auto late = [](const std::string& city) {
    return lines("a,b", 60'000, [&](std::size_t i) {
      return std::to_string(i % 89) + (i == 59'000 ? "," + city : ",Bern");
    });
  };
  CHECK(rs::read_table_like(folder.write("g", late("M\xC3\xBCnchen")), format)["b"].dictionary.text(1) ==
        "M\xC3\xBCnchen");
  CHECK_THROWS_AS(rs::read_table_like(folder.write("g", late("M\xFCnchen")), format), rs::CsvError);
  CHECK(rs::read_table_like(folder.write("g", late("M\xFCnchen")), format, latin1)["b"].dictionary.text(1) ==
        "M\xC3\xBCnchen");
}

TEST_CASE("a table of texts is read without a look at what the texts are", "[table]") {
  const TestFolder folder;
  const auto rows = [](std::size_t i) {
    return std::to_string(i) + "," + (i % 7 == 0 ? "?" : std::to_string(20 + i % 50)) + "," +
           (i % 3 == 0 ? "NA" : "DE") + "," + (i % 2 == 0 ? "yes" : "no") + ",2024-01-" +
           (i % 9 == 0 ? "10" : "11");
  };
  const auto path = folder.write("a.csv", lines("id,age,country,label,day", 60, rows));
  const auto file = rs::read_table_of_texts(
      path,
      {.declared = {{"id", rs::ColumnRole::identifier}, {"day", rs::ColumnRole::dropped}}, .label = "label"});
  CHECK(file.rows == 60);
  REQUIRE(file.table.size() == 3);
  for (const auto& one : file.table.columns())
    CHECK(one.kind == rs::ColumnKind::categorical);
  CHECK(file.table.schema().label() == "label");
  CHECK(file.table["age"].is_missing(0));
  CHECK(file.table["country"].is_missing(3)); // among codes of countries, too: other rows do not decide that
  CHECK(file.table["age"].cell(1).text() == "21");
  // The format is the same whatever the rows are: none marks a missing value, one key more.
  const auto other = rs::read_table_of_texts(
      folder.write("b.csv", lines("id,age,country,label,day", 61,
                                  [](std::size_t i) { return std::to_string(900 + i) + ",x,DE,yes,\"1\""; })),
      {.declared = {{"id", rs::ColumnRole::identifier}, {"day", rs::ColumnRole::dropped}}, .label = "label"});
  CHECK(other.format.columns == file.format.columns);
  CHECK(rs::to_json(other.format) == rs::to_json(file.format));

  // The first line holds the names unless that is denied.
  CHECK(rs::read_table_of_texts(folder.write("c.csv", "1,2\n3,4\n")).format.columns[0].name == "1");
  rs::TableFileOptions without;
  without.dialect.header = false;
  CHECK(rs::read_table_of_texts(folder.write("c.csv", "1,2\n3,4\n"), without).rows == 2);
  // A column without a name is left out.
  CHECK(rs::read_table_of_texts(folder.write("d.csv", ",a\n0,x\n1,y\n")).format.columns.size() == 1);
  CHECK_THROWS_WITH(rs::read_table_of_texts(path, {.declared = {{"age", rs::ColumnRole::integer}}}),
                    Contains("all columns are read as texts"));
  CHECK_THROWS_WITH(rs::read_table_of_texts(path, {.declared = {{"nobody", rs::ColumnRole::text}}}),
                    Contains("does not have it"));
  CHECK_THROWS_WITH(rs::read_table_of_texts(path, {.label = "nobody"}), Contains("is no column"));
}
