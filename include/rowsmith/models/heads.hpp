// SPDX-License-Identifier: MIT
/// \file
/// From a decoder's output to the codes of rows.
///
/// A kind of heads is a part of the kernel, which draws and scores one row; a trained struct with the
/// functions below, in `TrainedHeads`; a type that marks the end of an `Autoencoder`; and a pair of functions
/// in io/heads_json.hpp. The trained struct has
///   reads(encoder)       width of what the heads read
///   check(encoder)       throws ShapeError unless they serve the encoder's stretches, each once
///   stretches(encoder)   which of those each head serves, head by head
///   draw(columns, read, rows, draw_of, codes, scratch)
///                        codes of rows (rows × stretches, each counted from 0 in its own) from what the
///                        heads read; `draw_of(row)` is what a row is drawn with
///   score(columns, read, rows, codes, numbers, scores, scratch)
///                        how badly the heads describe rows, as `kernel::score_row`
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/kernel/heads.hpp>

ROWSMITH_BEGIN

/// How a categorical head's softmax becomes a category.
enum class Decoding {
  sample, ///< drawn with its probability
  argmax  ///< the most probable one
};

inline std::string_view to_string(Decoding decoding) {
  return decoding == Decoding::sample ? "sample" : "argmax";
}

/// The heads of an encoding, as the loss takes them. \param label_weight factor on the loss of the label's
/// head
inline std::vector<Head> heads_of(const TableEncoder& encoder, double label_weight = 1) {
  std::vector<Head> heads;
  for (const auto& stretch : encoder.layout()) {
    heads.push_back(
        {stretch.categorical, stretch.offset, stretch.width, encoder.is_label(stretch) ? label_weight : 1.0});
  }
  return heads;
}

/// What is known of the columns' shares before the training. Columns count as the encoder's code columns.
struct HeadMargins {
  std::vector<std::int32_t> order;            ///< in which columns are drawn
  std::vector<std::int32_t> parents;          ///< of each column: one drawn before it, or −1
  std::vector<std::vector<double>> shares;    ///< of each column's codes; > 0, together 1
  std::vector<std::vector<double>> by_parent; ///< of a column with a parent: parent's codes × its own; > 0
};

/// The encoded training rows, as heads may look at them before the training.
struct HeadRows {
  const EncodedTable* table = nullptr;
  std::span<const std::uint32_t> learnt{}; ///< those that are trained on; empty: all
  const HeadMargins* margins = nullptr;    ///< in place of rows

  std::size_t count() const noexcept { return learnt.empty() ? table->rows() : learnt.size(); }
  template <class Visit>
  void each(const Visit& visit) const {
    for (std::size_t i = 0; i < count(); ++i)
      visit(learnt.empty() ? i : std::size_t{learnt[i]});
  }
};

namespace detail {

/// `draw` and `score` of heads whose rows the kernel draws from `width` outputs alone.
template <class Heads, class DrawOf>
void draw_each_row(const Heads& heads, const kernel::Columns& columns, const float* read, Index width,
                   Index rows, const DrawOf& draw_of, std::int32_t* codes) {
  const kernel::FloatWeights none{};
  AlignedBuffer<float> room(static_cast<std::size_t>(heads.template room<kernel::FloatWeights>()));
  for (Index r = 0; r < rows; ++r)
    heads.draw(none, columns, draw_of(r), read + r * width, codes + r * static_cast<Index>(columns.stretches),
               room.data());
}
template <class Heads>
void score_each_row(const Heads& heads, const kernel::Columns& columns, const float* read, Index width,
                    Index rows, const std::int32_t* codes, const float* numbers, double* scores) {
  const kernel::FloatWeights none{};
  AlignedBuffer<float> room(static_cast<std::size_t>(heads.template room<kernel::FloatWeights>()));
  const auto stretches = static_cast<Index>(columns.stretches);
  for (Index r = 0; r < rows; ++r)
    scores[r] = heads.score(none, columns, read + r * width, codes + r * stretches, numbers + r * stretches,
                            room.data());
}

} // namespace detail

ROWSMITH_END
