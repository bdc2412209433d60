// SPDX-License-Identifier: MIT
/// \file
/// Writes a trained model as one C++20 header that needs the standard library and nothing else.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/deploy/exported_runtime.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

/// How an exported header stores weights. Biases, scales and codecs are always exact.
enum class WeightFormat {
  f32, ///< as they are: the results of the library, bit for bit, when both are compiled with the same flags
  f16, ///< IEEE half precision, rounded to nearest: half the size; scores within 1 %.
       ///< With f16 and i8 some cells of a sampled row differ from the library's
  i8   ///< a byte each and a scale for each output of a layer: a quarter of the size; scores within 30 %:
       ///< for tight memory only
};

struct ExportOptions {
  std::string name = "model"; ///< the header's namespace: a C++ identifier that begins with a letter
  WeightFormat weights = WeightFormat::f32;
  bool scoring = true; ///< false leaves `score` and the encoder's weights out

  /// \throws OptionError
  void check() const {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    bool fine = !name.empty() && letter(name.front()) && name.find("__") == std::string::npos;
    for (const char c : name)
      fine = fine && (letter(c) || c == '_' || (c >= '0' && c <= '9'));
    // Keywords of C++20, and the standard library's namespace.
    static constexpr std::string_view taken = " alignas alignof and and_eq asm auto bitand bitor bool break "
                                              "case catch char char16_t char32_t char8_t class "
                                              "co_await co_return co_yield compl concept const const_cast "
                                              "consteval constexpr constinit continue decltype "
                                              "default delete do double dynamic_cast else enum explicit "
                                              "export extern false float for friend goto if inline "
                                              "int long mutable namespace new noexcept not not_eq nullptr "
                                              "operator or or_eq posix private protected public "
                                              "register reinterpret_cast requires return short signed sizeof "
                                              "static static_assert static_cast std struct "
                                              "switch template this thread_local throw true try typedef "
                                              "typeid typename union unsigned using virtual void "
                                              "volatile wchar_t while xor xor_eq ";
    fine = fine && taken.find(" " + name + " ") == std::string_view::npos;
    if (!fine)
      throw OptionError(
          "export: name = '" + name +
          "', expected a C++ identifier of letters, digits and single underscores, no keyword and not "
          "'std'");
  }
};

namespace detail {

/// Nearest half, ties to even, of a number that is at most 65504 in magnitude.
inline std::uint16_t to_half(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const float magnitude = std::abs(value);
  if (magnitude <
      0x1p-14F) // subnormal: a whole number of 2^−24; rounding up may give the smallest normal one
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(magnitude * 0x1p24F)));
  const std::uint32_t rest = bits & 0x7FFFFFFFU;
  const std::uint32_t rounded = rest + 0xFFFU + ((rest >> 13U) & 1U);
  return static_cast<std::uint16_t>(sign | ((rounded >> 13U) - (112U << 10U)));
}

/// Collects the data of an exported header.
class HeaderData {
public:
  explicit HeaderData(WeightFormat format) : format_(format) {}

  /// A matrix in panels of 16 columns, k running slowest within a panel. \returns its initialiser
  std::string matrix(Index depth, Index columns, Operand<float> from) {
    const auto scales = scales_of(depth, columns, from);
    const std::string text = describe(depth, columns, scales);
    for (Index column = 0; column < columns; column += 16)
      for (Index k = 0; k < depth; ++k)
        for (Index j = column; j < column + 16; ++j)
          put(j < columns ? from.data[k * from.row_stride + j * from.column_stride] : 0,
              j < columns ? scales[static_cast<std::size_t>(j)] : 1);
    return text;
  }
  /// A matrix row by row, of which single rows are read.
  std::string rows(Index depth, Index columns, const float* from) {
    const auto scales = scales_of(depth, columns, as_is<float>(from, columns));
    const std::string text = describe(depth, columns, scales);
    for (Index k = 0; k < depth; ++k)
      for (Index j = 0; j < columns; ++j)
        put(from[k * columns + j], scales[static_cast<std::size_t>(j)]);
    return text;
  }
  /// Numbers that are always exact. \returns their position
  std::string numbers(const float* from, std::size_t count) {
    const std::string at = std::to_string(numbers_.size() / 4);
    for (std::size_t i = 0; i < count; ++i)
      put_float(numbers_, from[i]);
    return at;
  }

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
  std::size_t element() const noexcept {
    return format_ == WeightFormat::f32 ? 4 : format_ == WeightFormat::f16 ? 2 : 1;
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
  std::string describe(Index depth, Index columns, const std::vector<float>& scales) {
    while (weights_.size() % 64 != 0)
      weights_.push_back('\0');
    std::string text = "{";
    text.append(std::to_string(weights_.size() / element())).append(", ");
    text.append(std::to_string(depth)).append(", ").append(std::to_string(columns)).append(", ");
    text.append(format_ == WeightFormat::i8 ? numbers(scales.data(), scales.size()) : "0").append("}");
    return text;
  }
  void put(float value, float scale) {
    switch (format_) {
    case WeightFormat::f32:
      put_float(weights_, value);
      break;
    case WeightFormat::f16: {
      if (!(std::abs(value) <= 65504))
        throw Error("export: a weight beyond ±65504 cannot be stored in half precision");
      const auto half = to_half(value);
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

/// A number that reads back the same, as C++ source.
inline std::string number_source(double value) {
  if (!std::isfinite(value))
    throw Error("export: the model holds a number that is not finite");
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), std::abs(value), std::chars_format::hex).ptr;
  return std::string(std::signbit(value) ? "-0x" : "0x").append(text.data(), end);
}

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

inline std::string view_source(std::string_view text) {
  return std::string("{")
      .append(literal(text, text.size() + 1))
      .append(", ")
      .append(std::to_string(text.size()))
      .append("}");
}

/// `inline constexpr TYPE NAME[] = {...};`, with one element even if there is none.
inline std::string array_source(const char* type, const char* name, const std::vector<std::string>& elements,
                                const char* none) {
  std::string text = "inline constexpr ";
  text.append(type).append(" ").append(name).append("[] = {");
  for (const auto& element : elements)
    text.append("\n    ").append(element).append(",");
  if (elements.empty())
    text.append("\n    ").append(none).append(",");
  return text.append("\n};\n");
}

inline std::vector<std::string> layers_source(HeaderData& data, const InferenceNetwork& network,
                                              bool first_is_gathered = false) {
  std::vector<std::string> layers;
  for (const auto& layer : network.layers()) {
    std::string matrix = "{0, 0, 0, 0}";
    std::string gain = "0";
    std::string bias = "0";
    if (layer.kind == InferenceLayer::Kind::dense)
      matrix =
          first_is_gathered && layers.empty()
              ? data.rows(layer.inputs, layer.outputs, layer.weight.data())
              : data.matrix(layer.inputs, layer.outputs, as_is<float>(layer.weight.data(), layer.outputs));
    if (layer.kind == InferenceLayer::Kind::layer_norm)
      gain = data.numbers(layer.weight.data(), layer.weight.size());
    if (layer.kind != InferenceLayer::Kind::activation)
      bias = data.numbers(layer.bias.data(), layer.bias.size());
    std::string text = "{";
    text.append(std::to_string(static_cast<int>(layer.kind))).append(", ");
    text.append(std::to_string(layer.outputs)).append(", ").append(matrix).append(", ");
    text.append(gain).append(", ").append(bias).append(", ");
    text.append(std::to_string(static_cast<int>(layer.activation.kind))).append(", ");
    layers.push_back(text.append(number_source(layer.activation.slope)).append("}"));
  }
  return layers;
}

} // namespace detail

/// The model as the text of a C++20 header: `constexpr` weights and codecs, functions `sample` and `score`.
/// The namespace `options.name` holds
///   columns, column("age")            their number; the position of one, a wrong name does not compile
///   Row                               number[i] or code[i] of each column; text(i), is_missing(i)
///   Scratch                           buffers of one thread, some tens of KiB
///   labels, label_index(text)         of a conditional model
///   sample(seed, index[, label], scratch, row), score(row, scratch)   as those of `Sampler`
/// It needs g++ or clang and a little-endian machine, and compiles without exceptions and RTTI.
/// \throws OptionError for a name that is no identifier; ShapeError as `Sampler`; Error for numbers that the
///         format cannot hold
inline std::string format_header(const TableModel& model, const ExportOptions& options = {}) {
  using namespace detail;
  options.check();
  const Sampler checked(model); // the parts fit together
  const auto& encoder = model.encoder;
  const auto& schema = encoder.schema();
  const bool in_order = !model.heads.empty();
  HeaderData data(options.weights);

  // ---- networks and heads, in the order of use
  const auto generator = layers_source(data, model.generator_network);
  const auto decoder = layers_source(data, model.decoder_network);
  std::vector<std::string> latent_parts;
  std::vector<std::string> positions;
  std::string heads_bias = "0";
  Index heads_room = 0;
  if (in_order) {
    const auto shape = model.heads.shape();
    const auto parts = model.heads.pointers();
    const Index all = shape.columns * shape.width;
    heads_bias = data.numbers(parts.bias, static_cast<std::size_t>(all));
    std::vector<float> together(static_cast<std::size_t>(shape.latent * all));
    for (Index q = 0; q < shape.columns; ++q)
      for (Index k = 0; k < shape.latent; ++k)
        std::copy_n(parts.latent_weight + (q * shape.latent + k) * shape.width, shape.width,
                    together.data() + k * all + q * shape.width);
    for (Index k = 0; k < shape.latent; k += depth_block)
      latent_parts.push_back(data.matrix(std::min(depth_block, shape.latent - k), all,
                                         as_is<float>(together.data() + k * all, all)));
    for (Index q = 0; q < shape.columns; ++q) {
      const Index codes = shape.prefix[q + 1] - shape.prefix[q];
      const Index later = shape.columns - q - 1;
      std::string text = "{";
      text.append(std::to_string(shape.order[q])).append(", ").append(std::to_string(codes)).append(", ");
      text.append(
          data.matrix(shape.width, shape.width,
                      as_is<float>(parts.hidden_weight + q * shape.width * shape.width, shape.width)));
      text.append(", ").append(
          data.numbers(parts.hidden_bias + q * shape.width, static_cast<std::size_t>(shape.width)));
      text.append(", ").append(
          data.matrix(shape.width, codes,
                      transposed<float>(parts.output_weight + shape.prefix[q] * shape.width, shape.width)));
      text.append(", ").append(
          data.numbers(parts.output_bias + shape.prefix[q], static_cast<std::size_t>(codes)));
      std::vector<float> table(static_cast<std::size_t>(codes * later * shape.width));
      for (Index code = 0; code < codes; ++code)
        for (Index p = q + 1; p < shape.columns; ++p)
          std::copy_n(parts.tables + (shape.table_rows[p] + shape.prefix[q] + code) * shape.width,
                      shape.width, table.data() + (code * later + p - q - 1) * shape.width);
      text.append(", ").append(data.rows(codes, later * shape.width, table.data()));
      positions.push_back(text.append("}"));
    }
    heads_room = 2 * all + 2 * shape.width + 64;
  }
  const auto encoder_layers =
      options.scoring ? layers_source(data, model.encoder_network, true) : std::vector<std::string>{};
  const auto scale = data.numbers(model.latent_scale.data(), model.latent_scale.size());
  const auto offset = data.numbers(model.latent_offset.data(), model.latent_offset.size());
  const auto bound = data.numbers(model.latent_bound.data(), model.latent_bound.size());
  const auto means = data.numbers(model.mixture.means.data(), model.mixture.means.size());
  const auto factors = data.numbers(model.mixture.factors.data(), model.mixture.factors.size());

  // ---- columns
  std::vector<std::string> columns;
  std::vector<std::string> points;
  std::vector<std::string> knots;
  std::vector<std::string> texts;
  for (const auto& codec : encoder.codecs()) {
    std::string text = "{";
    text.append(view_source(codec.name)).append(", ");
    text.append(std::to_string(static_cast<int>(codec.kind))).append(", ");
    text.append(codec.has_missing ? "true, " : "false, ").append(codec.has_other ? "true, " : "false, ");
    text.append(std::to_string(codec.codes())).append(", ");
    text.append(std::to_string(texts.size())).append(", ").append(std::to_string(codec.categories.size()));
    text.append(", ")
        .append(std::to_string(points.size()))
        .append(", ")
        .append(std::to_string(codec.points.size()));
    text.append(", ").append(std::to_string(knots.size())).append(", ").append(std::to_string(codec.bins()));
    text.append(", ").append(std::to_string(codec.fine));
    for (const double number : {codec.mean, codec.sd, codec.minimum, codec.maximum})
      text.append(", ").append(number_source(number));
    // 10 to the number of decimals, exactly; 0: not rounded.
    text.append(", ");
    text.append(codec.decimals >= 0 && codec.decimals <= 15
                    ? std::string("1").append(static_cast<std::size_t>(codec.decimals), '0').append(".0")
                    : "0");
    columns.push_back(text.append("}"));
    for (const auto& category : codec.categories)
      texts.push_back(view_source(category));
    if (codec.has_other)
      texts.push_back(view_source(codec.other_text));
    for (const double point : codec.points)
      points.push_back(number_source(point));
    for (const double knot : codec.knots)
      knots.push_back(number_source(knot));
  }
  std::vector<std::string> heads;
  const Index widest = std::max<Index>(model.widest_head(), 16);
  std::size_t label_column = schema.label().empty() ? schema.size() : schema.index_of(schema.label());
  for (const auto& head : encoder.layout()) {
    heads.push_back(std::string(head.categorical ? "{true, " : "{false, ")
                        .append(std::to_string(head.column))
                        .append(", ")
                        .append(std::to_string(head.offset))
                        .append(", ")
                        .append(std::to_string(head.width))
                        .append(head.fine ? ", true}" : ", false}"));
  }
  std::vector<std::string> groups;
  std::vector<std::string> group_columns;
  std::vector<std::string> combinations;
  std::size_t combination_codes = 0;
  for (const auto& group : model.joint.groups) {
    int label = -1;
    for (std::size_t i = 0; i < group.columns.size(); ++i)
      if (encoder.is_label(encoder.layout()[static_cast<std::size_t>(group.columns[i])]))
        label = static_cast<int>(i);
    groups.push_back(std::string("{")
                         .append(std::to_string(group_columns.size()))
                         .append(", ")
                         .append(std::to_string(group.columns.size()))
                         .append(", ")
                         .append(std::to_string(combination_codes))
                         .append(", ")
                         .append(std::to_string(group.width()))
                         .append(", ")
                         .append(std::to_string(label))
                         .append("}"));
    for (const auto column : group.columns)
      group_columns.push_back(std::to_string(column));
    for (std::int32_t k = 0; k < group.width(); ++k) {
      std::string codes;
      for (std::size_t i = 0; i < group.columns.size(); ++i)
        codes.append(i == 0 ? "" : ", ").append(std::to_string(group.combination(k)[i]));
      combinations.push_back(std::move(codes));
    }
    combination_codes += group.combinations.size();
  }
  std::vector<std::string> component_shares;
  for (const double share : model.mixture.shares)
    component_shares.push_back(number_source(share));
  std::vector<std::string> labels;
  std::vector<std::string> shares;
  for (std::size_t i = 0; i < model.labels.size(); ++i) {
    labels.push_back(view_source(model.labels[i]));
    shares.push_back(number_source(model.label_shares[i]));
  }
  const auto width_of = [](const InferenceNetwork& network) {
    Index width = network.inputs();
    for (const auto& layer : network.layers())
      width = std::max(width, layer.outputs);
    return width;
  };
  const Index network_width =
      std::max({width_of(model.generator_network), width_of(model.decoder_network),
                options.scoring ? width_of(model.encoder_network) : Index{1}, model.latent_width()});

  // ---- the text
  constexpr std::array<std::string_view, 3> formats{"f32", "f16", "i8"};
  std::string out;
  out.reserve(4 * (data.weight_bytes().size() + data.number_bytes().size()) + 65536);
  out.append("// A table synthesiser, made by rowsmith " ROWSMITH_VERSION
             ". Needs nothing but the standard library.\n"
             "// Weights: ")
      .append(formats[static_cast<std::size_t>(options.weights)])
      .append(".\n"
              "// SPDX-License-Identifier: MIT (the code; the weights belong to whoever trained them)\n"
              "#pragma once\n\n");
  out.append(exported_includes);
  out.append("namespace ").append(options.name).append(" {\n\n");
  const auto constant = [&out](const char* type, const char* name, const std::string& value) {
    out.append("inline constexpr ")
        .append(type)
        .append(" ")
        .append(name)
        .append(" = ")
        .append(value)
        .append(";\n");
  };
  constant("std::size_t", "columns", std::to_string(schema.size()));
  constant("std::size_t", "labels", std::to_string(labels.size()));
  out.append("\nnamespace detail {\n\n");
  out.append(exported_types);
  constant("std::size_t", "heads", std::to_string(heads.size()));
  constant("std::size_t", "label_column", std::to_string(label_column));
  const auto purpose = [&constant](const char* name, Purpose value) {
    constant("std::uint32_t", name, std::to_string(static_cast<std::uint32_t>(value)));
  };
  purpose("noise_purpose", Purpose::sample_noise);
  purpose("decode_purpose", Purpose::sample_decode);
  purpose("label_purpose", Purpose::label);
  purpose("component_purpose", Purpose::sample_component);
  constant("int", "noise_width", std::to_string(model.noise_width));
  constant("int", "latent_width", std::to_string(model.latent_width()));
  constant("std::size_t", "latent_scale", scale);
  constant("std::size_t", "latent_offset", offset);
  constant("std::size_t", "latent_bound", bound);
  constant("bool", "has_bound", model.latent_bound.empty() ? "false" : "true");
  constant("bool", "residual", model.generator_network.residual() ? "true" : "false");
  constant("std::size_t", "components", std::to_string(model.mixture.components()));
  constant("std::size_t", "component_means", means);
  constant("std::size_t", "component_factors", factors);
  constant("bool", "draws", model.decoding == Decoding::sample ? "true" : "false");
  constant("float", "temperature",
           number_source(static_cast<double>(static_cast<float>(model.temperature))).append("F"));
  constant(
      "int", "input_width",
      std::to_string(std::max<Index>(model.generator_network.inputs(), static_cast<Index>(heads.size()))));
  constant("int", "network_width", std::to_string(network_width));
  constant("int", "room_width", std::to_string(widest + heads_room));
  out.append(array_source("std::string_view", "label_texts", labels, "{}"));
  out.append(array_source("double", "label_shares", shares, "0"));
  out.append(array_source("double", "component_shares", component_shares, "0"));
  out.append(array_source("std::string_view", "texts", texts, "{}"));
  out.append(array_source("double", "points", points, "0"));
  out.append(array_source("double", "knots", knots, "0, 0"));
  out.append(array_source("Column", "table", columns, "{}"));
  out.append(array_source("Head", "layout", heads, "{}"));
  out.append(array_source("Layer", "generator", generator, "{}"));
  constant("int", "decoder_layers", std::to_string(decoder.size()));
  out.append(array_source("Layer", "decoder", decoder, "{}"));
  if (options.scoring)
    out.append(array_source("Layer", "encoder", encoder_layers, "{}"));
  if (in_order) {
    const auto shape = model.heads.shape();
    constant("int", "unit_width", std::to_string(shape.width));
    constant("int", "positions", std::to_string(shape.columns));
    constant("std::size_t", "heads_bias", heads_bias);
    out.append(array_source("Matrix", "latent_parts", latent_parts, "{}"));
    out.append(array_source("Position", "order", positions, "{}"));
  }
  if (!model.joint.empty()) {
    out.append(array_source("Group", "groups", groups, "{}"));
    out.append(array_source("std::size_t", "group_columns", group_columns, "0"));
    out.append(array_source("std::int32_t", "combinations", combinations, "0"));
  }
  out.append("\n// Little-endian bytes: no other way of writing them compiles as fast.\n");
  out.append("alignas(64) inline constexpr char number_bytes[] =\n")
      .append(literal(data.number_bytes(), 200))
      .append(";\n");
  out.append("alignas(64) inline constexpr char weight_bytes[] =\n")
      .append(literal(data.weight_bytes(), 200))
      .append(";\n\n");
  out.append(exported_vectors);
  switch (options.weights) {
  case WeightFormat::f32:
    out.append(exported_f32);
    break;
  case WeightFormat::f16:
    out.append(exported_f16);
    break;
  case WeightFormat::i8:
    out.append(exported_i8);
    break;
  }
  out.append(exported_code);
  out.append(in_order              ? exported_heads_in_order
             : model.joint.empty() ? exported_heads_independent
                                   : exported_heads_joint);
  if (options.scoring)
    out.append(exported_encoding);
  out.append(exported_sample);
  if (options.scoring)
    out.append(in_order              ? exported_score_in_order
               : model.joint.empty() ? exported_score_independent
                                     : exported_score_joint);
  out.append("} // namespace ").append(options.name).append("\n");
  return out;
}

/// Writes `format_header` to a file: to a temporary one first, then renamed. \throws Error if that fails, and
/// what `format_header` throws
inline void export_header(const TableModel& model, const std::string& path,
                          const ExportOptions& options = {}) {
  const std::string text = format_header(model, options);
  write_file_atomically(path, [&text](std::ostream& out) { out << text; });
}

ROWSMITH_END
