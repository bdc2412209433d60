// SPDX-License-Identifier: MIT
#include <rowsmith/autodiff/arena.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

TEST_CASE("the arena hands out aligned memory that does not overlap", "[autodiff]") {
  rs::Arena arena;
  struct Piece {
    unsigned char* data;
    std::size_t size;
  };
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t size = i * i % 5000 + 1;
    auto* data = arena.allocate<unsigned char>(size);
    REQUIRE(reinterpret_cast<std::uintptr_t>(data) % 64 == 0);
    std::memset(data, static_cast<int>(i), size);
    pieces.push_back({data, size});
  }
  bool kept = true;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    for (std::size_t k = 0; k < pieces[i].size; ++k)
      kept = kept && pieces[i].data[k] == static_cast<unsigned char>(i);
  CHECK(kept);
}

TEST_CASE("a rewound arena repeats its addresses and does not grow", "[autodiff]") {
  rs::Arena arena;
  const auto requests = [&arena] {
    std::vector<void*> result;
    for (const std::size_t count : {10U, 70000U, 1U, 300000U, 0U, 5U, 20000U})
      result.push_back(arena.allocate<double>(count));
    return result;
  };
  CHECK(arena.capacity() == 0);
  const auto first = requests();
  const std::size_t capacity = arena.capacity();
  CHECK(capacity >= (10 + 70000 + 1 + 300000 + 5 + 20000) * sizeof(double));
  for (int turn = 0; turn < 3; ++turn) {
    arena.rewind();
    CHECK(requests() == first);
    CHECK(arena.capacity() == capacity);
  }
}

TEST_CASE("a request larger than what is left goes to a block of its own size", "[autodiff]") {
  rs::Arena arena;
  arena.allocate<char>(1);
  auto* large = arena.allocate<char>(std::size_t{1} << 22U);
  std::memset(large, 1, std::size_t{1} << 22U); // the sanitizer sees a block that is too short
  auto* after = arena.allocate<char>(64);
  std::memset(after, 2, 64);
  CHECK(large[(std::size_t{1} << 22U) - 1] == 1);
}
