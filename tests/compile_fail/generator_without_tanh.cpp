// expect: a Generator must end in Tanh
// SPDX-License-Identifier: MIT
#include <rowsmith/models/gan.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
const rs::Generator<rs::Noise<8>, rs::Dense<16>, rs::ReLU, rs::Dense<4>> generator;
#else
const rs::Generator<rs::Noise<8>, rs::Dense<16>, rs::ReLU, rs::Dense<4>, rs::Tanh> generator;
#endif
