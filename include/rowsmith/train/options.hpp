// SPDX-License-Identifier: MIT
/// \file
/// Everything that can be chosen about a training, in one struct with defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/option_range.hpp>
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

  /// Calls `visit(name, value, range)` for each numerical option that changes the result.
  template <class Visit>
  void each_option(Visit&& visit) const {
    constexpr double many = 1e9;
    visit("conditional", conditional ? 1.0 : 0.0, OptionRange{0, 1});
    encoding.each_option(visit);
    visit("autoencoder.steps", static_cast<double>(autoencoder.steps), OptionRange{1, many});
    visit("autoencoder.batch", static_cast<double>(autoencoder.batch), OptionRange{1, many});
    visit("autoencoder.patience", static_cast<double>(autoencoder.patience), OptionRange{1, many});
    visit("autoencoder.validation_fraction", autoencoder.validation_fraction, OptionRange{0, 0.5, true});
    visit("autoencoder.kl_weight", autoencoder.kl_weight, OptionRange{0, 1000});
    visit("autoencoder.kl_warmup", autoencoder.kl_warmup, OptionRange{0, 1});
    visit("autoencoder.label_weight", autoencoder.label_weight, OptionRange{0, 1000, true});
    autoencoder.optimiser.each_option("autoencoder.optimiser", visit);
    autoencoder.schedule.each_option("autoencoder.schedule", visit);
    visit("gan.steps", static_cast<double>(gan.steps), OptionRange{1, many});
    visit("gan.batch", static_cast<double>(gan.batch), OptionRange{2, many});
    visit("gan.k_steps_g", static_cast<double>(gan.k_steps_g), OptionRange{1, 100});
    visit("gan.discriminator_rate_factor", gan.discriminator_rate_factor, OptionRange{0, 100, true});
    visit("gan.latent_squash", gan.latent_squash, OptionRange{0, 3});
    visit("gan.average_decay", gan.average_decay, OptionRange{0, 1, false, true});
    gan.optimiser.each_option("gan.optimiser", visit);
    gan.schedule.each_option("gan.schedule", visit);
    visit("decoding", static_cast<double>(decoding), OptionRange{0, 1});
    visit("temperature", temperature, OptionRange{0, 10, true});
  }
  /// \throws OptionError naming the option, its value and the range
  void check() const {
    encoding.check();
    each_option(check_option);
  }
  /// Every option that changes the result, one "name = value" a line. Two equal texts mean the same training.
  std::string describe() const {
    std::string text = "seed = " + std::to_string(seed) + '\n';
    each_option([&text](const std::string& name, double value, const OptionRange&) {
      text += name + " = " + json_number(value) + '\n';
    });
    return text + "encoding.other_text = " + json_escape(encoding.other_text) + '\n';
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
