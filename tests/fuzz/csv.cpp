// SPDX-License-Identifier: MIT
// The CSV reader. The first byte chooses options, the rest is the file. What is read must come back from what
// is written of it.
// The dependency's own thread would take most of the time.
#define CSV_IO_NO_THREAD

#include <array>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/write_csv.hpp>

namespace rs = rowsmith;

// So would marking its buffers of 48 MiB for the sanitizer: they are kept from input to input.
namespace {
constexpr std::size_t buffer_size = std::size_t{3} << 24U;
struct Kept {
  void* at = nullptr;
  bool used = false;
};
std::array<Kept, 2> kept;
} // namespace

void* operator new[](std::size_t size) {
  if (size == buffer_size)
    for (auto& [at, used] : kept)
      if (!used) {
        used = true;
        return at != nullptr ? at : at = std::malloc(size);
      }
  if (void* const made = std::malloc(size))
    return made;
  throw std::bad_alloc();
}
void operator delete[](void* made) noexcept {
  for (auto& [at, used] : kept)
    if (made == at && made != nullptr) {
      used = false;
      return;
    }
  std::free(made);
}
void operator delete[](void* made, std::size_t) noexcept { operator delete[](made); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  rs::CsvOptions options;
  options.header = (data[0] & 1U) == 0;
  options.delimiter = (data[0] & 2U) == 0 ? ',' : ';';
  options.comment = (data[0] & 4U) == 0 ? '\0' : '#';
  std::istringstream in(std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  try {
    const auto table = rs::read_csv(in, "fuzz", options);
    std::stringstream written;
    try {
      rs::write_csv(written, table);
    } catch (const rs::Error&) {
      return 0; // refused rather than changed: a text that CSV cannot hold, say
    }
    if (rs::read_csv(written, "written", table.schema()).rows() != table.rows())
      __builtin_trap();
  } catch (const rs::Error&) {
  }
  return 0;
}
