// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

#include <stdlib.h>

#include <rowsmith/core/scratch_file.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;

TEST_CASE("memory in a file holds what is put there and leaves nothing behind", "[core]") {
  std::string folder = (std::filesystem::temp_directory_path() / "rowsmith-scratch-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  {
    rs::detail::ScratchFile file(folder, 5'000'000);
    CHECK(std::filesystem::is_empty(folder)); // a file without a name
    CHECK(file.data()[4'999'999] == 0);
    for (std::size_t i = 0; i < file.size(); i += 4096)
      file.data()[i] = static_cast<std::uint8_t>(i / 4096);
    rs::detail::ScratchFile moved(std::move(file));
    CHECK(moved.size() == 5'000'000);
    CHECK(moved.data()[4096 * 300] == 300 % 256);
    rs::detail::ScratchFile other(folder, 10);
    other = std::move(moved);
    CHECK(other.data()[4096 * 7] == 7);
    CHECK(rs::detail::ScratchFile(folder, 0).data() == nullptr);
  }
  std::filesystem::remove(folder);
  CHECK_THROWS_WITH(rs::detail::ScratchFile(folder, 10), Contains(folder) && Contains("10 bytes"));
  // More than any disk has room for.
  CHECK_THROWS_AS(rs::detail::ScratchFile({}, std::size_t{1} << 60U), rs::Error);
}
