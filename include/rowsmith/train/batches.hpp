// SPDX-License-Identifier: MIT
/// \file
/// Batches of encoded rows in a fresh order each epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/encoding/encoded_table.hpp>

ROWSMITH_BEGIN

/// A permutation of [0, n) that depends on (seed, epoch) only.
class EpochOrder {
public:
  explicit EpochOrder(std::size_t n, std::uint64_t seed) : seed_(seed), order_(n) {}

  /// The order of an epoch; valid until the next call. No allocation.
  std::span<const std::uint32_t> operator()(std::uint32_t epoch) {
    std::iota(order_.begin(), order_.end(), 0U);
    RandomSequence random(RandomStream(seed_, Purpose::shuffle, epoch));
    shuffle(std::span<std::uint32_t>(order_), random);
    return order_;
  }

private:
  std::uint64_t seed_;
  std::vector<std::uint32_t> order_;
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
