// expect: make it as wide as the Autoencoder.s Latent
// SPDX-License-Identifier: MIT
#include <rowsmith/train/trainer.hpp>

namespace rs = rowsmith;

using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<8>>;
using Discriminator = rs::Discriminator<rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>>;
#if ROWSMITH_MUST_FAIL
using Generator = rs::Generator<rs::MixtureNoise<6, 4>, rs::Dense<16>, rs::ReLU, rs::Dense<8>, rs::Tanh>;
#else
using Generator = rs::Generator<rs::MixtureNoise<8, 4>, rs::Dense<16>, rs::ReLU, rs::Dense<8>, rs::Tanh>;
#endif

const rs::Trainer<Autoencoder, Generator, Discriminator> trainer;
