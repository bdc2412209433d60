// SPDX-License-Identifier: MIT
// Runs the program rowsmith in this process, and catches what it says.
#pragma once

#include <iostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <vector>

#include "../../examples/rowsmith/program.hpp"

struct Result {
  int code = 0;
  std::string out;
  std::string error;
  std::string log;
};

// Swaps a stream's target for as long as it lives.
class Captured {
public:
  explicit Captured(std::ostream& stream) : stream_(stream), old_(stream.rdbuf(text_.rdbuf())) {}
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() { stream_.rdbuf(old_); }
  std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* old_;
};

// Without the program's own name.
inline Result run_program(const std::vector<std::string>& words) {
  std::vector<const char*> arguments{"rowsmith"};
  for (const auto& word : words)
    arguments.push_back(word.c_str());
  const Captured out(std::cout);
  const Captured error(std::cerr);
  const Captured log(std::clog);
  const int code = program::run_program(static_cast<int>(arguments.size()), arguments.data());
  return {code, out.text(), error.text(), log.text()};
}
