// SPDX-License-Identifier: MIT
/// \file
/// A model laid out for the kernel: weights one stretch after the other in the order of use.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <variant>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/deploy/half.hpp>
#include <rowsmith/kernel.hpp>
#include <rowsmith/linalg/gemm.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Calls `put(k, column)` for the elements of a matrix in panels of `panel` columns, k running slowest within
/// a panel; the last panel is as wide as it has to be, in multiples of `unit`, and `column` may lie beyond
/// the last.
template <class Put>
void each_in_panels(Index depth, Index columns, Index panel, Index unit, const Put& put) {
  for (Index column = 0; column < columns; column += panel)
    for (Index k = 0; k < depth; ++k)
      for (Index j = 0; j < std::min(panel, kernel::padded(columns - column, unit)); ++j)
        put(k, column + j);
}

/// Numbers one stretch after the other, each beginning at a cache line.
template <class T>
class Stretches {
public:
  /// Where the next stretch begins.
  std::size_t begin() {
    values_.resize(static_cast<std::size_t>(
        kernel::padded(static_cast<Index>(values_.size()), buffer_alignment / sizeof(T))));
    return values_.size();
  }
  void reserve(std::size_t more) { values_.reserve(values_.size() + more); }
  void put(T value) { values_.push_back(value); }
  std::size_t size() const noexcept { return values_.size(); }
  AlignedBuffer<T> take() const {
    AlignedBuffer<T> result(values_.size());
    std::copy(values_.begin(), values_.end(), result.begin());
    return result;
  }

private:
  std::vector<T> values_;
};

/// A sink of weights for `kernel::FloatWeights` or `kernel::HalfWeights`.
/// \tparam Stored  float, or std::uint16_t for half precision
template <class Stored>
class WeightStore {
  static constexpr bool half = std::is_same_v<Stored, std::uint16_t>;

public:
  using Weights = std::conditional_t<half, kernel::HalfWeights, kernel::FloatWeights>;

  /// What was given, where it stays.
  struct Buffers {
    AlignedBuffer<Stored> weights;
    AlignedBuffer<float> numbers; ///< in half precision; otherwise they are among the weights
    Weights view() const noexcept {
      if constexpr (half)
        return {weights.data(), numbers.data()};
      else
        return {weights.data()};
    }
  };

  /// \throws Error for a weight that half precision cannot hold
  kernel::Matrix panels(Index depth, Index columns, Operand<float> from) {
    const kernel::Matrix matrix{weights_.begin(), depth, columns, 0};
    weights_.reserve(static_cast<std::size_t>(depth * kernel::padded(columns, Weights::unit)));
    each_in_panels(depth, columns, Weights::panel, Weights::unit, [&](Index k, Index column) {
      weights_.put(
          stored(column < columns ? from.data[k * from.row_stride + column * from.column_stride] : 0));
    });
    return matrix;
  }
  kernel::Matrix rows(Index depth, Index columns, const float* from) {
    const kernel::Matrix matrix{weights_.begin(), depth, columns, 0};
    const auto count = static_cast<std::size_t>(depth * columns);
    weights_.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      weights_.put(stored(from[i]));
    return matrix;
  }
  std::size_t numbers(const float* from, std::size_t count) {
    auto& to = numbers_or_weights();
    const std::size_t at = to.begin();
    to.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      to.put(from[i]);
    return at;
  }
  /// Bytes of all that was given.
  std::size_t size() const noexcept {
    return weights_.size() * sizeof(Stored) + numbers_.size() * sizeof(float);
  }
  Buffers take() const { return {weights_.take(), numbers_.take()}; }

private:
  static Stored stored(float value) {
    if constexpr (half)
      return to_half(value, "Sampler");
    else
      return value;
  }
  auto& numbers_or_weights() noexcept {
    if constexpr (half)
      return numbers_;
    else
      return weights_;
  }
  Stretches<Stored> weights_;
  Stretches<float> numbers_;
};
using FloatStore = WeightStore<float>;
using HalfStore = WeightStore<std::uint16_t>;

/// \param gathered  the first layer's matrix is read row by row
template <class Sink>
std::vector<kernel::Layer> pack_network(Sink& sink, const InferenceNetwork& network, bool gathered = false) {
  std::vector<kernel::Layer> layers;
  for (const auto& layer : network.layers()) {
    kernel::Layer packed;
    packed.kind = layer.kind;
    packed.outputs = layer.outputs;
    packed.activation = layer.activation;
    if (layer.kind == InferenceLayer::Kind::dense)
      packed.matrix =
          gathered && layers.empty()
              ? sink.rows(layer.inputs, layer.outputs, layer.weight.data())
              : sink.panels(layer.inputs, layer.outputs, as_is<float>(layer.weight.data(), layer.outputs));
    else if (layer.kind == InferenceLayer::Kind::layer_norm)
      packed.gain = sink.numbers(layer.weight.data(), layer.weight.size());
    if (layer.kind != InferenceLayer::Kind::activation)
      packed.bias = sink.numbers(layer.bias.data(), layer.bias.size());
    layers.push_back(packed);
  }
  return layers;
}
inline kernel::Network view(const std::vector<kernel::Layer>& layers, bool residual = false) noexcept {
  return {layers.data(), static_cast<Index>(layers.size()), residual};
}

// Each kind of heads: what the kernel's view of it points to.
struct PackedIndependentHeads {
  template <class Sink>
  PackedIndependentHeads(Sink&, const IndependentNetwork& heads, const kernel::Columns& columns)
      : view(heads.view(columns)) {}
  kernel::IndependentHeads view;
};
struct PackedJointHeads {
  template <class Sink>
  PackedJointHeads(Sink&, const JointCodes& heads, const kernel::Columns& columns)
      : groups(heads.views(columns)), view(heads.view(groups)) {}
  std::vector<kernel::Group> groups;
  kernel::JointHeads view;
};
struct PackedAutoregressiveHeads {
  template <class Sink>
  PackedAutoregressiveHeads(Sink& sink, const AutoregressiveNetwork& heads, const kernel::Columns&) {
    const auto shape = heads.shape();
    const auto parts = heads.pointers();
    const Index width = shape.width;
    const Index all = shape.columns * width;
    view.count = shape.columns;
    view.width = width;
    view.lines = shape.lines;
    view.bias = sink.numbers(parts.bias, static_cast<std::size_t>(all));
    // The latent code's part of all positions in one product; one matrix for each block of the sum.
    std::vector<float> side_by_side(static_cast<std::size_t>(shape.latent * all));
    for (Index q = 0; q < shape.columns; ++q)
      for (Index k = 0; k < shape.latent; ++k)
        std::copy_n(parts.latent_weight + (q * shape.latent + k) * width, width,
                    side_by_side.data() + k * all + q * width);
    for (Index k = 0; k < shape.latent; k += depth_block)
      latent.push_back(sink.panels(std::min(depth_block, shape.latent - k), all,
                                   as_is<float>(side_by_side.data() + k * all, all)));
    for (Index q = 0; q < shape.columns; ++q) {
      const auto& from = shape.positions[q];
      kernel::Position position;
      const Index codes = shape.codes(q);
      const auto stretch_of = [&shape](Index other) {
        return other < 0 ? std::ptrdiff_t{-1} : std::ptrdiff_t{shape.order[other]};
      };
      position.stretch = static_cast<std::size_t>(shape.order[q]);
      position.codes = codes;
      view.widest = std::max(view.widest, codes);
      position.scale = sink.numbers(parts.scale + q * width, static_cast<std::size_t>(width));
      position.gate = sink.panels(width, width, as_is<float>(parts.hidden_weight + q * width * width, width));
      position.gate_bias = sink.numbers(parts.hidden_bias + q * width, static_cast<std::size_t>(width));
      position.output =
          sink.panels(width, codes, transposed<float>(parts.output_weight + shape.prefix[q] * width, width));
      position.output_bias =
          sink.numbers(parts.output_bias + shape.prefix[q], static_cast<std::size_t>(codes));
      position.embedding = sink.rows(codes, width, parts.embedding + shape.prefix[q] * width);
      position.parent = stretch_of(from.parent);
      if (from.parent >= 0)
        position.pair = sink.rows(shape.codes(from.parent), codes, parts.pair_bias + from.pair);
      position.bin = stretch_of(from.bin);
      position.first_bin = from.first_bin;
      if (from.bin >= 0)
        position.knots = sink.rows(from.bins + 1, width, parts.knots + from.knot * width);
      position.line = from.line;
      position.lines = from.lines;
      if (from.lines == 1)
        position.scores = sink.numbers(shape.scores + from.score, static_cast<std::size_t>(codes));
      // What later positions read, line after line.
      const Index next = from.line + from.lines;
      std::vector<float> linear;
      for (Index line = from.line; line < next; ++line)
        linear.insert(linear.end(), shape.linear + line * shape.lines + next,
                      shape.linear + (line + 1) * shape.lines);
      if (from.lines > 0)
        position.linear = sink.numbers(linear.data(), linear.size());
      positions.push_back(position);
    }
    view.positions = positions.data();
    view.latent = latent.data();
    view.latent_blocks = static_cast<Index>(latent.size());
  }
  std::vector<kernel::Matrix> latent;
  std::vector<kernel::Position> positions;
  kernel::AutoregressiveHeads view;
};

struct PackedTreeHeads {
  template <class Sink>
  PackedTreeHeads(Sink&, const TreeNetwork& heads, const kernel::Columns&) : view(heads.view()) {}
  kernel::TreeHeads view;
};
struct PackedMixedHeads {
  template <class Sink>
  PackedMixedHeads(Sink& sink, const MixedNetwork& heads, const kernel::Columns& columns)
      : neural(sink, heads.neural, columns), slots(heads.slots()), view(heads.rules(slots)) {
    view.neural = neural.view;
  }
  PackedAutoregressiveHeads neural;
  std::vector<std::int32_t> slots;
  kernel::MixedHeads view;
};

template <class Sink>
PackedIndependentHeads pack_heads(Sink& sink, const IndependentNetwork& heads,
                                  const kernel::Columns& columns) {
  return {sink, heads, columns};
}
template <class Sink>
PackedJointHeads pack_heads(Sink& sink, const JointCodes& heads, const kernel::Columns& columns) {
  return {sink, heads, columns};
}
template <class Sink>
PackedAutoregressiveHeads pack_heads(Sink& sink, const AutoregressiveNetwork& heads,
                                     const kernel::Columns& columns) {
  return {sink, heads, columns};
}
template <class Sink>
PackedTreeHeads pack_heads(Sink& sink, const TreeNetwork& heads, const kernel::Columns& columns) {
  return {sink, heads, columns};
}
template <class Sink>
PackedMixedHeads pack_heads(Sink& sink, const MixedNetwork& heads, const kernel::Columns& columns) {
  return {sink, heads, columns};
}
using PackedHeads = std::variant<PackedIndependentHeads, PackedJointHeads, PackedAutoregressiveHeads,
                                 PackedTreeHeads, PackedMixedHeads>;

/// \tparam Sink  takes matrices in panels, matrices row by row, and numbers; `Sink::Weights` reads them
template <class Sink>
class PackedModel {
public:
  using Weights = typename Sink::Weights;

  /// \param from  must outlive the result \param scoring  false: without the encoder's network
  PackedModel(Sink& sink, const TableModel& from, bool scoring = true)
      : generator_(pack_network(sink, from.parts().generator_network)),
        decoder_(pack_network(sink, from.parts().decoder_network)),
        heads_(
            std::visit([&](const auto& kind) { return PackedHeads(pack_heads(sink, kind, from.columns())); },
                       from.heads())) {
    const auto& parts = from.parts();
    const auto numbers = [&sink](const std::vector<float>& values) {
      return sink.numbers(values.data(), values.size());
    };
    model_.columns = from.columns();
    model_.choice = from.choice();
    model_.noise = parts.noise_width;
    model_.labels = static_cast<Index>(parts.labels.size());
    model_.label_shares = parts.label_shares.data();
    model_.components = parts.mixture.components();
    model_.component_shares = parts.mixture.shares.data();
    model_.component_means = numbers(parts.mixture.means);
    model_.component_factors = numbers(parts.mixture.factors);
    model_.latent = from.latent_width();
    model_.latent_scale = numbers(parts.latent_scale);
    model_.latent_offset = numbers(parts.latent_offset);
    model_.latent_bound = numbers(parts.latent_bound);
    model_.bounded = !parts.latent_bound.empty();
    generation_size_ = sink.size();
    if (scoring)
      encoder_ = pack_network(sink, parts.encoder_network, true);
    model_.generator = view(generator_, parts.generator_network.residual());
    model_.decoder = view(decoder_);
    model_.encoder = view(encoder_);
    model_.guide = parts.guide.view();
  }
  PackedModel(PackedModel&&) = delete; // its views point into it

  /// \param weights  of what the sink was given
  void set_weights(const Weights& weights) noexcept { model_.weights = weights; }
  const kernel::Model<Weights>& model() const noexcept { return model_; }
  /// Calls `visit` with the kernel's view of the heads.
  template <class Visit>
  decltype(auto) with_heads(const Visit& visit) const {
    return std::visit([&visit](const auto& kind) -> decltype(auto) { return visit(kind.view); }, heads_);
  }
  const PackedHeads& heads() const noexcept { return heads_; }
  /// The sink's size when all but the encoder was packed.
  std::size_t generation_size() const noexcept { return generation_size_; }

  /// How many numbers each of `kernel::Buffers` takes.
  Index input_width() const noexcept {
    return std::max(model_.noise + model_.labels, static_cast<Index>(model_.columns.stretches));
  }
  Index network_width() const noexcept {
    Index widest = 1;
    for (const auto* layers : {&generator_, &decoder_, &encoder_})
      for (const auto& layer : *layers)
        widest = std::max(widest, layer.outputs);
    return kernel::padded(widest, Weights::unit);
  }
  Index room_width() const {
    return with_heads([](const auto& heads) { return heads.template room<Weights>(); });
  }

private:
  std::vector<kernel::Layer> generator_;
  std::vector<kernel::Layer> decoder_;
  std::vector<kernel::Layer> encoder_;
  PackedHeads heads_;
  kernel::Model<Weights> model_;
  std::size_t generation_size_ = 0;
};

} // namespace detail
ROWSMITH_END
