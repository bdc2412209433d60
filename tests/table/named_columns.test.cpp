// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include <rowsmith/table/named_columns.hpp>

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
