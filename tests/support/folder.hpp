// SPDX-License-Identifier: MIT
// A folder for a test's files, which goes with it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <stdlib.h>

struct TestFolder {
  std::string path = (std::filesystem::temp_directory_path() / "rowsmith-test-XXXXXX").string();
  TestFolder() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
  // Returns the file's path.
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }
};
