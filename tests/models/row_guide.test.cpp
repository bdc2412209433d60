// SPDX-License-Identifier: MIT
#include <rowsmith/models/row_guide.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/train/guide_stage.hpp>

#include "../deploy/small_parts.hpp"
#include "../support/thread_team.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

// "a" is nine times as frequent as "b"; sizes go with it.
rs::Table table(std::size_t rows) {
  auto kind = rs::Column::categorical("kind");
  auto size = rs::Column::numerical("size", {}, 0);
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i) {
    const bool b = random.below(10) == 0;
    kind.codes.push_back(kind.dictionary.insert(b ? "b" : "a"));
    size.values.push_back(b ? 3 : random.below(3));
  }
  return rs::Table({kind, size}, "kind");
}

// Draws both columns without regard to each other or to the table.
rs::TableModelParts careless(const rs::Table& train, bool conditional) {
  rs::TableModelParts model;
  model.encoder = rs::TableEncoder::fit(train);
  const rs::Autoencoder<rs::Dense<4>, rs::ReLU, rs::Latent<2>> autoencoder(model.encoder);
  auto weights = autoencoder.layout().initialise<float>(3);
  weights.fill(0);
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  if (conditional) {
    model.labels = {"a", "b"};
    model.label_shares = {0.5, 0.5};
  }
  const rs::Generator<rs::Noise<2>, rs::Dense<2>, rs::Tanh> generator(
      static_cast<rs::Index>(model.labels.size()));
  model.generator_network = generator.network(generator.initialise<float>(4).data());
  model.noise_width = 2;
  model.latent_scale = {1, 1};
  model.latent_offset = {0, 0};
  return model;
}
rs::TableModel guided(const rs::Table& train, bool conditional, const rs::GuideOptions& options) {
  auto parts = careless(train, conditional);
  small::add_guide(parts, train, options);
  return rs::TableModel(std::move(parts));
}

double share_of(const rs::Table& made, const std::string& kind, double size) {
  double count = 0;
  for (std::size_t r = 0; r < made.rows(); ++r)
    count +=
        made["kind"].dictionary.text(made["kind"].codes[r]) == kind && made["size"].values[r] == size ? 1 : 0;
  return count / static_cast<double>(made.rows());
}

} // namespace

TEST_CASE("guided rows have the shares of the training rows where the heads' own have not", "[models]") {
  const auto train = table(4000);
  const auto model = guided(train, false, {.rounds = 150, .largest_odds = 8});
  const auto plain = model.without_guide().sample(8000, {.seed = 5});
  const auto made = model.sample(8000, {.seed = 5});
  CHECK(share_of(plain, "b", 0) == Approx(0.125).margin(0.02));
  CHECK(share_of(made, "b", 0) < 0.01); // never real
  CHECK(share_of(made, "b", 3) == Approx(0.1).margin(0.025));
  CHECK(share_of(made, "a", 1) == Approx(0.3).margin(0.04));
  CHECK(model.without_guide().parts().guide.candidates_a_row() == 1);
  // Of 8 rows 4 are real at all, three of them 2.4 times as often as drawn and one .8 times: of odds 8 at
  // most each row takes 8 candidates.
  CHECK(model.parts().guide.candidates_a_row() == Approx(8).margin(1));
}

TEST_CASE("guided rows are drawn as often as their likelihood says", "[models]") {
  for (const bool conditional : {false, true}) {
    CAPTURE(conditional);
    const auto model = guided(table(3000), conditional, {.rounds = 60, .largest_odds = 3});
    constexpr std::size_t rows = 60'000;
    const auto made = model.sample(rows, {.seed = 2});
    auto every = rs::Table({rs::Column::categorical("kind", {"a", "a", "a", "a", "b", "b", "b", "b"}),
                            rs::Column::numerical("size", {0, 1, 2, 3, 0, 1, 2, 3}, 0)},
                           "kind");
    const auto told = rs::log_likelihood(model, every, {.samples = 256});
    double sum = 0;
    for (std::size_t r = 0; r < every.rows(); ++r) {
      const double p = std::exp(told.rows[r]);
      sum += p;
      CHECK(share_of(made, r < 4 ? "a" : "b", static_cast<double>(r % 4)) ==
            Approx(p).margin(5 * std::sqrt(p * (1 - p) / rows) + 0.03 * p));
    }
    CHECK(sum == Approx(1).margin(0.03)); // the share accepted is measured, not known
    double columns = told.guide;
    for (const auto& [name, mean] : told.columns)
      columns += mean;
    CHECK(columns == Approx(told.mean));
    CHECK(rs::log_likelihood(model.without_guide(), every).guide == 0);
  }
}

TEST_CASE("a guided row depends on the model, the seed and its number only", "[models][threads]") {
  const auto model = guided(table(1500), false, {.rounds = 20});
  const auto all = model.sample(1300, {.seed = 7, .threads = 1});
  const auto again = model.sample(1300, {.seed = 7, .threads = 3});
  CHECK(all["size"].values == again["size"].values);
  CHECK(all["kind"].codes == again["kind"].codes);
  const auto part = model.sample(10, {.seed = 7, .first_row = 1000});
  for (std::size_t r = 0; r < 10; ++r) {
    CHECK(part["size"].values[r] == all["size"].values[1000 + r]);
    CHECK(part["kind"].codes[r] == all["kind"].codes[1000 + r]);
  }
  CHECK(model.sample(1300, {.seed = 8})["size"].values != all["size"].values);
  // Codes are those of the same rows.
  const auto codes = model.sample_codes(1300, {.seed = 7});
  const auto encoded = model.encoder().encode(all);
  for (std::size_t r = 0; r < 1300; ++r)
    for (std::size_t h = 0; h < 2; ++h)
      REQUIRE(codes[2 * r + h] == encoded.code(r, h));
}

TEST_CASE("guided rows keep the label asked for, and its share", "[models]") {
  const auto model = guided(table(1500), true, {.rounds = 150});
  const auto b = model.sample(400, {.seed = 1, .label = "b"});
  CHECK(share_of(b, "b", 3) > 0.9);
  const auto mixed = model.sample(4000, {.seed = 1});
  double share = 0;
  for (const auto code : mixed["kind"].codes)
    share += mixed["kind"].dictionary.text(code) == "b" ? 1.0 / 4000 : 0;
  CHECK(share == Approx(0.5).margin(0.04));
}

TEST_CASE("a guide is the same on any number of threads, and none where there is nothing to tell",
          "[models][threads]") {
  const auto train = table(2000);
  const auto model = rs::TableModel(careless(train, false));
  const auto encoded = model.encoder().encode(train);
  std::vector<std::uint32_t> rows(2000);
  std::iota(rows.begin(), rows.end(), 0U);
  const auto part = std::span<const std::uint32_t>(rows);
  const rs::GuideOptions options{.rounds = 30};
  const auto one =
      rs::detail::fit_guide(model, encoded, part.first(1600), part.last(400), options, 4, 1).guide;
  const auto three =
      rs::detail::fit_guide(model, encoded, part.first(1600), part.last(400), options, 4, 3).guide;
  CHECK(one.words == three.words);
  CHECK(one.accepted == three.accepted);
  // Members of a team draw rows together, and fit a guide each.
  const std::vector<rs::TableModel> models{model, model.without_guide()};
  for (const int members : {2, 3})
    test::ThreadTeam::run(members, [&](const test::ThreadTeam& team) {
      const auto fitted = rs::detail::fit_guides(models, encoded, part.first(1600), part.last(400), options,
                                                 4, {1, &team}, [] {});
      for (const auto& guide : fitted)
        if (guide.guide.words != one.words || guide.guide.accepted != one.accepted || !(guide.told > 0))
          throw rs::Error("a member has another guide"); // ends the program: Catch is for one thread
    });
  // Rows of its own: whatever its trees find is chance, which rows held out do not have.
  const auto own = model.encoder().encode(model.sample(2000, {.seed = 99}));
  CHECK(rs::detail::fit_guide(model, own, part.first(1600), part.last(400), options, 4, 1).guide.empty());
  // And one that does not tell enough is none.
  const auto strict = [&](double least) {
    return rs::detail::fit_guide(model, encoded, part.first(1600), part.last(400),
                                 {.rounds = 30, .min_gain = least}, 4, 1)
        .guide.empty();
  };
  CHECK_FALSE(strict(0.05));
  CHECK(strict(0.25));
}

TEST_CASE("the rows that a guide learns from are none that anybody samples", "[models]") {
  auto parts = small::parts<rs::Autoencoder<rs::Dense<4>, rs::ReLU, rs::Latent<8>>,
                            rs::Generator<rs::Noise<32>, rs::Dense<8>, rs::Tanh>>(
      rs::TableEncoder::fit(table(300)), false, 3, table(300));
  const rs::TableModel model(std::move(parts));
  const auto latents = [&](std::uint64_t first) {
    std::vector<float> made(20 * 8);
    rs::InferenceScratch scratch;
    model.generate(1, first, 20, {}, made.data(), scratch);
    return made;
  };
  REQUIRE(latents(0) == latents(0));
  CHECK(latents(0) != latents(rs::RowGuide::first_row));
  CHECK(latents(1) != latents(rs::RowGuide::first_row));
}

TEST_CASE("a guide that leads astray is refused", "[models]") {
  const auto train = table(600);
  const auto refused = [&](const auto& change, const char* why) {
    auto parts = careless(train, false);
    small::add_guide(parts, train, {.rounds = 5});
    REQUIRE_NOTHROW(rs::TableModel(parts));
    change(parts.guide);
    CHECK_THROWS_WITH(rs::TableModel(parts), Contains(why));
  };
  refused([](auto& guide) { guide.columns[0].stretch = 9; }, "a column that is not there");
  refused([](auto& guide) { guide.columns[0].tuples += 1; }, "other codes");
  refused([](auto& guide) { guide.columns[1].levels = guide.words.size(); }, "other codes");
  refused([](auto& guide) { guide.nodes = guide.words.size() - 2; }, "lies outside");
  refused([](auto& guide) { guide.trees = 1000; }, "lies outside");
  refused([](auto& guide) { guide.words[guide.roots] = guide.node_count; }, "a root is no node");
  refused([](auto& guide) { guide.words[guide.nodes] = 7; }, "a node leads nowhere");
  refused([](auto& guide) { guide.words[guide.nodes + 2] = 0; }, "a node leads nowhere"); // to itself
  refused([](auto& guide) { guide.words[guide.nodes + 2] = guide.node_count - 1; }, "a node leads nowhere");
  refused([](auto& guide) { guide.largest_odds = 0.5; }, "odds");
  refused([](auto& guide) { guide.tries = 0; }, "tries");
  refused([](auto& guide) { guide.accepted = {0}; }, "a share accepted");
  refused([](auto& guide) { guide.accepted.push_back(0.5); }, "a share accepted");
  refused(
      [](auto& guide) {
        for (std::uint32_t i = 0; i < guide.node_count; ++i)
          if (guide.words[guide.nodes + 3 * i] == 0)
            guide.words[guide.nodes + 3 * i + 1] =
                std::bit_cast<std::uint32_t>(std::numeric_limits<float>::quiet_NaN());
      },
      "no number");
}
