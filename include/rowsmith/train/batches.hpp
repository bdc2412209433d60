// SPDX-License-Identifier: MIT
/// \file
/// Batches of encoded rows in a fresh order each epoch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/encoding/encoded_table.hpp>

ROWSMITH_BEGIN

/// Rows in an order that depends on (seed, epoch) only.
class EpochOrder {
public:
  /// \param rows  must outlive the order
  EpochOrder(std::span<const std::uint32_t> rows, std::uint64_t seed)
      : rows_(rows), seed_(seed), order_(rows.size()) {}

  /// The rows as an epoch takes them; valid until the next call. No allocation.
  std::span<const std::uint32_t> operator()(std::uint32_t epoch) {
    std::copy(rows_.begin(), rows_.end(), order_.begin());
    RandomSequence random(RandomStream(seed_, Purpose::shuffle, epoch));
    shuffle(std::span<std::uint32_t>(order_), random);
    return order_;
  }

private:
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
