// SPDX-License-Identifier: MIT
// Rows of an exported model on the standard output, as CSV, by all cores: to fill databases and queues with.
//
//   rowsmith export people.model -o model.hpp --name model --no-score
//   g++ -std=c++20 -O3 -march=native -pthread -I. load_test.cpp -o load_test
//   ./load_test --rows 100000000 --seed 7 | psql -c "copy people from stdin csv header"
//
// Nothing else is needed: no library, no model file. Row i depends on the model, the seed and i only, so that
// several machines write parts of one table: --first-row 50000000 --no-header.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "model.hpp"

namespace {

struct Settings {
  std::uint64_t rows = 1'000'000;
  std::uint64_t seed = 0;
  std::uint64_t first_row = 0;
  std::uint64_t threads = 0; // 0: all
  bool header = true;
};

// With quotes where the text needs them. A cell that is missing is empty, an empty text is "".
std::string csv_cell(std::string_view text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos && text.front() != ' ' &&
      text.back() != ' ')
    return std::string(text);
  std::string cell = "\"";
  for (const char c : text)
    cell.append(c == '"' ? 2 : 1, c);
  return cell + '"';
}

// Turns rows into lines; one per thread.
class Lines {
public:
  Lines() : cells_(model::columns) {}

  void append(std::string& text, const model::Row& row) {
    for (std::size_t c = 0; c < model::columns; ++c) {
      if (!row.is_missing(c)) {
        if (model::is_categorical(c))
          text += category(row, c);
        else
          append(text, row.number[c]);
      }
      text += c + 1 == model::columns ? '\n' : ',';
    }
  }

private:
  // Texts are quoted once, and not once a row.
  const std::string& category(const model::Row& row, std::size_t column) {
    auto& known = cells_[column];
    const auto code = static_cast<std::size_t>(row.code[column]);
    if (code >= known.size())
      known.resize(code + 1);
    if (known[code].empty())
      known[code] = csv_cell(row.text(column));
    return known[code];
  }
  // Whole numbers are written several times as fast as others.
  static void append(std::string& text, double number) {
    char digits[32];
    const bool whole = std::abs(number) < 1e15 && number == std::floor(number);
    const auto end =
        whole ? std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr
              : std::to_chars(digits, digits + sizeof digits, number).ptr;
    text.append(digits, end);
  }

  std::vector<std::vector<std::string>> cells_; // by column and code; empty: not met yet
};

class Writer {
public:
  explicit Writer(const Settings& settings)
      : settings_(settings), blocks_((settings.rows + block - 1) / block) {}

  // What one thread does: takes the next block, makes its text, and writes it when those before are out.
  void work() {
    const auto scratch = std::make_unique<model::Scratch>();
    model::Row row;
    Lines lines;
    std::string text;
    for (std::uint64_t mine = taken_++; mine < blocks_ && !stopped_; mine = taken_++) {
      const std::uint64_t end = std::min((mine + 1) * block, settings_.rows);
      text.clear();
      for (std::uint64_t i = mine * block; i < end; ++i) {
        model::sample(settings_.seed, settings_.first_row + i, *scratch, row);
        lines.append(text, row);
      }
      std::unique_lock lock(turn_);
      written_one_.wait(lock, [&] { return written_ == mine || stopped_; });
      if (stopped_)
        return;
      lock.unlock(); // whose turn it is, is alone
      const bool fine = write(text);
      lock.lock();
      stopped_ = stopped_ || !fine;
      ++written_;
      written_one_.notify_all();
    }
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const auto count = ::write(STDOUT_FILENO, text.data(), text.size());
      if (count < 0 && errno != EINTR) {
        failure_ = errno;
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(std::max<decltype(count)>(count, 0)));
    }
    return true;
  }
  std::string header() const {
    std::string line;
    for (std::size_t c = 0; c < model::columns; ++c)
      line += (c == 0 ? "" : ",") + csv_cell(model::column_name(c));
    return line + '\n';
  }
  // 0: all was written; EPIPE: the reader had enough.
  int failure() const { return failure_; }

private:
  static constexpr std::uint64_t block = 4096; // rows: some hundred kilobytes of text

  Settings settings_;
  std::uint64_t blocks_;
  std::atomic<std::uint64_t> taken_ = 0;
  std::uint64_t written_ = 0; // under turn_
  std::atomic<bool> stopped_ = false;
  std::atomic<int> failure_ = 0;
  std::mutex turn_;
  std::condition_variable written_one_;
};

bool read_number(const char* text, std::uint64_t& number) {
  if (text == nullptr)
    return false;
  const char* const end = text + std::strlen(text);
  const auto [read, failure] = std::from_chars(text, end, number);
  return failure == std::errc() && read == end;
}

int usage(std::FILE* to, int code) {
  std::fputs("usage: load_test [--rows N] [--seed S] [--first-row F] [--threads T] [--no-header]\n"
             "Writes rows F ... F + N - 1 of the sample with seed S to the standard output, as CSV. T: 0 for "
             "all cores;\n"
             "never changes a byte.\n",
             to);
  return code;
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--help" || option == "-h")
      return usage(stdout, 0);
    if (option == "--no-header") {
      settings.header = false;
      continue;
    }
    std::uint64_t* const number = option == "--rows"        ? &settings.rows
                                  : option == "--seed"      ? &settings.seed
                                  : option == "--first-row" ? &settings.first_row
                                  : option == "--threads"   ? &settings.threads
                                                            : nullptr;
    if (number == nullptr || !read_number(i + 1 < argc ? argv[++i] : nullptr, *number)) {
      std::fprintf(stderr, "load_test: '%s', expected an option and a whole number\n", argv[i]);
      return usage(stderr, 2);
    }
  }
  if (settings.threads > 4096 || settings.rows > std::uint64_t{1} << 44U ||
      settings.first_row > std::uint64_t{1} << 44U)
    return usage(stderr, 2);

  std::signal(SIGPIPE, SIG_IGN); // a reader that has enough is told by write
#ifdef F_SETPIPE_SZ
  (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ,
              1 << 20); // fewer changes between writer and reader; no pipe: no matter
#endif
  Writer writer(settings);
  if (!settings.header || writer.write(writer.header())) {
    const auto cores = static_cast<std::uint64_t>(std::max(1U, std::thread::hardware_concurrency()));
    std::vector<std::thread> others;
    for (std::uint64_t t = 1; t < (settings.threads == 0 ? cores : settings.threads); ++t)
      others.emplace_back([&writer] { writer.work(); });
    writer.work();
    for (auto& other : others)
      other.join();
  }
  if (writer.failure() != 0 && writer.failure() != EPIPE) {
    std::fprintf(stderr, "load_test: the rows cannot be written: %s\n", std::strerror(writer.failure()));
    return 1;
  }
  return 0;
}
