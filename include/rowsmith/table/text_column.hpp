// SPDX-License-Identifier: MIT
/// \file
/// A column of a file as it is written, before anything is known about what its texts mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/text_hash.hpp>

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
    std::size_t first_line = 0; ///< the first line of the file that has it
  };

  /// \throws SchemaError above 2^32 − 1 distinct texts
  void add(std::string_view text, bool quoted, std::size_t line) {
    const std::uint32_t hash = detail::text_hash(text, quoted ? 1 : 0);
    auto code = index_.find(hash, [&](std::uint32_t entry) {
      return entries_[entry].quoted == quoted && text_of(entries_[entry]) == text;
    });
    if (code == detail::HashIndex::none) {
      if (entries_.size() + 1 >= std::numeric_limits<std::uint32_t>::max())
        throw SchemaError("a column has more than 2^32 - 2 distinct texts");
      code = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({bytes_.size(), 0, line, static_cast<std::uint32_t>(text.size()), quoted});
      bytes_.append(text);
      index_.insert(hash, code);
    }
    ++entries_[code].rows;
    codes_.push_back(code);
  }

  /// Gives back what only `add` needs, which is not to be called afterwards.
  void finish() noexcept { index_ = {}; }

  /// As it was at first, but for the memory that it has.
  void clear() noexcept {
    bytes_.clear();
    entries_.clear();
    codes_.clear();
    index_ = {};
  }

  std::size_t rows() const noexcept { return codes_.size(); }
  /// Which text each row has.
  std::span<const std::uint32_t> codes() const noexcept { return codes_; }
  std::size_t size() const noexcept { return entries_.size(); }
  Text operator[](std::size_t code) const noexcept {
    const Entry& entry = entries_[code];
    return {text_of(entry), entry.quoted, entry.rows, entry.first_line};
  }

private:
  struct Entry {
    std::size_t begin;
    std::size_t rows;
    std::size_t first_line;
    std::uint32_t length;
    bool quoted;
  };
  std::string_view text_of(const Entry& entry) const noexcept {
    return {bytes_.data() + entry.begin, entry.length};
  }

  std::string bytes_;
  std::vector<Entry> entries_;
  detail::HashIndex index_;
  std::vector<std::uint32_t> codes_;
};

ROWSMITH_END
