// SPDX-License-Identifier: MIT
// Reads Arrow's streams and files as their format is published (Apache Arrow: Columnar Format, Message.fbs,
// Schema.fbs, File.fbs; FlatBuffers internals), for the types that the library writes. Nothing of the
// library's is in it, and it takes no byte that it cannot account for: what nothing refers to must be zero.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace arrow_reader {

inline void need(bool condition, const char* what) {
  if (!condition)
    throw std::runtime_error(what);
}

// A buffer in the format of FlatBuffers.
class Flat {
public:
  // A table: where each of its fields is, 0 for one that is not there.
  using Places = std::vector<std::size_t>;

  explicit Flat(std::string_view bytes) : bytes_(bytes), used_(bytes.size()) {}

  template <class Number>
  Number number(std::size_t at) {
    need(at % sizeof(Number) == 0, "a number is not at a multiple of its size");
    need(at + sizeof(Number) <= bytes_.size(), "a number lies outside of the metadata");
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < sizeof(Number); ++k) {
      bits |= std::uint64_t{static_cast<unsigned char>(bytes_[at + k])} << 8 * k;
      need(!used_[at + k], "two parts of the metadata share bytes");
      used_[at + k] = true;
    }
    return static_cast<Number>(bits);
  }
  bool truth(std::size_t at) {
    const auto value = number<std::uint8_t>(at);
    need(value <= 1, "a truth value is neither 0 nor 1");
    return value == 1;
  }
  std::size_t follow(std::size_t at) {
    const auto distance = number<std::uint32_t>(at);
    need(distance > 0 && distance < bytes_.size() - at, "a reference leads out of the metadata");
    return at + distance;
  }
  // The table that the reference at `from` leads to. `sizes`: of its fields, in the order of their numbers.
  Places table(std::size_t from, const std::vector<std::size_t>& sizes) {
    const std::size_t table = follow(from);
    const auto back = number<std::int32_t>(table);
    need(back > 0 && static_cast<std::size_t>(back) <= table, "a table's list of fields is not before it");
    const std::size_t list = table - static_cast<std::size_t>(back);
    const std::size_t slots = number<std::uint16_t>(list);
    const std::size_t size = number<std::uint16_t>(list + 2);
    need(slots >= 4 && slots % 2 == 0 && slots / 2 - 2 <= sizes.size() && list + slots <= table,
         "a table's list of fields has another length");
    Places places(sizes.size());
    std::size_t expected = 4;
    for (std::size_t k = 0; k < slots / 2 - 2; ++k) {
      const auto place = number<std::uint16_t>(list + 4 + 2 * k);
      if (place == 0)
        continue;
      need(place >= 4 && place + sizes[k] <= size, "a field lies outside of its table");
      places[k] = table + place;
      expected += sizes[k];
    }
    need(size == expected, "a table has another size than its fields");
    return places;
  }
  std::string text(std::size_t from) {
    const std::size_t at = follow(from);
    const std::size_t size = number<std::uint32_t>(at);
    need(at + 4 + size < bytes_.size(), "a text lies outside of the metadata");
    std::string result;
    for (std::size_t k = 0; k < size; ++k)
      result += static_cast<char>(number<std::uint8_t>(at + 4 + k));
    need(number<std::uint8_t>(at + 4 + size) == 0, "a text has no zero behind it");
    return result;
  }
  // Where the elements of a list begin, and how many there are.
  std::pair<std::size_t, std::size_t> list(std::size_t from, std::size_t width) {
    const std::size_t at = follow(from);
    const std::size_t count = number<std::uint32_t>(at);
    need(count <= bytes_.size() / width && at + 4 + count * width <= bytes_.size(),
         "a list lies outside of the metadata");
    return {at + 4, count};
  }
  std::vector<std::int64_t> numbers(std::size_t from, std::size_t width) {
    const auto [at, count] = list(from, 8 * width);
    std::vector<std::int64_t> result;
    for (std::size_t k = 0; k < count * width; ++k)
      result.push_back(number<std::int64_t>(at + 8 * k));
    return result;
  }
  // All that was not read is zero.
  void end() const {
    for (std::size_t k = 0; k < bytes_.size(); ++k)
      need(used_[k] || bytes_[k] == 0, "the metadata has bytes that nothing refers to");
  }

private:
  std::string_view bytes_;
  std::vector<bool> used_;
};

struct Column {
  std::string name;
  std::string type; // int64, double, text, date32, timestamp and its unit: s, ms, us, ns
  std::string zone;
  bool nullable = false;
  std::int64_t dictionary = -1;                  // its number; −1: none
  std::vector<std::optional<std::string>> cells; // numbers, days and times as their digits
  bool operator==(const Column&) const = default;
};
struct Contents {
  std::vector<Column> columns;
  std::vector<std::int64_t> batches;                      // rows of each
  std::map<std::int64_t, std::vector<std::string>> texts; // of dictionaries
  std::vector<std::size_t> empty_lists;                   // where they are: one is like any four zeros
  bool operator==(const Contents&) const = default;
};

inline std::vector<Column> read_schema(Flat& flat, std::size_t from, Contents& contents) {
  const auto schema = flat.table(from, {2, 4, 4, 4});
  need(schema[0] == 0 || flat.number<std::int16_t>(schema[0]) == 0, "the buffers are not little-endian");
  need(schema[1] != 0 && schema[2] == 0 && schema[3] == 0, "a schema has other parts than its fields");
  std::vector<Column> columns;
  const auto [fields, count] = flat.list(schema[1], 4);
  for (std::size_t k = 0; k < count; ++k) {
    Column column;
    const auto field = flat.table(fields + 4 * k, {4, 1, 1, 4, 4, 4, 4});
    need(field[0] != 0 && field[2] != 0 && field[3] != 0 && field[5] != 0 && field[6] == 0,
         "a field lacks its name, its type or its list of children, or has metadata");
    column.name = flat.text(field[0]);
    column.nullable = field[1] != 0 && flat.truth(field[1]);
    const auto type = flat.number<std::uint8_t>(field[2]);
    if (type == 2) { // Int
      const auto parts = flat.table(field[3], {4, 1});
      need(parts[0] != 0 && flat.number<std::int32_t>(parts[0]) == 64 && parts[1] != 0 &&
               flat.truth(parts[1]),
           "integers are not of 64 bits with a sign");
      column.type = "int64";
    } else if (type == 3) { // FloatingPoint
      const auto parts = flat.table(field[3], {2});
      need(parts[0] != 0 && flat.number<std::int16_t>(parts[0]) == 2, "numbers are not of double precision");
      column.type = "double";
    } else if (type == 8) { // Date, of milliseconds unless it says so
      const auto parts = flat.table(field[3], {2});
      need(parts[0] != 0 && flat.number<std::int16_t>(parts[0]) == 0, "dates are not counted in days");
      column.type = "date32";
    } else if (type == 10) { // Timestamp
      const auto parts = flat.table(field[3], {2, 4});
      const std::size_t unit = parts[0] == 0 ? 0 : flat.number<std::uint16_t>(parts[0]);
      need(unit < 4, "a timestamp has no such unit");
      column.type = std::string("timestamp ") + std::array{"s", "ms", "us", "ns"}[unit];
      column.zone = parts[1] == 0 ? "" : flat.text(parts[1]);
    } else {
      need(type == 20, "a column is of no type that is written"); // LargeUtf8
      flat.table(field[3], {});
      column.type = "text";
    }
    if (field[4] != 0) {
      need(type == 20, "a dictionary holds no texts");
      const auto encoding = flat.table(field[4], {8, 4, 1, 2});
      column.dictionary = encoding[0] == 0 ? 0 : flat.number<std::int64_t>(encoding[0]);
      need(encoding[1] != 0 && encoding[2] == 0 && encoding[3] == 0, "an encoding has other parts");
      const auto parts = flat.table(encoding[1], {4, 1});
      need(parts[0] != 0 && flat.number<std::int32_t>(parts[0]) == 32 && parts[1] != 0 &&
               flat.truth(parts[1]),
           "codes are not of 32 bits with a sign");
    }
    const auto [children, none] = flat.list(field[5], 4);
    need(none == 0, "a column has columns within");
    contents.empty_lists.push_back(children);
    columns.push_back(std::move(column));
  }
  return columns;
}

// The arrays of one batch.
class Batch {
public:
  Batch(Flat& flat, std::size_t from, std::string_view body) : body_(body), used_(body.size()) {
    const auto batch = flat.table(from, {8, 4, 4, 4});
    need(batch[1] != 0 && batch[2] != 0 && batch[3] == 0, "a batch has other parts");
    rows = batch[0] == 0 ? 0 : flat.number<std::int64_t>(batch[0]);
    nodes_ = flat.numbers(batch[1], 2);
    buffers_ = flat.numbers(batch[2], 2);
  }

  std::int64_t rows = 0;

  // The next array; codes of `texts` where there are any.
  std::vector<std::optional<std::string>> next(const std::string& type,
                                               const std::vector<std::string>* texts = nullptr) {
    need(node_ + 2 <= nodes_.size(), "a batch has fewer arrays than columns");
    const auto length = nodes_[node_];
    auto missing = nodes_[node_ + 1];
    node_ += 2;
    need(length == rows, "an array has another number of rows than its batch");
    const auto count = static_cast<std::size_t>(length);
    const auto valid = buffer();
    need(valid.empty() ? missing == 0 : valid.size() == (count + 7) / 8,
         "the bits of missing cells are too few");
    std::vector<std::optional<std::string>> cells(count);
    const auto is_there = [&](std::size_t row) {
      return valid.empty() || (static_cast<unsigned char>(valid[row / 8]) >> row % 8 & 1U) != 0;
    };
    for (std::size_t row = 0; row < 8 * valid.size(); ++row) {
      need(row < count || !is_there(row), "cells behind the last one are there");
      missing -= row < count && !is_there(row) ? 1 : 0;
    }
    need(missing == 0, "other cells are missing than counted");
    if (type == "text" && texts == nullptr) {
      const auto offsets = buffer();
      const auto bytes = buffer();
      need(offsets.size() == 8 * (count + 1) && integer<std::int64_t>(offsets, 0) == 0,
           "offsets are too few");
      std::size_t end = 0;
      for (std::size_t row = 0; row < count; ++row) {
        const std::size_t begin = end;
        end = integer<std::size_t>(offsets, row + 1);
        need(begin <= end && end <= bytes.size(), "a text lies outside of its buffer");
        need(is_there(row) || begin == end, "a missing text has bytes");
        if (is_there(row))
          cells[row] = std::string(bytes.substr(begin, end - begin));
      }
      need(end == bytes.size(), "texts have bytes behind the last one");
      return cells;
    }
    const std::size_t width = type == "text" || type == "date32" ? 4 : 8;
    const auto values = buffer();
    need(values.size() == width * count, "a buffer of cells has another size");
    for (std::size_t row = 0; row < count; ++row) {
      const std::int64_t value =
          width == 4 ? integer<std::int32_t>(values, row) : integer<std::int64_t>(values, row);
      need(is_there(row) || value == 0, "a missing cell has a value");
      if (!is_there(row))
        continue;
      if (type == "text") {
        need(value >= 0 && static_cast<std::size_t>(value) < texts->size(), "a code has no text");
        cells[row] = (*texts)[static_cast<std::size_t>(value)];
      } else if (type == "double") {
        double number = 0;
        std::memcpy(&number, &value, sizeof(number));
        std::array<char, 64> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
        cells[row] = std::string(digits.data(), end);
      } else {
        cells[row] = std::to_string(value);
      }
    }
    return cells;
  }
  void end() const {
    need(node_ == nodes_.size() && buffer_ == buffers_.size(), "a batch has more arrays than columns");
    need(end_ == body_.size(), "a body has bytes behind its buffers");
    for (std::size_t k = 0; k < body_.size(); ++k)
      need(used_[k] || body_[k] == 0, "a body has bytes that no buffer has");
  }

private:
  std::string_view buffer() {
    need(buffer_ + 2 <= buffers_.size(), "a batch has too few buffers");
    const auto at = static_cast<std::size_t>(buffers_[buffer_]);
    const auto size = static_cast<std::size_t>(buffers_[buffer_ + 1]);
    buffer_ += 2;
    need(at == end_ && at % 8 == 0, "a buffer is not behind the one before it, at a multiple of 8");
    need(at <= body_.size() && size <= body_.size() - at, "a buffer lies outside of its body");
    for (std::size_t k = at; k < at + size; ++k)
      used_[k] = true;
    end_ = at + (size + 7) / 8 * 8;
    return body_.substr(at, size);
  }
  template <class Number>
  static Number integer(std::string_view bytes, std::size_t index) {
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < sizeof(Number); ++k)
      bits |= std::uint64_t{static_cast<unsigned char>(bytes[index * sizeof(Number) + k])} << 8 * k;
    return static_cast<Number>(bits);
  }

  std::string_view body_;
  std::vector<bool> used_;
  std::vector<std::int64_t> nodes_;
  std::vector<std::int64_t> buffers_;
  std::size_t node_ = 0;
  std::size_t buffer_ = 0;
  std::size_t end_ = 0;
};

inline std::int32_t size_at(std::string_view bytes, std::size_t at) {
  need(at + 4 <= bytes.size(), "the end is missing");
  std::uint32_t bits = 0;
  for (std::size_t k = 0; k < 4; ++k)
    bits |= std::uint32_t{static_cast<unsigned char>(bytes[at + k])} << 8 * k;
  return static_cast<std::int32_t>(bits);
}

// Reads messages up to the mark of the end, and notes where the batches are. Returns where it ends.
inline std::size_t read_messages(std::string_view bytes, std::size_t at, Contents& contents,
                                 std::vector<std::int64_t>& dictionaries,
                                 std::vector<std::int64_t>& batches) {
  for (bool first = true;; first = false) {
    need(at % 8 == 0, "a message is not at a multiple of 8");
    need(size_at(bytes, at) == -1, "a message has no mark before it");
    const auto size = size_at(bytes, at + 4);
    if (size == 0) {
      need(!first, "there is no schema");
      return at + 8;
    }
    need(size > 0 && size % 8 == 0 && static_cast<std::size_t>(size) <= bytes.size() - at - 8,
         "metadata have another size");
    Flat flat(bytes.substr(at + 8, static_cast<std::size_t>(size)));
    const auto message = flat.table(0, {2, 1, 4, 8, 4});
    need(message[0] != 0 && flat.number<std::int16_t>(message[0]) == 4, "the metadata are not of version 5");
    need(message[1] != 0 && message[2] != 0 && message[4] == 0, "a message has other parts");
    const auto header = flat.number<std::uint8_t>(message[1]);
    const auto length = message[3] == 0 ? 0 : flat.number<std::int64_t>(message[3]);
    const std::size_t begin = at + 8 + static_cast<std::size_t>(size);
    need(length >= 0 && length % 8 == 0 && static_cast<std::size_t>(length) <= bytes.size() - begin,
         "a body has another size");
    const auto body = bytes.substr(begin, static_cast<std::size_t>(length));
    need((header == 1) == first, "a schema is not the first message, and alone");
    if (header == 1) {
      contents.columns = read_schema(flat, message[2], contents);
      need(length == 0, "a schema has a body");
    } else if (header == 2) {
      need(contents.batches.empty(), "a dictionary is behind a batch");
      const auto parts = flat.table(message[2], {8, 4, 1});
      need(parts[1] != 0 && parts[2] == 0, "a dictionary is no whole one");
      const auto number = parts[0] == 0 ? 0 : flat.number<std::int64_t>(parts[0]);
      Batch batch(flat, parts[1], body);
      auto& texts = contents.texts[number];
      need(texts.empty(), "a dictionary is there twice");
      for (const auto& text : batch.next("text")) {
        need(text.has_value(), "a text of a dictionary is missing");
        texts.push_back(*text);
      }
      batch.end();
      dictionaries.insert(dictionaries.end(), {static_cast<std::int64_t>(at), size + 8, length});
    } else {
      need(header == 3, "a message is of no kind that is written");
      Batch batch(flat, message[2], body);
      for (auto& column : contents.columns) {
        const auto cells =
            batch.next(column.type, column.dictionary < 0 ? nullptr : &contents.texts.at(column.dictionary));
        column.cells.insert(column.cells.end(), cells.begin(), cells.end());
      }
      batch.end();
      contents.batches.push_back(batch.rows);
      batches.insert(batches.end(), {static_cast<std::int64_t>(at), size + 8, length});
    }
    flat.end();
    at = begin + static_cast<std::size_t>(length);
  }
}

// A dictionary for each column that has one, and for nothing else.
inline void check_dictionaries(const Contents& contents) {
  std::set<std::int64_t> numbers;
  for (const auto& column : contents.columns)
    if (column.dictionary >= 0)
      need(numbers.insert(column.dictionary).second && contents.texts.contains(column.dictionary),
           "a dictionary is not there, or of two columns");
  need(numbers.size() == contents.texts.size(), "a dictionary is of no column");
}

inline Contents read_stream(std::string_view bytes) {
  Contents contents;
  std::vector<std::int64_t> dictionaries;
  std::vector<std::int64_t> batches;
  need(read_messages(bytes, 0, contents, dictionaries, batches) == bytes.size(), "bytes are behind the end");
  check_dictionaries(contents);
  return contents;
}

inline Contents read_file(std::string_view bytes) {
  need(bytes.substr(0, 8) == std::string_view("ARROW1\0\0", 8) && bytes.ends_with("ARROW1"),
       "the marks at the ends are missing");
  Contents contents;
  std::vector<std::int64_t> dictionaries;
  std::vector<std::int64_t> batches;
  const std::size_t begin = read_messages(bytes, 8, contents, dictionaries, batches);
  check_dictionaries(contents);
  need(bytes.size() >= begin + 10, "the list of batches is missing");
  const auto size = size_at(bytes, bytes.size() - 10);
  need(size > 0 && begin + static_cast<std::size_t>(size) + 10 == bytes.size(),
       "the list of batches has another size");
  Flat flat(bytes.substr(begin, static_cast<std::size_t>(size)));
  const auto footer = flat.table(0, {2, 4, 4, 4, 4});
  need(footer[0] != 0 && flat.number<std::int16_t>(footer[0]) == 4,
       "the list of batches is not of version 5");
  need(footer[1] != 0 && footer[2] != 0 && footer[3] != 0 && footer[4] == 0,
       "the list of batches has other parts");
  auto columns = contents.columns;
  for (auto& column : columns)
    column.cells.clear();
  need(read_schema(flat, footer[1], contents) == columns, "there are two schemas");
  // Each is a place, a size of 32 bits with as many zeros behind it, and another size.
  need(flat.numbers(footer[2], 3) == dictionaries, "dictionaries are not where the file's end says");
  need(flat.numbers(footer[3], 3) == batches, "batches are not where the file's end says");
  flat.end();
  return contents;
}

} // namespace arrow_reader
