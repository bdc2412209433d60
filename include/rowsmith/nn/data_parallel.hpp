// SPDX-License-Identifier: MIT
/// \file
/// Gradients of a batch: computed shard by shard on several threads, then summed, with the same bits for any
/// number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/tape.hpp>
#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/team.hpp>

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
    const std::size_t count = gradients.parameters() - first;
    add(gradients.shards(), count, threads, [&](std::size_t s) { return gradients[s] + first; });
    return {gradients[0] + first, count};
  }

  /// Adds vectors up into the first of them. \param vector  (number) -> its first element
  template <class VectorOf>
  static void add(std::size_t vectors, std::size_t size, int threads, const VectorOf& vector) {
    constexpr std::size_t chunk = 8192; // stays in the first-level cache from one pair to the next
    parallel_for(vectors > 1 ? (size + chunk - 1) / chunk : 0, threads, [&](std::size_t part) {
      const std::size_t begin = part * chunk;
      const std::size_t end = std::min(size, begin + chunk);
      for (std::size_t stride = 1; stride < vectors; stride *= 2)
        for (std::size_t s = 0; s + stride < vectors; s += 2 * stride) {
          auto* to = vector(s);
          const auto* from = vector(s + stride);
          for (std::size_t i = begin; i < end; ++i)
            to[i] += from[i];
        }
    });
  }
};

/// The same over the processes of a team: each has computed some shards in a row, as many as the tree adds up
/// before it adds anything else, so that the order is that of one process.
class TeamSum {
public:
  explicit TeamSum(const Team* team = nullptr) : team_(team) {}

  /// Shards that a member takes, but for the last one: a power of two.
  static std::size_t shards_a_member(std::size_t shards, std::size_t members) noexcept {
    std::size_t block = 1;
    while ((shards + block - 1) / block > members)
      block *= 2;
    return block;
  }

  /// Begins to add up the gradients of shards that are still being computed.
  template <class Scalar>
  void begin(const ShardGradients<Scalar>& gradients, std::size_t first) const {
    first_ = first;
    left_ = gradients.parameters() - first;
    piece_ = team_->overlaps() ? early_piece : std::max<std::size_t>(left_, 1);
    sums_.resize(std::max(sums_.size(), left_ * static_cast<std::size_t>(team_->size()) * sizeof(Scalar)));
  }
  /// Sends pieces whose gradients have come to their end in all of this member's shards, the last ones in
  /// memory first: backward passes begin there. \param final  parameters from it on have
  template <class Scalar>
  void advance(ShardGradients<Scalar>& gradients, std::size_t final, int threads) const {
    const auto members = static_cast<std::size_t>(team_->size());
    const std::size_t block = shards_a_member(gradients.shards(), members);
    const auto rank = static_cast<std::size_t>(team_->rank());
    const std::size_t begin = std::min(gradients.shards(), rank * block);
    const std::size_t end = std::min(gradients.shards(), begin + block);
    while (left_ > 0) {
      const std::size_t from = (left_ - 1) / piece_ * piece_;
      if (*first_ + from < final)
        return;
      const std::size_t size = left_ - from;
      TreeSum::add(end - begin, size, threads,
                   [&](std::size_t s) { return gradients[begin + s] + *first_ + from; });
      auto* const sums = reinterpret_cast<Scalar*>(sums_.data()) + from * members;
      if (begin < end)
        std::copy_n(gradients[begin] + *first_ + from, size, sums + rank * size);
      team_->begin_gather(sums, size * sizeof(Scalar));
      left_ = from;
    }
  }

  template <class Scalar>
  std::span<const Scalar> operator()(ShardGradients<Scalar>& gradients, std::size_t first,
                                     int threads) const {
    if (team_ == nullptr)
      return TreeSum()(gradients, first, threads);
    if (!first_)
      begin(gradients, first);
    advance(gradients, first, threads);
    first_.reset();
    team_->finish();
    const std::size_t count = gradients.parameters() - first;
    const auto members = static_cast<std::size_t>(team_->size());
    const std::size_t block = shards_a_member(gradients.shards(), members);
    const std::size_t used = (gradients.shards() + block - 1) / block;
    auto* const sums = reinterpret_cast<Scalar*>(sums_.data());
    for (std::size_t from = 0; from < count; from += piece_) {
      const std::size_t size = std::min(piece_, count - from);
      Scalar* const parts = sums + from * members;
      TreeSum::add(used, size, threads, [&](std::size_t m) { return parts + m * size; });
      if (from > 0) // side by side; never on what is still to be added
        std::copy_n(parts, size, sums + from);
    }
    return {sums, count};
  }

private:
  /// Parameters that are sent at once. Fewer cost more calls, more begin later.
  static constexpr std::size_t early_piece = std::size_t{1} << 16U;
  const Team* team_;
  mutable AlignedBuffer<std::byte> sums_;      ///< kept between steps; by pieces, then members
  mutable std::optional<std::size_t> first_{}; ///< parameter of the sum that has begun
  mutable std::size_t piece_ = early_piece;
  mutable std::size_t left_ = 0; ///< parameters behind it that are not sent yet
};

/// A tape for each logical shard of a batch. The number of shards depends on the batch alone; threads take
/// shards. Memory is kept between steps.
template <class Scalar, GradientSum<Scalar> Sum = TeamSum>
class DataParallel {
public:
  explicit DataParallel(Workers workers) requires std::is_same_v<Sum, TeamSum> : workers_(workers),
                                                                                 sum_(workers.team) {}
  DataParallel(Workers workers, Sum sum) requires(!std::is_same_v<Sum, TeamSum>)
      : workers_(workers), sum_(std::move(sum)) {}

  int threads() const noexcept { return workers_.threads; }
  const Workers& workers() const noexcept { return workers_; }

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
    const auto own =
        compute(rows, gradients, build,
                [](Tape<Scalar>& tape, const Variable<Scalar>& loss, std::size_t) { tape.backward(loss); });
    if (workers_.team != nullptr)
      workers_.team->gather(losses_.data(), own.block * sizeof(double));
    return std::accumulate(losses_.begin(), losses_.end(), 0.0);
  }

  /// `run`, then `sum`; of a team, gradients that are final are sent while others are still computed.
  /// After an exception a team cannot go on: other members wait for what this one has not sent.
  /// \returns the sum of the losses, and the gradient by the parameters from `first` on: valid until the next
  template <class Build>
  std::pair<double, std::span<const Scalar>> differentiate(Index rows, ShardGradients<Scalar>& gradients,
                                                           std::size_t first, const Build& build) {
    if constexpr (std::is_same_v<Sum, TeamSum>)
      if (workers_.team != nullptr)
        return differentiate_together(rows, gradients, first, build);
    const double loss = run(rows, &gradients, build);
    return {loss, sum(gradients, first)};
  }

  /// The gradient of the batch by the parameters from `first` on, after `run`. Valid until the next.
  std::span<const Scalar> sum(ShardGradients<Scalar>& gradients, std::size_t first = 0) const {
    return sum_(gradients, first, threads());
  }

private:
  /// The shards that a member of a team takes.
  struct OwnShards {
    std::size_t begin;
    std::size_t end;
    std::size_t block; ///< of a member, but for the last one
  };
  OwnShards own_shards(std::size_t count) const {
    const std::size_t block = TeamSum::shards_a_member(count, static_cast<std::size_t>(workers_.members()));
    const std::size_t begin = std::min(count, static_cast<std::size_t>(workers_.rank()) * block);
    return {begin, std::min(count, begin + block), block};
  }
  /// Fills the losses of this member's shards, and their gradients if there is a place for them.
  /// \param backward  (Tape&, loss, shard)
  template <class Build, class Backward>
  OwnShards compute(Index rows, ShardGradients<Scalar>* gradients, const Build& build,
                    const Backward& backward) {
    const auto count = static_cast<std::size_t>(shards(rows));
    while (tapes_.size() < count)
      tapes_.push_back(std::make_unique<Tape<Scalar>>());
    if (gradients != nullptr)
      gradients->set_shards(count);
    const auto own = own_shards(count);
    losses_.assign(static_cast<std::size_t>(workers_.members()) * own.block, 0);
    parallel_for(own.end - own.begin, threads(), [&](std::size_t number) {
      const std::size_t s = own.begin + number;
      auto& tape = *tapes_[s];
      const Index begin = rows * static_cast<Index>(s) / static_cast<Index>(count);
      const Index end = rows * static_cast<Index>(s + 1) / static_cast<Index>(count);
      tape.rewind();
      const auto loss = build(tape, gradients == nullptr ? nullptr : (*gradients)[s], begin, end - begin);
      losses_[s] = static_cast<double>(loss.item());
      if (gradients != nullptr)
        backward(tape, loss, s);
    });
    return own;
  }
  template <class Build>
  std::pair<double, std::span<const Scalar>> differentiate_together(Index rows,
                                                                    ShardGradients<Scalar>& gradients,
                                                                    std::size_t first, const Build& build) {
    const auto own = own_shards(static_cast<std::size_t>(shards(rows)));
    sum_.begin(gradients, first);
    // From where on the gradient of each shard is final.
    std::array<std::atomic<std::size_t>, static_cast<std::size_t>(max_shards)> final{};
    for (std::size_t s = own.begin; s < own.end; ++s)
      final[s] = gradients.parameters();
    const auto caller = std::this_thread::get_id(); // the only one that talks to the team
    compute(rows, &gradients, build, [&](Tape<Scalar>& tape, const Variable<Scalar>& loss, std::size_t s) {
      tape.backward(loss, [&](const Scalar* from) {
        final[s].store(static_cast<std::size_t>(from - gradients[s]), std::memory_order_release);
        if (!workers_.team->overlaps() || std::this_thread::get_id() != caller)
          return;
        std::size_t all = 0;
        for (std::size_t shard = own.begin; shard < own.end; ++shard)
          all = std::max(all, final[shard].load(std::memory_order_acquire));
        sum_.advance(gradients, all, 1);
      });
    });
    // Whoever has how many shards, on however many threads: all send the same in the same order.
    sum_.advance(gradients, first, threads());
    workers_.team->begin_gather(losses_.data(), own.block * sizeof(double));
    const auto gradient = sum(gradients, first);
    return {std::accumulate(losses_.begin(), losses_.end(), 0.0), gradient};
  }

  Workers workers_;
  Sum sum_;
  std::vector<double> losses_;                       ///< by shard
  std::vector<std::unique_ptr<Tape<Scalar>>> tapes_; // pointers: a tape must not move
};

ROWSMITH_END
