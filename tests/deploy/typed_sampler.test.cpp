// SPDX-License-Identifier: MIT
#include <rowsmith/deploy/typed_sampler.hpp>

#include <bit>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <catch2/catch.hpp>

#include "small_models.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {
using Person = rs::Schema<rs::Numerical<"amount">, rs::Numerical<"age">, rs::Numerical<"one">,
                          rs::Categorical<"city">, rs::Categorical<"shade">, rs::Label<"rich">>;
using Typed = rs::TypedSampler<Person>;
using Row = rs::Row<Person>;

static_assert(std::is_same_v<decltype(std::declval<const Row&>().get<"age">()), double>);
static_assert(std::is_same_v<decltype(std::declval<const Row&>().get<"city">().text), std::string_view>);
static_assert(noexcept(std::declval<const Row&>().get<"age">()));
static_assert(noexcept(std::declval<const Row&>().get<"city">()));
static_assert(noexcept(std::declval<const Typed&>()(1, 2, std::declval<Typed::Scratch&>(),
                                                    std::declval<Row&>())));
static_assert(noexcept(std::declval<const Typed&>().score(std::declval<const Row&>(),
                                                          std::declval<Typed::Scratch&>())));
} // namespace

TEST_CASE("typed rows hold what the table of the same sample holds", "[deploy]") {
  for (const auto& [name, model] : small::models()) {
    CAPTURE(name);
    const Typed sampler(model);
    auto scratch = sampler.scratch();
    auto row = sampler.row();
    const auto table = model.sample(200, {.seed = 9});
    const auto text = [&table](const char* column, std::size_t r) {
      const auto& c = table[column];
      return c.is_missing(r) ? std::string() : c.dictionary.text(c.codes[r]);
    };
    for (std::size_t r = 0; r < table.rows(); ++r) {
      sampler(9, r, scratch, row);
      REQUIRE(row.get<"age">() == table["age"].values[r]);
      REQUIRE((std::isnan(row.get<"amount">()) ? table["amount"].is_missing(r)
                                               : row.get<"amount">() == table["amount"].values[r]));
      REQUIRE(row.get<"city">().text == text("city", r));
      REQUIRE(row.get<"city">().is_missing() == table["city"].is_missing(r));
      REQUIRE(row.get<"rich">().text == text("rich", r));
    }
    if (model.conditional()) {
      const auto wanted = model.sample(20, {.seed = 9, .label = "yes"});
      for (std::size_t r = 0; r < wanted.rows(); ++r) {
        sampler(9, r, sampler.label_index("yes"), scratch, row);
        REQUIRE(row.get<"age">() == wanted["age"].values[r]);
      }
    }
  }
}

TEST_CASE("a typed row is set and scored by name", "[deploy]") {
  const auto all = small::models();
  const Typed sampler(all.front().model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  row.set<"amount">(12.5);
  row.set<"age">(40);
  row.set<"one">(1);
  row.set_missing<"city">();
  CHECK(row.set<"shade">("3"));
  CHECK(row.set<"rich">("yes"));
  CHECK_FALSE(row.set<"rich">("very"));
  const double score = sampler.score(row, scratch);
  CHECK(score > 0);
  auto dynamic = sampler.dynamic().row();
  dynamic.set("amount", 12.5);
  dynamic.set("age", 40.0);
  dynamic.set("one", 1.0);
  dynamic.set("shade", "3");
  dynamic.set("rich", "yes");
  CHECK(std::bit_cast<std::uint64_t>(sampler.dynamic().score(dynamic, scratch)) ==
        std::bit_cast<std::uint64_t>(score));
}

TEST_CASE("a Schema that is not the model's is refused by name", "[deploy]") {
  const auto all = small::models();
  const auto& model = all.front().model;
  using Short = rs::Schema<rs::Numerical<"amount">>;
  CHECK_THROWS_WITH(rs::TypedSampler<Short>(model), Contains("6 columns") && Contains("1"));
  using Renamed = rs::Schema<rs::Numerical<"amount">, rs::Numerical<"years">, rs::Numerical<"one">,
                             rs::Categorical<"city">, rs::Categorical<"shade">, rs::Label<"rich">>;
  CHECK_THROWS_WITH(rs::TypedSampler<Renamed>(model), Contains("'age'") && Contains("'years'"));
  using OtherKind = rs::Schema<rs::Numerical<"amount">, rs::Categorical<"age">, rs::Numerical<"one">,
                               rs::Categorical<"city">, rs::Categorical<"shade">, rs::Label<"rich">>;
  CHECK_THROWS_WITH(rs::TypedSampler<OtherKind>(model), Contains("numerical") && Contains("categorical"));
}
