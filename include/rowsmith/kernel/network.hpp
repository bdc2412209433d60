// SPDX-License-Identifier: MIT
/// \file
/// Networks for one row: weights in panels that stream through the caches in the order of use.
///
/// Each element of a product is summed over k in rising order, in blocks of `depth_block`, by the very
/// expressions of linalg/gemm.hpp: compiled with the same flags, a row alone has the bits it has in a batch.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <rowsmith/kernel/simd.hpp>

ROWSMITH_BEGIN

enum class ActivationKind { identity, relu, leaky_relu, tanh, sigmoid };

/// An activation function and its parameter.
struct Activation {
  ActivationKind kind = ActivationKind::identity;
  double slope = 0.2; ///< of leaky_relu for x < 0; must be positive
  constexpr bool operator==(const Activation&) const = default;
};

namespace kernel {

/// Terms of a product that are summed before they are added to what was before them.
inline constexpr Index depth_block = 256;

/// `count` rounded up to a multiple of `unit`.
constexpr Index padded(Index count, Index unit) noexcept { return (count + unit - 1) / unit * unit; }

/// Registers of sums in a product: as many as hide a fused operation's latency of four cycles, two a cycle.
inline constexpr Index product_vectors = 8;

/// x -> f(x) in place on `count` elements.
template <class Scalar>
inline void activate(const Activation& activation, Scalar* x, Index count) noexcept {
  using V = simd::Vector<Scalar>;
  switch (activation.kind) {
  case ActivationKind::identity:
    break;
  case ActivationKind::relu:
    for (Index i = 0; i < count; ++i)
      x[i] = x[i] < 0 ? Scalar(0) : x[i]; // this way round NaN passes and is seen by the loss
    break;
  case ActivationKind::leaky_relu: {
    const auto slope = static_cast<Scalar>(activation.slope);
    for (Index i = 0; i < count; ++i)
      x[i] = x[i] < 0 ? slope * x[i] : x[i];
    break;
  }
  case ActivationKind::tanh:
    simd::transform(x, x, count, [](const V& v) { return simd::tanh(v); });
    break;
  case ActivationKind::sigmoid:
    simd::transform(x, x, count, [](const V& v) { return simd::sigmoid(v); });
    break;
  }
}

/// y = gain · (x − mean) / sqrt(variance + 1e-5) + bias for `n` numbers. \returns 1 / sqrt(variance + 1e-5),
/// and leaves the normalised numbers in `normal` if that is not null
template <class Scalar, class Numbers>
inline Scalar normalise_row(const Scalar* x, const Numbers& gain, const Numbers& bias, Scalar* y, Index n,
                            Scalar* normal = nullptr) noexcept {
  Scalar mean = 0;
  for (Index j = 0; j < n; ++j)
    mean += x[j];
  mean /= static_cast<Scalar>(n);
  Scalar variance = 0;
  for (Index j = 0; j < n; ++j)
    variance += (x[j] - mean) * (x[j] - mean);
  variance /= static_cast<Scalar>(n);
  const Scalar inverse_sd = 1 / std::sqrt(variance + Scalar(1e-5));
  for (Index j = 0; j < n; ++j) {
    const Scalar value = (x[j] - mean) * inverse_sd;
    if (normal != nullptr)
      normal[j] = value;
    y[j] = gain[j] * value + bias[j];
  }
  return inverse_sd;
}

/// A weight matrix, depth × columns, in panels of columns or row by row. \see FloatWeights, HalfWeights,
/// ByteWeights
struct Matrix {
  std::size_t at = 0;
  Index depth = 0;
  Index columns = 0;
  std::size_t scale = 0; ///< if weights are scaled: where its numbers begin, one a column
};

/// Weights and numbers (biases and the like, never rounded) as floats in one array. A matrix lies in panels
/// of `panel` columns, k running slowest in each; the last one has `unit` or a multiple.
struct FloatWeights {
  static constexpr Index unit = simd::lanes<float>;
  static constexpr Index panel = product_vectors * unit;
  static constexpr bool scaled = false;
  const float* values = nullptr;

  const float* numbers(std::size_t at) const noexcept { return values + at; }
  const float* row(const Matrix& matrix, Index r) const noexcept {
    return values + matrix.at + static_cast<std::size_t>(r * matrix.columns);
  }
  simd::Vector<float> vector(std::size_t at) const noexcept { return simd::load(values + at); }
};

/// How a weight is stored: `size` bytes; one of them; a register full.
struct Float32 {
  static constexpr std::size_t size = 4;
  static constexpr bool scaled = false;
  static float one(const char* from) noexcept {
    float value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static simd::Vector<float> vector(const char* from) noexcept {
    simd::Vector<float> value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
};
/// Half precision: shifted into place, the exponent is too small by 112.
struct Float16 {
  static constexpr std::size_t size = 2;
  static constexpr bool scaled = false;
  static float one(const char* from) noexcept {
    std::uint16_t half = 0;
    std::memcpy(&half, from, sizeof half);
    const std::uint32_t wide = half;
    const float value = std::bit_cast<float>((wide & 0x7FFFU) << 13U) * 0x1p112F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | (wide & 0x8000U) << 16U);
  }
  static simd::Vector<float> vector(const char* from) noexcept {
    // The processor's own conversion gives the same: each half is a float.
#if defined(__AVX512F__)
    __m256i packed;
    std::memcpy(&packed, from, sizeof packed);
    const auto result = reinterpret_cast<simd::Vector<float>>(_mm512_maskz_cvtph_ps(0xFFFF, packed));
#elif defined(__F16C__)
    __m128i packed;
    std::memcpy(&packed, from, sizeof packed);
    const auto result = reinterpret_cast<simd::Vector<float>>(_mm256_cvtph_ps(packed));
#else
    typedef std::uint16_t Halves __attribute__((vector_size(simd::register_bytes / 2)));
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    const auto wide = __builtin_convertvector(halves, simd::Vector<std::uint32_t>);
    const simd::Vector<std::uint32_t> shifted = (wide & 0x7FFFU) << 13U;
    const simd::Vector<float> value = simd::bit_cast<float, std::uint32_t>(shifted) * 0x1p112F;
    const simd::Vector<std::uint32_t> sign = (wide & 0x8000U) << 16U;
    const auto result =
        simd::bit_cast<float, std::uint32_t>(simd::bit_cast<std::uint32_t, float>(value) | sign);
#endif
    return result;
  }
};
/// A byte: a column's weights are whole numbers times its scale.
struct Int8 {
  static constexpr std::size_t size = 1;
  static constexpr bool scaled = true;
  static float one(const char* from) noexcept { return static_cast<float>(static_cast<std::int8_t>(*from)); }
  static simd::Vector<float> vector(const char* from) noexcept {
    typedef std::int8_t Bytes __attribute__((vector_size(simd::register_bytes / 4)));
    Bytes bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return __builtin_convertvector(bytes, simd::Vector<float>);
  }
};

/// Weights in half precision, numbers as floats: half as much to read for a row. Laid out as `FloatWeights`.
struct HalfWeights {
  static constexpr Index unit = FloatWeights::unit;
  static constexpr Index panel = FloatWeights::panel;
  static constexpr bool scaled = false;
  const std::uint16_t* values = nullptr;
  const float* floats = nullptr;

  struct Row {
    const std::uint16_t* from;
    float operator[](Index i) const noexcept { return Float16::one(reinterpret_cast<const char*>(from + i)); }
  };
  const float* numbers(std::size_t at) const noexcept { return floats + at; }
  Row row(const Matrix& matrix, Index r) const noexcept {
    return {values + matrix.at + static_cast<std::size_t>(r * matrix.columns)};
  }
  simd::Vector<float> vector(std::size_t at) const noexcept {
    return Float16::vector(reinterpret_cast<const char*>(values + at));
  }
};

/// Weights and numbers as little-endian bytes, for any register: a matrix lies in panels of 16 columns.
template <class Stored>
struct ByteWeights {
  static constexpr Index unit = 16;
  static constexpr Index panel = 16;
  static constexpr bool scaled = Stored::scaled;
  const char* weights = nullptr;
  const char* floats = nullptr;

  struct Numbers {
    const char* from;
    float operator[](Index i) const noexcept { return Float32::one(from + 4 * i); }
  };
  struct Row {
    const char* from;
    Numbers scale;
    float operator[](Index i) const noexcept {
      const float value = Stored::one(from + static_cast<Index>(Stored::size) * i);
      if constexpr (scaled)
        return value * scale[i];
      else
        return value;
    }
  };
  Numbers numbers(std::size_t at) const noexcept { return {floats + 4 * at}; }
  Row row(const Matrix& matrix, Index r) const noexcept {
    return {weights + Stored::size * (matrix.at + static_cast<std::size_t>(r * matrix.columns)),
            numbers(matrix.scale)};
  }
  simd::Vector<float> vector(std::size_t at) const noexcept {
    return Stored::vector(weights + Stored::size * at);
  }
};

/// As many registers of y = x · matrix as `Vector` has entries, from the panels at `at`.
template <class Weights, std::size_t... Vector>
inline void product_of(const Weights& weights, std::size_t at, Index depth, const float* x, float* y,
                       std::index_sequence<Vector...>) noexcept {
  using V = simd::Vector<float>;
  constexpr auto width = static_cast<std::size_t>(simd::lanes<float>);
  // Registers in a panel: the last one of floats is as narrow as it can be.
  constexpr std::size_t most = static_cast<std::size_t>(Weights::panel) / width;
  constexpr std::size_t each = Weights::unit == Weights::panel ? most : std::min(most, sizeof...(Vector));
  const std::size_t panel = static_cast<std::size_t>(depth) * each * width;
  Index k = 0;
  do {
    const bool first = k == 0;
    const Index end = std::min(depth, k + depth_block);
    V sum[sizeof...(Vector)] = {((void)Vector, V{})...};
    for (; k < end; ++k, at += each * width)
      ((sum[Vector] += x[k] * weights.vector(at + Vector / each * panel + Vector % each * width)), ...);
    if (first)
      (simd::store(y + Vector * width, sum[Vector]), ...);
    else
      (simd::store(y + Vector * width, V(simd::load(y + Vector * width) + sum[Vector])), ...);
  } while (k < depth);
}

/// y = x · matrix for one row. \param y  room for padded(columns, Weights::unit)
template <class Weights>
inline void product(const Weights& weights, const Matrix& matrix, const float* x, float* y) noexcept {
  constexpr Index step = product_vectors * simd::lanes<float>;
  std::size_t at = matrix.at;
  float* to = y;
  Index vectors = padded(matrix.columns, Weights::unit) / simd::lanes<float>;
  for (; vectors >= product_vectors; vectors -= product_vectors, to += step) {
    product_of(weights, at, matrix.depth, x, to, std::make_index_sequence<product_vectors>{});
    at += static_cast<std::size_t>(matrix.depth * step);
  }
  const auto last = [&](auto count) {
    product_of(weights, at, matrix.depth, x, to, std::make_index_sequence<count>{});
  };
  switch (vectors) { // fewer than product_vectors
  case 1:
    last(std::integral_constant<std::size_t, 1>{});
    break;
  case 2:
    last(std::integral_constant<std::size_t, 2>{});
    break;
  case 3:
    last(std::integral_constant<std::size_t, 3>{});
    break;
  case 4:
    last(std::integral_constant<std::size_t, 4>{});
    break;
  case 5:
    last(std::integral_constant<std::size_t, 5>{});
    break;
  case 6:
    last(std::integral_constant<std::size_t, 6>{});
    break;
  case 7:
    last(std::integral_constant<std::size_t, 7>{});
    break;
  default:
    break;
  }
  if constexpr (Weights::scaled) {
    const auto scale = weights.numbers(matrix.scale);
    for (Index j = 0; j < matrix.columns; ++j)
      y[j] *= scale[j];
  }
}

/// y[j] += x[j] for `count` numbers.
template <class Numbers>
inline void add(const Numbers& x, Index count, float* y) noexcept {
  for (Index j = 0; j < count; ++j)
    y[j] += x[j];
}

enum class LayerKind : std::uint8_t { dense, layer_norm, activation };

/// One step: y = f(x · matrix + bias), a layer normalisation, or an activation alone.
struct Layer {
  LayerKind kind = LayerKind::dense;
  Index outputs = 0;
  Matrix matrix;        ///< dense
  std::size_t gain = 0; ///< layer_norm
  std::size_t bias = 0; ///< dense, layer_norm
  Activation activation;
};

/// A chain of layers. A view; without layers it passes its input on.
struct Network {
  const Layer* layers = nullptr;
  Index count = 0;
  bool residual = false; ///< the first outputs-many inputs are added to the outputs
};

/// Runs one row. \param x  may be buffers[0] or [1], unless the network is residual
/// \returns the result, in one of the buffers, or `x` if there are no layers
template <class Weights>
inline const float* run(const Weights& weights, const Network& network, const float* x,
                        float* const* buffers) noexcept {
  const float* const input = x;
  for (Index i = 0; i < network.count; ++i) {
    const Layer& layer = network.layers[i];
    float* y = x == buffers[0] ? buffers[1] : buffers[0];
    switch (layer.kind) {
    case LayerKind::dense:
      product(weights, layer.matrix, x, y);
      add(weights.numbers(layer.bias), layer.outputs, y);
      activate(layer.activation, y, layer.outputs);
      break;
    case LayerKind::layer_norm:
      normalise_row(x, weights.numbers(layer.gain), weights.numbers(layer.bias), y, layer.outputs);
      break;
    case LayerKind::activation:
      std::copy_n(x, layer.outputs, y);
      activate(layer.activation, y, layer.outputs);
      break;
    }
    x = y;
  }
  if (network.residual && network.count > 0) {
    float* y = x == buffers[0] ? buffers[0] : buffers[1];
    add(input, network.layers[network.count - 1].outputs, y);
  }
  return x;
}

} // namespace kernel
ROWSMITH_END
