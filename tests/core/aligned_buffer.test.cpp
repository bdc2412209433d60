// SPDX-License-Identifier: MIT
#include <rowsmith/core/aligned_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

TEST_CASE("a buffer is aligned to 64 bytes and starts with zeros", "[core][aligned_buffer]") {
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{16}, std::size_t{1000}}) {
    const rs::AlignedBuffer<float> buffer(size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
    CHECK(buffer.size() == size);
    for (const float value : buffer)
      CHECK(value == 0.0F);
  }
  CHECK(rs::AlignedBuffer<float>().empty());
  CHECK(rs::AlignedBuffer<float>(0).empty());
}

TEST_CASE("resize keeps what is there and zeroes what is new", "[core][aligned_buffer]") {
  rs::AlignedBuffer<int> buffer(3);
  buffer.fill(7);
  buffer.resize(5);
  CHECK((buffer[2] == 7 && buffer[3] == 0 && buffer[4] == 0));
  const int* storage = buffer.data();
  buffer.fill(9);
  buffer.resize(1);
  buffer.resize(5);
  // The storage did not move, and what had been cut off does not come back.
  CHECK(buffer.data() == storage);
  CHECK((buffer[0] == 9 && buffer[1] == 0 && buffer[4] == 0));
}

TEST_CASE("buffers are values", "[core][aligned_buffer]") {
  rs::AlignedBuffer<int> first(2);
  first.fill(1);
  rs::AlignedBuffer<int> copy = first;
  copy[0] = 5;
  CHECK(first[0] == 1);
  first = copy;
  CHECK(first[0] == 5);
  const auto& same = first;
  first = same;
  CHECK((first.size() == 2 && first[0] == 5));

  const int* storage = first.data();
  rs::AlignedBuffer<int> moved = std::move(first);
  CHECK(moved.data() == storage);
  copy = std::move(moved);
  CHECK(copy.data() == storage);

  const rs::AlignedBuffer<int> empty;
  rs::AlignedBuffer<int> target(4);
  target = empty;
  CHECK(target.empty());
  const std::span<const int> view = copy;
  CHECK((view.size() == 2 && view.data() == storage));
}

TEST_CASE("a size that no memory has is refused, not wrapped around", "[core][aligned_buffer]") {
  rs::AlignedBuffer<double> buffer(2);
  CHECK_THROWS_AS(buffer.resize(std::numeric_limits<std::size_t>::max() / 8 + 2), rs::ShapeError);
  CHECK(buffer.size() == 2);
}
