// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <rowsmith/csv/compressed.hpp>
#include <rowsmith/csv/reader.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

std::string compressed(const std::string& text, rs::Compression compression) {
  std::ostringstream bytes;
  rs::write_compressed(bytes, compression, [&](std::ostream& out) { out << text; });
  return bytes.str();
}
std::string temporary(const std::string& bytes) {
  const auto path = (std::filesystem::temp_directory_path() / "rowsmith-compressed-test").string();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}
std::string read_again(const std::string& bytes) {
  const auto in = rs::open_compressed(temporary(bytes));
  return {std::istreambuf_iterator<char>(*in), std::istreambuf_iterator<char>()};
}

} // namespace

TEST_CASE("compressed files are read as the text they hold", "[csv]") {
  std::string text = "a,b\n";
  for (int i = 0; i < 30'000; ++i)
    text += std::to_string(i * 7919 % 10007) + "," + std::to_string(i) + "\n";
  for (const auto compression : {rs::Compression::gzip, rs::Compression::zstd}) {
    const auto bytes = compressed(text, compression);
    CHECK(bytes.size() < text.size() / 2);
    CHECK((read_again(bytes) == text));
    CHECK((read_again(bytes + compressed("end\n", compression)) == text + "end\n")); // put behind one another
    CHECK((read_again(compressed("", compression)).empty()));
    // Cut off anywhere, or damaged.
    for (const std::size_t length : {bytes.size() / 2, bytes.size() - 1, std::size_t{20}})
      CHECK_THROWS_WITH(read_again(bytes.substr(0, length)), Contains("cut off"));
    auto damaged = bytes;
    for (std::size_t i = 0; i < 16; ++i)
      damaged[damaged.size() / 2 + i] = static_cast<char>(damaged[damaged.size() / 2 + i] ^ 0x5A);
    CHECK_THROWS_AS(read_again(damaged), rs::Error);
  }
  CHECK((read_again(text) == text));
  CHECK((read_again("").empty()));
  CHECK_FALSE(*rs::open_compressed("/nowhere/at/all.gz"));
  std::filesystem::remove(temporary(""));
}

TEST_CASE("a damaged compressed file ends the reading of records", "[csv]") {
  std::string text = "a,b\n";
  for (int i = 0; i < 20'000; ++i)
    text += std::to_string(i * 7919 % 10007) + "," + std::to_string(i) + "\n";
  const auto bytes = compressed(text, rs::Compression::gzip);
  const auto path = temporary(bytes.substr(0, bytes.size() / 2));
  const auto in = rs::open_compressed(path);
  CHECK_THROWS_WITH(
      [&] {
        rs::CsvReader reader(*in, path);
        while (reader.next()) {
        }
      }(),
      Contains("cut off"));
  std::filesystem::remove(path);
}

TEST_CASE("the end of a name says how a file is compressed", "[csv]") {
  CHECK(rs::compression_of_name("rows.csv.gz") == rs::Compression::gzip);
  CHECK(rs::compression_of_name("rows.zst") == rs::Compression::zstd);
  CHECK(rs::compression_of_name("rows.csv") == rs::Compression::none);
}
