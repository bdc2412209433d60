// SPDX-License-Identifier: MIT
/// \file
/// Processes that do one piece of work together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/text_hash.hpp>

ROWSMITH_BEGIN

/// Processes that do one piece of work together, each a part of it, and all come to the same result, bit by
/// bit. `MpiTeam` of `rowsmith/distributed/mpi.hpp` is one; another transport derives its own. All members
/// call the same functions in the same order.
class Team {
public:
  Team() = default;
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  virtual ~Team() = default;

  /// Which of them this is, from 0.
  virtual int rank() const noexcept = 0;
  /// How many there are, ≥ 1.
  virtual int size() const noexcept = 0;
  /// Everybody's block of so many bytes, in the order of ranks. \param data  in: the own block at its place;
  /// out: all blocks
  virtual void gather(void* data, std::size_t bytes) const = 0;
  /// The owner's bytes, to everybody.
  virtual void share(void* data, std::size_t bytes, int owner) const = 0;

  /// The first member's text, to everybody.
  void share_text(std::string& text) const {
    std::uint64_t size = text.size();
    share(&size, sizeof size, 0);
    text.resize(static_cast<std::size_t>(size));
    share(text.data(), text.size(), 0);
  }
  /// The first member's answer, to everybody.
  bool share_answer(bool answer) const {
    char byte = answer ? 1 : 0;
    share(&byte, 1, 0);
    return byte != 0;
  }
  /// Do all have the same bytes?
  bool agree(const void* data, std::size_t bytes) const {
    std::vector<std::uint32_t> hashes(static_cast<std::size_t>(size()));
    hashes[static_cast<std::size_t>(rank())] = detail::text_hash({static_cast<const char*>(data), bytes});
    gather(hashes.data(), sizeof(std::uint32_t));
    for (const auto hash : hashes)
      if (hash != hashes.front())
        return false;
    return true;
  }
};

/// Who takes part in a loop: threads of this process, and other processes if there is a team.
struct Workers {
  Workers(int thread_count, const Team* processes = nullptr) // NOLINT: an int says how many threads
      : threads(thread_count), team(processes != nullptr && processes->size() > 1 ? processes : nullptr) {}

  int threads;
  const Team* team; ///< null: this process alone

  int members() const noexcept { return team == nullptr ? 1 : team->size(); }
  int rank() const noexcept { return team == nullptr ? 0 : team->rank(); }
};

ROWSMITH_END
