// SPDX-License-Identifier: MIT
/// \file
/// The data of an exported header: weights as bytes, everything as C++ source.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/deploy/half.hpp>
#include <rowsmith/deploy/packed_model.hpp>
#include <rowsmith/kernel/network.hpp>
#include <rowsmith/linalg/gemm.hpp>

ROWSMITH_BEGIN

/// How an exported header stores weights. Biases, scales and codecs are always exact.
enum class WeightFormat {
  f32, ///< as they are: the results of the library, bit for bit, when both are compiled with the same flags
  f16, ///< IEEE half precision, rounded to nearest: half the size; scores within 1 %, but for heads with
       ///< trees, where a latent code near a threshold may go the other way.
       ///< With f16 and i8 some cells of a sampled row differ from the library's
  i8   ///< a byte each and a scale for each output of a layer: a quarter of the size; scores within 30 %:
       ///< for tight memory only
};

namespace detail {

/// A sink of weights for `kernel::ByteWeights` of any format.
class HeaderData {
public:
  using Weights = kernel::ByteWeights<kernel::Float32>; // others differ in nothing that matters to a layout

  explicit HeaderData(WeightFormat format) : format_(format) {}

  kernel::Matrix panels(Index depth, Index columns, Operand<float> from) {
    const auto scales = scales_of(depth, columns, from);
    const kernel::Matrix matrix = begin(depth, columns, scales);
    each_in_panels(depth, columns, Weights::panel, Weights::unit, [&](Index k, Index j) {
      put(j < columns ? from.data[k * from.row_stride + j * from.column_stride] : 0,
          j < columns ? scales[static_cast<std::size_t>(j)] : 1);
    });
    return matrix;
  }
  kernel::Matrix rows(Index depth, Index columns, const float* from) {
    const auto scales = scales_of(depth, columns, as_is<float>(from, columns));
    const kernel::Matrix matrix = begin(depth, columns, scales);
    for (Index k = 0; k < depth; ++k)
      for (Index j = 0; j < columns; ++j)
        put(from[k * columns + j], scales[static_cast<std::size_t>(j)]);
    return matrix;
  }
  std::size_t numbers(const float* from, std::size_t count) {
    const std::size_t at = numbers_.size() / 4;
    for (std::size_t i = 0; i < count; ++i)
      put_float(numbers_, from[i]);
    return at;
  }
  std::size_t size() const noexcept { return weights_.size(); }

  const std::string& weight_bytes() const noexcept { return weights_; }
  const std::string& number_bytes() const noexcept { return numbers_; }

private:
  static void put_float(std::string& to, float value) {
    if (!std::isfinite(value))
      throw Error("export: the model holds a number that is not finite");
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8)
      to.push_back(static_cast<char>((bits >> shift) & 0xFFU));
  }
  std::vector<float> scales_of(Index depth, Index columns, Operand<float> from) const {
    std::vector<float> scales(static_cast<std::size_t>(columns), 1.0F);
    if (format_ != WeightFormat::i8)
      return scales;
    for (Index j = 0; j < columns; ++j) {
      float largest = 0;
      for (Index k = 0; k < depth; ++k)
        largest = std::max(largest, std::abs(from.data[k * from.row_stride + j * from.column_stride]));
      scales[static_cast<std::size_t>(j)] = largest > 0 ? largest / 127 : 1;
    }
    return scales;
  }
  kernel::Matrix begin(Index depth, Index columns, const std::vector<float>& scales) {
    while (weights_.size() % 64 != 0)
      weights_.push_back('\0');
    const std::size_t size = format_ == WeightFormat::f32 ? 4 : format_ == WeightFormat::f16 ? 2 : 1;
    return {weights_.size() / size, depth, columns,
            format_ == WeightFormat::i8 ? numbers(scales.data(), scales.size()) : 0};
  }
  void put(float value, float scale) {
    switch (format_) {
    case WeightFormat::f32:
      put_float(weights_, value);
      break;
    case WeightFormat::f16: {
      const auto half = to_half(value, "export");
      weights_.push_back(static_cast<char>(half & 0xFFU));
      weights_.push_back(static_cast<char>(half >> 8U));
      break;
    }
    case WeightFormat::i8:
      if (!std::isfinite(value))
        throw Error("export: the model holds a number that is not finite");
      weights_.push_back(static_cast<char>(static_cast<std::int8_t>(std::nearbyint(value / scale))));
      break;
    }
  }
  WeightFormat format_;
  std::string weights_;
  std::string numbers_;
};

/// Bytes as string literals, `width` of them a line.
inline std::string literal(std::string_view bytes, std::size_t width) {
  std::string text;
  text.reserve(bytes.size() * 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % width == 0)
      text += i == 0 ? "\"" : "\"\n\"";
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte >= 32 && byte < 127 && byte != '"' && byte != '\\' && byte != '?') {
      text += static_cast<char>(byte);
      continue;
    }
    // As few octal digits as the next character allows.
    const bool more =
        (i + 1) % width != 0 && i + 1 < bytes.size() && bytes[i + 1] >= '0' && bytes[i + 1] <= '7';
    text += '\\';
    if (more || byte >= 64)
      text += static_cast<char>('0' + byte / 64);
    if (more || byte >= 8)
      text += static_cast<char>('0' + byte / 8 % 8);
    text += static_cast<char>('0' + byte % 8);
  }
  return text += bytes.empty() ? "\"\"" : "\"";
}

/// Source that stands for itself.
struct Source {
  std::string text;
};
/// `name + offset`, or a null pointer to nothing.
inline Source pointer_source(const char* name, std::size_t offset, std::size_t count) {
  return {count == 0 ? "nullptr" : name + (" + " + std::to_string(offset))};
}

// A value that reads back the same, as C++ source. Structures are lists of their members in braces.
inline std::string source(const Source& value) { return value.text; }
inline std::string source(bool value) { return value ? "true" : "false"; }
template <std::integral T>
std::string source(T value) {
  return std::to_string(value);
}
inline std::string source(double value) {
  if (!std::isfinite(value))
    throw Error("export: the model holds a number that is not finite");
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), std::abs(value), std::chars_format::hex).ptr;
  return std::string(std::signbit(value) ? "-0x" : "0x").append(text.data(), end);
}
inline std::string source(std::string_view text) {
  return std::string("{")
             .append(literal(text, text.size() + 1))
             .append(", ")
             .append(std::to_string(text.size())) +
         "}";
}
std::string source(kernel::Choice);
std::string source(const kernel::Matrix&);
std::string source(const Activation&);
template <class... Members>
std::string braces(const Members&... members) {
  std::string text;
  ((text.append(text.empty() ? "{" : ", ").append(source(members))), ...);
  return text + "}";
}
inline std::string source(kernel::Choice choice) {
  return braces(choice.draws, Source{source(static_cast<double>(choice.temperature)) + "F"});
}
inline std::string source(const kernel::Matrix& m) { return braces(m.at, m.depth, m.columns, m.scale); }
inline std::string source(const Activation& activation) {
  return braces(Source{"ActivationKind{" + std::to_string(static_cast<int>(activation.kind)) + "}"},
                activation.slope);
}
inline std::string source(const kernel::Layer& layer) {
  return braces(Source{"kernel::LayerKind{" + std::to_string(static_cast<int>(layer.kind)) + "}"},
                layer.outputs, layer.matrix, layer.gain, layer.bias, layer.activation);
}
inline std::string source(const kernel::Position& p) {
  return braces(p.stretch, p.codes, p.scale, p.gate, p.gate_bias, p.output, p.output_bias, p.embedding,
                p.parent, p.pair, p.bin, p.first_bin, p.knots, p.line, p.lines, p.scores, p.linear);
}
inline std::string source(const kernel::TreeColumn& c) {
  return braces(c.stretch, c.tuples, c.fine_codes, c.level_count, c.levels, c.margin, c.trees, c.roots,
                c.node_count, c.nodes, c.entry_count, c.entries, c.orders);
}
inline std::string source(const kernel::GuideColumn& c) {
  return braces(c.stretch, c.tuples, c.fine_codes, c.levels);
}
inline std::string source(const kernel::Stretch& s) {
  return braces(s.categorical, s.column, s.offset, s.width, s.fine);
}

/// `inline constexpr TYPE NAME[] = {...};`, or nothing if there are no elements.
template <class Elements>
std::string array_source(const char* type, const char* name, const Elements& elements) {
  if (std::empty(elements))
    return {};
  std::string text = "inline constexpr ";
  text.append(type).append(" ").append(name).append("[] = {");
  for (const auto& element : elements)
    text.append("\n    ").append(source(element)).append(",");
  return text.append("\n};\n");
}
template <class Value>
std::string constant_source(const char* type, const char* name, const Value& value) {
  return std::string("inline constexpr ")
             .append(type)
             .append(" ")
             .append(name)
             .append(" = ")
             .append(source(value)) +
         ";\n";
}

} // namespace detail
ROWSMITH_END
