// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/evaluate/release_gate.hpp>
#include <rowsmith/evaluate/report.hpp>
#include <rowsmith/evaluate/report_html.hpp>

#include "small_tables.hpp"

namespace rs = rowsmith;
using small_tables::leaking;
using small_tables::people;

namespace {

const rs::Figure& figure(const rs::Report& report, const std::string& key) {
  const auto* const found = report.find(key);
  REQUIRE(found != nullptr);
  return *found;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++n;
  return n;
}

} // namespace

TEST_CASE("a table of few small columns, full of honest twins, is not called a leak", "[evaluate]") {
  const auto draw = [](std::uint64_t seed) {
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
    std::vector<rs::Column> columns;
    for (const char* name : {"a", "b", "c", "d"}) {
      columns.push_back(rs::Column::categorical(name));
      for (int i = 0; i < 1000; ++i)
        columns.back().codes.push_back(
            columns.back().dictionary.insert(std::string(1, static_cast<char>('p' + random.below(3)))));
    }
    return rs::Table(columns, "d");
  };
  const auto report = rs::evaluate(draw(1), draw(2), draw(3), {.seeds = 1, .quick = true});
  CHECK(figure(report, "distances.median").value == 0);
  CHECK(figure(report, "distances.median").light == rs::Light::green);
  CHECK(report.privacy != rs::Light::red);
}

TEST_CASE("a report says so when rows leak, and only then", "[evaluate]") {
  const auto train = people(3000, 1);
  const auto holdout = people(3000, 2);
  const auto fresh = people(3000, 3);
  const rs::ReportOptions options{.seeds = 1, .quick = true};
  const auto honest = rs::evaluate(train, holdout, fresh, options);
  CHECK(honest.privacy == rs::Light::green);
  CHECK(honest.fidelity == rs::Light::green);
  CHECK(honest.utility != rs::Light::red);
  CHECK(figure(honest, "detection.boosted.auc").value == Approx(0.5).margin(0.04));
  CHECK(rs::release_gate(honest, rs::usual_limits(honest)).passed);

  // A hundred hold-out rows show little: what they show by chance breaks no limit.
  const auto few = rs::evaluate(train, people(100, 5), fresh, options);
  CHECK(rs::release_gate(few, rs::usual_limits(few)).passed);

  for (const auto& [share, noise] : {std::pair{0.05, 0.0}, std::pair{1.0, 0.01}}) {
    CAPTURE(share, noise);
    const auto leak = rs::evaluate(train, holdout, leaking(train, fresh, share, noise, 4), options);
    CHECK(leak.privacy == rs::Light::red);
    CHECK(figure(leak, "membership.distance.tpr_at_1_percent").value > 0.03);
    const auto gate = rs::release_gate(leak, rs::usual_limits(leak));
    CHECK_FALSE(gate.passed);
    CHECK_FALSE(gate.failures.empty());
  }
}

TEST_CASE("a table without relations is seen by every judge but the linear one", "[evaluate]") {
  const auto train = people(2000, 1);
  auto columns = people(2000, 3).columns();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    rs::RandomSequence random(rs::RandomStream(9, rs::Purpose::user, static_cast<std::uint32_t>(c)));
    rs::shuffle(std::span<double>(columns[c].values), random);
    rs::shuffle(std::span<std::int32_t>(columns[c].codes), random);
  }
  const auto report =
      rs::evaluate(train, people(1000, 2), rs::Table(std::move(columns), "y"), {.seeds = 1, .quick = true});
  CHECK(figure(report, "detection.boosted.auc").value > 0.65);
  CHECK(figure(report, "detection.forest.auc").value > 0.65);
  CHECK(figure(report, "detection.linear.auc").value == Approx(0.5).margin(0.05));
  CHECK(report.shapes.mean.value < 0.04);
  CHECK(report.utility == rs::Light::red);
  CHECK(figure(report, "efficacy.forest.y").value < 0.8);
}

TEST_CASE("JSON and HTML carry the figures of the report", "[evaluate]") {
  const auto report = rs::evaluate(people(400, 1), people(300, 2), people(350, 3),
                                   {.targets = {"y", "b"}, .seeds = 2, .quick = true});
  const auto json = nlohmann::json::parse(rs::to_json(report));
  CHECK(json["synthetic_rows"] == 350);
  CHECK(json["seeds"] == 1); // quick
  CHECK(json["detection"].size() == 3);
  CHECK(json["efficacy"].size() == 3);
  CHECK(json["regression"].size() == 3);
  CHECK(json["verdict"]["privacy"] == std::string(rs::to_string(report.privacy)));
  REQUIRE(json["figures"].size() == report.figures.size());
  const std::string html = rs::to_html(report, {.title = "People <of> \"1994\" & others"});
  for (std::size_t k = 0; k < report.figures.size(); ++k) {
    const auto& each = report.figures[k];
    CAPTURE(each.key);
    CHECK(json["figures"][k]["key"] == each.key);
    CHECK(json["figures"][k]["value"].get<double>() == each.value);
    CHECK(std::isfinite(each.value));
    CHECK_THAT(html, Catch::Contains("<b>" + rs::detail::figure_value(each, each.value) + "</b>"));
  }
  // The figures the table of the HTML shows are those of the parts.
  CHECK(figure(report, "shapes.mean").value == report.shapes.mean.value);
  CHECK(figure(report, "detection.forest.auc").value == report.detection[0].auc.mean);
  CHECK(figure(report, "membership.distance.auc").value == report.membership.attacks[0].auc.value);

  CHECK_THAT(html, Catch::Contains("People &lt;of&gt; &quot;1994&quot; &amp; others"));
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("http") == std::string::npos); // nothing from elsewhere
  CHECK(html.find("nan") == std::string::npos);
  CHECK(html.find("inf\"") == std::string::npos);
  CHECK(html.find("</html>") != std::string::npos);
  for (const char* tag : {"table", "svg", "figure", "div", "section", "tr", "td"})
    CHECK(count(html, std::string("<").append(tag).append(" ")) +
              count(html, std::string("<").append(tag).append(">")) ==
          count(html, std::string("</").append(tag).append(">")));
}

TEST_CASE("a report has the same bits on any number of threads", "[evaluate][threads]") {
  const auto train = people(300, 1);
  const auto one = rs::evaluate(train, people(200, 2), people(250, 3), {.quick = true, .threads = 1});
  const auto three = rs::evaluate(train, people(200, 2), people(250, 3), {.quick = true, .threads = 3});
  CHECK(rs::to_json(one) == rs::to_json(three));
}

TEST_CASE("the gate passes, names what fails and refuses what it does not know", "[evaluate]") {
  rs::Report report;
  report.figures.push_back({.key = "a", .value = 0.5});
  report.figures.push_back({.key = "b", .value = std::nan("")});
  CHECK(rs::release_gate(report, std::vector<rs::Limit>{{.key = "a", .least = 0.5, .most = 0.5}}).passed);
  const auto gate =
      rs::release_gate(report, std::vector<rs::Limit>{{.key = "a", .most = 0.4}, {.key = "a", .least = 0.6}});
  CHECK_FALSE(gate.passed);
  REQUIRE(gate.failures.size() == 2);
  CHECK(gate.failures[0] == "a is 0.5, above the most allowed, 0.4");
  CHECK(gate.failures[1] == "a is 0.5, below the least allowed, 0.6");
  CHECK_FALSE(rs::release_gate(report, std::vector<rs::Limit>{{.key = "b", .most = 1}}).passed);
  CHECK_THROWS_WITH(rs::release_gate(report, std::vector<rs::Limit>{{.key = "c"}}),
                    Catch::Contains("'c'") && Catch::Contains("a, b"));
}

TEST_CASE("a report works without a target and refuses tables that are too small", "[evaluate]") {
  const auto bare = [](const rs::Table& table) { return rs::Table(table.columns()); };
  const auto train = bare(people(150, 1));
  const auto report = rs::evaluate(train, bare(people(120, 2)), bare(people(130, 3)), {.quick = true});
  CHECK(report.utility == rs::Light::none);
  CHECK(report.efficacy.empty());
  CHECK_THAT(rs::to_html(report), Catch::Contains("no target was named"));
  CHECK_THROWS_WITH(rs::evaluate(train, bare(people(99, 2)), train),
                    Catch::Contains("hold-out table has 99 rows"));
  CHECK_THROWS_AS(rs::evaluate(train, train, train, {.targets = {"z"}}), rs::SchemaError);
  CHECK_THROWS_AS(rs::evaluate(train, train, train, {.seeds = 0}), rs::OptionError);
}
