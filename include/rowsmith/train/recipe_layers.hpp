// SPDX-License-Identifier: MIT
/// \file
/// Layers and options that go together. A recipe of your own is a struct with the same members. Trainers are
/// named here and defined in `train/trainer.hpp` and `train/private_trainer.hpp`: who trains by the compiled
/// library (`rowsmith/compiled.hpp`) needs no more than their names.
#pragma once

#include <ratio>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/trainer_declarations.hpp>

ROWSMITH_BEGIN

/// What `Synthesizer::fit` trains unless told otherwise: a variational autoencoder with autoregressive heads,
/// a GAN with hinge loss in its latent space, the refit of the decoder to what that GAN makes, and trees that
/// draw every other column. The KL weight leaves the latent code with next to nothing to say, because trees
/// read it badly. Leaves hold so many rows that trees give away little more than heads alone.
struct DefaultRecipe {
  using Autoencoder =
      rowsmith::Autoencoder<Dense<256>, ReLU, Dense<128>, ReLU, Latent<16>, AutoregressiveHeads<>>;
  using Generator = rowsmith::Generator<Noise<32>, Dense<128>, LeakyReLU, Dense<128>, LeakyReLU, Dense<128>,
                                        LeakyReLU, Dense<16>, Tanh>;
  using Discriminator = rowsmith::Discriminator<Packing<2>, SpectralDense<128>, LeakyReLU, SpectralDense<128>,
                                                LeakyReLU, SpectralDense<1>>;
  using Trainer = rowsmith::Trainer<Autoencoder, Generator, Discriminator, HingeLoss>;
  static TrainerOptions options() {
    TrainerOptions options{.recipe = "default"};
    options.autoencoder.kl_weight = 5;
    options.trees.share = 0.5;
    options.trees.min_leaf = 80;
    options.guide.rounds = 200;
    return options;
  }
};

/// The same with smaller leaves: rows as near to real ones as can be, and nearer to the training rows, too.
struct NearestRecipe : DefaultRecipe {
  static TrainerOptions options() {
    auto options = DefaultRecipe::options();
    options.recipe = "nearest";
    options.trees.min_leaf = 20;
    return options;
  }
};

/// The same without trees, and with latent codes that say something: rows from a small model.
struct NeuralRecipe : DefaultRecipe {
  static TrainerOptions options() { return {.recipe = "neural"}; }
};

/// Trees alone: fast to fit and to draw from. They learn more by heart than the default.
struct TreeRecipe : DefaultRecipe {
  using Autoencoder = rowsmith::Autoencoder<Dense<64>, ReLU, Latent<16>>;
  using Trainer =
      rowsmith::Trainer<Autoencoder, DefaultRecipe::Generator, DefaultRecipe::Discriminator, HingeLoss>;
  static TrainerOptions options() {
    TrainerOptions options{.recipe = "trees"};
    options.autoencoder.kl_weight = 5;
    options.autoencoder.steps = 300;
    options.gan.steps = 300;
    options.refit.steps = 0;
    options.trees.share = 1;
    options.trees.smoothing = 0.1;
    return options;
  }
};

/// The base method to the letter: standardised numericals with a squared-error head, argmax, point latent
/// codes, BCE-GAN with three generator steps per discriminator step at a quarter of the rate, frozen decoder.
struct FaithfulRecipe {
  using Autoencoder = rowsmith::Autoencoder<Dense<256>, ReLU, Dense<128>, ReLU, Latent<32>>;
  using Generator = rowsmith::Generator<Noise<64>, Dense<128>, ReLU, Dense<128>, ReLU, Dense<32>, Tanh>;
  using Discriminator =
      rowsmith::Discriminator<Dense<512>, LeakyReLU, Dropout, Dense<256>, LeakyReLU, Dropout, Dense<1>>;
  using Trainer = rowsmith::Trainer<Autoencoder, Generator, Discriminator>;
  static TrainerOptions options() {
    TrainerOptions options{.recipe = "faithful"};
    options.encoding.numerical = NumericalEncoding::standardised;
    options.decoding = Decoding::argmax;
    options.autoencoder = {.steps = 2000,
                           .batch = 512,
                           .patience = 500,
                           .kl_weight = 0,
                           .label_weight = 5,
                           .average_decay = 0,
                           .optimiser = {},
                           .schedule = {.kind = LearningRateSchedule::Kind::cosine}};
    options.gan = {.steps = 2000,
                   .k_steps_g = 3,
                   .discriminator_rate_factor = 0.25,
                   .optimiser = {.learning_rate = 1e-4, .beta1 = 0.5}};
    options.refit.steps = 0;
    return options;
  }
};

/// Heads that see the columns before them, small enough for noise to leave something of what they learn. The
/// options' `privacy.epsilon` and `delta` are the user's to choose.
struct PrivateRecipe {
  using Autoencoder =
      rowsmith::Autoencoder<Dense<64>, ReLU, Latent<8>, AutoregressiveHeads<32, std::ratio<0>>>;
  using Trainer = PrivateTrainer<Autoencoder>;
  static TrainerOptions options() {
    TrainerOptions options{.recipe = "private"};
    options.privacy.epsilon = 3;
    options.autoencoder.average_decay = 0.99;
    options.autoencoder.optimiser = {.method = OptimiserMethod::adam, .learning_rate = 1.5e-2, .beta2 = 0.99};
    options.gan.discriminator_rate_factor = 1;
    options.autoencoder.schedule = {.kind = LearningRateSchedule::Kind::cosine, .warmup_steps = 50};
    return options;
  }
};

/// The options of one recipe: they begin as that recipe's own, and fit no other.
///
/// \code
/// rowsmith::RecipeOptions<rowsmith::FaithfulRecipe> options;
/// options.seed = 7;
/// const auto model = rowsmith::Synthesizer::fit(table, options);
/// \endcode
template <class Recipe = DefaultRecipe>
struct RecipeOptions : TrainerOptions {
  RecipeOptions() : TrainerOptions(Recipe::options()) {}
};

ROWSMITH_END
