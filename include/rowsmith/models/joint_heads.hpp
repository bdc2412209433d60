// SPDX-License-Identifier: MIT
/// \file
/// Heads for several columns at once: columns that depend on each other most share a softmax.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/joint_codes.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/nn/layers.hpp>
#include <rowsmith/nn/parameters.hpp>

ROWSMITH_BEGIN

/// Marks the last element of an `Autoencoder`: columns that depend on each other are merged into heads of at
/// most `Most` combinations; the heads are independent of each other given the latent code. Needs every
/// column as codes.
template <Index Most = 128>
class JointHeads {
public:
  static_assert(Most > 1 && Most <= 65536, "JointHeads<Most> takes 2 to 65536 combinations");
  static constexpr bool mirror_decoder = true;

  /// \param rows  the training rows: which combinations occur \throws OptionError without them
  void configure(Index inputs, const TableEncoder& encoder, double label_weight, const HeadRows& rows,
                 ParameterLayout& layout) {
    if (rows.table == nullptr)
      throw OptionError("JointHeads need the encoded training rows: give them to the Autoencoder");
    joint_ = fit_joint_codes(encoder, *rows.table, static_cast<std::int32_t>(Most));
    for (const auto& stretch : encoder.layout())
      offsets_.push_back(stretch.offset);
    Index offset = 0;
    for (const auto& group : joint_.groups) {
      const bool label = std::any_of(group.columns.begin(), group.columns.end(), [&](std::int32_t h) {
        return encoder.is_label(encoder.layout()[static_cast<std::size_t>(h)]);
      });
      heads_.push_back({true, offset, group.width(), label ? label_weight : 1.0});
      offset += group.width();
    }
    weight_ = layout.add("heads.weight", inputs, offset, Initialiser::xavier_uniform);
    bias_ = layout.add("heads.bias", 1, offset, Initialiser::zeros);
  }
  /// weight · Σ of every head's cross-entropy. \param hidden  rows × inputs
  /// \throws ShapeError for a combination that no training row has
  template <class Scalar>
  Variable<Scalar> loss(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& hidden,
                        const MixedRows<Scalar>& rows, const Pass&, double weight) const {
    const auto groups = static_cast<Index>(heads_.size());
    auto* codes = parameters.tape().template allocate<std::int32_t>(rows.rows * groups);
    for (Index r = 0; r < rows.rows; ++r)
      for (Index g = 0; g < groups; ++g)
        codes[r * groups + g] = code_of(g, rows.codes + r * rows.code_columns);
    return heads_loss(outputs(parameters, hidden), heads_.data(), groups,
                      MixedRows<Scalar>{.rows = rows.rows, .code_columns = groups, .codes = codes}, weight);
  }
  /// Logits, rows × width.
  template <class Scalar>
  Variable<Scalar> outputs(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& hidden) const {
    return dense(hidden, parameters[weight_], parameters[bias_]);
  }
  const std::vector<Head>& heads() const noexcept { return heads_; }
  /// One-hot form of a row as the heads see it. \param codes  as in `MixedRows`
  void one_hot(const std::int32_t* codes, const float*, float* to) const {
    for (std::size_t g = 0; g < heads_.size(); ++g)
      to[code_of(static_cast<Index>(g), codes)] = 1;
  }
  void append_to(InferenceNetwork& network, const float* values) const {
    network.add(linear_layer(values, weight_, bias_));
  }
  const JointCodes& network(const float*) const noexcept { return joint_; }

private:
  std::int32_t code_of(Index g, const std::int32_t* codes) const {
    const auto& group = joint_.groups[static_cast<std::size_t>(g)];
    const std::int32_t number = group.view().find([&](std::size_t i) {
      const auto column = static_cast<std::size_t>(group.columns[i]);
      return codes[column] - offsets_[column];
    });
    if (number < 0)
      throw ShapeError("JointHeads: a row combines columns in a way that no training row does");
    return static_cast<std::int32_t>(heads_[static_cast<std::size_t>(g)].offset) + number;
  }
  JointCodes joint_;
  std::vector<Head> heads_;
  std::vector<std::int32_t> offsets_; ///< of each code column in an encoded row
  ParameterBlock weight_;
  ParameterBlock bias_;
};

ROWSMITH_END
