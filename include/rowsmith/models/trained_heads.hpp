// SPDX-License-Identifier: MIT
/// \file
/// Trained heads of any kind as a value.
#pragma once

#include <variant>

#include <rowsmith/models/autoregressive_heads.hpp>
#include <rowsmith/models/independent_heads.hpp>
#include <rowsmith/models/joint_codes.hpp>
#include <rowsmith/models/tree_heads.hpp>

ROWSMITH_BEGIN

/// One of the kinds; models/heads.hpp says what each has.
using TrainedHeads =
    std::variant<IndependentNetwork, JointCodes, AutoregressiveNetwork, TreeNetwork, MixedNetwork>;

/// Whether heads see the columns before each column, beside the latent code, which they may read themselves.
inline bool draws_in_order(const TrainedHeads& heads) {
  return !std::holds_alternative<IndependentNetwork>(heads) && !std::holds_alternative<JointCodes>(heads);
}

/// Whether what heads draw depends on the latent code: not if they are trees that never ask for it.
inline bool reads_latent(const TrainedHeads& heads) {
  const auto* trees = std::get_if<TreeNetwork>(&heads);
  return trees == nullptr || trees->reads_latent();
}

ROWSMITH_END
