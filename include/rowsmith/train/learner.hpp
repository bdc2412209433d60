// SPDX-License-Identifier: MIT
/// \file
/// The weights of a network in training, with all that goes along.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/nn/optimiser.hpp>
#include <rowsmith/nn/parameters.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/private_gradient.hpp>

ROWSMITH_BEGIN

/// A network's weights and state, the gradients of its shards, its optimiser's moments and the moving
/// average.
class Learner {
public:
  /// \param name  of the network, for checkpoints \param average_decay  > 0: the weights kept are a moving
  /// average \param first  weights before it are not trained
  Learner(std::string name, const ParameterLayout& layout, AlignedBuffer<float> values, std::uint64_t seed,
          const OptimiserOptions& options, double average_decay = 0, Index first = 0)
      : name_(std::move(name)), first_(static_cast<std::size_t>(first)), averaged_(average_decay > 0),
        values_(std::move(values)), state_(layout.initialise_state<float>(seed)),
        optimiser_(options, layout.size() - first, layout.decay(), first), gradients_(layout.size()) {
    if (averaged_)
      average_ = WeightAverage<float>(average_decay, values_);
    for (const auto& entry : layout.entries())
      if (entry.block.offset >= first)
        blocks_.push_back(entry.block);
  }

  /// One step. \param rows  of the batch \param loss  (BoundParameters, first row, rows) -> 1 × 1 loss of a
  /// shard, weighted so that those of the shards add up \returns the loss before the step
  template <class Loss>
  double learn(DataParallel<float>& parallel, Index rows, double rate_factor, const Loss& loss) {
    const auto [before, gradient] = parallel.differentiate(
        rows, gradients_, first_, [&](Tape<float>& tape, float* gradients, Index first, Index part) {
          return loss(bound(tape, gradients), first, part);
        });
    optimiser_.step(std::span<float>(values_).subspan(first_), gradient, rate_factor, parallel.threads());
    if (averaged_)
      average_.update(values_);
    return before;
  }
  /// One step of differentially private gradient descent (Abadi et al., "Deep learning with differential
  /// privacy", CCS 2016): rows' gradients are shortened to `privacy.clip_norm()`, summed, and drowned in
  /// noise. Tells nothing of the loss. \param rows  of the batch, drawn by chance \param loss  as `learn`
  /// takes it, but with each row's whole loss: the step divides by the expected number of rows \throws Error
  /// if a row's gradient is not finite, or an operation cannot tell how long it is
  template <class Loss>
  void learn_privately(DataParallel<float>& parallel, Index rows, double rate_factor, const Loss& loss,
                       PrivateGradient& privacy) {
    const auto pass = [&](const auto& prepare) {
      parallel.run(rows, &gradients_, [&](Tape<float>& tape, float* gradients, Index first, Index part) {
        prepare(tape, first, part);
        return loss(bound(tape, gradients), first, part);
      });
    };
    float* factors = privacy.start(rows);
    pass([&](Tape<float>& tape, Index first, Index part) { tape.audit_rows(factors + first, part); });
    privacy.squares_to_factors(rows);
    pass([&](Tape<float>& tape, Index first, Index part) { tape.weigh_rows(factors + first, part); });
    optimiser_.step(std::span<float>(values_).subspan(first_),
                    privacy.noisy(parallel.sum(gradients_, first_), parallel.threads()), rate_factor,
                    parallel.threads());
    if (averaged_)
      average_.update(values_);
  }
  /// The same for a batch without rows: noise alone.
  void learn_nothing(double rate_factor, PrivateGradient& privacy, int threads) {
    gradients_.set_shards(1);
    std::fill_n(gradients_[0], gradients_.parameters(), 0.0F);
    optimiser_.step(std::span<float>(values_).subspan(first_),
                    privacy.noisy({gradients_[0] + first_, gradients_.parameters() - first_}, threads),
                    rate_factor, threads);
    if (averaged_)
      average_.update(values_);
  }
  /// The loss of the weights to keep.
  template <class Loss>
  double evaluate(DataParallel<float>& parallel, Index rows, const Loss& loss) const {
    return parallel.run(rows, nullptr, [&](Tape<float>& tape, float*, Index first, Index part) {
      return loss(BoundParameters<float>(tape, kept_values().data(), nullptr, state_.data()), first, part);
    });
  }
  /// The weights as they are, for the steps of another network.
  BoundParameters<float> frozen(Tape<float>& tape) const {
    return {tape, values_.data(), nullptr, state_.data()};
  }

  std::uint64_t steps() const noexcept { return optimiser_.steps(); }
  const AlignedBuffer<float>& values() const noexcept { return values_; }
  AlignedBuffer<float>& state() noexcept { return state_; }
  /// The weights to keep: their moving average if there is one.
  const AlignedBuffer<float>& kept_values() const noexcept { return averaged_ ? average_.values() : values_; }

  /// Adds all that `load` needs to go on with the same bits.
  void save(detail::StateFile& state) const {
    state.put(name_ + ".values", values_);
    state.put(name_ + ".state", state_);
    state.put(name_ + ".steps", optimiser_.steps());
    state.put(name_ + ".first_moment", optimiser_.first_moment());
    state.put(name_ + ".second_moment", optimiser_.second_moment());
    if (averaged_) {
      state.put(name_ + ".average", average_.values());
      state.put(name_ + ".average.steps", average_.steps());
    }
  }
  /// \throws ModelFileError if the state is not one of such a network
  void load(const detail::StateFile& state) {
    values_ = state.buffer(name_ + ".values", values_.size());
    state_ = state.buffer(name_ + ".state", state_.size());
    optimiser_.restore(state.count(name_ + ".steps"),
                       state.buffer(name_ + ".first_moment", optimiser_.first_moment().size()),
                       state.buffer(name_ + ".second_moment", optimiser_.second_moment().size()));
    if (averaged_)
      average_.restore(state.count(name_ + ".average.steps"),
                       state.buffer(name_ + ".average", values_.size()));
  }

private:
  /// All weights that are trained: those that the loss does not reach have a gradient of zero.
  BoundParameters<float> bound(Tape<float>& tape, float* gradients) const {
    const BoundParameters<float> parameters(tape, values_.data(), gradients, state_.data());
    for (const auto& block : blocks_)
      parameters.declare(block);
    return parameters;
  }

  std::string name_;
  std::size_t first_;
  bool averaged_;
  AlignedBuffer<float> values_;
  AlignedBuffer<float> state_;
  Optimiser<float> optimiser_;
  WeightAverage<float> average_;
  ShardGradients<float> gradients_;
  std::vector<ParameterBlock> blocks_; ///< those trained
};

ROWSMITH_END
