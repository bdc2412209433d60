// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstdint>
#include <numeric>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/train/autoencoder_stage.hpp>
#include <rowsmith/train/gan_stage.hpp>

#include "../linalg/count_allocations.hpp"

namespace rs = rowsmith;

TEST_CASE("training steps allocate nothing after the first", "[train]") {
  auto kind = rs::Column::categorical("kind");
  auto size = rs::Column::numerical("size");
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int i = 0; i < 1000; ++i) {
    kind.codes.push_back(kind.dictionary.insert(std::to_string(random.below(20)).append("k")));
    size.values.push_back(random.normal());
  }
  const rs::Table table({kind, size});
  const auto encoder = rs::TableEncoder::fit(table, {.numerical = rs::NumericalEncoding::standardised});
  const auto encoded = encoder.encode(table);
  std::vector<std::uint32_t> rows(512);
  std::iota(rows.begin(), rows.end(), 0U);

  using Autoencoder = rs::Autoencoder<rs::Dense<300>, rs::ReLU, rs::LayerNorm, rs::Latent<32>>;
  for (const bool variational : {false, true}) {
    rs::AutoencoderOptions options;
    options.kl_weight = variational ? 0.5 : 0;
    rs::AutoencoderStage<Autoencoder> stage(Autoencoder(encoder, variational), encoded, options, 1, 1);
    stage.step(rows, 100);
    const long before = allocation::count;
    for (int i = 0; i < 5; ++i)
      stage.step(rows, 100);
    CHECK(allocation::count == before);
  }

  rs::LatentRows latent;
  latent.width = 32;
  latent.codes.resize(1000 * 32);
  latent.label_count = 3;
  for (int i = 0; i < 1000; ++i)
    latent.labels.push_back(i % 3);
  using Generator = rs::Generator<rs::Noise<64>, rs::Dense<128>, rs::ReLU, rs::Dense<32>, rs::Tanh>;
  using Discriminator = rs::Discriminator<rs::Dense<300>, rs::LeakyReLU, rs::Dropout, rs::Dense<1>>;
  rs::GanStage<Generator, Discriminator> gan(latent, {}, 1, 1);
  gan.discriminator_step(rows, 1);
  gan.generator_step(rows, 1);
  const long before = allocation::count;
  for (int i = 0; i < 5; ++i) {
    gan.discriminator_step(rows, 1);
    gan.generator_step(rows, 1);
  }
  CHECK(allocation::count == before);
}
