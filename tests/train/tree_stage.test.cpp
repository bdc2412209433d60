// SPDX-License-Identifier: MIT
#include <rowsmith/train/tree_stage.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/io/model_file.hpp>

#include "../support/csv_text.hpp"
#include "../support/thread_team.hpp"
#include "small_training.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

rs::TreeNetwork trees(const rs::TableEncoder& encoder, const rs::EncodedTable& rows,
                      const rs::TreeOptions& options, rs::Workers workers = 1) {
  std::vector<std::uint32_t> all(rows.rows());
  std::iota(all.begin(), all.end(), 0U);
  std::vector<float> latents(2 * rows.rows());
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  for (auto& x : latents)
    x = static_cast<float>(random.normal());
  std::vector<std::int32_t> order;
  for (const auto column : rs::automatic_order(encoder))
    if (!encoder.layout()[static_cast<std::size_t>(column)].fine)
      order.push_back(column);
  return rs::detail::fit_trees(encoder, rows, all, latents, 2, order, options, 7, workers, [] {});
}

} // namespace

TEST_CASE("dependence: what features say about each other, and next to nothing by chance", "[train]") {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  rs::forest::CodeFeature a{.count = 4};
  rs::forest::CodeFeature b{.count = 64, .ordered = true};
  rs::forest::CodeFeature other{.count = 64, .ordered = true};
  for (int r = 0; r < 2000; ++r) {
    const auto k = static_cast<std::uint16_t>(random.below(4));
    a.levels.push_back(k);
    b.levels.push_back(static_cast<std::uint16_t>(16 * k + random.below(16)));
    other.levels.push_back(static_cast<std::uint16_t>(random.below(64)));
  }
  CHECK(rs::detail::dependence(a, b).nats == Approx(std::log(4)).margin(0.05));
  CHECK(std::abs(rs::detail::dependence(a, other).nats) < 0.015);
  CHECK(std::abs(rs::detail::dependence(b, other).nats) < 0.015);
}

TEST_CASE("what features say by chance is known: of few rows and many, of few levels and many", "[train]") {
  for (const std::size_t rows : {40, 300, 2500, 20'000})
    for (const std::uint32_t levels : {2U, 16U, 64U}) {
      CAPTURE(rows, levels);
      rs::RandomSequence random(rs::RandomStream(4, rs::Purpose::user));
      const auto uniform = [&](std::uint32_t count) {
        rs::forest::CodeFeature feature{.count = static_cast<std::int32_t>(count), .ordered = true};
        for (std::size_t r = 0; r < rows; ++r)
          feature.levels.push_back(static_cast<std::uint16_t>(random.below(count)));
        return feature;
      };
      const auto column = uniform(levels);
      double mean = 0;
      double square = 0;
      double most = 0;
      constexpr int pairs = 400;
      for (int k = 0; k < pairs; ++k) {
        const auto found = rs::detail::dependence(uniform(64), column);
        mean += found.nats / found.chance / pairs;
        square += found.nats * found.nats / (found.chance * found.chance) / pairs;
        most = std::max(most, found.nats / found.chance);
      }
      CHECK(std::abs(mean) < 0.5);
      CHECK(square == Approx(1).epsilon(0.5));
      CHECK(most < (rows < 100 ? 2 : 1) * rs::detail::least_deviations);
      // What follows the column in half of the rows is found.
      auto follows = uniform(levels);
      for (std::size_t r = 0; r < rows; ++r)
        if (random.below(2) == 0)
          follows.levels[r] = column.levels[r];
      const auto found = rs::detail::dependence(follows, column);
      CHECK((rows < 100 || found.nats > rs::detail::least_deviations * found.chance));
    }
}

TEST_CASE("levels follow the values of a column: missing, points and bins in order", "[train]") {
  auto number = rs::Column::numerical("number", {}, 2);
  rs::RandomSequence random(rs::RandomStream(2, rs::Purpose::user));
  for (int i = 0; i < 20'000; ++i)
    number.values.push_back(i % 10 == 0  ? std::nan("")
                            : i % 7 == 0 ? 0.0
                                         : std::round(1e4 * random.normal()) / 100);
  const rs::Table table({number});
  const auto encoder = rs::TableEncoder::fit(table);
  REQUIRE(encoder.layout().size() == 2); // a fine code
  const auto encoded = encoder.encode(table);
  std::vector<std::uint32_t> level_of;
  const auto feature = rs::detail::level_feature(encoder, 0, level_of);
  CHECK(feature.ordered);
  const auto fine = static_cast<std::size_t>(encoder.layout()[1].width);
  std::vector<std::pair<double, std::uint32_t>> seen;
  for (std::size_t r = 0; r < 20'000; ++r) {
    const auto level = level_of[static_cast<std::size_t>(encoded.code(r, 0)) * fine +
                                static_cast<std::size_t>(encoded.code(r, 1))];
    REQUIRE(level < static_cast<std::uint32_t>(feature.count));
    if (std::isnan(number.values[r]))
      CHECK(level == 0);
    else
      seen.emplace_back(number.values[r], level);
  }
  std::sort(seen.begin(), seen.end());
  std::size_t falls = 0;
  for (std::size_t i = 1; i < seen.size(); ++i)
    falls += seen[i].second < seen[i - 1].second ? 1 : 0;
  CHECK(falls <= 4); // a point lies inside a bin, whose parts are on both sides of it
  CHECK(std::set<std::uint32_t>(level_of.begin(), level_of.end()).size() > 300);
}

TEST_CASE("trees keep what columns say about each other; leaves of all rows keep nothing", "[train]") {
  const auto data = small::table(2000);
  const auto encoder = rs::TableEncoder::fit(data);
  const auto rows = encoder.encode(data);
  rs::InferenceScratch scratch;
  const auto view = encoder.view();
  const auto mean_error = [&](const rs::TreeNetwork& network) {
    network.check(encoder);
    double total = 0;
    std::vector<std::int32_t> codes(encoder.layout().size());
    const float latent[] = {0, 0};
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      for (std::size_t c = 0; c < codes.size(); ++c)
        codes[c] = rows.code(r, c);
      double error = 0;
      network.score(view.columns, latent, 1, codes.data(), nullptr, &error, scratch);
      total += error / static_cast<double>(rows.rows());
    }
    return total;
  };
  const auto apart = mean_error(trees(encoder, rows, {.min_leaf = 10'000, .smoothing = 0.1}));
  const auto together = mean_error(trees(encoder, rows, {.smoothing = 0.1}));
  // "kind" says log 3 nats about "size", and more than a quarter of a nat about "flag".
  CHECK(together < apart - 1.2);
}

TEST_CASE("trees refuse numbers that are not codes", "[train]") {
  const auto data = small::table(100);
  const auto encoder = rs::TableEncoder::fit(data, {.numerical = rs::NumericalEncoding::standardised});
  CHECK_THROWS_WITH(trees(encoder, encoder.encode(data), {}), Contains("NumericalEncoding::codes"));
}

TEST_CASE("what only rows held out have is rare for trees, not impossible", "[train]") {
  // One kind is that of rows that the trees never see.
  const auto encoder = rs::TableEncoder::fit(small::table(400));
  const auto rows = encoder.encode(small::table(400));
  REQUIRE(encoder.codecs()[encoder.layout()[0].column].name == "kind");
  std::vector<std::uint32_t> seen;
  for (std::uint32_t r = 0; r < 400; ++r)
    if (rows.code(r, 0) != 2)
      seen.push_back(r);
  REQUIRE(seen.size() < 400);
  std::vector<float> latents(seen.size() * 2);
  const auto network =
      rs::detail::fit_trees(encoder, rows, seen, latents, 2, {0}, {.trees = 2, .min_leaf = 10}, 1, 1, [] {});
  const auto& column = network.columns[0];
  const auto margin = [&](std::size_t code) { return network.words[column.margin + code]; };
  const double share = (margin(2) - margin(1)) / 4294967295.0;
  CHECK(share == Approx(0.5 / (static_cast<double>(seen.size()) + 1.5)).epsilon(1e-3)); // three kinds
}

TEST_CASE("trees have the same words on any number of threads", "[train][threads]") {
  const auto data = small::table(500);
  const auto encoder = rs::TableEncoder::fit(data);
  const auto rows = encoder.encode(data);
  const auto one = trees(encoder, rows, {});
  CHECK(trees(encoder, rows, {}, 3).words == one.words);
  // And of members of a team, who grow some of them each.
  for (const int members : {2, 3}) {
    std::vector<std::vector<std::uint32_t>> words(static_cast<std::size_t>(members));
    test::ThreadTeam::run(members, [&](const test::ThreadTeam& team) {
      words[static_cast<std::size_t>(team.rank())] = trees(encoder, rows, {}, {1, &team}).words;
    });
    for (const auto& of_member : words)
      CHECK(of_member == one.words);
  }
}

TEST_CASE("a training ends with trees, alone or beside the network", "[train]") {
  const auto data = small::table(300);
  rs::RecipeOptions<rs::DefaultRecipe> options;
  options.seed = 4;
  options.threads = 1;
  options.autoencoder.steps = 4;
  options.gan.steps = 3;
  options.refit.steps = 4;
  options.guide.rounds = 0;
  for (const double share : {0.0, 0.5, 1.0}) {
    CAPTURE(share);
    options.trees.share = share;
    rs::DefaultRecipe::Trainer trainer(options);
    std::size_t told = 0;
    const auto model = trainer.fit(data, [&](const rs::Progress& progress) {
      told += progress.stage == "trees" ? 1 : 0;
      return rs::ProgressAction::go_on;
    });
    CHECK(told == (share > 0 ? 3 : 0));
    CHECK(trainer.stages().size() == (share > 0 ? 4 : 3));
    CHECK(std::holds_alternative<rs::AutoregressiveNetwork>(model.heads()) == (share == 0));
    CHECK(std::holds_alternative<rs::MixedNetwork>(model.heads()) == (share == 0.5));
    CHECK(std::holds_alternative<rs::TreeNetwork>(model.heads()) == (share == 1));
    // A file of it makes the same rows.
    CHECK(csv_of(rs::parse_model(rs::format_model(model)).sample(50, {.seed = 1})) ==
          csv_of(model.sample(50, {.seed = 1})));
  }
  options.trees.share = 0.5;
  CHECK_THROWS_WITH(small::Trainer(options), Contains("trees.share"));
  options.temperature = 0.9;
  CHECK_THROWS_WITH(rs::DefaultRecipe::Trainer(options), Contains("temperature"));
  options.temperature = 1;
  options.decoding = rs::Decoding::argmax;
  CHECK_THROWS_WITH(rs::DefaultRecipe::Trainer(options), Contains("argmax"));
}
