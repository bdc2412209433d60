// SPDX-License-Identifier: MIT
#include <rowsmith/core/errors.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

TEST_CASE("a CSV error names file, line and column as far as they are known", "[core][errors]") {
  const rs::CsvError error("a.csv", 3, 2, "'x' is no number");
  CHECK(std::string(error.what()) == "a.csv:3:2: 'x' is no number");
  CHECK(error.file() == "a.csv");
  CHECK((error.line() == 3 && error.column() == 2));
  CHECK(std::string(rs::CsvError("a.csv", 3, 0, "too long").what()) == "a.csv:3: too long");
  CHECK(std::string(rs::CsvError("a.csv", 0, 0, "is empty").what()) == "a.csv: is empty");
}

TEST_CASE("a training error names stage, epoch and step", "[core][errors]") {
  const rs::TrainingError error("gan", 4, 17, "the loss is not finite");
  CHECK(std::string(error.what()) == "training stage 'gan', epoch 4, step 17: the loss is not finite");
  CHECK((error.stage() == "gan" && error.epoch() == 4 && error.step() == 17));
}

TEST_CASE("a message quotes the beginning of a long text", "[core][errors]") {
  CHECK(rs::detail::in_quotes("short") == "'short'");
  CHECK(rs::detail::in_quotes(std::string(60, 'x')) == "'" + std::string(60, 'x') + "'");
  CHECK(rs::detail::in_quotes(std::string(1'000'000, 'x')) == "'" + std::string(60, 'x') + "…'");
  // A character of two bytes is not cut in half.
  std::string cut(59, 'x');
  CHECK(rs::detail::in_quotes(cut + "öy") == std::string("'").append(cut).append("…'"));
}

TEST_CASE("one handler catches all", "[core][errors]") {
  STATIC_REQUIRE(std::is_base_of_v<std::runtime_error, rs::Error>);
  STATIC_REQUIRE(std::is_base_of_v<rs::Error, rs::OptionError>);
  STATIC_REQUIRE(std::is_base_of_v<rs::Error, rs::CsvError>);
  STATIC_REQUIRE(std::is_base_of_v<rs::Error, rs::SchemaError>);
  STATIC_REQUIRE(std::is_base_of_v<rs::Error, rs::ShapeError>);
  STATIC_REQUIRE(std::is_base_of_v<rs::Error, rs::TrainingError>);
  STATIC_REQUIRE(std::is_base_of_v<rs::Error, rs::ModelFileError>);
}
