// SPDX-License-Identifier: MIT
/// \file
/// The binary format of the metadata in Arrow's files: what of FlatBuffers those need.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Appends a number's bytes, the least significant first, on any machine.
template <class Number>
void append_little_endian(std::string& to, Number number) {
  const auto bits = static_cast<std::uint64_t>(number);
  for (std::size_t k = 0; k < sizeof(Number); ++k)
    to += static_cast<char>(bits >> 8 * k & 0xFFU);
}

/// One buffer, written from its root to its leaves: whoever refers to something comes before it, and is told
/// where it is once it is written. Numbers stand at multiples of their size. The format: "FlatBuffers
/// internals", flatbuffers.dev.
class FlatBuffer {
public:
  /// Where the reference to the first table stands.
  static constexpr std::size_t root = 0;

  /// A field of a table: a number, or a reference, of which nothing is known yet.
  struct Field {
    std::size_t id = 0; ///< its number in the table's type
    std::size_t size = 0;
    std::uint64_t bits = 0;
  };
  template <class Number>
  static Field number(std::size_t id, Number value) {
    static_assert(std::is_integral_v<Number>);
    return {id, sizeof(Number), static_cast<std::uint64_t>(value)};
  }
  static Field reference(std::size_t id) { return {id, 4, 0}; }

  /// \param from  the reference that leads to the table \returns where each field stands, by its number
  std::vector<std::size_t> table(std::size_t from, std::vector<Field> fields) {
    // The largest first, behind four bytes that end before a multiple of eight: nothing is between them.
    std::stable_sort(fields.begin(), fields.end(),
                     [](const Field& a, const Field& b) { return a.size > b.size; });
    std::size_t slots = 0;
    std::size_t size = 4;
    for (const auto& field : fields) {
      slots = std::max(slots, field.id + 1);
      size += field.size;
    }
    const std::size_t header = 4 + 2 * slots; // where each field is, before the table
    align(8, header + 4);
    std::vector<std::size_t> places(slots);
    for (std::size_t at = bytes_.size() + header + 4; const auto& field : fields) {
      places[field.id] = at;
      at += field.size;
    }
    const std::size_t table = bytes_.size() + header;
    append_little_endian(bytes_, static_cast<std::uint16_t>(header));
    append_little_endian(bytes_, static_cast<std::uint16_t>(size));
    for (const auto place : places) // 0: the field is not there
      append_little_endian(bytes_, static_cast<std::uint16_t>(place == 0 ? 0 : place - table));
    append_little_endian(bytes_, static_cast<std::int32_t>(header));
    for (const auto& field : fields)
      for (std::size_t k = 0; k < field.size; ++k)
        bytes_ += static_cast<char>(field.bits >> 8 * k & 0xFFU);
    refer(from, table);
    return places;
  }
  /// A list of references. \returns where they stand
  std::vector<std::size_t> references(std::size_t from, std::size_t count) {
    align(4);
    refer(from, bytes_.size());
    append_count(count);
    std::vector<std::size_t> places;
    for (std::size_t k = 0; k < count; ++k) {
      places.push_back(bytes_.size());
      bytes_.append(4, '\0');
    }
    return places;
  }
  /// A list of structures, each of `width` numbers of 64 bits.
  void structures(std::size_t from, const std::vector<std::int64_t>& numbers, std::size_t width) {
    align(8, 4);
    refer(from, bytes_.size());
    append_count(numbers.size() / width);
    for (const auto number : numbers)
      append_little_endian(bytes_, number);
  }
  void text(std::size_t from, std::string_view text) {
    align(4);
    refer(from, bytes_.size());
    append_count(text.size());
    bytes_ += text;
    bytes_ += '\0';
  }
  /// The bytes, a multiple of eight. \throws Error if there are more than the format has room for
  std::string take() {
    align(8);
    if (bytes_.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
      throw Error("Arrow: a list of columns or of batches is longer than its files have room for");
    return std::move(bytes_);
  }

private:
  /// So that what comes `ahead` bytes later stands at a multiple of `size`.
  void align(std::size_t size, std::size_t ahead = 0) {
    while ((bytes_.size() + ahead) % size != 0)
      bytes_ += '\0';
  }
  void append_count(std::size_t count) { append_little_endian(bytes_, static_cast<std::uint32_t>(count)); }
  /// References count bytes from where they stand.
  void refer(std::size_t from, std::size_t to) {
    std::string distance;
    append_little_endian(distance, static_cast<std::uint32_t>(to - from));
    bytes_.replace(from, distance.size(), distance);
  }

  std::string bytes_ = std::string(4, '\0');
};

} // namespace detail
ROWSMITH_END
