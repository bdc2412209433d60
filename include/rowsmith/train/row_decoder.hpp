// SPDX-License-Identifier: MIT
/// \file
/// Real and generated rows as a discriminator `OnRows` reads them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/gumbel.hpp>
#include <rowsmith/models/table_model_parts.hpp>
#include <rowsmith/nn/layers.hpp>
#include <rowsmith/train/batches.hpp>

ROWSMITH_BEGIN

namespace detail {
/// Heads whose draw a generator can learn through.
template <class Heads>
concept DecodesDifferentiably = requires(const Heads& heads) {
  heads.heads();
};
} // namespace detail

/// A frozen decoder on a tape: scaled latent code -> decoded row, drawn by the straight-through Gumbel
/// softmax.
template <class AutoencoderType>
class RowDecoder {
public:
  RowDecoder() = default;
  /// \param weights, rows, model  must outlive the decoder; of `model`, the latent scaling is used
  RowDecoder(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
             const EncodedTable& rows, const TableModelParts& model, double temperature)
      : autoencoder_(&autoencoder), weights_(&weights), rows_(&rows), model_(&model),
        temperature_(temperature) {}

  /// Width of a decoded row.
  Index width() const {
    const auto& heads = autoencoder_->heads().heads();
    return heads.empty() ? 0 : heads.back().offset + heads.back().width;
  }
  /// Writes real rows, one-hot and numbers, `stride` floats apart.
  void real(std::span<const std::uint32_t> rows, float* to, Index stride) const {
    std::vector<std::int32_t> codes(rows_->code_columns());
    std::vector<float> numbers(rows_->number_columns());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows_->gather(rows.subspan(i, 1), autoencoder_->code_offsets().data(), codes.data(), numbers.data());
      float* row = to + static_cast<Index>(i) * stride;
      std::fill_n(row, width(), 0.0F);
      autoencoder_->heads().one_hot(codes.data(), numbers.data(), row);
    }
  }
  /// Decoded rows of generated codes, differentiable in them. \param code  rows × latent width, scaled
  Variable<float> generated(const Variable<float>& code, const Pass& pass) const {
    auto& tape = code.tape();
    const BoundParameters<float> frozen(tape, weights_->data(), nullptr);
    const auto outputs = autoencoder_->outputs(frozen, unscale(code), {.seed = pass.seed, .step = pass.step});
    const auto& heads = autoencoder_->heads().heads();
    return gumbel_rows(outputs, heads.data(), static_cast<Index>(heads.size()), temperature_,
                       pass.stream(Purpose::generator_noise, 2), pass.first_row);
  }

private:
  Variable<float> unscale(const Variable<float>& code) const {
    const Index width = code.columns();
    const float* scale = model_->latent_scale.data();
    const float* offset = model_->latent_offset.data();
    const float* bound = model_->latent_bound.empty() ? nullptr : model_->latent_bound.data();
    auto y = code.tape().make(code.rows(), width, code.needs_gradient());
    for (Index i = 0; i < code.size(); ++i) {
      const Index j = i % width;
      const float x = bound == nullptr ? code.data()[i] : std::atanh(bound[j] * code.data()[i]);
      y.data()[i] = x * scale[j] + offset[j];
    }
    code.tape().on_backward(y, [=] {
      const float* dy = y.adjoint().data();
      const float* x = code.data();
      detail::contribute(code, [=](Index i) {
        const Index j = i % width;
        if (bound == nullptr)
          return dy[i] * scale[j];
        const float inner = bound[j] * x[i];
        return dy[i] * scale[j] * bound[j] / (1 - inner * inner);
      });
    });
    return y;
  }

  const AutoencoderType* autoencoder_ = nullptr;
  const AlignedBuffer<float>* weights_ = nullptr;
  const EncodedTable* rows_ = nullptr;
  const TableModelParts* model_ = nullptr;
  double temperature_ = 1;
};

ROWSMITH_END
