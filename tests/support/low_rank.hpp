// SPDX-License-Identifier: MIT
// The layer that docs/extending.md teaches, to the letter: a test compares the two.
#pragma once

#include <cstdint>
#include <string>

#include <rowsmith/autodiff/ops/dense.hpp>
#include <rowsmith/nn/layers.hpp>

namespace rs = rowsmith;

/// x · A · B + b with a narrow A: a layer of `Out` outputs that has fewer weights than `Dense<Out>`.
template <rs::Index Rank, rs::Index Out>
struct LowRank {
  rs::Index configure(rs::Index inputs, rs::ParameterLayout& layout, const std::string& name) {
    narrow = layout.add(name + ".narrow", inputs, Rank, rs::Initialiser::xavier_uniform);
    narrow_bias = layout.add(name + ".narrow_bias", 1, Rank, rs::Initialiser::zeros);
    wide = layout.add(name + ".wide", Rank, Out, rs::Initialiser::xavier_uniform);
    wide_bias = layout.add(name + ".wide_bias", 1, Out, rs::Initialiser::zeros);
    return Out;
  }
  template <class Scalar>
  rs::Variable<Scalar> forward(const rs::BoundParameters<Scalar>& parameters, const rs::Variable<Scalar>& x,
                               const rs::Pass&, std::uint32_t) const {
    return rs::dense(rs::dense(x, parameters[narrow], parameters[narrow_bias]), parameters[wide],
                     parameters[wide_bias]);
  }
  void append_to(rs::InferenceNetwork& network, const float* values, rs::Index) const {
    network.add(rs::linear_layer(values, narrow, narrow_bias));
    network.add(rs::linear_layer(values, wide, wide_bias));
  }
  rs::ParameterBlock narrow, narrow_bias, wide, wide_bias;
};
