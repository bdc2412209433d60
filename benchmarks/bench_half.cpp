// SPDX-License-Identifier: MIT
// What weights in half precision lose: draws the same rows of a trained model by a Sampler of full and by one
// of half precision, and prints a line of JSON with
//   rows_equal, cells_equal  shares of rows and of cells that are the same
//   columns                  by column: the share of equal cells; how far the two columns' distributions are
//                            apart (total variation for categories, Kolmogorov-Smirnov for numbers); and how
//                            far those of two seeds in full precision are, which is what chance does
//   held_out                 mean log-likelihood of rows that were not learnt, in nats, of the model and of
//                            the model with its weights rounded
//   rounded_differs          rows that the rounded model draws otherwise than the Sampler in half precision:
//                            0 unless sums are rounded differently, so that the likelihood is of its rows
//   latency                  p50 in microseconds of a row by both, in turns
// studies/half_precision.py fits the models and makes a table of the lines.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iostream>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/deploy/half.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/evaluate/distribution_distance.hpp>
#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/models/row_surprise.hpp>
#include <rowsmith/table/table_file.hpp>

namespace rs = rowsmith;

namespace {

// ---- the model with its weights rounded ------------------------------------------------------------------

void round_all(rs::AlignedBuffer<float>& weights) {
  for (auto& weight : weights) {
    const std::uint16_t half = rs::detail::to_half(weight, "bench_half");
    char bytes[sizeof half];
    std::memcpy(bytes, &half, sizeof half);
    weight = rs::kernel::Float16::one(bytes);
  }
}
rs::InferenceNetwork rounded(const rs::InferenceNetwork& network) {
  rs::InferenceNetwork result;
  for (auto layer : network.layers()) {
    if (layer.kind == rs::InferenceLayer::Kind::dense)
      round_all(layer.weight);
    result.add(std::move(layer));
  }
  result.set_residual(network.residual());
  return result;
}
// Matrices only, as Sampler has it: biases and scales are exact.
void round_heads(rs::AutoregressiveNetwork& heads) {
  auto& weights = heads.weights;
  for (auto* matrix : {&weights.embedding, &weights.knots, &weights.latent_weight, &weights.hidden_weight,
                       &weights.output_weight, &weights.pair_bias})
    round_all(*matrix);
}
rs::TableModel rounded(const rs::TableModel& model) {
  auto parts = model.parts();
  parts.encoder_network = rounded(parts.encoder_network);
  parts.generator_network = rounded(parts.generator_network);
  parts.decoder_network = rounded(parts.decoder_network);
  if (auto* heads = std::get_if<rs::AutoregressiveNetwork>(&parts.heads))
    round_heads(*heads);
  else if (auto* mixed = std::get_if<rs::MixedNetwork>(&parts.heads))
    round_heads(mixed->neural);
  return rs::TableModel(std::move(parts));
}

// ---- rows ------------------------------------------------------------------------------------------------

// One column of rows: a number each, those of categories by their code, NaN where they are missing.
using Columns = std::vector<std::vector<double>>;

Columns drawn(const rs::Sampler& sampler, std::uint64_t seed, std::size_t rows) {
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  Columns columns(row.size());
  for (std::size_t i = 0; i < rows; ++i) {
    sampler(seed, i, scratch, row);
    for (std::size_t c = 0; c < row.size(); ++c)
      columns[c].push_back(row.is_missing(c) ? std::numeric_limits<double>::quiet_NaN()
                           : row.schema()[c].kind == rs::ColumnKind::numerical
                               ? row.number(c)
                               : static_cast<double>(row.category(c).code));
  }
  return columns;
}
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

std::size_t rows_that_differ(const Columns& a, const Columns& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.front().size(); ++i) {
    bool equal = true;
    for (std::size_t c = 0; c < a.size(); ++c)
      equal = equal && same(a[c][i], b[c][i]);
    count += equal ? 0 : 1;
  }
  return count;
}

// How far two columns' distributions are apart; missing cells are a level of their own, below all numbers.
double distance(const std::vector<double>& a, const std::vector<double>& b, bool numerical) {
  std::map<double, std::pair<std::uint64_t, std::uint64_t>> counts;
  const auto level = [](double value) {
    return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  };
  for (const double value : a)
    ++counts[level(value)].first;
  for (const double value : b)
    ++counts[level(value)].second;
  std::vector<std::uint64_t> of_a;
  std::vector<std::uint64_t> of_b;
  for (const auto& [value, count] : counts) {
    of_a.push_back(count.first);
    of_b.push_back(count.second);
  }
  return numerical ? rs::evaluate::ks_statistic(of_a, of_b) : rs::evaluate::total_variation(of_a, of_b);
}

// Mean over the rows that both models can make; how many those are.
struct HeldOut {
  std::size_t rows = 0;
  std::size_t possible = 0;
  double single = 0;
  double half = 0;
};
HeldOut held_out(const rs::TableModel& single, const rs::TableModel& half, const std::string& path,
                 const rs::LikelihoodOptions& options) {
  const auto format = rs::detail::learnt_format(single);
  if (format.columns.empty())
    throw rs::OptionError(
        "--holdout: the model does not say how its file was written; fit it by the program");
  const auto table = rs::read_table_like(path, format);
  const auto surprise = rs::row_surprise(single, table, options).rows;
  const auto surprise_half = rs::row_surprise(half, table, options).rows;
  HeldOut result{.rows = table.rows()};
  for (std::size_t i = 0; i < surprise.size(); ++i)
    if (std::isfinite(surprise[i]) && std::isfinite(surprise_half[i])) {
      ++result.possible;
      result.single -= surprise[i];
      result.half -= surprise_half[i];
    }
  result.single /= static_cast<double>(result.possible);
  result.half /= static_cast<double>(result.possible);
  return result;
}

// p50 in microseconds of both, in turns of a thousand calls, so that a change of the machine's speed meets
// both.
std::pair<double, double> latencies(const rs::Sampler& single, const rs::Sampler& half, std::size_t calls) {
  using Clock = std::chrono::steady_clock;
  const rs::Sampler* samplers[] = {&single, &half};
  rs::Sampler::Scratch scratches[] = {single.scratch(), half.scratch()};
  rs::DynamicRow rows[] = {single.row(), half.row()};
  std::vector<double> times[2];
  constexpr std::size_t turn = 1000;
  for (std::size_t begin = 0; begin < calls + turn; begin += turn)
    for (std::size_t which = 0; which < 2; ++which)
      for (std::size_t i = begin; i < begin + turn; ++i) {
        const auto start = Clock::now();
        (*samplers[which])(7, i, scratches[which], rows[which]);
        const auto end = Clock::now();
        if (begin > 0) // the first turn warms up
          times[which].push_back(std::chrono::duration<double, std::micro>(end - start).count());
      }
  for (auto& list : times)
    std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2), list.end());
  return {times[0][times[0].size() / 2], times[1][times[1].size() / 2]};
}

} // namespace

int main(int argc, char** argv) {
  std::string path;
  std::string holdout;
  std::size_t rows = 100'000;
  std::size_t calls = 200'000;
  std::uint64_t seed = 1;
  rs::LikelihoodOptions likelihood{.threads = 1};
  CLI::App app("Compares the rows of a model in full and in half precision; prints a line of JSON.");
  app.add_option("MODEL", path, "A model file")->required();
  app.add_option("--holdout", holdout, "A table of rows that were not learnt: of the log-likelihood");
  app.add_option("--rows", rows, "Rows to draw")->check(CLI::Range(1000, 100'000'000))->capture_default_str();
  app.add_option("--calls", calls, "Timed calls of each")
      ->check(CLI::Range(1000, 100'000'000))
      ->capture_default_str();
  app.add_option("--seed", seed, "Of the rows; the next one is what chance does")->capture_default_str();
  app.add_option("--samples", likelihood.samples, "Latent codes of the log-likelihood")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const auto model = rs::load_model(path);
    const auto model_rounded = rounded(model);
    const rs::Sampler single(model);
    const rs::Sampler half(model, {.precision = rs::Precision::half});
    const auto full = drawn(single, seed, rows);
    const auto other = drawn(half, seed, rows);
    const auto chance = drawn(single, seed + 1, rows);

    std::string columns;
    std::size_t cells = 0;
    for (std::size_t c = 0; c < full.size(); ++c) {
      std::size_t equal = 0;
      for (std::size_t i = 0; i < rows; ++i)
        equal += same(full[c][i], other[c][i]) ? 1 : 0;
      cells += equal;
      const bool numerical = model.schema()[c].kind == rs::ColumnKind::numerical;
      columns += std::string(columns.empty() ? "" : ",") +
                 "{\"name\":" + rs::json_escape(model.schema()[c].name) + ",\"measure\":\"" +
                 (numerical ? "KS" : "TV") +
                 "\",\"equal\":" + rs::json_number(static_cast<double>(equal) / static_cast<double>(rows)) +
                 ",\"distance\":" + rs::json_number(distance(full[c], other[c], numerical)) +
                 ",\"chance\":" + rs::json_number(distance(full[c], chance[c], numerical)) + "}";
    }
    const auto share = [](std::size_t part, std::size_t of) {
      return rs::json_number(static_cast<double>(part) / static_cast<double>(of));
    };
    std::string line =
        "{\"rows\":" + std::to_string(rows) +
        ",\"rows_equal\":" + share(rows - rows_that_differ(full, other), rows) +
        ",\"cells_equal\":" + share(cells, rows * full.size()) + ",\"rounded_differs\":" +
        std::to_string(rows_that_differ(drawn(rs::Sampler(model_rounded), seed, rows), other)) +
        ",\"bytes\":" + std::to_string(single.generation_bytes()) +
        ",\"half_bytes\":" + std::to_string(half.generation_bytes()) + ",\"columns\":[" + columns + "]";
    if (!holdout.empty() && model.is_distribution()) {
      const auto told = held_out(model, model_rounded, holdout, likelihood);
      line += ",\"held_out\":{\"rows\":" + std::to_string(told.rows) +
              ",\"possible\":" + std::to_string(told.possible) +
              ",\"single_nats\":" + rs::json_number(told.single) +
              ",\"half_nats\":" + rs::json_number(told.half) + "}";
    }
    const auto [single_us, half_us] = latencies(single, half, calls);
    std::cout << line + ",\"latency\":{\"single_us\":" + rs::json_number(single_us) +
                     ",\"half_us\":" + rs::json_number(half_us) + "}}"
              << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "bench_half: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
