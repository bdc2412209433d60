// SPDX-License-Identifier: MIT
/// \file
/// Layers and options of a private training that go together.
#pragma once

#include <ratio>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/private_trainer.hpp>

ROWSMITH_BEGIN

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

ROWSMITH_END
