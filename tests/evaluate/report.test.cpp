// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/core/utf8.hpp>
#include <rowsmith/evaluate/judge.hpp>
#include <rowsmith/evaluate/release_gate.hpp>
#include <rowsmith/evaluate/report_html.hpp>
#include <rowsmith/evaluate/report_text.hpp>

#include "small_tables.hpp"

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;
using small_tables::leaking;
using small_tables::people;

namespace {

const rs::ReportOptions quick_report{.seeds = 1, .quick = true};

// Some rows of a table, then some of another one.
rs::Table mix(const rs::Table& a, std::size_t of_a, const rs::Table& b, std::size_t of_b) {
  auto columns = a.columns();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    columns[c].values.resize(std::min(of_a, columns[c].values.size()));
    columns[c].codes.resize(std::min(of_a, columns[c].codes.size()));
    for (std::size_t row = 0; row < of_b; ++row)
      if (columns[c].kind == rs::ColumnKind::numerical)
        columns[c].values.push_back(b[c].values[row]);
      else
        columns[c].codes.push_back(b[c].is_missing(row)
                                       ? rs::missing_code
                                       : columns[c].dictionary.insert(b[c].dictionary.text(b[c].codes[row])));
  }
  return rs::Table(std::move(columns), a.schema().label());
}

// The same with one column made anew: `text(row)` is a category, or missing if empty.
template <class Text>
rs::Table with_column(const rs::Table& table, const std::string& name, const Text& text) {
  auto columns = table.columns();
  auto& column = columns[table.schema().index_of(name)];
  column = rs::Column::categorical(name);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string own = text(row);
    column.codes.push_back(own.empty() ? rs::missing_code : column.dictionary.insert(own));
  }
  return rs::Table(std::move(columns), table.schema().label());
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = rs::utf8_length(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

const ev::Figure& figure(const rs::Report& report, const std::string& key) {
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
  const auto report = rs::judge(draw(1), draw(2), draw(3), {.seeds = 1, .quick = true});
  CHECK(figure(report, "distances.median").value == 0);
  CHECK(figure(report, "distances.median").light == ev::Light::green);
  CHECK(report.privacy != ev::Light::red);
  CHECK(figure(report, "holdout.overlap").light == ev::Light::green);
}

TEST_CASE("a report says so when rows leak, and only then", "[evaluate]") {
  const auto train = people(3000, 1);
  const auto holdout = people(3000, 2);
  const auto fresh = people(3000, 3);
  const rs::ReportOptions options{.seeds = 1, .quick = true};
  const auto honest = rs::judge(train, holdout, fresh, options);
  CHECK(honest.privacy == ev::Light::green);
  CHECK(honest.fidelity == ev::Light::green);
  CHECK(honest.utility != ev::Light::red);
  CHECK(figure(honest, "detection.boosted.auc").value == Approx(0.5).margin(0.04));
  CHECK(rs::release_gate(honest, rs::usual_limits(honest)).passed);

  // A hundred hold-out rows show little: what they show by chance breaks no limit.
  const auto few = rs::judge(train, people(100, 5), fresh, options);
  CHECK(rs::release_gate(few, rs::usual_limits(few)).passed);

  for (const auto& [share, noise] : {std::pair{0.05, 0.0}, std::pair{1.0, 0.01}}) {
    CAPTURE(share, noise);
    const auto leak = rs::judge(train, holdout, leaking(train, fresh, share, noise, 4), options);
    CHECK(leak.privacy == ev::Light::red);
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
      rs::judge(train, people(1000, 2), rs::Table(std::move(columns), "y"), {.seeds = 1, .quick = true});
  CHECK(figure(report, "detection.boosted.auc").value > 0.65);
  CHECK(figure(report, "detection.forest.auc").value > 0.65);
  CHECK(figure(report, "detection.linear.auc").value == Approx(0.5).margin(0.05));
  CHECK(report.shapes.mean.value < 0.04);
  CHECK(report.utility == ev::Light::red);
  CHECK(figure(report, "efficacy.forest.y").value < 0.8);
}

TEST_CASE("a report says which exact relations synthetic rows keep", "[evaluate]") {
  const auto with_sum = [](std::uint64_t seed, double error) {
    auto columns = people(400, seed).columns();
    auto sum = rs::Column::numerical("sum", {}, 6);
    auto other = rs::Column::numerical("other", {}, 0);
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
    std::size_t first = 0;
    while (columns[first].kind != rs::ColumnKind::numerical)
      ++first;
    for (std::size_t r = 0; r < columns[first].rows(); ++r) {
      auto& number = columns[first].values[r];
      number = std::round(1000 * number) / 1000;
      other.values.push_back(static_cast<double>(random.below(100)));
      sum.values.push_back(number + other.values[r] + (r % 4 == 0 ? error : 0));
    }
    columns[first].decimals = 3;
    sum.decimals = 3;
    columns.push_back(other);
    columns.push_back(sum);
    return rs::Table(std::move(columns), "y");
  };
  const auto broken =
      rs::judge(with_sum(1, 0), with_sum(2, 0), with_sum(3, 0.5), {.seeds = 1, .quick = true});
  REQUIRE(broken.relations.found.size() == 1);
  CHECK_THAT(broken.relations.found[0], Catch::Contains("'other'") && Catch::Contains("'sum'"));
  CHECK(figure(broken, "relations.kept").value == Approx(0.75).margin(0.03));
  CHECK(figure(broken, "relations.kept").ideal == 1);
  CHECK(figure(broken, "relations.kept").light == ev::Light::red);
  CHECK_THAT(figure(broken, "relations.kept").meaning, Catch::Contains("'sum'"));
  const auto none = rs::judge(people(400, 1), people(300, 2), people(350, 3), {.seeds = 1, .quick = true});
  CHECK(figure(none, "relations.kept").value == 1);
  CHECK_THAT(figure(none, "relations.kept").meaning, Catch::Contains("No exact relation"));
}

TEST_CASE("JSON and HTML carry the figures of the report", "[evaluate]") {
  const auto report = rs::judge(people(400, 1), people(300, 2), people(350, 3),
                                {.targets = {"y", "b"}, .seeds = 2, .quick = true});
  const auto json = nlohmann::json::parse(to_json(report));
  CHECK(json["synthetic_rows"] == 350);
  CHECK(json["seeds"] == 1); // quick_report
  CHECK(json["detection"].size() == 3);
  CHECK(json["efficacy"].size() == 3);
  CHECK(json["regression"].size() == 3);
  CHECK(json["verdict"]["privacy"] == std::string(to_string(report.privacy)));
  REQUIRE(json["figures"].size() == report.figures.size());
  const std::string html = rs::to_html(report, {.title = "People <of> \"1994\" & others"});
  for (std::size_t k = 0; k < report.figures.size(); ++k) {
    const auto& each = report.figures[k];
    CAPTURE(each.key);
    CHECK(json["figures"][k]["key"] == each.key);
    CHECK(json["figures"][k]["value"].get<double>() == each.value);
    CHECK(std::isfinite(each.value));
    CHECK_THAT(html, Catch::Contains("<b>" + ev::detail::figure_value(each, each.value) + "</b>"));
  }
  std::vector<std::string> keys;
  for (const auto& each : report.figures)
    keys.push_back(each.key);
  CHECK(ev::report_keys(people(1, 1).schema(), {.targets = {"y", "b"}}) == keys);
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
  const auto one = rs::judge(train, people(200, 2), people(250, 3), {.quick = true, .threads = 1});
  const auto three = rs::judge(train, people(200, 2), people(250, 3), {.quick = true, .threads = 3});
  CHECK(to_json(one) == to_json(three));
}

TEST_CASE("the gate passes, names what fails and refuses what it does not know", "[evaluate]") {
  rs::Report report;
  report.figures.push_back({.key = "a", .value = 0.5});
  report.figures.push_back({.key = "b", .value = std::nan("")});
  CHECK(rs::release_gate(report, std::vector<ev::Limit>{{.key = "a", .least = 0.5, .most = 0.5}}).passed);
  const auto gate =
      rs::release_gate(report, std::vector<ev::Limit>{{.key = "a", .most = 0.4}, {.key = "a", .least = 0.6}});
  CHECK_FALSE(gate.passed);
  REQUIRE(gate.failures.size() == 2);
  CHECK(gate.failures[0] == "a is 0.5, above the most allowed, 0.4");
  CHECK(gate.failures[1] == "a is 0.5, below the least allowed, 0.6");
  CHECK_FALSE(rs::release_gate(report, std::vector<ev::Limit>{{.key = "b", .most = 1}}).passed);
  CHECK_THROWS_WITH(rs::release_gate(report, std::vector<ev::Limit>{{.key = "c"}}),
                    Catch::Contains("'c'") && Catch::Contains("a, b"));
}

TEST_CASE("a report works without a target and refuses tables that are too small", "[evaluate]") {
  const auto bare = [](const rs::Table& table) { return rs::Table(table.columns()); };
  const auto train = bare(people(150, 1));
  const auto report = rs::judge(train, bare(people(120, 2)), bare(people(130, 3)), {.quick = true});
  CHECK(report.utility == ev::Light::none);
  CHECK(report.efficacy.empty());
  CHECK_THAT(rs::to_html(report), Catch::Contains("no target was named"));
  CHECK_THROWS_WITH(rs::judge(train, bare(people(99, 2)), train),
                    Catch::Contains("hold-out table has 99 rows"));
  CHECK_THROWS_AS(rs::judge(train, train, train, {.targets = {"z"}}), rs::SchemaError);
  CHECK_THROWS_AS(rs::judge(train, train, train, {.seeds = 0}), rs::OptionError);
}

TEST_CASE("a hold-out of training rows is refused, a part of them is red", "[evaluate]") {
  const auto train = people(600, 1);
  const auto fresh = people(600, 3);
  std::vector<std::size_t> order(train.rows());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = order.size() - 1 - i;
  for (const auto& holdout : {train, train.select(order)})
    CHECK_THROWS_WITH(rs::judge(train, holdout, fresh, quick_report),
                      Catch::Contains("same rows as the training table"));
  // A part of the training rows, and new rows of which every tenth is a training row.
  for (const auto& holdout : {mix(train, 300, train, 0), mix(train, 40, people(400, 2), 360)}) {
    const auto report = rs::judge(train, holdout, fresh, quick_report);
    const auto& overlap = figure(report, "holdout.overlap");
    CHECK(overlap.value == Approx(holdout.rows() == 300 ? 1 : 0.1).margin(0.01));
    CHECK(overlap.light == ev::Light::red);
    CHECK(report.privacy == ev::Light::red);
    const auto gate = rs::release_gate(report, rs::usual_limits(report));
    CHECK_FALSE(gate.passed);
    CHECK_THAT(gate.failures.at(0), Catch::Contains("holdout.overlap"));
  }
}

TEST_CASE("hold-out rows equal training rows as often as chance has it", "[evaluate]") {
  // Numbers of one digit: most rows have a twin. In many draws the excess is 0 within its deviation.
  const auto draw = [](std::size_t rows, std::uint32_t seed) {
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 5));
    std::vector<double> a;
    std::vector<double> b;
    for (std::size_t i = 0; i < rows; ++i) {
      a.push_back(std::round(8 * random.normal()));
      b.push_back(random.below(8));
    }
    return rs::Table({rs::Column::numerical("a", a), rs::Column::numerical("b", b)});
  };
  double mean = 0;
  double squares = 0;
  for (std::uint32_t k = 0; k < 100; ++k) {
    const auto train = draw(400, 2 * k);
    const auto result = ev::exact_copies(train, draw(300, 2 * k + 1), train);
    CHECK(result.base_share.value > 0.3);
    const double z = result.overlap.value / result.overlap.sd;
    mean += z / 100;
    squares += z * z / 100;
  }
  CHECK(std::abs(mean) < 0.35);
  CHECK(squares == Approx(1).margin(0.5));
}

TEST_CASE("a target that cannot be learnt costs its figures alone", "[evaluate]") {
  const auto train = people(300, 1);
  const auto holdout = people(200, 2);
  const auto made = people(250, 3);
  const auto gap = [](std::size_t row) { return row == 17 ? "" : row % 3 == 0 ? "left" : "right"; };
  const auto one = [](std::size_t) { return "left"; };
  struct Case {
    rs::Table train, holdout, made;
    const char* reason;
  };
  const std::vector<Case> cases{
      {train, holdout, with_column(made, "d", gap), "'d' is missing in row 18 of the synthetic table"},
      {with_column(train, "d", gap), holdout, made, "'d' is missing in row 18 of the training table"},
      {with_column(train, "d", one), holdout, made, "the training table holds one class of the target 'd'"},
      {train, with_column(holdout, "d", one), made, "the test table holds one class of the target 'd'"}};
  for (const auto& each : cases) {
    CAPTURE(each.reason);
    auto options = quick_report;
    options.targets = {"d", "y", "a"};
    const auto report = rs::judge(each.train, each.holdout, each.made, options);
    const std::string html = rs::to_html(report);
    const auto json = nlohmann::json::parse(rs::to_json(report));
    std::ostringstream print;
    print << report;
    CHECK_THAT(html, Catch::Contains(ev::detail::html_escape(each.reason)));
    CHECK_THAT(print.str(), Catch::Contains("not measured: ") && Catch::Contains(each.reason));
    for (std::size_t k = 0; k < report.figures.size(); ++k) {
      const auto& found = report.figures[k];
      const bool lost = found.key.ends_with(".d") || found.key == "augmentation.gain"; // of the first target
      CAPTURE(found.key);
      CHECK(std::isnan(found.value) == lost);
      CHECK(json["figures"][k]["value"].is_null() == lost);
      if (lost) {
        CHECK_THAT(found.meaning, Catch::Contains(each.reason));
        CHECK(found.light == ev::Light::amber);
      }
    }
    CHECK(report.utility != ev::Light::none);
    CHECK_THAT(rs::release_gate(report, std::vector<ev::Limit>{{.key = "efficacy.forest.d", .least = 0}})
                   .failures.at(0),
               Catch::Contains("not measured") && Catch::Contains(each.reason));
  }
  // A number is as easily lost: missing everywhere, or the same everywhere.
  auto columns = holdout.columns();
  for (const double value : {std::nan(""), 1.0}) {
    columns[0].values.assign(holdout.rows(), value);
    auto options = quick_report;
    options.targets = {"a"};
    const auto report = rs::judge(train, rs::Table(columns, "y"), made, options);
    CHECK(std::isnan(figure(report, "r2_loss.linear.a").value));
    CHECK_THAT(figure(report, "r2_loss.linear.a").meaning, Catch::Contains("the target 'a' is"));
  }
}

TEST_CASE("real rows pass the usual gate and get no red light, however few they are", "[evaluate]") {
  struct Sizes {
    std::size_t train, holdout, made;
  };
  for (const auto& sizes : {Sizes{150, 120, 130}, Sizes{400, 300, 100}, Sizes{100, 100, 400}})
    for (std::uint64_t seed = 10; seed < 16; seed += 3) {
      const auto report = rs::judge(people(sizes.train, seed), people(sizes.holdout, seed + 1),
                                    people(sizes.made, seed + 2), quick_report);
      CAPTURE(sizes.train, sizes.made, seed, report);
      CHECK(rs::release_gate(report, rs::usual_limits(report)).failures == std::vector<std::string>());
      CHECK(report.fidelity != ev::Light::red);
      CHECK(report.utility != ev::Light::red);
    }
  // The allowance is no licence: as few rows of another source fail.
  const auto report = rs::judge(people(400, 1), people(300, 2), people(100, 3, 2.0), quick_report);
  CHECK(report.fidelity == ev::Light::red);
  CHECK_FALSE(rs::release_gate(report, rs::usual_limits(report)).passed);
}

TEST_CASE("to learn as little as from real rows is no green light", "[evaluate]") {
  const auto guess = [](std::uint64_t seed) {
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 6));
    std::vector<std::string> heads;
    std::vector<double> tails;
    for (std::size_t i = 0; i < 500; ++i) {
      heads.push_back(random.below(2) == 0 ? "yes" : "no");
      tails.push_back(random.normal());
    }
    auto columns = people(500, seed).columns();
    columns[3] = rs::Column::categorical("d", heads);
    columns[1] = rs::Column::numerical("b", tails);
    return rs::Table(std::move(columns));
  };
  auto options = quick_report;
  options.targets = {"d", "b"};
  const auto report = rs::judge(guess(1), guess(2), guess(3), options);
  for (const char* key : {"efficacy.forest.d", "efficacy.boosted.d", "efficacy.linear.d", "r2_loss.forest.b",
                          "r2_loss.boosted.b", "r2_loss.linear.b", "augmentation.gain"}) {
    CAPTURE(key);
    CHECK(figure(report, key).light != ev::Light::green);
    CHECK_THAT(figure(report, key).meaning, Catch::Contains("Real rows themselves teach next to nothing"));
  }
}

TEST_CASE("a judge that copies mislead is no green light", "[evaluate]") {
  const auto train = people(800, 1);
  const auto report = rs::judge(train, people(800, 2), leaking(train, people(800, 3), 1, 0, 4), quick_report);
  CHECK(figure(report, "detection.forest.auc").value < 0.45);
  CHECK(figure(report, "detection.forest.auc").light == ev::Light::amber);
  CHECK_THAT(figure(report, "detection.forest.auc").meaning, Catch::Contains("learnt by heart"));
}

TEST_CASE("names and values of other encodings give valid JSON and HTML", "[evaluate]") {
  const auto foreign = [](std::size_t rows, std::uint64_t seed) {
    auto columns = people(rows, seed).columns();
    columns[0].name = "caf\xe9"; // Latin-1
    columns[1].name = "caf\xe8 \x01";
    columns[4] = rs::Column::categorical("y\xff");
    for (std::size_t row = 0; row < rows; ++row)
      columns[4].codes.push_back(columns[4].dictionary.insert(row % 3 == 0 ? "\xc3" : "\xed\xa0\x80"));
    return rs::Table(std::move(columns), "y\xff");
  };
  const auto report = rs::judge(foreign(200, 1), foreign(150, 2), foreign(180, 3), quick_report);
  const auto json = nlohmann::json::parse(rs::to_json(report));
  CHECK(json["shapes"]["columns"].contains("caf\xc3\xa9"));
  CHECK(json["shapes"]["columns"].size() == 5);
  CHECK(json["efficacy"][0]["target"] == "y\xc3\xbf");
  const std::string html = rs::to_html(report, {.title = "\xfe", .train = "\xfe.csv"});
  CHECK(is_utf8(html));
  CHECK(html.find('\x01') == std::string::npos);
  CHECK_THAT(html, Catch::Contains("caf\\xE9") && Catch::Contains("caf\\xE8"));
}

TEST_CASE("targets must be different columns that are there", "[evaluate]") {
  const auto schema = people(1, 1).schema();
  CHECK_THROWS_AS(ev::report_keys(schema, {.targets = {"y", "b", "y"}}), rs::OptionError);
  CHECK_THROWS_AS(ev::report_keys(schema, {.targets = {"z"}}), rs::SchemaError);
  CHECK_THROWS_AS(
      rs::judge(people(200, 1), people(200, 2), people(200, 3), {.targets = {"y", "y"}, .quick = true}),
      rs::OptionError);
}
