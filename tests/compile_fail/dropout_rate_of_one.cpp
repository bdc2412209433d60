// expect: a dropout rate is at least 0 and below 1
// SPDX-License-Identifier: MIT
#include <rowsmith/nn/layers.hpp>

namespace rs = rowsmith;

#if ROWSMITH_MUST_FAIL
constexpr double rate = rs::BasicDropout<std::ratio<1>>::rate;
#else
constexpr double rate = rs::BasicDropout<std::ratio<1, 4>>::rate;
#endif
static_assert(rate < 1);
