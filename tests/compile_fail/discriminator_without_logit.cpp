// expect: a Discriminator must end in Dense<1>
// SPDX-License-Identifier: MIT
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
const rs::Discriminator<rs::Dense<16>, rs::LeakyReLU, rs::Dense<2>> discriminator(4);
#else
const rs::Discriminator<rs::Dense<16>, rs::LeakyReLU, rs::Dense<1>> discriminator(4);
#endif
