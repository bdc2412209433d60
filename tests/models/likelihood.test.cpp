// SPDX-License-Identifier: MIT
#include <rowsmith/models/likelihood.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

namespace {

// 2 x 3 x 4 possible rows; "pet" depends on "house", and "rich" too where they are linked.
rs::Table linked_table(bool linked = false) {
  auto rich = rs::Column::categorical("rich");
  auto house = rs::Column::categorical("house");
  auto pet = rs::Column::numerical("pet", {}, 0);
  for (int i = 0; i < 240; ++i) {
    rich.codes.push_back(rich.dictionary.insert(linked       ? (i % 3 == 0) != (i % 10 == 0) ? "yes" : "no"
                                                : i % 5 == 0 ? "yes"
                                                             : "no"));
    house.codes.push_back(house.dictionary.insert(std::string(1, static_cast<char>('a' + i % 3))));
    pet.values.push_back(i % 8 < 6 ? i % 3 : i % 4);
  }
  return rs::Table({rich, house, pet}, "rich");
}

rs::Table every_row() {
  auto rich = rs::Column::categorical("rich");
  auto house = rs::Column::categorical("house");
  auto pet = rs::Column::numerical("pet", {}, 0);
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c) {
        rich.codes.push_back(rich.dictionary.insert(a == 0 ? "no" : "yes"));
        house.codes.push_back(house.dictionary.insert(std::string(1, static_cast<char>('a' + b))));
        pet.values.push_back(c);
      }
  return rs::Table({rich, house, pet}, "rich");
}

template <class Heads>
rs::TableModel untrained(bool conditional, bool linked = false, const rs::EncodingOptions& encoding = {},
                         rs::Decoding decoding = rs::Decoding::sample) {
  rs::TableModelParts model;
  model.encoder = rs::TableEncoder::fit(linked_table(linked), encoding);
  model.decoding = decoding;
  const auto encoded = model.encoder.encode(linked_table(linked));
  const rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, Heads> autoencoder(model.encoder, true, 1,
                                                                                  {&encoded});
  auto weights = autoencoder.layout().template initialise<float>(3);
  for (auto& weight : weights)
    weight *= 4; // far from uniform
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  if (conditional) {
    model.labels = {"no", "yes"};
    model.label_shares = {0.8, 0.2};
  }
  const rs::Generator<rs::Noise<4>, rs::Dense<3>, rs::Tanh> generator(
      static_cast<rs::Index>(model.labels.size()));
  model.generator_network = generator.network(generator.layout().initialise<float>(4).data());
  model.noise_width = 4;
  model.latent_scale = {2, 2, 2};
  model.latent_offset = {0, 1, -1};
  model.temperature = 0.8;
  return rs::TableModel(model);
}

// Probabilities of all rows add up to one, and rows are drawn as often as that.
void check(const rs::TableModel& model) {
  const bool joint = std::holds_alternative<rs::JointCodes>(model.heads());
  const auto all = every_row();
  constexpr std::size_t samples = 20'000;
  const auto likelihood = rs::log_likelihood(model, all, {.samples = samples, .seed = 5});
  REQUIRE(likelihood.rows.size() == 24);
  double total = 0;
  for (const double row : likelihood.rows)
    total += std::exp(row);
  CHECK(total <= 1 + 1e-5);
  CHECK(total == Approx(1).epsilon(!joint ? 1e-5 : 1)); // joint heads: rows that never occur have none
  double columns = 0;
  for (const auto& [name, mean] : likelihood.columns)
    columns += mean;
  if (!joint)
    CHECK(columns == Approx(likelihood.mean));
  constexpr std::size_t rows = 60'000;
  const auto made = model.sample(rows, {.seed = 9});
  std::map<std::string, double> counts;
  const auto key = [](const rs::Table& t, std::size_t r) {
    std::string text =
        t["rich"].dictionary.text(t["rich"].codes[r]) + t["house"].dictionary.text(t["house"].codes[r]);
    return text.append(std::to_string(t["pet"].values[r]));
  };
  for (std::size_t r = 0; r < rows; ++r)
    counts[key(made, r)] += 1.0 / static_cast<double>(rows);
  for (std::size_t r = 0; r < 24; ++r) {
    const double p = std::exp(likelihood.rows[r]);
    // Five standard deviations of a share of 60,000 rows, and of a mean of numbers from 0 to 1 over the
    // codes.
    CAPTURE(key(all, r), p);
    CHECK(counts[key(all, r)] ==
          Approx(p).margin(5 * std::sqrt(p / rows) + 5 * std::sqrt(p / samples) + 1e-4));
  }
}

} // namespace

TEST_CASE("log_likelihood is the log of what is drawn: autoregressive heads", "[models]") {
  check(untrained<rs::AutoregressiveHeads<8>>(false));
}
TEST_CASE("log_likelihood is the log of what is drawn: independent heads", "[models]") {
  check(untrained<rs::IndependentHeads>(false));
}
TEST_CASE("log_likelihood is the log of what is drawn: joint heads", "[models]") {
  const auto model = untrained<rs::JointHeads<12>>(false);
  REQUIRE(std::get<rs::JointCodes>(model.heads()).groups.size() == 2);
  check(model);
  CHECK(rs::log_likelihood(model, linked_table()).columns[1].first == "house+pet");
}
TEST_CASE("log_likelihood of a conditional model whose label is in a head with other columns", "[models]") {
  const auto model = untrained<rs::JointHeads<24>>(true, true);
  REQUIRE(std::get<rs::JointCodes>(model.heads()).groups.size() == 1); // all three columns
  check(model);
  double total = 0;
  for (const double row : rs::log_likelihood(model, every_row(), {.samples = 500}).rows)
    total += std::exp(row);
  CHECK(total == Approx(1).epsilon(1e-4));
}

TEST_CASE("log_likelihood refuses a label that a conditional model does not know", "[models]") {
  const auto model =
      untrained<rs::AutoregressiveHeads<8>>(true, false, {.unseen = rs::UnseenCategory::other});
  auto columns = every_row().columns();
  columns[0].codes[12] = columns[0].dictionary.insert("maybe");
  CHECK_THROWS_WITH(rs::log_likelihood(model, rs::Table(columns, "rich")),
                    Catch::Contains("label of row 13"));
}

TEST_CASE("log_likelihood of a conditional model counts the label by its share", "[models]") {
  check(untrained<rs::AutoregressiveHeads<8>>(true));
  const auto likelihood = rs::log_likelihood(untrained<rs::AutoregressiveHeads<8>>(true), linked_table());
  CHECK(likelihood.columns[0].first == "rich");
  CHECK(likelihood.columns[0].second == Approx(0.8 * std::log(0.8) + 0.2 * std::log(0.2)));
}

TEST_CASE("what a latent code says of a row is the mutual information of the two", "[models]") {
  const auto model = untrained<rs::AutoregressiveHeads<8>>(false);
  const auto all = every_row();
  // I(row; z) = E_z sum_row p(row | z) log p(row | z) - sum_row p(row) log p(row); one code alone gives p(row
  // | z).
  double given_code = 0;
  constexpr std::size_t codes = 1500;
  for (std::size_t k = 0; k < codes; ++k)
    for (const double log_p : rs::log_likelihood(model, all, {.samples = 1, .seed = k}).rows)
      given_code += std::exp(log_p) * log_p / codes;
  double expected = given_code;
  double measured = 0;
  const auto likelihood = rs::log_likelihood(model, all, {.samples = 20'000, .seed = 5});
  for (std::size_t r = 0; r < 24; ++r) {
    const double p = std::exp(likelihood.rows[r]);
    expected -= p * likelihood.rows[r];
    measured +=
        p * rs::log_likelihood(model, all.select(std::vector<std::size_t>{r}), {.samples = 20'000, .seed = 5})
                .latent_nats;
  }
  CAPTURE(expected);
  CHECK(measured == Approx(expected).epsilon(0.1));
  CHECK(measured > 0.05);
  CHECK(likelihood.latent_nats > 0);
  // With one code there is nothing to learn about which it was.
  CHECK(rs::log_likelihood(model, all, {.samples = 1}).latent_nats == Approx(0).margin(1e-12));
}

TEST_CASE("log_likelihood: same bits on any number of threads; options and models that do not fit",
          "[models][threads]") {
  const auto model = untrained<rs::AutoregressiveHeads<8>>(false);
  const auto one = rs::log_likelihood(model, linked_table(), {.threads = 1});
  const auto three = rs::log_likelihood(model, linked_table(), {.threads = 3});
  CHECK(three.rows == one.rows);
  CHECK(three.latent_nats == one.latent_nats);
  CHECK_THROWS_WITH(rs::log_likelihood(model, linked_table(), {.samples = 0}),
                    Catch::Contains("likelihood.samples"));
  const auto argmax = untrained<rs::AutoregressiveHeads<8>>(false, false, {}, rs::Decoding::argmax);
  CHECK_THROWS_WITH(rs::log_likelihood(argmax, linked_table()), Catch::Contains("argmax"));
  CHECK_THROWS_AS(rs::log_likelihood(model, rs::Table()), rs::SchemaError);
}
