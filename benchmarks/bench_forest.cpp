// SPDX-License-Identifier: MIT
// Times a forest and boosted trees of 100 trees, fit and prediction, with their default options: one JSON
// object a line. Without --train, on a table shaped like Adult beside a copy of it whose columns are drawn
// apart (6 numbers and 9 categories, 32,561 + 32,561 rows). A file holds two 64-bit numbers, rows and
// columns, then the columns as doubles in the machine's order, the last of them the label: 0 or 1.
#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/forest.hpp>

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

namespace {

struct Data {
  rs::FeatureMatrix features;
  std::vector<std::uint16_t> labels;
};

Data read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const auto read_into = [&](auto* to, std::size_t count) {
    if (!in.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count * sizeof *to)))
      throw rs::Error("bench_forest: cannot read '" + path + "'");
  };
  std::uint64_t size[2] = {};
  read_into(size, 2);
  if (size[0] < 1 || size[0] > 100'000'000 || size[1] < 2 || size[1] > 30'000)
    throw rs::Error("bench_forest: '" + path + "' says it holds " + std::to_string(size[0]) + " rows and " +
                    std::to_string(size[1]) + " columns");
  Data data;
  for (std::uint64_t c = 0; c < size[1]; ++c) {
    data.features.columns.emplace_back(size[0]);
    read_into(data.features.columns.back().data(), size[0]);
    data.features.names.push_back(std::to_string(c));
  }
  for (const double label : data.features.columns.back())
    data.labels.push_back(label == 0 ? 0 : 1);
  data.features.columns.pop_back();
  data.features.names.pop_back();
  return data;
}

Data adult_like(std::size_t rows) {
  Data data;
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  const std::vector<std::uint32_t> values{9, 16, 7, 15, 6, 5, 2, 42, 2, 73, 16, 120, 92, 94, 0};
  data.features.columns.resize(values.size());
  for (std::size_t i = 0; i < 2 * rows; ++i) {
    const double common = i < rows ? random.normal() : 0; // what connects the columns of a row
    for (std::size_t f = 0; f < values.size(); ++f) {
      const double x = i < rows ? 0.6 * common + 0.8 * random.normal() : random.normal();
      const double rank = 0.5 * std::erfc(-x * std::sqrt(0.5));
      data.features.columns[f].push_back(values[f] == 0 ? x : std::floor(rank * values[f]));
    }
    data.labels.push_back(i < rows ? 0 : 1);
  }
  for (std::size_t f = 0; f < values.size(); ++f)
    data.features.names.push_back(std::to_string(f));
  return data;
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class Model, class Options>
void run(const char* what, const Data& train, const Data& test, const Options& options, std::size_t repeats) {
  std::vector<std::uint8_t> positive(test.labels.begin(), test.labels.end());
  for (std::size_t i = 0; i < repeats; ++i) {
    auto start = std::chrono::steady_clock::now();
    const auto model = Model::fit(train.features, train.labels, 2, options);
    const double fit = seconds_since(start);
    start = std::chrono::steady_clock::now();
    const auto probability = model.predict_probability(test.features, options.threads);
    const double predict = seconds_since(start);
    std::vector<double> scores;
    for (std::size_t r = 0; r < positive.size(); ++r)
      scores.push_back(probability[2 * r + 1]);
    std::cout << "{\"what\":\"" << what << "\",\"rows\":" << train.labels.size()
              << ",\"features\":" << train.features.columns.size() << ",\"threads\":" << options.threads
              << ",\"seed\":" << options.seed << ",\"fit_s\":" << rs::json_number(fit)
              << ",\"predict_s\":" << rs::json_number(predict)
              << ",\"auc\":" << rs::json_number(ev::roc_auc(scores, positive)) << "}" << std::endl;
  }
}

} // namespace

int main(int argc, char** argv) {
  std::vector<int> thread_counts{1, 2};
  std::vector<std::string> whats{"forest", "boosting"};
  std::string train_path;
  std::string test_path;
  std::size_t repeats = 3;
  std::uint64_t seed = 0;
  CLI::App app("Times a random forest and boosted trees; prints one JSON object a line.");
  app.add_option("--threads", thread_counts, "Numbers of threads")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--what", whats, "What to time")
      ->check(CLI::IsMember({"forest", "boosting"}))
      ->capture_default_str();
  app.add_option("--train", train_path, "A file of rows to learn from");
  app.add_option("--test", test_path, "A file of rows to predict; default: the same");
  app.add_option("--repeats", repeats, "Runs of each")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--seed", seed, "Of the forest")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const Data train = train_path.empty() ? adult_like(32'561) : read(train_path);
    const Data test = test_path.empty() ? train : read(test_path);
    std::cout << "{\"what\":\"machine\",\"processor\":" << rs::json_escape(processor())
              << ",\"compiler\":" << rs::json_escape(__VERSION__)
              << ",\"flags\":" << rs::json_escape(ROWSMITH_BUILD_FLAGS) << "}" << std::endl;
    for (const int threads : thread_counts)
      for (const auto& what : whats)
        if (what == "forest")
          run<rs::RandomForest>("forest", train, test,
                                rs::RandomForestOptions{.seed = seed, .threads = threads}, repeats);
        else
          run<rs::GradientBoosting>("boosting", train, test,
                                    rs::GradientBoostingOptions{.seed = seed, .threads = threads}, repeats);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
