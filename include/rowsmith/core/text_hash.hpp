// SPDX-License-Identifier: MIT
/// \file
/// The hash of a text, the same on any machine of the same byte order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/byte_words.hpp>
#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Eight bytes at a time, multiplied and folded. Texts that are made to collide cost their reader time alone.
class TextHash {
public:
  /// \param kind  of two texts that are to be told apart although they are the same
  TextHash(std::size_t size, std::uint64_t kind) noexcept : state_(0x9E3779B97F4A7C15U + size * 2 + kind) {}
  void add(std::uint64_t word) noexcept {
    state_ = (state_ ^ word) * 0xD6E8FEB86659FD93U;
    state_ ^= state_ >> 32U;
  }
  std::uint32_t value() const noexcept {
    return static_cast<std::uint32_t>((state_ * 0xD6E8FEB86659FD93U) >> 32U);
  }

private:
  std::uint64_t state_;
};

/// The hash of a text. \param kind  of two texts that are to be told apart although they are the same
inline std::uint32_t text_hash(std::string_view text, std::uint64_t kind = 0) noexcept {
  TextHash hash(text.size(), kind);
  const char* from = text.data();
  std::size_t left = text.size();
  for (; left >= 8; from += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, 8);
    hash.add(word);
  }
  if (left > 0)
    hash.add(byte_word(from, left));
  return hash.value();
}

/// Which entry of a list a hash belongs to: open addressing, with the hashes beside the numbers, so that
/// texts are looked at only where they are likely the same.
class HashIndex {
public:
  static constexpr std::uint32_t none = 0xFFFFFFFFU;

  /// The entry of that hash that is the `same`, as `same(entry)` says; `none` if there is none.
  template <class Same>
  std::uint32_t find(std::uint32_t hash, const Same& same) const {
    if (slots_.empty())
      return none;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].entry != none; at = (at + 1) & mask)
      if (slots_[at].hash == hash && same(slots_[at].entry))
        return slots_[at].entry;
    return none;
  }
  /// Adds an entry that is not there.
  void insert(std::uint32_t hash, std::uint32_t entry) {
    if (2 * (used_ + 1) > slots_.size())
      grow();
    put(hash, entry);
    ++used_;
  }
  /// The entry that `find` would find; if there is none, the one that `make()` makes, which is added.
  template <class Same, class Make>
  std::uint32_t find_or_add(std::uint32_t hash, const Same& same, const Make& make) {
    if (2 * (used_ + 1) > slots_.size())
      grow();
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    for (; slots_[at].entry != none; at = (at + 1) & mask)
      if (slots_[at].hash == hash && same(slots_[at].entry))
        return slots_[at].entry;
    slots_[at] = {hash, make()};
    ++used_;
    return slots_[at].entry;
  }
  /// Makes room for so many more entries.
  void reserve(std::size_t more) {
    while (2 * (used_ + more) > slots_.size())
      grow();
  }
  /// Where many are to be found, memory is asked for all that is needed before any of it is waited for: first
  /// for the slots, then, by a guess that is nearly always right, for the entries. \returns the guess, or
  /// `none`
  void prefetch(std::uint32_t hash) const noexcept {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  std::uint32_t guess(std::uint32_t hash) const noexcept { return slots_[hash & (slots_.size() - 1)].entry; }
  /// As it was at first, but for the memory that it has.
  void clear() noexcept {
    if (used_ > 0)
      std::fill(slots_.begin(), slots_.end(), Slot());
    used_ = 0;
  }

private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t entry = none;
  };
  void put(std::uint32_t hash, std::uint32_t entry) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].entry != none)
      at = (at + 1) & mask;
    slots_[at] = {hash, entry};
  }
  void grow() {
    const auto old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 16 : 2 * slots_.size()));
    for (const auto& slot : old)
      if (slot.entry != none)
        put(slot.hash, slot.entry);
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

} // namespace detail
ROWSMITH_END
