// SPDX-License-Identifier: MIT
// What the program's subcommands share. Each lives in a header of its own and is added in program.cpp.
#pragma once

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/compressed.hpp>

namespace program {

// Does a subcommand's work once its options are read. Returns the exit code: 0 fine, 1 the work failed.
// Throws rowsmith::OptionError for wrong use (the exit code is then 2), anything else for failed work (1).
using Run = std::function<int()>;

// Whatever `check` refuses is wrong use of an option.
template <class Check>
auto wrong_use(const std::string& option, const Check& check) {
  try {
    return check();
  } catch (const rowsmith::Error& error) {
    throw rowsmith::OptionError(option + ": " + error.what());
  }
}

// An option that takes a whole number in decimal digits, and nothing else: no sign, no octal, no overflow.
template <class Number>
CLI::Option* add_whole_number(CLI::App& command, const std::string& name, Number& number,
                              const std::string& description, std::uint64_t least = 0,
                              std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
  auto* const option = command.add_option_function<std::string>(
      name,
      [&number, name, least, most](const std::string& text) {
        std::uint64_t value = 0;
        const auto* const end = text.data() + text.size();
        const auto [read, failure] = std::from_chars(text.data(), end, value);
        if (failure != std::errc() || read != end || value < least || value > most)
          throw CLI::ValidationError(name, "'" + text + "', expected a whole number from " +
                                               std::to_string(least) + " to " + std::to_string(most));
        number = static_cast<Number>(value);
      },
      description);
  option->default_str(std::to_string(number))->type_name("NUMBER");
  return option;
}

// Files by the options that name them.
using Files = std::vector<std::pair<std::string, std::filesystem::path>>;

// Do both paths lead to one file, by whatever names? Devices and pipes, which keep nothing, do not count.
inline bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  namespace fs = std::filesystem;
  std::error_code failure;
  if (fs::exists(a, failure) && fs::exists(b, failure))
    return fs::is_regular_file(a, failure) && fs::equivalent(a, b, failure);
  return fs::weakly_canonical(a, failure) == fs::weakly_canonical(b, failure);
}

// Refuses outputs that would replace an input or each other, or that cannot be written.
inline void check_outputs(const Files& inputs, const Files& outputs) {
  namespace fs = std::filesystem;
  Files others = inputs;
  for (const auto& [option, path] : outputs) {
    if (path.empty())
      continue;
    for (const auto& [other, file] : others)
      if (!file.empty() && same_file(path, file))
        throw rowsmith::OptionError(option + ": " + path.string() + " is the file of " + other +
                                    ", expected another one");
    std::error_code failure;
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (fs::is_directory(path, failure) || !fs::is_directory(folder, failure))
      throw rowsmith::OptionError(option + ": " + path.string() +
                                  " cannot be written, expected a file in a folder that is there");
    others.emplace_back(option, path);
  }
}

// Writes what `write(stream)` writes: to the standard output for "-", else to a file, whole or not at all,
// and compressed if its name ends so.
template <class Write>
void write_output(const std::string& path, const std::string& what, const Write& write) {
  const auto whole = [&](std::ostream& out) {
    rowsmith::write_compressed(out, rowsmith::compression_of_name(path), write);
    if (!out.flush())
      throw rowsmith::Error(what + " cannot be written: the output is closed or the disk is full");
  };
  if (path == "-")
    whole(std::cout);
  else
    rowsmith::write_file_atomically(path, whole);
}

} // namespace program
