// SPDX-License-Identifier: MIT
/// \file
/// Runs the stages: autoencoder, then GAN or conditional GAN in its latent space.
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
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/options.hpp>

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

template <class AutoencoderType, class GeneratorType>
struct TrainerCheck {
  static_assert(
      GeneratorType::output_width == AutoencoderType::latent_width,
      "the Generator's last Dense must be as wide as the Autoencoder's Latent: make both numbers equal");
};

} // namespace detail

/// Trains the three parts on a table.
///
/// \code
/// Trainer<Autoencoder<Dense<256>, ReLU, Latent<32>>, Generator<Noise<64>, Dense<128>, ReLU, Dense<32>,
/// Tanh>,
///         Discriminator<Dense<128>, LeakyReLU, Dropout, Dense<1>>> trainer{{.seed = 7}};
/// const auto model = trainer.fit(table, progress_bar());
/// \endcode
template <class AutoencoderType, class GeneratorType, class DiscriminatorType>
class Trainer : detail::TrainerCheck<AutoencoderType, GeneratorType> {
public:
  /// \throws OptionError for an option out of range
  explicit Trainer(TrainerOptions options = recipe_options(Recipe::sampled)) : options_(std::move(options)) {
    options_.check();
  }

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
    TableModel model;
    model.encoder = TableEncoder::fit(train, options_.encoding);
    model.decoding = options_.decoding;
    model.temperature = options_.temperature;
    model.noise_width = GeneratorType::noise_width;
    EncodedTable encoded = model.encoder.encode(train);
    std::vector<std::int32_t> labels;
    if (options_.conditional)
      labels = read_labels(train, model);
    const AutoencoderType autoencoder(model.encoder, options_.autoencoder.kl_weight > 0,
                                      options_.conditional ? options_.autoencoder.label_weight : 1);
    detail::Checkpoints states(checkpoints,
                               checkpoints.save ? identity(autoencoder, model, encoded, labels) : Identity{});
    const auto weights = train_autoencoder(autoencoder, encoded, callback, states);
    model.encoder_network = autoencoder.encoder_network(weights.data());
    model.decoder_network = autoencoder.decoder_network(weights.data());
    model.heads = autoencoder.heads_network(weights.data());
    LatentRows latent = embed(autoencoder, weights, encoded, model);
    encoded = {}; // no longer needed: the memory goes to the latent rows
    latent.labels = std::move(labels);
    latent.label_count = static_cast<Index>(model.labels.size());
    train_gan(latent, weights, model, callback, states);
    model.notes = {{"recipe", options_.recipe},
                   {"seed", std::to_string(options_.seed)},
                   {"training_rows", std::to_string(train.rows())},
                   {"options", options_.describe()}};
    states.discard();
    return model;
  }

private:
  using Identity = std::vector<std::pair<std::string, std::string>>;

  Identity identity(const AutoencoderType& autoencoder, const TableModel& model, const EncodedTable& encoded,
                    std::span<const std::int32_t> labels) const {
    const auto label_count = static_cast<Index>(model.labels.size());
    return {{"rows", detail::table_fingerprint(model.encoder, encoded, labels)},
            {"options", options_.describe()},
            {"layers",
             detail::describe(autoencoder.layout()) + detail::describe(GeneratorType(label_count).layout()) +
                 detail::describe(DiscriminatorType(AutoencoderType::latent_width, label_count).layout())}};
  }

  /// Notes the labels in the model. \returns each row's
  std::vector<std::int32_t> read_labels(const Table& train, TableModel& model) const {
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

  /// \returns the best weights
  AlignedBuffer<float> train_autoencoder(const AutoencoderType& autoencoder, const EncodedTable& encoded,
                                         const ProgressCallback& callback, detail::Checkpoints& states) {
    const auto& options = options_.autoencoder;
    AutoencoderStage<AutoencoderType> stage(autoencoder, encoded, options, options_.seed, threads_);
    if (const auto* state = states.resumed("gan")) {
      stages_.push_back({.name = "autoencoder",
                         .epochs = static_cast<std::size_t>(state->count("autoencoder.epochs")),
                         .seconds = state->number("autoencoder.seconds"),
                         .stopped = state->count("autoencoder.stopped") != 0});
      return state->buffer("autoencoder.best", stage.values().size());
    }
    std::vector<std::uint32_t> rows(encoded.rows());
    std::iota(rows.begin(), rows.end(), 0U);
    RandomSequence random(RandomStream(options_.seed, Purpose::split));
    shuffle(std::span<std::uint32_t>(rows), random);
    const auto held_out = std::max<std::size_t>(
        1, static_cast<std::size_t>(options.validation_fraction * static_cast<double>(rows.size())));
    const std::span<const std::uint32_t> validation(rows.data(), held_out);
    const std::span<const std::uint32_t> training(rows.data() + held_out, rows.size() - held_out);

    EpochOrder order(training.size(), options_.seed);
    std::vector<std::uint32_t> batch(std::min(options.batch, training.size()));
    const std::size_t steps_an_epoch = (training.size() + batch.size() - 1) / batch.size();
    const std::size_t epochs = (options.steps + steps_an_epoch - 1) / steps_an_epoch;
    const std::uint64_t total_steps = steps_an_epoch * epochs;

    AlignedBuffer<float> best = stage.values();
    double best_loss = std::numeric_limits<double>::infinity();
    std::uint64_t best_step = 0;
    double sum = 0;
    double seconds = 0;
    if (const auto* state = states.resumed("autoencoder")) {
      stage.load(*state);
      best = state->buffer("autoencoder.best", best.size());
      best_loss = state->number("best_loss");
      best_step = state->count("best_step");
      sum = state->number("loss_sum");
      seconds = state->number("seconds");
    }
    detail::StageClock clock("autoencoder", 1, 2, epochs, seconds);
    StageReport result{.name = "autoencoder"};
    const auto save = [&] {
      detail::StateFile state;
      stage.save(state);
      state.put("autoencoder.best", best);
      state.put("best_loss", best_loss);
      state.put("best_step", best_step);
      state.put("loss_sum", sum);
      state.put("seconds", clock.seconds());
      states.save("autoencoder", std::move(state));
    };
    std::size_t step = static_cast<std::size_t>(stage.steps() % steps_an_epoch);
    for (std::size_t epoch = static_cast<std::size_t>(stage.steps() / steps_an_epoch); epoch < epochs;
         ++epoch, step = 0) {
      const auto permutation = order(static_cast<std::uint32_t>(epoch));
      for (; step < steps_an_epoch; ++step) {
        if (states.due())
          save();
        const std::size_t begin = step * batch.size();
        const std::size_t count = std::min(batch.size(), training.size() - begin);
        for (std::size_t i = 0; i < count; ++i)
          batch[i] = training[permutation[begin + i]];
        const double loss = stage.step({batch.data(), count}, total_steps);
        require_finite(loss, "autoencoder", epoch, step);
        sum += loss * static_cast<double>(count);
      }
      const double validation_loss = stage.evaluate(validation);
      require_finite(validation_loss, "autoencoder", epoch, steps_an_epoch);
      if (validation_loss < best_loss) {
        best_loss = validation_loss;
        best = stage.values();
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

  LatentRows embed(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                   const EncodedTable& encoded, TableModel& model) const {
    const Index width = AutoencoderType::latent_width;
    const auto posterior = autoencoder.posterior_network(weights.data());
    const detail::Embedding embedding(encoded, posterior, width, autoencoder.code_offsets(),
                                      autoencoder.number_weights(), options_.seed, threads_);
    detail::fit_latent_range(embedding, width, options_.gan.latent_squash, model);
    return detail::scaled_latent_rows(embedding, encoded.rows(), width, model);
  }

  void train_gan(const LatentRows& latent, const AlignedBuffer<float>& autoencoder_weights, TableModel& model,
                 const ProgressCallback& callback, detail::Checkpoints& states) {
    const auto& options = options_.gan;
    GanStage<GeneratorType, DiscriminatorType> stage(latent, options, options_.seed, threads_);
    EpochOrder order(latent.rows(), options_.seed + 1);
    const std::size_t batch = std::min(options.batch, latent.rows());
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
    detail::StageClock clock("gan", 2, 2, epochs, seconds);
    StageReport result{.name = "gan"};
    const auto save = [&] {
      detail::StateFile state;
      stage.save(state);
      state.put("autoencoder.best", autoencoder_weights);
      state.put("autoencoder.epochs", std::uint64_t{stages_.front().epochs});
      state.put("autoencoder.seconds", stages_.front().seconds);
      state.put("autoencoder.stopped", std::uint64_t{stages_.front().stopped ? 1U : 0U});
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
    model.generator_network = stage.generator().network(stage.generator_values().data());
  }

  static void require_finite(double loss, const char* stage, std::size_t epoch, std::size_t step) {
    if (!std::isfinite(loss))
      throw TrainingError(stage, epoch + 1, step + 1,
                          "the loss is " + std::string(std::isnan(loss) ? "not a number" : "infinite") +
                              "; a lower learning rate is the usual cure");
  }

  TrainerOptions options_;
  std::vector<StageReport> stages_;
  int threads_ = 1;
};

ROWSMITH_END
