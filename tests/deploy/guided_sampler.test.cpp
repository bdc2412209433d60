// SPDX-License-Identifier: MIT
#include <rowsmith/deploy/guided_sampler.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

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
rs::TableModel careless(const rs::Table& train, bool conditional) {
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
  return rs::TableModel(model);
}

// A model whose rows depend on many numbers of noise.
rs::TableModel noisy(const rs::Table& train) {
  rs::TableModelParts model;
  model.encoder = rs::TableEncoder::fit(train);
  const rs::Autoencoder<rs::Dense<4>, rs::ReLU, rs::Latent<8>> autoencoder(model.encoder);
  const auto weights = autoencoder.layout().initialise<float>(3);
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  const rs::Generator<rs::Noise<32>, rs::Dense<8>, rs::Tanh> generator(0);
  model.generator_network = generator.network(generator.initialise<float>(4).data());
  model.noise_width = 32;
  model.latent_scale.assign(8, 1);
  model.latent_offset.assign(8, 0);
  return rs::TableModel(model);
}

double share_of(const rs::Table& made, const std::string& kind, double size) {
  double count = 0;
  for (std::size_t r = 0; r < made.rows(); ++r)
    count +=
        made["kind"].dictionary.text(made["kind"].codes[r]) == kind && made["size"].values[r] == size ? 1 : 0;
  return count / static_cast<double>(made.rows());
}

} // namespace

TEST_CASE("the rows that a guide learns from are none that anybody samples", "[deploy]") {
  const auto train = table(300);
  const auto model = noisy(train);
  const auto latents = [&](std::uint64_t first) {
    std::vector<float> made(20 * 8);
    rs::InferenceScratch scratch;
    model.generate(1, first, 20, {}, made.data(), scratch);
    return made;
  };
  REQUIRE(latents(0) == latents(0));
  CHECK(latents(0) != latents(rs::GuidedSampler::first_guide_row));
  CHECK(latents(1) != latents(rs::GuidedSampler::first_guide_row));
}

TEST_CASE("guided rows have the shares of the training rows where the model's own have not", "[deploy]") {
  const auto train = table(4000);
  const auto model = careless(train, false);
  const rs::GuidedSampler guided(model, train, {.largest_odds = 8});
  const auto plain = model.sample(8000, {.seed = 5});
  const auto made = guided.sample(8000, {.seed = 5});
  CHECK(share_of(plain, "b", 0) == Approx(0.125).margin(0.02));
  CHECK(share_of(made, "b", 0) < 0.01); // never real
  CHECK(share_of(made, "b", 3) == Approx(0.1).margin(0.025));
  CHECK(share_of(made, "a", 1) == Approx(0.3).margin(0.04));
  CHECK(guided.candidates_a_row() > 1);
}

TEST_CASE("a guided row depends on the model, the trees, the seed and its number only", "[deploy][threads]") {
  const auto train = table(1500);
  const rs::GuidedSampler guided(careless(train, false), train, {.rounds = 20});
  const auto all = guided.sample(1300, {.seed = 7, .threads = 1});
  const auto again = guided.sample(1300, {.seed = 7, .threads = 3});
  CHECK(all["size"].values == again["size"].values);
  CHECK(all["kind"].codes == again["kind"].codes);
  const auto part = guided.sample(10, {.seed = 7, .first_row = 1000});
  for (std::size_t r = 0; r < 10; ++r) {
    CHECK(part["size"].values[r] == all["size"].values[1000 + r]);
    CHECK(part["kind"].codes[r] == all["kind"].codes[1000 + r]);
  }
  CHECK(guided.sample(1300, {.seed = 8})["size"].values != all["size"].values);
}

TEST_CASE("guided rows keep the label asked for, and its share", "[deploy]") {
  const auto train = table(1500);
  const rs::GuidedSampler guided(careless(train, true), train);
  const auto b = guided.sample(400, {.seed = 1, .label = "b"});
  CHECK(share_of(b, "b", 3) > 0.9);
  const auto mixed = guided.sample(4000, {.seed = 1});
  double share = 0;
  for (const auto code : mixed["kind"].codes)
    share += mixed["kind"].dictionary.text(code) == "b" ? 1.0 / 4000 : 0;
  CHECK(share == Approx(0.5).margin(0.04));
  CHECK_THROWS_AS(guided.sample(1, {.label = "c"}), rs::SchemaError);
  CHECK_THROWS_WITH(rs::GuidedSampler(careless(train, false), train, {.tries = 0}),
                    Catch::Contains("guide.tries"));
  CHECK_THROWS_AS(rs::GuidedSampler(careless(train, false), rs::Table()), rs::SchemaError);
}
