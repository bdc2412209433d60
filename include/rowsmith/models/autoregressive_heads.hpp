// SPDX-License-Identifier: MIT
/// \file
/// Heads that draw the columns of a row one after the other, each knowing those before it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/autoregressive.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/autoregressive_heads.hpp>
#include <rowsmith/models/autoregressive_order.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/models/heads_by_table.hpp>
#include <rowsmith/models/linear_path.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/nn/layers.hpp>
#include <rowsmith/nn/parameters.hpp>

ROWSMITH_BEGIN

/// Trained autoregressive heads as plain values.
struct AutoregressiveNetwork {
  AutoregressiveOrder order;
  Index width = 0;
  Index inputs = 0; ///< width of what they read: the latent code, or the decoder's last layer
  AutoregressiveWeights<AlignedBuffer<float>> weights; ///< output_weight with the bumps in it; no bump_weight

  AutoregressiveShape shape() const noexcept {
    auto shape = order.shape(width, inputs);
    shape.bumps = 0;
    shape.gains = 0;
    return shape;
  }
  AutoregressiveWeights<const float*> pointers() const noexcept {
    return weights.mapped([](const AlignedBuffer<float>& part) -> const float* { return part.data(); });
  }

  /// The pass over the positions for `rows` rows. Calls `visit(position, logits, width)` for each, with
  /// logits rows × width; it may write the position's codes, which later ones read. \param read  rows ×
  /// inputs \param codes  rows × columns, by position and numbered through
  template <class Visit>
  void each_position(const float* read, Index rows, const std::int32_t* codes, InferenceScratch& scratch,
                     const Visit& visit) const {
    const auto shape = this->shape();
    const auto parts = pointers();
    float* c = room(shape, rows, 3 * width + shape.lines, scratch);
    float* h = c + rows * width;
    float* g = h + rows * width;
    float* slopes = g + rows * width;
    std::fill_n(c, rows * width, 0.0F);
    std::fill_n(slopes, rows * shape.lines, 0.0F);
    detail::AutoregressiveRows<float> pass{shape, parts, rows, codes, read,   scratch.workspace,
                                           c,     h,     g,    h,     slopes, slopes + rows * shape.lines};
    kernel::each_position(pass, shape.columns,
                          [&](Index q, float* logits) { visit(q, logits, shape.codes(q)); });
  }

  /// The same where a position's logits are asked of some of the rows only. `choose(position, some)` puts
  /// their numbers, rising, into an empty vector, and writes the codes of all others; then
  /// `visit(position, some, logits, width)`, with logits one line for each of them, writes theirs.
  template <class Choose, class Visit>
  void each_position_of_some(const float* read, Index rows, const std::int32_t* codes,
                             InferenceScratch& scratch, const Choose& choose, const Visit& visit) const {
    const auto shape = this->shape();
    const auto parts = pointers();
    float* c = room(shape, rows, 4 * width + inputs + 2 * shape.lines, scratch);
    float* some_c = c + rows * width;
    float* h = some_c + rows * width;
    float* g = h + rows * width;
    float* some_read = g + rows * width;
    float* slopes = some_read + rows * inputs;
    float* some_slopes = slopes + rows * shape.lines;
    float* outputs = some_slopes + rows * shape.lines;
    std::fill_n(c, rows * width, 0.0F);
    std::fill_n(slopes, rows * shape.lines, 0.0F);
    std::vector<Index> some;
    some.reserve(static_cast<std::size_t>(rows));
    std::vector<std::int32_t> some_codes(static_cast<std::size_t>(rows * shape.columns));
    const detail::AutoregressiveRows<float> all{shape, parts, rows, codes, read,   scratch.workspace,
                                                c,     h,     g,    h,     slopes, outputs};
    for (Index q = 0; q < shape.columns; ++q) {
      some.clear();
      choose(q, some);
      for (std::size_t k = 0; k < some.size(); ++k) {
        const auto to = static_cast<Index>(k);
        std::copy_n(c + some[k] * width, width, some_c + to * width);
        std::copy_n(read + some[k] * inputs, inputs, some_read + to * inputs);
        std::copy_n(codes + some[k] * shape.columns, q, some_codes.data() + to * shape.columns);
        if (const auto& position = shape.positions[q]; position.lines > 0)
          std::copy_n(slopes + some[k] * shape.lines + position.line, position.lines,
                      some_slopes + to * shape.lines + position.line);
      }
      if (!some.empty()) {
        detail::AutoregressiveRows<float> pass{shape,
                                               parts,
                                               static_cast<Index>(some.size()),
                                               some_codes.data(),
                                               some_read,
                                               scratch.workspace,
                                               some_c,
                                               h,
                                               g,
                                               h,
                                               some_slopes,
                                               outputs};
        pass.hidden(q);
        pass.gate(q);
        visit(q, some, pass.logits(q), shape.codes(q));
      }
      all.contribute(q);
    }
  }

  Index reads(const TableEncoder&) const noexcept { return inputs; }
  void check(const TableEncoder& encoder) const {
    AutoregressiveOrder(encoder, order.order(), 1, order.parents(), order.path()).require_same(order);
    bool fits = width >= 1 && inputs >= 1;
    weights.each(shape(),
                 [&fits](const char*, const AlignedBuffer<float>& buffer, Index rows, Index columns) {
                   fits = fits && buffer.size() == static_cast<std::size_t>(rows * columns);
                 });
    if (!fits)
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
        const std::int32_t code =
            shape.order[q] == columns.label // the row was asked for with it
                ? draw.label
                : draw.code(own, own, codes_of_q, h, codes + r * count, draw.uniform_at(h));
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

private:
  /// Room for `numbers` a row, and behind them for the logits of any position.
  static float* room(const AutoregressiveShape& shape, Index rows, Index numbers, InferenceScratch& scratch) {
    Index widest = 0;
    for (Index q = 0; q < shape.columns; ++q)
      widest = std::max(widest, shape.codes(q));
    const auto needed = static_cast<std::size_t>(rows * (numbers + widest));
    if (scratch.heads.size() < needed)
      scratch.heads.resize(needed);
    return scratch.heads.data();
  }
};

/// Marks the last element of an `Autoencoder`: heads of `Width` units that see the columns before them. The
/// decoder's layers, if any, stand before it; by default there are none, and the heads read the latent code.
/// Needs every column as codes.
///
/// Training begins at the columns' own shares: the output biases are their logarithms, and those of a second
/// code given its first; and, in tables of few rows for their columns, at a linear path between columns, of
/// which training moves the gains. Biases and knots do not decay; the free part of outputs that have bumps
/// decays 100 times as fast as other weights; all of them decay up to 10 times faster in tables of less than
/// 10,000 rows. \tparam Width  0: `automatic_width` \tparam DropoutRate  of the units in training, a
/// std::ratio in [0, 1), rounded to 1/256
template <Index Width = 0, class DropoutRate = AutomaticDropout>
class AutoregressiveHeads {
public:
  static_assert(Width >= 0,
                "AutoregressiveHeads<Width> needs at least one unit, or 0 for an automatic width");
  static constexpr bool mirror_decoder = false;

  /// \param inputs  width of what the heads read \param rows  without a table: no margins to begin with
  void configure(Index inputs, const TableEncoder& encoder, double label_weight, const HeadRows& rows,
                 ParameterLayout& layout) {
    order_ = rows.margins == nullptr
                 ? AutoregressiveOrder(encoder, automatic_order(encoder), label_weight)
                 : AutoregressiveOrder(encoder, rows.margins->order, label_weight, rows.margins->parents);
    inputs_ = inputs;
    width_ = Width > 0 ? Width : automatic_width(encoder);
    if (rows.margins != nullptr) {
      take_margins(*rows.margins);
    } else if (rows.table != nullptr) {
      read_margins(rows);
      find_path(encoder, label_weight, rows);
    }
    // Without a table, as for 500 rows.
    rate_ = detail::DropoutRateOf<DropoutRate>::value(rows.table == nullptr ? 500 : rows.table->rows());
    const double faster = rows.table == nullptr ? 1 : detail::decay_by_rows(rows.table->rows());
    const auto shape = order_.shape(width_, inputs);
    const double deviation = 0.3 / std::sqrt(static_cast<double>(shape.columns));
    const double width = static_cast<double>(width_);
    const std::string names = "heads.";
    blocks_.each(shape, [&](const std::string& name, ParameterBlock& block, Index block_rows, Index columns) {
      const auto normal = [&](double scale) { return std::pair(Initialiser::scaled_normal, scale); };
      const auto [start, scale] = name == "embedding" ? normal(deviation)
                                  : name == "knots"   ? normal(deviation / 4)
                                  : name == "latent_weight"
                                      ? normal(1 / std::sqrt(static_cast<double>(inputs)))
                                  : name == "hidden_weight"           ? normal(1 / std::sqrt(width))
                                  : name == "output_weight"           ? normal(0.01)
                                  : name == "scale" || name == "gain" ? std::pair(Initialiser::ones, 1.0)
                                                                      : std::pair(Initialiser::zeros, 1.0);
      block = layout.add(names + name, block_rows, columns, start, scale);
      if (name == "output_weight") {
        for (Index q = 0; q < shape.columns; ++q)
          layout.decay(block, (shape.positions[q].bumps > 0 ? 100 : 1) * faster, shape.prefix[q],
                       shape.codes(q));
      } else {
        const bool decays = name == "embedding" || name == "scale" || name == "latent_weight" ||
                            name == "hidden_weight" || name == "bump_weight";
        layout.decay(block, decays ? faster : 0);
      }
    });
  }
  /// What initial weights are beside the draws of the layout: margins, and knots as a random walk.
  template <class Scalar>
  void start(Scalar* values) const {
    const auto shape = order_.shape(width_, inputs_);
    for (Index q = 0; q < shape.columns; ++q) {
      const auto& position = shape.positions[q];
      Scalar* knot = values + blocks_.knots.offset + position.knot * width_;
      if (position.bin >= 0)
        for (Index i = width_; i < (position.bins + 1) * width_; ++i)
          knot[i] += knot[i - width_];
    }
    std::copy(shares_.begin(), shares_.end(), values + blocks_.output_bias.offset);
    std::copy(pairs_.begin(), pairs_.end(), values + blocks_.pair_bias.offset);
  }
  /// weight · Σ over rows of the negative log-likelihood. \param hidden  rows × inputs
  /// \throws ShapeError if they do not fit
  template <class Scalar>
  Variable<Scalar> loss(const BoundParameters<Scalar>& parameters, const Variable<Scalar>& hidden,
                        const MixedRows<Scalar>& rows, const Pass& pass, double weight) const {
    auto* kept = parameters.tape().template allocate<AutoregressiveShape>(1);
    *kept = order_.shape(width_, inputs_);
    return autoregressive_loss(hidden,
                               blocks_.mapped([&](const ParameterBlock& block) { return parameters[block]; }),
                               *kept, rows, weight,
                               {.rate = pass.training ? rate_ : 0,
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
    AutoregressiveNetwork result{order_, width_, inputs_, blocks_.mapped(copy)};
    result.weights.bump_weight = {}; // it goes into the outputs
    result.weights.gain = {};        // and this into the path
    result.order.scale_lines(values + blocks_.gain.offset);
    detail::autoregressive_outputs(order_.shape(width_, inputs_), values + blocks_.output_weight.offset,
                                   values + blocks_.bump_weight.offset, result.weights.output_weight.data());
    return result;
  }

private:
  /// How many rows of a second code's own shares are added to those that it has with each first code: the
  /// power of two for which a training row is likeliest by the others.
  static double margin_strength(const AutoregressiveShape& shape, Index q, const std::vector<double>& counts,
                                const std::vector<double>& pairs) {
    const auto& position = shape.positions[q];
    const Index count = shape.codes(q);
    const double* own = counts.data() + shape.prefix[q];
    const double rows = std::accumulate(own, own + count, 0.0);
    double best = -std::numeric_limits<double>::infinity();
    double strength = 2;
    for (double candidate = 2; candidate <= 4096; candidate *= 2) {
      double sum = 0;
      for (Index p = 0; p < shape.codes(position.parent); ++p) {
        const double* of_parent = pairs.data() + position.pair + p * count;
        const double all = std::accumulate(of_parent, of_parent + count, 0.0);
        for (Index k = 0; k < count; ++k)
          if (const double n = of_parent[k]; n > 0)
            sum += n * std::log((n - 1 +
                                 candidate * (own[k] - 0.5) / (rows - 1 + 0.5 * static_cast<double>(count))) /
                                (all - 1 + candidate));
      }
      if (sum > best) {
        best = sum;
        strength = candidate;
      }
    }
    return strength;
  }
  /// The logarithms of shares that are known. \throws ShapeError if they are not those of the columns
  void take_margins(const HeadMargins& margins) {
    const auto shape = order_.shape(width_, inputs_);
    shares_.resize(static_cast<std::size_t>(shape.codes()));
    pairs_.resize(static_cast<std::size_t>(shape.pairs));
    const auto require = [](const std::vector<double>& values, Index count) {
      if (values.size() != static_cast<std::size_t>(count) ||
          !std::all_of(values.begin(), values.end(), [](double v) { return v > 0 && v <= 1; }))
        throw ShapeError("AutoregressiveHeads: shares that are not " + std::to_string(count) +
                         " numbers in (0, 1]");
    };
    if (margins.shares.size() != static_cast<std::size_t>(shape.columns) ||
        margins.by_parent.size() != margins.shares.size())
      throw ShapeError("AutoregressiveHeads: the shares of " + std::to_string(margins.shares.size()) +
                       " of " + std::to_string(shape.columns) + " columns");
    for (Index q = 0; q < shape.columns; ++q) {
      const auto column = static_cast<std::size_t>(shape.order[q]);
      const auto& position = shape.positions[q];
      const Index count = shape.codes(q);
      const auto& own = margins.shares[column];
      require(own, count);
      for (Index k = 0; k < count; ++k)
        shares_[static_cast<std::size_t>(shape.prefix[q] + k)] =
            static_cast<float>(std::log(own[static_cast<std::size_t>(k)]));
      if (position.parent < 0)
        continue;
      const auto& given = margins.by_parent[column];
      require(given, shape.codes(position.parent) * count);
      for (Index i = 0; i < shape.codes(position.parent) * count; ++i)
        pairs_[static_cast<std::size_t>(position.pair + i)] = static_cast<float>(
            std::log(given[static_cast<std::size_t>(i)] / own[static_cast<std::size_t>(i % count)]));
    }
  }
  /// Logarithms of the codes' shares, with half a row for each; and of a second code's given its first, with
  /// some rows as all others are, less those of its own.
  void read_margins(const HeadRows& rows) {
    const auto shape = order_.shape(width_, inputs_);
    std::vector<double> counts(static_cast<std::size_t>(shape.codes()));
    std::vector<double> pairs(static_cast<std::size_t>(shape.pairs));
    for (Index q = 0; q < shape.columns; ++q) {
      const auto& position = shape.positions[q];
      const auto column = static_cast<std::size_t>(shape.order[q]);
      const auto parent = static_cast<std::size_t>(position.parent < 0 ? 0 : shape.order[position.parent]);
      rows.each([&](std::size_t row) {
        const auto code = static_cast<Index>(rows.table->code(row, column));
        ++counts[static_cast<std::size_t>(shape.prefix[q] + code)];
        if (position.parent >= 0)
          ++pairs[static_cast<std::size_t>(
              position.pair + static_cast<Index>(rows.table->code(row, parent)) * shape.codes(q) + code)];
      });
    }
    shares_.resize(counts.size());
    pairs_.resize(pairs.size());
    const auto n = static_cast<double>(rows.count());
    for (Index q = 0; q < shape.columns; ++q) {
      const auto& position = shape.positions[q];
      const Index count = shape.codes(q);
      const auto share = [&](Index k) {
        return (counts[static_cast<std::size_t>(shape.prefix[q] + k)] + 0.5) /
               (n + 0.5 * static_cast<double>(count));
      };
      for (Index k = 0; k < count; ++k)
        shares_[static_cast<std::size_t>(shape.prefix[q] + k)] = static_cast<float>(std::log(share(k)));
      if (position.parent < 0)
        continue;
      const double strength = margin_strength(shape, q, counts, pairs);
      for (Index p = 0; p < shape.codes(position.parent); ++p) {
        const auto first = static_cast<std::size_t>(position.pair + p * count);
        const auto all = std::accumulate(pairs.begin() + static_cast<std::ptrdiff_t>(first),
                                         pairs.begin() + static_cast<std::ptrdiff_t>(first) + count, 0.0);
        for (Index k = 0; k < count; ++k)
          pairs_[first + static_cast<std::size_t>(k)] =
              static_cast<float>(std::log((pairs[first + static_cast<std::size_t>(k)] + strength * share(k)) /
                                          (all + strength) / share(k)));
      }
    }
  }

  /// Tables of fewer rows for each of their columns have a linear path. A network finds linear relations
  /// itself where rows are many, and finds them more exactly.
  static constexpr std::size_t rows_a_column = 50;

  /// The linear path of the rows, if they have one worth its time, and what it adds to their margins.
  void find_path(const TableEncoder& encoder, double label_weight, const HeadRows& rows) {
    if (rows.count() >= rows_a_column * encoder.codecs().size())
      return;
    const auto shape = order_.shape(width_, inputs_);
    std::vector<std::vector<double>> shares(static_cast<std::size_t>(shape.columns));
    for (Index q = 0; q < shape.columns; ++q)
      for (Index k = shape.prefix[q]; k < shape.prefix[q + 1]; ++k)
        shares[static_cast<std::size_t>(shape.order[q])].push_back(
            std::exp(static_cast<double>(shares_[static_cast<std::size_t>(k)])));
    detail::LinearPathFit found(encoder, rows, order_.order(), shares);
    if (found.path.columns.empty())
      return;
    order_ =
        AutoregressiveOrder(encoder, order_.order(), label_weight, order_.parents(), std::move(found.path));
    const auto with = order_.shape(width_, inputs_);
    std::size_t next = 0;
    for (Index q = 0; q < with.columns; ++q)
      if (with.positions[q].lines > 0)
        for (Index k = with.prefix[q]; k < with.prefix[q + 1]; ++k)
          shares_[static_cast<std::size_t>(k)] += found.bias[next++];
  }

  AutoregressiveOrder order_;
  Index inputs_ = 0;
  Index width_ = 0;
  double rate_ = 0;
  std::vector<float> shares_;
  std::vector<float> pairs_;
  AutoregressiveWeights<ParameterBlock> blocks_;
};

ROWSMITH_END
