// SPDX-License-Identifier: MIT
#include <rowsmith/models/autoregressive_heads.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/models/table_model.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using rs::Index;

namespace {
using Heads = rs::AutoregressiveHeads<8>;
using Model = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, Heads>;
using Generator = rs::Generator<rs::Noise<4>, rs::Dense<3>, rs::Tanh>;

/// Columns of 6, 3, 2 (the label) and 3 codes.
rs::Table table() {
  auto die = rs::Column::numerical("die", {}, 0);
  auto city = rs::Column::categorical("city");
  auto rich = rs::Column::categorical("rich");
  auto size = rs::Column::numerical("size", {}, 1);
  for (int i = 0; i < 60; ++i) {
    die.values.push_back(i % 6);
    city.codes.push_back(city.dictionary.insert(i % 3 == 0 ? "Rome" : (i % 3 == 1 ? "Oslo" : "Bern")));
    rich.codes.push_back(rich.dictionary.insert(i % 4 == 0 ? "yes" : "no"));
    size.values.push_back(i % 5 == 0 ? std::nan("") : i % 2);
  }
  return rs::Table({die, city, rich, size}, "rich");
}

rs::TableModel untrained(bool conditional) {
  rs::TableModelParts model;
  model.encoder = rs::TableEncoder::fit(table());
  const Model autoencoder(model.encoder, true);
  auto weights = autoencoder.layout().initialise<float>(3);
  for (auto& weight : weights)
    weight *= 4; // far from uniform
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  if (conditional) {
    model.labels = {"no", "yes"};
    model.label_shares = {0.75, 0.25};
  }
  const Generator generator(static_cast<Index>(model.labels.size()));
  model.generator_network = generator.network(generator.layout().initialise<float>(4).data());
  model.noise_width = 4;
  model.latent_scale = {2, 2, 2};
  model.latent_offset = {0, 1, -1};
  return rs::TableModel(model);
}

std::vector<std::string> rows_of(const rs::Table& made) {
  std::vector<std::string> rows(made.rows());
  for (std::size_t r = 0; r < made.rows(); ++r)
    for (const auto& column : made.columns())
      rows[r] += column.is_missing(r)                       ? "?|"
                 : column.kind == rs::ColumnKind::numerical ? std::to_string(column.values[r]) + "|"
                                                            : column.dictionary.text(column.codes[r]) + "|";
  return rows;
}
} // namespace

TEST_CASE("automatic order: the label, then few-valued columns first", "[models]") {
  CHECK(rs::automatic_order(rs::TableEncoder::fit(table())) == std::vector<std::int32_t>{2, 1, 3, 0});
}

TEST_CASE("an autoencoder with autoregressive heads has no decoder layers unless they are written",
          "[models]") {
  static_assert(std::is_same_v<Model::DecoderLayers, rs::Sequential<>>);
  using Written = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, rs::Dense<5>, rs::ReLU, Heads>;
  static_assert(std::is_same_v<Written::DecoderLayers, rs::Sequential<rs::Dense<5>, rs::ReLU>>);
  const auto encoder = rs::TableEncoder::fit(table());
  const Written written(encoder);
  const auto weights = written.layout().initialise<float>(1);
  CHECK(written.decoder_network(weights.data()).outputs() == 5);
  CHECK(written.heads_network(weights.data()).inputs == 5);
  CHECK(Model(encoder).decoder_network(weights.data()).empty());
}

TEST_CASE("autoregressive heads refuse columns that are not codes, and orders that are none", "[models]") {
  const auto encoder = rs::TableEncoder::fit(table(), {.numerical = rs::NumericalEncoding::standardised});
  CHECK_THROWS_WITH(Model(encoder), Contains("NumericalEncoding::codes"));
  const auto codes = rs::TableEncoder::fit(table());
  for (const auto& wrong : {std::vector<std::int32_t>{0, 1, 2}, {0, 1, 2, 2}, {0, 1, 2, 4}, {0, 1, 2, -1}})
    CHECK_THROWS_WITH(rs::AutoregressiveOrder(codes, wrong), Contains("permutation of the 4 columns"));
}

TEST_CASE("rows are drawn with the probability that the loss gives them", "[models]") {
  // One latent code, many draws: shares of whole rows against exp(−loss) of the same rows.
  const auto encoder = rs::TableEncoder::fit(table());
  const Model autoencoder(encoder);
  auto weights = autoencoder.layout().initialise<float>(3);
  for (auto& weight : weights)
    weight *= 4;
  const auto heads = autoencoder.heads_network(weights.data());
  constexpr Index rows = 200'000;
  const std::vector<float> code{0.5F, -1, 0.25F};
  std::vector<float> latent;
  for (Index r = 0; r < rows; ++r)
    latent.insert(latent.end(), code.begin(), code.end());
  std::vector<std::int32_t> drawn(static_cast<std::size_t>(4 * rows));
  rs::InferenceScratch scratch;
  rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user));
  heads.each_position(latent.data(), rows, drawn.data(), scratch, [&](Index q, float* logits, Index width) {
    for (Index r = 0; r < rows; ++r)
      drawn[static_cast<std::size_t>(4 * r + q)] =
          static_cast<std::int32_t>(heads.shape().prefix[q]) +
          rs::kernel::choose(logits + r * width, logits + r * width, width, {}, random.uniform_float());
  });
  const auto shape = heads.shape();
  std::vector<int> counts(2 * 3 * 3 * 6);
  const auto cell = [&](const std::int32_t* row) {
    std::size_t index = 0;
    for (std::size_t q = 0; q < 4; ++q)
      index = index * static_cast<std::size_t>(shape.prefix[q + 1] - shape.prefix[q]) +
              static_cast<std::size_t>(row[q] - shape.prefix[q]);
    return index;
  };
  for (Index r = 0; r < rows; ++r)
    ++counts[cell(drawn.data() + 4 * r)];
  rs::Tape<float> tape;
  double all = 0;
  double chi_square = 0;
  int cells = 0;
  for (std::int32_t a = 0; a < 2; ++a)
    for (std::int32_t b = 0; b < 3; ++b)
      for (std::int32_t c = 0; c < 3; ++c)
        for (std::int32_t d = 0; d < 6; ++d) {
          tape.rewind();
          const std::int32_t numbered[4] = {a, 2 + b, 5 + c, 8 + d};
          const auto& offsets = encoder.code_offsets();
          // By column: die, city, rich, size.
          const std::int32_t codes[4] = {offsets[0] + d, offsets[1] + b, offsets[2] + a, offsets[3] + c};
          const auto loss = autoencoder.reconstruction_loss(
              rs::BoundParameters<float>(tape, weights.data(), nullptr), tape.constant(code.data(), 1, 3),
              {.rows = 1, .code_columns = 4, .codes = codes}, {}, 1);
          const double probability = std::exp(-static_cast<double>(loss.item()));
          const double expected = probability * static_cast<double>(rows);
          all += probability;
          if (expected < 10)
            continue;
          const double difference = counts[cell(numbered)] - expected;
          chi_square += difference * difference / expected;
          ++cells;
        }
  CHECK(all == Approx(1).epsilon(1e-4));
  REQUIRE(cells > 20);
  CHECK(chi_square < cells + 5 * std::sqrt(2.0 * cells));
}

TEST_CASE("row i of autoregressive heads depends on the model, the seed and i only", "[models][threads]") {
  const auto model = untrained(GENERATE(false, true));
  const auto all = rows_of(model.sample(700, {.seed = 11, .threads = 1}));
  CHECK(rows_of(model.sample(700, {.seed = 11, .threads = 3})) == all);
  CHECK(rows_of(model.sample(700, {.seed = 12})) != all);
  for (const std::size_t i : {0U, 1U, 255U, 256U, 699U})
    CHECK(rows_of(model.sample(1, {.seed = 11, .first_row = i}))[0] == all[i]);
}

TEST_CASE("a conditional model with autoregressive heads gives exactly the label asked for", "[models]") {
  const auto model = untrained(true);
  for (const std::string label : {"no", "yes"}) {
    const auto made = model.sample(500, {.seed = 2, .label = label});
    for (std::size_t r = 0; r < made.rows(); ++r)
      REQUIRE(made["rich"].dictionary.text(made["rich"].codes[r]) == label);
  }
  const auto mixed = model.sample(4000, {.seed = 2});
  std::size_t yes = 0;
  for (std::size_t r = 0; r < mixed.rows(); ++r)
    yes += mixed["rich"].dictionary.text(mixed["rich"].codes[r]) == "yes" ? 1 : 0;
  CHECK(static_cast<double>(yes) / 4000 == Approx(0.25).margin(0.03));
}
