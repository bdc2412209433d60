// SPDX-License-Identifier: MIT
/// \file
/// The trainers' names and default arguments; `train/trainer.hpp` and `train/private_trainer.hpp` define
/// them.
#pragma once

#include <rowsmith/models/adversarial_loss.hpp>
#include <rowsmith/models/gan.hpp>

ROWSMITH_BEGIN

template <class AutoencoderType, class GeneratorType, class DiscriminatorType, class Loss = BceLoss,
          class Penalty = NoPenalty>
class Trainer;

template <class AutoencoderType,
          class GeneratorType = Generator<Noise<AutoencoderType::latent_width>, Dense<32>, LeakyReLU,
                                          Dense<AutoencoderType::latent_width>, Residual>,
          class DiscriminatorType = Discriminator<Dense<32>, LeakyReLU, Dense<1>>>
class PrivateTrainer;

ROWSMITH_END
