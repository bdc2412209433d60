// SPDX-License-Identifier: MIT
// A table's schema, as JSON.
#include <cstddef>
#include <cstdint>

#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/io/model_json.hpp>

namespace rs = rowsmith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = nlohmann::json::parse(data, data + size, nullptr, false);
  try {
    const auto schema = rs::detail::schema_from(json);
    if (rs::detail::schema_from(rs::detail::schema_json(schema)).columns().size() != schema.columns().size())
      __builtin_trap();
  } catch (const rs::Error&) {
  }
  return 0;
}
