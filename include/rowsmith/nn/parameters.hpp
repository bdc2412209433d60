// SPDX-License-Identifier: MIT
/// \file
/// Where the weights of a model lie: one flat vector, cut into named blocks; and what layers keep for
/// themselves beside it.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/tape.hpp>
#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/kernel/random_fill.hpp>

ROWSMITH_BEGIN

/// How a block of weights starts.
enum class Initialiser {
  zeros,
  ones,
  he_normal,      ///< N(0, 2 / fan-in), for ReLU and its kin (He et al. 2015)
  xavier_uniform, ///< U(±sqrt(6 / (fan-in + fan-out))) (Glorot & Bengio 2010)
  scaled_normal   ///< N(0, scale²)
};

/// A matrix of weights inside the flat vector.
struct ParameterBlock {
  Index offset = 0;
  Index rows = 0;
  Index columns = 0;
};

/// Weights whose decay differs from the optimiser's: `factor` times as much.
struct DecayRange {
  Index first = 0;
  Index count = 0;
  double factor = 1;
};

/// The blocks of a model in the order they were added. Each begins at a multiple of 64 bytes for float.
class ParameterLayout {
public:
  struct Entry {
    std::string name;
    ParameterBlock block;
    Initialiser initialiser;
    double scale;
    Index fan_in; ///< inputs of one output; equals the rows unless the inputs are sparse
  };

  /// \param fan_in  0: as many as rows. One-hot inputs have far fewer active inputs than rows
  ParameterBlock add(std::string name, Index rows, Index columns, Initialiser initialiser, double scale = 1,
                     Index fan_in = 0) {
    const auto block = place(size_, rows, columns);
    entries_.push_back({std::move(name), block, initialiser, scale, fan_in == 0 ? rows : fan_in});
    return block;
  }
  /// Rows [first_row, first_row + rows) of a block decay `factor` times as fast as others; −1: all of them.
  void decay(const ParameterBlock& block, double factor, Index first_row = 0, Index rows = -1) {
    const Index count = (rows < 0 ? block.rows : rows) * block.columns;
    if (count > 0)
      decay_.push_back({block.offset + first_row * block.columns, count, factor});
  }
  const std::vector<DecayRange>& decay() const noexcept { return decay_; }
  /// Numbers that a layer keeps for itself and no optimiser touches: they lie in a vector of their own.
  ParameterBlock add_state(Index rows, Index columns) { return place(state_size_, rows, columns); }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// Elements of the flat vector, padding included.
  Index size() const noexcept { return size_; }
  Index state_size() const noexcept { return state_size_; }

  /// Fresh state: standard normal numbers, the same for the same seed.
  template <class Scalar>
  AlignedBuffer<Scalar> initialise_state(std::uint64_t seed) const {
    AlignedBuffer<Scalar> state(static_cast<std::size_t>(state_size_));
    fill_normal(RandomStream(seed, Purpose::initialise, ~0U), 0, state.data(), state_size_);
    return state;
  }
  /// Fresh weights; the same for the same seed. Padding is zero.
  template <class Scalar>
  AlignedBuffer<Scalar> initialise(std::uint64_t seed) const {
    AlignedBuffer<Scalar> values(static_cast<std::size_t>(size_));
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto& entry = entries_[i];
      const RandomStream stream(seed, Purpose::initialise, static_cast<std::uint32_t>(i));
      const Index count = entry.block.rows * entry.block.columns;
      Scalar* to = values.data() + entry.block.offset;
      const auto fan_in = static_cast<double>(entry.fan_in);
      const auto fan_out = static_cast<double>(entry.block.columns);
      double factor = entry.scale;
      switch (entry.initialiser) {
      case Initialiser::zeros:
        continue;
      case Initialiser::ones:
        std::fill_n(to, count, Scalar(1));
        continue;
      case Initialiser::he_normal:
        factor *= std::sqrt(2 / fan_in);
        [[fallthrough]];
      case Initialiser::scaled_normal:
        fill_normal(stream, 0, to, count);
        for (Index k = 0; k < count; ++k)
          to[k] *= static_cast<Scalar>(factor);
        break;
      case Initialiser::xavier_uniform:
        factor *= std::sqrt(6 / (fan_in + fan_out));
        fill_uniform(stream, 0, to, count);
        for (Index k = 0; k < count; ++k)
          to[k] = static_cast<Scalar>(factor) * (2 * to[k] - 1);
        break;
      }
    }
    return values;
  }

private:
  static ParameterBlock place(Index& size, Index rows, Index columns) {
    const ParameterBlock block{size, rows, columns};
    size += (rows * columns + 15) / 16 * 16;
    return block;
  }
  std::vector<Entry> entries_;
  std::vector<DecayRange> decay_;
  Index size_ = 0;
  Index state_size_ = 0;
};

/// A model's weights bound to a tape for one step. Without a place for gradients the weights are constants:
/// the model is frozen.
template <class Scalar>
class BoundParameters {
public:
  /// \param state  of layers that have one, such as `SpectralDense`
  BoundParameters(Tape<Scalar>& tape, const Scalar* values, Scalar* gradients, const Scalar* state = nullptr)
      : tape_(&tape), values_(values), gradients_(gradients), state_(state) {}

  Variable<Scalar> operator[](const ParameterBlock& block) const {
    const Scalar* values = values_ + block.offset;
    return gradients_ == nullptr
               ? tape_->constant(values, block.rows, block.columns)
               : tape_->parameter(values, gradients_ + block.offset, block.rows, block.columns);
  }
  /// Says that the loss may make use of a block later; else its gradient is zero.
  void declare(const ParameterBlock& block) const {
    if (gradients_ != nullptr)
      tape_->declare_parameter(values_ + block.offset, gradients_ + block.offset, block.rows, block.columns);
  }
  /// A block of the state. \throws Error without one
  const Scalar* state(const ParameterBlock& block) const {
    if (state_ == nullptr)
      throw Error("a layer that has a state, such as SpectralDense, was bound without it");
    return state_ + block.offset;
  }
  Tape<Scalar>& tape() const { return *tape_; }

private:
  Tape<Scalar>* tape_;
  const Scalar* values_;
  Scalar* gradients_;
  const Scalar* state_;
};

ROWSMITH_END
