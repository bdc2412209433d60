// SPDX-License-Identifier: MIT
/// \file
/// Heads that are independent of each other given the latent code: the base method.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <rowsmith/models/autoregressive_heads.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/joint_codes.hpp>
#include <rowsmith/nn/layers.hpp>

ROWSMITH_BEGIN

/// Marks the last element of an `Autoencoder`: one linear head per column, independent of each other given
/// the latent code. The base method, and the default.
class IndependentHeads {
public:
  static constexpr bool mirror_decoder = true;

  /// \param inputs  width of what the heads read
  void configure(Index inputs, const TableEncoder& encoder, double label_weight, const EncodedTable*,
                 ParameterLayout& layout) {
    heads_ = heads_of(encoder, label_weight);
    weight_ = layout.add("heads.weight", inputs, encoder.width(), Initialiser::xavier_uniform);
    bias_ = layout.add("heads.bias", 1, encoder.width(), Initialiser::zeros);
  }
  /// weight · Σ of every head's mean-squared error or cross-entropy. \param hidden  rows × inputs
  template <class Scalar>
  Variable<Scalar> loss(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& hidden,
                        const MixedRows<Scalar>& rows, const Pass&, double weight) const {
    return heads_loss(outputs(parameters, hidden), heads_.data(), static_cast<Index>(heads_.size()), rows,
                      weight);
  }
  /// Numbers and logits, rows × width.
  template <class Scalar>
  Variable<Scalar> outputs(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& hidden) const {
    return dense(hidden, parameters[weight_], parameters[bias_]);
  }
  const std::vector<Head>& heads() const noexcept { return heads_; }
  /// One-hot form of a row as the heads see it. \param codes, numbers  as in `MixedRows`
  void one_hot(const std::int32_t* codes, const float* numbers, float* to) const {
    for (const auto& head : heads_)
      if (head.categorical)
        to[*codes++] = 1;
      else
        to[head.offset] = *numbers == *numbers ? *numbers : 0, ++numbers;
  }
  /// Adds the heads as the decoder's last layer.
  void append_to(InferenceNetwork& network, const float* values) const {
    network.add(linear_layer(values, weight_, bias_));
  }
  /// None: the decoder's network has the heads.
  AutoregressiveNetwork network(const float*) const { return {}; }
  JointCodes joint_codes() const { return {}; }

private:
  std::vector<Head> heads_;
  ParameterBlock weight_;
  ParameterBlock bias_;
};

ROWSMITH_END
