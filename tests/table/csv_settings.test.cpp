// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <rowsmith/table/csv_settings.hpp>

namespace rs = rowsmith;

TEST_CASE("columns are named one by one or with commas between, whatever is in their names", "[table]") {
  const rs::TableSchema schema({{"a", rs::ColumnKind::numerical}, {"b"}, {"a,b"}, {"c, d"}});
  using Names = std::vector<std::string>;
  CHECK(rs::named_columns({"a", "b"}, schema) == Names{"a", "b"});
  CHECK(rs::named_columns({"b,a"}, schema) == Names{"b", "a"});
  CHECK(rs::named_columns({"a,b", "c, d"}, schema) == Names{"a,b", "c, d"});
  CHECK(rs::named_columns({}, schema).empty());
  for (const char* unknown : {"", "a,", "z", "a,z", "c"})
    CHECK_THROWS_AS(rs::named_columns({unknown}, schema), rs::SchemaError);
}

TEST_CASE("numbers that are names stay texts", "[table]") {
  std::string path = (std::filesystem::temp_directory_path() / "rowsmith-csv-XXXXXX").string();
  const int file = mkstemp(path.data());
  REQUIRE(file >= 0);
  close(file);
  std::ofstream(path) << "n,code\n1,007\n2,7\n";
  const auto table = rs::CsvSettings{.categorical = {"code"}}.read(path);
  CHECK(table[0].kind == rs::ColumnKind::numerical);
  REQUIRE(table[1].kind == rs::ColumnKind::categorical);
  CHECK(table[1].dictionary.texts() == std::vector<std::string>{"007", "7"});
  CHECK(rs::CsvSettings{}.read(path)[1].kind == rs::ColumnKind::numerical);
  CHECK(rs::CsvSettings{}.read_like(path, table).schema() == table.schema());
  CHECK_THROWS_AS((rs::CsvSettings{.categorical = {"codes"}}.read(path)), rs::SchemaError);
  std::filesystem::remove(path);
}
