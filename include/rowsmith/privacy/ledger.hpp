// SPDX-License-Identifier: MIT
/// \file
/// What a training spent of its privacy budget, and what it promises for that.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/utf8.hpp>
#include <rowsmith/privacy/privacy_loss.hpp>

ROWSMITH_BEGIN

/// One kind of look at the private rows.
struct PrivacySpending {
  enum class Kind {
    gaussian, ///< normal noise on a sum to which a row adds at most 1, of all rows or a random part of them
    pure,     ///< a choice, (epsilon, 0)-differentially private each time
    threshold ///< names that are told where a noisy count is high: with probability delta one that a single
              ///< row has is among them
  };
  Kind kind = Kind::gaussian;
  std::string what;            ///< for people
  double noise_multiplier = 0; ///< gaussian: σ in units of what a row adds at most; > 0
  double sampling_rate = 1;    ///< gaussian: (0, 1]
  double count = 1;            ///< how often; ≥ 1
  double epsilon = 0;          ///< pure: of each time; > 0
  double delta = 0;            ///< threshold: of all times together; (0, 1)
  /// What it told decided how much noise later spendings have: these two parts are added up as they are, ε to
  /// ε and δ to δ, which holds whatever was decided. Others are added up together, and tighter.
  bool decides = false;
};

/// All spendings of a training on one table, and what they come to.
///
/// What is promised: whatever anybody computes from the model, its rows among them, is (ε, δ)-differentially
/// private (Dwork, McSherry, Nissim & Smith, TCC 2006; Dwork et al., EUROCRYPT 2006) for tables that differ
/// by one row which is there or not.
struct PrivacyLedger {
  double epsilon = 0; ///< promised; 0: nothing is
  double delta = 0;   ///< of that promise; (0, 1)
  std::vector<PrivacySpending> spendings{};
  /// What was taken for known to everybody, and is not covered.
  std::vector<std::string> taken_as_public{};

  bool empty() const noexcept { return spendings.empty(); }

  /// The least ε for a δ that covers all spendings. Infinite if there is none. \param coarseness
  /// of the grid: times as coarse as it is otherwise, which tells no less \throws OptionError for spendings
  /// that cannot be
  double spent(double delta_in_all, double coarseness = 1) const {
    const double step = coarseness * (epsilon > 0 ? std::min(2e-4, epsilon / 1000) : 2e-4);
    const bool in_parts = std::any_of(spendings.begin(), spendings.end(),
                                      [](const auto& spending) { return spending.decides; });
    return spent_on(false, (in_parts ? 1 - deciding_share : 1) * delta_in_all, step) +
           (in_parts ? spent_on(true, deciding_share * delta_in_all, step) : 0);
  }
  /// Of δ, what spendings have for themselves that decide over later ones.
  static constexpr double deciding_share = 0.02;
  /// Whether more than (epsilon, delta) is spent for certain: by releases with Gaussian noise of all rows
  /// alone, which together are one release with less noise, of which the δ is known (Balle and Wang,
  /// "Improving the Gaussian mechanism for differential privacy", ICML 2018, theorem 8). Takes no time; false
  /// says nothing.
  bool surely_spends_more(double delta_in_all) const {
    for (const bool deciding : {false, true}) {
      double precision = 0;
      for (const auto& spending : spendings)
        if (spending.kind == PrivacySpending::Kind::gaussian && spending.decides == deciding &&
            spending.sampling_rate == 1)
          precision += spending.count / (spending.noise_multiplier * spending.noise_multiplier);
      const double near = std::sqrt(precision) / 2;
      const double far = precision > 0 ? epsilon / std::sqrt(precision) : 0;
      const auto below = [](double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; };
      constexpr double rounding = 1e-15;
      if (precision > 0 && epsilon < 700 &&
          below(near - far) - std::exp(epsilon) * below(-near - far) > delta_in_all * (1 + 1e-6) + rounding)
        return true;
    }
    return false;
  }
  /// The bound by Rényi divergences: looser, for comparison; of Gaussian spendings alone.
  double spent_by_renyi(double delta_in_all) const {
    double best = std::numeric_limits<double>::infinity();
    for (const double order : renyi_orders()) {
      double divergence = 0;
      for (const auto& spending : spendings)
        if (spending.kind == PrivacySpending::Kind::gaussian)
          divergence +=
              spending.count * renyi_divergence({spending.noise_multiplier, spending.sampling_rate}, order);
      best = std::min(best, epsilon_of_renyi(divergence, order, delta_in_all));
    }
    return best;
  }
  /// \throws Error unless the promise is what the spendings come to, or more
  void check() const {
    if (empty())
      return;
    if (!(epsilon > 0) || !(delta > 0) || !(delta < 1) || std::isinf(epsilon))
      throw Error("privacy: a promise of epsilon " + json_number(epsilon) + " and delta " +
                  json_number(delta));
    // A ledger may come from a file: what takes long to add up is refused.
    if (spendings.size() > 16)
      throw Error("privacy: a ledger of more than 16 kinds of spendings");
    for (const auto& spending : spendings)
      if ((spending.kind == PrivacySpending::Kind::gaussian && !(spending.noise_multiplier >= 0.1)) ||
          (spending.kind == PrivacySpending::Kind::pure && !(spending.epsilon <= 100)))
        throw Error("privacy: '" + spending.what + "' tells nearly all");
    const double found = spent(delta);
    if (!(found <= epsilon * (1 + 1e-6)))
      throw Error("privacy: the ledger promises epsilon = " + json_number(epsilon) +
                  " at delta = " + json_number(delta) + ", but its spendings come to " + json_number(found));
  }

  /// The promise in words: what it covers, what not, and every spending.
  std::string statement() const {
    std::ostringstream text;
    if (empty()) {
      text << "No guarantee: this model was trained without differential privacy.\n";
      return text.str();
    }
    text << "This model is (" << epsilon << ", " << delta
         << ")-differentially private: whether one row was in "
         << "the table or not changes the probability of anything that is computed from the model, its rows "
            "among "
            "them, by a factor of at most e^"
         << epsilon << ", but for an event of probability " << delta << ".\n"
         << "Neighbouring tables differ by one row, there or not. One row is one person: of k rows, epsilon "
            "is k "
            "times as much, and delta k e^((k - 1) epsilon) times.\n"
         << "Not covered:";
    for (const auto& fact : taken_as_public)
      text << "\n  - " << readable_utf8(fact) << ';';
    text << "\n  - what is seen of the table in other ways: reports, scores of its rows, figures shown while "
            "training.\n"
         << "Spent:\n";
    for (const auto& spending : spendings) {
      text << "  - " << readable_utf8(spending.what) << ": ";
      switch (spending.kind) {
      case PrivacySpending::Kind::gaussian:
        text << "Gaussian, noise " << spending.noise_multiplier;
        if (spending.sampling_rate < 1)
          text << ", each row with probability " << spending.sampling_rate;
        text << ", " << spending.count << (spending.count == 1 ? " time\n" : " times\n");
        break;
      case PrivacySpending::Kind::pure:
        text << "epsilon " << spending.epsilon << ", " << spending.count << " times\n";
        break;
      case PrivacySpending::Kind::threshold:
        text << "delta " << spending.delta << '\n';
      }
    }
    return text.str();
  }

private:
  double spent_on(bool deciding, double delta_in_all, double step) const {
    std::vector<SubsampledGaussian> gaussian;
    std::vector<PureMechanism> pure;
    double thresholds = 0;
    for (const auto& spending : spendings) {
      if (spending.decides != deciding)
        continue;
      switch (spending.kind) {
      case PrivacySpending::Kind::gaussian:
        gaussian.push_back({spending.noise_multiplier, spending.sampling_rate, spending.count});
        break;
      case PrivacySpending::Kind::pure:
        pure.push_back({spending.epsilon, spending.count});
        break;
      case PrivacySpending::Kind::threshold:
        if (!(spending.delta > 0) || !(spending.delta < 1))
          throw OptionError("privacy: a threshold with a delta of " + std::to_string(spending.delta));
        thresholds += spending.delta;
      }
    }
    if (gaussian.empty() && pure.empty())
      return thresholds <= delta_in_all ? 0 : std::numeric_limits<double>::infinity();
    if (!(thresholds < delta_in_all))
      return std::numeric_limits<double>::infinity();
    return PrivacyCurve(gaussian, pure, step).epsilon(delta_in_all - thresholds);
  }

public:
  /// ε of a Rényi divergence (Canonne, Kamath & Steinke, "The discrete Gaussian for differential privacy",
  /// NeurIPS 2020, proposition 12).
  static double epsilon_of_renyi(double divergence, double order, double delta) noexcept {
    return std::max(0.0,
                    divergence + std::log1p(-1 / order) - (std::log(delta) + std::log(order)) / (order - 1));
  }
};

/// The least noise multiplier σ for which a ledger comes to at most `epsilon` at `delta`. \param with_noise
/// (σ) -> the ledger \throws OptionError if none does
template <class WithNoise>
double least_noise(double epsilon, double delta, const WithNoise& with_noise) {
  const auto enough = [&](double sigma, double coarseness) {
    PrivacyLedger ledger = with_noise(sigma);
    ledger.epsilon = epsilon; // says how fine the grid has to be
    return !ledger.surely_spends_more(delta) && ledger.spent(delta, coarseness) <= epsilon;
  };
  // On a coarse grid, which never says less than a fine one does, then on that.
  constexpr double coarse = 5;
  double low = 0.1; // a ledger of less is refused
  double high = 0.5;
  while (!enough(high, coarse)) {
    low = high;
    high *= 2;
    if (high > 1e6)
      throw OptionError("privacy: no noise keeps epsilon = " + json_number(epsilon) +
                        " at delta = " + json_number(delta));
  }
  for (const double coarseness : {coarse, 1.0}) {
    const double exact = coarseness > 1 ? 1e-3 : 1e-4;
    while (high - low > exact * high) {
      const double middle = (low + high) / 2;
      (enough(middle, coarseness) ? high : low) = middle;
    }
    if (coarseness > 1)
      low = std::max(0.1, low - 0.02 * high);
  }
  return high;
}

ROWSMITH_END
