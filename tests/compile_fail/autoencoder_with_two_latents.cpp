// expect: an Autoencoder needs exactly one Latent<N>, but has several
// SPDX-License-Identifier: MIT
#include <rowsmith/models/autoencoder.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<8>, rs::Dense<32>, rs::Latent<4>>;
#else
using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<8>, rs::Dense<32>, rs::ReLU>;
#endif

Autoencoder make(const rs::TableEncoder& encoder) { return Autoencoder(encoder); }
