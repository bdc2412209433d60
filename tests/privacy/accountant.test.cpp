// SPDX-License-Identifier: MIT
// What mechanisms spend: against published values, closed forms and integration.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <rowsmith/privacy/ledger.hpp>

namespace rs = rowsmith;

namespace {

double renyi_epsilon(const rs::SubsampledGaussian& mechanism, double delta) {
  rs::PrivacyLedger ledger;
  ledger.spendings = {{.what = "all",
                       .noise_multiplier = mechanism.noise_multiplier,
                       .sampling_rate = mechanism.sampling_rate,
                       .count = mechanism.count}};
  return ledger.spent_by_renyi(delta);
}
double tight_epsilon(const rs::SubsampledGaussian& mechanism, double delta) {
  return rs::PrivacyCurve(std::vector{mechanism}).epsilon(delta);
}

/// δ of the Gaussian mechanism (Balle & Wang, "Improving the Gaussian mechanism for differential privacy",
/// ICML 2018, theorem 8).
double delta_of_gaussian(double sigma, double epsilon) {
  const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
  return phi(0.5 / sigma - epsilon * sigma) - std::exp(epsilon) * phi(-0.5 / sigma - epsilon * sigma);
}

} // namespace

TEST_CASE("the accountant gives the published values", "[privacy]") {
  // Rényi divergences, and privacy loss distributions.
  CHECK(renyi_epsilon({1.5, 0.04, 2250}, 1e-5) == Approx(7.32911117143).epsilon(1e-10));
  CHECK(renyi_epsilon({1.3, 0.0025, 6000}, 1e-5) == Approx(0.72422340261).epsilon(1e-10));
  CHECK(renyi_epsilon({1.0, 0.001, 30000}, 1e-7) == Approx(1.41549884954).epsilon(1e-10));
  CHECK(renyi_epsilon({0.7, 0.01, 120}, 1e-5) == Approx(3.2392676).epsilon(3e-5));
  CHECK(renyi_epsilon({4.530877117, 1, 1}, 1e-6) == Approx(1).epsilon(1e-6));
  CHECK(tight_epsilon({1.5, 0.04, 2250}, 1e-5) == Approx(6.7774).margin(0.01));
  CHECK(tight_epsilon({0.7, 0.01, 120}, 1e-5) == Approx(2.4612381).epsilon(1e-7));
  CHECK(tight_epsilon({0.5, 0.2, 3}, 0.15594) == Approx(1).epsilon(1e-4));
  CHECK(tight_epsilon({0.67379294682, 0.01, 1}, 1e-5) == Approx(1).epsilon(1e-6));
}

TEST_CASE("moments of fractional orders are those of an integration", "[privacy]") {
  for (const double sigma : {0.7, 1.5, 4.0})
    for (const double q : {0.001, 0.05, 0.6})
      for (const double alpha : {1.1, 2.5, 4.4, 7.7, 12.0}) {
        // Simpson's rule over what is not negligible.
        const double low = -12 * sigma;
        const double high = alpha + 12 * sigma;
        constexpr int steps = 40000;
        const double step = (high - low) / steps;
        double sum = 0;
        for (int i = 0; i <= steps; ++i) {
          const double x = low + i * step;
          const double value = -x * x / (2 * sigma * sigma) -
                               std::log(sigma * std::sqrt(2 * std::numbers::pi)) +
                               alpha * std::log((1 - q) + q * std::exp((2 * x - 1) / (2 * sigma * sigma)));
          sum += (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2) * std::exp(value) * step / 3;
        }
        INFO("sigma " << sigma << ", q " << q << ", alpha " << alpha);
        // Where little is told, the moment is 1 and its logarithm what rounding leaves of it.
        CHECK(rs::renyi_divergence({sigma, q}, alpha) * (alpha - 1) ==
              Approx(std::log(sum)).epsilon(1e-6).margin(1e-10));
      }
}

TEST_CASE("privacy loss of Gaussian mechanisms is their closed form, never less", "[privacy]") {
  for (const double sigma : {0.8, 2.0, 10.0})
    for (const double count : {1.0, 25.0, 1000.0}) {
      const rs::PrivacyCurve curve(std::vector{rs::SubsampledGaussian{sigma * std::sqrt(count), 1, count}});
      for (const double epsilon : {0.0, 0.3, 1.0, 3.0}) {
        const double exact = delta_of_gaussian(sigma, epsilon);
        INFO("sigma " << sigma << ", " << count << " times, epsilon " << epsilon);
        CHECK(curve.delta(epsilon) == Approx(exact).epsilon(2e-3).margin(1e-11));
        CHECK(curve.delta(epsilon) >= exact * (1 - 1e-7));
      }
    }
}

TEST_CASE("privacy loss adds up over different mechanisms", "[privacy]") {
  const std::vector<rs::SubsampledGaussian> both{{3, 1, 1}, {4, 1, 1}};
  // Two Gaussian mechanisms are one: 1 / 3² + 1 / 4² = 1 / 2.4².
  CHECK(rs::PrivacyCurve(both).delta(0.7) == Approx(delta_of_gaussian(2.4, 0.7)).epsilon(1e-5));
  // Choices that are private in themselves alone: basic composition where delta is 0.
  const std::vector<rs::PureMechanism> choices{{0.25, 4}};
  CHECK(rs::PrivacyCurve({}, choices).epsilon(1e-12) == Approx(1).epsilon(1e-3));
  // Randomised response with odds e^ε shows (e^ε − e^x) / (e^ε + 1) at any x below.
  const std::vector<rs::PureMechanism> one{{1.2, 1}};
  CHECK(rs::PrivacyCurve({}, one).delta(0.5) ==
        Approx((std::exp(1.2) - std::exp(0.5)) / (std::exp(1.2) + 1)).epsilon(1e-3));
  // More of anything is never less.
  const std::vector<rs::SubsampledGaussian> training{{1.2, 0.02, 500}};
  const double alone = rs::PrivacyCurve(training).epsilon(1e-6);
  CHECK(rs::PrivacyCurve(training, choices).epsilon(1e-6) > alone + 0.05);
}

TEST_CASE("an accountant refuses mechanisms that cannot be", "[privacy]") {
  const auto curve = [](double sigma, double q, double count) {
    return rs::PrivacyCurve(std::vector{rs::SubsampledGaussian{sigma, q, count}});
  };
  CHECK_THROWS_AS(curve(0, 0.1, 1), rs::OptionError);
  CHECK_THROWS_AS(curve(std::nan(""), 0.1, 1), rs::OptionError);
  CHECK_THROWS_AS(curve(1, 0, 1), rs::OptionError);
  CHECK_THROWS_AS(curve(1, 1.1, 1), rs::OptionError);
  CHECK_THROWS_AS(curve(1, 0.1, 0), rs::OptionError);
  CHECK_THROWS_AS(rs::PrivacyCurve({}, std::vector<rs::PureMechanism>{{0, 1}}), rs::OptionError);
}

TEST_CASE("the noise for a promise is the least that keeps it", "[privacy]") {
  const auto with = [](double sigma) {
    rs::PrivacyLedger ledger;
    ledger.spendings = {{.what = "counts", .noise_multiplier = 40, .count = 30},
                        {.kind = rs::PrivacySpending::Kind::threshold, .what = "names", .delta = 1e-7},
                        {.what = "training", .noise_multiplier = sigma, .sampling_rate = 0.05, .count = 800}};
    return ledger;
  };
  const double sigma = rs::least_noise(2, 1e-6, with);
  CHECK(with(sigma).spent(1e-6) <= 2);
  CHECK(with(sigma * 0.999).spent(1e-6) > 2);
  // The looser bound needs more.
  CHECK(with(sigma).spent_by_renyi(1e-6) > 2);
  CHECK_THROWS_AS(rs::least_noise(0.1, 1e-6, with), rs::OptionError); // the counts alone spend more
}

TEST_CASE("noise of which one release alone tells too much is refused without adding up", "[privacy]") {
  for (const double epsilon : {0.02, 0.5, 3.0, 20.0}) {
    const auto with = [epsilon](double sigma) {
      rs::PrivacyLedger ledger;
      ledger.epsilon = epsilon;
      ledger.spendings = {{.what = "counts", .noise_multiplier = sigma, .count = 3},
                          {.what = "pairs", .noise_multiplier = 2 * sigma, .count = 7}};
      return ledger;
    };
    CAPTURE(epsilon);
    const double sigma = rs::least_noise(epsilon, 1e-5, with);
    CHECK(with(sigma).spent(1e-5) <= epsilon);
    CHECK_FALSE(with(sigma).surely_spends_more(1e-5));
    // It knows the least noise as well as the sum does.
    CHECK(with(0.998 * sigma).surely_spends_more(1e-5));
    CHECK(with(0.998 * sigma).spent(1e-5) > epsilon);
    // What has a part of the rows only, or is no noise, says nothing.
    auto ledger = with(0.2);
    for (auto& spending : ledger.spendings)
      spending.sampling_rate = 0.5;
    CHECK_FALSE(ledger.surely_spends_more(1e-5));
    ledger.spendings = {{.kind = rs::PrivacySpending::Kind::pure, .what = "choices", .epsilon = 50}};
    CHECK_FALSE(ledger.surely_spends_more(1e-5));
  }
}

TEST_CASE("a ledger that does not add up is found", "[privacy]") {
  rs::PrivacyLedger ledger;
  ledger.epsilon = 1;
  ledger.delta = 1e-6;
  ledger.spendings = {{.what = "counts", .noise_multiplier = 10, .count = 4}};
  const double spent = ledger.spent(1e-6);
  REQUIRE(spent > 0.5);
  ledger.epsilon = spent;
  CHECK_NOTHROW(ledger.check());
  const auto changed = [&](auto change) {
    auto other = ledger;
    change(other);
    return other;
  };
  CHECK_THROWS_AS(changed([](auto& l) { l.epsilon *= 0.99; }).check(), rs::Error);
  CHECK_THROWS_AS(changed([](auto& l) { l.delta /= 2; }).check(), rs::Error);
  CHECK_THROWS_AS(changed([](auto& l) { l.spendings[0].count = 5; }).check(), rs::Error);
  CHECK_THROWS_AS(changed([](auto& l) { l.spendings[0].noise_multiplier = 9.9; }).check(), rs::Error);
  CHECK_THROWS_AS(changed([](auto& l) { l.spendings[0].noise_multiplier = 1e-9; }).check(), rs::Error);
  CHECK_THROWS_AS(changed([](auto& l) { l.epsilon = std::nan(""); }).check(), rs::Error);
  CHECK_THROWS_AS(changed([](auto& l) {
                    l.spendings.push_back(
                        {.kind = rs::PrivacySpending::Kind::threshold, .what = "n", .delta = 1e-6});
                  }).check(),
                  rs::Error);
  CHECK(ledger.statement().find("counts: Gaussian, noise 10, 4 times") != std::string::npos);
  CHECK(rs::PrivacyLedger().statement().find("No guarantee") == 0);
}
