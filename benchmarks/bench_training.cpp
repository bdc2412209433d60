// SPDX-License-Identifier: MIT
// Times training steps and generation on the shapes of Adult after one-hot encoding (6 numbers and 8
// categoricals of 9, 16, 7, 15, 6, 5, 2 and 42 values: 108 inputs), one JSON object a line:
//   ae_step   108-256-128-32-128-256-108, ReLU, MSE + cross-entropies, Adam
//   gan_step  a discriminator step (32-128-64-1, LeakyReLU, Dropout) and three generator steps
//   (64-128-128-32, ReLU,
//             Tanh), BCE, Adam on both
//   row       noise -> generator -> decoder -> one decoded row
//   rows      the same for 8192 rows, categories drawn
//   product   a product of matrices of 1024 × 1024 by linalg/gemm.hpp: the rate that comparisons quote
// gemm_us is the time of the step's bare matrix products by Eigen, one thread, timed in the same run;
// allocations is the number of heap allocations of a step after the first.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/models.hpp>
#include <rowsmith/train.hpp>

#include "../tests/support/count_allocations.hpp"

namespace rs = rowsmith;

namespace {

using Autoencoder = rs::Autoencoder<rs::Dense<256>, rs::ReLU, rs::Dense<128>, rs::ReLU, rs::Latent<32>>;
using Generator =
    rs::Generator<rs::Noise<64>, rs::Dense<128>, rs::ReLU, rs::Dense<128>, rs::ReLU, rs::Dense<32>, rs::Tanh>;
using Discriminator = rs::Discriminator<rs::Dense<128>, rs::LeakyReLU, rs::Dropout, rs::Dense<64>,
                                        rs::LeakyReLU, rs::Dropout, rs::Dense<1>>;

struct Timing {
  double seconds;   // median of a step
  long allocations; // most of a step
};

// Runs `step` for about `seconds`, after ten steps that do not count.
template <class Step>
Timing timed(const Step& step, double seconds) {
  for (int i = 0; i < 10; ++i)
    step();
  std::vector<double> times;
  times.reserve(1'000'000);
  long allocations = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while ((std::chrono::steady_clock::now() < end || times.size() < 5) && times.size() < times.capacity()) {
    const long before = allocation::count;
    const auto start = std::chrono::steady_clock::now();
    step();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    allocations = std::max<long>(allocations, allocation::count - before);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return {times[times.size() / 2], allocations};
}

// Forward and backward products of a chain of widths; `inputs` also makes the gradient of the first input.
double products(rs::Index rows, const std::vector<rs::Index>& widths, bool inputs, double seconds) {
  std::vector<rs::Matrix<float>> x;
  std::vector<rs::Matrix<float>> w;
  std::vector<rs::Matrix<float>> dw;
  for (const auto width : widths)
    x.push_back(rs::Matrix<float>::Random(rows, width));
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    w.push_back(rs::Matrix<float>::Random(widths[i], widths[i + 1]));
    dw.push_back(w.back());
  }
  return timed(
             [&] {
               for (std::size_t i = 0; i < w.size(); ++i)
                 x[i + 1].noalias() = x[i] * w[i];
               for (std::size_t i = w.size(); i-- > 0;) {
                 dw[i].noalias() = x[i].transpose() * x[i + 1];
                 if (i > 0 || inputs)
                   x[i].noalias() = x[i + 1] * w[i].transpose();
               }
             },
             seconds)
      .seconds;
}

// Floating-point operations a second of our product, in 10⁹.
double product_rate(double seconds) {
  constexpr rs::Index n = 1024;
  const rs::Matrix<float> a = rs::Matrix<float>::Random(n, n);
  const rs::Matrix<float> b = rs::Matrix<float>::Random(n, n);
  rs::Matrix<float> c(n, n);
  rs::GemmWorkspace<float> workspace;
  const auto time = timed(
      [&] { rs::gemm(n, n, n, rs::as_is(a.data(), n), rs::as_is(b.data(), n), c.data(), false, workspace); },
      seconds);
  return 2.0 * n * n * n / time.seconds / 1e9;
}

rs::Table adult_like(std::size_t rows) {
  std::vector<rs::Column> columns;
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int c = 0; c < 6; ++c) {
    columns.push_back(rs::Column::numerical("n" + std::to_string(c)));
    for (std::size_t r = 0; r < rows; ++r)
      columns.back().values.push_back(random.normal());
  }
  for (const std::uint32_t size : {9U, 16U, 7U, 15U, 6U, 5U, 2U, 42U}) {
    columns.push_back(rs::Column::categorical("c" + std::to_string(columns.size())));
    for (std::size_t r = 0; r < rows; ++r)
      columns.back().codes.push_back(
          columns.back().dictionary.insert(std::to_string(r < size ? r : random.below(size))));
  }
  return rs::Table(std::move(columns));
}

void say(const char* what, std::size_t batch, int threads, const Timing& time, double gemm_seconds = 0) {
  std::cout << "{\"what\":\"" << what << "\",\"batch\":" << batch << ",\"threads\":" << threads
            << ",\"us_per_step\":" << rs::json_number(time.seconds * 1e6)
            << ",\"rows_per_s\":" << rs::json_number(static_cast<double>(batch) / time.seconds)
            << ",\"allocations\":" << time.allocations;
  if (gemm_seconds > 0)
    std::cout << ",\"gemm_us\":" << rs::json_number(gemm_seconds * 1e6);
  std::cout << "}" << std::endl;
}

} // namespace

int main(int argc, char** argv) {
  std::vector<int> thread_counts{1, 2};
  std::vector<std::size_t> batches{128, 512, 2048};
  std::vector<std::string> whats{"ae_step", "gan_step", "row", "rows"};
  double seconds = 2;
  CLI::App app("Times training steps and generation on Adult-like shapes; prints one JSON object a line.");
  app.add_option("--threads", thread_counts, "Numbers of threads")->capture_default_str();
  app.add_option("--batches", batches, "Rows a step")->capture_default_str();
  app.add_option("--what", whats, "What to time")
      ->check(CLI::IsMember({"ae_step", "gan_step", "row", "rows", "product"}))
      ->capture_default_str();
  app.add_option("--seconds", seconds, "Time for each figure")
      ->check(CLI::Range(0.01, 600.0))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto wanted = [&](const char* what) {
    return std::find(whats.begin(), whats.end(), what) != whats.end();
  };

  if (wanted("product"))
    std::cout << "{\"what\":\"product\",\"batch\":1024,\"threads\":1,\"gflops\":"
              << rs::json_number(product_rate(seconds)) << "}" << std::endl;
  if (whats == std::vector<std::string>{"product"})
    return 0;
  const auto table = adult_like(8192);
  auto encoder = rs::TableEncoder::fit(table, {.numerical = rs::NumericalEncoding::standardised});
  const auto encoded = encoder.encode(table);
  rs::LatentRows latent(8192, 32);
  std::vector<float> codes(8192 * 32);
  rs::fill_uniform(rs::RandomStream(2, rs::Purpose::user), 0, codes.data(), 8192 * 32);
  for (std::size_t row = 0; row < latent.rows(); ++row)
    latent.set(row, codes.data() + 32 * row);
  std::vector<std::uint32_t> rows(8192);
  std::iota(rows.begin(), rows.end(), 0U);

  Eigen::setNbThreads(1); // of the bare products
  for (const int threads : thread_counts) {
    for (const auto batch : batches) {
      const std::span<const std::uint32_t> chosen(rows.data(), std::min(batch, rows.size()));
      const auto n = static_cast<rs::Index>(chosen.size());
      if (wanted("ae_step")) {
        rs::AutoencoderStage<Autoencoder> autoencoder(Autoencoder(encoder), encoded, {.batch = batch}, 1,
                                                      threads);
        const auto ae = timed([&] { autoencoder.step(chosen, 0, 1'000'000); }, seconds);
        say("ae_step", chosen.size(), threads, ae,
            products(n, {108, 256, 128, 32, 128, 256, 108}, false, seconds));
      }
      if (!wanted("gan_step"))
        continue;
      rs::GanOptions options;
      options.average_decay = 0;
      rs::GanStage<Generator, Discriminator> gan(latent, options, 1, threads);
      const auto step = timed(
          [&] {
            gan.discriminator_step(chosen, 1);
            for (int k = 0; k < 3; ++k)
              gan.generator_step(chosen, 1);
          },
          seconds);
      say("gan_step", chosen.size(), threads, step);
    }
    rs::TableModelParts parts;
    parts.encoder = encoder;
    const Autoencoder autoencoder(encoder);
    const auto weights = autoencoder.layout().initialise<float>(1);
    parts.encoder_network = autoencoder.encoder_network(weights.data());
    parts.decoder_network = autoencoder.decoder_network(weights.data());
    const Generator generator;
    parts.generator_network = generator.network(generator.layout().initialise<float>(2).data());
    parts.noise_width = 64;
    parts.latent_scale.assign(32, 1);
    parts.latent_offset.assign(32, 0);
    const rs::TableModel model(std::move(parts));
    std::uint64_t next = 0;
    if (threads == 1 && wanted("row"))
      say("row", 1, 1, timed([&] { model.sample(1, {.first_row = ++next, .threads = 1}); }, seconds));
    if (wanted("rows"))
      say("rows", 8192, threads,
          timed([&] { model.sample(8192, {.seed = ++next, .threads = threads}); }, seconds));
  }
  return 0;
}
