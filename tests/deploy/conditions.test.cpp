// SPDX-License-Identifier: MIT
// Rows that are asked for: by all kinds of heads, alone and in batches.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/models/condition_text.hpp>

#include "../support/alike.hpp"
#include "small_parts.hpp"

namespace rs = rowsmith;
using alike::cell_text;
using Catch::Matchers::Contains;
using rs::where;

namespace {

std::string cell_text(const rs::DynamicRow& row, std::size_t column) {
  const auto cell = row.cell(column);
  return cell.is_missing()  ? "missing"
         : cell.is_number() ? std::to_string(std::bit_cast<std::uint64_t>(cell.number()))
                            : std::string(cell.text());
}

// Written apart from the library's own rule.
bool meets(const rs::Table& table, std::size_t row, const std::vector<rs::Condition>& conditions) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const rs::Condition& condition) {
    const auto& column = table[condition.column];
    if (column.is_missing(row))
      return condition.missing && !condition.negated;
    bool among = false;
    for (const auto& value : condition.values)
      among = among || (column.kind == rs::ColumnKind::categorical &&
                        column.dictionary.text(column.codes[row]) == value);
    for (const auto& range : condition.ranges) {
      const double x = column.values[row];
      among = among || (x >= range.least && x <= range.most && !(range.without_least && x == range.least) &&
                        !(range.without_most && x == range.most));
    }
    return among != condition.negated;
  });
}

// Of columns of small::table().
const std::vector<std::vector<rs::Condition>>& frequent() {
  static const std::vector<std::vector<rs::Condition>> all{
      {where("city").one_of({"Oslo", "a\\b"})},
      {where("amount").above(12.345)},
      {where("amount").is_missing()},
      {where("amount").is_present(), where("age").between(30, 45), where("age").is_not(37)},
      {where("city").is_not("Oslo"), where("rich").is("no")},
      {where("amount").is(0)},
      {where("age").at_least(40), where("shade").is_not("1"), where("amount").below(30)},
  };
  return all;
}

} // namespace

TEST_CASE("rows meet the conditions asked for, and alone have the bits of the batch's", "[deploy]") {
  std::size_t turn = 0; // every model takes a third of the conditions
  for (const auto& [name, model] : small::models()) {
    if (model.schema().columns() != small::table().schema().columns())
      continue;
    const rs::Sampler sampler(model);
    auto scratch = sampler.scratch();
    auto row = sampler.row();
    for (std::size_t k = turn++ % 3; k < frequent().size(); k += 3) {
      CAPTURE(name, k);
      const auto& wanted = frequent()[k];
      rs::ResolvedConditions conditions;
      try {
        conditions = model.resolve(wanted, true);
      } catch (const rs::RareConditionsError& error) { // a base model's numbers are never just 0
        CHECK_THAT(error.what(), Contains("no candidate meets"));
        CHECK((model.encoder().number_columns() > 0 || model.parts().decoding == rs::Decoding::argmax));
        continue;
      }
      const rs::SampleOptions options{
          .seed = 3, .conditions = wanted, .allow_rare = true, .first_row = 1000, .threads = 2};
      const std::size_t rows = conditions.support().candidates > 200 ? 4 : 20;
      const auto made = model.sample(rows, options);
      std::size_t wrong = 0;
      std::size_t different = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        wrong += meets(made, i, wanted) ? 0 : 1;
        REQUIRE(sampler(3, 1000 + i, conditions, scratch, row));
        for (std::size_t c = 0; c < made.size(); ++c)
          different += cell_text(row, c) == cell_text(made, c, i) ? 0 : 1;
      }
      CHECK(wrong == 0);
      CHECK(different == 0);
    }
  }
}

// [distribution]: very many rows, of which sanitizers would see the same again and again.
TEST_CASE("rows under conditions are distributed as those of the model that meet them",
          "[deploy][distribution]") {
  std::size_t compared = 0;
  for (const auto& [name, model] : small::models()) {
    if (model.schema().columns() != small::table().schema().columns() || model.encoder().number_columns() > 0)
      continue;
    const auto all = model.sample(8000, {.seed = 1});
    for (std::size_t k = 0; k < frequent().size(); k += 3) {
      const auto& wanted = frequent()[k];
      std::vector<std::size_t> kept;
      for (std::size_t i = 0; i < all.rows(); ++i)
        if (meets(all, i, wanted))
          kept.push_back(i);
      const auto support = model.resolve(wanted, true).support();
      CAPTURE(name, k, kept.size(), support.share, support.candidates, support.effective);
      const double share = static_cast<double>(kept.size()) / 8000;
      CHECK(support.share == Approx(share).epsilon(0.2).margin(0.01));
      if (kept.size() < 600)
        continue;
      const auto made = model.sample(800, {.seed = 2, .conditions = wanted, .allow_rare = true});
      alike::check(all.select(kept), made);
      ++compared;
    }
  }
  CHECK(compared > 10);
}

TEST_CASE("what few candidates come to is drawn more often, and has its own probabilities", "[deploy]") {
  // A shade that only one city has, now and then; cities are drawn before shades, and labels before both.
  auto columns = small::table(4000).into_columns();
  rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user));
  const auto wanted_code = columns[4].dictionary.find("7");
  const auto other_code = columns[4].dictionary.find("8");
  for (std::size_t r = 0; r < 4000; ++r) {
    auto& shade = columns[4].codes[r];
    shade = shade == wanted_code ? other_code : shade;
    const bool here = random.below(50) == 0;
    if (here)
      columns[3].codes[r] = 2;
    else if (columns[3].codes[r] == 2)
      columns[3].codes[r] = 1;
    if (here && random.below(2) == 0)
      shade = wanted_code;
    columns[5].codes[r] = here ? 1 : static_cast<std::int32_t>(random.below(4) == 0);
  }
  const rs::Table dependent(std::move(columns), "rich");
  std::size_t tried = 0;
  for (const auto& part : small::all_parts()) {
    if (!std::holds_alternative<rs::MixedNetwork>(part.model.heads) || part.model.conditional() ||
        !part.model.guide.empty() || part.model.encoder.codecs()[4].categories.size() < 20)
      continue;
    for (const double share : {0.9, 1.0}) {
      auto parts = part.model;
      parts.heads = std::get<rs::MixedNetwork>(part.model.heads).neural;
      small::add_trees(parts, share, dependent);
      const rs::TableModel model(parts);
      CAPTURE(part.name, share);
      const std::vector<rs::Condition> wanted{where("shade").is("7")};
      const auto all = model.sample(200'000, {.seed = 9});
      std::vector<std::size_t> kept;
      for (std::size_t i = 0; i < all.rows(); ++i)
        if (meets(all, i, wanted))
          kept.push_back(i);
      const auto support = model.resolve(wanted).support();
      CAPTURE(support.share, support.candidates, support.effective);
      CHECK(support.share == Approx(static_cast<double>(kept.size()) / 200'000).epsilon(0.15));
      CHECK(support.candidates < 256); // the city alone would take more
      REQUIRE(kept.size() > 800);
      const auto made = model.sample(1500, {.seed = 4, .conditions = wanted});
      alike::check(all.select(kept), made);
      ++tried;
    }
    break;
  }
  CHECK(tried == 2);
}

TEST_CASE("columns that the preparation computes or mends are held to conditions, too", "[deploy]") {
  const auto table = small::related_table();
  const rs::TableModel model(small::related_parts());
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  std::size_t tried = 0;
  for (const auto& column : table.columns()) {
    if (column.kind != rs::ColumnKind::numerical)
      continue;
    auto sorted = column.values;
    std::erase_if(sorted, [](double x) { return std::isnan(x); });
    std::sort(sorted.begin(), sorted.end());
    CAPTURE(column.name);
    const std::vector<rs::Condition> wanted{where(column.name).at_least(sorted[sorted.size() / 2])};
    const auto conditions = model.resolve(wanted, true);
    const auto made = model.sample(30, {.seed = 5, .conditions = wanted, .allow_rare = true});
    for (std::size_t i = 0; i < made.rows(); ++i) {
      CHECK(meets(made, i, wanted));
      REQUIRE(sampler(5, i, conditions, scratch, row));
      for (std::size_t c = 0; c < made.size(); ++c)
        CHECK(cell_text(row, c) == cell_text(made, c, i));
    }
    ++tried;
  }
  CHECK(tried >= 3);
}

TEST_CASE("categories that share codes can be asked for one by one", "[deploy]") {
  const rs::TableModel model(small::related_parts());
  const auto& codecs = model.encoder().codecs();
  std::size_t found = 0;
  for (const auto& codec : codecs) {
    if (codec.view().groups == 0)
      continue;
    ++found;
    for (const std::size_t k : {std::size_t{0}, codec.categories.size() / 2, codec.categories.size() - 1}) {
      const auto made =
          model.sample(20, {.conditions = {where(codec.name).is(codec.categories[k])}, .allow_rare = true});
      const auto& column = made[codec.name];
      for (const auto code : column.codes)
        CHECK(column.dictionary.text(code) == codec.categories[k]);
    }
  }
  CHECK(found == 1);
}

TEST_CASE("conditions of another model are refused", "[deploy]") {
  const auto all = small::models();
  const auto conditions = all.at(6).model.resolve(std::vector{where("age").at_least(30)});
  CHECK_NOTHROW(rs::TableModel(all.at(6).model).sample(1, conditions, {})); // a copy is the same
  CHECK_THROWS_WITH(all.at(5).model.sample(1, conditions, {}), Contains("another model"));
}

TEST_CASE("conditions on many columns have weights beyond a double's range", "[deploy]") {
  rs::kernel::Candidates candidates;
  std::size_t chosen = 0;
  // Weights of e^-2000, three times that and nothing, of 4000 rows.
  for (std::uint64_t row = 0; row < 4000; ++row) {
    candidates = {};
    std::uint32_t last = 9;
    for (std::uint32_t attempt = 0; attempt < 3; ++attempt)
      if (candidates.take(attempt == 0   ? -2000
                          : attempt == 1 ? -2000 + std::log(3.0)
                                         : -std::numeric_limits<double>::infinity(),
                          attempt, 7, row))
        last = attempt;
    REQUIRE(last < 2);
    chosen += last;
  }
  CHECK(static_cast<double>(chosen) / 4000 == Approx(0.75).margin(0.03));
}

TEST_CASE("quotas are kept, and other rows come in their own proportions", "[deploy]") {
  const auto all = small::models();
  const auto& model = all.at(6).model;
  const auto shares = [](const rs::Table& table, const std::string& name) {
    std::vector<double> counts(table[name].dictionary.size() + 1);
    for (const auto code : table[name].codes)
      counts[static_cast<std::size_t>(code + 1)] += 1 / static_cast<double>(table.rows());
    return counts; // missing cells first
  };
  rs::SampleOptions options{.seed = 4,
                            .quotas = {{where("city").is("Oslo"), 0.5}, {where("city").is("a\\b"), 0.1}}};
  const auto made = model.sample(1500, options);
  const auto& cities = made["city"].dictionary;
  const auto now = shares(made, "city");
  const auto plain = shares(model.sample(4000, {.seed = 5}), "city");
  const auto place = [&](const char* text) { return static_cast<std::size_t>(cities.find(text) + 1); };
  CHECK(now[place("Oslo")] == Approx(0.5).margin(0.004));
  CHECK(now[place("a\\b")] == Approx(0.1).margin(0.004));
  const double others = 1 - plain[place("Oslo")] - plain[place("a\\b")];
  for (std::size_t k = 0; k < now.size(); ++k)
    if (k != place("Oslo") && k != place("a\\b"))
      CHECK(now[k] == Approx(0.4 * plain[k] / others).margin(0.04));
  CHECK(now[0] > 0); // missing cells are other cells
  // Row i is the same wherever the sample begins, and on any threads.
  options.first_row = 700;
  options.threads = 2;
  const auto there = model.sample(100, options);
  for (std::size_t c = 0; c < made.size(); ++c)
    for (std::size_t i = 0; i < 100; ++i)
      REQUIRE(cell_text(there, c, i) == cell_text(made, c, 700 + i));
  // Parts do not come in turn.
  std::size_t runs = 0;
  for (std::size_t i = 1; i < 1500; ++i)
    runs += made["city"].codes[i] == made["city"].codes[i - 1] ? 1 : 0;
  CHECK(runs > 250);
  // With another condition, of numbers, and of the label.
  const auto young = model.sample(
      600, {.conditions = {where("rich").is("yes")}, .quotas = {{where("age").below(30), 0.25}}});
  std::size_t under = 0;
  for (std::size_t i = 0; i < 600; ++i) {
    under += young["age"].values[i] < 30 ? 1 : 0;
    REQUIRE(young["rich"].cell(i).text() == "yes");
  }
  CHECK(static_cast<double>(under) == Approx(150).margin(3));
  const auto balanced = model.sample(600, {.quotas = model.balanced("rich")});
  CHECK(shares(balanced, "rich")[1] == Approx(0.5).margin(0.006));
  const auto refused = [&](const std::vector<rs::Quota>& quotas, const char* why) {
    CAPTURE(why);
    CHECK_THROWS_AS(model.sample(1, {.quotas = quotas}), rs::SchemaError);
    CHECK_THROWS_WITH(model.sample(1, {.quotas = quotas}), Contains(why));
  };
  refused({{where("city").is("Oslo"), 0.6}, {where("city").is("a\\b"), 0.5}}, "more than 1");
  refused({{where("city").is("Oslo"), 0}}, "more than 0");
  refused({{where("city").is("Oslo"), 0.1}, {where("rich").is("no"), 0.1}}, "one column");
  refused({{where("age").below(40), 0.1}, {where("age").between(30, 50), 0.1}}, "the same cells");
  refused({{where("city").is("Oslo"), 0.1}, {where("city").is_not("a\\b"), 0.1}}, "the same cells");
  CHECK_THROWS_WITH(model.balanced("age"), Contains("not categorical"));
}

TEST_CASE("conditions that cannot be kept are refused, naming what is at fault", "[deploy]") {
  const auto all = small::models();
  const auto& model = all.at(6).model;
  const auto refused = [&](const std::vector<rs::Condition>& conditions, const std::string& why) {
    CAPTURE(why);
    CHECK_THROWS_AS(model.resolve(conditions), rs::SchemaError);
    CHECK_THROWS_WITH(model.resolve(conditions), Contains(why));
  };
  refused({where("wage").is(1)}, "'wage'");
  refused({where("city").is("Paris")}, "'Paris', which the model does not know; there is '\"quoted\", Rome'");
  refused({where("city").at_least(3)}, "the column is categorical");
  refused({where("age").is("old")}, "expected a number");
  refused({where("age").between(50, 40)}, "holds no number");
  refused({where("age").at_least(50), where("age").below(50)}, "allow no value together");
  refused({{.column = "age"}}, "allows no value");
  CHECK_THROWS_AS(model.resolve(std::vector{where("one").is(2)}), rs::RareConditionsError);
  CHECK_THROWS_WITH(model.resolve(std::vector{where("one").is(2)}),
                    Contains("no candidate meets the conditions"));
  CHECK_THROWS_WITH(
      model.resolve(std::vector{where("city").is("Oslo"), where("age").above(1000), where("rich").is("no")}),
      Contains("due to the one on column 'age'"));
}

TEST_CASE("conditions are read as people write them", "[deploy]") {
  const rs::TableSchema schema({{"age", rs::ColumnKind::numerical},
                                {"age of car", rs::ColumnKind::numerical},
                                {"town", rs::ColumnKind::categorical},
                                {"a=b", rs::ColumnKind::categorical}});
  const auto read = [&](const char* text) { return rs::parse_condition(text, schema); };
  const auto range = [&](const char* text) {
    const auto condition = read(text);
    REQUIRE(condition.ranges.size() == 1);
    return condition.ranges[0];
  };
  CHECK(range("age>=60").least == 60);
  CHECK_FALSE(range("age>=60").without_least);
  CHECK(range(" age > 60 ").without_least);
  CHECK(range("age<=-1.5").most == -1.5);
  CHECK(range("age<3").without_most);
  CHECK((range("age=7").least == 7 && range("age==7").most == 7));
  CHECK(read("age of car >= 2").column == "age of car");
  CHECK(read("age!=7").negated);
  CHECK(read("town = New York, NY").values == std::vector<std::string>{"New York, NY"});
  CHECK(read("town=\" x \"").values == std::vector<std::string>{" x "});
  CHECK(read("town in Oslo, \"New York, \"\"NY\"\"\",Rome").values ==
        std::vector<std::string>{"Oslo", "New York, \"NY\"", "Rome"});
  CHECK(read("age in 1, 2,3").ranges.size() == 3);
  CHECK(read("a=b!=x").column == "a=b");
  CHECK(read("a=b!=x").negated);
  CHECK(read("town is missing").missing);
  CHECK((read("town is present").negated && !read("town is present").missing));
  CHECK(read("age is not missing").negated);
  const auto refused = [&](const char* text, const char* why) {
    CAPTURE(text);
    CHECK_THROWS_AS(read(text), rs::SchemaError);
    CHECK_THROWS_WITH(read(text), Contains(why) && Contains("condition '"));
  };
  refused("wage>=3", "the columns are: age, age of car, town, a=b");
  refused("age", "expected a column, then one of");
  refused("age>=old", "'old' is none");
  refused("age>=", "'' is none");
  refused("town>Oslo", "no order");
  refused("town is lost", "'is missing' or 'is present'");
  refused("town in \"Oslo", "never closed");
  refused("town in \"Oslo\" x, Rome", "a comma or the end behind a closing");
  refused("town = \"Oslo\" x", "the end behind a closing");
  CHECK(read("town = \"a\"\"b\"").values == std::vector<std::string>{"a\"b"});
  CHECK(read("town in ,Oslo").values == std::vector<std::string>{"", "Oslo"});
}
