// SPDX-License-Identifier: MIT
/// \file
/// Everything that can be chosen about a training, in one struct with defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/column_codec.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/nn/optimiser.hpp>

ROWSMITH_BEGIN

/// Named sets of options.
enum class Recipe {
  faithful, ///< the method to the letter: standardised numericals with MSE, argmax, BCE-GAN
  sampled   ///< numericals as codes, categories drawn from their softmax, a smooth (variational) latent space
};

inline std::string_view to_string(Recipe recipe) {
  return recipe == Recipe::faithful ? "faithful" : "sampled";
}

/// Stage 1: the autoencoder.
struct AutoencoderOptions {
  std::size_t steps = 2000;         ///< at most this many batches; ≥ 1
  std::size_t batch = 512;          ///< rows a step; ≥ 1
  std::size_t patience = 500;       ///< stop after this many steps without a better validation loss; ≥ 1
  double validation_fraction = 0.1; ///< of the rows, set apart for early stopping; (0, 0.5]
  double kl_weight = 0;             ///< > 0: variational, with this weight on the KL term; ≥ 0
  double kl_warmup = 0.3;           ///< share of all steps over which that weight rises from 0; [0, 1]
  /// Conditional models: factor on the loss of the label's head, so that a latent code tells its label
  /// clearly; (0, 1000].
  double label_weight = 5;
  OptimiserOptions optimiser{};
  LearningRateSchedule schedule{.kind = LearningRateSchedule::Kind::cosine};
};

/// Stage 2: generator against discriminator, in the latent space.
struct GanOptions {
  std::size_t steps = 2000;                ///< discriminator steps; ≥ 1
  std::size_t batch = 512;                 ///< rows a step; ≥ 2
  std::size_t k_steps_g = 3;               ///< generator steps per discriminator step; [1, 100]
  double discriminator_rate_factor = 0.25; ///< discriminator's learning rate / generator's; (0, 100]
  /// How latent codes are brought into (−1, 1): 0 by a line through the largest code of each dimension; q > 0
  /// by tanh(q · x) of the standardised code x, which gives the bulk of the codes more of the range; [0, 3].
  double latent_squash = 0.7;
  double average_decay = 0.999; ///< > 0: the generator kept is a moving average of its weights; [0, 1)
  OptimiserOptions optimiser{.learning_rate = 1e-4, .beta1 = 0.5};
  LearningRateSchedule schedule{.kind = LearningRateSchedule::Kind::linear_second_half};
};

/// Options of `Trainer`.
struct TrainerOptions {
  std::uint64_t seed = 0;
  bool conditional = false; ///< train a conditional GAN on the schema's label
  int threads = 0;          ///< 0: all; never changes the result
  EncodingOptions encoding{};
  AutoencoderOptions autoencoder{};
  GanOptions gan{};
  Decoding decoding = Decoding::sample;
  double temperature = 1; ///< of the softmax that categories are drawn from; (0, 10]
  std::string recipe{};   ///< noted in the model

  /// \throws OptionError naming the option, its value and the range
  void check() const {
    const auto require = [](bool fine, const std::string& option, double value, const std::string& range) {
      if (!fine)
        throw OptionError(option + " = " + std::to_string(value) + ": expected " + range);
    };
    const auto at_least = [&](std::size_t value, std::size_t least, const std::string& option) {
      require(value >= least && value <= 1'000'000'000, option, static_cast<double>(value),
              std::to_string(least) + " to 1000000000");
    };
    encoding.check();
    at_least(autoencoder.steps, 1, "autoencoder.steps");
    at_least(autoencoder.batch, 1, "autoencoder.batch");
    at_least(autoencoder.patience, 1, "autoencoder.patience");
    require(autoencoder.validation_fraction > 0 && autoencoder.validation_fraction <= 0.5,
            "autoencoder.validation_fraction", autoencoder.validation_fraction, "0 < fraction <= 0.5");
    require(autoencoder.kl_weight >= 0 && autoencoder.kl_weight <= 1000, "autoencoder.kl_weight",
            autoencoder.kl_weight, "0 to 1000");
    require(autoencoder.kl_warmup >= 0 && autoencoder.kl_warmup <= 1, "autoencoder.kl_warmup",
            autoencoder.kl_warmup, "0 to 1");
    require(autoencoder.label_weight > 0 && autoencoder.label_weight <= 1000, "autoencoder.label_weight",
            autoencoder.label_weight, "0 < weight <= 1000");
    autoencoder.optimiser.check("autoencoder.optimiser");
    at_least(gan.steps, 1, "gan.steps");
    at_least(gan.batch, 2, "gan.batch");
    require(gan.k_steps_g >= 1 && gan.k_steps_g <= 100, "gan.k_steps_g", static_cast<double>(gan.k_steps_g),
            "1 to 100");
    require(gan.discriminator_rate_factor > 0 && gan.discriminator_rate_factor <= 100,
            "gan.discriminator_rate_factor", gan.discriminator_rate_factor, "0 < factor <= 100");
    require(gan.average_decay >= 0 && gan.average_decay < 1, "gan.average_decay", gan.average_decay,
            "0 <= decay < 1");
    require(gan.latent_squash >= 0 && gan.latent_squash <= 3, "gan.latent_squash", gan.latent_squash,
            "0 to 3");
    gan.optimiser.check("gan.optimiser");
    require(temperature > 0 && temperature <= 10, "temperature", temperature, "0 < temperature <= 10");
  }
};

/// The options of a named recipe.
inline TrainerOptions recipe_options(Recipe recipe) {
  TrainerOptions options;
  options.recipe = to_string(recipe);
  if (recipe == Recipe::faithful) {
    options.encoding.numerical = NumericalEncoding::standardised;
    options.decoding = Decoding::argmax;
    return options;
  }
  options.autoencoder.kl_weight = 0.5;
  // With a latent space this smooth, a discriminator that keeps pace serves better than the method's slow one
  // (Heusel et al. 2017: a faster rate for the discriminator).
  options.gan.k_steps_g = 1;
  options.gan.discriminator_rate_factor = 2;
  options.gan.optimiser.learning_rate = 2e-4;
  return options;
}

ROWSMITH_END
