// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <filesystem>
#include <limits>
#include <string>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/evaluate/limits_json.hpp>

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

TEST_CASE("limits are read from JSON", "[evaluate]") {
  const auto limits = ev::parse_limits(R"({"a": {"max": 0.5}, "b": {"min": 1, "max": 2}})", "gate");
  REQUIRE(limits.size() == 2);
  CHECK(limits[0].key == "a");
  CHECK(limits[0].least == -std::numeric_limits<double>::infinity());
  CHECK(limits[0].most == 0.5);
  CHECK(limits[1].least == 1);
  CHECK(limits[1].most == 2);
}

TEST_CASE("limits that say nothing, or two things, are refused", "[evaluate]") {
  const auto refused = [](const std::string& text, const std::string& why) {
    CAPTURE(text);
    CHECK_THROWS_WITH(ev::parse_limits(text, "gate.json"),
                      Catch::Contains("gate.json: ") && Catch::Contains(why));
    CHECK_THROWS_AS(ev::parse_limits(text, "gate.json"), rs::OptionError);
  };
  for (const char* text : {"", "{", "[]", "{}", "3", "{\"a\": {\"max\": 1}} x", "{\"a\": {\"max\": 1e999}}"})
    refused(text, "expected a JSON object of limits");
  refused(R"({"a": {"max": 1}, "a": {"max": 2}})", "'a' is there twice");
  refused(R"({"a": {"max": 1, "max": 2}})", "'max' is there twice");
  refused(R"({"a": {"max": 1}, "b": {"max": 1, "min": 0, "\u006dax": 2}})", "'max' is there twice");
  refused(R"({"a": 1})", "'a' is no object");
  refused(R"({"a": {}})", "'a' is no object");
  refused(R"({"a": {"most": 1}})", "'a.most'");
  refused(R"({"a": {"max": "1"}})", "'a.max'");
  refused(R"({"a": {"max": null}})", "'a.max'");
  refused(R"({"a": {"max": 1, "min": 2}})", "no value is at least 2 and at most 1");
  CHECK_THROWS_WITH(ev::read_limits(std::filesystem::temp_directory_path()), Catch::Contains("is a folder"));
  CHECK_THROWS_WITH(ev::read_limits("/nowhere/gate.json"), Catch::Contains("cannot be read"));
}
