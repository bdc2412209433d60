// SPDX-License-Identifier: MIT
/// \file
/// The hash of a text, the same on any machine of the same byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Eight bytes at a time, multiplied and folded. Texts that are made to collide cost their reader time alone.
/// \param kind  of two texts that are to be told apart although they are the same
inline std::uint32_t text_hash(std::string_view text, std::uint64_t kind = 0) noexcept {
  std::uint64_t state = 0x9E3779B97F4A7C15U + text.size() * 2 + kind;
  const char* from = text.data();
  std::size_t left = text.size();
  const auto mix = [&state](std::uint64_t word) {
    state = (state ^ word) * 0xD6E8FEB86659FD93U;
    state ^= state >> 32U;
  };
  for (; left >= 8; from += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, 8);
    mix(word);
  }
  if (left > 0) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < left; ++i)
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << 8 * i;
    mix(word);
  }
  state *= 0xD6E8FEB86659FD93U;
  return static_cast<std::uint32_t>(state >> 32U);
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
