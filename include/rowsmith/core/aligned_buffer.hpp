// SPDX-License-Identifier: MIT
/// \file
/// A block of numbers aligned to a cache line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// Alignment of every numeric buffer, in bytes: one cache line, one AVX-512 register.
inline constexpr std::size_t buffer_alignment = 64;

/// A resizable array of trivially copyable elements, aligned to 64 bytes, zero-initialised, with value
/// semantics. It never shrinks its storage, so a buffer that is resized step after step stops allocating.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "AlignedBuffer holds plain numbers only");

public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) { resize(size); }
  AlignedBuffer(const AlignedBuffer& other) {
    resize(other.size_);
    std::copy_n(other.data_, size_, data_);
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(const AlignedBuffer& other) {
    if (this != &other) {
      resize(other.size_);
      std::copy_n(other.data_, size_, data_);
    }
    return *this;
  }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~AlignedBuffer() { release(); }

  /// Changes the size; elements up to the smaller size are kept, new ones are zero.
  /// \throws ShapeError for more bytes than a size can say
  void resize(std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T))
      throw ShapeError("a buffer of " + std::to_string(size) + " numbers cannot be");
    if (size > capacity_) {
      T* grown = static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{buffer_alignment}));
      std::copy_n(data_, size_, grown);
      release();
      data_ = grown;
      capacity_ = size;
    }
    if (size > size_)
      std::fill(data_ + size_, data_ + size, T{});
    size_ = size;
  }
  void fill(T value) { std::fill_n(data_, size_, value); }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + size_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }

  void swap(AlignedBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

private:
  void release() noexcept {
    if (data_ != nullptr)
      ::operator delete (data_, std::align_val_t{buffer_alignment});
    data_ = nullptr;
  }
  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

ROWSMITH_END
