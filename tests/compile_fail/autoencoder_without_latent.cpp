// expect: an Autoencoder needs exactly one Latent<N>, but has none
// SPDX-License-Identifier: MIT
#include <rowsmith/models/autoencoder.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU>;
#else
using Autoencoder = rs::Autoencoder<rs::Dense<32>, rs::ReLU, rs::Latent<8>>;
#endif

Autoencoder make(const rs::TableEncoder& encoder) { return Autoencoder(encoder); }
