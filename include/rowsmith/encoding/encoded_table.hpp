// SPDX-License-Identifier: MIT
/// \file
/// Encoded rows, stored compactly: 1, 2 or 4 bytes a code and a float a number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/scratch_file.hpp>
#include <rowsmith/kernel/codec.hpp>

ROWSMITH_BEGIN

/// A stretch of a network's output (and one-hot input) that belongs to one column.
using EncodedColumn = kernel::Stretch;

/// Rows of codes and numbers, row-major. Codes count from 0 in each column; their width is chosen by the
/// largest code there can be, so that a million Adult-like rows take 30 MB. They lie in memory, or in a file
/// that is mapped into it. Can be moved, not copied.
class EncodedTable {
public:
  EncodedTable() = default;
  /// \param code_columns, number_columns  per row  \param max_code  the largest code that will be stored
  /// \throws ShapeError for more cells than memory could hold
  EncodedTable(std::size_t rows, std::size_t code_columns, std::size_t number_columns, std::int32_t max_code)
      : EncodedTable(rows, code_columns, number_columns, max_code, nullptr) {}
  /// The same in a file instead of in memory. \param folder  where the file lies, which has no name; empty:
  /// that of temporary files \throws Error if the disk has no place for it
  static EncodedTable in_file(const std::filesystem::path& folder, std::size_t rows, std::size_t code_columns,
                              std::size_t number_columns, std::int32_t max_code) {
    return {rows, code_columns, number_columns, max_code, &folder};
  }

  std::size_t rows() const noexcept { return rows_; }
  std::size_t code_columns() const noexcept { return code_columns_; }
  std::size_t number_columns() const noexcept { return number_columns_; }
  std::int32_t max_code() const noexcept { return max_code_; }
  /// Bytes of memory held, or of the file.
  std::size_t bytes() const noexcept { return code_bytes().size() + number_count() * sizeof(float); }

  /// \throws ShapeError for a place or a code that is not of this table
  void set_code(std::size_t row, std::size_t column, std::int32_t code) {
    if (row >= rows_ || column >= code_columns_ || code < 0 || code > max_code_)
      throw ShapeError("encoded table: code " + std::to_string(code) + " at row " + std::to_string(row) +
                       ", column " + std::to_string(column) + " of " + std::to_string(rows_) + " x " +
                       std::to_string(code_columns_) + " codes up to " + std::to_string(max_code_));
    // Little or big endian: copying from a variable of the right width is correct on both.
    std::uint8_t* to = code_data() + (row * code_columns_ + column) * bytes_;
    const auto one = static_cast<std::uint8_t>(code);
    const auto two = static_cast<std::uint16_t>(code);
    std::memcpy(to,
                bytes_ == 1
                    ? static_cast<const void*>(&one)
                    : (bytes_ == 2 ? static_cast<const void*>(&two) : static_cast<const void*>(&code)),
                bytes_);
  }
  /// The codes of all rows in one column. \throws ShapeError as `set_code` does, or for another number of
  /// them
  void set_codes(std::size_t column, std::span<const std::int32_t> codes) {
    if (codes.size() != rows_)
      throw ShapeError("encoded table: " + std::to_string(codes.size()) + " codes for " +
                       std::to_string(rows_) + " rows");
    bool fine = column < code_columns_;
    for (const auto code : codes)
      fine = fine && code >= 0 && code <= max_code_;
    for (std::size_t row = 0; row < rows_ && !fine; ++row)
      set_code(row, column, codes[row]); // the first that is wrong throws
    switch (bytes_) {
    case 1:
      store_codes<std::uint8_t>(column, codes);
      break;
    case 2:
      store_codes<std::uint16_t>(column, codes);
      break;
    default:
      store_codes<std::int32_t>(column, codes);
    }
  }
  /// Reading is not checked: a place that is not of this table is undefined behaviour.
  std::int32_t code(std::size_t row, std::size_t column) const noexcept {
    return code_at(code_data() + (row * code_columns_ + column) * bytes_);
  }
  /// \throws ShapeError for a place that is not of this table
  void set_number(std::size_t row, std::size_t column, float number) {
    if (row >= rows_ || column >= number_columns_)
      throw ShapeError("encoded table: a number at row " + std::to_string(row) + ", column " +
                       std::to_string(column) + " of " + std::to_string(rows_) + " x " +
                       std::to_string(number_columns_));
    number_data()[row * number_columns_ + column] = number;
  }
  float number(std::size_t row, std::size_t column) const noexcept {
    return number_data()[row * number_columns_ + column];
  }

  /// All codes and all numbers as they are stored.
  std::span<const std::uint8_t> code_bytes() const noexcept {
    return {code_data(), rows_ * code_columns_ * bytes_};
  }
  std::span<const float> numbers() const noexcept { return {number_data(), number_count()}; }
  std::span<std::uint8_t> writable_codes() noexcept { return {code_data(), code_bytes().size()}; }
  std::span<float> writable_numbers() noexcept { return {number_data(), number_count()}; }
  /// Puts all rows of another table of the same columns in the place of those from `first` on.
  /// \throws ShapeError if they do not fit there
  void put(std::size_t first, const EncodedTable& rows) {
    if (rows.code_columns_ != code_columns_ || rows.number_columns_ != number_columns_ ||
        rows.bytes_ != bytes_ || first > rows_ || rows.rows_ > rows_ - first)
      throw ShapeError("encoded table: " + std::to_string(rows.rows_) + " rows do not fit at row " +
                       std::to_string(first) + " of " + std::to_string(rows_));
    const auto codes = rows.code_bytes();
    const auto numbers = rows.numbers();
    std::copy(codes.begin(), codes.end(), code_data() + first * code_columns_ * bytes_);
    std::copy(numbers.begin(), numbers.end(), number_data() + first * number_columns_);
  }
  /// Chosen rows, in memory. A row that is not of this table is undefined behaviour.
  EncodedTable select(std::span<const std::uint32_t> chosen) const {
    EncodedTable result(chosen.size(), code_columns_, number_columns_, max_code_);
    const std::size_t width = code_columns_ * bytes_;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      std::copy_n(code_data() + chosen[i] * width, width, result.codes_.data() + i * width);
      std::copy_n(number_data() + chosen[i] * number_columns_, number_columns_,
                  result.numbers_.data() + i * number_columns_);
    }
    return result;
  }

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
    const float* const stored = number_data();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      __builtin_prefetch(stored + ahead(chosen, i) * number_columns_);
      for (std::size_t c = 0; c < number_columns_; ++c)
        numbers[i * number_columns_ + c] = stored[chosen[i] * number_columns_ + c];
    }
  }

private:
  /// \param folder  null: in memory
  EncodedTable(std::size_t rows, std::size_t code_columns, std::size_t number_columns, std::int32_t max_code,
               const std::filesystem::path* folder)
      : rows_(rows), code_columns_(code_columns), number_columns_(number_columns), max_code_(max_code),
        bytes_(max_code <= 0xFF ? 1 : (max_code <= 0xFFFF ? 2 : 4)) {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / sizeof(float);
    if (max_code < 0 || (rows != 0 && (code_columns > most / rows || number_columns > most / rows)))
      throw ShapeError("encoded table: " + std::to_string(rows) + " rows of " + std::to_string(code_columns) +
                       " codes up to " + std::to_string(max_code) + " and " + std::to_string(number_columns) +
                       " numbers cannot be");
    const std::size_t code_size = rows * code_columns * bytes_;
    const std::size_t number_size = rows * number_columns;
    if (folder != nullptr) {
      // Numbers first, so that they are aligned.
      file_ = detail::ScratchFile(*folder, number_size * sizeof(float) + code_size);
    } else {
      codes_.resize(code_size);
      numbers_.resize(number_size);
    }
  }

  std::size_t number_count() const noexcept { return rows_ * number_columns_; }
  std::uint8_t* code_data() noexcept {
    return file_.size() == 0 ? codes_.data() : file_.data() + number_count() * sizeof(float);
  }
  float* number_data() noexcept {
    return file_.size() == 0 ? numbers_.data() : reinterpret_cast<float*>(file_.data());
  }
  const std::uint8_t* code_data() const noexcept {
    return file_.size() == 0 ? codes_.data() : file_.data() + number_count() * sizeof(float);
  }
  const float* number_data() const noexcept {
    return file_.size() == 0 ? numbers_.data() : reinterpret_cast<const float*>(file_.data());
  }
  // Rows of a shuffled epoch lie all over the memory: the row to read sixteen rows later is asked for early.
  static std::uint32_t ahead(std::span<const std::uint32_t> chosen, std::size_t i) noexcept {
    return chosen[std::min(i + 16, chosen.size() - 1)];
  }
  template <class Stored>
  void store_codes(std::size_t column, std::span<const std::int32_t> codes) noexcept {
    std::uint8_t* to = code_data() + column * sizeof(Stored);
    for (const auto code : codes) {
      const auto stored = static_cast<Stored>(code);
      std::memcpy(to, &stored, sizeof stored);
      to += code_columns_ * sizeof(Stored);
    }
  }
  template <class Stored>
  void gather_codes(std::span<const std::uint32_t> chosen, const std::int32_t* offsets,
                    std::int32_t* codes) const noexcept {
    const std::uint8_t* const bytes = code_data();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      __builtin_prefetch(bytes + ahead(chosen, i) * code_columns_ * sizeof(Stored));
      const std::uint8_t* from = bytes + chosen[i] * code_columns_ * sizeof(Stored);
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
  AlignedBuffer<std::uint8_t> codes_; ///< in memory, unless there is a file
  AlignedBuffer<float> numbers_;
  detail::ScratchFile file_;
};

ROWSMITH_END
