// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/table_model.hpp>

namespace rs = rowsmith;

namespace {
using Small = rs::Autoencoder<rs::Dense<8>, rs::ReLU, rs::Latent<3>>;
using SmallGenerator = rs::Generator<rs::Noise<5>, rs::Dense<3>, rs::Tanh>;

rs::Table small_table() {
  auto city = rs::Column::categorical("city");
  auto size = rs::Column::numerical("size", {}, 1);
  for (int i = 0; i < 60; ++i) {
    city.codes.push_back(city.dictionary.insert(i % 4 == 0 ? "Rome" : "Oslo"));
    size.values.push_back(i % 5 == 0 ? std::nan("") : i / 2.0);
  }
  return rs::Table({city, size}, "city");
}

// An untrained model: what it draws is arbitrary, but must obey every promise about drawing.
rs::TableModelParts untrained_parts(bool conditional, bool bounded = true) {
  rs::TableModelParts model;
  model.encoder = rs::TableEncoder::fit(small_table(), {.numerical = rs::NumericalEncoding::standardised});
  const Small autoencoder(model.encoder);
  const auto weights = autoencoder.layout().initialise<float>(3);
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  if (conditional) {
    model.labels = {"Oslo", "Rome"};
    model.label_shares = {0.75, 0.25};
  }
  const SmallGenerator generator(static_cast<rs::Index>(model.labels.size()));
  model.generator_network = generator.network(generator.layout().initialise<float>(4).data());
  model.noise_width = 5;
  model.latent_scale = {2, 2, 2};
  model.latent_offset = {0, 1, -1};
  if (bounded)
    model.latent_bound = {0.99F, 0.99F, 0.99F};
  return model;
}
rs::TableModel untrained_model(bool conditional, bool bounded = true) {
  return rs::TableModel(untrained_parts(conditional, bounded));
}

std::vector<std::string> texts_of_rows(const rs::Table& made) {
  std::vector<std::string> rows(made.rows());
  for (std::size_t r = 0; r < made.rows(); ++r)
    for (const auto& column : made.columns())
      rows[r] += column.is_missing(r)                       ? "?|"
                 : column.kind == rs::ColumnKind::numerical ? std::to_string(column.values[r]) + "|"
                                                            : column.dictionary.text(column.codes[r]) + "|";
  return rows;
}
} // namespace

TEST_CASE("the decoder mirrors the encoder unless it is written out", "[models]") {
  using Mirrored =
      rs::Autoencoder<rs::Dense<256>, rs::ReLU, rs::LayerNorm, rs::Dense<128>, rs::Tanh, rs::Latent<32>>;
  static_assert(
      std::is_same_v<Mirrored::DecoderLayers,
                     rs::Sequential<rs::Dense<128>, rs::Tanh, rs::Dense<256>, rs::ReLU, rs::LayerNorm>>);
  using Written = rs::Autoencoder<rs::Dense<256>, rs::ReLU, rs::Latent<32>, rs::Dense<7>, rs::Sigmoid>;
  static_assert(std::is_same_v<Written::DecoderLayers, rs::Sequential<rs::Dense<7>, rs::Sigmoid>>);
  static_assert(std::is_same_v<Written::Heads, rs::IndependentHeads>);
  using Marked = rs::Autoencoder<rs::Dense<4>, rs::Latent<2>, rs::Dense<7>, rs::IndependentHeads>;
  static_assert(std::is_same_v<Marked::DecoderLayers, rs::Sequential<rs::Dense<7>>>);
  static_assert(Mirrored::latent_width == 32);
  static_assert(SmallGenerator::output_width == 3);
  const auto encoder = rs::TableEncoder::fit(small_table());
  const Small model(encoder);
  CHECK(model.input_width() == encoder.width());
  const auto weights = model.layout().initialise<float>(1);
  CHECK(model.encoder_network(weights.data()).outputs() == 3);
  CHECK(model.decoder_network(weights.data()).inputs() == 3);
  CHECK(model.decoder_network(weights.data()).outputs() == encoder.width());
}

TEST_CASE("the variational encoder gives means, its posterior means and log-variances", "[models]") {
  const auto encoder = rs::TableEncoder::fit(small_table());
  const Small model(encoder, true);
  const auto weights = model.layout().initialise<float>(1);
  const auto means = model.encoder_network(weights.data());
  const auto posterior = model.posterior_network(weights.data());
  CHECK(means.outputs() == 3);
  REQUIRE(posterior.outputs() == 6);
  const std::vector<float> x(static_cast<std::size_t>(encoder.width()), 0.5F);
  rs::InferenceScratch scratch;
  const float* both = posterior.run(x.data(), 1, scratch);
  const std::vector<float> expected(both, both + 3);
  const float* mean = means.run(x.data(), 1, scratch);
  for (std::size_t j = 0; j < 3; ++j)
    CHECK(mean[j] == expected[j]);
}

TEST_CASE("row i depends on the model, the seed and i only", "[models][threads]") {
  const auto model = untrained_model(GENERATE(false, true), GENERATE(false, true));
  const auto all = texts_of_rows(model.sample(700, {.seed = 11, .threads = 1}));
  CHECK(texts_of_rows(model.sample(700, {.seed = 11, .threads = 3})) == all);
  CHECK(texts_of_rows(model.sample(700, {.seed = 12})) != all);
  const auto part = texts_of_rows(model.sample(100, {.seed = 11, .first_row = 333}));
  for (std::size_t i = 0; i < part.size(); ++i)
    CHECK(part[i] == all[333 + i]);
  for (const std::size_t i : {0U, 1U, 255U, 256U, 699U})
    CHECK(texts_of_rows(model.sample(1, {.seed = 11, .first_row = i}))[0] == all[i]);
}

TEST_CASE("drawn rows keep to the table's kinds, categories, decimals and range", "[models]") {
  const auto model = untrained_model(false);
  const auto made = model.sample(3000, {.seed = 1});
  CHECK(made.schema() == small_table().schema());
  std::size_t missing = 0;
  for (std::size_t r = 0; r < made.rows(); ++r) {
    const auto& town = made["city"];
    REQUIRE_FALSE(town.is_missing(r)); // no training row was
    CHECK((town.codes[r] == 0 || town.codes[r] == 1));
    if (made["size"].is_missing(r)) {
      ++missing;
      continue;
    }
    const double size = made["size"].values[r];
    CHECK(size >= 0.5);
    CHECK(size <= 29.5);
    CHECK(size * 10 == Approx(std::round(size * 10)));
  }
  CHECK(missing > 0);
  CHECK(missing < made.rows());
}

TEST_CASE("labels are drawn by their shares or as wanted", "[models]") {
  const auto model = untrained_model(true);
  // With the label the only input that counts, the latent code tells which label was drawn.
  auto parts = untrained_parts(true);
  rs::InferenceNetwork generator;
  rs::InferenceLayer layer;
  layer.inputs = 7;
  layer.outputs = 3;
  layer.weight.resize(21);
  layer.weight[6 * 3] = 0.5F; // "Rome" raises the first dimension
  layer.bias.resize(3);
  generator.add(layer);
  parts.generator_network = generator;
  const rs::TableModel revealing(parts);
  rs::InferenceScratch scratch;
  std::vector<float> latents(2000 * 3);
  revealing.generate(1, 0, 2000, revealing.draw_labels(revealing.resolve(rs::SampleOptions{}), 1, 0, 2000),
                     latents.data(), scratch);
  int rome = 0;
  for (std::size_t i = 0; i < 2000; ++i)
    rome += latents[3 * i] > 0 ? 1 : 0;
  CHECK(rome == Approx(500).margin(80)); // four standard deviations
  revealing.generate(1, 0, 2000, revealing.draw_labels(revealing.resolve({.label = "Rome"}), 1, 0, 2000),
                     latents.data(), scratch);
  for (std::size_t i = 0; i < 2000; ++i)
    CHECK(latents[3 * i] > 0);
  CHECK_THROWS_WITH(model.sample(1, {.label = "Paris"}),
                    Catch::Contains("'Paris'") && Catch::Contains("'Oslo', 'Rome'"));
  CHECK_THROWS_WITH(untrained_model(false).sample(1, {.label = "Rome"}), Catch::Contains("without one"));
}

TEST_CASE("a model may be copied and moved and goes on working", "[models]") {
  auto model = untrained_model(true);
  const auto expected = texts_of_rows(model.sample(20, {.seed = 3}));
  const auto copy = model;
  const auto moved = std::move(model);
  CHECK(texts_of_rows(copy.sample(20, {.seed = 3})) == expected);
  CHECK(texts_of_rows(moved.sample(20, {.seed = 3})) == expected);
}
