// SPDX-License-Identifier: MIT
/// \file
/// What an attacker learns from a synthetic table: was a person's row among the training rows, and what is in
/// it that the attacker did not know?
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/evaluate/privacy.hpp>
#include <rowsmith/evaluate/resample.hpp>
#include <rowsmith/evaluate/result_text.hpp>
#include <rowsmith/evaluate/row_distance.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct MembershipOptions {
  std::size_t max_rows = 50'000; ///< synthetic rows the attacker looks at; more are sampled; ≥ 2
  std::size_t replicates = 20;   ///< of the bootstrap behind each standard deviation; [0, 10000]
  std::uint64_t seed = 0;
  GradientBoostingOptions boosted{.rounds = 50}; ///< of the classifier behind one of the attacks
  int threads = 0;                               ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    detail::check_count("membership.max_rows", max_rows, 2);
    detail::check_count("membership.replicates", replicates, 0, 10'000);
  }
};

/// How well one score tells training rows from rows that no model has seen.
struct MembershipAttack {
  std::string name;
  Estimate auc;       ///< 0.5 is ideal
  Estimate tpr_at_1;  ///< share of the members found at 1 % false alarms; 0.01 is ideal
  Estimate tpr_at_01; ///< the same at 0.1 %; 0.001 is ideal
  double p_value = 1; ///< of the strongest of the three figures without a leak, times three (Bonferroni)
};

/// A membership-inference attack by density ratio, as DOMIAS (van Breugel et al., AISTATS 2023): where the
/// synthetic table is denser than the population, training rows are likely. Half of the hold-out rows are the
/// attacker's knowledge of the population, the other half are non-members to be told from as many training
/// rows.
struct MembershipResult {
  /// By the distances to the closest reference and synthetic row (which finds copies), and by a classifier of
  /// synthetic against reference rows (which finds regions learnt by heart).
  std::vector<MembershipAttack> attacks;
  std::size_t strongest = 0; ///< the attack with the smallest p-value
  std::size_t members = 0;   ///< and as many non-members
  std::size_t reference = 0; ///< rows the attacker knows of the population
  std::size_t synthetic_rows = 0;
};

struct AttributeOptions {
  std::vector<std::string> secrets{}; ///< columns to guess, each from all others; empty: every column
  std::size_t max_persons = 4000;     ///< training and hold-out rows each that are attacked; ≥ 2
  std::size_t max_rows = 50'000;      ///< synthetic rows the attacker looks at; more are sampled; ≥ 2
  double tolerance = 0.025;           ///< a number is guessed if it is off by no more of its range; [0, 1]
  std::uint64_t seed = 0;
  int threads = 0;             ///< 0: all; never changes the result
  ProgressCallback progress{}; ///< told after each secret

  /// \throws OptionError
  void check() const {
    detail::check_count("attribute.max_persons", max_persons, 2);
    detail::check_count("attribute.max_rows", max_rows, 2);
    if (!(tolerance >= 0 && tolerance <= 1))
      throw OptionError("attribute.tolerance = " + std::to_string(tolerance) + ": expected 0 to 1");
  }
};

/// One column guessed from all others.
struct AttributeRisk {
  std::string secret;
  double guessed = 0;  ///< share of the training rows whose value the closest synthetic row gives
  double baseline = 0; ///< the same of hold-out rows, which nothing can have leaked about
  Estimate advantage;  ///< guessed − baseline; 0 is ideal
};

/// Attribute inference by the closest synthetic row in the columns that the attacker knows, against rows that
/// the model never saw (Giomi et al., "A unified framework for quantifying privacy risk in synthetic data",
/// PoPETs 2023): what is true of people in general is no leak about one of them.
struct AttributeResult {
  std::vector<AttributeRisk> risks; ///< largest advantage first
  Estimate mean;                    ///< advantage over all secrets
  double p_value = 1; ///< of the most significant advantage without a leak, times the secrets (Bonferroni)
  std::size_t persons = 0; ///< of each kind
  std::size_t synthetic_rows = 0;
};

namespace detail {

/// The figures of one attack; replicate 0 of the bootstrap is the sample itself.
inline MembershipAttack judge_attack(std::string name, const std::vector<double>& member_scores,
                                     const std::vector<double>& other_scores,
                                     const MembershipOptions& options) {
  const std::size_t n = member_scores.size();
  std::vector<double> figures[3];
  for (std::size_t replicate = 0; replicate <= options.replicates; ++replicate) {
    const auto member_weights = bootstrap_weights(n, replicate, options.seed, attack_members);
    const auto other_weights = bootstrap_weights(n, replicate, options.seed, attack_holdout);
    std::vector<double> scores;
    std::vector<std::uint8_t> positive;
    for (std::size_t i = 0; i < n; ++i) {
      scores.insert(scores.end(), member_weights[i], member_scores[i]);
      positive.insert(positive.end(), member_weights[i], std::uint8_t{1});
      scores.insert(scores.end(), other_weights[i], other_scores[i]);
      positive.insert(positive.end(), other_weights[i], std::uint8_t{0});
    }
    figures[0].push_back(roc_auc(scores, positive));
    const auto curve = roc_curve(scores, positive);
    figures[1].push_back(true_positive_rate_at(curve, 0.01));
    figures[2].push_back(true_positive_rate_at(curve, 0.001));
  }
  MembershipAttack attack;
  attack.name = std::move(name);
  attack.auc = bootstrap_estimate(figures[0]);
  attack.tpr_at_1 = bootstrap_estimate(figures[1]);
  attack.tpr_at_01 = bootstrap_estimate(figures[2]);
  const auto rows = static_cast<double>(n);
  double least = normal_tail((attack.auc.value - 0.5) / std::sqrt((2 * rows + 1) / (12 * rows * rows)));
  for (const auto& [rate, found] :
       {std::pair{0.01, attack.tpr_at_1.value}, std::pair{0.001, attack.tpr_at_01.value}}) {
    // Without a leak each row of the highest scores is a member with the chance of one half; this many
    // members came before one false alarm too many.
    const auto alarms = static_cast<std::size_t>(rate * rows);
    const auto hits = static_cast<std::size_t>(std::llround(found * rows));
    least = std::min(least, fair_coin_tail(hits, hits + alarms));
  }
  attack.p_value = std::min(1.0, 3 * least);
  return attack;
}

} // namespace detail

/// \throws SchemaError if the tables' columns differ, ShapeError for an empty table or fewer than 4 hold-out
/// rows, OptionError
inline MembershipResult membership_inference(const Table& train, const Table& holdout, const Table& synthetic,
                                             const MembershipOptions& options = {}) {
  options.check();
  detail::check_rows("membership_inference", train, holdout, synthetic);
  if (holdout.rows() < 4)
    throw ShapeError("membership_inference: " + std::to_string(holdout.rows()) +
                     " hold-out rows, expected 4 or more");
  MembershipResult result;
  auto holdout_rows = detail::row_range(0, holdout.rows());
  RandomSequence random(RandomStream(options.seed, Purpose::evaluate, detail::attack_holdout));
  shuffle(std::span<std::uint32_t>(holdout_rows), random);
  const std::size_t n = std::min(holdout.rows() / 2, train.rows());
  const auto others = std::span<const std::uint32_t>(holdout_rows).first(n);
  const auto reference = std::span<const std::uint32_t>(holdout_rows).subspan(n);
  const auto members = detail::sample_rows(train.rows(), n, options.seed, detail::attack_members);
  const auto made =
      detail::sample_rows(synthetic.rows(), options.max_rows, options.seed, detail::attack_synthetic);
  result.members = n;
  result.reference = reference.size();
  result.synthetic_rows = made.size();

  // log(distance to the population / distance to the synthetic table): a k-nearest-neighbour density ratio
  const DistanceSpace space(train, {&holdout, &synthetic});
  const auto population = space.rows(holdout, reference);
  const auto copies = space.rows(synthetic, made);
  const auto by_distance = [&](const Table& table, std::span<const std::uint32_t> rows) {
    const auto queries = space.rows(table, rows);
    const auto to_population = nearest_rows(queries, population, options.threads);
    const auto to_copies = nearest_rows(queries, copies, options.threads);
    std::vector<double> scores;
    constexpr double grain = 1e-4; // of a column's range: a copy is a copy
    for (std::size_t i = 0; i < queries.rows; ++i)
      scores.push_back(std::log(to_population[i].first + grain) - std::log(to_copies[i].first + grain));
    return scores;
  };
  result.attacks.push_back(detail::judge_attack("closest rows", by_distance(train, members),
                                                by_distance(holdout, others), options));

  // The odds of a classifier are a density ratio, too.
  const Table* const tables[] = {&train, &holdout, &synthetic};
  const SharedCodes codes(tables);
  ClassifierOptions classifier;
  classifier.boosted = options.boosted;
  classifier.boosted.threads = options.threads;
  const detail::StackedRows stacked(Classifier::boosted, tables, codes, SharedCodes::none, classifier);
  std::vector<std::uint16_t> labels(train.rows() + holdout.rows(), 0);
  labels.resize(labels.size() + synthetic.rows(), 1);
  std::vector<std::uint32_t> learn;
  for (const auto row : reference)
    learn.push_back(static_cast<std::uint32_t>(train.rows() + row));
  for (const auto row : made)
    learn.push_back(static_cast<std::uint32_t>(train.rows() + holdout.rows() + row));
  std::vector<std::uint32_t> judged = members;
  for (const auto row : others)
    judged.push_back(static_cast<std::uint32_t>(train.rows() + row));
  auto scores = detail::probability_column(stacked.classify(learn, labels, 2, judged, options.seed), 2, 1);
  const auto middle = scores.begin() + static_cast<std::ptrdiff_t>(n);
  result.attacks.push_back(
      detail::judge_attack("boosted trees", {scores.begin(), middle}, {middle, scores.end()}, options));
  result.strongest = result.attacks[1].p_value < result.attacks[0].p_value ? 1 : 0;
  return result;
}

/// \throws SchemaError if the tables' columns differ, a secret is unknown or there is one column only,
/// ShapeError for an empty table, OptionError
inline AttributeResult attribute_inference(const Table& train, const Table& holdout, const Table& synthetic,
                                           const AttributeOptions& options = {}) {
  options.check();
  detail::check_rows("attribute_inference", train, holdout, synthetic);
  if (train.size() < 2)
    throw SchemaError("attribute_inference: the tables have one column, expected two or more");
  const SharedCodes codes({&train, &holdout, &synthetic});
  std::vector<std::size_t> secrets;
  for (const auto& name : options.secrets)
    secrets.push_back(train.schema().index_of(name));
  for (std::size_t c = 0; options.secrets.empty() && c < train.size(); ++c)
    secrets.push_back(c);
  AttributeResult result;
  result.persons = std::min({options.max_persons, train.rows(), holdout.rows()});
  const auto made =
      detail::sample_rows(synthetic.rows(), options.max_rows, options.seed, detail::attack_synthetic);
  result.synthetic_rows = made.size();
  const auto members =
      detail::sample_rows(train.rows(), result.persons, options.seed, detail::attack_members);
  const auto others =
      detail::sample_rows(holdout.rows(), result.persons, options.seed, detail::attack_holdout);

  const auto n = static_cast<double>(result.persons);
  std::vector<double> per_person(2 * result.persons); // guesses that came true, over all secrets
  RoundProgress progress(options.progress, "attribute inference", secrets.size());
  for (const std::size_t secret : secrets) {
    const DistanceSpace space(train, {&holdout, &synthetic}, secret);
    const auto known = space.rows(synthetic, made);
    const auto made_codes = codes.codes(synthetic[secret], secret);
    const double slack = options.tolerance * space.range(secret);
    AttributeRisk risk;
    risk.secret = train[secret].name;
    for (const bool member : {true, false}) {
      const Table& table = member ? train : holdout;
      const auto& rows = member ? members : others;
      const auto truth_codes = codes.codes(table[secret], secret);
      const auto nearest = nearest_rows(space.rows(table, rows), known, options.threads);
      double hits = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto guess = made[nearest[i].index];
        bool hit = false;
        if (table[secret].kind == ColumnKind::categorical) {
          hit = truth_codes[rows[i]] == made_codes[guess];
        } else {
          const double truth = table[secret].values[rows[i]];
          const double value = synthetic[secret].values[guess];
          hit = std::isnan(truth) ? std::isnan(value) : std::abs(truth - value) <= slack;
        }
        hits += hit ? 1 : 0;
        per_person[(member ? 0 : result.persons) + i] += hit ? 1 : 0;
      }
      (member ? risk.guessed : risk.baseline) = hits / n;
    }
    risk.advantage = {
        risk.guessed - risk.baseline,
        std::sqrt((risk.guessed * (1 - risk.guessed) + risk.baseline * (1 - risk.baseline)) / n)};
    if (risk.advantage.sd > 0)
      result.p_value = std::min(result.p_value, static_cast<double>(secrets.size()) *
                                                    normal_tail(risk.advantage.value / risk.advantage.sd));
    else if (risk.advantage.value > 0)
      result.p_value = 0; // always right on members, never on others
    result.mean.value += risk.advantage.value / static_cast<double>(secrets.size());
    result.risks.push_back(std::move(risk));
    progress.done();
  }
  // A person's guesses hang together: the mean's error is that of the persons' own means.
  double variance = 0;
  for (const std::size_t begin : {std::size_t{0}, result.persons}) {
    const double sd = mean_sd(std::span<const double>(per_person).subspan(begin, result.persons)).sd /
                      static_cast<double>(secrets.size());
    variance += sd * sd / n;
  }
  result.mean.sd = std::sqrt(variance);
  std::stable_sort(
      result.risks.begin(), result.risks.end(),
      [](const AttributeRisk& a, const AttributeRisk& b) { return a.advantage.value > b.advantage.value; });
  return result;
}

inline std::string to_json(const MembershipAttack& attack) {
  return detail::json_object<"name auc tpr_at_1_percent_fpr tpr_at_0.1_percent_fpr p_value">(
      attack.name, attack.auc, attack.tpr_at_1, attack.tpr_at_01, attack.p_value);
}

inline std::string to_json(const MembershipResult& result) {
  return detail::json_object<"attacks strongest members reference synthetic_rows">(
      result.attacks, result.attacks.empty() ? std::string() : result.attacks[result.strongest].name,
      result.members, result.reference, result.synthetic_rows);
}

inline std::string to_json(const AttributeRisk& risk) {
  return detail::json_object<"secret guessed baseline advantage">(risk.secret, risk.guessed, risk.baseline,
                                                                  risk.advantage);
}

inline std::string to_json(const AttributeResult& result) {
  return detail::json_object<"mean p_value risks persons synthetic_rows">(
      result.mean, result.p_value, result.risks, result.persons, result.synthetic_rows);
}

inline std::ostream& operator<<(std::ostream& out, const MembershipResult& result) {
  for (const auto& attack : result.attacks)
    out << "membership by " << attack.name << ": AUC " << attack.auc
        << " (0.5 is ideal), found at 1 % false alarms " << 100 * attack.tpr_at_1.value << " %, at 0.1 % "
        << 100 * attack.tpr_at_01.value << " %; p = " << attack.p_value << '\n';
  return out;
}

inline std::ostream& operator<<(std::ostream& out, const AttributeResult& result) {
  out << "attribute inference: advantage " << 100 * result.mean.value << " +- " << 100 * result.mean.sd
      << " points (0 is ideal)";
  if (!result.risks.empty())
    out << "; most: " << result.risks[0].secret << ' ' << 100 * result.risks[0].advantage.value << " +- "
        << 100 * result.risks[0].advantage.sd;
  return out << "; p = " << result.p_value << '\n';
}

} // namespace evaluate
ROWSMITH_END
