// SPDX-License-Identifier: MIT
// Limits of the release gate, as JSON.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/evaluate/limits_json.hpp>

namespace rs = rowsmith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto& limit : rs::evaluate::parse_limits(text, "fuzz"))
      if (!(limit.least <= limit.most))
        __builtin_trap();
  } catch (const rs::Error&) {
  }
  return 0;
}
