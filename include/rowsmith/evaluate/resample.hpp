// SPDX-License-Identifier: MIT
/// \file
/// Figures with their sampling error, and the resampling behind it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/core/statistics.hpp>

ROWSMITH_BEGIN
namespace evaluate {

/// A figure measured on a sample of rows, and the standard deviation it would have over other such samples.
struct Estimate {
  double value = 0;
  double sd = 0;
};

namespace detail {

/// Keeps the random streams of the measures apart: the `major` index of `Purpose::evaluate`. 0 and 1 draw the
/// rows of `detection`.
enum EvaluateStream : std::uint32_t {
  bootstrap_real = 2,
  bootstrap_synthetic,
  privacy_train,
  privacy_holdout,
  privacy_synthetic,
  augmentation_rows,
  attack_members,
  attack_holdout,
  attack_synthetic,
  support_real,
  support_synthetic,
  report_half,
  bootstrap_test,
  report_alike,
  compare_half,
  compare_other,
  compare_second,
  judged_rows,
};

/// \throws OptionError for an option that is not in [least, most]
inline void check_count(const char* name, std::size_t value, std::size_t least,
                        std::size_t most = std::numeric_limits<std::size_t>::max()) {
  if (value < least || value > most)
    throw OptionError(
        std::string(name) + " = " + std::to_string(value) + ": expected " + std::to_string(least) +
        (most == std::numeric_limits<std::size_t>::max() ? " or more" : " to " + std::to_string(most)));
}

/// `count` of the numbers 0 to `rows` − 1 without replacement, in ascending order; all of them if there are
/// no more.
inline std::vector<std::uint32_t> sample_rows(std::size_t rows, std::size_t count, std::uint64_t seed,
                                              std::uint32_t stream) {
  std::vector<std::uint32_t> chosen(rows);
  std::iota(chosen.begin(), chosen.end(), std::uint32_t{0});
  if (count >= rows)
    return chosen;
  RandomSequence random(RandomStream(seed, Purpose::evaluate, stream));
  for (std::size_t i = 0; i < count; ++i)
    std::swap(chosen[i], chosen[i + random.below(static_cast<std::uint32_t>(rows - i))]);
  chosen.resize(count);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

/// How often each row is drawn in one bootstrap replicate: `rows` draws with replacement (Efron 1979).
/// Replicate 0 is the sample itself.
inline std::vector<std::uint32_t> bootstrap_weights(std::size_t rows, std::size_t replicate,
                                                    std::uint64_t seed, std::uint32_t stream) {
  std::vector<std::uint32_t> weights(rows, replicate == 0 ? 1 : 0);
  if (replicate == 0)
    return weights;
  RandomSequence random(RandomStream(seed, Purpose::evaluate, stream), std::uint64_t{replicate} << 32U);
  for (std::size_t i = 0; i < rows; ++i)
    ++weights[random.below(static_cast<std::uint32_t>(rows))];
  return weights;
}

/// The first value is the figure itself, the others its bootstrap replicates.
inline Estimate bootstrap_estimate(std::span<const double> values) {
  return {values.front(), mean_sd(values.subspan(1)).sd};
}

} // namespace detail

} // namespace evaluate
ROWSMITH_END
