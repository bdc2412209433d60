// expect: this is not a layer
// SPDX-License-Identifier: MIT
#include <rowsmith/nn/sequential.hpp>

namespace rs = rowsmith;

struct NotALayer {};

#if ROWSMITH_MUST_FAIL
const rs::Sequential<rs::Dense<4>, NotALayer, rs::Dense<1>> chain;
#else
const rs::Sequential<rs::Dense<4>, rs::ReLU, rs::Dense<1>> chain;
#endif
