// SPDX-License-Identifier: MIT
/// \file
/// The safetensors container: 8 bytes of little-endian header length, a JSON header, raw tensors. Readable by
/// any safetensors library; rowsmith adds a checksum of the whole file to the metadata.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/sha256.hpp>
#include <rowsmith/core/tensor_file.hpp>

ROWSMITH_BEGIN

namespace detail {

inline constexpr std::size_t max_header_bytes = 100'000'000; // the limit of the reference implementation
inline constexpr std::string_view checksum_key = "\"sha256\":\"";
inline constexpr std::size_t checksum_digits = 64;

/// Calls `read`. Whatever it throws that says what is wrong with a file is thrown as a ModelFileError, with
/// `prefix` before its text; so is the lack of memory for what a file claims to hold.
template <class Read>
auto model_file_errors(const Read& read, const std::string& prefix = {}) -> decltype(read()) {
  try {
    return read();
  } catch (const Error& error) {
    throw ModelFileError(prefix + error.what());
  } catch (const nlohmann::json::exception& error) {
    throw ModelFileError(prefix + "the file's JSON is not what was expected: " + error.what());
  } catch (const std::bad_alloc&) {
    throw ModelFileError(prefix + "there is no memory for what the file holds");
  } catch (const std::length_error&) {
    throw ModelFileError(prefix + "the file claims to hold more than fits into memory");
  }
}

/// \throws ModelFileError if a text is not valid UTF-8
inline std::string dump_json(const nlohmann::json& json) {
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw ModelFileError(
        "the model holds a text (a column name or a category) that is not valid UTF-8, which its "
        "file format cannot hold");
  }
}

/// Where the checksum's digits stand in the file, or npos.
inline std::size_t checksum_position(std::string_view file) {
  const auto at = file.find(checksum_key);
  if (at == std::string_view::npos || at + checksum_key.size() + checksum_digits > file.size())
    return std::string_view::npos;
  return at + checksum_key.size();
}

/// SHA-256 of the file with the checksum's own digits taken as zeros.
inline std::string file_checksum(std::string_view file, std::size_t position) {
  Sha256 hash;
  const auto add = [&hash](std::string_view part) { hash.update(std::as_bytes(std::span(part))); };
  add(file.substr(0, position));
  add(std::string(checksum_digits, '0'));
  add(file.substr(position + checksum_digits));
  return to_hex(hash.digest());
}

inline void put_u64(std::string& to, std::uint64_t value) {
  for (int i = 0; i < 8; ++i)
    to.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}
inline std::uint64_t get_u64(std::string_view from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return value;
}
inline void put_u32(std::string& to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    to.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}
inline std::uint32_t get_u32(const char* from) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value |= std::uint32_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return value;
}

/// One entry of the header. Checks everything before a byte of data is touched.
inline Tensor read_tensor(const std::string& name, const nlohmann::json& entry, std::string_view data,
                          std::vector<std::pair<std::uint64_t, std::uint64_t>>& ranges) {
  const auto refuse = [&name](const std::string& what) -> void {
    throw ModelFileError("tensor '" + name + "': " + what);
  };
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets"))
    refuse("expected dtype, shape and data_offsets");
  const bool whole = entry["dtype"] == "U32";
  if (!whole && entry["dtype"] != "F32")
    refuse("dtype is neither \"F32\" nor \"U32\"");
  const auto& offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    refuse("data_offsets are not two offsets"); // which may be of any depth: they are not printed
  const auto begin = offsets[0].get<std::uint64_t>();
  const auto end = offsets[1].get<std::uint64_t>();
  if (begin > end || end > data.size())
    refuse("data_offsets [" + std::to_string(begin) + ", " + std::to_string(end) +
           "] lie outside the file's " + std::to_string(data.size()) + " bytes of data");
  Tensor tensor;
  std::uint64_t elements = 1;
  if (!entry["shape"].is_array())
    refuse("shape is not a list");
  for (const auto& size : entry["shape"]) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > (std::uint64_t{1} << 40U))
      refuse("shape has a size that is no number or out of range");
    const auto n = size.get<std::uint64_t>();
    if (n != 0 && elements > (std::uint64_t{1} << 40U) / n)
      refuse("shape is too large");
    elements *= n;
    tensor.shape.push_back(static_cast<std::int64_t>(n));
  }
  if (elements * 4 != end - begin)
    refuse("shape needs " + std::to_string(elements * 4) + " bytes, but its data_offsets span " +
           std::to_string(end - begin));
  ranges.emplace_back(begin, end);
  if (whole) {
    tensor.words.resize(static_cast<std::size_t>(elements));
    for (std::size_t i = 0; i < elements; ++i)
      tensor.words[i] = get_u32(data.data() + begin + 4 * i);
    return tensor;
  }
  tensor.values.resize(static_cast<std::size_t>(elements));
  for (std::size_t i = 0; i < elements; ++i)
    tensor.values[i] = std::bit_cast<float>(get_u32(data.data() + begin + 4 * i));
  return tensor;
}

} // namespace detail

/// The container as bytes, with its checksum in metadata entry "sha256".
/// \throws ModelFileError if a text is not valid UTF-8, or there are more than 100 MB of texts
inline std::string format_tensor_file(const TensorFile& content) {
  nlohmann::json header = nlohmann::json::object();
  header["__metadata__"] = content.metadata;
  header["__metadata__"]["sha256"] = std::string(detail::checksum_digits, '0');
  std::string data;
  for (const auto& [name, tensor] : content.tensors) {
    const std::size_t begin = data.size();
    for (const float value : tensor.values)
      detail::put_u32(data, std::bit_cast<std::uint32_t>(value));
    for (const auto word : tensor.words)
      detail::put_u32(data, word);
    header[name] = {{"dtype", tensor.words.empty() ? "F32" : "U32"},
                    {"shape", tensor.shape},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = detail::dump_json(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > detail::max_header_bytes)
    throw ModelFileError("the model's texts and options take " + std::to_string(text.size()) +
                         " bytes, more than the " + std::to_string(detail::max_header_bytes) +
                         " that a file can have of them: fold rare categories (encoding.min_category_rows)");
  std::string file;
  detail::put_u64(file, text.size());
  file += text;
  file += data;
  const auto position = detail::checksum_position(file);
  file.replace(position, detail::checksum_digits, detail::file_checksum(file, position));
  return file;
}

namespace detail {
inline TensorFile parse_container(std::string_view file) {
  if (file.size() < 8)
    throw ModelFileError("the file has " + std::to_string(file.size()) +
                         " bytes, too few for a model: it is truncated or not a model");
  const auto length = get_u64(file);
  if (length > max_header_bytes && length <= file.size() - 8)
    throw ModelFileError("the header has " + std::to_string(length) + " bytes, expected at most " +
                         std::to_string(max_header_bytes));
  if (length > file.size() - 8)
    throw ModelFileError("the header says it has " + std::to_string(length) + " bytes, but the file has " +
                         std::to_string(file.size()) + ": it is truncated or not a model");
  const auto text = file.substr(8, static_cast<std::size_t>(length));
  const auto data = file.substr(8 + static_cast<std::size_t>(length));
  const auto header = nlohmann::json::parse(text, nullptr, false);
  if (!header.is_object() || !header.contains("__metadata__") || !header["__metadata__"].is_object())
    throw ModelFileError("the header is not the JSON of a model: the file is damaged or not a model");
  TensorFile content;
  for (const auto& [key, value] : header["__metadata__"].items()) {
    if (!value.is_string())
      throw ModelFileError("metadata '" + key + "' is not a text");
    content.metadata[key] = value.get<std::string>();
  }
  const auto position = checksum_position(file.substr(0, 8 + static_cast<std::size_t>(length)));
  if (position == std::string_view::npos || !content.metadata.contains("sha256"))
    throw ModelFileError("the file has no checksum: it was not written by rowsmith");
  if (file.substr(position, checksum_digits) != file_checksum(file, position))
    throw ModelFileError("the checksum does not match: the file was altered or truncated");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__")
      content.tensors.emplace(name, read_tensor(name, entry, data, ranges));
  // The format allows neither holes nor overlaps.
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t expected = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != expected)
      throw ModelFileError("the tensors do not lie one after the other: byte " + std::to_string(expected) +
                           " of the data is not theirs alone");
    expected = end;
  }
  if (expected != data.size())
    throw ModelFileError("the file has " + std::to_string(data.size() - expected) +
                         " bytes behind its last tensor");
  return content;
}
} // namespace detail

/// The reverse. Nothing in `file` is trusted: lengths and offsets are checked before use, then the checksum.
/// \throws ModelFileError saying what is wrong
inline TensorFile parse_tensor_file(std::string_view file) {
  return detail::model_file_errors([file] { return detail::parse_container(file); });
}

/// Writes a container: to a temporary file first, then renamed. \throws Error if that fails
inline void write_tensor_file(const std::string& path, const TensorFile& content) {
  const std::string bytes = format_tensor_file(content);
  write_file_atomically(path, [&bytes](std::ostream& out) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
}

namespace detail {
/// \throws ModelFileError
inline std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw ModelFileError("cannot be opened for reading");
  std::string bytes;
  try { // a folder can be opened, but reading from it throws
    bytes.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  } catch (const std::ios_base::failure&) {
    throw ModelFileError("cannot be read; is it a file?");
  }
  return bytes;
}
/// Does a file begin as a container does? Other files are taken for one by bad luck alone: it has a length
/// below 2^32 in eight bytes, and a brace.
inline bool begins_as_tensor_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(9, ' ');
  in.read(bytes.data(), 9);
  return in.gcount() == 9 && bytes.substr(4, 4) == std::string(4, '\0') && bytes[8] == '{';
}
/// The values of a tensor that must be there, finite and of this shape. \throws ModelFileError
inline AlignedBuffer<float> take_tensor(TensorFile& file, const std::string& name,
                                        const std::vector<std::int64_t>& shape) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end())
    throw ModelFileError("tensor '" + name + "' is missing");
  if (found->second.shape != shape)
    throw ModelFileError("tensor '" + name + "' has the wrong shape");
  if (!found->second.words.empty())
    throw ModelFileError("tensor '" + name + "' is not one of floats");
  for (const float value : found->second.values)
    if (!std::isfinite(value))
      throw ModelFileError("tensor '" + name + "' holds a number that is not finite");
  auto values = std::move(found->second.values);
  file.tensors.erase(found);
  return values;
}
inline std::vector<float> take_vector(TensorFile& file, const std::string& name,
                                      const std::vector<std::int64_t>& shape) {
  const auto values = take_tensor(file, name, shape);
  return {values.begin(), values.end()};
}
/// \param shape  empty: one dimension
inline void put_vector(TensorFile& file, const std::string& name, const std::vector<float>& values,
                       std::vector<std::int64_t> shape = {}) {
  if (shape.empty())
    shape = {static_cast<std::int64_t>(values.size())};
  Tensor tensor{std::move(shape), AlignedBuffer<float>(values.size())};
  std::copy(values.begin(), values.end(), tensor.values.begin());
  file.tensors[name] = std::move(tensor);
}
} // namespace detail

/// \throws ModelFileError naming the file, if it is not a whole, unaltered container
inline TensorFile read_tensor_file(const std::string& path) {
  return detail::model_file_errors([&path] { return parse_tensor_file(detail::read_bytes(path)); },
                                   path + ": ");
}

ROWSMITH_END
