// expect: missing values are NaN, and the order of sums is a part of every result
// flags: -ffinite-math-only
// SPDX-License-Identifier: MIT
#include <rowsmith/csv/number_text.hpp>
