// SPDX-License-Identifier: MIT
/// \file
/// Runs the stages: autoencoder, then GAN or conditional GAN in its latent space, then the refit of the
/// decoder.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/progress.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/train/autoencoder_stage.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/gan_stage.hpp>
#include <rowsmith/train/gaussian_mixture_fit.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/refit_stage.hpp>
#include <rowsmith/train/row_decoder.hpp>

ROWSMITH_BEGIN

/// What happened in one stage.
struct StageReport {
  std::string name;
  std::size_t epochs = 0;
  double seconds = 0;
  bool stopped = false; ///< by the callback
};

namespace detail {

/// Clock and bookkeeping of a stage's progress reports.
class StageClock {
public:
  /// \param seconds  spent in this stage before, by a training that is resumed
  StageClock(std::string_view stage, std::size_t number, std::size_t stages, std::size_t epochs,
             double seconds)
      : start_(std::chrono::steady_clock::now()), before_(seconds) {
    progress_.stage = stage;
    progress_.stage_number = number;
    progress_.stages = stages;
    progress_.epochs = epochs;
  }
  double seconds() const {
    return before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  /// \returns false when the listener asked to stop
  bool tell(const ProgressCallback& callback, std::size_t epoch, std::size_t rows_an_epoch,
            std::span<const NamedValue> values, bool done) {
    progress_.epoch = epoch;
    progress_.values = values;
    progress_.seconds = seconds();
    progress_.rows_per_second =
        static_cast<double>(epoch * rows_an_epoch) / std::max(progress_.seconds, 1e-9);
    progress_.seconds_left =
        done ? 0
             : progress_.seconds / static_cast<double>(epoch) * static_cast<double>(progress_.epochs - epoch);
    progress_.stage_done = done;
    return report(callback, progress_);
  }

private:
  std::chrono::steady_clock::time_point start_;
  double before_;
  Progress progress_;
};

template <class AutoencoderType, class GeneratorType, bool OnRows>
struct TrainerCheck {
  static_assert(
      GeneratorType::output_width == AutoencoderType::latent_width,
      "the Generator's last Dense must be as wide as the Autoencoder's Latent: make both numbers equal");
  static_assert(GeneratorType::mixture_components == 0 ||
                    GeneratorType::noise_width == AutoencoderType::latent_width,
                "MixtureNoise is fitted to latent codes: make it as wide as the Autoencoder's Latent");
  static_assert(
      !OnRows || DecodesDifferentiably<typename AutoencoderType::Heads>,
      "a Discriminator OnRows needs heads that the generator can learn through: IndependentHeads or "
      "JointHeads, not AutoregressiveHeads, which draw one column after the other");
};

} // namespace detail

/// Trains the parts on a table.
///
/// \code
/// Trainer<Autoencoder<Dense<256>, ReLU, Latent<32>>,
///         Generator<Noise<64>, Dense<128>, ReLU, Dense<32>, Tanh>,
///         Discriminator<Dense<128>, LeakyReLU, Dropout, Dense<1>>> trainer{{.seed = 7}};
/// const auto model = trainer.fit(table, progress_bar());
/// \endcode
/// \tparam DiscriminatorType  or `Discriminators<…>` of several
/// \tparam Loss     `BceLoss`, `HingeLoss`, `RelativisticLoss`, or one of your own
/// \tparam Penalty  `NoPenalty`, `R1Penalty`, `R1R2Penalty`
template <class AutoencoderType, class GeneratorType, class DiscriminatorType, class Loss = BceLoss,
          class Penalty = NoPenalty>
class Trainer : detail::TrainerCheck<AutoencoderType, GeneratorType,
                                     GanStage<GeneratorType, DiscriminatorType, Loss, Penalty>::on_rows> {
  static constexpr bool on_rows = GanStage<GeneratorType, DiscriminatorType, Loss, Penalty>::on_rows;
  using DecoderType = std::conditional_t<on_rows, RowDecoder<AutoencoderType>, NoDecoder>;
  using Gan = GanStage<GeneratorType, DiscriminatorType, Loss, Penalty, DecoderType>;

public:
  /// \throws OptionError for an option out of range
  explicit Trainer(TrainerOptions options = {}) : options_(std::move(options)) { options_.check(); }

  const TrainerOptions& options() const noexcept { return options_; }
  /// The stages of the last `fit`.
  const std::vector<StageReport>& stages() const noexcept { return stages_; }

  /// Trains on all rows of `train`. The same table, options and build give the same bits, also when the
  /// training was interrupted and goes on from a checkpoint.
  /// \param checkpoints  such as `checkpoint_file("fit.checkpoint")`; by default none are kept
  /// \throws SchemaError for a table that cannot be encoded, or without a label if `conditional`
  /// \throws TrainingError when a loss is no longer finite
  /// \throws ModelFileError if the store holds the state of another training; what the store throws
  TableModel fit(const Table& train, const ProgressCallback& callback = {},
                 const CheckpointStore& checkpoints = {}) {
    stages_.clear();
    if (train.rows() < 10)
      throw SchemaError("fit: the table has " + std::to_string(train.rows()) + " rows, expected at least 10");
    if (train.rows() > std::numeric_limits<std::uint32_t>::max())
      throw SchemaError("fit: the table has more than 2^32 - 1 rows");
    threads_ = resolve_threads(options_.threads);
    TableModelParts model;
    model.encoder = TableEncoder::fit(train, options_.encoding);
    model.decoding = options_.decoding;
    model.temperature = options_.temperature;
    model.noise_width = GeneratorType::noise_width;
    EncodedTable encoded = model.encoder.encode(train);
    std::vector<std::int32_t> labels;
    if (options_.conditional)
      labels = read_labels(train, model);

    const AutoencoderType autoencoder(model.encoder, options_.autoencoder.kl_weight > 0,
                                      options_.conditional ? options_.autoencoder.label_weight : 1, &encoded);
    detail::Checkpoints states(checkpoints,
                               checkpoints.save ? identity(autoencoder, model, encoded, labels) : Identity{});
    const Split split(encoded.rows(), options_);
    auto weights = train_autoencoder(autoencoder, encoded, split, callback, states);
    note_decoder(autoencoder, weights, model);
    model.encoder_network = autoencoder.encoder_network(weights.data());
    {
      LatentRows latent = embed(autoencoder, weights, encoded, model);
      if (!on_rows && options_.refit.steps == 0)
        encoded = {}; // no longer needed: the memory goes to the latent rows
      latent.labels = labels;
      latent.label_count = static_cast<Index>(model.labels.size());
      if constexpr (GeneratorType::mixture_components > 0)
        model.mixture =
            fit_gaussian_mixture(latent, GeneratorType::mixture_components, options_.seed, threads_);
      train_gan(autoencoder, encoded, latent, weights, model, callback, states);
    }
    if (options_.refit.steps > 0) {
      weights = refit(autoencoder, encoded, labels, split, weights, model, callback, states);
      note_decoder(autoencoder, weights, model);
    }
    model.notes = {{"recipe", options_.recipe},
                   {"seed", std::to_string(options_.seed)},
                   {"training_rows", std::to_string(train.rows())},
                   {"options", options_.describe()}};
    states.discard();
    return TableModel(std::move(model));
  }

private:
  using Identity = std::vector<std::pair<std::string, std::string>>;

  /// Rows to train on and rows to judge by.
  struct Split {
    Split(std::size_t count, const TrainerOptions& options) : rows(count) {
      std::iota(rows.begin(), rows.end(), 0U);
      RandomSequence random(RandomStream(options.seed, Purpose::split));
      shuffle(std::span<std::uint32_t>(rows), random);
      held_out = std::max<std::size_t>(
          1, static_cast<std::size_t>(options.autoencoder.validation_fraction * static_cast<double>(count)));
    }
    std::span<const std::uint32_t> validation() const { return {rows.data(), held_out}; }
    std::span<const std::uint32_t> training() const {
      return {rows.data() + held_out, rows.size() - held_out};
    }
    std::vector<std::uint32_t> rows;
    std::size_t held_out = 0;
  };

  Identity identity(const AutoencoderType& autoencoder, const TableModelParts& model, const EncodedTable& encoded,
                    std::span<const std::int32_t> labels) const {
    const auto label_count = static_cast<Index>(model.labels.size());
    return {{"rows", detail::table_fingerprint(model.encoder, encoded, labels)},
            {"options", options_.describe()},
            {"layers", detail::describe(autoencoder.layout()) +
                           detail::describe(GeneratorType(label_count).layout()) +
                           Gan::describe_discriminators(AutoencoderType::latent_width, label_count)},
            {"types", detail::type_text<Trainer>()}};
  }

  /// Notes the labels in the model. \returns each row's
  std::vector<std::int32_t> read_labels(const Table& train, TableModelParts& model) const {
    const auto& name = train.schema().label();
    if (name.empty())
      throw SchemaError("fit: a conditional model needs a label: give the schema a Label<\"...\"> column");
    const auto& column = train[name];
    const auto& codec = model.encoder.codecs()[train.schema().index_of(name)];
    model.labels = codec.categories;
    std::vector<std::int32_t> labels;
    std::vector<std::size_t> counts(model.labels.size());
    for (std::size_t row = 0; row < train.rows(); ++row) {
      const auto known = column.is_missing(row) ? model.labels.end()
                                                : std::lower_bound(model.labels.begin(), model.labels.end(),
                                                                   column.dictionary.text(column.codes[row]));
      if (known == model.labels.end() || *known != column.dictionary.text(column.codes[row]))
        throw SchemaError("fit: the label '" + name + "' is missing or folded away in row " +
                          std::to_string(row + 1) + "; a conditional model needs it in every row");
      labels.push_back(static_cast<std::int32_t>(known - model.labels.begin()));
      ++counts[static_cast<std::size_t>(known - model.labels.begin())];
    }
    for (const auto count : counts)
      model.label_shares.push_back(static_cast<double>(count) / static_cast<double>(train.rows()));
    return labels;
  }

  static void note_decoder(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                           TableModelParts& model) {
    model.decoder_network = autoencoder.decoder_network(weights.data());
    model.heads = autoencoder.heads_network(weights.data());
  }
  std::size_t stage_count() const { return options_.refit.steps > 0 ? 3 : 2; }

  /// What the end of a stage leaves to the states of later ones.
  void put_report(detail::StateFile& state, const StageReport& report) const {
    state.put(report.name + ".epochs", std::uint64_t{report.epochs});
    state.put(report.name + ".seconds", report.seconds);
    state.put(report.name + ".stopped", std::uint64_t{report.stopped ? 1U : 0U});
  }
  static StageReport report_of(const detail::StateFile& state, const std::string& name) {
    return {.name = name,
            .epochs = static_cast<std::size_t>(state.count(name + ".epochs")),
            .seconds = state.number(name + ".seconds"),
            .stopped = state.count(name + ".stopped") != 0};
  }

  /// Epochs of a stage that minimises a loss, with early stopping. \param step  (epoch's rows, batch number,
  /// total steps) -> loss \param keep  adds what earlier stages left to a state \returns the best weights
  template <class Stage, class StageOptions, class Step, class Keep>
  AlignedBuffer<float> minimise(const std::string& name, std::size_t number, Stage& stage,
                                const StageOptions& options, const Split& split,
                                const ProgressCallback& callback, detail::Checkpoints& states,
                                const Step& step_of, const Keep& keep) {
    const auto training = split.training();
    EpochOrder order(training.size(), options_.seed + 1000 * (number - 1));
    std::vector<std::uint32_t> rows(training.size());
    const std::size_t batch = std::min(options.batch, training.size());
    const std::size_t steps_an_epoch = (training.size() + batch - 1) / batch;
    const std::size_t epochs = (options.steps + steps_an_epoch - 1) / steps_an_epoch;
    const std::uint64_t total_steps = steps_an_epoch * epochs;

    AlignedBuffer<float> best = stage.kept_values();
    double best_loss = std::numeric_limits<double>::infinity();
    std::uint64_t best_step = 0;
    double sum = 0;
    double seconds = 0;
    if (const auto* state = states.resumed(name)) {
      stage.load(*state);
      best = state->buffer(name + ".best", best.size());
      best_loss = state->number("best_loss");
      best_step = state->count("best_step");
      sum = state->number("loss_sum");
      seconds = state->number("seconds");
    }
    detail::StageClock clock(name, number, stage_count(), epochs, seconds);
    StageReport result{.name = name};
    const auto save = [&] {
      detail::StateFile state;
      keep(state);
      stage.save(state);
      state.put(name + ".best", best);
      state.put("best_loss", best_loss);
      state.put("best_step", best_step);
      state.put("loss_sum", sum);
      state.put("seconds", clock.seconds());
      states.save(name, std::move(state));
    };
    std::size_t step = static_cast<std::size_t>(stage.steps() % steps_an_epoch);
    for (std::size_t epoch = static_cast<std::size_t>(stage.steps() / steps_an_epoch); epoch < epochs;
         ++epoch, step = 0) {
      const auto permutation = order(static_cast<std::uint32_t>(epoch));
      for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = training[permutation[i]];
      for (; step < steps_an_epoch; ++step) {
        if (states.due())
          save();
        const double loss = step_of(std::span<const std::uint32_t>(rows), step, total_steps);
        require_finite(loss, name.c_str(), epoch, step);
        sum += loss * static_cast<double>(std::min(batch, rows.size() - step * batch));
      }
      const double validation_loss = stage.evaluate(split.validation());
      require_finite(validation_loss, name.c_str(), epoch, steps_an_epoch);
      if (validation_loss < best_loss) {
        best_loss = validation_loss;
        best = stage.kept_values();
        best_step = stage.steps();
      }
      result.epochs = epoch + 1;
      const std::array<NamedValue, 2> values{
          {{"loss", sum / static_cast<double>(training.size())}, {"validation", validation_loss}}};
      sum = 0;
      const bool done = stage.steps() - best_step >= options.patience || epoch + 1 == epochs;
      result.stopped = !clock.tell(callback, epoch + 1, training.size(), values, done) && !done;
      if (done || result.stopped)
        break;
    }
    result.seconds = clock.seconds();
    stages_.push_back(result);
    return best;
  }

  AlignedBuffer<float> train_autoencoder(const AutoencoderType& autoencoder, const EncodedTable& encoded,
                                         const Split& split, const ProgressCallback& callback,
                                         detail::Checkpoints& states) {
    for (const char* later : {"gan", "refit"})
      if (const auto* state = states.resumed(later)) {
        stages_.push_back(report_of(*state, "autoencoder"));
        return state->buffer("autoencoder.best", static_cast<std::size_t>(autoencoder.layout().size()));
      }
    const auto& options = options_.autoencoder;
    AutoencoderStage<AutoencoderType> stage(autoencoder, encoded, options, options_.seed, threads_);
    return minimise(
        "autoencoder", 1, stage, options, split, callback, states,
        [&](std::span<const std::uint32_t> rows, std::size_t number, std::uint64_t total) {
          const std::size_t batch = std::min(options.batch, rows.size());
          return stage.step(rows.subspan(number * batch, std::min(batch, rows.size() - number * batch)),
                            total);
        },
        [](detail::StateFile&) {});
  }

  AlignedBuffer<float> refit(const AutoencoderType& autoencoder, const EncodedTable& encoded,
                             std::span<const std::int32_t> labels, const Split& split,
                             const AlignedBuffer<float>& weights, const TableModelParts& model,
                             const ProgressCallback& callback, detail::Checkpoints& states) {
    RefitStage<AutoencoderType> stage(autoencoder, encoded, labels, model, options_.refit, options_.seed,
                                      threads_, weights);
    const auto generator = generator_values_;
    return minimise(
        "refit", 3, stage, options_.refit, split, callback, states,
        [&](std::span<const std::uint32_t> rows, std::size_t number, std::uint64_t total) {
          return stage.step(rows, number, total);
        },
        [&](detail::StateFile& state) {
          state.put("autoencoder.best", weights);
          state.put("generator.best", generator);
          put_report(state, stages_[0]);
          put_report(state, stages_[1]);
        });
  }

  LatentRows embed(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                   const EncodedTable& encoded, TableModelParts& model) const {
    const Index width = AutoencoderType::latent_width;
    const auto posterior = autoencoder.posterior_network(weights.data());
    const detail::Embedding embedding(encoded, posterior, width, autoencoder.code_offsets(),
                                      autoencoder.number_weights(), options_.seed, threads_);
    const float range = detail::fit_latent_range(embedding, width, !GeneratorType::residual,
                                                 options_.gan.latent_squash, model);
    return detail::scaled_latent_rows(embedding, encoded.rows(), width, range, model);
  }

  void train_gan(const AutoencoderType& autoencoder, const EncodedTable& encoded, const LatentRows& latent,
                 const AlignedBuffer<float>& autoencoder_weights, TableModelParts& model,
                 const ProgressCallback& callback, detail::Checkpoints& states) {
    const auto& options = options_.gan;
    if (const auto* state = states.resumed("refit")) {
      stages_.push_back(report_of(*state, "gan"));
      const GeneratorType generator(latent.label_count);
      generator_values_ =
          state->buffer("generator.best", static_cast<std::size_t>(generator.layout().size()));
      model.generator_network = generator.network(generator_values_.data());
      return;
    }
    const DecoderType decoder = [&] {
      if constexpr (on_rows)
        return DecoderType(autoencoder, autoencoder_weights, encoded, model, options.gumbel_temperature);
      else
        return DecoderType{};
    }();
    Gan stage(latent, options, options_.seed, threads_, model.mixture, decoder);
    EpochOrder order(latent.rows(), options_.seed + 1);
    constexpr auto pack = static_cast<std::size_t>(Gan::packing);
    const std::size_t batch = std::min(options.batch, latent.rows()) / pack * pack;
    if (batch == 0)
      throw OptionError("gan.batch = " + std::to_string(options.batch) + " with " +
                        std::to_string(latent.rows()) + " rows: expected at least the " +
                        std::to_string(pack) + " rows that the discriminator packs");
    const std::size_t steps_an_epoch =
        latent.rows() / batch; // whole batches: the rest comes in another epoch
    const std::size_t epochs = (options.steps + steps_an_epoch - 1) / steps_an_epoch;
    const std::uint64_t total_steps = steps_an_epoch * epochs;

    double discriminator_loss = 0;
    double generator_loss = 0;
    double seconds = 0;
    if (const auto* state = states.resumed("gan")) {
      stage.load(*state);
      discriminator_loss = state->number("discriminator_loss_sum");
      generator_loss = state->number("generator_loss_sum");
      seconds = state->number("seconds");
    }
    detail::StageClock clock("gan", 2, stage_count(), epochs, seconds);
    StageReport result{.name = "gan"};
    const auto save = [&] {
      detail::StateFile state;
      stage.save(state);
      state.put("autoencoder.best", autoencoder_weights);
      put_report(state, stages_.front());
      state.put("discriminator_loss_sum", discriminator_loss);
      state.put("generator_loss_sum", generator_loss);
      state.put("seconds", clock.seconds());
      states.save("gan", std::move(state));
    };
    std::size_t step = static_cast<std::size_t>(stage.steps() % steps_an_epoch);
    for (std::size_t epoch = static_cast<std::size_t>(stage.steps() / steps_an_epoch); epoch < epochs;
         ++epoch, step = 0) {
      const auto permutation = order(static_cast<std::uint32_t>(epoch));
      for (; step < steps_an_epoch; ++step) {
        if (states.due())
          save();
        const double rate = options.schedule(stage.steps(), total_steps);
        const auto rows = permutation.subspan(step * batch, batch);
        const double d = stage.discriminator_step(rows, rate);
        require_finite(d, "gan (discriminator)", epoch, step);
        discriminator_loss += d;
        for (std::size_t k = 0; k < options.k_steps_g; ++k) {
          const double g = stage.generator_step(rows, rate);
          require_finite(g, "gan (generator)", epoch, step);
          generator_loss += g / static_cast<double>(options.k_steps_g);
        }
      }
      result.epochs = epoch + 1;
      const std::array<NamedValue, 2> values{
          {{"discriminator", discriminator_loss / static_cast<double>(steps_an_epoch)},
           {"generator", generator_loss / static_cast<double>(steps_an_epoch)}}};
      discriminator_loss = generator_loss = 0;
      const bool done = epoch + 1 == epochs;
      result.stopped = !clock.tell(callback, epoch + 1, steps_an_epoch * batch, values, done) && !done;
      if (result.stopped)
        break;
    }
    result.seconds = clock.seconds();
    stages_.push_back(result);
    generator_values_ = stage.generator_values();
    model.generator_network = stage.generator().network(generator_values_.data());
  }

  static void require_finite(double loss, const char* stage, std::size_t epoch, std::size_t step) {
    if (!std::isfinite(loss))
      throw TrainingError(stage, epoch + 1, step + 1,
                          "the loss is " + std::string(std::isnan(loss) ? "not a number" : "infinite") +
                              "; a lower learning rate is the usual cure");
  }

  TrainerOptions options_;
  std::vector<StageReport> stages_;
  AlignedBuffer<float> generator_values_; ///< to keep
  int threads_ = 1;
};

ROWSMITH_END
