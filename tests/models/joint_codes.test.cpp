// SPDX-License-Identifier: MIT
#include <rowsmith/models/joint_codes.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/models/autoencoder.hpp>

namespace rs = rowsmith;

namespace {
// b follows from a, d nearly from c, and e from nothing.
rs::Table joint_table() {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  std::vector<rs::Column> columns;
  for (const char* name : {"a", "b", "c", "d", "e"})
    columns.push_back(rs::Column::categorical(name));
  const auto put = [&](std::size_t column, std::uint32_t value) {
    auto& to = columns[column];
    to.codes.push_back(to.dictionary.insert(std::string(1, static_cast<char>('k' + value))));
  };
  for (int i = 0; i < 3000; ++i) {
    const auto a = random.below(6);
    const auto c = random.below(4);
    put(0, a);
    put(1, a / 2);
    put(2, c);
    put(3, random.below(10) == 0 ? random.below(4) : c);
    put(4, random.below(3));
  }
  return rs::Table(std::move(columns));
}
} // namespace

TEST_CASE("columns that depend on each other are merged, others left alone", "[models]") {
  const auto encoder = rs::TableEncoder::fit(joint_table());
  const auto encoded = encoder.encode(joint_table());
  const auto joint = rs::fit_joint_codes(encoder, encoded, 64);
  REQUIRE(joint.groups.size() == 3);
  CHECK(joint.groups[0].columns == std::vector<std::int32_t>{0, 1});
  CHECK(joint.groups[0].width() == 6); // combinations that occur, of 18
  CHECK(joint.groups[1].columns == std::vector<std::int32_t>{2, 3});
  CHECK(joint.groups[2].columns == std::vector<std::int32_t>{4});
  CHECK(joint.width() == 6 + joint.groups[1].width() + 3);
  for (const auto& group : joint.groups)
    for (std::int32_t k = 0; k < group.width(); ++k)
      CHECK(group.view().find([&](std::size_t i) { return group.combination(k)[i]; }) == k);
  const std::int32_t never[] = {0, 2}; // a = k has b = k
  CHECK(joint.groups[0].view().find([&](std::size_t i) { return never[i]; }) == -1);
  // Six combinations are too many for four: nothing can be merged but c and d, which need more.
  CHECK(rs::fit_joint_codes(encoder, encoded, 5).groups.size() == 5);
}

TEST_CASE("joint heads: the loss is that of the combination's softmax", "[models]") {
  const auto encoder = rs::TableEncoder::fit(joint_table());
  const auto encoded = encoder.encode(joint_table());
  using Model = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, rs::JointHeads<64>>;
  const Model model(encoder, false, 1, {&encoded});
  const auto weights = model.layout().initialise<float>(5);
  const auto network = model.decoder_network(weights.data());
  REQUIRE(network.outputs() == model.heads_network(weights.data()).width());
  const std::vector<float> latent{0.3F, -0.7F, 1.1F};
  rs::InferenceScratch scratch;
  const float* logits = network.run(latent.data(), 1, scratch);
  const auto& offsets = encoder.code_offsets();
  const std::int32_t local[] = {4, 2, 1, 1, 0};
  std::int32_t codes[5];
  for (std::size_t i = 0; i < 5; ++i)
    codes[i] = offsets[i] + local[i];
  double expected = 0;
  std::int32_t first = 0;
  const auto joint = model.heads_network(weights.data());
  for (const auto& group : joint.groups) {
    std::vector<std::int32_t> own;
    for (const auto h : group.columns)
      own.push_back(local[h]);
    double total = 0;
    for (std::int32_t k = 0; k < group.width(); ++k)
      total += std::exp(static_cast<double>(logits[first + k]));
    expected -=
        static_cast<double>(logits[first + group.view().find([&](std::size_t i) { return own[i]; })]) -
        std::log(total);
    first += group.width();
  }
  rs::Tape<float> tape;
  const rs::BoundParameters<float> frozen(tape, weights.data(), nullptr);
  const auto loss = [&](const std::int32_t* row) {
    return model
        .reconstruction_loss(frozen, tape.constant(latent.data(), 1, 3),
                             {.rows = 1, .code_columns = 5, .codes = row}, {}, 1)
        .item();
  };
  CHECK(loss(codes) == Approx(expected).epsilon(1e-5));
  codes[1] = offsets[1]; // a combination that never occurs
  CHECK_THROWS_WITH(loss(codes), Catch::Contains("no training row"));
  CHECK_THROWS_WITH(Model(encoder), Catch::Contains("JointHeads need"));
}
