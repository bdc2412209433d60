// SPDX-License-Identifier: MIT
// Where the Adult table comes from: a folder, $ADULT_DIR, a cached or fresh download, or the embedded
// default.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rowsmith/core/sha256.hpp>
#include <rowsmith/table.hpp>

namespace adult {

namespace fs = std::filesystem;

using AdultSchema =
    rowsmith::Schema<rowsmith::Numerical<"age">, rowsmith::Categorical<"workclass">,
                     rowsmith::Numerical<"fnlwgt">, rowsmith::Categorical<"education">,
                     rowsmith::Numerical<"education-num">, rowsmith::Categorical<"marital-status">,
                     rowsmith::Categorical<"occupation">, rowsmith::Categorical<"relationship">,
                     rowsmith::Categorical<"race">, rowsmith::Categorical<"sex">,
                     rowsmith::Numerical<"capital-gain">, rowsmith::Numerical<"capital-loss">,
                     rowsmith::Numerical<"hours-per-week">, rowsmith::Categorical<"native-country">,
                     rowsmith::Label<"income">>;

struct Data {
  rowsmith::Table train;
  rowsmith::Table test;
  std::string source;
};

// The files as the UCI repository has them: Becker & Kohavi 1996, doi 10.24432/C5XW20, CC BY 4.0.
struct RemoteFile {
  const char* name;
  const char* sha256;
};
inline constexpr RemoteFile train_file{"adult.data",
                                       "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"};
inline constexpr RemoteFile test_file{"adult.test",
                                      "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"};
inline const std::string repository = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/";

// The synthetic rows that are part of this program; defined in the source that the build makes from
// embedded/*.csv.
extern const char* const embedded_train;
extern const char* const embedded_test;

inline rowsmith::Table read_train(const fs::path& file) {
  return rowsmith::read_csv<AdultSchema>(file.string(), {.header = false});
}
// adult.test opens with a comment line and ends every label with a full stop.
inline rowsmith::Table read_test(const fs::path& file) {
  return rowsmith::read_csv<AdultSchema>(
      file.string(), {.header = false, .comment = '|', .strip_suffix = {{"income", "."}}});
}
inline Data read_folder(const fs::path& folder, const std::string& source) {
  return {read_train(folder / train_file.name), read_test(folder / test_file.name), source};
}

inline bool has_checksum(const fs::path& file, const char* sha256) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return in && rowsmith::to_hex(rowsmith::sha256(std::as_bytes(std::span(bytes)))) == sha256;
}

// Runs curl without a shell. Any failure, curl's absence among them, means "no download".
inline bool download(const std::string& url, const fs::path& to) {
  std::vector<std::string> words{"curl", "--fail",     "--silent", "--location", "--connect-timeout",
                                 "3",    "--max-time", "6",        "--output",   to.string(),
                                 url};
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawnp(&child, "curl", nullptr, nullptr, arguments.data(), environ) != 0)
    return false;
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

inline fs::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != 0)
    return fs::path(cache) / "rowsmith" / "adult";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != 0)
    return fs::path(home) / ".cache" / "rowsmith" / "adult";
  return {};
}

// The cached files, downloaded first if they are not there. Nothing is kept that does not have its checksum.
inline std::optional<fs::path> downloaded(bool offline) {
  const auto folder = cache_folder();
  if (folder.empty())
    return std::nullopt;
  std::error_code ignored;
  for (const auto& file : {train_file, test_file}) {
    const auto path = folder / file.name;
    if (has_checksum(path, file.sha256))
      continue;
    fs::create_directories(folder, ignored);
    const auto partial = folder / (std::string(file.name) + ".partial-" + std::to_string(::getpid()));
    const bool fine =
        !offline && download(repository + file.name, partial) && has_checksum(partial, file.sha256);
    if (fine)
      fs::rename(partial, path, ignored);
    fs::remove(partial, ignored);
    if (!fine || ignored)
      return std::nullopt;
  }
  return folder;
}

inline Data embedded() {
  const auto read = [](const char* text, const char* name) {
    std::istringstream in(text);
    return rowsmith::read_csv<AdultSchema>(in, name);
  };
  return {read(embedded_train, "embedded train.csv"), read(embedded_test, "embedded test.csv"),
          "embedded synthetic rows made by rowsmith (no real data found)"};
}

// \param folder as given with --data; empty: look elsewhere
inline Data load(const std::string& folder, bool offline) {
  if (!folder.empty())
    return read_folder(folder, folder);
  if (const char* named = std::getenv("ADULT_DIR"); named != nullptr && *named != 0)
    return read_folder(named, named);
  if (const auto cached = downloaded(offline))
    return read_folder(*cached, "UCI repository, cached in " + cached->string());
  return embedded();
}

} // namespace adult
