// SPDX-License-Identifier: MIT
// What a trained network computes on a tape, outside training, is what its deployed form computes.
#include <catch2/catch.hpp>

#include <cstdint>
#include <numeric>
#include <vector>

#include <rowsmith/train/autoencoder_stage.hpp>
#include <rowsmith/train/gan_stage.hpp>

#include "../support/low_rank.hpp"
#include "small_training.hpp"

namespace {

std::vector<std::uint32_t> first_rows(std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

void check_same(const rs::Variable<float>& trained, const rs::InferenceNetwork& network,
                const float* deployed) {
  REQUIRE(network.outputs() == trained.columns());
  for (rs::Index i = 0; i < trained.size(); ++i)
    REQUIRE(deployed[i] == trained.data()[i]);
}

} // namespace

TEST_CASE("every kind of layer computes the same deployed as in training, after a fit", "[train]") {
  const auto data = small::table(64);
  const auto encoder = rs::TableEncoder::fit(data);
  const auto encoded = encoder.encode(data);
  const auto rows = first_rows(64);
  using Autoencoder =
      rs::Autoencoder<rs::Dense<12>, rs::ReLU, rs::LayerNorm, LowRank<3, 9>, rs::LeakyReLU, rs::Dropout,
                      rs::Latent<4>, rs::Dense<8>, rs::Sigmoid, LowRank<2, 7>, rs::Tanh, rs::LayerNorm>;
  const Autoencoder autoencoder(encoder, true);
  rs::AutoencoderStage<Autoencoder> stage(autoencoder, encoded, {.batch = 16}, 1, 1);
  for (std::size_t step = 0; step < 20; ++step)
    stage.step(rows, step % 4, 20);
  const auto& weights = stage.kept_values();
  rs::BatchBuffer batch(encoded, autoencoder.code_offsets(), autoencoder.number_weights());
  batch.load(rows);
  rs::Tape<float> tape;
  const rs::BoundParameters<float> parameters(tape, weights.data(), nullptr);
  const auto code = autoencoder.encode(parameters, batch.rows(0, 64), {});
  rs::InferenceScratch scratch;
  const auto encoder_network = autoencoder.encoder_network(weights.data());
  check_same(rs::slice_columns(code, 0, 4), encoder_network, encoder_network.run(batch.rows(0, 64), scratch));
  const auto decoder_network = autoencoder.decoder_network(weights.data());
  const auto mean = rs::slice_columns(code, 0, 4);
  check_same(autoencoder.outputs(parameters, mean, {}), decoder_network,
             decoder_network.run(mean.data(), 64, scratch));

  rs::LatentRows latent(64, 4);
  using Discriminator = rs::Discriminator<rs::SpectralDense<8>, rs::LeakyReLU, LowRank<2, 4>, rs::Dense<1>>;
  const auto check_generator = [&](auto tag) {
    using Generator = typename decltype(tag)::type;
    rs::GanStage<Generator, Discriminator> gan(latent, {.batch = 16}, 1, 1);
    for (std::size_t step = 0; step < 20; ++step)
      gan.step(rows, step % 4, 20);
    rs::Tape<float> other;
    const auto noise = rs::normal_noise(other, 64, 4, rs::RandomStream(1, rs::Purpose::user));
    const auto network = gan.generator().network(gan.kept_values().data());
    check_same(gan.generator().forward(rs::BoundParameters<float>(other, gan.kept_values().data(), nullptr),
                                       noise, {}),
               network, network.run(noise.data(), 64, scratch));
  };
  check_generator(std::type_identity<rs::Generator<rs::Noise<4>, rs::Dense<9>, rs::LayerNorm, rs::ReLU,
                                                   LowRank<3, 8>, rs::Dense<4>, rs::Tanh>>{});
  check_generator(std::type_identity<rs::Generator<rs::Noise<4>, LowRank<2, 9>, rs::Sigmoid, rs::Dropout,
                                                   rs::Dense<4>, rs::Residual>>{});
}

TEST_CASE("a model fitted with the documentation's own layer holds it", "[train]") {
  // The widths tell: without its inference form the layers would not even follow from each other.
  using Own = rs::Trainer<rs::Autoencoder<rs::Dense<12>, rs::ReLU, LowRank<3, 12>, rs::Latent<4>>,
                          rs::Generator<rs::Noise<4>, LowRank<2, 4>, rs::Dense<4>, rs::Tanh>,
                          rs::Discriminator<rs::Dense<8>, rs::LeakyReLU, rs::Dense<1>>>;
  auto options = small::options();
  options.autoencoder.steps = options.gan.steps = options.refit.steps = 3;
  const auto model = Own(options).fit(small::table(60));
  CHECK(model.parts().encoder_network.layers().size() ==
        4); // Dense with ReLU, two of LowRank, the latent code
  CHECK(model.parts().generator_network.layers().size() == 3);
  CHECK(model.sample(20).rows() == 20);
}
