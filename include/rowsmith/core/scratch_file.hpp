// SPDX-License-Identifier: MIT
/// \file
/// Memory that lies in a file, for what is larger than the memory that a program should take.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#if __has_include(<sys/mman.h>)
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Bytes in a file without a name, mapped into memory: the system keeps in memory what it has room for, and
/// the file is gone when the program ends, however it ends. All of its place on the disk is taken at once, so
/// that a full disk is an error here and no signal later. Where there are no mapped files, plain memory.
class ScratchFile {
public:
  ScratchFile() = default;
  /// \param folder  where the file lies, of which nobody sees a name; empty: that of temporary files
  /// \throws Error if it cannot be made so large
  ScratchFile(const std::filesystem::path& folder, std::size_t size) : size_(size) {
    if (size == 0)
      return;
#if __has_include(<sys/mman.h>)
    auto path = ((folder.empty() ? std::filesystem::temp_directory_path() : folder) / ".rowsmith-rows-XXXXXX")
                    .string();
    const int file = ::mkstemp(path.data());
    if (file < 0)
      fail(path, errno);
    ::unlink(path.c_str());
#ifdef __APPLE__
    int failure = EOPNOTSUPP;
#else
    int failure = ::posix_fallocate(file, 0, static_cast<off_t>(size));
#endif
    if (failure == EOPNOTSUPP || failure == EINVAL) // a system that cannot say so beforehand
      failure = ::ftruncate(file, static_cast<off_t>(size)) == 0 ? 0 : errno;
    void* const mapped =
        failure == 0 ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (failure == 0 && mapped == MAP_FAILED)
      failure = errno;
    ::close(file); // the mapping keeps it
    if (failure != 0)
      fail(path, failure);
    data_ = static_cast<std::uint8_t*>(mapped);
#else
    static_cast<void>(folder);
    memory_.resize(size);
    data_ = memory_.data();
#endif
  }
  ScratchFile(ScratchFile&& other) noexcept { swap(other); }
  ScratchFile& operator=(ScratchFile&& other) noexcept {
    ScratchFile taken(std::move(other));
    swap(taken);
    return *this;
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() {
#if __has_include(<sys/mman.h>)
    if (data_ != nullptr)
      ::munmap(data_, size_);
#endif
  }

  std::uint8_t* data() noexcept { return data_; }
  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

private:
  void swap(ScratchFile& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
#if !__has_include(<sys/mman.h>)
    memory_.swap(other.memory_);
#endif
  }
  [[noreturn]] void fail(const std::string& path, int failure) const {
    throw Error(path + ": " + std::to_string(size_) +
                " bytes for the encoded rows: " + std::strerror(failure));
  }

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
#if !__has_include(<sys/mman.h>)
  AlignedBuffer<std::uint8_t> memory_;
#endif
};

} // namespace detail
ROWSMITH_END
