// SPDX-License-Identifier: MIT
/// \file
/// Gradients of a batch: computed shard by shard on several threads, then summed, with the same bits for any
/// number of threads.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/tape.hpp>
#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/parallel.hpp>

ROWSMITH_BEGIN

/// The gradient vectors of one network, one a shard. Each network has its own: what one leaves in them must
/// never reach another's weights. Memory is kept between steps.
template <class Scalar>
class ShardGradients {
public:
  /// \param parameters  length of each
  explicit ShardGradients(Index parameters) : parameters_(static_cast<std::size_t>(parameters)) {}

  void set_shards(std::size_t count) {
    while (vectors_.size() < count)
      vectors_.emplace_back(parameters_);
    shards_ = count;
  }
  std::size_t shards() const noexcept { return shards_; }
  std::size_t parameters() const noexcept { return parameters_; }
  Scalar* operator[](std::size_t shard) noexcept { return vectors_[shard].data(); }

private:
  std::size_t parameters_;
  std::size_t shards_ = 0;
  std::vector<AlignedBuffer<Scalar>> vectors_;
};

/// How the gradients of shards become that of the batch, between `DataParallel::run` and the optimiser. A sum
/// of your own may fetch those of other processes, or bound what a shard adds.
template <class Sum, class Scalar>
concept GradientSum = requires(const Sum& sum, ShardGradients<Scalar>& gradients, std::size_t first,
                               int threads) {
  // Of the parameters from `first` on; valid until the next run.
  { sum(gradients, first, threads) } -> std::convertible_to<std::span<const Scalar>>;
};

/// The sum within a process, pairwise: shard 0 takes 1, 2 takes 3, …, then 0 takes 2, … . The order depends
/// on the number of shards alone. Overwrites the gradients.
struct TreeSum {
  template <class Scalar>
  std::span<const Scalar> operator()(ShardGradients<Scalar>& gradients, std::size_t first,
                                     int threads) const {
    constexpr std::size_t chunk = 8192; // stays in the first-level cache from one pair to the next
    const std::size_t count = gradients.parameters() - first;
    parallel_for(gradients.shards() > 1 ? (count + chunk - 1) / chunk : 0, threads, [&](std::size_t part) {
      const std::size_t begin = first + part * chunk;
      const std::size_t end = std::min(gradients.parameters(), begin + chunk);
      for (std::size_t stride = 1; stride < gradients.shards(); stride *= 2)
        for (std::size_t s = 0; s + stride < gradients.shards(); s += 2 * stride) {
          Scalar* to = gradients[s];
          const Scalar* from = gradients[s + stride];
          for (std::size_t i = begin; i < end; ++i)
            to[i] += from[i];
        }
    });
    return {gradients[0] + first, count};
  }
};

/// A tape for each logical shard of a batch. The number of shards depends on the batch alone; threads take
/// shards. Memory is kept between steps.
template <class Scalar, GradientSum<Scalar> Sum = TreeSum>
class DataParallel {
public:
  explicit DataParallel(int threads, Sum sum = {}) : threads_(threads), sum_(std::move(sum)) {}

  int threads() const noexcept { return threads_; }

  /// Rows per shard are about this many. Each shard has a gradient of all weights to write and to be summed,
  /// and weights to lay out for its products: half as many rows take an eighth (autoencoder) to a quarter
  /// (discriminator) more of the processors' time, on one thread and on two.
  static constexpr Index shard_rows = 128;
  static constexpr Index max_shards = 8;
  static Index shards(Index rows) { return std::clamp<Index>(rows / shard_rows, 1, max_shards); }

  /// Builds the loss of every shard, and differentiates it if there is a place for gradients.
  /// \param gradients  null: the loss alone
  /// \param build  (Tape&, Scalar* gradients, Index first_row, Index rows) -> 1 × 1 loss, weighted so that
  ///               the shards' losses add up to the batch's; `gradients` is null if there is no place for
  ///               them
  /// \returns the sum of the losses, in shard order
  template <class Build>
  double run(Index rows, ShardGradients<Scalar>* gradients, const Build& build) {
    const auto count = static_cast<std::size_t>(shards(rows));
    while (workers_.size() < count)
      workers_.push_back(std::make_unique<Worker>());
    if (gradients != nullptr)
      gradients->set_shards(count);
    parallel_for(count, threads_, [&](std::size_t s) {
      auto& worker = *workers_[s];
      const Index begin = rows * static_cast<Index>(s) / static_cast<Index>(count);
      const Index end = rows * static_cast<Index>(s + 1) / static_cast<Index>(count);
      worker.tape.rewind();
      const auto loss =
          build(worker.tape, gradients == nullptr ? nullptr : (*gradients)[s], begin, end - begin);
      worker.loss = static_cast<double>(loss.item());
      if (gradients != nullptr)
        worker.tape.backward(loss);
    });
    double total = 0;
    for (std::size_t s = 0; s < count; ++s)
      total += workers_[s]->loss;
    return total;
  }

  /// The gradient of the batch by the parameters from `first` on, after `run`. Valid until the next.
  std::span<const Scalar> sum(ShardGradients<Scalar>& gradients, std::size_t first = 0) const {
    return sum_(gradients, first, threads_);
  }

private:
  struct Worker {
    Tape<Scalar> tape;
    double loss = 0;
  };
  int threads_;
  Sum sum_;
  std::vector<std::unique_ptr<Worker>> workers_; // pointers: a tape must not move
};

ROWSMITH_END
