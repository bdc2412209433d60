// expect: needs layers that are linear piece by piece
// SPDX-License-Identifier: MIT
#include <rowsmith/train/trainer.hpp>

namespace rs = rowsmith;

using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<8>>;
using Generator = rs::Generator<rs::Noise<8>, rs::Dense<16>, rs::ReLU, rs::Dense<8>, rs::Tanh>;
#if ROWSMITH_MUST_FAIL
using Discriminator = rs::Discriminator<rs::Dense<16>, rs::Tanh, rs::Dense<1>>;
#else
using Discriminator = rs::Discriminator<rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>>;
#endif

rs::TableModel fit(const rs::Table& table) {
  return rs::Trainer<Autoencoder, Generator, Discriminator, rs::RelativisticLoss, rs::R1Penalty>().fit(table);
}
