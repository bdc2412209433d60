// expect: SpectralDense bounds a Discriminator
// SPDX-License-Identifier: MIT
#include <rowsmith/models/autoencoder.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Layer = rs::SpectralDense<16>;
#else
using Layer = rs::Dense<16>;
#endif

const rs::Autoencoder<Layer, rs::ReLU, rs::Latent<4>> autoencoder(rs::TableEncoder{});
