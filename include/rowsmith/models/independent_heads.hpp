// SPDX-License-Identifier: MIT
/// \file
/// Heads that are independent of each other given the latent code: the base method.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <rowsmith/models/heads.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/nn/layers.hpp>

ROWSMITH_BEGIN

/// Trained heads that are independent of each other: the decoder's network ends in them.
struct IndependentNetwork {
  static Index reads(const TableEncoder& encoder) noexcept { return encoder.width(); }
  static void check(const TableEncoder&) noexcept {}
  static std::vector<std::vector<std::int32_t>> stretches(const TableEncoder& encoder) {
    std::vector<std::vector<std::int32_t>> result;
    for (std::size_t h = 0; h < encoder.layout().size(); ++h)
      result.push_back({static_cast<std::int32_t>(h)});
    return result;
  }
  static kernel::IndependentHeads view(const kernel::Columns& columns) noexcept {
    Index widest = 0;
    for (std::size_t h = 0; h < columns.stretches; ++h)
      widest = std::max(widest, Index{columns.layout[h].width});
    return {widest};
  }
  template <class DrawOf>
  static void draw(const kernel::Columns& columns, const float* read, Index rows, const DrawOf& draw_of,
                   std::int32_t* codes, InferenceScratch&) {
    detail::draw_each_row(view(columns), columns, read, width_of(columns), rows, draw_of, codes);
  }
  static void score(const kernel::Columns& columns, const float* read, Index rows, const std::int32_t* codes,
                    const float* numbers, double* scores, InferenceScratch&) {
    detail::score_each_row(view(columns), columns, read, width_of(columns), rows, codes, numbers, scores);
  }

private:
  static Index width_of(const kernel::Columns& columns) noexcept {
    const auto& last = columns.layout[columns.stretches - 1];
    return Index{last.offset} + last.width;
  }
};

/// Marks the last element of an `Autoencoder`: one linear head per column, independent of each other given
/// the latent code. The base method, and the default.
class IndependentHeads {
public:
  static constexpr bool mirror_decoder = true;

  /// \param inputs  width of what the heads read
  void configure(Index inputs, const TableEncoder& encoder, double label_weight, const HeadRows&,
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
  IndependentNetwork network(const float*) const { return {}; }

private:
  std::vector<Head> heads_;
  ParameterBlock weight_;
  ParameterBlock bias_;
};

ROWSMITH_END
