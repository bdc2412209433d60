// SPDX-License-Identifier: MIT
#include <rowsmith/kernel/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/core/random.hpp>

namespace rs = rowsmith;
using rs::kernel::choose;

TEST_CASE("codes are chosen with their probabilities", "[kernel]") {
  const std::vector<float> logits{std::log(0.5F), std::log(0.3F), std::log(0.2F)};
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  std::vector<int> counts(3);
  for (int i = 0; i < 20'000; ++i) {
    auto copy = logits;
    ++counts[static_cast<std::size_t>(choose(copy.data(), copy.data(), 3, {}, random.uniform_float()))];
  }
  CHECK(counts[0] == Approx(10'000).margin(300));
  CHECK(counts[1] == Approx(6'000).margin(300));
  // Temperature 1/2 squares the odds: .25 : .09 : .04.
  std::fill(counts.begin(), counts.end(), 0);
  for (int i = 0; i < 20'000; ++i) {
    auto copy = logits;
    ++counts[static_cast<std::size_t>(
        choose(copy.data(), copy.data(), 3, {true, 0.5F}, random.uniform_float()))];
  }
  CHECK(counts[0] == Approx(20'000 * 0.25 / 0.38).margin(300));
  auto copy = logits;
  CHECK(choose(copy.data(), copy.data(), 3, {false, 1}, 0.99F) == 0);
  copy = {1000, -1000, 1000};
  CHECK(choose(copy.data(), copy.data(), 3, {}, 0.999999F) == 2);
}

TEST_CASE("a number that rounds up to the total still falls to a code of some probability", "[kernel]") {
  // 2^24 equal logits would lose the last ones; here the last has no probability at all.
  const std::vector<float> logits{0, 0, -200};
  std::vector<float> room(3);
  CHECK(choose(logits.data(), room.data(), 3, {}, std::nextafter(1.0F, 0.0F)) == 1);
}

TEST_CASE("cross entropy is minus the logarithm of the softmax", "[kernel]") {
  const std::vector<float> logits{1, -2, 0.5F, 3};
  for (const float inverse : {1.0F, 0.5F, 2.0F})
    for (rs::Index target = 0; target < 4; ++target) {
      double total = 0;
      for (const float logit : logits)
        total += std::exp(static_cast<double>(logit * inverse));
      std::vector<float> room(4);
      CHECK(rs::kernel::cross_entropy(logits.data(), room.data(), 4, target, inverse) ==
            Approx(std::log(total) - static_cast<double>(logits[static_cast<std::size_t>(target)] * inverse))
                .margin(1e-6));
    }
}
