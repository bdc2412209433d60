// SPDX-License-Identifier: MIT
/// \file
/// The tape's memory: bump allocation, rewound step after step.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <type_traits>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>

ROWSMITH_BEGIN

/// Hands out 64-byte aligned memory by moving a pointer. `rewind` makes all of it free again and keeps the
/// blocks, so a loop that repeats the same requests stops allocating after its first turn.
/// Not thread-safe; one per worker. Not copyable: pointers into it would dangle.
class Arena {
public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Uninitialised memory for `count` elements, valid until `rewind`.
  template <class T>
  T* allocate(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena never runs destructors");
    return static_cast<T*>(allocate_bytes(count * sizeof(T)));
  }
  void rewind() noexcept {
    block_ = 0;
    used_ = 0;
  }
  /// Bytes held, in use or not.
  std::size_t capacity() const noexcept {
    std::size_t total = 0;
    for (const auto& block : blocks_)
      total += block.size();
    return total;
  }

private:
  void* allocate_bytes(std::size_t bytes) {
    bytes = (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
    while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size()) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      // Doubling keeps the number of blocks small whatever the first step needs.
      const std::size_t size =
          std::max({bytes, std::size_t{1} << 16U, 2 * (blocks_.empty() ? 0 : blocks_.back().size())});
      blocks_.emplace_back(size);
      used_ = 0;
    }
    std::byte* result = blocks_[block_].data() + used_;
    used_ += bytes;
    return result;
  }
  std::vector<AlignedBuffer<std::byte>> blocks_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
};

ROWSMITH_END
