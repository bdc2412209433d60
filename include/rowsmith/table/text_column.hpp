// SPDX-License-Identifier: MIT
/// \file
/// A column of a file as it is written, before anything is known about what its texts mean.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/byte_words.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/text_hash.hpp>

ROWSMITH_BEGIN

/// The distinct texts of a column, and which of them each row has. Texts in quotes and without are told
/// apart.
class TextColumn {
public:
  class Copier;

  /// A distinct text.
  struct Text {
    std::string_view text{};
    bool quoted = false;
    std::size_t rows = 0;       ///< that have it
    std::size_t first_line = 0; ///< the first line of the file that has it
  };

  /// A row's text, with what it is looked for by. Of one of more than 8 bytes, a view.
  class Key {
  public:
    Key() = default;
    Key(std::string_view text, bool quoted, std::size_t line) noexcept
        : size_(text.size()), line_(line), quoted_(quoted) {
      if (is_short()) {
        word_ = detail::byte_word(text.data(), text.size());
        detail::TextHash hash(text.size(), quoted ? 1 : 0);
        hash.add(word_);
        hash_ = hash.value();
      } else {
        begin_ = text.data();
        hash_ = detail::text_hash(text, quoted ? 1 : 0);
      }
    }
    static bool is_short(std::size_t size) noexcept { return size <= 8; }

  private:
    friend class TextColumn;
    bool is_short() const noexcept { return is_short(size_); }
    std::string_view long_text() const noexcept { return {begin_, size_}; }
    const char* begin_ = nullptr; ///< of a long one
    std::uint64_t word_ = 0;      ///< the bytes of a short one
    std::size_t size_ = 0;
    std::size_t line_ = 0;
    std::uint32_t hash_ = 0;
    bool quoted_ = false;
  };
  /// So many rows are added together at best.
  static constexpr std::size_t together = 64;

  /// \throws SchemaError above 2^32 − 2 distinct texts
  void add(std::string_view text, bool quoted, std::size_t line) { take(code_of(Key(text, quoted, line))); }
  /// The same of several rows, at less than what they cost one by one.
  void add(std::span<const Key> keys) {
    for (; !keys.empty(); keys = keys.subspan(std::min(keys.size(), together))) {
      const auto some = keys.first(std::min(keys.size(), together));
      fetch(some);
      for (const auto& key : some)
        take(code_of(key));
    }
  }

  /// Gives back what only `add` needs, which is not to be called afterwards.
  void finish() noexcept { index_ = {}; }

  /// As it was at first, but for the memory that it has.
  void clear() noexcept {
    bytes_.clear();
    entries_.clear();
    codes_.clear();
    index_.clear();
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
    std::array<char, 8> place{}; ///< a short text, filled up by zeros; of a long one, where it is in `bytes_`
    std::size_t rows = 0;
    std::size_t first_line = 0;
    std::uint32_t length = 0;
    bool quoted = false;
  };

  /// Asks for the places in memory of several texts, which are all over it, before any is waited for.
  void fetch(std::span<const Key> keys) {
    index_.reserve(keys.size());
    for (const auto& key : keys)
      index_.prefetch(key.hash_);
    for (const auto& key : keys)
      if (const auto entry = index_.guess(key.hash_); entry != detail::HashIndex::none)
        __builtin_prefetch(&entries_[entry]);
  }
  std::uint32_t code_of(const Key& key) {
    const auto same = [&](std::uint32_t code) {
      const Entry& entry = entries_[code];
      return entry.length == key.size_ && entry.quoted == key.quoted_ &&
             (key.is_short() ? detail::byte_word(entry.place.data()) == key.word_
                             : text_of(entry) == key.long_text());
    };
    return index_.find_or_add(key.hash_, same, [&] { return append(key); });
  }
  void take(std::uint32_t code) {
    ++entries_[code].rows;
    codes_.push_back(code);
  }
  std::uint32_t append(const Key& key) {
    if (entries_.size() + 1 >= std::numeric_limits<std::uint32_t>::max())
      throw SchemaError("a column has more than 2^32 - 2 distinct texts");
    Entry entry;
    entry.first_line = key.line_;
    entry.length = static_cast<std::uint32_t>(key.size_);
    entry.quoted = key.quoted_;
    if (key.is_short()) {
      for (std::size_t i = 0; i < entry.place.size(); ++i)
        entry.place[i] = static_cast<char>(key.word_ >> 8 * i);
    } else {
      const std::uint64_t begin = bytes_.size();
      std::memcpy(entry.place.data(), &begin, sizeof begin);
      bytes_.append(key.long_text());
    }
    entries_.push_back(entry);
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  std::string_view text_of(const Entry& entry) const noexcept {
    if (Key::is_short(entry.length))
      return {entry.place.data(), entry.length};
    std::uint64_t begin = 0;
    std::memcpy(&begin, entry.place.data(), sizeof begin);
    return {bytes_.data() + begin, entry.length};
  }

  std::string bytes_;
  std::vector<Entry> entries_;
  detail::HashIndex index_;
  std::vector<std::uint32_t> codes_;
};

/// Adds rows of one column to another, as if their texts were added one by one. Both must outlive it, and
/// nothing be added to the one.
class TextColumn::Copier {
public:
  Copier(const TextColumn& from, TextColumn& to) : from_(&from), to_(&to), known_(from.size(), unknown) {}
  /// \param row  from 0
  void add(std::size_t row) {
    const auto code = from_->codes_[row];
    if (known_[code] == unknown)
      known_[code] = to_->code_of(key_of(code));
    to_->take(known_[code]);
  }
  void add(std::span<const std::size_t> rows) {
    std::array<Key, together> keys;
    std::array<std::uint32_t, together> codes{}; // of the keys
    for (; !rows.empty(); rows = rows.subspan(std::min(rows.size(), together))) {
      const auto some = rows.first(std::min(rows.size(), together));
      std::size_t count = 0;
      for (const auto row : some)
        if (const auto code = from_->codes_[row]; known_[code] == unknown) {
          keys[count] = key_of(code);
          codes[count++] = code;
        }
      to_->fetch({keys.data(), count});
      for (std::size_t i = 0; i < count; ++i)
        known_[codes[i]] = to_->code_of(keys[i]);
      for (const auto row : some)
        to_->take(known_[from_->codes_[row]]);
    }
  }

private:
  static constexpr std::uint32_t unknown = std::numeric_limits<std::uint32_t>::max();

  Key key_of(std::uint32_t code) const noexcept {
    const Text text = (*from_)[code];
    return {text.text, text.quoted, text.first_line};
  }

  const TextColumn* from_;
  TextColumn* to_;
  std::vector<std::uint32_t> known_; ///< by code of the one, the code in the other
};

ROWSMITH_END
