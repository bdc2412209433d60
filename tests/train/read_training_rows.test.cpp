// SPDX-License-Identifier: MIT
// Rows from files in chunks: what is learnt of them is what a table in memory says.
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <stdlib.h>

#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/read_training_rows.hpp>

#include "../support/folder.hpp"
#include "small_training.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

using Line = std::function<std::string(std::size_t)>;

const std::string order_names = "id,price,tax,total,town,paid,flag\n";
std::string money(std::uint64_t cents) {
  auto text = std::to_string(cents % 100);
  return std::to_string(cents / 100) + "." + std::string(2 - text.size(), '0') + text;
}
// Orders: a key, a sum, a town that nearly gives the flag, a missing date.
std::string order(std::size_t row) {
  const std::uint64_t hash = (row + 3) * 0x9E3779B97F4A7C15U >> 20U;
  const std::uint64_t price = 100 + hash % 90'000;
  const std::uint64_t tax = 5 + hash / 90'000 % 700;
  const std::string day = std::to_string(10 + hash % 19);
  return std::to_string(1000 + row) + "," + money(price) + "," + money(tax) + "," + money(price + tax) +
         ",town " + std::to_string(hash % 7) + "," +
         (hash % 5 == 0 ? "" : "2024-0" + std::to_string(1 + hash % 9) + "-" + day) + "," +
         (hash % 3 == 0 ? "yes" : "no") + "\n";
}
std::string orders(std::size_t begin, std::size_t end, const Line& line = order) {
  std::string text = order_names;
  for (std::size_t row = begin; row < end; ++row)
    text += line(row);
  return text;
}

std::string fingerprint(const rs::TrainingRows& rows) {
  std::string text = rs::detail::table_fingerprint(rows.encoder, rows.encoded, {});
  for (const auto& relation : rows.preparation.relations())
    text += "\n" + relation;
  return text;
}
rs::TrainingFiles read(const std::vector<std::string>& paths, std::size_t sketch, std::size_t chunk,
                       rs::TrainerOptions options = {}) {
  rs::ReadOptions reading;
  reading.sketch.rows = sketch;
  reading.chunk_rows = chunk;
  return rs::read_training_rows(paths, {.label = "flag"}, options, reading);
}
// The rows in memory, as the files' codecs and relations encode them.
void check_encoded(const rs::TrainingFiles& read, const std::string& path) {
  const auto whole = rs::read_table_file(path, {.label = "flag"});
  REQUIRE(read.file.format.schema().columns() == whole.format.schema().columns());
  const auto expected = read.rows.encoder.encode(read.rows.preparation.forward_training(whole.table));
  REQUIRE(read.rows.encoded.rows() == expected.rows());
  const auto a = read.rows.encoded.code_bytes();
  const auto b = expected.code_bytes();
  CHECK((std::equal(a.begin(), a.end(), b.begin(), b.end())));
}

} // namespace

TEST_CASE("a table that a sketch holds whole is encoded as in memory, whatever files and chunks it comes in",
          "[train][scale]") {
  const TestFolder folder;
  const auto path = folder.write("all.csv", orders(0, 900));
  const auto file = rs::read_table_file(path, {.label = "flag"});
  rs::TrainerOptions options;
  options.preparation.dates = file.format.dates();
  const auto expected = fingerprint(rs::TrainingRows::of(file.table, options));
  CHECK_THAT(expected, Contains("'total' = 'price' + 'tax'"));
  for (const std::size_t chunk : {std::size_t{7}, std::size_t{256}, std::size_t{5000}}) {
    const auto read_rows = read({path}, 450, chunk);
    CHECK(fingerprint(read_rows.rows) == expected);
    CHECK(read_rows.passes == 2);
    CHECK(rs::to_json(read_rows.file.format) == rs::to_json(file.format));
  }
  const auto parts = read({folder.write("1.csv", orders(0, 301)), folder.write("2.csv", orders(301, 302)),
                           folder.write("3.csv", orders(302, 900))},
                          450, 128);
  CHECK(fingerprint(parts.rows) == expected);
  // And the model is the same file.
  auto small_options = small::options();
  small_options.preparation.dates = options.preparation.dates;
  rs::ReadOptions reading;
  reading.folder = folder.path;
  auto rows = rs::read_training_rows({path}, {.label = "flag"}, small_options, reading).rows;
  rs::save_model(small::Trainer(small_options).fit(file.table), folder.path + "/memory");
  rs::save_model(small::Trainer(small_options).fit(std::move(rows)), folder.path + "/chunks");
  const auto bytes = [](const std::string& of) {
    std::ifstream in(of, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK((bytes(folder.path + "/memory") == bytes(folder.path + "/chunks")));
}

TEST_CASE("rows that a sketch would not see by chance are not lost", "[train][scale]") {
  const TestFolder folder;
  const std::size_t rows = 6'000;
  SECTION("what all rows say") {
    const auto path = folder.write("all.csv", orders(0, rows));
    const auto found = read({path}, 100, 512);
    CHECK(found.file.table.rows() < 2'000);
    CHECK(found.file.rows == rows);
    check_encoded(found, path);
    CHECK_THAT(fingerprint(found.rows), Contains("'total' = 'price' + 'tax'"));
    CHECK(found.file.format.columns[0].role == rs::ColumnRole::identifier);
    CHECK(found.file.format.columns[0].first == 1000 + static_cast<std::int64_t>(rows));
  }
  SECTION("a category, a missing value and an extreme that one row has") {
    const auto path = folder.write("all.csv", orders(0, rows, [](std::size_t row) {
                                     if (row == 4'321)
                                       return std::string("5321,1.00,2.00,3.00,Atlantis,2024-05-11,no\n");
                                     if (row == 5'001)
                                       return std::string("6001,99999.00,1.00,100000.00,,2024-05-11,no\n");
                                     return order(row);
                                   }));
    const auto found = read({path}, 100, 512);
    check_encoded(found, path);
    const auto& codecs = found.rows.encoder.codecs();
    const auto town =
        std::find_if(codecs.begin(), codecs.end(), [](const auto& c) { return c.name == "town"; });
    CHECK(std::count(town->categories.begin(), town->categories.end(), "Atlantis") == 1);
    CHECK(town->has_missing);
  }
  SECTION("a row that breaks a sum") {
    const auto path =
        folder.write("all.csv", orders(0, rows, [](std::size_t row) {
                       return row == 4'444 ? "5444,10.00,2.00,12.50,town 1,2024-05-11,no\n" : order(row);
                     }));
    const auto found = read({path}, 100, 512);
    CHECK(found.passes > 2);
    CHECK_THAT(fingerprint(found.rows), !Contains("'total' ="));
    check_encoded(found, path);
    // Unless so few may.
    rs::TrainerOptions options;
    options.preparation.min_share = 0.999;
    const auto kept = read({path}, 100, 512, options);
    CHECK_THAT(fingerprint(kept.rows), Contains("'total' = 'price' + 'tax', but for 1 training rows"));
  }
  SECTION("a text in a column of numbers is told as in memory") {
    const auto path =
        folder.write("all.csv", orders(0, rows, [](std::size_t row) {
                       return row == 5'555 ? "6555,ten,2.00,12.00,town 1,2024-05-11,no\n" : order(row);
                     }));
    CHECK_THROWS_WITH(read({path}, 100, 512), Contains("price") && Contains("ten") && Contains("line 5557"));
  }
}

TEST_CASE("what a column means does not depend on how many of its rows are kept", "[train][scale]") {
  const TestFolder folder;
  const std::size_t rows = 40'000;
  const auto both = [&](const std::string& names, const Line& line, rs::TrainerOptions options = {},
                        rs::TableFileOptions files = {}) {
    std::string text = names + "\n";
    for (std::size_t row = 0; row < rows; ++row)
      text += line(row) + "\n";
    const auto path = folder.write("all.csv", text);
    rs::ReadOptions reading;
    reading.sketch.rows = 1024;
    auto chunks = rs::read_training_rows({path}, files, options, reading);
    auto memory = rs::read_table_file(path, files);
    CHECK(chunks.file.format.schema().columns() == memory.format.schema().columns());
    const auto encoder = rs::TableEncoder::fit(
        rs::Preparation::fit(memory.table, options.preparation).forward_training(memory.table),
        options.encoding);
    return std::pair(std::move(chunks), encoder);
  };
  const auto hash = [](std::size_t row) { return (row + 1) * 0x9E3779B97F4A7C15U >> 33U; };
  SECTION("short texts are no numbers, and rare ones are counted") {
    rs::TrainerOptions options;
    options.encoding.min_category_rows = 30;
    options.encoding.unseen = rs::UnseenCategory::other;
    const auto [chunks, encoder] = both(
        "airport,n",
        [&](std::size_t row) {
          const auto k = hash(row) % 700;
          return std::string{static_cast<char>('A' + k / 26 % 26), static_cast<char>('A' + k % 26),
                             static_cast<char>('A' + k / 13 % 26)} +
                 "," + std::to_string(hash(row + 7) % 1000);
        },
        options);
    CHECK(chunks.rows.encoder.codecs()[0].categories == encoder.codecs()[0].categories);
    CHECK(encoder.codecs()[0].categories.size() > 300);
  }
  SECTION("many cities are a category, texts that all differ are none") {
    const auto [chunks, encoder] = both("city,text,n", [&](std::size_t row) {
      return "city " + std::to_string(hash(row) % 5'000) + ",words of row " + std::to_string(hash(row)) +
             "," + std::to_string(hash(row + 7) % 90);
    });
    CHECK(chunks.file.format.columns[0].role == rs::ColumnRole::category);
    CHECK(chunks.file.format.columns[1].role != rs::ColumnRole::category);
    CHECK(chunks.rows.encoder.codecs()[0].categories == encoder.codecs()[0].categories);
  }
  SECTION("categories of few rows each, more than are remembered") {
    rs::ReadOptions reading;
    reading.sketch = {.rows = 1024, .numbers = 257, .texts = 500};
    std::string text = "code,n\n";
    for (std::size_t row = 0; row < rows; ++row)
      text += "code " + std::to_string(hash(row) % 6'000) + "," + std::to_string(hash(row + 7) % 90) + "\n";
    const auto path = folder.write("codes.csv", text);
    const auto chunks = rs::read_training_rows({path}, {}, {}, reading);
    CHECK(chunks.passes == 3);
    CHECK(chunks.rows.encoder.codecs()[0].categories.size() > 5'900);
  }
  SECTION("an exponent that few numbers have is not rounded away") {
    const auto [chunks, encoder] = both("size,n", [&](std::size_t row) {
      return (row == 31'000 ? std::string("25e-1") : std::to_string(1 + hash(row) % 40)) + "," +
             std::to_string(hash(row + 7) % 90);
    });
    const auto& points = chunks.rows.encoder.codecs()[0].points;
    CHECK(std::count(points.begin(), points.end(), 2.5) == 1);
    CHECK(points == encoder.codecs()[0].points);
  }
  SECTION("rows that are kept for a rare text say nothing about how numbers are spread") {
    // Time rises; nearly all of the 4,000 keys come first in the earliest rows.
    const auto [chunks, encoder] = both("key,time", [&](std::size_t row) {
      return "key " + std::to_string(row < 4'000 ? row : hash(row) % 4'000) + "," +
             std::to_string(10 * row + hash(row) % 10) + ".5";
    });
    const auto middle = [](const rs::ColumnCodec& codec) { return codec.knots[codec.knots.size() / 2]; };
    CHECK(middle(chunks.rows.encoder.codecs()[1]) ==
          Approx(middle(encoder.codecs()[1])).epsilon(0.15)); // 1,000 rows: .03 is a standard deviation
  }
}

TEST_CASE("files of one table have the same columns", "[train][scale]") {
  const TestFolder folder;
  const auto one = folder.write("1.csv", orders(0, 50));
  CHECK_THROWS_WITH(read({one, folder.write("2.csv", "id,price\n1,2\n")}, 100, 10), Contains("2.csv"));
  auto other = orders(50, 100);
  other.replace(other.find("town,"), 5, "city,");
  CHECK_THROWS_WITH(read({one, folder.write("3.csv", other)}, 100, 10),
                    Contains("3.csv") && Contains("'city' is none of"));
  CHECK_THROWS_WITH(
      read({one, folder.write("4.csv", "id,price,tax,total,town,paid,paid\n1,2,3,4,5,6,7\n")}, 100, 10),
      Contains("4.csv") && Contains("twice"));
  CHECK_THROWS_AS(read({}, 100, 10), rs::OptionError);
  // Files whose first column counts their rows, each from 0.
  const std::string names = ",n,city\n";
  const auto with_index = [&](const std::string& name) {
    std::string text = names;
    for (int i = 0; i < 30; ++i)
      text += std::to_string(i) + "," + std::to_string(i * 7 % 11) + ",city " + std::to_string(i % 4) + "\n";
    return folder.write(name, text);
  };
  rs::ReadOptions reading;
  CHECK(rs::read_training_rows({with_index("5.csv"), with_index("6.csv")}, {}, {}, reading)
            .file.format.columns[0]
            .role == rs::ColumnRole::identifier);
  // A schema may name columns that are not learnt and not there.
  auto described = rs::read_table_file(one, {.label = "flag"}).format;
  std::string text = "price,tax,total,town,paid,flag\n";
  for (std::size_t row = 0; row < 3'000; ++row) {
    const auto line = order(row);
    text += line.substr(line.find(',') + 1);
  }
  reading.format = described;
  reading.sketch.rows = 100;
  CHECK(rs::read_training_rows({folder.write("7.csv", text)}, {.label = "flag"}, {}, reading)
            .rows.encoded.rows() == 3'000);
  CHECK_THROWS_WITH(read({one}, 100, 0), Contains("chunk_rows"));
}

TEST_CASE("each row of a large table has its turn before any has it again", "[train][scale]") {
  const std::size_t rows = 2 * rs::EpochOrder::most_rows + 12'345;
  std::vector<std::uint32_t> all(rows);
  for (std::size_t i = 0; i < rows; ++i)
    all[i] = static_cast<std::uint32_t>(i);
  rs::EpochOrder order(all, 7);
  CHECK(order.rows() == rs::EpochOrder::most_rows);
  std::vector<std::uint8_t> turns(rows);
  double sum = 0; // of the first epoch: rows are taken from everywhere
  for (std::uint32_t epoch = 0; epoch < 2; ++epoch)
    for (const auto row : order(epoch)) {
      ++turns[row];
      sum += epoch == 0 ? row : 0;
    }
  CHECK(*std::max_element(turns.begin(), turns.end()) == 1);
  const double mean = sum / static_cast<double>(rs::EpochOrder::most_rows) / static_cast<double>(rows);
  CHECK(mean == Approx(0.5).margin(0.002)); // the standard deviation is .0003
  const auto third = order(2);
  std::size_t left = 12'345; // of the first round; then another order begins
  for (std::size_t i = 0; i < left; ++i)
    ++turns[third[i]];
  CHECK(*std::min_element(turns.begin(), turns.end()) == 1);
  CHECK(*std::max_element(turns.begin(), turns.end()) == 1);
  const std::vector<std::uint32_t> again(third.begin(), third.end());
  const auto first = order(0);
  CHECK_FALSE(std::equal(first.begin(), first.end() - 12'345, again.begin() + 12'345)); // in another order
}
