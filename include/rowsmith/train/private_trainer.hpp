// SPDX-License-Identifier: MIT
/// \file
/// Trains a model of which it can be said how little it tells of any one row.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <rowsmith/core/progress.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/learner.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/private_encoding.hpp>
#include <rowsmith/train/private_gan.hpp>
#include <rowsmith/train/stage.hpp>
#include <rowsmith/train/trainer_declarations.hpp>

ROWSMITH_BEGIN

/// Trains with differential privacy. Everything that looks at the rows is paid for, and written into the
/// model's ledger: how many there are, domains, shares, and the training itself, by differentially private
/// gradient descent. There is no early stopping, no search for relations, no choice by rows held out.
///
/// \code
/// RecipeOptions<PrivateRecipe> options;
/// options.privacy.epsilon = 3;
/// const auto model = Synthesizer::fit(table, options);
/// std::cout << model.model().privacy().statement();
/// \endcode
/// Noise is the system's, not the seed's: two trainings differ.
/// \tparam AutoencoderType  that ends in `AutoregressiveHeads`, without layers between `Latent` and them
/// \tparam GeneratorType, DiscriminatorType  of `PrivateParts::heads_encoder_and_gan`
template <class AutoencoderType, class GeneratorType, class DiscriminatorType>
class PrivateTrainer {
  static_assert(
      GeneratorType::output_width == AutoencoderType::latent_width,
      "the Generator's last Dense must be as wide as the Autoencoder's Latent: make both numbers equal");
  static_assert(std::is_same_v<decltype(std::declval<const AutoencoderType&>().heads_network(nullptr)),
                               AutoregressiveNetwork> &&
                    AutoencoderType::DecoderLayers::size == 0,
                "a PrivateTrainer needs an Autoencoder that ends in Latent<N>, AutoregressiveHeads<>");

public:
  /// \throws OptionError for an option out of range, or of what there is no private form
  explicit PrivateTrainer(TrainerOptions options = {}) : options_(std::move(options)) {
    options_.check();
    const auto& privacy = options_.privacy;
    if (!(privacy.epsilon > 0))
      throw OptionError("privacy.epsilon = " + json_number(privacy.epsilon) +
                        ": a private training needs a promise to keep; expected 0 < epsilon <= 100");
    if (options_.team != nullptr)
      throw OptionError(
          "team: a private training is made by one process: the lengths of rows' gradients and the "
          "noise are not shared");
    if (options_.conditional)
      throw OptionError("conditional: a private model has no label of its own; ask for rows by conditions");
    if (!options_.preparation.relations.empty())
      throw OptionError("preparation.relations: a private training knows none yet");
    if (options_.autoencoder.optimiser.clip_norm > 0)
      throw OptionError("autoencoder.optimiser.clip_norm: a private training clips rows: privacy.clip_norm");
  }

  const TrainerOptions& options() const noexcept { return options_; }
  const std::vector<StageReport>& stages() const noexcept { return stages_; }

  /// Trains on all rows of `given`, of which names and kinds of columns count as known.
  /// \throws SchemaError, OptionError for a table or domains that cannot be; TrainingError if the callback
  /// ends a training that has no weights yet
  TableModel fit(const Table& given, const ProgressCallback& callback = {},
                 const CheckpointStore& checkpoints = {}) {
    if (checkpoints.save)
      throw OptionError("a private training keeps no checkpoints: they would hold what was not paid for");
    return fit(given, NoiseSource(), callback);
  }
  /// The same with noise of a key that somebody knows: for tests alone, as the model's statement says.
  TableModel fit(const Table& given, const NoiseSource& source, const ProgressCallback& callback = {}) {
    stages_.clear();
    if (given.rows() < 10)
      throw SchemaError("fit: the table has fewer than 10 rows");
    if (given.rows() > std::numeric_limits<std::uint32_t>::max())
      throw SchemaError("fit: the table has more than 2^32 - 1 rows");
    const auto& privacy = options_.privacy;
    PrivateEncoding::check_domains(given, privacy);
    const int threads = resolve_threads(options_.threads);

    TableModelParts model;
    auto& ledger = model.privacy;
    ledger.epsilon = privacy.epsilon;
    ledger.delta = privacy.delta;
    // First what decides how much noise all that follows has.
    ledger.spendings.push_back(first_looks(given));
    const auto first = ledger.spendings.front();
    NoisyCounts first_counts(source, first.noise_multiplier, std::uint64_t{1} << 32U);
    const double rows =
        std::max(1.0, first_counts.histogram(given.rows(), 1, [](std::size_t) { return std::size_t{0}; })[0]);
    Table with_kinds;
    if (privacy.learn_kinds)
      with_kinds = detail::with_learnt_kinds(given, first_counts, [&](const std::string& name) {
        return PrivateEncoding::domain_of(privacy, name);
      });
    require_paid(first_counts, first);
    const Table& train = privacy.learn_kinds ? with_kinds : given;
    spend_on_counts(train, ledger);
    const auto of_counts = ledger.spendings.back();
    const double choice_epsilon = spend_on_names_and_choices(train, ledger);
    if (privacy.steps == 0)
      ledger.spendings[1].noise_multiplier = noise_to_fit(ledger, 1, 2);
    NoisyCounts counts(source, ledger.spendings[1].noise_multiplier);
    const std::size_t told = PrivateEncoding::told_columns(train, privacy);
    auto encoding =
        PrivateEncoding::learn(train, privacy, source, counts, rows,
                               told == 0 ? 0 : threshold_share * privacy.delta / static_cast<double>(told),
                               choice_epsilon, options_.encoding.other_text);
    require_paid(counts, of_counts);

    const bool with_encoder = privacy.parts != PrivateParts::heads;
    const AutoencoderType autoencoder(encoding.encoder, true, 1, {.margins = &encoding.margins});
    auto weights = autoencoder.template initialise<float>(options_.seed);
    if (privacy.steps > 0) {
      const double expected = std::min(static_cast<double>(privacy.batch), encoding.rows);
      PoissonBatches batches(source, train.rows(), std::min(1.0, expected / encoding.rows));
      auto spending = PrivacySpending{.kind = PrivacySpending::Kind::gaussian,
                                      .what = "training: gradients of random rows",
                                      .sampling_rate = batches.rate(),
                                      .count = static_cast<double>(privacy.steps)};
      const std::size_t first_training = ledger.spendings.size();
      ledger.spendings.push_back(spending);
      const bool with_gan = privacy.parts == PrivateParts::heads_encoder_and_gan;
      const std::size_t gan_steps = std::max<std::size_t>(1, privacy.steps / 5);
      if (with_gan) {
        spending.what = "training: gradients of a discriminator of random rows";
        spending.count = static_cast<double>(gan_steps);
        ledger.spendings.push_back(spending);
      }
      const double noise = noise_to_fit(ledger, first_training, ledger.spendings.size());
      for (std::size_t i = first_training; i < ledger.spendings.size(); ++i)
        ledger.spendings[i].noise_multiplier = noise;
      weights =
          train_heads(autoencoder, encoding, source, batches, noise, threads, callback, std::move(weights));
      if (with_gan)
        model.generator_network =
            train_gan(autoencoder, weights, encoding, source, batches, noise, gan_steps, threads);
    }
    say_what_is_public(ledger, source);

    model.encoder = std::move(encoding.encoder);
    model.preparation = Preparation(train.schema());
    if (!with_encoder) // never trained: it says nothing
      std::fill_n(weights.data(), autoencoder.decoder_offset(), 0.0F);
    model.encoder_network = autoencoder.encoder_network(weights.data());
    model.decoder_network = autoencoder.decoder_network(weights.data());
    model.heads = autoencoder.heads_network(weights.data());
    if (model.generator_network.empty())
      model.generator_network = prior(with_encoder);
    model.noise_width = model.generator_network.inputs();
    model.latent_scale.assign(width, 1.0F);
    model.latent_offset.assign(width, 0.0F);
    model.temperature = options_.temperature;
    model.notes = {{"recipe", options_.recipe},
                   {"training_rows", std::to_string(std::llround(encoding.rows))},
                   {"options", options_.describe()}};
    return TableModel(std::move(model));
  }

private:
  /// Of δ, what is left to names of categories.
  static constexpr double threshold_share = 0.1;
  /// Of what counts may spend, what the choice of a tree does.
  static constexpr double choice_share = 0.2;
  /// Of ε, what is spent first, on how many rows there are, and on which columns are numbers as well.
  static constexpr double rows_share = 0.02;
  static constexpr double kinds_share = 0.06;

  static void require_paid(const NoisyCounts& counts, const PrivacySpending& spending) {
    if (static_cast<double>(counts.told()) != spending.count)
      throw Error("privacy: " + std::to_string(counts.told()) + " histograms were told, but " +
                  json_number(spending.count) + " paid for");
  }
  /// The noise of a ledger's spendings from `first` on, before `end`, for which all come to what is promised.
  double noise_to_fit(const PrivacyLedger& ledger, std::size_t first, std::size_t end) const {
    return least_noise(options_.privacy.epsilon, options_.privacy.delta, [&](double sigma) {
      auto with = ledger;
      for (std::size_t i = first; i < end; ++i)
        with.spendings[i].noise_multiplier = sigma;
      return with;
    });
  }
  /// Noise of one Gaussian mechanism that spends so much.
  static double noise_of(double epsilon, double delta) {
    return least_noise(epsilon, delta, [&](double sigma) {
      return PrivacyLedger{.spendings = {{.what = "all", .noise_multiplier = sigma}}};
    });
  }
  double first_share() const { return options_.privacy.learn_kinds ? kinds_share : rows_share; }
  PrivacySpending first_looks(const Table& given) const {
    const auto& privacy = options_.privacy;
    double looks = 1;
    for (const auto& column : given.columns())
      if (privacy.learn_kinds &&
          detail::kind_is_open(given, column, PrivateEncoding::domain_of(privacy, column.name)))
        ++looks;
    return {.what = privacy.learn_kinds ? "how many rows there are, and which columns are numbers"
                                        : "how many rows there are",
            .noise_multiplier = std::sqrt(looks) * noise_of(first_share() * privacy.epsilon,
                                                            PrivacyLedger::deciding_share * privacy.delta),
            .count = looks,
            .decides = true};
  }
  /// Noise of one Gaussian mechanism that spends all that is left for what follows.
  double noise_of_rest() const {
    const auto& privacy = options_.privacy;
    return noise_of((1 - first_share()) * privacy.epsilon,
                    (1 - PrivacyLedger::deciding_share - threshold_share) * privacy.delta);
  }
  /// What counts may spend of that.
  double counts_part() const { return options_.privacy.steps > 0 ? options_.privacy.counts : 1; }
  /// Choices are bounded by ε² / 8 of what a Gaussian mechanism of noise σ spends as 1 / (2 σ²) (Bun &
  /// Steinke 2016): how large ε may be.
  double choice_epsilon(const Table& train) const {
    const auto choices = static_cast<double>(PrivateEncoding::choices(train, options_.privacy));
    if (choices == 0)
      return 0;
    const double alone = noise_of_rest();
    return std::sqrt(4 * counts_part() * choice_share / (alone * alone) / choices);
  }
  /// Adds what the counts spend: their noise is so large that they take their share of 1 / σ².
  void spend_on_counts(const Table& train, PrivacyLedger& ledger) const {
    const auto looks = static_cast<double>(PrivateEncoding::looks(train, options_.privacy));
    const bool choices = PrivateEncoding::choices(train, options_.privacy) > 0;
    const double share = counts_part() * (choices ? 1 - choice_share : 1);
    ledger.spendings.push_back({.what = "counts: domains and shares",
                                .noise_multiplier = noise_of_rest() * std::sqrt(looks / share),
                                .count = looks});
  }
  /// \returns the epsilon of each choice; 0 without any
  double spend_on_names_and_choices(const Table& train, PrivacyLedger& ledger) const {
    const auto& privacy = options_.privacy;
    if (PrivateEncoding::told_columns(train, privacy) > 0)
      ledger.spendings.push_back({.kind = PrivacySpending::Kind::threshold,
                                  .what = "names of categories that many rows have",
                                  .delta = threshold_share * privacy.delta});
    const double each = choice_epsilon(train);
    if (const auto choices = PrivateEncoding::choices(train, privacy); choices > 0)
      ledger.spendings.push_back({.kind = PrivacySpending::Kind::pure,
                                  .what = "choice of pairs of columns",
                                  .count = static_cast<double>(choices),
                                  .epsilon = each});
    return each;
  }
  void say_what_is_public(PrivacyLedger& ledger, const NoiseSource& source) const {
    const auto& privacy = options_.privacy;
    auto& facts = ledger.taken_as_public;
    facts = {privacy.learn_kinds ? "names and order of the columns, and which is the label"
                                 : "names, kinds and order of the columns, and which is the label"};
    for (const auto& domain : privacy.domains)
      facts.push_back("what is declared of column '" + domain.name + "'");
    facts.insert(facts.end(), privacy.taken_as_public.begin(), privacy.taken_as_public.end());
    if (source.known())
      facts.push_back(
          "THE NOISE ITSELF: its key was given from outside, as tests do, so that nothing is promised");
  }

  AlignedBuffer<float> train_heads(const AutoencoderType& autoencoder, const PrivateEncoding& encoding,
                                   const NoiseSource& source, PoissonBatches& batches, double noise,
                                   int threads, const ProgressCallback& callback,
                                   AlignedBuffer<float> start) {
    const auto& privacy = options_.privacy;
    const auto& stage = options_.autoencoder;
    const bool with_encoder = privacy.parts != PrivateParts::heads;
    const double expected = batches.rate() * encoding.rows;
    PrivateGradient gradient(source, privacy.clip_norm, noise, expected);
    // Steps as long as the noise allows: as measured on several tables, up to this much noise a row of the
    // batch those of the options, beyond it shorter in proportion.
    constexpr double calm = 1.15e-3;
    const double calmness = std::min(1.0, calm * expected / noise);
    Learner learner("private", autoencoder.layout(), std::move(start), options_.seed, stage.optimiser,
                    stage.average_decay, with_encoder ? 0 : autoencoder.decoder_offset());
    DataParallel<float> parallel(threads);
    BatchBuffer buffer(encoding.encoded, autoencoder.code_offsets(), autoencoder.number_weights());
    std::vector<float> zeros;
    detail::StageClock clock("private training", 1, 1, reports, 0);
    StageReport report{.name = "private training"};
    for (std::size_t step = 0; step < privacy.steps; ++step) {
      const auto rows = batches(step);
      const auto count = static_cast<Index>(rows.size());
      const double rate = calmness * stage.schedule(step, privacy.steps);
      if (!with_encoder && zeros.size() < rows.size() * width)
        zeros.resize(rows.size() * width);
      if (!rows.empty()) {
        buffer.load(rows);
        const double kl = stage.kl_weight;
        // Latent codes and dropout draw by a row's place in the batch: were that noise known, a row that is
        // there or not would move what others add to the sum.
        const std::uint64_t secret = source.secret_seed(step);
        learner.learn_privately(
            parallel, count, rate,
            [&](const BoundParameters<float>& parameters, Index first, Index part) {
              const Pass pass{.training = true,
                              .seed = secret,
                              .step = static_cast<std::uint32_t>(step),
                              .first_row = static_cast<std::uint64_t>(first)};
              if (with_encoder)
                return autoencoder.loss(parameters, buffer.rows(first, part), pass, 1, kl);
              return autoencoder.reconstruction_loss(
                  parameters, parameters.tape().constant(zeros.data(), part, static_cast<Index>(width)),
                  buffer.rows(first, part), pass, 1);
            },
            gradient);
      } else {
        learner.learn_nothing(rate, gradient, threads);
      }
      // Nothing is told of the loss: it is the rows'.
      const std::size_t epoch = (step + 1) * reports / privacy.steps;
      if (epoch > step * reports / privacy.steps) {
        const bool done = step + 1 == privacy.steps;
        report.epochs = epoch;
        if (!clock.tell(callback, epoch, static_cast<std::size_t>(expected) * privacy.steps / reports, {},
                        done) &&
            !done) {
          report.stopped = true;
          break; // paid for all steps, and took fewer: that is covered
        }
      }
    }
    report.seconds = clock.seconds();
    stages_.push_back(report);
    return learner.kept_values();
  }

  InferenceNetwork train_gan(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                             const PrivateEncoding& encoding, const NoiseSource& source,
                             PoissonBatches& batches, double noise, std::size_t steps, int threads) {
    constexpr std::uint64_t later = std::uint64_t{1}
                                    << 40U; // steps whose noise the heads' training does not reach
    const auto start = std::chrono::steady_clock::now();
    const auto posterior = autoencoder.posterior_network(weights.data());
    PrivateGradient gradient(source, options_.privacy.clip_norm, noise, batches.rate() * encoding.rows,
                             later);
    PrivateGan<GeneratorType, DiscriminatorType> gan(posterior, options_.gan, options_.seed, threads);
    BatchBuffer buffer(encoding.encoded, autoencoder.code_offsets(), autoencoder.number_weights());
    for (std::size_t step = 0; step < steps; ++step) {
      const auto rows = batches(later + step);
      if (!rows.empty())
        buffer.load(rows);
      gan.step(buffer, static_cast<Index>(rows.size()), options_.gan.schedule(step, steps),
               source.secret_seed(later + step), gradient);
    }
    stages_.push_back(
        {.name = "private gan",
         .epochs = 1,
         .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()});
    return gan.generator();
  }

  /// From noise to latent codes: the noise itself, or nothing.
  static InferenceNetwork prior(bool identity) {
    InferenceLayer layer;
    layer.inputs = layer.outputs = static_cast<Index>(width);
    layer.weight.resize(width * width);
    layer.bias.resize(width);
    std::fill_n(layer.weight.data(), width * width, 0.0F);
    std::fill_n(layer.bias.data(), width, 0.0F);
    for (std::size_t i = 0; identity && i < width; ++i)
      layer.weight.data()[i * width + i] = 1;
    InferenceNetwork network;
    network.add(std::move(layer));
    return network;
  }

  static constexpr std::size_t width = static_cast<std::size_t>(AutoencoderType::latent_width);
  static constexpr std::size_t reports = 20; ///< of progress
  TrainerOptions options_;
  std::vector<StageReport> stages_;
};

ROWSMITH_END
