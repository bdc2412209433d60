// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <rowsmith/table/table_chunks.hpp>

#include "../support/folder.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

rs::TableFormat format() {
  rs::TableFormat format;
  format.columns = {{.name = "n", .role = rs::ColumnRole::integer},
                    {.name = "key", .role = rs::ColumnRole::identifier},
                    {.name = "c", .role = rs::ColumnRole::category}};
  return format;
}

} // namespace

TEST_CASE("chunks of files are the rows of one table, whatever their size", "[table]") {
  const TestFolder folder;
  std::string rows;
  for (int i = 0; i < 57; ++i)
    rows += std::to_string(i * 7 % 13) + "," +
            (i % 5 == 0 ? "" : std::string(1, static_cast<char>('a' + i % 3))) + "\n";
  const auto half = rows.find('\n', rows.size() / 2) + 1;
  const auto whole = rs::read_table_like(folder.write("all.csv", "n,c\n" + rows), format());
  const std::vector<std::string> parts{folder.write("a.csv", "n,c\n" + rows.substr(0, half)),
                                       folder.write("b.csv", "n,c\n" + rows.substr(half))};
  for (const std::size_t most : {1U, 10U, 57U, 1000U}) {
    rs::TableChunks chunks(parts, format(), {}, most);
    for (int pass = 0; pass < 2; ++pass, chunks.rewind()) {
      rs::Table table;
      std::size_t seen = 0;
      while (chunks.next(table)) {
        REQUIRE(table.rows() <= most);
        CHECK(chunks.first_row() == seen);
        CHECK(chunks.path() == parts[seen * 2 < whole.rows() ? 0 : 1]);
        for (std::size_t row = 0; row < table.rows(); ++row, ++seen) {
          REQUIRE(seen < whole.rows());
          CHECK(table["n"].values[row] == whole["n"].values[seen]);
          REQUIRE(table["c"].is_missing(row) == whole["c"].is_missing(seen));
          if (!table["c"].is_missing(row))
            CHECK(table["c"].dictionary.text(table["c"].codes[row]) ==
                  whole["c"].dictionary.text(whole["c"].codes[seen]));
        }
      }
      CHECK(seen == 57);
    }
  }
}

TEST_CASE("what one table refuses, its chunks refuse", "[table]") {
  const TestFolder folder;
  const auto refused = [&](const std::string& text, const char* why) {
    CAPTURE(text);
    const auto path = folder.write("bad.csv", text);
    const auto read = [&] {
      rs::TableChunks chunks({path}, format(), {}, 2);
      rs::Table table;
      while (chunks.next(table)) {
      }
    };
    CHECK_THROWS_WITH(rs::read_table_like(path, format()), Contains(why));
    CHECK_THROWS_WITH(read(), Contains(why));
  };
  refused("n,c\n", "no rows");
  refused("n,d\n1,a\n", "the column 'c' is missing");
  refused("n,c\n1,a\n2,b\n3,a\nx,b\n", "line 5");
  refused("n,c\n1,a\n2,b\n3\n", "fields, expected");
  refused("n,c,c\n1,a,b\n", "is there twice");
  refused("n,,c\n1,5,a\n2,7,b\n", "name is empty");
  CHECK_THROWS_AS(rs::TableChunks({}, format()), rs::OptionError);
  CHECK_THROWS_AS(rs::TableChunks({folder.write("x.csv", "n,c\n1,a\n")}, format(), {}, 0), rs::OptionError);
}
