// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/nn/optimiser.hpp>
#include <rowsmith/nn/sequential.hpp>

#include "../autodiff/torch_figures.hpp"

namespace rs = rowsmith;

namespace {
// Adam as the paper writes it (Kingma & Ba, algorithm 1), in double, one element at a time.
std::vector<double> adam_by_the_paper(std::vector<double> x, double rate, int steps) {
  std::vector<double> m(x.size());
  std::vector<double> v(x.size());
  for (int t = 1; t <= steps; ++t)
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double g = 2 * x[i] - static_cast<double>(i);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      x[i] -= rate * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
  return x;
}
} // namespace

TEST_CASE("Adam follows its paper", "[nn]") {
  std::vector<double> x{1, -2, 3, 0.5, 9};
  const auto expected = adam_by_the_paper(x, 0.05, 40);
  rs::Optimiser<double> optimiser({.learning_rate = 0.05}, 5);
  std::vector<double> g(5);
  for (int t = 0; t < 40; ++t) {
    for (std::size_t i = 0; i < 5; ++i)
      g[i] = 2 * x[i] - static_cast<double>(i);
    optimiser.step(x, g, 1, 1);
  }
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(x[i] == Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("AdamW shrinks weights apart from the gradient, SGD adds the decay to it", "[nn]") {
  std::vector<double> x{2};
  std::vector<double> g{0};
  rs::Optimiser<double> adamw(
      {.method = rs::OptimiserMethod::adamw, .learning_rate = 0.1, .weight_decay = 0.5}, 1);
  adamw.step(x, g, 1, 1);
  CHECK(x[0] == Approx(2 * (1 - 0.1 * 0.5)));
  x[0] = 2;
  rs::Optimiser<double> sgd(
      {.method = rs::OptimiserMethod::sgd, .learning_rate = 0.1, .beta1 = 0, .weight_decay = 0.5}, 1);
  sgd.step(x, g, 1, 1);
  CHECK(x[0] == Approx(2 - 0.1 * 0.5 * 2));
  g[0] = 1;
  x[0] = 0;
  rs::Optimiser<double> momentum({.method = rs::OptimiserMethod::sgd, .learning_rate = 1, .beta1 = 0.5}, 1);
  momentum.step(x, g, 1, 1);
  momentum.step(x, g, 1, 1);
  CHECK(x[0] == Approx(-(1 + 1.5)));
}

TEST_CASE("a long gradient is shortened, a short one is not", "[nn]") {
  const auto step = [](double clip_norm, std::vector<double> g) {
    std::vector<double> x(g.size(), 0.0);
    rs::Optimiser<double> sgd(
        {.method = rs::OptimiserMethod::sgd, .learning_rate = 1, .beta1 = 0, .clip_norm = clip_norm},
        static_cast<rs::Index>(g.size()));
    sgd.step(x, g, 1, 1);
    return x;
  };
  const auto clipped = step(1, {3, 0, -4});
  CHECK(clipped[0] == Approx(-0.6));
  CHECK(clipped[1] == 0);
  CHECK(clipped[2] == Approx(0.8));
  CHECK(step(5.5, {3, 0, -4}) == std::vector<double>{-3, 0, 4});
  CHECK(step(0, {3e9, 0, -4e9}) == std::vector<double>{-3e9, 0, 4e9});
  CHECK(step(1, {0, 0, 0}) == std::vector<double>{0, 0, 0});

  SECTION("the length is that of all weights together, and Adam's moments are of the shortened gradient") {
    constexpr std::size_t n = 20'003;
    std::vector<double> long_gradient(n);
    double square = 0;
    for (std::size_t i = 0; i < n; ++i) {
      long_gradient[i] = std::sin(static_cast<double>(i));
      square += long_gradient[i] * long_gradient[i];
    }
    for (const int threads : {1, 3}) {
      std::vector<double> x(n);
      rs::Optimiser<double> adam({.clip_norm = 2}, static_cast<rs::Index>(n));
      adam.step(x, long_gradient, 1, threads);
      for (const std::size_t i : {std::size_t{1}, std::size_t{9000}, n - 1})
        CHECK(adam.first_moment()[i] == Approx(0.1 * long_gradient[i] * 2 / std::sqrt(square)));
    }
  }
}

TEST_CASE("ranges of weights decay at rates of their own", "[nn]") {
  // Runs that end within a register and within a thread's share, of a vector that begins in the middle of
  // one.
  constexpr rs::Index n = 20'000;
  constexpr rs::Index first = 100;
  const std::vector<rs::DecayRange> ranges{{90, 17, 0}, {107, 5, 3}, {9000, 30, 100}, {n + 95, 50, 0}};
  const auto factor = [&ranges](rs::Index i) {
    for (const auto& range : ranges)
      if (first + i >= range.first && first + i < range.first + range.count)
        return range.factor;
    return 1.0;
  };
  const double rate = 0.01;
  const double decay = 0.2;
  SECTION("AdamW: apart from the gradient, step after step") {
    std::vector<double> x(n, 2.0);
    const std::vector<double> g(n);
    rs::Optimiser<double> adamw(
        {.method = rs::OptimiserMethod::adamw, .learning_rate = rate, .weight_decay = decay}, n, ranges,
        first);
    adamw.step(x, g, 1, 2);
    adamw.step(x, g, 0.5, 3);
    std::size_t wrong = 0;
    for (rs::Index i = 0; i < n; ++i) {
      const double expected = 2 * (1 - rate * decay * factor(i)) * (1 - 0.5 * rate * decay * factor(i));
      wrong += std::abs(x[static_cast<std::size_t>(i)] - expected) < 1e-12 ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(x[0] == 2);
    CHECK(x[6] == 2);
    CHECK(x[7] < x[12]);
    CHECK(x[8900] == Approx(2 * 0.8 * 0.9));
    CHECK(x[n - 6] < 2);
    CHECK(x[n - 5] == 2);
  }
  SECTION("SGD: added to the gradient") {
    std::vector<double> x(n, 2.0);
    const std::vector<double> g(n, 1.0);
    rs::Optimiser<double> sgd(
        {.method = rs::OptimiserMethod::sgd, .learning_rate = rate, .beta1 = 0, .weight_decay = decay}, n,
        ranges, first);
    sgd.step(x, g, 1, 2);
    std::size_t wrong = 0;
    for (rs::Index i = 0; i < n; ++i) {
      const double expected = 2 - rate * (1 + decay * factor(i) * 2);
      wrong += std::abs(x[static_cast<std::size_t>(i)] - expected) < 1e-12 ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
  SECTION("no weight decays beyond zero") {
    std::vector<double> x(2, 2.0);
    const std::vector<double> g(2);
    const std::vector<rs::DecayRange> fast{{1, 1, 100}};
    rs::Optimiser<double> adamw(
        {.method = rs::OptimiserMethod::adamw, .learning_rate = 0.1, .weight_decay = 0.5}, 2, fast);
    adamw.step(x, g, 1, 1);
    CHECK(x[0] == Approx(1.9));
    CHECK(x[1] == 0);
  }
}

TEST_CASE("a layout tells which of its weights decay otherwise", "[nn]") {
  rs::ParameterLayout layout;
  const auto a = layout.add("a", 3, 5, rs::Initialiser::ones);
  const auto b = layout.add("b", 4, 7, rs::Initialiser::ones);
  layout.add("c", 2, 2, rs::Initialiser::ones);
  layout.decay(a, 0);
  layout.decay(b, 100, 1, 2);
  layout.decay(b, 7, 3, 0);
  std::vector<float> x(static_cast<std::size_t>(layout.size()), 1.0F);
  const std::vector<float> g(x.size());
  rs::Optimiser<float> adamw(
      {.method = rs::OptimiserMethod::adamw, .learning_rate = 0.01, .weight_decay = 0.5}, layout.size(),
      layout.decay());
  adamw.step(x, g, 1, 1);
  const auto at = [&x](const rs::ParameterBlock& block, rs::Index row, rs::Index column) {
    return x[static_cast<std::size_t>(block.offset + row * block.columns + column)];
  };
  CHECK(at(a, 0, 0) == 1);
  CHECK(at(a, 2, 4) == 1);
  CHECK(at(b, 0, 6) == Approx(0.995F));
  CHECK(at(b, 1, 0) == Approx(0.5F));
  CHECK(at(b, 2, 6) == Approx(0.5F));
  CHECK(at(b, 3, 0) == Approx(0.995F));
  CHECK(x.back() == Approx(0.995F));
}

TEST_CASE("gradients of shards are summed in the same order for any number of threads", "[nn][threads]") {
  constexpr std::size_t n = 20'000;
  std::vector<float> reference;
  for (const int threads : {1, 2, 3, 8}) {
    rs::ShardGradients<float> gradients(static_cast<rs::Index>(n));
    gradients.set_shards(5);
    for (std::size_t s = 0; s < 5; ++s)
      for (std::size_t i = 0; i < n; ++i)
        gradients[s][i] = std::sin(static_cast<float>(i * (s + 1)));
    const auto sum = rs::TreeSum{}(gradients, 3, threads);
    REQUIRE(sum.size() == n - 3);
    double expected = 0;
    for (std::size_t s = 0; s < 5; ++s)
      expected += std::sin(static_cast<double>(static_cast<float>(7 * (s + 1))));
    CHECK(static_cast<double>(sum[4]) == Approx(expected).epsilon(1e-5));
    CHECK(gradients[0][2] == std::sin(2.0F)); // before the first parameter asked for
    if (reference.empty())
      reference.assign(sum.begin(), sum.end());
    CHECK(std::memcmp(reference.data(), sum.data(), sum.size_bytes()) == 0);
  }
}

TEST_CASE("a step keeps as many threads busy as it has shards", "[nn]") {
  // The autoencoder's default batch, the pairs of rows in a discriminator's, and one for eight threads.
  for (const auto& [rows, shards] :
       {std::pair<rs::Index, int>{512, 4}, {256, 2}, {1024, 8}, {8192, 8}, {60, 1}}) {
    CHECK(rs::DataParallel<float>::shards(rows) == shards);
    for (const int threads : {1, 2, 4, 8}) {
      rs::DataParallel<float> parallel(threads);
      const int wanted = std::min(threads, shards);
      std::atomic<int> inside{0};
      std::atomic<int> most{0};
      parallel.run(rows, nullptr, [&](rs::Tape<float>& tape, float*, rs::Index, rs::Index) {
        ++inside;
        // Waits for the others, so that each thread has a shard to itself.
        const auto start = std::chrono::steady_clock::now();
        do {
          most = std::max(most.load(), inside.load());
          std::this_thread::yield();
        } while (most < wanted && std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
        --inside;
        return tape.constant(rs::Matrix<float>::Zero(1, 1));
      });
#ifdef _OPENMP
      CHECK(most == wanted);
#endif
    }
  }
}

TEST_CASE("options out of range are refused by name", "[nn]") {
  CHECK_THROWS_WITH(rs::OptimiserOptions{.learning_rate = 0}.check("gan.optimiser"),
                    Catch::Contains("gan.optimiser.learning_rate"));
  CHECK_THROWS_AS(rs::OptimiserOptions{.beta1 = 1}.check("x"), rs::OptionError);
  CHECK_THROWS_WITH(rs::OptimiserOptions{.clip_norm = -1}.check("x"), Catch::Contains("x.clip_norm"));
  CHECK_THROWS_AS(rs::OptimiserOptions{.learning_rate = std::nan("")}.check("x"), rs::OptionError);
}

TEST_CASE("schedules start, warm up and end where they should", "[nn]") {
  using Kind = rs::LearningRateSchedule::Kind;
  const rs::LearningRateSchedule cosine{Kind::cosine, 10};
  CHECK(cosine(0, 110) == Approx(0.1));
  CHECK(cosine(9, 110) == Approx(1));
  CHECK(cosine(10, 110) == Approx(1));
  CHECK(cosine(60, 110) == Approx(0.5));
  CHECK(cosine(110, 110) == Approx(0).margin(1e-12));
  const rs::LearningRateSchedule half{Kind::linear_second_half};
  CHECK(half(49, 100) == 1);
  CHECK(half(75, 100) == Approx(0.5));
  CHECK(rs::LearningRateSchedule{}(5, 10) == 1);
}

TEST_CASE("the moving average follows a constant and lags a jump", "[nn]") {
  std::vector<float> w{0};
  rs::WeightAverage<float> average(0.9, w);
  for (int i = 0; i < 200; ++i)
    average.update(w);
  w[0] = 1;
  average.update(w);
  CHECK(average.values()[0] == Approx(0.1F));
  for (int i = 0; i < 200; ++i)
    average.update(w);
  CHECK(average.values()[0] == Approx(1.0F).epsilon(1e-4));
}

TEST_CASE("a batch's gradients have the same bits on any number of threads", "[nn][threads]") {
  rs::Sequential<rs::Dense<16>, rs::ReLU, rs::Dropout, rs::Dense<1>> net;
  rs::ParameterLayout layout;
  net.configure(6, layout, "net");
  const rs::Matrix<float> x = rs::Matrix<float>::Random(1000, 6);
  const rs::Matrix<float> y = x.col(0).cwiseProduct(x.col(1));
  std::vector<float> reference;
  double first_loss = 0;
  double last_loss = 0;
  for (const int threads : {1, 2, 3, 8}) {
    auto values = layout.initialise<float>(1);
    rs::Optimiser<float> optimiser({.learning_rate = 1e-2}, layout.size());
    rs::DataParallel<float> parallel(threads);
    rs::ShardGradients<float> of_shards(layout.size());
    for (std::uint32_t step = 0; step < 60; ++step) {
      const double loss = parallel.run(
          1000, &of_shards, [&](rs::Tape<float>& tape, float* gradients, rs::Index first, rs::Index rows) {
            const rs::BoundParameters<float> parameters(tape, values.data(), gradients);
            const rs::Pass pass{
                .training = true, .seed = 5, .step = step, .first_row = static_cast<std::uint64_t>(first)};
            return rs::squared_error(
                net.forward(parameters, tape.constant(x.data() + first * 6, rows, 6), pass), y.data() + first,
                1.0 / 1000);
          });
      optimiser.step(values, parallel.sum(of_shards), 1, threads);
      (step == 0 ? first_loss : last_loss) = loss;
    }
    CHECK(last_loss < 0.5 * first_loss);
    if (reference.empty())
      reference.assign(values.begin(), values.end());
    CHECK(std::memcmp(reference.data(), values.data(), reference.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("Adam and AdamW take PyTorch's steps", "[nn]") {
  // tests/autodiff/torch_figures.py: 20 steps on the sum of cosh(x_i - i / 2), whose gradient is sinh(x_i - i
  // / 2).
  namespace figures = torch_figures::optimisers;
  const bool decoupled = GENERATE(false, true);
  const double* expected = decoupled ? figures::adamw : figures::adam;
  std::vector<double> x(std::begin(figures::start), std::end(figures::start));
  std::vector<double> g(x.size());
  rs::Optimiser<double> optimiser(
      {.method = decoupled ? rs::OptimiserMethod::adamw : rs::OptimiserMethod::adam,
       .learning_rate = 0.05,
       .weight_decay = decoupled ? 0.1 : 0},
      static_cast<rs::Index>(x.size()));
  for (std::size_t step = 0; step < 20; ++step) {
    for (std::size_t i = 0; i < x.size(); ++i)
      g[i] = std::sinh(x[i] - static_cast<double>(i) / 2);
    optimiser.step(x, g, 1, 1);
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(x[i] == Approx(expected[step * x.size() + i]).epsilon(1e-10));
  }
}
