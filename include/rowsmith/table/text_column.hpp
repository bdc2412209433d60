// SPDX-License-Identifier: MIT
/// \file
/// A column of a file as it is written, before anything is known about what its texts mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// The distinct texts of a column, and which of them each row has. Texts in quotes and without are told
/// apart.
class TextColumn {
public:
  /// A distinct text.
  struct Text {
    std::string_view text{};
    bool quoted = false;
    std::size_t rows = 0;       ///< that have it
    std::size_t first_row = 0;  ///< the first of them, from 0
    std::size_t first_line = 0; ///< its line in the file
  };

  /// \throws SchemaError above 2^32 − 1 distinct texts
  void add(std::string_view text, bool quoted, std::size_t line) {
    if (2 * (entries_.size() + 1) > table_.size())
      grow();
    std::size_t at = place(text, quoted);
    if (table_[at] == 0) {
      if (entries_.size() + 1 >= std::numeric_limits<std::uint32_t>::max())
        throw SchemaError("a column has more than 2^32 - 2 distinct texts");
      entries_.push_back(
          {bytes_.size(), static_cast<std::uint32_t>(text.size()), quoted, 0, codes_.size(), line});
      bytes_.append(text);
      table_[at] = static_cast<std::uint32_t>(entries_.size());
    }
    ++entries_[table_[at] - 1].rows;
    codes_.push_back(table_[at] - 1);
  }

  std::size_t rows() const noexcept { return codes_.size(); }
  /// Which text each row has.
  std::span<const std::uint32_t> codes() const noexcept { return codes_; }
  std::size_t size() const noexcept { return entries_.size(); }
  Text operator[](std::size_t code) const noexcept {
    const Entry& entry = entries_[code];
    return {std::string_view(bytes_).substr(entry.begin, entry.length), entry.quoted, entry.rows,
            entry.first_row, entry.first_line};
  }

private:
  struct Entry {
    std::size_t begin;
    std::uint32_t length;
    bool quoted;
    std::size_t rows;
    std::size_t first_row;
    std::size_t first_line;
  };

  /// Where in the table a text is, or would be.
  std::size_t place(std::string_view text, bool quoted) const noexcept {
    const std::size_t mask = table_.size() - 1;
    for (std::size_t at = hash(text, quoted) & mask;; at = (at + 1) & mask) {
      if (table_[at] == 0)
        return at;
      const Entry& entry = entries_[table_[at] - 1];
      if (entry.length == text.size() && entry.quoted == quoted &&
          std::string_view(bytes_).substr(entry.begin, entry.length) == text)
        return at;
    }
  }
  /// Eight bytes at a time, multiplied and folded. A file whose texts are made to collide costs its reader
  /// time alone.
  static std::size_t hash(std::string_view text, bool quoted) noexcept {
    std::uint64_t state = 0x9E3779B97F4A7C15U + text.size() * 2 + (quoted ? 1 : 0);
    const char* from = text.data();
    std::size_t left = text.size();
    while (left > 0) {
      std::uint64_t word = 0;
      const std::size_t count = left < 8 ? left : 8;
      std::memcpy(&word, from, count);
      state = (state ^ word) * 0xD6E8FEB86659FD93U;
      state ^= state >> 32U;
      from += count;
      left -= count;
    }
    state *= 0xD6E8FEB86659FD93U;
    return static_cast<std::size_t>(state ^ (state >> 29U));
  }
  void grow() {
    const std::size_t size = table_.empty() ? 64 : 2 * table_.size();
    table_.assign(size, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      std::size_t at =
          hash(std::string_view(bytes_).substr(entry.begin, entry.length), entry.quoted) & (size - 1);
      while (table_[at] != 0)
        at = (at + 1) & (size - 1);
      table_[at] = static_cast<std::uint32_t>(i + 1);
    }
  }

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> table_; ///< open addressing: 1 + the entry, 0: none
  std::vector<std::uint32_t> codes_;
};

ROWSMITH_END
