// SPDX-License-Identifier: MIT
/// \file
/// Processes that do one piece of work together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
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
  /// Begins a `gather` that may go on while the caller computes; its memory is to be left alone until
  /// `finish`. All members begin the same ones in the same order; other functions may be called in between. A
  /// transport that cannot do this gathers at once.
  virtual void begin_gather(void* data, std::size_t bytes) const { gather(data, bytes); }
  /// Waits for all that has begun.
  virtual void finish() const {}
  /// Is it worth the calls to begin early, a piece at a time?
  virtual bool overlaps() const noexcept { return false; }
  /// The owner's bytes, to everybody.
  virtual void share(void* data, std::size_t bytes, int owner) const = 0;

  /// The first member's text, to everybody.
  void share_text(std::string& text) const { share_list(text, 0); }
  /// The owner's elements, however many, to everybody. \param list  a `std::vector` or `std::string` of
  /// values without pointers
  template <class List>
  void share_list(List& list, int owner) const {
    using Value = typename List::value_type;
    static_assert(std::is_trivially_copyable_v<Value>, "only what is its bytes can be shared");
    std::uint64_t size = list.size();
    share(&size, sizeof size, owner);
    list.resize(static_cast<std::size_t>(size));
    share(list.data(), list.size() * sizeof(Value), owner);
  }
  /// The owner's value, to everybody.
  template <class Value>
  void share_value(Value& value, int owner) const {
    static_assert(std::is_trivially_copyable_v<Value>, "only what is its bytes can be shared");
    share(&value, sizeof value, owner);
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

  /// Who does piece number `piece` where members take turns.
  int owner(std::size_t piece) const noexcept {
    return static_cast<int>(piece % static_cast<std::size_t>(members()));
  }
  bool owns(std::size_t piece) const noexcept { return owner(piece) == rank(); }

  /// Things in a row, [begin, end).
  struct Part {
    std::size_t begin;
    std::size_t end;
    std::size_t size() const noexcept { return end - begin; }
  };
  /// Which of so many things in a row a member works on, whole blocks of `block` but for the last: all have
  /// as many blocks, or one less.
  Part part_of(int member, std::size_t things, std::size_t block = 1) const noexcept {
    const std::size_t blocks = (things + block - 1) / block;
    const auto all = static_cast<std::size_t>(members());
    const auto begin_of = [&](std::size_t m) { return std::min(things, blocks * m / all * block); };
    return {begin_of(static_cast<std::size_t>(member)), begin_of(static_cast<std::size_t>(member) + 1)};
  }
  Part own_part(std::size_t things, std::size_t block = 1) const noexcept {
    return part_of(rank(), things, block);
  }
  /// What each member has made of its part, to everybody. \param data  things × width \param block  as of
  /// `part_of`
  template <class Value>
  void share_parts(Value* data, std::size_t things, std::size_t width, std::size_t block = 1) const {
    static_assert(std::is_trivially_copyable_v<Value>, "only what is its bytes can be shared");
    for (int member = 0; team != nullptr && member < members(); ++member)
      if (const Part part = part_of(member, things, block); part.size() > 0)
        team->share(data + part.begin * width, part.size() * width * sizeof(Value), member);
  }
};

ROWSMITH_END
