// SPDX-License-Identifier: MIT
/// \file
/// Batches of encoded rows in a fresh order each epoch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/encoding/encoded_table.hpp>

ROWSMITH_BEGIN

/// Rows in an order that depends on (seed, epoch) only. An epoch of a large table is a part of it: the next
/// one goes on where it ended, so that each row has its turn once before any has it again.
class EpochOrder {
public:
  /// An epoch has at most this many rows.
  static constexpr std::size_t most_rows = std::size_t{1} << 20U;

  /// \param rows  must outlive the order
  EpochOrder(std::span<const std::uint32_t> rows, std::uint64_t seed)
      : rows_(rows), seed_(seed), order_(std::min(rows.size(), most_rows)) {}

  /// Rows of an epoch.
  std::size_t rows() const noexcept { return order_.size(); }

  /// The rows as an epoch takes them; valid until the next call. No allocation.
  std::span<const std::uint32_t> operator()(std::uint32_t epoch) {
    if (rows_.size() == order_.size()) {
      std::copy(rows_.begin(), rows_.end(), order_.begin());
      RandomSequence random(RandomStream(seed_, Purpose::shuffle, epoch));
      shuffle(std::span<std::uint32_t>(order_), random);
      return order_;
    }
    std::uint64_t turn = epoch * std::uint64_t{order_.size()};
    for (auto& row : order_) {
      row = rows_[place(turn / rows_.size(), turn % rows_.size())];
      ++turn;
    }
    return order_;
  }

private:
  /// A bijection of the rows' places, another one in each round: a Feistel network over an even number of
  /// bits, walked until it comes to a place that there is (Black and Rogaway, CT-RSA 2002). No order of all
  /// rows is kept or made.
  std::size_t place(std::uint64_t round, std::uint64_t at) const noexcept {
    unsigned half = 1;
    while ((rows_.size() - 1) >> (2 * half) != 0)
      ++half;
    const std::uint64_t mask = (std::uint64_t{1} << half) - 1;
    do {
      std::uint64_t left = at >> half;
      std::uint64_t right = at & mask;
      for (std::uint64_t k = 0; k < 6; ++k) {
        std::uint64_t mixed =
            (right + 1) * 0x9E3779B97F4A7C15U ^ (seed_ + 6 * round + k) * 0xD6E8FEB86659FD93U;
        mixed = (mixed ^ (mixed >> 32U)) * 0xD6E8FEB86659FD93U;
        mixed = (mixed ^ (mixed >> 32U)) * 0xD6E8FEB86659FD93U;
        left ^= (mixed >> 32U) & mask;
        std::swap(left, right);
      }
      at = (left << half) | right;
    } while (at >= rows_.size());
    return static_cast<std::size_t>(at);
  }

  std::span<const std::uint32_t> rows_;
  std::uint64_t seed_;
  std::vector<std::uint32_t> order_;
};

/// How the rows of an epoch are cut into batches.
class Batches {
public:
  /// \param size  of a batch; the last may be shorter, unless all are to be `whole`: then the rows left over
  /// are not used (in another epoch they will be others) \throws OptionError if a batch would have no row
  Batches(std::size_t rows, std::size_t size, bool whole = false) : size_(std::min(size, rows)), rows_(rows) {
    if (size_ == 0)
      throw OptionError("batches of " + std::to_string(size) + " rows out of " + std::to_string(rows) +
                        ": expected at least one row");
    if (whole)
      rows_ -= rows_ % size_;
  }

  std::size_t count() const noexcept { return (rows_ + size_ - 1) / size_; }
  /// Of all batches together.
  std::size_t rows() const noexcept { return rows_; }
  /// Batch number `number` of rows in their order.
  std::span<const std::uint32_t> of(std::span<const std::uint32_t> rows, std::size_t number) const {
    return rows.subspan(number * size_, std::min(size_, rows_ - number * size_));
  }

private:
  std::size_t size_;
  std::size_t rows_;
};

/// A buffer that chosen rows of an encoded table are copied to, as the first layer and the loss read them.
class BatchBuffer {
public:
  /// \param table, code_offsets, number_weights  must outlive the buffer
  BatchBuffer(const EncodedTable& table, const std::vector<std::int32_t>& code_offsets,
              const std::vector<std::int32_t>& number_weights)
      : table_(&table), code_offsets_(&code_offsets), number_weights_(&number_weights) {}

  /// Copies the rows in; allocates only when the batch is the largest so far.
  void load(std::span<const std::uint32_t> rows) {
    if (codes_.size() < rows.size() * table_->code_columns())
      codes_.resize(rows.size() * table_->code_columns());
    if (numbers_.size() < rows.size() * table_->number_columns())
      numbers_.resize(rows.size() * table_->number_columns());
    table_->gather(rows, code_offsets_->data(), codes_.data(), numbers_.data());
  }
  /// Rows [first, first + count) of the batch.
  MixedRows<float> rows(Index first, Index count) const {
    const auto codes = static_cast<Index>(table_->code_columns());
    const auto numbers = static_cast<Index>(table_->number_columns());
    return {.rows = count,
            .code_columns = codes,
            .number_columns = numbers,
            .codes = codes_.data() + first * codes,
            .numbers = numbers_.data() + first * numbers,
            .number_weights = number_weights_->data()};
  }

private:
  const EncodedTable* table_;
  const std::vector<std::int32_t>* code_offsets_;
  const std::vector<std::int32_t>* number_weights_;
  std::vector<std::int32_t> codes_;
  std::vector<float> numbers_;
};

ROWSMITH_END
