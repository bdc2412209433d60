// SPDX-License-Identifier: MIT
#include <rowsmith/core/parallel.hpp>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

TEST_CASE("every shard runs once, whatever the number of threads", "[core][parallel][threads]") {
  for (const int threads : {0, 1, 2, 3, 8})
    for (const std::size_t shards : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{97}}) {
      std::vector<int> runs(shards, 0);
      rs::parallel_for(shards, threads, [&](std::size_t shard) { ++runs[shard]; });
      CHECK(runs == std::vector<int>(shards, 1));
    }
}

TEST_CASE("results have the same bits for 1, 2, 3 and 8 threads", "[core][parallel][threads]") {
  const auto run = [](int threads) {
    std::vector<double> sums(64);
    rs::parallel_for(sums.size(), threads, [&](std::size_t shard) {
      rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user, static_cast<std::uint32_t>(shard)));
      for (int i = 0; i < 1000; ++i)
        sums[shard] += random.normal();
    });
    double total = 0;
    for (const double sum : sums)
      total += sum;
    return total;
  };
  const double expected = run(1);
  for (const int threads : {2, 3, 8})
    CHECK(run(threads) == expected);
}

TEST_CASE("the exception of the lowest shard arrives, after every shard has ended",
          "[core][parallel][threads]") {
  for (const int threads : {2, 3, 8}) {
    std::atomic<int> ended{0};
    std::string message;
    try {
      rs::parallel_for(50, threads, [&](std::size_t shard) {
        ++ended;
        if (shard % 10 == 3)
          throw std::runtime_error("shard " + std::to_string(shard));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "shard 3");
    CHECK(ended == 50);
  }
}

TEST_CASE("with one thread an exception ends the loop", "[core][parallel]") {
  int ended = 0;
  CHECK_THROWS_WITH(rs::parallel_for(50, 1,
                                     [&](std::size_t shard) {
                                       ++ended;
                                       if (shard == 3)
                                         throw std::runtime_error("shard 3");
                                     }),
                    "shard 3");
  CHECK(ended == 4);
}

TEST_CASE("the number of threads is checked", "[core][parallel]") {
  CHECK(rs::resolve_threads(0) >= 1);
#ifdef _OPENMP
  CHECK(rs::resolve_threads(3) == 3);
#else
  CHECK(rs::resolve_threads(3) == 1);
#endif
  CHECK_THROWS_WITH(rs::resolve_threads(-1), "threads = -1: expected 0 (all) to 4096");
  CHECK_THROWS_AS(rs::resolve_threads(4097), rs::OptionError);
}
