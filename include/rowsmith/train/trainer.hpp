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
#include <rowsmith/train/gan_stage.hpp>
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
  StageClock(std::string_view stage, std::size_t number, std::size_t stages, std::size_t epochs)
      : start_(std::chrono::steady_clock::now()) {
    progress_.stage = stage;
    progress_.stage_number = number;
    progress_.stages = stages;
    progress_.epochs = epochs;
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
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

  /// Trains on all rows of `train`. The same table, options and build give the same bits.
  /// \throws SchemaError for a table that cannot be encoded, or without a label if `conditional`
  /// \throws TrainingError when a loss is no longer finite
  TableModel fit(const Table& train, const ProgressCallback& callback = {}) {
    stages_.clear();
    if (train.rows() < 10)
      throw SchemaError("fit: the table has " + std::to_string(train.rows()) + " rows, expected at least 10");
    if (train.rows() > std::numeric_limits<std::uint32_t>::max())
      throw SchemaError("fit: the table has more than 2^32 - 1 rows");
    const int threads = resolve_threads(options_.threads);
    TableModel model;
    model.encoder = TableEncoder::fit(train, options_.encoding);
    model.decoding = options_.decoding;
    model.temperature = options_.temperature;
    model.noise_width = GeneratorType::noise_width;
    const EncodedTable encoded = model.encoder.encode(train);
    LatentRows latent;
    if (options_.conditional)
      read_labels(train, model, latent);
    train_autoencoder(encoded, model, threads, callback);
    embed(encoded, model, latent, threads);
    train_gan(latent, model, threads, callback);
    model.notes = {{"recipe", options_.recipe},
                   {"seed", std::to_string(options_.seed)},
                   {"training_rows", std::to_string(train.rows())}};
    return model;
  }

private:
  void read_labels(const Table& train, TableModel& model, LatentRows& latent) const {
    const auto& name = train.schema().label();
    if (name.empty())
      throw SchemaError("fit: a conditional model needs a label: give the schema a Label<\"...\"> column");
    const auto& column = train[name];
    const auto& codec = model.encoder.codecs()[train.schema().index_of(name)];
    model.labels = codec.categories;
    latent.label_count = static_cast<Index>(model.labels.size());
    std::vector<std::size_t> counts(model.labels.size());
    for (std::size_t row = 0; row < train.rows(); ++row) {
      const auto known = column.is_missing(row) ? model.labels.end()
                                                : std::lower_bound(model.labels.begin(), model.labels.end(),
                                                                   column.dictionary.text(column.codes[row]));
      if (known == model.labels.end() || *known != column.dictionary.text(column.codes[row]))
        throw SchemaError("fit: the label '" + name + "' is missing or folded away in row " +
                          std::to_string(row + 1) + "; a conditional model needs it in every row");
      latent.labels.push_back(static_cast<std::int32_t>(known - model.labels.begin()));
      ++counts[static_cast<std::size_t>(known - model.labels.begin())];
    }
    for (const auto count : counts)
      model.label_shares.push_back(static_cast<double>(count) / static_cast<double>(train.rows()));
  }

  void train_autoencoder(const EncodedTable& encoded, TableModel& model, int threads,
                         const ProgressCallback& callback) {
    const auto& options = options_.autoencoder;
    AutoencoderStage<AutoencoderType> stage(AutoencoderType(model.encoder, options.kl_weight > 0,
                                                            options_.conditional ? options.label_weight : 1),
                                            encoded, options, options_.seed, threads);
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
    detail::StageClock clock("autoencoder", 1, 2, epochs);
    AlignedBuffer<float> best = stage.values();
    double best_loss = std::numeric_limits<double>::infinity();
    std::uint64_t best_step = 0;
    StageReport result{.name = "autoencoder"};
    for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
      const auto permutation = order(static_cast<std::uint32_t>(epoch));
      double sum = 0;
      for (std::size_t step = 0; step < steps_an_epoch; ++step) {
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
      const bool done = stage.steps() - best_step >= options.patience || epoch + 1 == epochs;
      result.stopped = !clock.tell(callback, epoch + 1, training.size(), values, done) && !done;
      if (done || result.stopped)
        break;
    }
    result.seconds = clock.seconds();
    stages_.push_back(result);
    model.encoder_network = stage.model().encoder_network(best.data());
    model.decoder_network = stage.model().decoder_network(best.data());
    posterior_network_ = stage.model().posterior_network(best.data());
    code_offsets_ = stage.model().code_offsets();
    number_weights_ = stage.model().number_weights();
  }

  /// Latent codes of all rows, scaled into (−1, 1) dimension by dimension.
  void embed(const EncodedTable& encoded, TableModel& model, LatentRows& latent, int threads) const {
    const Index width = AutoencoderType::latent_width;
    latent.width = width;
    latent.codes.resize(encoded.rows() * static_cast<std::size_t>(width));
    constexpr std::size_t block = 256;
    parallel_for((encoded.rows() + block - 1) / block, threads, [&](std::size_t part) {
      InferenceScratch scratch;
      BatchBuffer buffer(encoded, code_offsets_, number_weights_);
      const std::size_t begin = part * block;
      std::vector<std::uint32_t> rows(std::min(block, encoded.rows() - begin));
      std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(begin));
      buffer.load(rows);
      const auto count = static_cast<Index>(rows.size());
      const float* posterior = posterior_network_.run(buffer.rows(0, count), scratch);
      const bool variational = posterior_network_.outputs() == 2 * width;
      const RandomStream noise(options_.seed, Purpose::encode_position);
      const auto blocks = static_cast<std::uint64_t>(detail::blocks_per_row(width));
      for (Index r = 0; r < count; ++r) {
        float* to = latent.codes.data() + (static_cast<Index>(begin) + r) * width;
        const float* from = posterior + r * posterior_network_.outputs();
        if (!variational) {
          std::copy_n(from, width, to);
          continue;
        }
        // The decoder was trained on codes drawn from the posterior: the generator must learn those, not
        // means.
        fill_normal(noise, (begin + static_cast<std::uint64_t>(r)) * blocks, to, width);
        for (Index j = 0; j < width; ++j)
          to[j] = from[j] + std::exp(from[width + j] / 2) * to[j];
      }
    });
    scale_into_range(latent, model);
  }

  /// Brings each latent dimension into (−1, 1) and notes the way back in the model.
  void scale_into_range(LatentRows& latent, TableModel& model) const {
    const std::size_t width = static_cast<std::size_t>(latent.width);
    const std::size_t rows = latent.rows();
    const double squash = options_.gan.latent_squash;
    for (std::size_t j = 0; j < width; ++j) {
      double mean = 0;
      for (std::size_t r = 0; r < rows; ++r)
        mean += static_cast<double>(latent.codes[r * width + j]) / static_cast<double>(rows);
      double variance = 0;
      double largest = 0;
      for (std::size_t r = 0; r < rows; ++r) {
        const double x = static_cast<double>(latent.codes[r * width + j]) - mean;
        variance += x * x / static_cast<double>(rows);
        largest = std::max(largest, std::abs(x));
      }
      // A margin, because Tanh reaches ±1 only at infinity; a dimension that never changes needs any scale.
      largest = std::max(1e-6, 1.05 * largest);
      const double scale = squash > 0 ? std::max(1e-6, std::sqrt(variance)) / squash : largest;
      const double bound = squash > 0 ? std::clamp(std::tanh(largest / scale), 1e-6, 1 - 1e-6) : 1;
      for (std::size_t r = 0; r < rows; ++r) {
        float& code = latent.codes[r * width + j];
        const double x = (static_cast<double>(code) - mean) / scale;
        code = static_cast<float>(squash > 0 ? std::tanh(x) / bound : x);
      }
      model.latent_offset.push_back(static_cast<float>(mean));
      model.latent_scale.push_back(static_cast<float>(scale));
      if (squash > 0)
        model.latent_bound.push_back(static_cast<float>(bound));
    }
  }

  void train_gan(const LatentRows& latent, TableModel& model, int threads, const ProgressCallback& callback) {
    const auto& options = options_.gan;
    GanStage<GeneratorType, DiscriminatorType> stage(latent, options, options_.seed, threads);
    EpochOrder order(latent.rows(), options_.seed + 1);
    const std::size_t batch = std::min(options.batch, latent.rows());
    const std::size_t steps_an_epoch =
        latent.rows() / batch; // whole batches: the rest comes in another epoch
    const std::size_t epochs = (options.steps + steps_an_epoch - 1) / steps_an_epoch;
    const std::uint64_t total_steps = steps_an_epoch * epochs;
    detail::StageClock clock("gan", 2, 2, epochs);
    StageReport result{.name = "gan"};
    std::uint64_t done_steps = 0;
    for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
      const auto permutation = order(static_cast<std::uint32_t>(epoch));
      double discriminator_loss = 0;
      double generator_loss = 0;
      for (std::size_t step = 0; step < steps_an_epoch; ++step, ++done_steps) {
        const double rate = options.schedule(done_steps, total_steps);
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
  InferenceNetwork posterior_network_; ///< of the stage-1 autoencoder; equals its encoder unless variational
  std::vector<std::int32_t> code_offsets_;
  std::vector<std::int32_t> number_weights_;
};

ROWSMITH_END
