// SPDX-License-Identifier: MIT
/// \file
/// What rows are asked for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/kernel/row.hpp>

ROWSMITH_BEGIN

/// Numbers from `least` to `most`; both are among them unless they are said to be left out.
struct NumberRange {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool without_least = false;
  bool without_most = false;

  bool holds(double number) const noexcept {
    return (without_least ? number > least : number >= least) &&
           (without_most ? number < most : number <= most);
  }
};

/// What the cells of one column shall be: one of `values`, in one of `ranges`, or missing, if that is said;
/// `where` makes one of words. Cells keep the distribution that the model gives them among what is allowed.
struct Condition {
  std::string column;
  std::vector<std::string> values{}; ///< texts; of a numerical column as they read as numbers
  std::vector<NumberRange> ranges{}; ///< of a numerical column
  bool missing = false;              ///< a missing cell will do, too
  bool negated = false;              ///< any value but these; a missing cell only if that is said
};

/// What `where` begins.
class ConditionOn {
public:
  explicit ConditionOn(std::string column) : column_(std::move(column)) {}

  Condition is(std::string value) const { return one_of({std::move(value)}); }
  Condition is(double number) const { return between(number, number); }
  Condition is_not(std::string value) const {
    auto condition = is(std::move(value));
    condition.negated = true;
    return condition;
  }
  Condition is_not(double number) const {
    auto condition = is(number);
    condition.negated = true;
    return condition;
  }
  Condition one_of(std::vector<std::string> values) const {
    return {.column = column_, .values = std::move(values)};
  }
  Condition at_least(double number) const { return in({.least = number}); }
  Condition at_most(double number) const { return in({.most = number}); }
  Condition above(double number) const { return in({.least = number, .without_least = true}); }
  Condition below(double number) const { return in({.most = number, .without_most = true}); }
  /// Both ends among them.
  Condition between(double least, double most) const { return in({.least = least, .most = most}); }
  Condition in(const NumberRange& range) const { return {.column = column_, .ranges = {range}}; }
  Condition is_missing() const { return {.column = column_, .missing = true}; }
  Condition is_present() const { return {.column = column_, .negated = true}; }

private:
  std::string column_;
};

/// Conditions in words:
///
/// \code
/// model.sample(5000, {.conditions = {where("sex").is("Female"), where("age").at_least(60)}});
/// \endcode
inline ConditionOn where(std::string column) { return ConditionOn(std::move(column)); }

/// A share of the rows, (0, 1], that a condition shall hold for.
struct Quota {
  Condition condition;
  double share = 0;
};

/// How to draw rows.
struct SampleOptions {
  std::uint64_t seed = 0; ///< row i depends on the model, the seed, the conditions and i only
  /// Short for the condition that the label column of a conditional model has this one value; empty: no such
  /// condition. Labels that nothing is asked of are drawn as often as in training. Every row has its label,
  /// unless categories are decoded by argmax: then the label's head has the last word.
  std::string label{};
  std::vector<Condition> conditions{}; ///< all of them hold
  /// Of conditions on one column that exclude each other, which hold besides `conditions`; what is left of 1
  /// goes to rows that meet none of them. Of n rows each gets its share of n, give or take a few.
  std::vector<Quota> quotas{};
  bool allow_rare = false;     ///< conditions that few candidates meet are no error, as `Support` tells
  std::size_t trials = 65'536; ///< candidates, at most, that conditions are tried out with, up to five times
  std::uint64_t first_row = 0; ///< number of the first row: rows 5…9 are rows 0…4 of `first_row = 5`
  int threads = 0;             ///< 0: all; never changes the result
};

/// How well a model serves conditions: rows are chosen from several candidates each, drawn within the
/// conditions, by importance. Estimated from candidates of no sample.
struct Support {
  double share = 1;             ///< of the model's rows that meet the conditions
  double effective = 1;         ///< candidates of a row that count, by Kish's measure: (Σ w)² / Σ w²
  std::uint32_t candidates = 1; ///< that a row is chosen from, at most `most_candidates`

  static constexpr std::uint32_t most_candidates = 512;
  /// Rows chosen from fewer effective candidates, where more are not to be had, do not have the probabilities
  /// that the model gives them: they are the best that were found.
  static constexpr double least_effective = 4;
  bool rare() const noexcept { return candidates >= most_candidates && effective < least_effective; }
};

namespace detail {
class ConditionRules;
} // namespace detail

/// Conditions that a model has checked and looked up, for many rows. A value type, cheap to copy; made by
/// `TableModel::resolve`.
class ResolvedConditions {
public:
  /// None: of a model without labels.
  ResolvedConditions() = default;
  /// \param labels  the allowed ones \param shares  of each; they add up to 1
  ResolvedConditions(std::vector<std::size_t> labels, std::vector<double> shares,
                     std::shared_ptr<const detail::ConditionRules> rules = nullptr)
      : labels_(std::move(labels)), shares_(std::move(shares)), rules_(std::move(rules)) {}

  /// The label of row `index` of the sample with `seed`; 0 of a model without labels. Allocates nothing.
  std::size_t label(std::uint64_t seed, std::uint64_t index) const noexcept {
    return labels_.empty()       ? 0
           : labels_.size() == 1 ? labels_.front()
                                 : labels_[kernel::draw_label(shares_.data(), shares_.size(), seed, index)];
  }
  /// The allowed labels.
  const std::vector<std::size_t>& labels() const noexcept { return labels_; }
  const Support& support() const noexcept { return support_; }
  void set_support(const Support& support) noexcept { support_ = support; }
  /// Of other columns than a conditional model's label; null: there are none.
  const detail::ConditionRules* rules() const noexcept { return rules_.get(); }

private:
  std::vector<std::size_t> labels_;
  std::vector<double> shares_;
  std::shared_ptr<const detail::ConditionRules> rules_;
  Support support_;
};

/// Quotas that a model has looked up: conditions, and which rows they hold for. Made by
/// `TableModel::resolve_quotas`.
class ResolvedQuotas {
public:
  /// \param shares  of the parts; they add up to 1
  ResolvedQuotas(std::vector<ResolvedConditions> parts, const std::vector<double>& shares)
      : parts_(std::move(parts)) {
    double total = 0;
    for (const double share : shares)
      until_.push_back(total += share);
  }
  const std::vector<ResolvedConditions>& parts() const noexcept { return parts_; }
  /// Which part row `index` of the sample with `seed` is of: the multiples of the golden ratio spread over
  /// (0, 1) more evenly than random numbers do, and blocks of 64 rows are shuffled, so that parts do not come
  /// in turn.
  std::size_t part(std::uint64_t seed, std::uint64_t index) const noexcept {
    if (parts_.size() == 1)
      return 0;
    constexpr std::uint64_t block = 64;
    const auto random = RandomStream(seed, Purpose::quota).block(index / block);
    const std::uint64_t place = (index * (random[0] | 1U) + random[1]) % block;
    const std::uint64_t turn = (index / block * block + place) * 0x9E3779B97F4A7C15U +
                               RandomStream(seed, Purpose::quota, 1).block(0)[0] * 0x100000001U;
    const double point =
        to_uniform_double(static_cast<std::uint32_t>(turn >> 32U), static_cast<std::uint32_t>(turn)) *
        until_.back();
    const auto at = std::upper_bound(until_.begin(), until_.end(), point) - until_.begin();
    return std::min(static_cast<std::size_t>(at), parts_.size() - 1);
  }

private:
  std::vector<ResolvedConditions> parts_;
  std::vector<double> until_; ///< the shares of each part and those before it
};

ROWSMITH_END
