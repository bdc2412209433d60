// SPDX-License-Identifier: MIT
/// \file
/// Encoded rows, stored compactly: 1, 2 or 4 bytes a code and a float a number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/kernel/codec.hpp>

ROWSMITH_BEGIN

/// A stretch of a network's output (and one-hot input) that belongs to one column.
using EncodedColumn = kernel::Stretch;

/// Rows of codes and numbers, row-major. Codes count from 0 in each column; their width is chosen by the
/// largest code there can be, so that a million Adult-like rows take 30 MB.
class EncodedTable {
public:
  EncodedTable() = default;
  /// \param code_columns, number_columns  per row  \param max_code  the largest code that will be stored
  /// \throws ShapeError for more cells than memory could hold
  EncodedTable(std::size_t rows, std::size_t code_columns, std::size_t number_columns, std::int32_t max_code)
      : rows_(rows), code_columns_(code_columns), number_columns_(number_columns), max_code_(max_code),
        bytes_(max_code <= 0xFF ? 1 : (max_code <= 0xFFFF ? 2 : 4)) {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / sizeof(float);
    if (max_code < 0 || (rows != 0 && (code_columns > most / rows || number_columns > most / rows)))
      throw ShapeError("encoded table: " + std::to_string(rows) + " rows of " + std::to_string(code_columns) +
                       " codes up to " + std::to_string(max_code) + " and " + std::to_string(number_columns) +
                       " numbers cannot be");
    codes_.resize(rows * code_columns * bytes_);
    numbers_.resize(rows * number_columns);
  }

  std::size_t rows() const noexcept { return rows_; }
  std::size_t code_columns() const noexcept { return code_columns_; }
  std::size_t number_columns() const noexcept { return number_columns_; }
  /// Bytes of memory held.
  std::size_t bytes() const noexcept { return codes_.size() + numbers_.size() * sizeof(float); }

  /// \throws ShapeError for a place or a code that is not of this table
  void set_code(std::size_t row, std::size_t column, std::int32_t code) {
    if (row >= rows_ || column >= code_columns_ || code < 0 || code > max_code_)
      throw ShapeError("encoded table: code " + std::to_string(code) + " at row " + std::to_string(row) +
                       ", column " + std::to_string(column) + " of " + std::to_string(rows_) + " x " +
                       std::to_string(code_columns_) + " codes up to " + std::to_string(max_code_));
    // Little or big endian: copying from a variable of the right width is correct on both.
    std::uint8_t* to = codes_.data() + (row * code_columns_ + column) * bytes_;
    const auto one = static_cast<std::uint8_t>(code);
    const auto two = static_cast<std::uint16_t>(code);
    std::memcpy(to,
                bytes_ == 1
                    ? static_cast<const void*>(&one)
                    : (bytes_ == 2 ? static_cast<const void*>(&two) : static_cast<const void*>(&code)),
                bytes_);
  }
  /// Reading is not checked: a place that is not of this table is undefined behaviour.
  std::int32_t code(std::size_t row, std::size_t column) const noexcept {
    return code_at(codes_.data() + (row * code_columns_ + column) * bytes_);
  }
  /// \throws ShapeError for a place that is not of this table
  void set_number(std::size_t row, std::size_t column, float number) {
    if (row >= rows_ || column >= number_columns_)
      throw ShapeError("encoded table: a number at row " + std::to_string(row) + ", column " +
                       std::to_string(column) + " of " + std::to_string(rows_) + " x " +
                       std::to_string(number_columns_));
    numbers_[row * number_columns_ + column] = number;
  }
  float number(std::size_t row, std::size_t column) const noexcept {
    return numbers_[row * number_columns_ + column];
  }

  /// All codes and all numbers as they are stored.
  std::span<const std::uint8_t> code_bytes() const noexcept { return {codes_.data(), codes_.size()}; }
  std::span<const float> numbers() const noexcept { return {numbers_.data(), numbers_.size()}; }

  /// Copies the chosen rows out, all of this table: codes with `offsets[column]` added (rows × code_columns),
  /// numbers as they are (rows × number_columns).
  void gather(std::span<const std::uint32_t> chosen, const std::int32_t* offsets, std::int32_t* codes,
              float* numbers) const noexcept {
    switch (bytes_) {
    case 1:
      gather_codes<std::uint8_t>(chosen, offsets, codes);
      break;
    case 2:
      gather_codes<std::uint16_t>(chosen, offsets, codes);
      break;
    default:
      gather_codes<std::int32_t>(chosen, offsets, codes);
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      __builtin_prefetch(numbers_.data() + ahead(chosen, i) * number_columns_);
      for (std::size_t c = 0; c < number_columns_; ++c)
        numbers[i * number_columns_ + c] = numbers_[chosen[i] * number_columns_ + c];
    }
  }

private:
  // Rows of a shuffled epoch lie all over the memory: the row to read sixteen rows later is asked for early.
  static std::uint32_t ahead(std::span<const std::uint32_t> chosen, std::size_t i) noexcept {
    return chosen[std::min(i + 16, chosen.size() - 1)];
  }
  template <class Stored>
  void gather_codes(std::span<const std::uint32_t> chosen, const std::int32_t* offsets,
                    std::int32_t* codes) const noexcept {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      __builtin_prefetch(codes_.data() + ahead(chosen, i) * code_columns_ * sizeof(Stored));
      const std::uint8_t* from = codes_.data() + chosen[i] * code_columns_ * sizeof(Stored);
      for (std::size_t c = 0; c < code_columns_; ++c) {
        Stored stored;
        std::memcpy(&stored, from + c * sizeof(Stored), sizeof(Stored));
        codes[i * code_columns_ + c] = offsets[c] + static_cast<std::int32_t>(stored);
      }
    }
  }
  std::int32_t code_at(const std::uint8_t* from) const noexcept {
    if (bytes_ == 1)
      return *from;
    if (bytes_ == 2) {
      std::uint16_t two = 0;
      std::memcpy(&two, from, sizeof two);
      return two;
    }
    std::int32_t four = 0;
    std::memcpy(&four, from, sizeof four);
    return four;
  }
  std::size_t rows_ = 0;
  std::size_t code_columns_ = 0;
  std::size_t number_columns_ = 0;
  std::int32_t max_code_ = 0;
  std::size_t bytes_ = 1;
  AlignedBuffer<std::uint8_t> codes_;
  AlignedBuffer<float> numbers_;
};

ROWSMITH_END
