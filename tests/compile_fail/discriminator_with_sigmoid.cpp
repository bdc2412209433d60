// expect: one logit without an activation
// SPDX-License-Identifier: MIT
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
const rs::Discriminator<rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>, rs::Sigmoid> discriminator(4);
#else
const rs::Discriminator<rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>> discriminator(4);
#endif
