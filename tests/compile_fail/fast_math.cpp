// expect: missing values are NaN, and the order of sums is a part of every result
// flags: -ffast-math
// SPDX-License-Identifier: MIT
#include <rowsmith/core/errors.hpp>
