// SPDX-License-Identifier: MIT
#include <rowsmith/core/version.hpp>

#include <string>
#include <type_traits>

#include <rowsmith/core/errors.hpp>

#include <catch2/catch.hpp>

TEST_CASE("the version's text, numbers and namespace agree", "[core][version]") {
  CHECK(std::string(ROWSMITH_VERSION) == std::to_string(ROWSMITH_VERSION_MAJOR) + '.' +
                                             std::to_string(ROWSMITH_VERSION_MINOR) + '.' +
                                             std::to_string(ROWSMITH_VERSION_PATCH));
  STATIC_REQUIRE(std::is_same_v<rowsmith::Error, rowsmith::v0_1::Error>);
  STATIC_REQUIRE((ROWSMITH_VERSION_MAJOR == 0 && ROWSMITH_VERSION_MINOR == 1));
}
