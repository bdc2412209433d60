// SPDX-License-Identifier: MIT
// Times single rows: how long one call of a Sampler takes, over a million calls each. Two models with random
// weights (what a row costs does not depend on them):
//   independent     noise 64-128-128-32, decoder 32-128-256-108, 6 numbers and 8 categoricals of 9, 16, 7,
//   15, 6,
//                   5, 2 and 42 values, as Adult after one-hot encoding
//   autoregressive  noise 32-128-128-128-16, AutoregressiveHeads<64> over 15 columns of 562 codes in all
// and for each
//   row, score   a decoded row (also from weights in half precision), a row's anomaly score; `warm`: one
//                call after the other; `cold`: after reading as much other memory as fills the second-level
//                cache several times
//   eigen        the same products and activations as a plain chain of Eigen expressions, nothing decoded
//   memory       reading as many bytes as the weights have, again and again: no code that reads each weight
//   can
//                be faster
//   batch        rows of one large call, decoded into a table
//   products     the networks' products of as many rows in blocks, nothing drawn or decoded (independent
//   heads)
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/deploy.hpp>
#include <rowsmith/models.hpp>

#include "../tests/support/count_allocations.hpp"

namespace rs = rowsmith;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

rs::TableEncoder encoder_of(const std::vector<std::uint32_t>& categories, int numbers) {
  std::vector<rs::Column> columns;
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  constexpr std::size_t rows = 2000;
  for (int c = 0; c < numbers; ++c) {
    columns.push_back(rs::Column::numerical("n" + std::to_string(c)));
    for (std::size_t r = 0; r < rows; ++r)
      columns.back().values.push_back(random.normal());
  }
  for (const auto size : categories) {
    columns.push_back(rs::Column::categorical("c" + std::to_string(columns.size())));
    for (std::size_t r = 0; r < rows; ++r)
      columns.back().codes.push_back(
          columns.back().dictionary.insert(std::to_string(r < size ? r : random.below(size))));
  }
  return rs::TableEncoder::fit(
      rs::Table(std::move(columns)),
      {.numerical = numbers > 0 ? rs::NumericalEncoding::standardised : rs::NumericalEncoding::codes});
}

template <class Autoencoder, class Generator>
rs::TableModel random_model(const rs::TableEncoder& encoder) {
  rs::TableModelParts model;
  model.encoder = encoder;
  const Autoencoder autoencoder(encoder);
  const auto weights = autoencoder.layout().template initialise<float>(1);
  model.encoder_network = autoencoder.encoder_network(weights.data());
  model.decoder_network = autoencoder.decoder_network(weights.data());
  model.heads = autoencoder.heads_network(weights.data());
  const Generator generator;
  model.generator_network = generator.network(generator.layout().template initialise<float>(2).data());
  model.noise_width = Generator::noise_width;
  const auto latent = static_cast<std::size_t>(Autoencoder::latent_width);
  model.latent_scale.assign(latent, 1);
  model.latent_offset.assign(latent, 0);
  model.latent_bound.assign(latent, 0.99F);
  return rs::TableModel(model);
}

rs::TableModel independent_model() {
  using rs::Dense, rs::ReLU;
  return random_model<rs::Autoencoder<Dense<256>, ReLU, Dense<128>, ReLU, rs::Latent<32>>,
                      rs::Generator<rs::Noise<64>, Dense<128>, ReLU, Dense<128>, ReLU, Dense<32>, rs::Tanh>>(
      encoder_of({9, 16, 7, 15, 6, 5, 2, 42}, 6));
}
rs::TableModel autoregressive_model() {
  using rs::Dense, rs::ReLU, rs::LeakyReLU;
  return random_model<
      rs::Autoencoder<Dense<256>, ReLU, Dense<128>, ReLU, rs::Latent<16>, rs::AutoregressiveHeads<64>>,
      rs::Generator<rs::Noise<32>, Dense<128>, LeakyReLU, Dense<128>, LeakyReLU, Dense<128>, LeakyReLU,
                    Dense<16>, rs::Tanh>>(
      encoder_of({73, 9, 64, 16, 16, 7, 15, 6, 5, 2, 119, 92, 94, 42, 2}, 0));
}

// Products of single rows by Eigen, as a chain of one network or of heads that follow each other.
class EigenChain {
public:
  explicit EigenChain(const rs::TableModel& model) {
    add(model.parts().generator_network);
    add(model.parts().decoder_network);
    const auto* heads = std::get_if<rs::AutoregressiveNetwork>(&model.heads());
    if (heads == nullptr)
      return;
    const auto shape = heads->shape();
    latent_ = rs::Matrix<float>::Random(1, shape.latent);
    for (rs::Index q = 0; q < shape.columns; ++q) {
      products_.push_back(make(shape.latent, shape.width, true));
      products_.push_back(make(shape.width, shape.width, false));
      products_.push_back(make(shape.width, shape.prefix[q + 1] - shape.prefix[q], false));
    }
  }
  float run() {
    const rs::Matrix<float>* x = &input_;
    for (auto& product : products_) {
      product.y.noalias() = (product.from_latent ? latent_ : *x) * product.weight;
      product.y += product.bias;
      product.y = product.y.cwiseMax(0.0F);
      x = &product.y;
    }
    return (*x)(0, 0);
  }

private:
  struct Product {
    rs::Matrix<float> weight;
    rs::Matrix<float> bias;
    rs::Matrix<float> y;
    bool from_latent;
  };
  static Product make(rs::Index inputs, rs::Index outputs, bool from_latent) {
    return {rs::Matrix<float>::Random(inputs, outputs), rs::Matrix<float>::Random(1, outputs),
            rs::Matrix<float>::Zero(1, outputs), from_latent};
  }
  void add(const rs::InferenceNetwork& network) {
    for (const auto& layer : network.layers()) {
      if (products_.empty())
        input_ = rs::Matrix<float>::Random(1, layer.inputs);
      products_.push_back(make(layer.inputs, layer.outputs, false));
    }
  }
  rs::Matrix<float> input_;
  rs::Matrix<float> latent_;
  std::vector<Product> products_;
};

struct Latencies {
  std::vector<float> microseconds; // ascending
  long allocations = 0;
  double at(double share) const {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(microseconds.size()));
    return static_cast<double>(microseconds[std::min(index, microseconds.size() - 1)]);
  }
};

// Times each of `calls` calls after `before()`, which does not count.
template <class Call, class Before>
Latencies measure(std::size_t calls, const Call& call, const Before& before) {
  Latencies result;
  result.microseconds.resize(calls);
  for (std::size_t i = 0; i < std::min<std::size_t>(calls, 1000); ++i)
    call(i);
  const long allocations = allocation::count;
  for (std::size_t i = 0; i < calls; ++i) {
    before();
    const auto start = Clock::now();
    call(i);
    const auto end = Clock::now();
    result.microseconds[i] = std::chrono::duration<float, std::micro>(end - start).count();
  }
  result.allocations = allocation::count - allocations;
  std::sort(result.microseconds.begin(), result.microseconds.end());
  return result;
}

std::string rounded(double value) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(value < 100 ? 2 : 0) << value;
  return out.str();
}

// The percentiles of each measurement, as HdrHistogram draws them: a nine more, a step further to the right.
void write_svg(const std::string& path, const std::vector<std::pair<std::string, Latencies>>& lines) {
  constexpr double left = 60, right = 700, top = 20, bottom = 380, nines = 6;
  const std::vector<std::string> colours{"#0b6e99", "#76b7d6", "#b3541e", "#e8a87c", "#777777", "#bbbbbb"};
  const double lowest = std::log10(1.0);
  const double highest = std::log10(1000.0);
  const auto x_of = [&](double n) { return left + n / nines * (right - left); };
  const auto y_of = [&](double us) {
    const double share = (std::log10(std::max(us, 1e-3)) - lowest) / (highest - lowest);
    return bottom - std::clamp(share, 0.0, 1.0) * (bottom - top);
  };
  std::ostringstream out;
  out << std::fixed << std::setprecision(1);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 430\" font-family=\"sans-serif\" "
         "font-size=\"13\">\n<rect width=\"900\" height=\"430\" fill=\"white\"/>\n";
  for (const double us : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0})
    out << "<line x1=\"" << left << "\" x2=\"" << right << "\" y1=\"" << y_of(us) << "\" y2=\"" << y_of(us)
        << "\" stroke=\"#ddd\"/><text x=\"" << left - 8 << "\" y=\"" << y_of(us) + 4
        << "\" text-anchor=\"end\">" << static_cast<int>(us) << "</text>\n";
  const std::vector<std::string> marks{"0", "90", "99", "99.9", "99.99", "99.999", "max"};
  for (std::size_t n = 0; n < marks.size(); ++n)
    out << "<line x1=\"" << x_of(static_cast<double>(n)) << "\" x2=\"" << x_of(static_cast<double>(n))
        << "\" y1=\"" << top << "\" y2=\"" << bottom << "\" stroke=\"#ddd\"/><text x=\""
        << x_of(static_cast<double>(n)) << "\" y=\"" << bottom + 20 << "\" text-anchor=\"middle\">"
        << marks[n] << "</text>\n";
  out << "<text x=\"" << (left + right) / 2 << "\" y=\"" << bottom + 42
      << "\" text-anchor=\"middle\">percentile of calls</text>\n<text x=\"18\" y=\"" << (top + bottom) / 2
      << "\" text-anchor=\"middle\" transform=\"rotate(-90 18 " << (top + bottom) / 2
      << ")\">µs a call</text>\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& [name, latencies] = lines[i];
    const std::string colour = colours[i % colours.size()];
    out << "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" << colour << "\" points=\"";
    for (int step = 0; step <= 60; ++step)
      out << x_of(0.1 * step) << ',' << y_of(latencies.at(1 - std::pow(10, -0.1 * step))) << ' ';
    const double y = top + 20 + 24 * static_cast<double>(i);
    out << "\"/>\n<line x1=\"" << right + 15 << "\" x2=\"" << right + 40 << "\" y1=\"" << y << "\" y2=\"" << y
        << "\" stroke-width=\"3\" stroke=\"" << colour << "\"/><text x=\"" << right + 46 << "\" y=\"" << y + 4
        << "\">" << name << "</text>\n";
  }
  out << "</svg>\n";
  std::ofstream file(path);
  if (!(file << out.str()).flush())
    throw std::runtime_error(path + ": cannot be written");
}

struct Report {
  std::ostream* json = nullptr;
  std::vector<std::string> table;

  // A figure with its bounds; smaller is better, or larger with `more`.
  std::string mark(const std::string& name, double value, double target, double stretch, bool more = false) {
    const auto reached = [&](double bound) { return more ? value >= bound : value <= bound; };
    const std::string mark = reached(stretch) ? "stretch" : reached(target) ? "pass" : "short";
    const std::string sign = more ? "≥ " : "≤ ";
    table.push_back("| " + name + " | " + rounded(value) + " | " + sign + rounded(target) + " | " + sign +
                    rounded(stretch) + " | " + mark + " |");
    return mark;
  }
  void say(const std::string& line) const {
    if (json != nullptr)
      *json << line << std::endl;
  }
  void say(const std::string& model, const std::string& what, const std::string& mode, const Latencies& l,
           const std::string& more = {}) const {
    say("{\"model\":\"" + model + "\",\"what\":\"" + what + "\",\"mode\":\"" + mode + "\",\"calls\":" +
        std::to_string(l.microseconds.size()) + ",\"p50_us\":" + rs::json_number(l.at(0.5)) +
        ",\"p90_us\":" + rs::json_number(l.at(0.9)) + ",\"p99_us\":" + rs::json_number(l.at(0.99)) +
        ",\"p99.9_us\":" + rs::json_number(l.at(0.999)) + ",\"max_us\":" + rs::json_number(l.at(1)) +
        ",\"allocations\":" + std::to_string(l.allocations) + more + "}");
  }
};

// Keeps what is computed from being left out.
volatile float sink = 0;

} // namespace

int main(int argc, char** argv) {
  std::size_t calls = 1'000'000;
  std::size_t evict_kib = 4096;
  std::size_t batch = 100'000;
  std::string json;
  std::string svg;
  std::vector<std::string> names{"independent", "autoregressive"};
  CLI::App app("Times single rows of a Sampler and prints a table of percentiles in microseconds.");
  app.add_option("--calls", calls, "Calls of each measurement")
      ->check(CLI::Range(1000, 100'000'000))
      ->capture_default_str();
  app.add_option("--evict", evict_kib, "KiB of other memory read before each cold call")
      ->capture_default_str();
  app.add_option("--batch", batch, "Rows of the large call")
      ->check(CLI::Range(1000, 10'000'000))
      ->capture_default_str();
  app.add_option("--model", names, "Which models")
      ->check(CLI::IsMember({"independent", "autoregressive"}))
      ->capture_default_str();
  auto* json_option =
      app.add_option("--json", json,
                     "Also write a line of JSON for each measurement, to this file or to the output")
          ->expected(0, 1);
  app.add_option("--svg", svg, "Draw the percentiles to this file");
  CLI11_PARSE(app, argc, argv);

  Report report;
  std::ofstream json_file;
  if (*json_option) {
    if (!json.empty())
      json_file.open(json);
    report.json = json.empty() ? &std::cout : &json_file;
  }

  // The clock's own share of every figure.
  const auto nothing = measure(
      100'000, [](std::size_t) {}, [] {});
  report.say("{\"what\":\"build\",\"compiler\":" + rs::json_escape(__VERSION__) +
             ",\"flags\":" + rs::json_escape(ROWSMITH_BUILD_FLAGS) +
             ",\"register_bytes\":" + std::to_string(rs::simd::register_bytes) +
             ",\"timer_us\":" + rs::json_number(nothing.at(0.5)) + "}");
  std::vector<char> other(evict_kib * 1024, 1);
  const auto warm = [] {};
  const auto cold = [&other] {
    unsigned sum = 0;
    for (std::size_t i = 0; i < other.size(); i += 64)
      sum += static_cast<unsigned char>(other[i]);
    sink = static_cast<float>(sum);
  };
  std::vector<std::pair<std::string, Latencies>> lines;

  for (const auto& name : names) {
    const bool independent = name == "independent";
    const auto model = independent ? independent_model() : autoregressive_model();
    const rs::Sampler sampler(model);
    auto scratch = sampler.scratch();
    auto row = sampler.row();
    const auto sample = [&](std::size_t i) { sampler(7, i, scratch, row); };
    const auto score = [&](std::size_t) { sink = static_cast<float>(sampler.score(row, scratch)); };

    auto sampled = measure(calls, sample, warm);
    const auto scored = measure(calls, score, warm);
    EigenChain chain(model);
    auto eigen = measure(
        calls, [&chain](std::size_t) { sink = chain.run(); }, warm);
    std::vector<float> weights(sampler.generation_bytes() / sizeof(float), 1.0F);
    const rs::Sampler half(model, {.precision = rs::Precision::half});
    auto half_scratch = half.scratch();
    auto half_row = half.row();
    const auto in_half = measure(
        calls, [&](std::size_t i) { half(7, i, half_scratch, half_row); }, warm);
    const auto in_half_cold = measure(
        calls, [&](std::size_t i) { half(7, i, half_scratch, half_row); }, cold);
    const auto memory = measure(
        std::min<std::size_t>(calls, 100'000),
        [&weights](std::size_t) {
          rs::simd::Vector<float> sum[8] = {};
          constexpr auto width = static_cast<std::size_t>(rs::simd::lanes<float>);
          for (std::size_t i = 0; i + 8 * width <= weights.size(); i += 8 * width)
            for (std::size_t v = 0; v < 8; ++v)
              sum[v] += rs::simd::load(weights.data() + i + v * width);
          for (const auto& part : sum)
            sink = part[0];
        },
        warm);
    auto sampled_cold = measure(calls, sample, cold);
    std::vector<double> rates;
    for (int i = 0; i < 7; ++i) {
      const auto start = Clock::now();
      const auto table = sampler.sample_rows(batch, {.seed = static_cast<std::uint64_t>(i), .threads = 1});
      rates.push_back(static_cast<double>(table.rows()) / seconds_since(start));
    }
    std::nth_element(rates.begin(), rates.begin() + 3, rates.end());

    std::vector<double> product_rates;
    for (int i = 0; i < 7 && independent; ++i) {
      constexpr rs::Index block = 256;
      rs::InferenceScratch buffers;
      const rs::Matrix<float> noise =
          rs::Matrix<float>::Random(block, model.parts().generator_network.inputs());
      const auto start = Clock::now();
      for (std::size_t done = 0; done < batch; done += static_cast<std::size_t>(block)) {
        const float* latent = model.parts().generator_network.run(noise.data(), block, buffers);
        sink = model.parts().decoder_network.run(latent, block, buffers)[0];
      }
      product_rates.push_back(static_cast<double>(batch) / seconds_since(start));
    }

    const double bytes = static_cast<double>(weights.size() * sizeof(float));
    report.say(name, "row", "warm", sampled);
    report.say(name, "row", "cold", sampled_cold);
    report.say(name, "row in half precision", "warm", in_half);
    report.say(name, "row in half precision", "cold", in_half_cold);
    report.say(name, "score", "warm", scored);
    report.say(name, "eigen", "warm", eigen);
    report.say(name, "memory", "warm", memory,
               ",\"weight_bytes\":" + rs::json_number(bytes) +
                   ",\"gb_per_s\":" + rs::json_number(bytes / memory.at(0.5) / 1e3));
    report.say("{\"model\":\"" + name + "\",\"what\":\"batch\",\"rows\":" + std::to_string(batch) +
               ",\"threads\":1,\"rows_per_s\":" + rs::json_number(rates[3]) + "}");
    if (independent) {
      std::nth_element(product_rates.begin(), product_rates.begin() + 3, product_rates.end());
      report.say("{\"model\":\"" + name + "\",\"what\":\"products\",\"rows\":" + std::to_string(batch) +
                 ",\"threads\":1,\"rows_per_s\":" + rs::json_number(product_rates[3]) + "}");
      report.table.push_back("| the products of such a batch alone, rows a second | " +
                             rounded(product_rates[3]) + " | | | |");
      report.mark("whole decoded row, warm, p50, µs", sampled.at(0.5), 4, 2.5);
      report.mark("whole decoded row, warm, p99.9, µs", sampled.at(0.999), 15, 8);
      report.mark("batch, one thread, rows a second", rates[3], 800'000, 1'500'000, true);
    } else {
      report.mark("autoregressive heads: row, warm, p50, µs", sampled.at(0.5), 15, 15);
      report.table.push_back("| autoregressive heads: batch, one thread, rows a second | " +
                             rounded(rates[3]) + " | | | |");
    }
    report.mark(name + ": heap allocations in all calls",
                static_cast<double>(sampled.allocations + sampled_cold.allocations + scored.allocations), 0,
                0);
    const auto line = [&](const std::string& what, const Latencies& l) {
      report.table.push_back("| " + name + ": " + what + ", p50 / p99.9 / max, µs | " + rounded(l.at(0.5)) +
                             " / " + rounded(l.at(0.999)) + " / " + rounded(l.at(1)) + " | | | |");
    };
    line("row, warm", sampled);
    line("row, cold", sampled_cold);
    line("row in half precision, warm", in_half);
    line("row in half precision, cold", in_half_cold);
    line("score, warm", scored);
    line("Eigen products alone", eigen);
    line("reading the weights' bytes (" + rounded(bytes / 1024) + " KiB)", memory);
    lines.emplace_back(name + ", warm", std::move(sampled));
    lines.emplace_back(name + ", cold", std::move(sampled_cold));
    if (independent)
      lines.emplace_back("Eigen products alone", std::move(eigen));
  }

  std::cout << "| figure | measured | target | stretch | |\n|---|---|---|---|---|\n";
  for (const auto& line : report.table)
    std::cout << line << '\n';
  std::cout << "(the clock's own " << rounded(nothing.at(0.5)) << " µs is in every figure)" << std::endl;
  try {
    if (!svg.empty())
      write_svg(svg, lines);
  } catch (const std::exception& error) {
    std::cerr << "bench_latency: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
