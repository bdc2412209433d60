// expect: adds its noise to the last Dense: make both as wide
// SPDX-License-Identifier: MIT
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
const rs::Generator<rs::Noise<6>, rs::Dense<16>, rs::ReLU, rs::Dense<8>, rs::Residual> generator;
#else
const rs::Generator<rs::Noise<8>, rs::Dense<16>, rs::ReLU, rs::Dense<8>, rs::Residual> generator;
#endif
