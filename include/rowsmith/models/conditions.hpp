// SPDX-License-Identifier: MIT
/// \file
/// What rows are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/kernel/row.hpp>

ROWSMITH_BEGIN

/// Rows shall have one of these values in a column, each as often as its share among them says. The label of
/// a conditional model is the one column that can be asked for.
struct Condition {
  std::string column;
  std::vector<std::string> values;
};

/// How to draw rows.
struct SampleOptions {
  std::uint64_t seed = 0; ///< row i depends on the model, the seed, the conditions and i only
  /// Short for the condition that the label column has this one value; empty: no such condition. Labels that
  /// nothing is asked of are drawn as often as in training. Every row has its label, unless categories are
  /// decoded by argmax: then the label's head has the last word.
  std::string label{};
  std::vector<Condition> conditions{}; ///< all of them hold
  std::uint64_t first_row = 0; ///< number of the first row: rows 5…9 are rows 0…4 of `first_row = 5`
  int threads = 0;             ///< 0: all; never changes the result
};

/// Conditions that a model has checked and looked up, for many rows. A value type; made by
/// `TableModel::resolve`.
class ResolvedConditions {
public:
  /// None: of a model without labels.
  ResolvedConditions() = default;
  /// \param labels  the allowed ones \param shares  of each; they add up to 1
  ResolvedConditions(std::vector<std::size_t> labels, std::vector<double> shares)
      : labels_(std::move(labels)), shares_(std::move(shares)) {}

  /// The label of row `index` of the sample with `seed`; 0 of a model without labels. Allocates nothing.
  std::size_t label(std::uint64_t seed, std::uint64_t index) const noexcept {
    return labels_.empty()       ? 0
           : labels_.size() == 1 ? labels_.front()
                                 : labels_[kernel::draw_label(shares_.data(), shares_.size(), seed, index)];
  }
  /// The allowed labels.
  const std::vector<std::size_t>& labels() const noexcept { return labels_; }

private:
  std::vector<std::size_t> labels_;
  std::vector<double> shares_;
};

ROWSMITH_END
