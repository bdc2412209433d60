// SPDX-License-Identifier: MIT
/// \file
/// Heads that draw the columns of a row one after the other, each knowing those before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <ratio>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/autoregressive.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/autoregressive_heads.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/nn/layers.hpp>
#include <rowsmith/nn/parameters.hpp>

ROWSMITH_BEGIN

/// The automatic order of a table's code columns: the label first, then by ascending number of codes; equals
/// as they stand. Few-valued columns are easy to predict from the latent code, and what they then say makes
/// the many-valued ones easier.
inline std::vector<std::int32_t> automatic_order(const TableEncoder& encoder) {
  std::vector<std::int32_t> order(encoder.layout().size());
  std::iota(order.begin(), order.end(), 0);
  // A fine code stays right behind the code that it refines.
  const auto rank = [&encoder](std::int32_t position) {
    const auto& stretch = encoder.layout()[static_cast<std::size_t>(position)];
    const std::int32_t width =
        encoder.layout()[static_cast<std::size_t>(position - (stretch.fine ? 1 : 0))].width;
    return std::pair(encoder.is_label(stretch) ? 0 : width, position - (stretch.fine ? 1 : 0));
  };
  std::stable_sort(order.begin(), order.end(),
                   [&rank](std::int32_t a, std::int32_t b) { return rank(a) < rank(b); });
  return order;
}

/// An order of code columns and how codes are numbered through in it. A value type.
class AutoregressiveOrder {
public:
  AutoregressiveOrder() = default;
  /// \param order  a permutation of the encoder's code columns
  /// \throws OptionError if the encoder has columns that are numbers, not codes
  /// \throws ShapeError if `order` is no such permutation
  AutoregressiveOrder(const TableEncoder& encoder, std::vector<std::int32_t> order, double label_weight = 1)
      : order_(std::move(order)) {
    if (encoder.number_columns() > 0)
      throw OptionError("AutoregressiveHeads need every column as codes: set encoding.numerical = "
                        "NumericalEncoding::codes");
    const auto& layout = encoder.layout();
    std::vector<bool> seen(layout.size());
    for (const auto column : order_) {
      if (column < 0 || static_cast<std::size_t>(column) >= layout.size() ||
          seen[static_cast<std::size_t>(column)])
        break;
      seen[static_cast<std::size_t>(column)] = true;
    }
    if (order_.size() != layout.size() || std::find(seen.begin(), seen.end(), false) != seen.end())
      throw ShapeError("AutoregressiveHeads: the order is not a permutation of the " +
                       std::to_string(layout.size()) + " columns");
    for (const auto column : order_) {
      const auto& stretch = layout[static_cast<std::size_t>(column)];
      const bool label = encoder.is_label(stretch);
      shift_.push_back(static_cast<std::int32_t>(prefix_.back()) - stretch.offset);
      weights_.push_back(label ? label_weight : 1);
      table_rows_.push_back(table_rows_.back() + prefix_.back());
      prefix_.push_back(prefix_.back() + stretch.width);
    }
  }

  const std::vector<std::int32_t>& order() const noexcept { return order_; }
  /// Views into this object.
  AutoregressiveShape shape(Index width, Index latent) const noexcept {
    return {static_cast<Index>(order_.size()),
            width,
            latent,
            prefix_.data(),
            table_rows_.data(),
            order_.data(),
            shift_.data(),
            weights_.data()};
  }

  /// \throws ShapeError unless `other` numbers codes in the same way
  void require_same(const AutoregressiveOrder& other) const {
    if (prefix_ != other.prefix_ || shift_ != other.shift_)
      throw ShapeError("AutoregressiveHeads: the order is that of another encoding");
  }

private:
  std::vector<std::int32_t> order_;
  std::vector<Index> prefix_{0};
  std::vector<Index> table_rows_{0};
  std::vector<std::int32_t> shift_;
  std::vector<double> weights_;
};

/// Trained autoregressive heads as plain values.
struct AutoregressiveNetwork {
  AutoregressiveOrder order;
  Index width = 0;
  Index inputs = 0; ///< width of what they read: the latent code, or the decoder's last layer
  AutoregressiveWeights<AlignedBuffer<float>> weights;

  AutoregressiveShape shape() const noexcept { return order.shape(width, inputs); }
  AutoregressiveWeights<const float*> pointers() const noexcept {
    return {weights.latent_weight.data(), weights.bias.data(),        weights.tables.data(),
            weights.hidden_weight.data(), weights.hidden_bias.data(), weights.output_weight.data(),
            weights.output_bias.data()};
  }

  /// The pass over the positions for `rows` rows. Calls `visit(position, logits, width)` for each, with
  /// logits rows × width; it may write the position's codes, which later ones read. \param read  rows ×
  /// inputs \param codes  rows × columns, by position and numbered through
  template <class Visit>
  void each_position(const float* read, Index rows, const std::int32_t* codes, InferenceScratch& scratch,
                     const Visit& visit) const {
    const auto shape = this->shape();
    const auto parts = pointers();
    Index widest = 0;
    for (Index q = 0; q < shape.columns; ++q)
      widest = std::max(widest, shape.prefix[q + 1] - shape.prefix[q]);
    auto& buffer = scratch.heads;
    const auto needed = static_cast<std::size_t>(rows * (2 * width + widest));
    if (buffer.size() < needed)
      buffer.resize(needed);
    float* h = buffer.data();
    float* g = h + rows * width;
    detail::AutoregressiveRows<float> pass{shape, parts, rows, codes,           read, scratch.workspace,
                                           h,     g,     h,    g + rows * width};
    kernel::each_position(pass, shape.columns, [&](Index q, float* logits) {
      visit(q, logits, shape.prefix[q + 1] - shape.prefix[q]);
    });
  }

  Index reads(const TableEncoder&) const noexcept { return inputs; }
  void check(const TableEncoder& encoder) const {
    const auto shape = this->shape();
    AutoregressiveOrder(encoder, order.order()).require_same(order);
    const auto fits = [](const AlignedBuffer<float>& buffer, Index size) {
      return buffer.size() == static_cast<std::size_t>(size);
    };
    if (width < 1 || inputs < 1 || !fits(weights.latent_weight, shape.columns * inputs * width) ||
        !fits(weights.bias, shape.columns * width) ||
        !fits(weights.tables, shape.table_rows[shape.columns] * width) ||
        !fits(weights.hidden_weight, shape.columns * width * width) ||
        !fits(weights.hidden_bias, shape.columns * width) ||
        !fits(weights.output_weight, shape.codes() * width) || !fits(weights.output_bias, shape.codes()))
      throw ShapeError("autoregressive heads: a weight has another size than the order and the widths say");
  }
  std::vector<std::vector<std::int32_t>> stretches(const TableEncoder&) const {
    std::vector<std::vector<std::int32_t>> result;
    for (const auto column : order.order())
      result.push_back({column});
    return result;
  }
  template <class DrawOf>
  void draw(const kernel::Columns& columns, const float* read, Index rows, const DrawOf& draw_of,
            std::int32_t* codes, InferenceScratch& scratch) const {
    const auto shape = this->shape();
    const Index count = shape.columns;
    std::vector<std::int32_t> drawn(static_cast<std::size_t>(rows * count));
    each_position(read, rows, drawn.data(), scratch, [&](Index q, float* logits, Index codes_of_q) {
      const auto h = static_cast<std::size_t>(shape.order[q]);
      for (Index r = 0; r < rows; ++r) {
        const kernel::Draw draw = draw_of(r);
        float* own = logits + r * codes_of_q;
        const std::int32_t code = shape.order[q] == columns.label // the row was asked for with it
                                      ? draw.label
                                      : kernel::choose(own, own, codes_of_q, draw.choice, draw.uniform_at(h));
        codes[r * count + shape.order[q]] = code;
        drawn[static_cast<std::size_t>(r * count + q)] = static_cast<std::int32_t>(shape.prefix[q]) + code;
      }
    });
  }
  void score(const kernel::Columns&, const float* read, Index rows, const std::int32_t* codes, const float*,
             double* scores, InferenceScratch& scratch) const {
    std::fill_n(scores, rows, 0.0);
    const auto numbered = number_through(codes, rows);
    each_position(read, rows, numbered.data(), scratch, [&](Index q, float* logits, Index codes_of_q) {
      for (Index r = 0; r < rows; ++r)
        scores[r] += kernel::cross_entropy(logits + r * codes_of_q, logits + r * codes_of_q, codes_of_q,
                                           codes[r * shape().columns + shape().order[q]]);
    });
  }
  /// Codes by stretch (rows × columns) as `each_position` takes them.
  std::vector<std::int32_t> number_through(const std::int32_t* codes, Index rows) const {
    const auto shape = this->shape();
    std::vector<std::int32_t> result(static_cast<std::size_t>(rows * shape.columns));
    for (Index r = 0; r < rows; ++r)
      for (Index q = 0; q < shape.columns; ++q)
        result[static_cast<std::size_t>(r * shape.columns + q)] =
            static_cast<std::int32_t>(shape.prefix[q]) + codes[r * shape.columns + shape.order[q]];
    return result;
  }
};

/// Marks the last element of an `Autoencoder`: heads of `Width` units that see the columns before them. The
/// decoder's layers, if any, stand before it; by default there are none, and the heads read the latent code.
/// Needs every column as codes. Initial scales: tables N(0, 0.3² / C), outputs 0.01.
/// \tparam DropoutRate  of the units in training, a std::ratio in [0, 1), rounded to 1/256
template <Index Width, class DropoutRate = std::ratio<0>>
class AutoregressiveHeads {
public:
  static_assert(Width > 0, "AutoregressiveHeads<Width> needs at least one unit");
  static_assert(DropoutRate::num >= 0 && DropoutRate::num < DropoutRate::den,
                "a dropout rate is at least 0 and below 1");
  static constexpr bool mirror_decoder = false;
  static constexpr double rate =
      static_cast<double>(DropoutRate::num) / static_cast<double>(DropoutRate::den);

  /// \param inputs  width of what the heads read
  void configure(Index inputs, const TableEncoder& encoder, double label_weight, const EncodedTable*,
                 ParameterLayout& layout) {
    order_ = AutoregressiveOrder(encoder, automatic_order(encoder), label_weight);
    inputs_ = inputs;
    const auto shape = order_.shape(Width, inputs);
    const Index columns = shape.columns;
    const double deviation = 0.3 / std::sqrt(static_cast<double>(columns));
    const auto normal = Initialiser::scaled_normal;
    blocks_.latent_weight = layout.add("heads.latent_weight", columns * inputs, Width, normal,
                                       1 / std::sqrt(static_cast<double>(inputs)));
    blocks_.bias = layout.add("heads.bias", columns, Width, Initialiser::zeros);
    blocks_.tables = layout.add("heads.tables", shape.table_rows[columns], Width, normal, deviation);
    blocks_.hidden_weight = layout.add("heads.hidden_weight", columns * Width, Width, normal,
                                       1 / std::sqrt(static_cast<double>(Width)));
    blocks_.hidden_bias = layout.add("heads.hidden_bias", columns, Width, Initialiser::zeros);
    blocks_.output_weight = layout.add("heads.output_weight", shape.codes(), Width, normal, 0.01);
    blocks_.output_bias = layout.add("heads.output_bias", 1, shape.codes(), Initialiser::zeros);
  }
  /// weight · Σ over rows of the negative log-likelihood. \param hidden  rows × inputs
  /// \throws ShapeError if they do not fit
  template <class Scalar>
  Variable<Scalar> loss(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& hidden,
                        const MixedRows<Scalar>& rows, const Pass& pass, double weight) const {
    const auto shape = order_.shape(Width, inputs_);
    auto* kept = parameters.tape().template allocate<AutoregressiveShape>(1);
    *kept = shape;
    return autoregressive_loss(hidden,
                               AutoregressiveWeights<Variable<Scalar>>{
                                   parameters[blocks_.latent_weight], parameters[blocks_.bias],
                                   parameters[blocks_.tables], parameters[blocks_.hidden_weight],
                                   parameters[blocks_.hidden_bias], parameters[blocks_.output_weight],
                                   parameters[blocks_.output_bias]},
                               *kept, rows, weight,
                               {.rate = pass.training ? rate : 0,
                                .stream = pass.stream(Purpose::dropout, 1U << 8U),
                                .first_row = pass.first_row});
  }
  /// Nothing to add to the decoder's layers: the heads are a network of their own.
  void append_to(InferenceNetwork&, const float*) const {}
  AutoregressiveNetwork network(const float* values) const {
    const auto copy = [values](const ParameterBlock& block) {
      AlignedBuffer<float> to(static_cast<std::size_t>(block.rows * block.columns));
      std::copy_n(values + block.offset, block.rows * block.columns, to.data());
      return to;
    };
    return {order_,
            Width,
            inputs_,
            {copy(blocks_.latent_weight), copy(blocks_.bias), copy(blocks_.tables),
             copy(blocks_.hidden_weight), copy(blocks_.hidden_bias), copy(blocks_.output_weight),
             copy(blocks_.output_bias)}};
  }

private:
  AutoregressiveOrder order_;
  Index inputs_ = 0;
  AutoregressiveWeights<ParameterBlock> blocks_;
};

ROWSMITH_END
