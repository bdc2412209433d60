// SPDX-License-Identifier: MIT
#include "everything.hpp"

unsigned long long second_sum();

unsigned long long second_sum() {
  const rowsmith::RandomStream stream(7, rowsmith::Purpose::user);
  unsigned long long sum = 0;
  for (unsigned i = 0; i < 100; ++i)
    sum += stream.block(i)[0];
  return sum;
}
