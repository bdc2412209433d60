// SPDX-License-Identifier: MIT
/// \file
/// What trees are split by: classes by Gini impurity, numbers by squared error.
///
/// Criteria say what a tree's samples are, sum them up by bin, and judge a split by those sums. The score of
/// a split is what it takes from the impurity, but for a constant and a factor of the node.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace forest {

namespace detail {

/// Gini impurity of two classes. A sum holds the weight in its lower half and that of class 1 in the upper
/// one.
class BinaryGini {
public:
  struct Sample {
    std::uint32_t row;
    std::uint16_t weight; ///< how many times it was drawn
    std::uint16_t label;
  };

  explicit BinaryGini(std::size_t bins) : sums_(2 * bins) {}

  /// Sums up a node.
  void enter(std::span<const Sample> samples) noexcept {
    total_ = 0;
    for (const auto& sample : samples)
      total_ += packed(sample);
  }
  /// The same, summed up elsewhere.
  void enter(std::uint64_t total) noexcept { total_ = total; }
  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t weight() const noexcept { return total_ & half; }
  bool pure() const noexcept { return total_ >> 32U == 0 || total_ >> 32U == weight(); }
  /// How much a split of this score takes from the impurity.
  double decrease(double score) const noexcept { return 2 * score / static_cast<double>(weight()); }

  void add(std::size_t bin, const Sample& sample) noexcept { sums_[2 * bin] += packed(sample); }
  /// The same in a second sum of the bin: an addition need not wait for the one before, if that was of the
  /// same bin.
  void add_aside(std::size_t bin, const Sample& sample) noexcept { sums_[2 * bin + 1] += packed(sample); }
  bool empty(std::size_t bin) const noexcept { return sum(bin) == 0; }
  /// Begins a scan with nothing on the left.
  void start() noexcept { left_ = 0; }
  /// Moves a bin to the left and clears it.
  void take(std::size_t bin) noexcept {
    left_ += sum(bin);
    sums_[2 * bin] = sums_[2 * bin + 1] = 0;
  }
  std::uint64_t left_weight() const noexcept { return left_ & half; }
  /// What categories are ordered by.
  double mean(std::size_t bin) const noexcept {
    const auto [one, zero] = counts(sum(bin));
    return one / (one + zero);
  }
  double score() const noexcept { return score(total_, left_); }
  /// Of a node and its left side, both sums. What is squared is a whole number: cuts that are equally good
  /// have equal scores.
  static double score(std::uint64_t total, std::uint64_t left) noexcept {
    const std::uint64_t all = total & half;
    const std::uint64_t weight = left & half;
    // At most all² / 4 in size; what the products lose above 64 bits cancels.
    const auto difference =
        static_cast<double>(static_cast<std::int64_t>((left >> 32U) * all - (total >> 32U) * weight));
    return difference * difference / (static_cast<double>(weight) * static_cast<double>(all - weight));
  }

  std::size_t values() const noexcept { return 2; }
  std::size_t classes() const noexcept { return 2; }
  /// The class of a pure node, else `classes()`.
  std::size_t only_class() const noexcept { return !pure() ? 2 : total_ >> 32U == 0 ? 0 : 1; }
  void write(float* out) const noexcept {
    const auto [one, zero] = counts(total_);
    out[0] = static_cast<float>(zero / (one + zero));
    out[1] = static_cast<float>(one / (one + zero));
  }

private:
  static constexpr std::uint64_t half = 0xFFFFFFFFU;
  std::uint64_t sum(std::size_t bin) const noexcept { return sums_[2 * bin] + sums_[2 * bin + 1]; }
  static std::uint64_t packed(const Sample& sample) noexcept {
    return ((std::uint64_t{sample.label} << 32U) | 1U) * sample.weight;
  }
  static std::pair<double, double> counts(std::uint64_t sum) noexcept {
    const auto ones = static_cast<double>(static_cast<std::uint32_t>(sum >> 32U));
    return {ones, static_cast<double>(static_cast<std::uint32_t>(sum)) - ones};
  }

  std::vector<std::uint64_t> sums_;
  std::uint64_t total_ = 0;
  std::uint64_t left_ = 0;
};

/// Gini impurity of any number of classes.
class Gini {
public:
  using Sample = BinaryGini::Sample;

  Gini(std::size_t bins, std::size_t classes)
      : classes_(classes), sums_(bins * classes), total_(classes), left_(classes) {}

  void enter(std::span<const Sample> samples) noexcept {
    std::fill(total_.begin(), total_.end(), 0U);
    weight_ = 0;
    for (const auto& sample : samples) {
      total_[sample.label] += sample.weight;
      weight_ += sample.weight;
    }
  }
  std::uint64_t weight() const noexcept { return weight_; }
  bool pure() const noexcept { return only_class() < classes_; }
  double decrease(double score) const noexcept {
    double squares = 0;
    for (const auto count : total_)
      squares += static_cast<double>(count) * static_cast<double>(count);
    return std::max(score - squares / static_cast<double>(weight_), 0.0);
  }

  void add(std::size_t bin, const Sample& sample) noexcept {
    sums_[bin * classes_ + sample.label] += sample.weight;
  }
  bool empty(std::size_t bin) const noexcept {
    const auto begin = sums_.begin() + static_cast<std::ptrdiff_t>(bin * classes_);
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(classes_), [](auto n) { return n == 0; });
  }
  void start() noexcept {
    std::fill(left_.begin(), left_.end(), 0U);
    left_weight_ = 0;
  }
  void take(std::size_t bin) noexcept {
    for (std::size_t k = 0; k < classes_; ++k) {
      const auto count = std::exchange(sums_[bin * classes_ + k], 0U);
      left_[k] += count;
      left_weight_ += count;
    }
  }
  std::uint64_t left_weight() const noexcept { return left_weight_; }
  double score() const noexcept {
    double left = 0;
    double right = 0;
    for (std::size_t k = 0; k < classes_; ++k) {
      const auto a = static_cast<double>(left_[k]);
      const auto b = static_cast<double>(total_[k] - left_[k]);
      left += a * a;
      right += b * b;
    }
    return left / static_cast<double>(left_weight_) + right / static_cast<double>(weight_ - left_weight_);
  }

  std::size_t values() const noexcept { return classes_; }
  std::size_t classes() const noexcept { return classes_; }
  std::size_t only_class() const noexcept {
    return static_cast<std::size_t>(std::find(total_.begin(), total_.end(), weight_) - total_.begin());
  }
  void write(float* out) const noexcept {
    for (std::size_t k = 0; k < classes_; ++k)
      out[k] = static_cast<float>(static_cast<double>(total_[k]) / static_cast<double>(weight_));
  }

private:
  std::size_t classes_;
  std::vector<std::uint32_t> sums_; // bins × classes
  std::vector<std::uint32_t> total_;
  std::vector<std::uint32_t> left_;
  std::uint64_t weight_ = 0;
  std::uint64_t left_weight_ = 0;
};

/// Squared error.
class SquaredError {
public:
  struct Sample {
    float target; ///< best near 0: sums of squares are compared
    std::uint32_t row;
    std::uint32_t weight;
  };

  explicit SquaredError(std::size_t bins) : sums_(bins) {}

  void enter(std::span<const Sample> samples) noexcept {
    total_ = {};
    low_ = std::numeric_limits<float>::infinity();
    high_ = -low_;
    for (const auto& sample : samples) {
      total_.add(sample);
      low_ = std::min(low_, sample.target);
      high_ = std::max(high_, sample.target);
    }
  }
  std::uint64_t weight() const noexcept { return total_.weight; }
  bool pure() const noexcept { return !(low_ < high_); }
  double decrease(double score) const noexcept {
    return std::max(score - total_.target * total_.target / static_cast<double>(weight()), 0.0);
  }

  void add(std::size_t bin, const Sample& sample) noexcept { sums_[bin].add(sample); }
  bool empty(std::size_t bin) const noexcept { return sums_[bin].weight == 0; }
  void start() noexcept { left_ = {}; }
  void take(std::size_t bin) noexcept {
    left_.target += sums_[bin].target;
    left_.weight += sums_[bin].weight;
    sums_[bin] = {};
  }
  std::uint64_t left_weight() const noexcept { return left_.weight; }
  double mean(std::size_t bin) const noexcept {
    return sums_[bin].target / static_cast<double>(sums_[bin].weight);
  }
  double score() const noexcept {
    const auto left = static_cast<double>(left_.weight);
    const auto right = static_cast<double>(total_.weight - left_.weight);
    const double rest = total_.target - left_.target;
    return (left_.target * left_.target * right + rest * rest * left) / (left * right);
  }

  std::size_t values() const noexcept { return 1; }
  std::size_t classes() const noexcept { return 0; }
  std::size_t only_class() const noexcept { return 0; }
  void write(float* out) const noexcept {
    *out = pure() ? low_ : static_cast<float>(total_.target / static_cast<double>(total_.weight));
  }

private:
  struct Sum {
    double target = 0;
    std::uint64_t weight = 0;
    void add(const Sample& sample) noexcept {
      target += static_cast<double>(sample.target) * sample.weight;
      weight += sample.weight;
    }
  };
  std::vector<Sum> sums_;
  Sum total_;
  Sum left_;
  float low_ = 0;
  float high_ = 0;
};

} // namespace detail

} // namespace forest
ROWSMITH_END
