// SPDX-License-Identifier: MIT
// Threads in place of processes: a team in one program. What begins to be gathered is there when it is
// finished, and not before.
#pragma once

#include <barrier>
#include <cstddef>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <rowsmith/core/team.hpp>

namespace test {

class ThreadTeam : public rowsmith::Team {
public:
  // Where members meet.
  struct Place {
    explicit Place(int members) : data(static_cast<std::size_t>(members)), barrier(members) {}
    std::vector<char*> data;
    std::barrier<> barrier;
  };
  ThreadTeam(Place& place, int rank) : place_(place), rank_(rank) {}

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return static_cast<int>(place_.data.size()); }
  void gather(void* data, std::size_t bytes) const override {
    meet(data, [&] {
      for (std::size_t m = 0; m < place_.data.size(); ++m)
        if (m != static_cast<std::size_t>(rank_))
          std::memcpy(static_cast<char*>(data) + m * bytes, place_.data[m] + m * bytes, bytes);
    });
  }
  void begin_gather(void* data, std::size_t bytes) const override {
    ++begun;
    open_.emplace_back(static_cast<char*>(data), bytes);
    for (std::size_t m = 0; m < place_.data.size(); ++m)
      if (m != static_cast<std::size_t>(rank_)) // not a number to whoever reads it too early
        std::memset(static_cast<char*>(data) + m * bytes, 0xFF, bytes);
  }
  void finish() const override {
    for (const auto& [data, bytes] : open_)
      gather(data, bytes);
    open_.clear();
  }
  bool overlaps() const noexcept override { return true; }
  void share(void* data, std::size_t bytes, int owner) const override {
    meet(data, [&] {
      if (owner != rank_ && bytes > 0)
        std::memcpy(data, place_.data[static_cast<std::size_t>(owner)], bytes);
    });
  }
  mutable std::size_t begun = 0; // gathers that might go on while the member computes

  // Calls work(team) on each member's thread.
  template <class Work>
  static void run(int members, const Work& work) {
    Place place(members);
    std::vector<std::thread> threads;
    for (int rank = 0; rank < members; ++rank)
      threads.emplace_back([&place, &work, rank] { work(ThreadTeam(place, rank)); });
    for (auto& thread : threads)
      thread.join();
  }

private:
  template <class Copy>
  void meet(void* data, const Copy& copy) const {
    place_.data[static_cast<std::size_t>(rank_)] = static_cast<char*>(data);
    place_.barrier.arrive_and_wait();
    copy();
    place_.barrier.arrive_and_wait();
  }
  Place& place_;
  int rank_;
  mutable std::vector<std::pair<char*, std::size_t>> open_;
};

} // namespace test
