// SPDX-License-Identifier: MIT
// Rows' gradients, shortened, summed and drowned in noise: against each row by itself, and with planted
// faults.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/matmul.hpp>
#include <rowsmith/autodiff/ops/reduce.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/privacy/audit.hpp>
#include <rowsmith/privacy/ledger.hpp>
#include <rowsmith/train/learner.hpp>
#include <rowsmith/train/private_gradient.hpp>

#include "small_training.hpp"

namespace rs = rowsmith;
using rs::Index;

namespace {

using Private =
    rs::Autoencoder<rs::Dense<7>, rs::ReLU, rs::Latent<3>, rs::AutoregressiveHeads<6, std::ratio<0>>>;
constexpr std::array<std::uint32_t, 8> known_key{5, 4, 3, 2, 1, 0, 7, 6};

/// With a column that follows another.
rs::Table with_twin(const rs::Table& table) {
  auto columns = rs::Table(table).into_columns();
  auto twin = rs::Column::numerical("twin", {}, 1);
  for (std::size_t r = 0; r < table.rows(); ++r)
    twin.values.push_back(columns[2].values[r] / 3 + static_cast<double>(r % 7));
  columns.push_back(twin);
  return rs::Table(std::move(columns), table.schema().label());
}

/// Rows of all kinds of columns, as double-precision networks read them.
struct Rows {
  rs::Table table = with_twin(small::table(190)); // few enough for a linear path
  rs::TableEncoder encoder = rs::TableEncoder::fit(table, {.max_exact_values = 2, .bins = 6, .fine = 4});
  rs::EncodedTable encoded = encoder.encode(table);
  Private model{encoder, true, 1, {&encoded}};
  rs::AlignedBuffer<double> weights = model.initialise<double>(2);
  std::vector<std::int32_t> codes;
  Index count;

  explicit Rows(Index rows) : count(rows) {
    std::vector<std::uint32_t> chosen(static_cast<std::size_t>(rows));
    std::iota(chosen.begin(), chosen.end(), 0U);
    codes.resize(chosen.size() * encoded.code_columns());
    encoded.gather(chosen, model.code_offsets().data(), codes.data(), nullptr);
    for (auto& weight : weights) // far from where most units are idle
      weight += 0.3 * std::sin(static_cast<double>(&weight - weights.data()));
  }
  rs::MixedRows<double> rows(Index first, Index part) const {
    const auto columns = static_cast<Index>(encoded.code_columns());
    return {.rows = part, .code_columns = columns, .codes = codes.data() + first * columns};
  }
  rs::Variable<double> loss(const rs::BoundParameters<double>& parameters, Index first, Index part) const {
    rs::Pass pass{.training = true, .seed = 4, .step = 9, .first_row = static_cast<std::uint64_t>(first)};
    return model.loss(parameters, rows(first, part), pass, 1, 0.7);
  }
  std::vector<double> gradient(Index first, Index part, const double* factors = nullptr) const {
    std::vector<double> result(static_cast<std::size_t>(model.layout().size()));
    rs::Tape<double> tape;
    if (factors != nullptr)
      tape.weigh_rows(factors, part);
    tape.backward(loss({tape, weights.data(), result.data()}, first, part));
    return result;
  }
};

double length(const std::vector<double>& x) {
  return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

} // namespace

TEST_CASE("the lengths of rows' gradients are told without the gradients", "[privacy]") {
  const Rows rows(40);
  const auto& entries = rows.model.layout().entries();
  REQUIRE(std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.name == "heads.gain" && entry.block.columns > 2;
  }));
  std::vector<double> squares(40);
  std::vector<double> untouched(static_cast<std::size_t>(rows.model.layout().size()), 17);
  rs::Tape<double> tape;
  tape.audit_rows(squares.data(), rows.count);
  tape.backward(rows.loss({tape, rows.weights.data(), untouched.data()}, 0, rows.count));
  CHECK(std::all_of(untouched.begin(), untouched.end(), [](double x) { return x == 17; }));
  for (Index r = 0; r < rows.count; ++r) {
    const double alone = length(rows.gradient(r, 1));
    INFO("row " << r);
    CHECK(std::sqrt(squares[static_cast<std::size_t>(r)]) == Approx(alone).epsilon(1e-9));
    CHECK(alone > 0.1);
  }
}

TEST_CASE("the gradient of weighed rows is the sum of each row's, weighed", "[privacy]") {
  const Rows rows(25);
  std::vector<double> factors;
  for (Index r = 0; r < rows.count; ++r)
    factors.push_back(r % 5 == 0 ? 0 : 0.1 + 0.03 * static_cast<double>(r));
  std::vector<double> expected(static_cast<std::size_t>(rows.model.layout().size()));
  for (Index r = 0; r < rows.count; ++r) {
    const auto alone = rows.gradient(r, 1);
    for (std::size_t i = 0; i < alone.size(); ++i)
      expected[i] += factors[static_cast<std::size_t>(r)] * alone[i];
  }
  const auto found = rows.gradient(0, rows.count, factors.data());
  double off = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    off = std::max(off, std::abs(found[i] - expected[i]));
  CHECK(off < 1e-9 * length(expected));
}

TEST_CASE("what cannot tell how long rows' gradients are is refused", "[privacy]") {
  const std::vector<double> x(6, 1);
  const std::vector<double> w(4, 0.5);
  std::vector<double> gradient(4);
  std::vector<double> squares(3);
  rs::Tape<double> tape;
  const auto start = [&] {
    tape.rewind();
    tape.audit_rows(squares.data(), 3);
  };
  start();
  auto weight = tape.parameter(w.data(), gradient.data(), 2, 2);
  const auto inputs = [&] { return tape.constant(x.data(), 3, 2); };
  // Not known to be a sum over rows.
  CHECK_THROWS_WITH(tape.backward(rs::sum(rs::matmul(inputs(), weight))),
                    Catch::Contains("not known to be a sum over them"));
  // An operation that writes a gradient all the same.
  start();
  weight = tape.parameter(w.data(), gradient.data(), 2, 2);
  CHECK_THROWS_WITH(tape.backward(rs::gaussian_kl(rs::matmul(inputs(), weight), 1)),
                    Catch::Contains("cannot tell how long"));
  // A weight that is used twice.
  start();
  weight = tape.parameter(w.data(), gradient.data(), 2, 2);
  const std::vector<double> b(2, 0.1);
  const std::vector<double> c(2, 0.2);
  std::vector<double> others(4);
  const auto twice = rs::dense(rs::dense(inputs(), weight, tape.parameter(b.data(), others.data(), 1, 2)),
                               weight, tape.parameter(c.data(), others.data() + 2, 1, 2));
  CHECK_THROWS_WITH(tape.backward(rs::gaussian_kl(twice, 1)), Catch::Contains("used twice"));
  // Rows that are put together are others than those that are audited.
  start();
  CHECK_THROWS_AS(rs::gaussian_kl(tape.constant(x.data(), 1, 6), 1), rs::ShapeError);
  // Weighed rows under a loss that takes no weights.
  tape.rewind();
  tape.weigh_rows(x.data(), 3);
  weight = tape.parameter(w.data(), gradient.data(), 2, 2);
  CHECK_THROWS_WITH(tape.backward(rs::mean(rs::matmul(inputs(), weight))),
                    Catch::Contains("not known to be a sum over them"));
}

TEST_CASE("no row adds more than the bound to the sum, and noise of the promised size lies over it",
          "[privacy]") {
  const rs::NoiseSource source(known_key);
  constexpr std::size_t size = 6000;
  const std::vector<float> nothing(size);
  std::vector<float> row(size);
  row[17] =
      2 * (1 - static_cast<float>(rs::PrivateGradient(source, 2, 1, 50).slack())); // as long as a row may be
  std::vector<double> noise;
  for (int step = 0; step < 20; ++step) {
    // Two with one key draw the same noise: what differs is the row.
    rs::PrivateGradient without(source, 2, 1.5, 50);
    rs::PrivateGradient with(source, 2, 1.5, 50);
    for (int before = 0; before < step; ++before) {
      static_cast<void>(without.noisy(nothing, 1));
      static_cast<void>(with.noisy(nothing, 2));
    }
    const auto a = without.noisy(nothing, 1);
    const auto b = with.noisy(row, 2);
    double square = 0;
    for (std::size_t i = 0; i < size; ++i) {
      square += std::pow(static_cast<double>(b[i]) - static_cast<double>(a[i]), 2);
      noise.push_back(static_cast<double>(a[i]) * 50);
    }
    CHECK(std::sqrt(square) * 50 <= 2);
    CHECK(std::sqrt(square) * 50 > 1.9);
  }
  double mean = 0;
  double square = 0;
  for (const double x : noise) {
    mean += x;
    square += x * x;
  }
  const auto count = static_cast<double>(noise.size());
  CHECK(std::abs(mean / count) < 4 * 3 / std::sqrt(count));
  CHECK(std::sqrt(square / count) == Approx(3).epsilon(0.01)); // noise multiplier × clip norm
  // No two steps share their noise.
  CHECK_FALSE(std::equal(noise.begin(), noise.begin() + size, noise.begin() + size));
}

TEST_CASE("factors shorten long rows and leave short ones; what is not finite ends the training",
          "[privacy]") {
  const rs::NoiseSource source(known_key);
  rs::PrivateGradient gradient(source, 2, 1, 10);
  float* squares = gradient.start(4);
  squares[0] = 0;
  squares[1] = 1;
  squares[2] = 400;
  squares[3] = 4.0001F;
  gradient.squares_to_factors(4);
  const float* factors = squares;
  CHECK(factors[0] == 1);
  CHECK(factors[1] == 1);
  CHECK(factors[2] == Approx(0.0999).epsilon(1e-5));
  CHECK(factors[3] < 1);
  squares = gradient.start(1);
  squares[0] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(gradient.squares_to_factors(1), Catch::Contains("not finite"));
}

TEST_CASE("batches are drawn row by row, each by a chance of its own", "[privacy]") {
  // One epoch of a shuffled table would show each row once, and batches of one size: neither is so here.
  const rs::NoiseSource source(known_key);
  constexpr std::size_t rows = 999;
  constexpr double rate = 0.1;
  constexpr std::uint64_t steps = 400;
  rs::PoissonBatches batches(source, rows, rate);
  CHECK(batches.rate() >= rate);
  CHECK(batches.rate() < rate + 1e-9);
  std::vector<double> uses(rows);
  std::vector<double> sizes;
  std::size_t again = 0; // a row in two batches that follow each other
  std::vector<std::uint32_t> before;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const auto chosen = batches(step);
    CHECK(std::is_sorted(chosen.begin(), chosen.end()));
    sizes.push_back(static_cast<double>(chosen.size()));
    for (const auto row : chosen) {
      ++uses[row];
      again += std::binary_search(before.begin(), before.end(), row) ? 1 : 0;
    }
    before.assign(chosen.begin(), chosen.end());
  }
  const auto variance = [](const std::vector<double>& x, double mean) {
    double sum = 0;
    for (const double value : x)
      sum += (value - mean) * (value - mean);
    return sum / static_cast<double>(x.size());
  };
  const double n = static_cast<double>(rows);
  const double t = static_cast<double>(steps);
  CHECK(variance(sizes, n * rate) == Approx(n * rate * (1 - rate)).epsilon(0.25));
  CHECK(variance(uses, t * rate) == Approx(t * rate * (1 - rate)).epsilon(0.15));
  CHECK(static_cast<double>(again) == Approx(n * rate * rate * (t - 1)).epsilon(0.1));
  rs::PoissonBatches all(source, 40, 1);
  CHECK(all.rate() == 1);
  CHECK(all(3).size() == 40);
}

namespace {

struct Faults {
  bool no_noise = false;
  bool no_clipping = false;
};

/// The likelihood that a small training gives to a row which it saw or not: what an attacker looks at.
std::vector<double> canary_scores(bool planted, std::size_t models, const Faults& faults, double sigma,
                                  double rate, std::size_t steps) {
  // Most rows are alike; the canary is what no other is.
  auto a = rs::Column::categorical("a");
  auto b = rs::Column::categorical("b");
  for (int r = 0; r < 60; ++r) {
    a.codes.push_back(a.dictionary.insert(r % 2 == 0 ? "x" : "y"));
    b.codes.push_back(b.dictionary.insert(r % 2 == 0 ? "x" : "y"));
  }
  for (auto* column : {&a, &b})
    column->codes.push_back(column->dictionary.insert("canary"));
  const rs::Table table({a, b});
  const auto encoder = rs::TableEncoder::fit(table);
  const auto encoded = encoder.encode(table);
  const Private model(encoder, true);
  std::vector<float> zeros(3 * 64);
  std::vector<double> result;
  for (std::size_t m = 0; m < models; ++m) {
    // Keys that are known: an attack proves something by chance, which a test may not depend on.
    const rs::NoiseSource source({static_cast<std::uint32_t>(m), planted ? 1U : 0U, 3, 4, 5, 6, 7, 8});
    // Without clipping: a bound that nothing reaches, under the noise that the right one has.
    const double clip = faults.no_clipping ? 1e4 : 1;
    rs::PrivateGradient gradient(source, clip, (faults.no_noise ? 1e-3 : sigma) / clip, rate * 60);
    rs::Learner learner("canary", model.layout(), model.initialise<float>(1), 1,
                        {.method = rs::OptimiserMethod::sgd, .learning_rate = 0.5}, 0,
                        model.decoder_offset());
    rs::PoissonBatches batches(source, planted ? 61 : 60, rate);
    rs::DataParallel<float> parallel(1);
    rs::BatchBuffer buffer(encoded, model.code_offsets(), model.number_weights());
    const auto loss = [&](const rs::BoundParameters<float>& parameters, Index first, Index part) {
      return model.reconstruction_loss(parameters, parameters.tape().constant(zeros.data(), part, 3),
                                       buffer.rows(first, part), {.training = true, .seed = 1}, 40);
    };
    for (std::size_t step = 0; step < steps; ++step) {
      const auto chosen = batches(step);
      if (chosen.empty()) {
        learner.learn_nothing(1, gradient, 1);
        continue;
      }
      buffer.load(chosen);
      learner.learn_privately(parallel, static_cast<Index>(chosen.size()), 1, loss, gradient);
    }
    const std::vector<std::uint32_t> canary{60};
    buffer.load(canary);
    result.push_back(-learner.evaluate(parallel, 1, loss));
  }
  return result;
}

/// What the attack proves of a training that promises 1 at δ = 0.01.
double proven_epsilon(const Faults& faults) {
  constexpr double rate = 0.3;
  constexpr std::size_t steps = 25;
  const double sigma = rs::least_noise(1, 0.01, [](double noise) {
    rs::PrivacyLedger ledger;
    ledger.spendings = {{.what = "training",
                         .noise_multiplier = noise,
                         .sampling_rate = rate,
                         .count = static_cast<double>(steps)}};
    return ledger;
  });
  constexpr std::size_t models = 250;
  return rs::proven_epsilon(canary_scores(true, models, faults, sigma, rate, steps),
                            canary_scores(false, models, faults, sigma, rate, steps), 0.01, 0.999);
}

} // namespace

TEST_CASE("planted rows prove no more than is promised, and find a training that breaks its promise",
          "[privacy]") {
  CHECK(proven_epsilon({}) <= 1);
  CHECK(proven_epsilon({.no_noise = true}) > 1);
  CHECK(proven_epsilon({.no_clipping = true}) > 1);
}
