// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <ios>
#include <istream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/options.hpp>
#include <rowsmith/csv/reader.hpp>

namespace rs = rowsmith;

namespace {
using Records = std::vector<std::vector<std::string>>;

Records records(const std::string& text, const rs::CsvOptions& options = {}) {
  std::istringstream in(text);
  rs::CsvReader reader(in, "test.csv", options);
  Records result;
  while (reader.next()) {
    result.emplace_back();
    for (const auto& field : reader.fields())
      result.back().emplace_back(field.text);
  }
  return result;
}

rs::CsvError error_of(const std::string& text, const rs::CsvOptions& options = {}) {
  try {
    records(text, options);
  } catch (const rs::CsvError& error) {
    return error;
  }
  FAIL("no error");
  return {"", 0, 0, ""};
}
} // namespace

TEST_CASE("fields are split, trimmed and unquoted", "[csv]") {
  CHECK(records("a,b,c\n") == Records{{"a", "b", "c"}});
  CHECK(records(" a , b\t,  c  \n") == Records{{"a", "b", "c"}});
  CHECK(records("\"a,b\", \" c \" ,\"d\"\"e\"\n") == Records{{"a,b", " c ", "d\"e"}});
  CHECK(records(",,\n") == Records{{"", "", ""}});
  CHECK(records("\"\",x\n") == Records{{"", "x"}});
  CHECK(records("5\" pipe,x\n") == Records{{"5\" pipe", "x"}}); // a quote inside an unquoted field is text
  CHECK(records("a;b,c\n", {.delimiter = ';'}) == Records{{"a", "b,c"}});
  CHECK(records("a\tb\t\tc\n", {.delimiter = '\t'}) == Records{{"a", "b", "", "c"}});
  CHECK(records("\t\t\n", {.delimiter = '\t'}) == Records{{"", "", ""}}); // a record, not a blank line
}

TEST_CASE("lines end as they like", "[csv]") {
  const Records expected{{"a", "b"}, {"c", "d"}};
  CHECK(records("a,b\nc,d\n") == expected);
  CHECK(records("a,b\nc,d") == expected);
  CHECK(records("a,b\r\nc,d\r\n") == expected);
  CHECK(records("\xEF\xBB\xBF"
                "a,b\nc,d\n") == expected);
  CHECK(records("a,b\n\n   \nc,d\n\n") == expected);
  CHECK(records("|1x3 Cross validator\na,b\n|x\nc,d\n", {.comment = '|'}) == expected);
  CHECK(records("a,\"b\nb\"\nc,d\n") == Records{{"a", "b\nb"}, {"c", "d"}});
  CHECK(records("a,\"b\r\n\r\n|b\"\r\nc,d", {.comment = '|'}) == Records{{"a", "b\n\n|b"}, {"c", "d"}});
  CHECK(records("").empty());
  CHECK(records("\n\n").empty());
}

TEST_CASE("a long file keeps its lines across the reader's blocks", "[csv]") {
  std::string text;
  constexpr int rows = 1'200'000; // about 20 MB, more than one block
  for (int i = 0; i < rows; ++i)
    text += "row " + std::to_string(i) + ",x\n";
  std::istringstream in(text);
  rs::CsvReader reader(in, "long.csv");
  int count = 0;
  bool fine = true;
  while (reader.next()) {
    fine = fine && reader.fields().size() == 2 && reader.fields()[0].text == "row " + std::to_string(count);
    ++count;
  }
  CHECK(fine);
  CHECK(count == rows);
}

TEST_CASE("what cannot be read is an error with its place", "[csv]") {
  auto error = error_of("a,b\nc,\"d\ne\n");
  CHECK(error.line() == 2);
  CHECK(std::string(error.what()).find("test.csv:2") == 0);
  CHECK(std::string(error.what()).find("never closed") != std::string::npos);
  error = error_of("a,b\n\"c\"x,d\n");
  CHECK(error.line() == 2);
  CHECK(error.column() == 1);
  CHECK(std::string(error.what()).find("behind a closing quote") != std::string::npos);
  error = error_of(std::string("a,b\nc,\0d\n", 9));
  CHECK(error.line() == 2);
  CHECK(std::string(error.what()).find("zero byte") != std::string::npos);
  error = error_of(std::string(17U << 20U, 'x'));
  CHECK(std::string(error.what()).find("longer than") != std::string::npos);
  CHECK_THROWS_WITH(rs::CsvReader("/no/such/file.csv"), Catch::Contains("/no/such/file.csv"));
  CHECK_THROWS_AS(records("a", {.delimiter = '"'}), rs::OptionError);
  CHECK_THROWS_AS(records("a", {.comment = ','}), rs::OptionError);
}

TEST_CASE("options that no file could be read or written by are refused", "[csv]") {
  for (const char* text : {"a,b", " NA", "NA\t", "\"NA\"", "N\nA", "|NA"})
    CHECK_THROWS_AS(records("a", {.comment = '|', .missing = {text}}), rs::OptionError);
  CHECK(records("N A", {.missing = {"N A", ""}}) == Records{{"N A"}});
  CHECK_THROWS_WITH(records("a", {.names = {"x"}}), Catch::Contains("csv.names"));
}

TEST_CASE("what a damaged file can take of memory is bounded", "[csv]") {
  const std::string line = "x\n";
  std::string open = "a\n\"";
  while (open.size() < (17U << 20U))
    open += line;
  auto error = error_of(open);
  CHECK(error.line() == 2);
  CHECK(std::string(error.what()).find("not closed within 16 MiB") != std::string::npos);
  error = error_of(std::string(rs::CsvReader::max_fields, ','));
  CHECK(error.line() == 1);
  CHECK(std::string(error.what()).find("more than 100000 fields") != std::string::npos);
  CHECK(records(std::string(rs::CsvReader::max_fields - 1, ','))[0].size() == rs::CsvReader::max_fields);
}

TEST_CASE("whatever a stream does, what comes out is a CSV error", "[csv]") {
  std::istringstream strict("a,b\nc,d\n");
  strict.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
  rs::CsvReader reader(strict, "strict");
  CHECK(reader.next());
  CHECK(reader.next());
  CHECK_FALSE(reader.next());

  std::ifstream none("/no/such/file.csv");
  CHECK_THROWS_WITH(rs::CsvReader(none, "none"), Catch::Contains("none") && Catch::Contains("failed before"));

  struct Broken : std::streambuf {
    int_type underflow() override { throw std::runtime_error("the cable is out"); }
  } broken;
  std::istream bad(&broken);
  CHECK_THROWS_WITH(rs::CsvReader(bad, "bad"), Catch::Contains("cannot be read further"));
}

TEST_CASE("characters that the reader's blocks cut are whole, in any encoding", "[csv]") {
  std::string text;
  while (text.size() < 3'000'000)
    text += "M\xC3\xBCnchen,\xE2\x82\xAC,\xF0\x9F\x8C\xB3\n";
  std::string wide;
  for (std::size_t i = 0; i < text.size(); i += 18)
    for (const unsigned unit :
         {0x4DU, 0xFCU, 0x6EU, 0x63U, 0x68U, 0x65U, 0x6EU, 0x2CU, 0x20ACU, 0x2CU, 0xD83CU, 0xDF33U, 0x0AU})
      wide.append(1, static_cast<char>(unit & 255U)).append(1, static_cast<char>(unit >> 8U));
  const auto count = [](const std::string& bytes, const rs::CsvOptions& options) {
    std::istringstream in(bytes);
    rs::CsvReader reader(in, "x", options);
    std::size_t rows = 0;
    while (reader.next()) {
      rows += reader.fields().back().text == "\xF0\x9F\x8C\xB3" ? 1 : 0; // the others are missed in the count
    }
    return rows;
  };
  for (const char* shift :
       {"", "a,b,\xF0\x9F\x8C\xB3\n", "ab,b,\xF0\x9F\x8C\xB3\n", "abc,b,\xF0\x9F\x8C\xB3\n"}) {
    rs::CsvOptions options;
    options.check_text = true;
    CHECK(count(shift + text, options) == text.size() / 18 + (*shift == 0 ? 0 : 1));
    options.encoding = rs::TextEncoding::utf16_le;
    CHECK(count(wide, options) == wide.size() / 26);
  }
  rs::CsvOptions options;
  options.check_text = true;
  CHECK_THROWS_WITH(count(text + "\xFC\n", options), Catch::Contains("is no UTF-8 text"));
  options.encoding = rs::TextEncoding::utf16_be;
  CHECK_THROWS_WITH(count(std::string("\xDC\x01\x00\x0A", 4), options),
                    Catch::Contains("byte 1 is no UTF-16 text"));
  CHECK_THROWS_WITH(count(std::string("\x00\x41\x00", 3), options), Catch::Contains("within a character"));
}

TEST_CASE("a delimiter, a blank and a quote are found at each place of a line", "[csv]") {
  bool fine = true;
  std::string text;
  Records expected;
  const auto add = [&](const std::string& line, const std::vector<std::string>& fields) {
    text += line + (expected.size() % 2 == 0 ? "\n" : "\r\n");
    expected.push_back(fields);
  };
  for (const std::size_t size : {1U, 7U, 8U, 9U, 15U, 63U, 64U, 65U, 127U, 130U})
    for (std::size_t at = 0; at <= size; ++at) {
      const std::string left(at, 'l');
      const std::string right(size - at, 'r');
      add(left + "," + right, {left, right});
      add(left + " ,\t" + right + "  ", {left, right});
      add("\"" + left + ",\" ,\"" + right + "\"", {left + ",", right});
      add("\"" + left + "\"\"" + right + "\",\"\"\"\"", {left + "\"" + right, "\""});
      add("a,\"" + left + "\n" + right + "\"", {"a", left + "\n" + right});
      add("u" + left + "\"" + right, {"u" + left + "\"" + right});
      add("\xC3\xBC" + left + "\xC2\xAC,\xE2\x82\xAC" + right,
          {"\xC3\xBC" + left + "\xC2\xAC", "\xE2\x82\xAC" + right});
      if (size > 9)
        continue;
      const auto error = error_of("a\nx,\"" + left + "\"" + (at < size ? right : "r") + "\n");
      fine = fine && error.line() == 2 && error.column() == 2 &&
             std::string(error.what()).find("behind a closing quote") != std::string::npos;
    }
  CHECK(fine);
  CHECK(records(text, {.check_text = true}) == expected);
  text.resize(text.size() - (expected.size() % 2 == 0 ? 2 : 1)); // a last line without an end
  CHECK(records(text, {.check_text = true}) == expected);
}

TEST_CASE("a field that is wrong until more lines are read is told as before", "[csv]") {
  // The first line alone has text behind a closing quote; what is open at its end decides.
  auto error = error_of("a\n\"x\"y,\"z\n\"\n");
  CHECK(error.line() == 2);
  CHECK(error.column() == 1);
  error = error_of("a\n\"x\"y,\"z\n");
  CHECK(error.line() == 2);
  CHECK(error.column() == 0);
  CHECK(std::string(error.what()).find("never closed") != std::string::npos);
  CHECK(records("\"a\"\"\n\"\"b\",c\n\"d\"\n") == Records{{"a\"\n\"b", "c"}, {"d"}});
}

TEST_CASE("a byte that is no text is found at each place, with its line", "[csv]") {
  bool fine = true;
  std::string text;
  while (text.size() < 200) // more than one block of 192
    text += "abc,defg\n";
  const auto wrong = [&](std::string bytes, std::size_t at, const std::string& put, const std::string& what) {
    bytes.replace(at, put.size(), put);
    const auto error = error_of(bytes, {.check_text = true});
    const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return error.line() == static_cast<std::size_t>(line) &&
           std::string(error.what()).find(what) != std::string::npos;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n' || (at > 20 && at < 184)) // the beginning, and the block's end
      continue;
    fine = fine && wrong(text, at, std::string(1, '\0'), "zero byte");
    fine = fine && wrong(text, at, "\xFF", "byte " + std::to_string(at + 1) + " is no UTF-8");
    if (text[at + 1] != '\n')
      fine = fine && wrong(text, at, "\xC3(", "byte " + std::to_string(at + 1) + " is no UTF-8");
  }
  CHECK(fine);
  // Of a zero byte and another wrong one, the zero byte is told, wherever it is.
  CHECK(wrong("\xFF\n" + text, 100, std::string(1, '\0'), "zero byte"));
  // Where the pieces end in which a file is read.
  std::string large;
  while (large.size() < 300'000)
    large += "abc,defg\n";
  for (std::size_t at = (1U << 17U) - 3; at < (1U << 17U) + 3; ++at) {
    CHECK(wrong(large, at, std::string(1, '\0'), "zero byte"));
    CHECK(wrong(large, at, "\xFF", "byte " + std::to_string(at + 1) + " is no UTF-8"));
    auto whole = large;
    whole.replace(at, 3, "\xE2\x82\xAC");
    CHECK(records(whole, {.check_text = true}).size() > 30'000);
  }
  // A character that the file's end cuts off, behind the last line break and alone.
  const auto cut = error_of("a,b\n1,\xE2\x82", {.check_text = true});
  CHECK(cut.line() == 2);
  CHECK(std::string(cut.what()).find("byte 7 is no UTF-8") != std::string::npos);
  // Of UTF-16, the lines of pieces that wait count as well.
  std::string wide;
  for (int line = 1; line < 20'000; ++line)
    wide += std::string("a\0\n\0", 4);
  const auto lone = error_of(wide + "\x01\xDC", {.encoding = rs::TextEncoding::utf16_le});
  CHECK(lone.line() == 20'000);
  CHECK(std::string(error_of("\xC3", {.check_text = true}).what()).find("byte 1 is no") != std::string::npos);
}

TEST_CASE("bytes left in the reader's buffer are not taken for the end of a line", "[csv]") {
  std::istringstream in("ab");
  rs::detail::CsvBytes bytes("test.csv", nullptr, &in, {});
  std::string buffer(5, '\n');
  CHECK(bytes.read(buffer.data(), 5) == 2);
  CHECK(buffer[2] == 0);
}

TEST_CASE("random bytes and damaged files give records or an error, never anything else", "[csv]") {
  const std::string valid = "name,\"quoted, \"\"text\"\"\"\n 1 ,\"two\nlines\"\r\n|comment\n,\"\"\n";
  const std::string alphabet = "a,\"\n\r |\t;1\0\xEF\xFF";
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  std::size_t parsed = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string text;
    if (i % 2 == 0) {
      const auto length = random.below(60);
      for (std::uint32_t k = 0; k < length; ++k)
        text += alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
    } else {
      text = valid;
      for (int k = 0; k < 3; ++k)
        text[random.below(static_cast<std::uint32_t>(text.size()))] =
            alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
    }
    try {
      for (const auto& record : records(text, {.comment = '|'}))
        CHECK_FALSE(record.empty());
      ++parsed;
    } catch (const rs::CsvError&) {
      ++refused;
    }
  }
  CHECK(parsed > 30);
  CHECK(refused > 30);
}

TEST_CASE("numbers are read whole or not at all", "[csv]") {
  CHECK(rs::parse_number("12") == 12.0);
  CHECK(rs::parse_number("-1.5e3") == -1500.0);
  CHECK(rs::parse_number("+2") == 2.0);
  CHECK(rs::parse_number(".5") == 0.5);
  for (const char* text :
       {"", "+", "-", "1,5", "1 2", "0x10", "inf", "nan", "1e999", "12a", "+-1", "++1", " 1"})
    CHECK_FALSE(rs::parse_number(text).has_value());
  CHECK(rs::detail::decimals_in("12") == 0);
  CHECK(rs::detail::decimals_in("1.250") == 3);
  CHECK(rs::detail::decimals_in("1e5") == -1);
}

TEST_CASE("numbers of more decimals than can be written are written as they come", "[csv]") {
  CHECK(rs::detail::decimals_in("0." + std::string(100, '3')) == 100);
  CHECK(rs::detail::decimals_in("0." + std::string(101, '3')) == -1);
  CHECK(rs::detail::decimals_in("0." + std::string(100'000, '3')) == -1);
}

TEST_CASE("numbers survive their text", "[csv]") {
  rs::RandomSequence random(rs::RandomStream(2, rs::Purpose::user));
  for (int i = 0; i < 2000; ++i) {
    const double value =
        (random.uniform() - 0.5) * std::pow(10.0, static_cast<double>(random.below(40)) - 20.0);
    std::string text;
    rs::append_number(text, value, -1);
    CHECK(rs::parse_number(text) == value);
  }
  std::string text;
  rs::append_number(text, 2.5, 3);
  CHECK(text == "2.500");
  text.clear();
  rs::append_number(text, -1e300, 2);
  CHECK(rs::parse_number(text) == -1e300);
}

TEST_CASE("short decimal fractions are read as the standard library reads them", "[csv]") {
  const std::string alphabet = "0123456789012345678901234567890.-+e";
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  std::size_t plain = 0;
  std::size_t unusual = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto left = 1 + random.below(19); left > 0; --left)
      text += alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
    CAPTURE(text);
    // The sign that the standard library refuses.
    const std::string_view rest = std::string_view(text).substr(text.size() > 1 && text[0] == '+' ? 1 : 0);
    double value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    const bool whole = error == std::errc{} && end == rest.data() + rest.size() &&
                       !(rest.size() < text.size() && rest[0] == '-') && std::isfinite(value);
    const auto number = rs::detail::read_number(text);
    REQUIRE(number.has_value() == whole);
    if (!whole)
      continue;
    CHECK(std::bit_cast<std::uint64_t>(number->value) == std::bit_cast<std::uint64_t>(value));
    CHECK(number->decimals == rs::detail::decimals_in(text));
    if (number->plain) {
      std::string written;
      rs::append_number(written, number->value, number->decimals);
      CHECK(written == text);
    }
    ++(number->plain ? plain : unusual);
  }
  CHECK(plain > 1000);
  CHECK(unusual > 1000);
  CHECK(rs::detail::read_number("123456789012.345")->plain);
  for (const char* text : {"01", "-0.50e1", "1.", ".5", "+2", "00.5", "-01"})
    CHECK_FALSE(rs::detail::read_number(text)->plain);
}
