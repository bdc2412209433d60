// SPDX-License-Identifier: MIT
#include <rowsmith/core/fixed_string.hpp>

#include <type_traits>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

namespace {
template <rs::FixedString Text>
struct Named {};
} // namespace

TEST_CASE("a fixed string is a template argument", "[core][fixed_string]") {
  STATIC_REQUIRE(std::is_same_v<Named<"age">, Named<"age">>);
  STATIC_REQUIRE(!std::is_same_v<Named<"age">, Named<"sex">>);
  STATIC_REQUIRE(rs::FixedString("age").view() == "age");
  STATIC_REQUIRE(rs::FixedString("").view().empty());
  STATIC_REQUIRE(rs::FixedString("age") == rs::FixedString("age"));
  STATIC_REQUIRE(!(rs::FixedString("age") == rs::FixedString("ages")));
  // Characters beyond ASCII are bytes like any other.
  STATIC_REQUIRE(rs::FixedString("größe").view() == "größe");
}
