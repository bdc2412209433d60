// SPDX-License-Identifier: MIT
/// \file
/// The messages that Arrow's streams and files consist of: metadata, and the buffers of arrays behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/arrow/c_data.hpp>
#include <rowsmith/arrow/flat_buffer.hpp>
#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Numbers of the types that the format's schemas declare (Apache Arrow, format/Message.fbs, Schema.fbs and
/// File.fbs).
namespace ipc {
inline constexpr std::int16_t version = 4; // called V5
enum Header : std::uint8_t { schema = 1, dictionary_batch = 2, record_batch = 3 };
enum Type : std::uint8_t { integer = 2, floating = 3, date = 8, timestamp = 10, large_text = 20 };
} // namespace ipc

/// A column of a stream.
struct IpcField {
  std::string name{};
  std::string format{};         ///< as of `ArrowSchema`; `i`: codes of texts
  std::int64_t dictionary = -1; ///< the number of the texts of codes
};

/// The bytes of a cell, by the column's format; 0: texts of 64-bit offsets.
inline std::size_t ipc_width(std::string_view format) {
  return format == "U" ? 0 : format == "i" || format == "tdD" ? 4 : 8;
}

/// The type of a column's cells. \param from  the field whose type it is
inline void append_ipc_type(FlatBuffer& to, std::size_t from, std::string_view format) {
  const auto number = [](std::size_t id, auto value) { return FlatBuffer::number(id, value); };
  if (format == "l") {
    to.table(from, {number(0, std::int32_t{64}), number(1, true)});
  } else if (format == "g") {
    to.table(from, {number(0, std::int16_t{2})}); // of double precision
  } else if (format == "tdD") {
    to.table(from, {number(0, std::int16_t{0})}); // days
  } else if (format.starts_with("ts")) {
    const auto zone = format.substr(4);
    std::vector<FlatBuffer::Field> fields{
        number(0, static_cast<std::int16_t>(std::string_view("smun").find(format[2])))};
    if (!zone.empty())
      fields.push_back(FlatBuffer::reference(1));
    const auto places = to.table(from, fields);
    if (!zone.empty())
      to.text(places[1], zone);
  } else {
    to.table(from, {});
  }
}
inline ipc::Type ipc_type(std::string_view format) {
  return format == "l"              ? ipc::integer
         : format == "g"            ? ipc::floating
         : format == "tdD"          ? ipc::date
         : format.starts_with("ts") ? ipc::timestamp
                                    : ipc::large_text;
}

inline void append_ipc_schema(FlatBuffer& to, std::size_t from, const std::vector<IpcField>& fields) {
  const auto number = [](std::size_t id, auto value) { return FlatBuffer::number(id, value); };
  const auto schema = to.table(from, {number(0, std::int16_t{0}), FlatBuffer::reference(1)}); // little-endian
  const auto places = to.references(schema[1], fields.size());
  for (std::size_t k = 0; k < fields.size(); ++k) {
    const auto& field = fields[k];
    std::vector<FlatBuffer::Field> parts{FlatBuffer::reference(0), number(1, true),
                                         number(2, static_cast<std::uint8_t>(ipc_type(field.format))),
                                         FlatBuffer::reference(3), FlatBuffer::reference(5)};
    if (field.dictionary >= 0)
      parts.push_back(FlatBuffer::reference(4));
    const auto place = to.table(places[k], parts);
    to.text(place[0], field.name);
    append_ipc_type(to, place[3], field.format);
    if (field.dictionary >= 0) {
      const auto encoding = to.table(place[4], {number(0, field.dictionary), FlatBuffer::reference(1)});
      to.table(encoding[1], {number(0, std::int32_t{32}), number(1, true)});
    }
    to.references(place[5], 0); // columns within: some readers expect the list
  }
}

/// The buffers of arrays, one behind the other, each at a multiple of 8 bytes.
class IpcBody {
public:
  /// \param array  of that format; it has to be there until the body is written
  void add(const ArrowArray& array, std::string_view format) {
    const auto rows = static_cast<std::size_t>(array.length);
    nodes_.insert(nodes_.end(), {array.length, array.null_count});
    add_buffer(array.buffers[0], array.null_count > 0 ? (rows + 7) / 8 : 0);
    if (const std::size_t width = ipc_width(format); width > 0)
      return add_buffer(array.buffers[1], rows * width);
    add_buffer(array.buffers[1], (rows + 1) * 8);
    add_buffer(array.buffers[2],
               static_cast<std::size_t>(static_cast<const std::int64_t*>(array.buffers[1])[rows]));
  }
  std::int64_t size() const noexcept { return size_; }
  /// What a batch of them is described by.
  void describe(FlatBuffer& to, std::size_t from, std::int64_t rows) const {
    const auto batch =
        to.table(from, {FlatBuffer::number(0, rows), FlatBuffer::reference(1), FlatBuffer::reference(2)});
    to.structures(batch[1], nodes_, 2);
    to.structures(batch[2], places_, 2);
  }
  void write(std::ostream& out) const {
    for (const auto& [bytes, size] : buffers_) {
      out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
      out.write("\0\0\0\0\0\0\0", static_cast<std::streamsize>((8 - size % 8) % 8));
    }
  }

private:
  struct Buffer {
    const void* bytes = nullptr;
    std::size_t size = 0;
  };
  void add_buffer(const void* bytes, std::size_t size) {
    places_.insert(places_.end(), {size_, static_cast<std::int64_t>(size)});
    buffers_.push_back({bytes, size});
    size_ += static_cast<std::int64_t>((size + 7) / 8 * 8);
  }

  std::vector<std::int64_t> nodes_;  ///< rows and missing cells of each array
  std::vector<std::int64_t> places_; ///< place and size of each buffer
  std::vector<Buffer> buffers_;
  std::int64_t size_ = 0;
};

/// Begins the metadata of a message. \returns where the reference to its header stands
inline std::size_t begin_ipc_message(FlatBuffer& to, ipc::Header header, std::int64_t body) {
  return to.table(FlatBuffer::root, {FlatBuffer::number(0, ipc::version),
                                     FlatBuffer::number(1, static_cast<std::uint8_t>(header)),
                                     FlatBuffer::reference(2), FlatBuffer::number(3, body)})[2];
}
inline std::string ipc_schema_message(const std::vector<IpcField>& fields) {
  FlatBuffer message;
  append_ipc_schema(message, begin_ipc_message(message, ipc::schema, 0), fields);
  return message.take();
}
inline std::string ipc_batch_message(const IpcBody& body, std::int64_t rows) {
  FlatBuffer message;
  body.describe(message, begin_ipc_message(message, ipc::record_batch, body.size()), rows);
  return message.take();
}
inline std::string ipc_dictionary_message(const IpcBody& body, std::int64_t texts, std::int64_t number) {
  FlatBuffer message;
  const auto header = begin_ipc_message(message, ipc::dictionary_batch, body.size());
  const auto batch = message.table(header, {FlatBuffer::number(0, number), FlatBuffer::reference(1)});
  body.describe(message, batch[1], texts);
  return message.take();
}

/// Where the messages of batches stand in a file: place, size of the metadata with what is before it, size
/// of the body, of each.
using IpcBlocks = std::vector<std::int64_t>;

inline std::string ipc_footer(const std::vector<IpcField>& fields, const IpcBlocks& dictionaries,
                              const IpcBlocks& batches) {
  FlatBuffer footer;
  const auto places =
      footer.table(FlatBuffer::root, {FlatBuffer::number(0, ipc::version), FlatBuffer::reference(1),
                                      FlatBuffer::reference(2), FlatBuffer::reference(3)});
  append_ipc_schema(footer, places[1], fields);
  footer.structures(places[2], dictionaries, 3);
  footer.structures(places[3], batches, 3);
  return footer.take();
}

} // namespace detail
ROWSMITH_END
