// SPDX-License-Identifier: MIT
/// \file
/// In which order autoregressive heads draw columns, and what each of them is to the others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/autoregressive_shape.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/models/linear_path.hpp>

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

/// An order of code columns, how codes are numbered through in it, and what each position is. A value type.
class AutoregressiveOrder {
public:
  AutoregressiveOrder() = default;
  /// \param order  a permutation of the encoder's code columns, in which a second code comes after its first
  /// \param parents  of each code column: the one, before it in the order, by whose code its own have a bias
  /// of their own; −1, or an empty list: none. A second code has its first \param path  of first codes, in
  /// the order \throws OptionError if the encoder
  /// has columns that are numbers, not codes \throws ShapeError if `order` is no such permutation, or a
  /// parent does not come before
  AutoregressiveOrder(const TableEncoder& encoder, std::vector<std::int32_t> order, double label_weight = 1,
                      std::vector<std::int32_t> parents = {}, LinearPath path = {})
      : order_(std::move(order)), parents_(std::move(parents)), path_(std::move(path)) {
    if (encoder.number_columns() > 0)
      throw OptionError("AutoregressiveHeads need every column as codes: set encoding.numerical = "
                        "NumericalEncoding::codes");
    const auto& layout = encoder.layout();
    std::vector<Index> place(layout.size(), -1);
    Index next = 0;
    for (const auto column : order_) {
      if (column < 0 || static_cast<std::size_t>(column) >= layout.size() ||
          place[static_cast<std::size_t>(column)] >= 0)
        break;
      place[static_cast<std::size_t>(column)] = next++;
    }
    if (order_.size() != layout.size() || std::find(place.begin(), place.end(), -1) != place.end())
      throw ShapeError("AutoregressiveHeads: the order is not a permutation of the " +
                       std::to_string(layout.size()) + " columns");
    if (!parents_.empty() && parents_.size() != layout.size())
      throw ShapeError("AutoregressiveHeads: " + std::to_string(parents_.size()) + " parents of " +
                       std::to_string(layout.size()) + " columns");
    for (const auto column : order_) {
      const auto& stretch = layout[static_cast<std::size_t>(column)];
      shift_.push_back(static_cast<std::int32_t>(prefix_.back()) - stretch.offset);
      weights_.push_back(encoder.is_label(stretch) ? label_weight : 1);
      prefix_.push_back(prefix_.back() + stretch.width);
    }
    for (std::size_t q = 0; q < order_.size(); ++q) {
      const auto column = static_cast<std::size_t>(order_[q]);
      const auto& stretch = layout[column];
      const std::int32_t told = parents_.empty() ? -1 : parents_[column];
      if (told < -1 || told >= static_cast<std::int32_t>(layout.size()) || (stretch.fine && told >= 0))
        throw ShapeError("AutoregressiveHeads: column '" + encoder.codecs()[stretch.column].name +
                         "' has a parent that it cannot have");
      const Index parent = stretch.fine ? place[column - 1]
                           : told < 0   ? -1
                                        : place[static_cast<std::size_t>(told)];
      if (parent >= static_cast<Index>(q))
        throw ShapeError("AutoregressiveHeads: in the order, column '" +
                         encoder.codecs()[stretch.column].name + "' comes before " +
                         (stretch.fine ? "its first code" : "its parent"));
      positions_.push_back(
          position(encoder.codecs()[stretch.column], stretch, static_cast<Index>(q), parent));
    }
    place_lines(encoder, place);
  }

  const std::vector<std::int32_t>& order() const noexcept { return order_; }
  /// Of each code column, −1 for none; empty: none but first codes of second ones.
  const std::vector<std::int32_t>& parents() const noexcept { return parents_; }
  const LinearPath& path() const noexcept { return path_; }
  /// Views into this object.
  AutoregressiveShape shape(Index width, Index latent) const noexcept {
    return {.columns = static_cast<Index>(order_.size()),
            .width = width,
            .latent = latent,
            .prefix = prefix_.data(),
            .order = order_.data(),
            .shift = shift_.data(),
            .weights = weights_.data(),
            .positions = positions_.data(),
            .places = places_.data(),
            .heights = heights_.data(),
            .knots = knots_,
            .pairs = pairs_,
            .bumps = bumps_,
            .lines = lines_,
            .gains = lines_,
            .scores = path_.scores.data(),
            .linear = path_.weights.data()};
  }

  /// Slopes of each line of the linear path times a factor.
  void scale_lines(const float* factors) {
    for (std::size_t i = 0; i < path_.weights.size(); ++i)
      path_.weights[i] *= factors[i % static_cast<std::size_t>(lines_)];
  }
  /// \throws ShapeError unless `other` numbers codes in the same way and takes them for the same numbers
  void require_same(const AutoregressiveOrder& other) const {
    if (prefix_ != other.prefix_ || shift_ != other.shift_ || positions_ != other.positions_ ||
        places_ != other.places_)
      throw ShapeError("AutoregressiveHeads: the order is that of another encoding");
  }

private:
  static constexpr Index bumps_of_a_column = 12;
  static constexpr Index bumps_of_a_bin = 4;
  static constexpr Index least_codes_with_bumps = 8;

  void place_lines(const TableEncoder& encoder, const std::vector<Index>& place) {
    Index before = -1;
    Index scores = 0;
    for (std::size_t i = 0; i < path_.columns.size(); ++i) {
      const auto column = static_cast<std::size_t>(path_.columns[i]);
      if (column >= place.size() || place[column] <= before || encoder.layout()[column].fine)
        throw ShapeError("AutoregressiveHeads: the linear path is not of first codes in the order");
      before = place[column];
      auto& position = positions_[static_cast<std::size_t>(before)];
      position.line = lines_;
      position.lines = LinearPath::lines(encoder, column);
      position.score = scores;
      lines_ += position.lines;
      scores += position.lines == 1 ? encoder.layout()[column].width : 0;
    }
    if (path_.scores.size() != static_cast<std::size_t>(scores) ||
        path_.weights.size() != static_cast<std::size_t>(lines_ * lines_))
      throw ShapeError("AutoregressiveHeads: the linear path of " + std::to_string(path_.columns.size()) +
                       " columns has " + std::to_string(path_.scores.size()) + " scores and " +
                       std::to_string(path_.weights.size()) + " weights");
  }
  AutoregressivePosition position(const ColumnCodec& codec, const kernel::Stretch& stretch, Index q,
                                  Index parent) {
    AutoregressivePosition result;
    const bool binned = codec.kind == ColumnCodec::Kind::binned;
    const Index points = static_cast<Index>(codec.points.size());
    const Index bins = static_cast<Index>(codec.bins());
    if (parent >= 0) {
      result.parent = parent;
      result.pair = pairs_;
      pairs_ += (prefix_[static_cast<std::size_t>(parent + 1)] - prefix_[static_cast<std::size_t>(parent)]) *
                stretch.width;
    }
    if (binned && (stretch.fine || codec.fine == 0)) {
      result.bin = stretch.fine ? parent : q;
      result.first_bin = points;
      result.bins = bins;
      result.place = static_cast<Index>(places_.size());
      const auto view = codec.view();
      for (Index bin = 0; bin < bins; ++bin)
        for (std::int32_t k = 0; k < (stretch.fine ? stretch.width : 1); ++k)
          places_.push_back(stretch.fine ? view.place_of(static_cast<std::int32_t>(points + bin), k) : 0.5F);
      result.knot = knots_;
      knots_ += bins + 1;
    }
    // Codes in order have a smooth part.
    Index bumps = bumps_of_a_column;
    if (stretch.fine && binned) {
      result.smooth = static_cast<Index>(codec.fine);
      bumps = bumps_of_a_bin;
    } else if (codec.kind == ColumnCodec::Kind::exact) {
      result.smooth = points;
    } else if (binned) {
      result.first_smooth = points;
      result.smooth = bins;
    }
    if (result.smooth < least_codes_with_bumps) {
      result.first_smooth = result.smooth = 0;
      return result;
    }
    result.bumps = std::min(bumps, result.smooth);
    result.bump = bumps_;
    result.height = static_cast<Index>(heights_.size());
    bumps_ += result.bumps;
    const auto heights = bump_heights(result.smooth, result.bumps);
    heights_.insert(heights_.end(), heights.begin(), heights.end());
    return result;
  }

  std::vector<std::int32_t> order_;
  std::vector<std::int32_t> parents_;
  LinearPath path_;
  std::vector<Index> prefix_{0};
  std::vector<std::int32_t> shift_;
  std::vector<double> weights_;
  std::vector<AutoregressivePosition> positions_;
  std::vector<float> places_;
  std::vector<float> heights_;
  Index lines_ = 0;
  Index knots_ = 0;
  Index pairs_ = 0;
  Index bumps_ = 0;
};

ROWSMITH_END
