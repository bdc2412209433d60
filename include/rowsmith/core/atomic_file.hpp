// SPDX-License-Identifier: MIT
/// \file
/// Files that are either whole or not there.
#pragma once

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <locale>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>

#if __has_include(<unistd.h>)
#include <fcntl.h>
#include <unistd.h>
#else
#include <process.h>
#endif

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

namespace detail {
/// What no other writer of the same file has: two threads must not share a partial file either.
inline std::string writer_number() {
  static std::atomic<unsigned> writers{0};
#if __has_include(<unistd.h>)
  const auto process = ::getpid();
#else
  const auto process = ::_getpid();
#endif
  return std::to_string(process) + '-' + std::to_string(writers++);
}

/// Asks the system to put a closed file's content on the disk. Returns the error number, 0 if none.
inline int sync_file(const std::filesystem::path& path) {
#if __has_include(<unistd.h>)
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return errno;
  // Some file systems have nothing to sync and answer EINVAL: that is no loss of data.
  const int failure = ::fsync(file) == 0 || errno == EINVAL ? 0 : errno;
  ::close(file);
  return failure;
#else
  static_cast<void>(path);
  return 0;
#endif
}

/// Removes the partial file unless it was renamed.
class PartialFile {
public:
  explicit PartialFile(std::filesystem::path path) : path_(std::move(path)) {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    std::error_code ignored;
    if (!renamed_)
      std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::error_code rename_to(const std::filesystem::path& target) {
    std::error_code failure;
    std::filesystem::rename(path_, target, failure);
    renamed_ = !failure;
    return failure;
  }

private:
  std::filesystem::path path_;
  bool renamed_ = false;
};

[[noreturn]] inline void throw_write_error(const std::filesystem::path& path, const std::string& what,
                                           const std::error_code& reason) {
  throw Error(path.string() + ": " + what + (reason ? ": " + reason.message() : std::string()));
}

inline void set_permissions(const std::filesystem::path& target, const std::filesystem::path& file,
                            std::filesystem::perms permissions) {
  std::error_code failure;
  std::filesystem::permissions(file, permissions, failure);
  if (failure)
    throw_write_error(target, "cannot keep its permissions", failure);
}

template <class Write>
void write_stream(const std::filesystem::path& target, const std::filesystem::path& file, Write& write,
                  std::optional<std::filesystem::perms> permissions = std::nullopt) {
  errno = 0;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  if (!out)
    throw_write_error(target, "cannot be opened for writing", {errno, std::generic_category()});
  if (permissions) // before there is anything to read in it
    set_permissions(target, file, *permissions);
  out.imbue(std::locale::classic());
  write(static_cast<std::ostream&>(out));
  errno = 0;
  out.close();
  if (!out)
    throw_write_error(target, "cannot be written in full", {errno, std::generic_category()});
}

/// Makes a file under another name in the same folder, syncs and renames it. \param make  called once with
/// that name and, where a file is replaced, the permissions to make it with \throws as
/// `write_file_atomically`
template <class Make>
void replace_file(const std::filesystem::path& path, Make&& make) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::file_status old = fs::status(path, failure);
  const bool replaces = fs::is_regular_file(old);
  const fs::path target = replaces ? fs::canonical(path, failure) : path;
  if (replaces && failure)
    throw_write_error(path, "cannot be found", failure);
  PartialFile partial(fs::path(target) += ".partial-" + writer_number());
  // While it is written its owner must be able to, and nobody else gains anything by it.
  const auto meanwhile = old.permissions() | fs::perms::owner_read | fs::perms::owner_write;
  make(partial.path(), replaces ? std::optional(meanwhile) : std::nullopt);
  if (const int reason = sync_file(partial.path()); reason != 0)
    throw_write_error(path, "cannot be put on the disk", {reason, std::generic_category()});
  if (replaces)
    set_permissions(path, partial.path(), old.permissions());
  if (const std::error_code reason = partial.rename_to(target); reason)
    throw_write_error(path, "cannot be renamed from its partial file", reason);
}
} // namespace detail

/// Writes a file so that its path always names either the old content or the whole new one: `write` fills
/// `<path>.partial-<process number>-<count>` in the same folder, which is synced to disk and then renamed.
///
/// \param path   A symbolic link is followed. A device or pipe is written directly, as there is nothing to
///               rename. An existing file keeps its permissions.
/// \param write  called once with a binary `std::ostream&` in the "C" locale
/// \throws Error naming the path if it cannot be written, and whatever `write` throws; the old file is then
///         untouched and the partial one removed
template <class Write>
void write_file_atomically(const std::filesystem::path& path, Write&& write) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::file_status old = fs::status(path, failure);
  if (old.type() == fs::file_type::directory)
    throw Error(path.string() + ": is a folder, expected a file to write");
  if (fs::exists(old) && !fs::is_regular_file(old)) {
    detail::write_stream(path, path, write);
    return;
  }
  detail::replace_file(path, [&](const fs::path& partial, std::optional<fs::perms> permissions) {
    detail::write_stream(path, partial, write, permissions);
  });
}

ROWSMITH_END
