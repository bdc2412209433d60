// expect: SpectralDense bounds a Discriminator
// SPDX-License-Identifier: MIT
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
using Layer = rs::SpectralDense<16>;
#else
using Layer = rs::Dense<16>;
#endif

const rs::Generator<rs::Noise<8>, Layer, rs::ReLU, rs::Dense<4>, rs::Tanh> generator;
const rs::Discriminator<rs::SpectralDense<16>, rs::LeakyReLU, rs::SpectralDense<1>> discriminator(4);
