// expect: a Discriminator OnRows needs heads that the generator can learn through
// SPDX-License-Identifier: MIT
#include <rowsmith/train/trainer.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<8>, rs::AutoregressiveHeads<8>>;
#else
using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<8>, rs::JointHeads<>>;
#endif
using Generator = rs::Generator<rs::Noise<8>, rs::Dense<16>, rs::ReLU, rs::Dense<8>, rs::Tanh>;
using Discriminator = rs::Discriminator<rs::OnRows, rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>>;

const rs::Trainer<Autoencoder, Generator, Discriminator> trainer;
