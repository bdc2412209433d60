// SPDX-License-Identifier: MIT
#include <rowsmith/core/atomic_file.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>

namespace fs = std::filesystem;
namespace rs = rowsmith;

namespace {
/// An empty folder that goes away with the test.
class Folder {
public:
  explicit Folder(const std::string& name)
      : path_(fs::temp_directory_path() / ("rowsmith_" + name + "_" + rs::detail::writer_number())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

private:
  fs::path path_;
};

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_text(const fs::path& path, const std::string& text) {
  rs::write_file_atomically(path, [&](std::ostream& out) { out << text; });
}
} // namespace

TEST_CASE("a file is written and replaced whole", "[core][atomic_file]") {
  const Folder folder("atomic_file_whole");
  write_text(folder / "a", "first, longer\r\n");
  CHECK(content(folder / "a") == "first, longer\r\n");
  write_text(folder / "a", "second");
  CHECK(content(folder / "a") == "second");
  CHECK(folder.entries() == 1);
}

TEST_CASE("the old file stays in place while the new one is written", "[core][atomic_file]") {
  const Folder folder("atomic_file_old");
  write_text(folder / "a", "old");
  std::string seen;
  rs::write_file_atomically(folder / "a", [&](std::ostream& out) {
    out << "new" << std::flush;
    seen = content(folder / "a");
  });
  CHECK(seen == "old");
  CHECK(content(folder / "a") == "new");
}

TEST_CASE("a failed write leaves the old file and no partial one", "[core][atomic_file]") {
  const Folder folder("atomic_file_failed");
  write_text(folder / "a", "old");
  CHECK_THROWS_AS(rs::write_file_atomically(folder / "a",
                                            [](std::ostream& out) {
                                              out << "half";
                                              throw std::out_of_range("stopped");
                                            }),
                  std::out_of_range);
  CHECK_THROWS_AS(
      rs::write_file_atomically(folder / "a", [](std::ostream& out) { out.setstate(std::ios::badbit); }),
      rs::Error);
  CHECK(content(folder / "a") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a path that cannot be written is named", "[core][atomic_file]") {
  const Folder folder("atomic_file_named");
  const auto missing = folder / "no_such_folder/a";
  CHECK_THROWS_WITH(write_text(missing, "x"),
                    Catch::Contains(missing.string()) && Catch::Contains("No such file"));
  fs::create_directory(folder / "sub");
  CHECK_THROWS_WITH(write_text(folder / "sub", "x"), Catch::Contains("is a folder"));
  CHECK(folder.entries() == 1);
}

TEST_CASE("links, permissions and devices survive", "[core][atomic_file]") {
  const Folder folder("atomic_file_links");
  write_text(folder / "target", "old");
  fs::permissions(folder / "target", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink(folder / "target", folder / "link");
  write_text(folder / "link", "new");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(content(folder / "target") == "new");
  CHECK(fs::status(folder / "target").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  if (fs::is_character_file("/dev/null")) {
    write_text("/dev/null", "gone");
    CHECK(fs::is_character_file("/dev/null"));
  }
}
