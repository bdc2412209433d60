// SPDX-License-Identifier: MIT
/// \file
/// Everything that can be chosen about a training, in one struct with defaults.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/team.hpp>
#include <rowsmith/encoding/column_codec.hpp>
#include <rowsmith/models/heads.hpp>
#include <rowsmith/nn/optimiser.hpp>
#include <rowsmith/prepare/transform.hpp>
#include <rowsmith/privacy/options.hpp>

ROWSMITH_BEGIN

/// AdamW as the default recipe trains what it keeps in the model.
inline OptimiserOptions decaying_adam(double learning_rate) {
  return {.method = OptimiserMethod::adamw,
          .learning_rate = learning_rate,
          .beta2 = 0.99,
          .weight_decay = 0.01,
          .clip_norm = 10};
}

/// A number of rows or steps that is chosen by how many rows the table has.
inline constexpr std::size_t by_table = std::numeric_limits<std::size_t>::max();

/// What `by_table` stands for: a training that is done when held-out rows say so, whether the table has 300
/// rows or a million.
struct AutomaticBudget {
  std::size_t batch = 0;
  std::size_t steps = 0;    ///< so many epochs, but neither too few steps to learn anything nor too many
  std::size_t patience = 0; ///< four epochs, and 300 steps at least

  /// \param rows  that are trained on \param epochs, least, most  of the stage: epochs and steps
  static AutomaticBudget of(std::size_t rows, std::size_t epochs, std::size_t least, std::size_t most) {
    AutomaticBudget budget;
    budget.batch = rows < 2'000 ? 32 : rows < 10'000 ? 128 : rows < 200'000 ? 256 : 512;
    // An epoch of a large table is a part of it (`EpochOrder`).
    const std::size_t epoch = std::max<std::size_t>(1, std::min(rows, std::size_t{1} << 20U) / budget.batch);
    budget.steps = std::clamp(epochs * epoch, least, most);
    budget.patience = std::max<std::size_t>(4 * epoch, 300);
    return budget;
  }
  /// Puts its numbers where the options leave them open.
  template <class Options>
  Options filled(Options options) const {
    const auto fill = [](std::size_t& value, std::size_t automatic) {
      value = value == by_table ? automatic : value;
    };
    fill(options.batch, batch);
    fill(options.steps, steps);
    fill(options.patience, patience);
    return options;
  }
};

/// Stage 1: the autoencoder.
struct AutoencoderOptions {
  std::size_t steps = by_table; ///< at most this many batches; by the table: 12 epochs, 800 to 4,000; ≥ 1
  std::size_t batch = by_table; ///< rows a step; by the table: 32 to 512; ≥ 1
  std::size_t patience = by_table; ///< stop after this many steps without a better validation loss; ≥ 1
  /// Of the rows, set apart for early stopping, also that of the refit; but 200 rows, or a fifth, at least,
  /// and 50,000 at most; (0, 0.5].
  double validation_fraction = 0.1;
  double kl_weight = 0.6; ///< > 0: variational, with this weight on the KL term; ≥ 0
  double kl_warmup = 0.3; ///< share of all steps over which that weight rises from 0; [0, 1]
  /// Conditional models: factor on the loss of the label's head, so that a latent code tells its label
  /// clearly; (0, 1000].
  double label_weight = 1;
  double average_decay = 0.998; ///< > 0: the weights kept are a moving average; [0, 1)
  OptimiserOptions optimiser = decaying_adam(2e-3);
  LearningRateSchedule schedule{.kind = LearningRateSchedule::Kind::cosine, .warmup_steps = 100};

  /// With a number wherever these leave it to the table. \param rows  that are trained on
  AutoencoderOptions for_rows(std::size_t rows) const {
    return AutomaticBudget::of(rows, 12, 800, 4'000).filled(*this);
  }
};

/// Stage 2: generator against discriminators.
struct GanOptions {
  std::size_t steps = 1500;             ///< discriminator steps; ≥ 1
  std::size_t batch = 512;              ///< rows a step; ≥ 2
  std::size_t k_steps_g = 1;            ///< generator steps per discriminator step; [1, 100]
  double discriminator_rate_factor = 2; ///< discriminator's learning rate / generator's; (0, 100]
  /// How latent codes are brought into (−1, 1) for a generator that ends in Tanh: 0 by a line through the
  /// largest code of each dimension; q > 0 by tanh(q · x) of the standardised code x, which gives the bulk of
  /// the codes more of the range; [0, 3].
  double latent_squash = 0.7;
  double penalty_weight = 0.1;   ///< γ of `R1Penalty` and `R1R2Penalty`; [0, 1000]
  std::size_t penalty_every = 4; ///< steps between two penalties; [1, 100]
  double average_decay = 0.999;  ///< > 0: the generator kept is a moving average of its weights; [0, 1)
  double gumbel_temperature =
      0.7; ///< of the relaxed draw by which `OnRows` discriminators are fooled; (0, 10]
  OptimiserOptions optimiser{.learning_rate = 5e-4, .beta1 = 0.5, .beta2 = 0.9};
  LearningRateSchedule schedule{.kind = LearningRateSchedule::Kind::linear_second_half};
};

/// Stage 3: the coupled refit of decoder and heads to the generator's own latent codes.
struct RefitOptions {
  /// At most this many batches; by the table: 30 epochs, 1,500 to 9,000; 0: no refit, the decoder stays as
  /// stage 1 left it.
  std::size_t steps = by_table;
  std::size_t batch =
      by_table; ///< rows a step, each matched with a generated code; by the table: 32 to 512; [1, 8192]
  std::size_t patience = by_table; ///< stop after this many steps without a better validation loss; ≥ 1
  double average_decay = 0.998;    ///< > 0: the weights kept are a moving average; [0, 1)
  OptimiserOptions optimiser = decaying_adam(2e-3);
  LearningRateSchedule schedule{.kind = LearningRateSchedule::Kind::cosine, .warmup_steps = 100};

  /// As `AutoencoderOptions::for_rows`.
  RefitOptions for_rows(std::size_t rows) const {
    return AutomaticBudget::of(rows, 30, 1'500, 9'000).filled(*this);
  }
};

/// Stage 4: trees that draw a column in place of the heads, or now and then.
struct TreeOptions {
  /// How often a column is drawn by its trees: 0 never, and there is no such stage; 1 always, and the heads
  /// that were trained are left out; between, each column of each row as chance has it. [0, 1]
  double share = 0;
  /// Of shares between 0 and 1, where there is a guide (`GuideOptions::rounds`): trees stay only if
  /// boosted trees tell the model's rows with them from rows held out less easily than those without, by
  /// `GuideOptions::min_gain` at least. They do not in tables of many columns, of few rows, or of categories
  /// that are rare. It costs the fit of a second guide.
  bool validated = true;
  std::size_t trees = 10;          ///< a column; [1, 1000]
  std::size_t min_leaf = 20;       ///< rows that a leaf has at least: few are learnt by heart; [1, 1e9]
  double share_of_rows = 0.632;    ///< without replacement, that part a tree; all fill its leaves; (0, 1]
  std::size_t most_rows = 200'000; ///< that part a tree, however many there are; [2, 1e9]
  std::size_t most_features = 48;  ///< of columns before and latent numbers: those that say most; [1, 1e6]
  /// Rows of the column's margin that are added to every leaf, so that nothing is impossible; [0, 1e6].
  double smoothing = 0;

  /// Calls `visit(name, value, range)` for each option.
  template <class Visit>
  void each_option(const std::string& name, Visit&& visit) const {
    visit(name + ".share", share, OptionRange{0, 1});
    visit(name + ".validated", validated ? 1.0 : 0.0, OptionRange{0, 1});
    visit(name + ".trees", static_cast<double>(trees), OptionRange{1, 1000});
    visit(name + ".min_leaf", static_cast<double>(min_leaf), OptionRange{1, 1e9});
    visit(name + ".share_of_rows", share_of_rows, OptionRange{0, 1, true});
    visit(name + ".most_rows", static_cast<double>(most_rows), OptionRange{2, 1e9});
    visit(name + ".most_features", static_cast<double>(most_features), OptionRange{1, 1e6});
    visit(name + ".smoothing", smoothing, OptionRange{0, 1e6});
  }
};

/// The last stage: boosted trees that tell the model's rows from the table's, so that those which look drawn
/// are drawn again (Azadi et al., "Discriminator rejection sampling", ICLR 2019). A row then takes about
/// `RowGuide::candidates_a_row` candidates; how many it is, is measured in the fit.
struct GuideOptions {
  std::size_t rounds = 0;      ///< trees at most; rows held out say how many; 0: no guide; [0, 10000]
  double learning_rate = 0.08; ///< of the boosting; (0, 1]
  std::size_t max_depth = 3;   ///< of a tree; [1, 30]
  /// Rows held out and generated ones are told apart by so much better than by chance at least, in nats a
  /// row, or there is no guide: it would cost candidates and gain nothing that a judge sees; [0, 1].
  double min_gain = 0.0005;
  /// A row is taken with probability odds / `largest_odds`, where odds is how much likelier it is real;
  /// larger odds count as this; [1, 100].
  double largest_odds = 3.5;
  std::size_t tries = 64;         ///< candidates for a row, of which the last is taken as it is; [1, 65535]
  std::size_t most_rows = 50'000; ///< of the table that the trees are fitted to; [2, 1e9]

  /// Calls `visit(name, value, range)` for each option.
  template <class Visit>
  void each_option(const std::string& name, Visit&& visit) const {
    visit(name + ".rounds", static_cast<double>(rounds), OptionRange{0, 10000});
    visit(name + ".learning_rate", learning_rate, OptionRange{0, 1, true});
    visit(name + ".max_depth", static_cast<double>(max_depth), OptionRange{1, 30});
    visit(name + ".min_gain", min_gain, OptionRange{0, 1});
    visit(name + ".largest_odds", largest_odds, OptionRange{1, 100});
    visit(name + ".tries", static_cast<double>(tries), OptionRange{1, 65535});
    visit(name + ".most_rows", static_cast<double>(most_rows), OptionRange{2, 1e9});
  }
};

/// Options of `Trainer`. The numbers are those of `DefaultRecipe`; a recipe has its own in `RecipeOptions`.
struct TrainerOptions {
  std::uint64_t seed = 0;
  bool conditional = false; ///< train a conditional GAN on the schema's label
  /// 0: all; never changes the result. A step is shared by one thread for each 128 rows of its batch (of a
  /// discriminator that packs rows: 128 packs), and by 8 at the most. At the default batch of 512 that is 4
  /// threads, or 2 where pairs are packed: more help only where codes are paired, encoded or sampled, or with
  /// larger batches.
  int threads = 0;
  /// Processes that train together, such as `MpiTeam`: all of them call `fit` with the same rows and options,
  /// and get the same model, with the bits that one process would get. Each takes a part of the work of
  /// every stage; null: this process alone. Must outlive the training.
  const Team* team = nullptr;
  PreparationOptions preparation{};
  EncodingOptions encoding{};
  AutoencoderOptions autoencoder{};
  GanOptions gan{};
  RefitOptions refit{};
  TreeOptions trees{};
  GuideOptions guide{};
  PrivacyOptions privacy{}; ///< of `PrivateTrainer`
  Decoding decoding = Decoding::sample;
  double temperature = 1;     ///< of the softmax that categories are drawn from; [0.001, 10]
  std::string recipe = "own"; ///< noted in the model

  /// Calls `visit(name, value, range)` for each numerical option that changes the result.
  template <class Visit>
  void each_option(Visit&& visit) const {
    constexpr double many = 1e9;
    visit("conditional", conditional ? 1.0 : 0.0, OptionRange{0, 1});
    preparation.each_option(visit);
    encoding.each_option(visit);
    // −1 stands for a number that is left to the table.
    const auto visit_count = [&](const std::string& name, std::size_t value, const OptionRange& range) {
      if (value == by_table)
        visit(name, -1.0, OptionRange{-1, -1});
      else
        visit(name, static_cast<double>(value), range);
    };
    const auto visit_stage = [&](const std::string& name, const auto& stage, const OptionRange& steps,
                                 const OptionRange& batch) {
      visit_count(name + ".steps", stage.steps, steps);
      visit_count(name + ".batch", stage.batch, batch);
      visit(name + ".average_decay", stage.average_decay, OptionRange{0, 1, false, true});
      stage.optimiser.each_option(name + ".optimiser", visit);
      stage.schedule.each_option(name + ".schedule", visit);
    };
    visit_stage("autoencoder", autoencoder, {1, many}, {1, many});
    visit_count("autoencoder.patience", autoencoder.patience, OptionRange{1, many});
    visit("autoencoder.validation_fraction", autoencoder.validation_fraction, OptionRange{0, 0.5, true});
    visit("autoencoder.kl_weight", autoencoder.kl_weight, OptionRange{0, 1000});
    visit("autoencoder.kl_warmup", autoencoder.kl_warmup, OptionRange{0, 1});
    visit("autoencoder.label_weight", autoencoder.label_weight, OptionRange{0, 1000, true});
    visit_stage("gan", gan, {1, many}, {2, many});
    visit("gan.k_steps_g", static_cast<double>(gan.k_steps_g), OptionRange{1, 100});
    visit("gan.discriminator_rate_factor", gan.discriminator_rate_factor, OptionRange{0, 100, true});
    visit("gan.latent_squash", gan.latent_squash, OptionRange{0, 3});
    visit("gan.penalty_weight", gan.penalty_weight, OptionRange{0, 1000});
    visit("gan.penalty_every", static_cast<double>(gan.penalty_every), OptionRange{1, 100});
    visit("gan.gumbel_temperature", gan.gumbel_temperature, OptionRange{0, 10, true});
    visit_stage("refit", refit, {0, many}, {1, 8192});
    visit_count("refit.patience", refit.patience, OptionRange{1, many});
    trees.each_option("trees", visit);
    guide.each_option("guide", visit);
    if (privacy.epsilon > 0)
      privacy.each_option(visit);
    visit("decoding", static_cast<double>(decoding), OptionRange{0, 1});
    visit("temperature", temperature, OptionRange{1e-3, 10});
  }
  /// \throws OptionError naming the option, its value and the range
  void check() const {
    encoding.check();
    each_option(check_option);
  }
  /// Every option that changes the result, one "name = value" a line. Two equal texts mean the same training.
  std::string describe() const {
    std::string text = "seed = " + std::to_string(seed) + '\n';
    each_option([&text](const std::string& name, double value, const OptionRange&) {
      text += name + " = " + json_number(value) + '\n';
    });
    return text + "encoding.other_text = " + json_escape(encoding.other_text) + '\n';
  }
};

ROWSMITH_END
