// SPDX-License-Identifier: MIT
// The model reader; a model that it accepts must draw and score a row. Random changes alone would not get
// past the checksum, nor often past the JSON: the mutator changes one part of the file and puts the rest
// right.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/io/model_file.hpp>

namespace rs = rowsmith;
using nlohmann::json;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const rs::Sampler sampler(rs::parse_model({reinterpret_cast<const char*>(data), size}));
    auto scratch = sampler.scratch();
    auto row = sampler.row();
    sampler(1, 2, scratch, row);
    (void)sampler.score(row, scratch);
  } catch (const rs::Error&) {
  }
  return 0;
}

namespace {

using Random = std::minstd_rand;

void mutate_bytes(std::string& bytes) {
  const std::size_t size = bytes.size();
  bytes.resize(size + 64);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
}

// Changes one value somewhere inside.
void mutate_json(json& value, Random& random) {
  if (value.is_structured() && !value.empty() && random() % 8 != 0) {
    auto at = value.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random() % value.size()));
    if (random() % 16 == 0)
      value.erase(at);
    else if (value.is_array() && random() % 8 == 0)
      value.push_back(json(*at));
    else
      mutate_json(*at, random);
    return;
  }
  if (value.is_string() && random() % 4 != 0) {
    auto inner = json::parse(value.get<std::string>(), nullptr, false);
    if (inner.is_structured()) { // the model's own JSON is a text in the header
      mutate_json(inner, random);
      value = inner.dump(-1, ' ', false, json::error_handler_t::replace);
    } else {
      auto text = value.get<std::string>();
      mutate_bytes(text);
      value = text;
    }
    return;
  }
  const json others[]{nullptr, true,  "",      json::array(), json::object(), -1,        0,    1, 2,
                      17,      1e300, -1e-300, 0.5,           1LL << 24,      1LL << 31, ~0ULL};
  value = others[random() % std::size(others)];
}

} // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  Random random(seed + 1);
  std::string_view file(reinterpret_cast<const char*>(data), size);
  const std::uint64_t length = size < 8 ? ~0ULL : rs::detail::get_u64(file);
  if (size < 8 || length > size - 8 || random() % 32 == 0)
    return LLVMFuzzerMutate(data, size, most);
  std::string header(file.substr(8, static_cast<std::size_t>(length)));
  std::string tensors(file.substr(8 + static_cast<std::size_t>(length)));
  auto parsed = json::parse(header, nullptr, false);
  if (random() % 8 == 0)
    mutate_bytes(tensors);
  else if (!parsed.is_object() || random() % 8 == 0)
    mutate_bytes(header);
  else {
    mutate_json(parsed, random);
    header = parsed.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  std::string out;
  rs::detail::put_u64(out, header.size());
  out += header + tensors;
  const auto position = rs::detail::checksum_position(out);
  if (position != std::string::npos)
    out.replace(position, rs::detail::checksum_digits, rs::detail::file_checksum(out, position));
  out.resize(std::min(out.size(), most));
  std::memcpy(data, out.data(), out.size());
  return out.size();
}
