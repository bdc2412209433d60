// SPDX-License-Identifier: MIT
// Does a process that never ends keep its memory? Fits, samples, scores, saves and reads a model in a loop,
// as a service does that is retrained, and prints a line of JSON a round: rows so far, seconds, the resident
// memory now and at its peak. Ends with an error when memory has grown since the first rounds, or is beyond a
// limit that the kernel enforces.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/table/write_csv.hpp>
#include <rowsmith/train/read_training_rows.hpp>
#include <rowsmith/train/recipes.hpp>

#include "made_tables.hpp"

namespace rs = rowsmith;

namespace {

struct Settings {
  double minutes = 30;
  std::size_t rows = 2'000;
  std::size_t limit = 2'048;
  std::size_t settling = 5;
  double growth = 0.02;
};

double mebibytes(std::size_t pages) {
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576.0;
}
double resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t kept = 0;
  statm >> all >> kept;
  return mebibytes(kept);
}
double peak() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}
void limit_memory(std::size_t mebibytes_at_most) {
  const rlimit limit{mebibytes_at_most << 20U, mebibytes_at_most << 20U};
  if (mebibytes_at_most > 0 && setrlimit(RLIMIT_DATA, &limit) != 0)
    throw rs::OptionError("--limit-mib: the system refuses it");
}

/// One round of a service's life. \returns a number that depends on all it made, so that nothing is left out
double round(const Settings& settings, std::uint64_t number, const std::string& file) {
  rs::write_csv(file, made_tables::orders(settings.rows, static_cast<std::uint32_t>(number % 4)));
  rs::RecipeOptions<rs::DefaultRecipe> options;
  options.seed = number;
  options.autoencoder.steps = options.refit.steps = 100;
  options.gan.steps = 50;
  auto read = rs::read_training_rows({file}, {.label = "kind"}, options);
  const auto model =
      rs::parse_model(rs::format_model(rs::DefaultRecipe::Trainer(options).fit(std::move(read.rows))));
  double sum = 0;
  const auto made = model.sample(20'000, {.seed = number});
  for (const double score : rs::log_likelihood(model, made, {.samples = 4}).rows)
    sum += score;
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    sampler(number, i, scratch, row);
    sum += sampler.score(row, scratch);
  }
  return sum;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Fits, samples and scores in a loop, and says whether memory stays as it is.");
  Settings settings;
  app.add_option("--minutes", settings.minutes, "How long")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--rows", settings.rows, "Of the table that is learnt")
      ->check(CLI::Range(std::size_t{100}, std::size_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--limit-mib", settings.limit, "Memory that the process may ask for; 0: no limit")
      ->check(CLI::Range(std::size_t{0}, std::size_t{1} << 30U))
      ->capture_default_str();
  app.add_option("--settling", settings.settling, "Rounds whose memory is what later ones are compared with")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--growth", settings.growth, "Share by which the peak may grow after them")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto file =
      (std::filesystem::temp_directory_path() / ("rowsmith-soak-" + std::to_string(getpid()) + ".csv"))
          .string();
  try {
    limit_memory(settings.limit);
    const auto start = std::chrono::steady_clock::now();
    double settled = 0;
    for (std::uint64_t number = 0;; ++number) {
      const double sum = round(settings, number, file);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      std::cout << "{\"round\":" << number << ",\"seconds\":" << seconds << ",\"resident_mib\":" << resident()
                << ",\"peak_mib\":" << peak() << ",\"sum\":" << sum << "}" << std::endl;
      if (number + 1 <= settings.settling)
        settled = peak();
      else if (seconds >= 60 * settings.minutes)
        break;
    }
    std::filesystem::remove(file);
    if (peak() > settled * (1 + settings.growth)) {
      std::cerr << "bench_soak: the peak grew from " << settled << " to " << peak() << " MiB\n";
      return 1;
    }
    std::cerr << "bench_soak: " << peak() << " MiB at most, " << settled << " after the first rounds\n";
    return 0;
  } catch (const std::exception& error) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    std::cerr << "bench_soak: " << error.what() << '\n';
    return 1;
  }
}
