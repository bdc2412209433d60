// SPDX-License-Identifier: MIT
/// \file
/// A GAN in the latent space of a private autoencoder: only the discriminator sees rows, so only it pays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/autodiff/ops/stochastic.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/learner.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/private_gradient.hpp>

ROWSMITH_BEGIN

/// Generator against discriminator with binary cross-entropy, where the discriminator's step on real rows is
/// differentially private (Xie et al., "Differentially private generative adversarial network", 2018). A
/// row's latent code is the mean that the frozen encoder gives it; the encoder was paid for before.
template <class GeneratorType, class DiscriminatorType>
class PrivateGan {
  static_assert(
      DiscriminatorType::packing == 1 && !DiscriminatorType::on_rows,
      "a PrivateGan judges latent codes one by one: a row that is there or not may change one of them alone");
  static_assert(GeneratorType::mixture_components == 0, "a private generator draws from Noise<N>");

public:
  /// \param encoder  encoded row -> [μ | s], of `GeneratorType::output_width` numbers each; must outlive
  /// this, as must all that the buffer reads
  PrivateGan(const InferenceNetwork& encoder, const GanOptions& options, std::uint64_t seed, int threads)
      : encoder_(&encoder), options_(options), seed_(seed), discriminator_(GeneratorType::output_width),
        generator_learner_("private gan", generator_.layout(), generator_.template initialise<float>(seed),
                           seed, options.optimiser, options.average_decay),
        discriminator_learner_("private discriminator", discriminator_.layout(),
                               discriminator_.layout().template initialise<float>(seed + 1), seed,
                               faster(options.optimiser, options.discriminator_rate_factor)),
        parallel_(threads) {}

  /// One step of each network. \param rows  that the batch drew, loaded into `buffer`; there may be none
  /// \param secret  a seed of noise that nobody knows
  void step(const BatchBuffer& buffer, Index rows, double rate_factor, std::uint64_t secret,
            PrivateGradient& privacy) {
    constexpr Index width = GeneratorType::output_width;
    const Pass pass{.training = true, .seed = secret};
    if (rows > 0) {
      const float* made = encoder_->run(buffer.rows(0, rows), scratch_);
      const auto needed = static_cast<std::size_t>(rows * width);
      if (real_.size() < needed)
        real_.resize(needed + needed / 4);
      for (Index r = 0; r < rows; ++r)
        std::copy_n(made + r * 2 * width, width, real_.data() + r * width);
      discriminator_learner_.learn_privately(
          parallel_, rows, rate_factor,
          [&](const BoundParameters<float>& parameters, Index first, Index part) {
            Pass own = pass;
            own.first_row = static_cast<std::uint64_t>(first);
            return bce_with_logits(
                discriminator_.forward(
                    parameters, parameters.tape().constant(real_.data() + first * width, part, width), own),
                1, 1);
          },
          privacy);
    } else {
      discriminator_learner_.learn_nothing(rate_factor, privacy, parallel_.threads());
    }
    // Generated codes are nobody's: the rest is free.
    const Index generated = static_cast<Index>(options_.batch);
    const auto fake = [&](const BoundParameters<float>& generator, const BoundParameters<float>& judge,
                          Index first, Index part, double target, std::uint64_t draw) {
      Pass own{.training = true, .seed = seed_ + draw, .step = static_cast<std::uint32_t>(steps_)};
      own.first_row = static_cast<std::uint64_t>(first);
      auto& tape = generator.tape();
      const auto noise = normal_noise(tape, part, GeneratorType::noise_width,
                                      own.stream(Purpose::generator_noise, 0), own.first_row);
      return bce_with_logits(discriminator_.forward(judge, generator_.forward(generator, noise, own), own),
                             target, 1 / static_cast<double>(generated));
    };
    discriminator_learner_.learn(parallel_, generated, rate_factor,
                                 [&](const BoundParameters<float>& parameters, Index first, Index part) {
                                   return fake(generator_learner_.frozen(parameters.tape()), parameters,
                                               first, part, 0, 1);
                                 });
    generator_learner_.learn(parallel_, generated, rate_factor,
                             [&](const BoundParameters<float>& parameters, Index first, Index part) {
                               return fake(parameters, discriminator_learner_.frozen(parameters.tape()),
                                           first, part, 1, 2);
                             });
    ++steps_;
  }
  InferenceNetwork generator() const { return generator_.network(generator_learner_.kept_values().data()); }

private:
  static OptimiserOptions faster(OptimiserOptions options, double factor) {
    options.learning_rate *= factor;
    return options;
  }

  const InferenceNetwork* encoder_;
  GanOptions options_;
  std::uint64_t seed_;
  GeneratorType generator_{};
  DiscriminatorType discriminator_;
  Learner generator_learner_;
  Learner discriminator_learner_;
  DataParallel<float> parallel_;
  InferenceScratch scratch_;
  AlignedBuffer<float> real_;
  std::uint64_t steps_ = 0;
};

ROWSMITH_END
