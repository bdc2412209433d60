// SPDX-License-Identifier: MIT
/// \file
/// Networks laid out for one row at a time: weights in panels that stream through the caches in the order of
/// use, no allocation, and the same bits as `InferenceNetwork::run`.
///
/// Each element of a product is summed over k in rising order, in blocks of `depth_block`, by the very
/// expressions of linalg/gemm.hpp: compiled with the same flags, a row alone has the bits it has in a batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/linalg/gemm.hpp>
#include <rowsmith/linalg/simd.hpp>
#include <rowsmith/nn/inference.hpp>

ROWSMITH_BEGIN
namespace detail {

/// `count` rounded up to whole registers.
constexpr Index padded(Index count) noexcept {
  return (count + simd::lanes<float> - 1) / simd::lanes<float> * simd::lanes<float>;
}

/// Registers of sums in a panel: as many as hide a fused operation's latency of four cycles, two a cycle.
inline constexpr Index panel_vectors = 8;

/// The weights of a sampler, one stretch after the other in the order of use.
class WeightStore {
public:
  /// Appends `count` floats, zero at first, aligned to a cache line. \returns their offset
  std::size_t append(std::size_t count) {
    constexpr std::size_t line = buffer_alignment / sizeof(float);
    const std::size_t at = values_.size();
    values_.resize(at + (count + line - 1) / line * line);
    return at;
  }
  std::size_t size() const noexcept { return values_.size(); }
  float* at(std::size_t offset) noexcept { return values_.data() + offset; }
  AlignedBuffer<float> take() const {
    AlignedBuffer<float> result(values_.size());
    std::copy(values_.begin(), values_.end(), result.begin());
    return result;
  }

private:
  std::vector<float> values_;
};

/// A matrix in panels of up to `panel_vectors` registers of columns, k running slowest within a panel; the
/// last columns are padded by zeros.
struct PackedMatrix {
  Index depth = 0;
  Index columns = 0;
  std::size_t at = 0; ///< in the store

  PackedMatrix() = default;
  PackedMatrix(WeightStore& store, Index depth_, Index columns_, Operand<float> from)
      : depth(depth_), columns(columns_),
        at(store.append(static_cast<std::size_t>(depth_ * padded(columns_)))) {
    constexpr Index widest = panel_vectors * simd::lanes<float>;
    float* to = store.at(at);
    for (Index column = 0; column < columns; column += widest) {
      const Index panel = std::min(widest, padded(columns - column));
      const Index count = std::min(widest, columns - column);
      for (Index k = 0; k < depth; ++k, to += panel)
        for (Index j = 0; j < count; ++j)
          to[j] = from.data[k * from.row_stride + (column + j) * from.column_stride];
    }
  }
};

/// y = x · panel for one panel. \returns the end of the panel
template <std::size_t... Vector>
inline const float* panel_product(Index depth, const float* x, const float* panel, float* y,
                                  std::index_sequence<Vector...>) noexcept {
  using V = simd::Vector<float>;
  constexpr Index width = simd::lanes<float>;
  Index k = 0;
  do {
    const bool first = k == 0;
    const Index end = std::min(depth, k + depth_block);
    V sum[sizeof...(Vector)] = {((void)Vector, V{})...};
    for (; k < end; ++k, panel += sizeof...(Vector) * width)
      ((sum[Vector] += x[k] * simd::load(panel + Vector * width)), ...);
    if (first)
      (simd::store(y + Vector * width, sum[Vector]), ...);
    else
      (simd::store(y + Vector * width, V(simd::load(y + Vector * width) + sum[Vector])), ...);
  } while (k < depth);
  return panel;
}

/// y = x · matrix for one row. \param weights the store's values \param y room for padded(columns)
inline void packed_product(const PackedMatrix& matrix, const float* weights, const float* x,
                           float* y) noexcept {
  const float* panel = weights + matrix.at;
  Index vectors = padded(matrix.columns) / simd::lanes<float>;
  for (; vectors >= panel_vectors; vectors -= panel_vectors, y += panel_vectors * simd::lanes<float>)
    panel = panel_product(matrix.depth, x, panel, y, std::make_index_sequence<panel_vectors>{});
  switch (vectors) {
  case 1:
    panel_product(matrix.depth, x, panel, y, std::make_index_sequence<1>{});
    break;
  case 2:
    panel_product(matrix.depth, x, panel, y, std::make_index_sequence<2>{});
    break;
  case 3:
    panel_product(matrix.depth, x, panel, y, std::make_index_sequence<3>{});
    break;
  case 4:
    panel_product(matrix.depth, x, panel, y, std::make_index_sequence<4>{});
    break;
  case 5:
    panel_product(matrix.depth, x, panel, y, std::make_index_sequence<5>{});
    break;
  case 6:
    panel_product(matrix.depth, x, panel, y, std::make_index_sequence<6>{});
    break;
  case 7:
    panel_product(matrix.depth, x, panel, y, std::make_index_sequence<7>{});
    break;
  default:
    break;
  }
}

/// One step of `PackedNetwork`, as `InferenceLayer`.
struct PackedLayer {
  InferenceLayer::Kind kind = InferenceLayer::Kind::dense;
  Index inputs = 0;
  Index outputs = 0;
  PackedMatrix matrix;  ///< dense
  std::size_t gain = 0; ///< layer_norm
  std::size_t bias = 0; ///< dense, layer_norm
  Activation activation;
};

/// An `InferenceNetwork` for one row.
class PackedNetwork {
public:
  PackedNetwork() = default;
  /// \param first  layers before it are left out
  PackedNetwork(WeightStore& store, const InferenceNetwork& network, std::size_t first = 0)
      : residual_(network.residual()) {
    const auto copy = [&store](const AlignedBuffer<float>& from) {
      const std::size_t at = store.append(from.size());
      std::copy(from.begin(), from.end(), store.at(at));
      return at;
    };
    for (std::size_t i = first; i < network.layers().size(); ++i) {
      const auto& layer = network.layers()[i];
      PackedLayer packed;
      packed.kind = layer.kind;
      packed.inputs = layer.inputs;
      packed.outputs = layer.outputs;
      packed.activation = layer.activation;
      if (layer.kind == InferenceLayer::Kind::dense)
        packed.matrix = PackedMatrix(store, layer.inputs, layer.outputs,
                                     as_is<float>(layer.weight.data(), layer.outputs));
      else if (layer.kind == InferenceLayer::Kind::layer_norm)
        packed.gain = copy(layer.weight);
      if (layer.kind != InferenceLayer::Kind::activation)
        packed.bias = copy(layer.bias);
      widest_ = std::max(widest_, padded(layer.outputs));
      layers_.push_back(packed);
    }
  }

  /// Room that each of the two buffers of `run` needs.
  Index widest() const noexcept { return widest_; }

  /// Runs one row. \param weights the store's values \param x may be buffers[0] or [1], unless the network is
  /// residual \returns the result, in one of the buffers, or `x` if there are no layers
  const float* run(const float* weights, const float* x, float* const* buffers) const noexcept {
    const float* const input = x;
    for (const auto& layer : layers_) {
      float* y = x == buffers[0] ? buffers[1] : buffers[0];
      switch (layer.kind) {
      case InferenceLayer::Kind::dense: {
        packed_product(layer.matrix, weights, x, y);
        const float* bias = weights + layer.bias;
        for (Index j = 0; j < layer.outputs; ++j)
          y[j] += bias[j];
        activate(layer.activation, y, layer.outputs);
        break;
      }
      case InferenceLayer::Kind::layer_norm:
        normalise_row(x, weights + layer.gain, weights + layer.bias, y, layer.outputs);
        break;
      case InferenceLayer::Kind::activation:
        std::copy_n(x, layer.outputs, y);
        activate(layer.activation, y, layer.outputs);
        break;
      }
      x = y;
    }
    if (residual_ && !layers_.empty()) {
      float* y = x == buffers[0] ? buffers[0] : buffers[1];
      for (Index j = 0; j < layers_.back().outputs; ++j)
        y[j] += input[j];
    }
    return x;
  }

private:
  bool residual_ = false;
  std::vector<PackedLayer> layers_;
  Index widest_ = 0;
};

} // namespace detail
ROWSMITH_END
