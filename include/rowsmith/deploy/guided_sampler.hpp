// SPDX-License-Identifier: MIT
/// \file
/// Forest-guided acceptance: rows that boosted trees tell from real ones are drawn again.
///
/// A density-ratio correction by rejection (Azadi et al., "Discriminator rejection sampling", ICLR 2019;
/// Turner et al., "Metropolis-Hastings generative adversarial networks", ICML 2019) with trees as the
/// discriminator. It is fitted on training rows and repairs in part what only they show: judge its rows
/// against rows held out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

struct GuideOptions {
  std::size_t rounds = 150;    ///< of the boosted trees; [1, 10000]
  double learning_rate = 0.08; ///< of the boosted trees; (0, 1]
  std::size_t max_depth = 5;   ///< of the boosted trees; [1, 30]
  /// A row is accepted with probability odds / `largest_odds`, where odds = p / (1 − p) is how much likelier
  /// it is real; larger odds count as this; [1, 100].
  double largest_odds = 3.5;
  std::size_t tries = 64; ///< candidates for a row; the last is taken as it is; [1, 65535]
  std::uint64_t seed = 0; ///< of the generated rows that the trees are fitted with
  int threads = 0;        ///< 0: all; never changes the result

  /// \throws OptionError
  void check() const {
    check_option("guide.rounds", static_cast<double>(rounds), OptionRange{1, 10000});
    check_option("guide.learning_rate", learning_rate, OptionRange{0, 1, true});
    check_option("guide.max_depth", static_cast<double>(max_depth), OptionRange{1, 30});
    check_option("guide.largest_odds", largest_odds, OptionRange{1, 100});
    check_option("guide.tries", static_cast<double>(tries), OptionRange{1, 65535});
  }
};

/// A sampler that draws a row again until boosted trees find it likely enough to be real. Immutable; safe to
/// share between threads. Row i depends on the model, the trees, the seed and i only. Costs as many
/// candidates a row as `candidates_a_row()` says.
class GuidedSampler {
public:
  /// Where the generated rows begin that the trees are fitted with: rows that nobody samples, as trees know
  /// them too well to judge them. Words of random bits are counted in 64 bits, some to many a row, so that
  /// much further out they would be those of the first rows again.
  static constexpr std::uint64_t first_guide_row = std::uint64_t{1} << 44U;

  /// \param train  the rows the model was trained on \throws SchemaError if they do not fit the model,
  /// OptionError
  GuidedSampler(const TableModel& model, const Table& train, const GuideOptions& options = {})
      : sampler_(model), options_(options) {
    options.check();
    if (train.rows() == 0)
      throw SchemaError("guide: the training table has no rows");
    std::vector<std::size_t> refused; // of rows that are further from the model than any it makes
    model.encode(train, refused);     // says what does not fit
    const Table made = model.sample(
        train.rows(), {.seed = options.seed, .first_row = first_guide_row, .threads = options.threads});
    auto features = features_of(train);
    const auto more = features_of(made);
    for (std::size_t c = 0; c < features.columns.size(); ++c)
      features.columns[c].insert(features.columns[c].end(), more.columns[c].begin(), more.columns[c].end());
    std::vector<std::uint16_t> real(train.rows(), 1);
    real.resize(2 * train.rows(), 0);
    GradientBoostingOptions boosting;
    boosting.rounds = options.rounds;
    boosting.learning_rate = options.learning_rate;
    boosting.max_depth = options.max_depth;
    boosting.seed = options.seed;
    boosting.threads = options.threads;
    trees_ = GradientBoosting::fit(features, real, 2, boosting);
    double accepted = 0;
    for (const double share : acceptance(more))
      accepted += share / static_cast<double>(train.rows());
    candidates_ = 1 / std::max(accepted, 1e-9);
  }

  /// About how many candidates a row takes, from the rows that the trees were fitted with.
  double candidates_a_row() const noexcept { return candidates_; }
  const TableModel& model() const noexcept { return sampler_.model(); }

  /// Makes rows, as `TableModel::sample` does. \throws SchemaError for an unknown label
  Table sample(std::size_t rows, const SampleOptions& options = {}) const {
    const auto& model = sampler_.model();
    const auto conditions = model.resolve(options);
    auto columns = sampler_.columns().empty_columns(rows);
    constexpr std::size_t block = 512;
    parallel_for((rows + block - 1) / block, resolve_threads(options.threads), [&](std::size_t part) {
      auto scratch = sampler_.scratch();
      std::vector<DynamicRow> candidates(std::min(block, rows - part * block), sampler_.row());
      std::vector<std::size_t> waiting(candidates.size());
      std::iota(waiting.begin(), waiting.end(), std::size_t{0});
      for (std::size_t attempt = 0; !waiting.empty(); ++attempt) {
        const auto number = [&](std::size_t i) { return options.first_row + part * block + i; };
        for (const auto i : waiting) {
          // A seed of its own for each attempt; the first is the seed itself.
          const std::uint64_t seed = options.seed + attempt * 0x9E3779B97F4A7C15U;
          if (model.conditional()) // the label of the first attempt, so that labels keep their shares
            sampler_(seed, number(i), conditions.label(options.seed, number(i)), scratch, candidates[i]);
          else
            sampler_(seed, number(i), scratch, candidates[i]);
        }
        const auto share = acceptance(features_of(candidates, waiting));
        const RandomStream draws(options.seed, Purpose::acceptance, static_cast<std::uint32_t>(attempt));
        std::size_t kept = 0;
        for (std::size_t k = 0; k < waiting.size(); ++k)
          if (attempt + 1 < options_.tries && draws.uniform(number(waiting[k])) >= share[k])
            waiting[kept++] = waiting[k];
        waiting.resize(kept);
      }
      for (std::size_t i = 0; i < candidates.size(); ++i)
        for (std::size_t c = 0; c < columns.size(); ++c)
          if (columns[c].kind == ColumnKind::numerical)
            columns[c].values[part * block + i] = candidates[i].number(c);
          else
            columns[c].codes[part * block + i] = candidates[i].category(c).code;
    });
    return Table(std::move(columns), model.schema().label());
  }

private:
  std::vector<double> acceptance(const FeatureMatrix& features) const {
    const auto probability = trees_.predict_probability(features, 1);
    std::vector<double> share(features.rows());
    for (std::size_t r = 0; r < share.size(); ++r) {
      const double real = probability[2 * r + 1];
      share[r] = std::min(real / std::max(1 - real, 1e-12), options_.largest_odds) / options_.largest_odds;
    }
    return share;
  }
  /// Numbers as they are, categories by the model's codes.
  FeatureMatrix features_of(const Table& table) const {
    const auto& texts = sampler_.columns().texts;
    FeatureMatrix features;
    for (std::size_t c = 0; c < table.size(); ++c) {
      features.names.push_back(table[c].name);
      if (table[c].kind == ColumnKind::numerical) {
        features.columns.push_back(table[c].values);
        continue;
      }
      std::vector<double> codes; // of the table's dictionary
      for (const auto& text : table[c].dictionary.texts()) {
        const auto known = std::find(texts[c].begin(), texts[c].end(), text);
        // What was folded into the category for others is the last one.
        codes.push_back(static_cast<double>(known != texts[c].end()
                                                ? known - texts[c].begin()
                                                : static_cast<std::ptrdiff_t>(texts[c].size()) - 1));
      }
      features.columns.emplace_back();
      for (const auto code : table[c].codes)
        features.columns.back().push_back(code == missing_code ? std::numeric_limits<double>::quiet_NaN()
                                                               : codes[static_cast<std::size_t>(code)]);
    }
    return features;
  }
  FeatureMatrix features_of(const std::vector<DynamicRow>& rows,
                            const std::vector<std::size_t>& chosen) const {
    const auto& schema = sampler_.schema();
    FeatureMatrix features;
    for (std::size_t c = 0; c < schema.size(); ++c) {
      features.names.push_back(schema[c].name);
      features.columns.emplace_back();
      for (const auto i : chosen)
        features.columns.back().push_back(schema[c].kind == ColumnKind::numerical ? rows[i].number(c)
                                          : rows[i].is_missing(c)
                                              ? std::numeric_limits<double>::quiet_NaN()
                                              : static_cast<double>(rows[i].category(c).code));
    }
    return features;
  }

  Sampler sampler_;
  GuideOptions options_;
  GradientBoosting trees_;
  double candidates_ = 1;
};

ROWSMITH_END
