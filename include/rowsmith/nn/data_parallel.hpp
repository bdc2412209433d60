// SPDX-License-Identifier: MIT
/// \file
/// Gradients of a batch, computed shard by shard on several threads with the same bits for any number of
/// them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include <rowsmith/autodiff/tape.hpp>
#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/nn/optimiser.hpp>

ROWSMITH_BEGIN

/// A tape and a gradient vector for each logical shard of a batch. The number of shards depends on the batch
/// alone; threads take shards; gradients are summed in a fixed tree. Memory is kept between steps.
template <class Scalar>
class DataParallel {
public:
  explicit DataParallel(int threads) : threads_(threads) {}

  int threads() const noexcept { return threads_; }

  /// Rows per shard are about this many: fewer cost more in sums than they gain in balance.
  static constexpr Index shard_rows = 128;
  static constexpr Index max_shards = 8;
  static Index shards(Index rows) { return std::clamp<Index>(rows / shard_rows, 1, max_shards); }

  /// Builds and differentiates the loss of every shard.
  /// \param build  (Tape&, Scalar* gradients, Index first_row, Index rows) -> 1 × 1 loss, weighted so that
  ///               the shards' losses add up to the batch's; `gradients` is null when not `differentiate`
  /// \returns the sum of the losses, in shard order
  template <class Build>
  double run(Index rows, Index parameters, bool differentiate, const Build& build) {
    const auto count = static_cast<std::size_t>(shards(rows));
    while (workers_.size() < count)
      workers_.push_back(std::make_unique<Worker>());
    gradients_.resize(count);
    for (std::size_t s = 0; s < count; ++s) {
      if (workers_[s]->gradients.size() < static_cast<std::size_t>(parameters))
        workers_[s]->gradients.resize(static_cast<std::size_t>(parameters));
      gradients_[s] = workers_[s]->gradients.data();
    }
    parallel_for(count, threads_, [&](std::size_t s) {
      auto& worker = *workers_[s];
      const Index begin = rows * static_cast<Index>(s) / static_cast<Index>(count);
      const Index end = rows * static_cast<Index>(s + 1) / static_cast<Index>(count);
      worker.tape.rewind();
      const auto loss =
          build(worker.tape, differentiate ? worker.gradients.data() : nullptr, begin, end - begin);
      worker.loss = static_cast<double>(loss.item());
      if (differentiate)
        worker.tape.backward(loss);
    });
    double total = 0;
    for (std::size_t s = 0; s < count; ++s)
      total += workers_[s]->loss;
    return total;
  }

  /// One optimiser step with the gradients of the last `run`.
  /// \param offset  where in the gradient vectors those of `values` begin: the others are left alone
  void apply(Optimiser<Scalar>& optimiser, std::span<Scalar> values, double rate_factor, Index offset = 0) {
    for (auto& gradient : gradients_)
      gradient += offset;
    optimiser.step(values, gradients_, rate_factor, threads_);
    for (auto& gradient : gradients_)
      gradient -= offset;
  }
  /// The gradient vectors of the last `run`, one per shard.
  const std::vector<Scalar*>& gradients() const noexcept { return gradients_; }

private:
  struct Worker {
    Tape<Scalar> tape;
    AlignedBuffer<Scalar> gradients;
    double loss = 0;
  };
  int threads_;
  std::vector<std::unique_ptr<Worker>> workers_; // pointers: a tape must not move
  std::vector<Scalar*> gradients_;
};

ROWSMITH_END
