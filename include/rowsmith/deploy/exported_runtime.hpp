// SPDX-License-Identifier: MIT
/// \file
/// The code of exported headers, as text. Its arithmetic is that of linalg/, models/ and deploy/, expression
/// by expression, so that results have the same bits; tests compare them.
#pragma once

#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace detail {

inline constexpr std::string_view exported_includes = R"cpp(#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

static_assert(std::endian::native == std::endian::little, "this header holds little-endian weights");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"

)cpp";

inline constexpr std::string_view exported_types = R"cpp(// What a weight matrix, a layer, a column are.
struct Matrix {
  std::size_t at = 0;
  int depth = 0;
  int columns = 0;
  std::size_t scale = 0;
};
struct Layer {
  int kind = 0; // 0 dense, 1 layer normalisation, 2 activation
  int width = 0;
  Matrix matrix;
  std::size_t gain = 0;
  std::size_t bias = 0;
  int activation = 0; // 0 none, 1 ReLU, 2 leaky ReLU, 3 tanh, 4 logistic
  double slope = 0;
};
struct Column {
  std::string_view name;
  int kind = 0; // 0 categories, 1 standardised number, 2 exact values, 3 point masses and bins
  bool has_missing = false;
  bool has_other = false;
  std::int32_t codes = 0;
  std::size_t text = 0;
  std::int32_t texts = 0;
  std::size_t point = 0;
  std::size_t points = 0;
  std::size_t knot = 0;
  std::size_t bins = 0;
  int fine = 0; // parts of a bin, told apart by a second code
  double mean = 0;
  double sd = 1;
  double minimum = 0;
  double maximum = 0;
  double rounding = 0;
};
struct Head {
  bool categorical = false;
  std::size_t column = 0;
  std::int32_t offset = 0;
  std::int32_t width = 0;
  bool fine = false; // the part of a bin, whose code comes just before
};
struct Group { // a head that serves one or several columns
  std::size_t column = 0; // first of them in group_columns
  std::size_t columns = 0;
  std::size_t combination = 0; // first code of the combinations, in rising order
  std::int32_t width = 0;
  int label = -1; // which of its columns is the label's
};
struct Position {
  std::size_t head = 0;
  int codes = 0;
  Matrix gate;
  std::size_t gate_bias = 0;
  Matrix output;
  std::size_t output_bias = 0;
  Matrix later; // what each code adds to the positions after it
};

)cpp";

inline constexpr std::string_view exported_vectors = R"cpp(#if defined(__AVX512F__)
#define ROWSMITH_EXPORTED_BYTES 64
#elif defined(__AVX__)
#define ROWSMITH_EXPORTED_BYTES 32
#else
#define ROWSMITH_EXPORTED_BYTES 16
#endif
typedef float F __attribute__((vector_size(ROWSMITH_EXPORTED_BYTES)));
typedef std::uint32_t U __attribute__((vector_size(ROWSMITH_EXPORTED_BYTES)));
inline constexpr int lanes = ROWSMITH_EXPORTED_BYTES / 4;
#undef ROWSMITH_EXPORTED_BYTES

)cpp";

inline constexpr std::string_view exported_f32 = R"cpp(inline constexpr bool scaled = false;
inline float weight(std::size_t i) noexcept {
  float value;
  std::memcpy(&value, weight_bytes + 4 * i, sizeof value);
  return value;
}
inline F weights_at(std::size_t i) noexcept {
  F value;
  std::memcpy(&value, weight_bytes + 4 * i, sizeof value);
  return value;
}
)cpp";

inline constexpr std::string_view exported_f16 =
    R"cpp(typedef std::uint16_t Halves __attribute__((vector_size(sizeof(F) / 2)));
inline constexpr bool scaled = false;
// Half precision: shifted into place, the exponent is too small by 112.
inline float weight(std::size_t i) noexcept {
  std::uint16_t half;
  std::memcpy(&half, weight_bytes + 2 * i, sizeof half);
  const std::uint32_t wide = half;
  const float value = std::bit_cast<float>((wide & 0x7FFFU) << 13U) * 0x1p112F;
  return (wide & 0x8000U) != 0 ? -value : value;
}
inline F weights_at(std::size_t i) noexcept {
  Halves halves;
  std::memcpy(&halves, weight_bytes + 2 * i, sizeof halves);
  const U wide = __builtin_convertvector(halves, U);
  const U shifted = (wide & 0x7FFFU) << 13U;
  F value;
  std::memcpy(&value, &shifted, sizeof value);
  value *= 0x1p112F;
  U bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits |= (wide & 0x8000U) << 16U;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
)cpp";

inline constexpr std::string_view exported_i8 =
    R"cpp(typedef std::int8_t Bytes __attribute__((vector_size(sizeof(F) / 4)));
inline constexpr bool scaled = true; // a column's weights are whole numbers times its scale
inline float weight(std::size_t i) noexcept {
  return static_cast<float>(static_cast<std::int8_t>(weight_bytes[i]));
}
inline F weights_at(std::size_t i) noexcept {
  Bytes bytes;
  std::memcpy(&bytes, weight_bytes + i, sizeof bytes);
  return __builtin_convertvector(bytes, F);
}
)cpp";

inline constexpr std::string_view exported_code = R"cpp(
typedef std::int32_t I __attribute__((vector_size(sizeof(F))));

inline float number(std::size_t i) noexcept {
  float value;
  std::memcpy(&value, number_bytes + 4 * i, sizeof value);
  return value;
}
inline F load(const float* p) noexcept {
  F value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
inline void store(float* p, const F& value) noexcept { std::memcpy(p, &value, sizeof value); }
template <class To, class From>
inline To cast(const From& from) noexcept {
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
template <class Function>
inline void transform(const float* in, float* out, int count, const Function& f) noexcept {
  int i = 0;
  for (; i + lanes <= count; i += lanes)
    store(out + i, F(f(load(in + i))));
  if (i < count) {
    F part{};
    std::memcpy(&part, in + i, static_cast<std::size_t>(count - i) * sizeof(float));
    part = f(part);
    std::memcpy(out + i, &part, static_cast<std::size_t>(count - i) * sizeof(float));
  }
}

// Elementary functions after the Cephes library (S. Moshier, netlib).
inline F exp(F x) noexcept {
  x = x > 88.3762626F ? F{} + 88.3762626F : x;
  x = x < -87.3365402F ? F{} + -87.3365402F : x;
  const F shifted = x * 1.44269504088896341F + 12582912.0F;
  const F n = shifted - 12582912.0F;
  const F r = x - n * 0.693359375F - n * -2.12194440e-4F;
  F y = r * 1.9875691500e-4F + 1.3981999507e-3F;
  y = y * r + 8.3334519073e-3F;
  y = y * r + 4.1665795894e-2F;
  y = y * r + 1.6666665459e-1F;
  y = y * r + 5.0000001201e-1F;
  y = y * (r * r) + r + 1.0F;
  const U scale = (cast<U>(shifted) << 23U) + 0x3F800000U;
  return y * cast<F>(scale);
}
inline F log(const F& x) noexcept {
  const U bits = cast<U>(x);
  const U shifted = bits - 0x3F3504F3U;
  const I exponent_bits = cast<I>(shifted) >> 23;
  const F e = __builtin_convertvector(exponent_bits, F);
  const U mantissa = (shifted & 0x007FFFFFU) + 0x3F3504F3U;
  const F m = cast<F>(mantissa) - 1.0F;
  const F z = m * m;
  F y = m * 7.0376836292e-2F - 1.1514610310e-1F;
  y = y * m + 1.1676998740e-1F;
  y = y * m - 1.2420140846e-1F;
  y = y * m + 1.4249322787e-1F;
  y = y * m - 1.6668057665e-1F;
  y = y * m + 2.0000714765e-1F;
  y = y * m - 2.4999993993e-1F;
  y = y * m + 3.3333331174e-1F;
  y = y * m * z + e * -2.12194440e-4F - z * 0.5F;
  const F result = m + y + e * 0.693359375F;
  return x <= std::numeric_limits<float>::max() ? result : x;
}
inline F tanh(const F& x) noexcept {
  const F z = x * x;
  F small = z * -5.70498872745e-3F + 2.06390887954e-2F;
  small = small * z - 5.37397155531e-2F;
  small = small * z + 1.33314422036e-1F;
  small = small * z - 3.33332819422e-1F;
  small = small * z * x + x;
  const F large = 1.0F - 2.0F / (exp(F(x + x)) + 1.0F);
  return z < 0.390625F ? small : large;
}
inline void sin_cos_turn(const F& u, F& sine, F& cosine) noexcept {
  const F shifted = u * 4.0F + 12582912.0F;
  const U quadrant = cast<U>(shifted) & 3U;
  const F a = (u - (shifted - 12582912.0F) * 0.25F) * 6.28318530718F;
  const F z = a * a;
  F s = z * -1.9515295891e-4F + 8.3321608736e-3F;
  s = (s * z - 1.6666654611e-1F) * z * a + a;
  F c = z * 2.443315711809948e-5F - 1.388731625493765e-3F;
  c = (c * z + 4.166664568298827e-2F) * z * z - z * 0.5F + 1.0F;
  const auto swap = (quadrant & 1U) != 0U;
  const F s_or_c = swap ? c : s;
  const F c_or_s = swap ? s : c;
  sine = (quadrant & 2U) != 0U ? -s_or_c : s_or_c;
  cosine = ((quadrant + 1U) & 2U) != 0U ? -c_or_s : c_or_s;
}

// Random numbers by counters: Philox4x32-10 (Salmon et al. 2011).
struct Block {
  std::uint32_t word[4];
};
inline Block philox(std::uint64_t seed, std::uint32_t purpose, std::uint64_t index) noexcept {
  std::uint32_t c0 = static_cast<std::uint32_t>(index);
  std::uint32_t c1 = static_cast<std::uint32_t>(index >> 32U);
  std::uint32_t c2 = purpose;
  std::uint32_t c3 = 0;
  std::uint32_t k0 = static_cast<std::uint32_t>(seed);
  std::uint32_t k1 = static_cast<std::uint32_t>(seed >> 32U);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = c0 * std::uint64_t{0xD2511F53U};
    const std::uint64_t p1 = c2 * std::uint64_t{0xCD9E8D57U};
    c0 = static_cast<std::uint32_t>(p1 >> 32U) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32U) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}
constexpr float to_uniform(std::uint32_t bits) noexcept {
  return (static_cast<float>(bits >> 9U) + 0.5F) * 0x1p-23F;
}
constexpr double to_position(std::uint32_t bits) noexcept {
  return (static_cast<double>(bits) + 0.5) * 0x1p-32;
}

inline double uniform(std::uint64_t seed, std::uint32_t purpose, std::uint64_t index) noexcept {
  const Block block = philox(seed, purpose, index);
  const std::uint64_t bits = (std::uint64_t{block.word[0]} << 32U) | block.word[1];
  return (static_cast<double>(bits >> 12U) + 0.5) * 0x1p-52;
}

// Standard normal numbers (Box & Muller 1958).
inline void fill_normal(std::uint64_t seed, std::uint64_t first, float* out, int count) noexcept {
  constexpr int pairs = 32;
  float radius[pairs];
  float turn[pairs];
  for (int done = 0; done < count; done += 2 * pairs) {
    const int part = count - done < 2 * pairs ? count - done : 2 * pairs;
    for (int i = 0; i < pairs; ++i)
      radius[i] = turn[i] = 0.5F;
    for (int i = 0; 4 * i < part; ++i) {
      const Block block = philox(seed, noise_purpose, first + static_cast<std::uint64_t>(done / 4 + i));
      radius[2 * i] = to_uniform(block.word[0]);
      turn[2 * i] = to_uniform(block.word[1]);
      radius[2 * i + 1] = to_uniform(block.word[2]);
      turn[2 * i + 1] = to_uniform(block.word[3]);
    }
    for (int i = 0; 2 * i < part; i += lanes) {
      F r = -2.0F * log(load(radius + i));
      for (int lane = 0; lane < lanes; ++lane)
        r[lane] = std::sqrt(r[lane]);
      F sine;
      F cosine;
      sin_cos_turn(load(turn + i), sine, cosine);
      store(radius + i, F(r * cosine));
      store(turn + i, F(r * sine));
    }
    for (int i = 0; i < part; ++i)
      out[done + i] = i % 2 == 0 ? radius[i / 2] : turn[i / 2];
  }
}

// y = x · matrix, whose columns stand in panels of 16: every element summed over k in rising order.
template <std::size_t... Vector>
inline void panels(int depth, const float* x, std::size_t at, float* y, std::index_sequence<Vector...>) noexcept {
  constexpr std::size_t each = 16 / lanes;
  int k = 0;
  do {
    const bool first = k == 0;
    const int end = depth < k + 256 ? depth : k + 256;
    F sum[sizeof...(Vector)] = {((void)Vector, F{})...};
    for (; k < end; ++k)
      ((sum[Vector] += x[k] * weights_at(at + (Vector / each * static_cast<std::size_t>(depth) +
                                               static_cast<std::size_t>(k)) * 16 + Vector % each * lanes)), ...);
    if (first)
      (store(y + Vector * lanes, sum[Vector]), ...);
    else
      (store(y + Vector * lanes, F(load(y + Vector * lanes) + sum[Vector])), ...);
  } while (k < depth);
}
inline void product(const Matrix& matrix, const float* x, float* y) noexcept {
  constexpr int each = 16 / lanes;
  int vectors = (matrix.columns + 15) / 16 * each;
  std::size_t at = matrix.at;
  float* to = y;
  for (; vectors >= 8; vectors -= 8, to += 8 * lanes, at += 8 / each * 16 * static_cast<std::size_t>(matrix.depth))
    panels(matrix.depth, x, at, to, std::make_index_sequence<8>{});
  switch (vectors) {
  case 1: panels(matrix.depth, x, at, to, std::make_index_sequence<1>{}); break;
  case 2: panels(matrix.depth, x, at, to, std::make_index_sequence<2>{}); break;
  case 3: panels(matrix.depth, x, at, to, std::make_index_sequence<3>{}); break;
  case 4: panels(matrix.depth, x, at, to, std::make_index_sequence<4>{}); break;
  case 5: panels(matrix.depth, x, at, to, std::make_index_sequence<5>{}); break;
  case 6: panels(matrix.depth, x, at, to, std::make_index_sequence<6>{}); break;
  case 7: panels(matrix.depth, x, at, to, std::make_index_sequence<7>{}); break;
  default: break;
  }
  if constexpr (scaled)
    for (int j = 0; j < matrix.columns; ++j)
      y[j] *= number(matrix.scale + static_cast<std::size_t>(j));
}
// to[j] += row[j]
inline void add_row(const Matrix& matrix, std::int32_t row, float* to) noexcept {
  const std::size_t at = matrix.at + static_cast<std::size_t>(row) * static_cast<std::size_t>(matrix.columns);
  for (int j = 0; j < matrix.columns; ++j) {
    const auto i = static_cast<std::size_t>(j);
    if constexpr (scaled)
      to[j] += weight(at + i) * number(matrix.scale + i);
    else
      to[j] += weight(at + i);
  }
}

inline void activate(int kind, double slope, float* x, int count) noexcept {
  switch (kind) {
  case 1:
    for (int i = 0; i < count; ++i)
      x[i] = x[i] < 0 ? 0.0F : x[i];
    break;
  case 2: {
    const float factor = static_cast<float>(slope);
    for (int i = 0; i < count; ++i)
      x[i] = x[i] < 0 ? factor * x[i] : x[i];
    break;
  }
  case 3: transform(x, x, count, [](const F& v) { return tanh(v); }); break;
  case 4: transform(x, x, count, [](const F& v) { return F(1 / (1 + exp(F(-v)))); }); break;
  default: break;
  }
}
inline void normalise(const float* x, std::size_t gain, std::size_t bias, float* y, int n) noexcept {
  float mean = 0;
  for (int j = 0; j < n; ++j)
    mean += x[j];
  mean /= static_cast<float>(n);
  float variance = 0;
  for (int j = 0; j < n; ++j)
    variance += (x[j] - mean) * (x[j] - mean);
  variance /= static_cast<float>(n);
  const float inverse_sd = 1 / std::sqrt(variance + 1e-5F);
  for (int j = 0; j < n; ++j) {
    const float value = (x[j] - mean) * inverse_sd;
    y[j] = number(gain + static_cast<std::size_t>(j)) * value + number(bias + static_cast<std::size_t>(j));
  }
}
inline const float* run(const Layer* layers, int count, const float* x, float* a, float* b) noexcept {
  for (int i = 0; i < count; ++i) {
    const Layer& layer = layers[i];
    float* y = x == a ? b : a;
    if (layer.kind == 0) {
      product(layer.matrix, x, y);
      for (int j = 0; j < layer.width; ++j)
        y[j] += number(layer.bias + static_cast<std::size_t>(j));
    } else if (layer.kind == 1) {
      normalise(x, layer.gain, layer.bias, y, layer.width);
    } else {
      std::copy_n(x, layer.width, y);
    }
    if (layer.kind != 1)
      activate(layer.activation, layer.slope, y, layer.width);
    x = y;
  }
  return x;
}

// The code that a head's softmax gives to a uniform number.
[[gnu::noinline]] inline std::int32_t choose(const float* logits, float* room, int width, float uniform) noexcept {
  if constexpr (!draws)
    return static_cast<std::int32_t>(std::max_element(logits, logits + width) - logits);
  float top = logits[0];
  for (int k = 1; k < width; ++k)
    top = top < logits[k] ? logits[k] : top;
  constexpr float inverse = 1 / temperature;
  transform(logits, room, width, [=](const F& v) { return exp(F((v - top) * inverse)); });
  float total = 0;
  for (int k = 0; k < width; ++k) {
    total += room[k];
    room[k] = total;
  }
  const float point = uniform * total;
  std::int32_t code = 0;
  for (int k = 0; k < width; ++k)
    code += room[k] <= point ? 1 : 0;
  return std::min(code, static_cast<std::int32_t>(width - 1));
}
// −log softmax(logits)[target]; changes the logits.
[[gnu::noinline]] inline double cross_entropy(float* logits, int width, std::int32_t target) noexcept {
  float largest = logits[0];
  for (int j = 1; j < width; ++j)
    largest = largest < logits[j] ? logits[j] : largest;
  for (int j = 0; j < width; ++j)
    logits[j] -= largest;
  const auto picked = static_cast<double>(logits[target]);
  transform(logits, logits, width, [](const F& v) { return exp(v); });
  float total = 0;
  for (int j = 0; j < width; ++j)
    total += logits[j];
  return std::log(static_cast<double>(total)) - picked;
}

inline double finish(const Column& column, double value) noexcept {
  if (column.rounding != 0)
    value = std::round(value * column.rounding) / column.rounding;
  return std::clamp(value, column.minimum, column.maximum);
}

void this_model_has_no_column_of_that_name(); // never defined: naming it stops the compiler

} // namespace detail

/// The position of a column; a name that is not there does not compile.
consteval std::size_t column(std::string_view name) {
  for (std::size_t i = 0; i < columns; ++i)
    if (detail::table[i].name == name)
      return i;
  detail::this_model_has_no_column_of_that_name();
  return columns;
}
constexpr std::string_view column_name(std::size_t column) noexcept { return detail::table[column].name; }
constexpr bool is_categorical(std::size_t column) noexcept { return detail::table[column].kind == 0; }

/// The number of a label's value, or `labels` if there is none of that text.
constexpr std::size_t label_index(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < labels && detail::label_texts[i] != text)
    ++i;
  return i;
}

/// A row: `number` of numerical columns, NaN if missing; `code` of categorical ones, -1 if missing.
struct Row {
  double number[columns];
  std::int32_t code[columns];

  constexpr Row() noexcept {
    for (std::size_t i = 0; i < columns; ++i) {
      number[i] = std::numeric_limits<double>::quiet_NaN();
      code[i] = -1;
    }
  }
  constexpr bool is_missing(std::size_t column) const noexcept {
    return is_categorical(column) ? code[column] < 0 : number[column] != number[column];
  }
  /// The text of a categorical column; empty if missing.
  constexpr std::string_view text(std::size_t column) const noexcept {
    return code[column] < 0 ? std::string_view()
                            : detail::texts[detail::table[column].text + static_cast<std::size_t>(code[column])];
  }
  /// Sets a categorical column. False, and no change, if the model has no such text.
  constexpr bool set_text(std::size_t column, std::string_view text) noexcept {
    const auto& c = detail::table[column];
    const std::int32_t count = c.texts + (c.has_other ? 1 : 0);
    for (std::int32_t k = 0; k < count; ++k)
      if (detail::texts[c.text + static_cast<std::size_t>(k)] == text) {
        code[column] = k;
        return true;
      }
    return false;
  }
};

/// The buffers of one thread.
struct Scratch {
  alignas(64) float input[detail::input_width];
  alignas(64) float a[detail::network_width + 16];
  alignas(64) float b[detail::network_width + 16];
  alignas(64) float latent[detail::latent_width];
  alignas(64) float room[detail::room_width];
  std::int32_t codes[detail::heads];
};

namespace detail {

// Writes the codes of a decoded row, and the numbers among a decoder's outputs.
inline void set_row(Row& row, const std::int32_t* codes, const float* outputs, const Block* words) noexcept {
  for (std::size_t h = 0; h < heads; ++h) {
    const std::size_t at = layout[h].column;
    const Column& column = table[at];
    float number = 0;
    std::int32_t code = 0;
    if (!layout[h].categorical) {
      number = outputs[layout[h].offset];
      if (column.codes > 0)
        ++h; // "present" and "missing"
    }
    if (layout[h].categorical)
      code = codes[h];
    double position = to_position(words[h / 2].word[h % 2 * 2 + 1]);
    if (column.fine > 0) {
      ++h;
      position = (static_cast<double>(codes[h]) + position) / static_cast<double>(column.fine);
    }
    if (column.has_missing && code == column.codes - 1) {
      row.number[at] = std::numeric_limits<double>::quiet_NaN();
      row.code[at] = -1;
    } else if (column.kind == 0) {
      row.code[at] = code;
    } else if (column.kind == 1) {
      row.number[at] = finish(column, column.mean + column.sd * static_cast<double>(number));
    } else if (static_cast<std::size_t>(code) < column.points) {
      row.number[at] = points[column.point + static_cast<std::size_t>(code)];
    } else {
      const double* knot = knots + column.knot + (static_cast<std::size_t>(code) - column.points);
      row.number[at] = finish(column, knot[0] + position * (knot[1] - knot[0]));
    }
  }
}
inline float uniform_at(const Block* words, std::size_t head) noexcept {
  return to_uniform(words[head / 2].word[head % 2 * 2]);
}
)cpp";

inline constexpr std::string_view exported_heads_independent = R"cpp(
inline void decode(const float* outputs, const Block* words, std::size_t label, Scratch& scratch, Row& row) noexcept {
  for (std::size_t h = 0; h < heads; ++h) {
    const Head& head = layout[h];
    if (labels > 0 && draws && head.column == label_column)
      scratch.codes[h] = static_cast<std::int32_t>(label);
    else if (head.categorical)
      scratch.codes[h] = choose(outputs + head.offset, scratch.room, head.width, uniform_at(words, h));
  }
  set_row(row, scratch.codes, outputs, words);
}
)cpp";

inline constexpr std::string_view exported_heads_joint = R"cpp(
inline void decode(const float* outputs, const Block* words, std::size_t label, Scratch& scratch, Row& row) noexcept {
  const float* logits = outputs;
  for (const Group& group : groups) {
    const std::int32_t* const combination = combinations + group.combination;
    const bool keep = labels > 0 && draws && group.label >= 0;
    for (std::int32_t k = 0; keep && k < group.width; ++k)
      scratch.room[k] = combination[static_cast<std::size_t>(k) * group.columns + static_cast<std::size_t>(group.label)] ==
                                static_cast<std::int32_t>(label)
                            ? logits[k]
                            : std::numeric_limits<float>::lowest();
    const std::int32_t code = choose(keep ? scratch.room : logits, scratch.room, group.width,
                                     uniform_at(words, group_columns[group.column]));
    for (std::size_t i = 0; i < group.columns; ++i)
      scratch.codes[group_columns[group.column + i]] = combination[static_cast<std::size_t>(code) * group.columns + i];
    if (keep)
      scratch.codes[group_columns[group.column + static_cast<std::size_t>(group.label)]] = static_cast<std::int32_t>(label);
    logits += group.width;
  }
  set_row(row, scratch.codes, outputs, words);
}
)cpp";

inline constexpr std::string_view exported_heads_in_order = R"cpp(
// Heads that see the columns before them. Calls choose_code(position, logits) -> code.
template <class Choose>
inline void run_heads(const float* hidden, Scratch& scratch, const Choose& choose_code) noexcept {
  constexpr int all = positions * unit_width;
  float* product_of_all = scratch.room;
  float* gate = product_of_all + (all + 15) / 16 * 16;
  float* sums = gate + (unit_width + 15) / 16 * 16;
  float* logits = sums + all;
  for (int j = 0; j < all; ++j)
    sums[j] = number(heads_bias + static_cast<std::size_t>(j));
  constexpr int parts = static_cast<int>(sizeof latent_parts / sizeof latent_parts[0]);
  if constexpr (parts == 1)
    product(latent_parts[0], hidden, product_of_all);
  for (int q = 0; q < positions; ++q) {
    const Position& position = order[q];
    float* h = sums + q * unit_width;
    for (int part = 0; part < parts; ++part) {
      if constexpr (parts != 1)
        product(latent_parts[part], hidden + part * 256, product_of_all);
      for (int j = 0; j < unit_width; ++j)
        h[j] += product_of_all[q * unit_width + j];
    }
    for (int j = 0; j < unit_width; ++j)
      h[j] = h[j] > 0 ? h[j] : 0.0F;
    product(position.gate, h, gate);
    for (int j = 0; j < unit_width; ++j)
      gate[j] += number(position.gate_bias + static_cast<std::size_t>(j));
    activate(1, 0, gate, unit_width);
    for (int j = 0; j < unit_width; ++j)
      h[j] += gate[j];
    product(position.output, h, logits);
    for (int j = 0; j < position.codes; ++j)
      logits[j] += number(position.output_bias + static_cast<std::size_t>(j));
    add_row(position.later, choose_code(position, logits), h + unit_width);
  }
}
inline void decode(const float* hidden, const Block* words, std::size_t label, Scratch& scratch, Row& row) noexcept {
  run_heads(hidden, scratch, [&](const Position& position, float* logits) noexcept {
    std::int32_t& code = scratch.codes[position.head];
    code = labels > 0 && layout[position.head].column == label_column
               ? static_cast<std::int32_t>(label)
               : choose(logits, logits, position.codes, uniform_at(words, position.head));
    return code;
  });
  set_row(row, scratch.codes, hidden, words);
}
)cpp";

inline constexpr std::string_view exported_encoding = R"cpp(
inline std::int32_t code_of(const Column& column, double value) noexcept {
  const double* first = points + column.point;
  const double* end = first + column.points;
  const double* point = std::lower_bound(first, end, value);
  if (point != end && *point == value)
    return static_cast<std::int32_t>(point - first);
  if (column.bins == 0) {
    if (point == end || (point != first && value - point[-1] <= *point - value))
      return static_cast<std::int32_t>(point - first) - 1;
    return static_cast<std::int32_t>(point - first);
  }
  const double* knot = knots + column.knot;
  const double* edge = std::upper_bound(knot + 1, knot + column.bins, value);
  return static_cast<std::int32_t>(column.points + static_cast<std::size_t>(edge - knot) - 1);
}
inline std::int32_t fine_of(const Column& column, double value, std::int32_t code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  if (index < column.points)
    return 0;
  const double* knot = knots + column.knot + (index - column.points);
  const double width = knot[1] - knot[0];
  const double part = width > 0 ? (value - knot[0]) / width * static_cast<double>(column.fine) : 0;
  return static_cast<std::int32_t>(std::clamp(part, 0.0, static_cast<double>(column.fine) - 0.5));
}
// How far the numbers of a row are outside the training rows' ranges, in steps of which a range has one for each
// code.
inline double outside(const Row& row) noexcept {
  double sum = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    const Column& column = table[c];
    const double distance = std::max(column.minimum - row.number[c], row.number[c] - column.maximum);
    const std::size_t steps = column.kind == 1 ? 1 : column.points + column.bins;
    if (column.kind != 0)
      sum += distance > 0 ? distance / (column.maximum - column.minimum) * static_cast<double>(steps) : 0;
  }
  return sum;
}
// Codes and numbers of a row, by head. False if a cell has no code.
inline bool encode(const Row& row, Scratch& scratch) noexcept {
  for (std::size_t h = 0; h < heads; ++h) {
    const Head& head = layout[h];
    const Column& column = table[head.column];
    const bool categorical = column.kind == 0;
    const double value = row.number[head.column];
    const std::int32_t category = row.code[head.column];
    const bool missing = categorical ? category == -1 : std::isnan(value);
    if ((missing && !column.has_missing) || (!categorical && std::isinf(value)))
      return false;
    if (categorical && !missing && (category < 0 || category >= column.texts + (column.has_other ? 1 : 0)))
      return false;
    scratch.codes[h] = -1;
    if (!head.categorical)
      scratch.input[h] = static_cast<float>((value - column.mean) / column.sd);
    else if (head.fine)
      scratch.codes[h] = missing ? 0 : fine_of(column, value, scratch.codes[h - 1]);
    else if (missing)
      scratch.codes[h] = column.codes - 1;
    else
      scratch.codes[h] = categorical ? category : column.kind == 1 ? 0 : code_of(column, value);
  }
  return true;
}
// The first layer adds up rows of its weights: those of the codes, then those of the numbers.
inline const float* encoded(Scratch& scratch) noexcept {
  const Layer& layer = encoder[0];
  float* y = scratch.a;
  for (int j = 0; j < layer.width; ++j)
    y[j] = number(layer.bias + static_cast<std::size_t>(j));
  for (std::size_t h = 0; h < heads; ++h)
    if (layout[h].categorical)
      add_row(layer.matrix, layout[h].offset + scratch.codes[h], y);
  for (std::size_t h = 0; h < heads; ++h) {
    if (layout[h].categorical || std::isnan(scratch.input[h]))
      continue;
    const float value = scratch.input[h];
    const std::size_t at =
        layer.matrix.at + static_cast<std::size_t>(layout[h].offset) * static_cast<std::size_t>(layer.width);
    for (int j = 0; j < layer.width; ++j) {
      const auto i = static_cast<std::size_t>(j);
      if constexpr (scaled)
        y[j] += value * (weight(at + i) * number(layer.matrix.scale + i));
      else
        y[j] += value * weight(at + i);
    }
  }
  activate(layer.activation, layer.slope, y, layer.width);
  const float* code = run(encoder + 1, static_cast<int>(sizeof encoder / sizeof encoder[0]) - 1, y, scratch.a, scratch.b);
  return run(decoder, decoder_layers, code, scratch.a, scratch.b);
}
)cpp";

inline constexpr std::string_view exported_sample = R"cpp(
// Turns standard normal numbers into a draw from a mixture of normal distributions.
inline void shape_noise(float* x, double choice, std::size_t label) noexcept {
  const double* shares = component_shares + label * components;
  std::size_t k = 0;
  for (double left = choice - shares[0]; left >= 0 && k + 1 < components; left -= shares[k])
    ++k;
  constexpr auto width = static_cast<std::size_t>(noise_width);
  const std::size_t mean = component_means + k * width;
  const std::size_t factor = component_factors + k * width * width;
  for (std::size_t j = width; j-- > 0;) {
    const float drawn = x[j];
    x[j] = number(mean + j) + number(factor + j * width + j) * drawn;
    for (std::size_t i = j + 1; i < width; ++i)
      x[i] += number(factor + i * width + j) * drawn;
  }
}
inline void make(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch, Row& row) noexcept {
  fill_normal(seed, index * ((noise_width + 3) / 4), scratch.input, noise_width);
  if constexpr (components > 0)
    shape_noise(scratch.input, uniform(seed, component_purpose, index), labels > 0 ? label : 0);
  for (std::size_t i = 0; i < labels; ++i)
    scratch.input[static_cast<std::size_t>(noise_width) + i] = i == label ? 1.0F : 0.0F;
  const float* made =
      run(generator, static_cast<int>(sizeof generator / sizeof generator[0]), scratch.input, scratch.a, scratch.b);
  std::copy_n(made, latent_width, scratch.latent);
  if constexpr (residual)
    for (int j = 0; j < latent_width; ++j)
      scratch.latent[j] += scratch.input[j];
  if constexpr (has_bound) {
    for (int j = 0; j < latent_width; ++j)
      scratch.latent[j] *= number(latent_bound + static_cast<std::size_t>(j));
    transform(scratch.latent, scratch.latent, latent_width,
              [](const F& x) { return F(0.5F * log(F((1.0F + x) / (1.0F - x)))); });
  }
  for (int j = 0; j < latent_width; ++j)
    scratch.latent[j] = scratch.latent[j] * number(latent_scale + static_cast<std::size_t>(j)) +
                        number(latent_offset + static_cast<std::size_t>(j));
  constexpr std::size_t blocks = (heads + 1) / 2;
  Block words[blocks];
  for (std::size_t i = 0; i < blocks; ++i)
    words[i] = philox(seed, decode_purpose, index * blocks + i);
  decode(run(decoder, decoder_layers, scratch.latent, scratch.a, scratch.b), words, label, scratch, row);
}
inline std::size_t drawn_label(std::uint64_t seed, std::uint64_t index) noexcept {
  double left = uniform(seed, label_purpose, index);
  std::size_t chosen = 0;
  for (; chosen + 1 < labels && left >= label_shares[chosen]; ++chosen)
    left -= label_shares[chosen];
  return chosen;
}

} // namespace detail

/// Makes row `index` of the sample with `seed`; a conditional model draws the label by its share.
inline void sample(std::uint64_t seed, std::uint64_t index, Scratch& scratch, Row& row) noexcept {
  detail::make(seed, index, labels > 0 ? detail::drawn_label(seed, index) : 0, scratch, row);
}
/// The same with the label asked for. One that is not below `labels` ends the program.
inline void sample(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch, Row& row) noexcept {
  if (label >= labels)
    __builtin_trap();
  detail::make(seed, index, label, scratch, row);
}
#pragma GCC diagnostic pop

)cpp";

inline constexpr std::string_view exported_score_independent =
    R"cpp(/// How badly the model describes a row: the sum of all columns' errors after encoding and decoding. NaN if a
/// cell has no code.
inline double score(const Row& row, Scratch& scratch) noexcept {
  if (!detail::encode(row, scratch))
    return std::numeric_limits<double>::quiet_NaN();
  const float* outputs = detail::encoded(scratch);
  double error = 0;
  for (std::size_t h = 0; h < detail::heads; ++h) {
    const auto& head = detail::layout[h];
    if (head.categorical) {
      std::copy_n(outputs + head.offset, head.width, scratch.room);
      error += detail::cross_entropy(scratch.room, head.width, scratch.codes[h]);
    } else {
      const auto value = static_cast<double>(scratch.input[h]);
      const double difference = static_cast<double>(outputs[head.offset]) - value;
      error += std::isnan(value) ? 0.0 : difference * difference;
    }
  }
  return (std::isnan(error) ? std::numeric_limits<double>::infinity() : error) + detail::outside(row);
}

)cpp";

inline constexpr std::string_view exported_score_joint =
    R"cpp(/// How badly the model describes a row: the sum of all heads' errors after encoding and decoding. NaN if a
/// cell has no code; infinite if no training row combined the columns of a head so.
inline double score(const Row& row, Scratch& scratch) noexcept {
  if (!detail::encode(row, scratch))
    return std::numeric_limits<double>::quiet_NaN();
  const float* outputs = detail::encoded(scratch);
  double error = 0;
  for (const auto& group : detail::groups) {
    const std::size_t* const own = detail::group_columns + group.column;
    std::int32_t low = 0;
    std::int32_t high = group.width;
    while (low < high) {
      const std::int32_t middle = low + (high - low) / 2;
      const std::int32_t* codes = detail::combinations + group.combination + static_cast<std::size_t>(middle) * group.columns;
      std::size_t i = 0;
      while (i < group.columns && codes[i] == scratch.codes[own[i]])
        ++i;
      if (i == group.columns)
        low = high = -1 - middle;
      else if (codes[i] < scratch.codes[own[i]])
        low = middle + 1;
      else
        high = middle;
    }
    if (low >= 0)
      return std::numeric_limits<double>::infinity();
    std::copy_n(outputs, group.width, scratch.room);
    error += detail::cross_entropy(scratch.room, group.width, -1 - low);
    outputs += group.width;
  }
  return (std::isnan(error) ? std::numeric_limits<double>::infinity() : error) + detail::outside(row);
}

)cpp";

inline constexpr std::string_view exported_score_in_order =
    R"cpp(/// The negative log-likelihood of a row given its latent code, in nats. NaN if a cell has no code.
inline double score(const Row& row, Scratch& scratch) noexcept {
  if (!detail::encode(row, scratch))
    return std::numeric_limits<double>::quiet_NaN();
  double error = 0;
  detail::run_heads(detail::encoded(scratch), scratch, [&](const detail::Position& position, float* logits) noexcept {
    const std::int32_t code = scratch.codes[position.head];
    error += detail::cross_entropy(logits, position.codes, code);
    return code;
  });
  return (std::isnan(error) ? std::numeric_limits<double>::infinity() : error) + detail::outside(row);
}

)cpp";

} // namespace detail
ROWSMITH_END
