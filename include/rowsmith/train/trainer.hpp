// SPDX-License-Identifier: MIT
/// \file
/// Runs the stages: autoencoder, then GAN or conditional GAN in its latent space, then the refit of the
/// decoder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
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
#include <rowsmith/train/guide_stage.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/refit_stage.hpp>
#include <rowsmith/train/row_decoder.hpp>
#include <rowsmith/train/stage.hpp>
#include <rowsmith/train/trainer_declarations.hpp>
#include <rowsmith/train/training_rows.hpp>
#include <rowsmith/train/tree_stage.hpp>

ROWSMITH_BEGIN

namespace detail {

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
template <class AutoencoderType, class GeneratorType, class DiscriminatorType, class Loss, class Penalty>
class Trainer : detail::TrainerCheck<AutoencoderType, GeneratorType,
                                     GanStage<GeneratorType, DiscriminatorType, Loss, Penalty>::on_rows> {
  static constexpr bool on_rows = GanStage<GeneratorType, DiscriminatorType, Loss, Penalty>::on_rows;
  using DecoderType = std::conditional_t<on_rows, RowDecoder<AutoencoderType>, NoDecoder>;
  using Gan = GanStage<GeneratorType, DiscriminatorType, Loss, Penalty, DecoderType>;
  static constexpr bool in_order =
      std::is_same_v<decltype(std::declval<const AutoencoderType&>().heads_network(nullptr)),
                     AutoregressiveNetwork> &&
      AutoencoderType::DecoderLayers::size == 0;

public:
  /// \throws OptionError for an option out of range
  explicit Trainer(TrainerOptions options = {}) : options_(std::move(options)) {
    options_.check();
    if (options_.privacy.epsilon > 0)
      throw OptionError("privacy.epsilon = " + json_number(options_.privacy.epsilon) +
                        ": this recipe trains without a guarantee; take PrivateRecipe");
    if (options_.trees.share > 0 && options_.decoding == Decoding::argmax)
      throw OptionError("trees.share: columns are drawn from their trees, which argmax has no meaning for");
    if (options_.trees.share > 0 && options_.temperature != 1)
      throw OptionError(
          "trees.share: columns are drawn from their trees, which know no temperature; expected 1");
    if (options_.trees.share > 0 && options_.trees.share < 1 && !in_order)
      throw OptionError("trees.share = " + std::to_string(options_.trees.share) +
                        ": only AutoregressiveHeads that read the latent code itself can share columns with "
                        "trees; expected 0 or 1");
    if (options_.guide.rounds > 0 && options_.encoding.numerical != NumericalEncoding::codes)
      throw OptionError("guide.rounds: a guide needs every column as codes: set encoding.numerical = "
                        "NumericalEncoding::codes, or guide.rounds = 0");
  }

  const TrainerOptions& options() const noexcept { return options_; }
  /// The stages of the last `fit`.
  const std::vector<StageReport>& stages() const noexcept { return stages_; }

  /// Trains on all rows of `train`. The same table, options and build give the same bits, also when the
  /// training was interrupted and goes on from a checkpoint.
  /// \param checkpoints  such as `checkpoint_file("fit.checkpoint")`; by default none are kept
  /// \throws SchemaError for a table that cannot be encoded, or without a label if `conditional`
  /// \throws TrainingError when a loss is no longer finite
  /// \throws ModelFileError if the store holds the state of another training; what its `load` throws
  TableModel fit(const Table& train, const ProgressCallback& callback = {},
                 const CheckpointStore& checkpoints = {}) {
    return fit(TrainingRows::of(train, options_), callback, checkpoints);
  }

  /// The same for rows that are encoded already, such as those of a table that memory does not hold.
  TableModel fit(TrainingRows rows, const ProgressCallback& callback = {},
                 const CheckpointStore& checkpoints = {}) {
    stages_.clear();
    const std::size_t row_count = rows.encoded.rows();
    TrainingRows::check_count(row_count);
    const int threads = resolve_threads(options_.threads);
    const Workers workers(threads, options_.team);
    const Split split(row_count, options_);
    TableModelParts model;
    const auto labels = options_.conditional ? rows.labels() : std::vector<std::int32_t>();
    EncodedTable encoded = std::move(rows.encoded);
    model.preparation = std::move(rows.preparation);
    model.encoder = std::move(rows.encoder);
    if (options_.conditional)
      note_labels(labels, model);
    const AutoencoderType autoencoder(model.encoder, options_.autoencoder.kl_weight > 0,
                                      options_.conditional ? options_.autoencoder.label_weight : 1,
                                      {&encoded, split.training()});
    const auto first = options_.autoencoder.for_rows(row_count);
    const auto refit = options_.refit.for_rows(row_count);
    detail::Checkpoints states(checkpoints,
                               checkpoints.save ? identity(autoencoder, model, encoded, labels) : Identity{});
    const std::size_t stage_count = 2U + (options_.refit.steps > 0 ? 1U : 0U) +
                                    (options_.trees.share > 0 ? 1U : 0U) +
                                    (options_.guide.rounds > 0 ? 1U : 0U);
    detail::StageDriver driver(callback, states, stage_count, stages_, workers.team);

    const auto weights = driver.run({.name = "autoencoder",
                                     .training = split.training(),
                                     .validation = split.validation(),
                                     .order_seed = options_.seed,
                                     .steps = first.steps,
                                     .patience = first.patience},
                                    autoencoder.layout().size(), [&] {
                                      return AutoencoderStage<AutoencoderType>(autoencoder, encoded, first,
                                                                               options_.seed, workers);
                                    });
    note_decoder(autoencoder, weights, model);
    model.encoder_network = autoencoder.encoder_network(weights.data());
    {
      // Of a large table, rows by chance.
      const bool all = row_count <= detail::RowBudget::latent_rows;
      const auto chosen = std::span(split.rows).first(all ? 0 : detail::RowBudget::latent_rows);
      const EncodedTable some = encoded.select(chosen);
      const EncodedTable& shown = all ? encoded : some;
      LatentRows latent = embed(autoencoder, weights, shown, workers, model);
      latent.labels = labels;
      std::vector<std::uint32_t> numbers; // of chosen rows
      if (!all) {
        numbers.resize(chosen.size());
        std::iota(numbers.begin(), numbers.end(), 0U);
        latent.labels.resize(labels.empty() ? 0 : chosen.size());
        for (std::size_t i = 0; i < latent.labels.size(); ++i)
          latent.labels[i] = labels[chosen[i]];
      }
      if (!on_rows && all && options_.refit.steps == 0 && options_.trees.share == 0 &&
          options_.guide.rounds == 0)
        encoded = {}; // no longer needed
      latent.label_count = static_cast<Index>(model.labels.size());
      if constexpr (GeneratorType::mixture_components > 0)
        model.mixture =
            fit_gaussian_mixture(latent, GeneratorType::mixture_components, options_.seed, threads);
      const GeneratorType generator(latent.label_count);
      const auto generator_weights =
          driver.run({.name = "gan",
                      .training = all ? std::span<const std::uint32_t>(split.rows) : numbers,
                      .order_seed = options_.seed + 1,
                      .steps = options_.gan.steps},
                     generator.layout().size(), [&] {
                       return Gan(latent, options_.gan, options_.seed, workers, model.mixture,
                                  decoder(autoencoder, weights, shown, model));
                     });
      model.generator_network = generator.network(generator_weights.data());
    }
    model.noise_width = GeneratorType::noise_width;
    if (options_.refit.steps > 0)
      note_decoder(autoencoder,
                   driver.run({.name = "refit",
                               .training = split.training(),
                               .validation = split.validation(),
                               .order_seed = options_.seed + 2000,
                               .steps = refit.steps,
                               .patience = refit.patience},
                              autoencoder.layout().size(),
                              [&] {
                                return RefitStage<AutoencoderType>(autoencoder, encoded, labels, model, refit,
                                                                   options_.seed, workers, weights);
                              }),
                   model);
    // Trees learn more by heart than heads do: they stay only where rows with them are told from the table's
    // less easily.
    const bool may_leave_trees = options_.trees.validated && options_.trees.share > 0 &&
                                 options_.trees.share < 1 && options_.guide.rounds > 0;
    const auto heads_alone = may_leave_trees ? std::optional(model.heads) : std::nullopt;
    if (options_.trees.share > 0)
      add_trees(autoencoder, weights, encoded, labels, split.of_trees(), workers, callback,
                stage_count - (options_.guide.rounds > 0 ? 1U : 0U), stage_count, model);
    model.decoding = options_.decoding;
    model.temperature = options_.temperature;
    model.notes = {{"recipe", options_.recipe},
                   {"seed", std::to_string(options_.seed)},
                   {"training_rows", std::to_string(row_count)},
                   {"options", options_.describe()}};
    if (options_.guide.rounds > 0)
      add_guide(heads_alone, encoded, split, workers, callback, stage_count, model);
    for (const auto& stage : stages_)
      if (!stage.curve.figures.empty())
        model.curves.push_back(stage.curve);
    TableModel result(std::move(model));
    states.discard(); // now that there is a model, and one that holds together
    return result;
  }

private:
  using Identity = std::vector<std::pair<std::string, std::string>>;

  /// Rows to train on and rows to judge by.
  struct Split {
    Split(std::size_t count, const TrainerOptions& options) : rows(count) {
      std::iota(rows.begin(), rows.end(), 0U);
      RandomSequence random(RandomStream(options.seed, Purpose::split));
      shuffle(std::span<std::uint32_t>(rows), random);
      const double share = options.autoencoder.validation_fraction * static_cast<double>(count);
      held_out = std::clamp(static_cast<std::size_t>(share), std::clamp<std::size_t>(count / 5, 1, 200),
                            detail::RowBudget::held_out);
    }
    std::span<const std::uint32_t> validation() const { return {rows.data(), held_out}; }
    std::span<const std::uint32_t> training() const {
      return {rows.data() + held_out, rows.size() - held_out};
    }
    std::span<const std::uint32_t> of_trees() const {
      return training().first(std::min(training().size(), detail::RowBudget::tree_rows));
    }
    std::vector<std::uint32_t> rows;
    std::size_t held_out = 0;
  };

  Identity identity(const AutoencoderType& autoencoder, const TableModelParts& model,
                    const EncodedTable& encoded, std::span<const std::int32_t> labels) const {
    const auto label_count = static_cast<Index>(model.labels.size());
    return {{"rows", detail::table_fingerprint(model.encoder, encoded, labels)},
            {"options", options_.describe()},
            {"layers", detail::describe(autoencoder.layout()) +
                           detail::describe(GeneratorType(label_count).layout()) +
                           Gan::describe_discriminators(AutoencoderType::latent_width, label_count)},
            {"types", detail::type_text<Trainer>()}};
  }

  /// Notes in the model which labels there are, and how often.
  static void note_labels(std::span<const std::int32_t> labels, TableModelParts& model) {
    const auto& schema = model.encoder.schema();
    model.labels = model.encoder.codecs()[schema.index_of(schema.label())].categories;
    std::vector<std::size_t> counts(model.labels.size());
    for (const auto label : labels)
      ++counts[static_cast<std::size_t>(label)];
    for (const auto count : counts)
      model.label_shares.push_back(static_cast<double>(count) / static_cast<double>(labels.size()));
  }

  static void note_decoder(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                           TableModelParts& model) {
    model.decoder_network = autoencoder.decoder_network(weights.data());
    model.heads = autoencoder.heads_network(weights.data());
  }
  /// Stage 4. It is short, so that a training that is resumed does it again, and a listener cannot stop it.
  void add_trees(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                 const EncodedTable& encoded, std::span<const std::int32_t> labels,
                 std::span<const std::uint32_t> rows, Workers workers, const ProgressCallback& callback,
                 std::size_t number, std::size_t stage_count, TableModelParts& model) {
    const auto width = static_cast<std::size_t>(AutoencoderType::latent_width);
    const auto posterior = autoencoder.posterior_network(weights.data());
    std::vector<float> latents(rows.size() * width);
    constexpr std::size_t size = 512; // of a batch
    const Batches batches(rows.size(), size);
    const auto own = workers.own_part(batches.count());
    parallel_for(own.size(), workers.threads, [&](std::size_t i) {
      const std::size_t b = own.begin + i;
      detail::LatentMatcher matcher(encoded, posterior, model, autoencoder.code_offsets(),
                                    autoencoder.number_weights(), labels, options_.seed);
      const auto part = batches.of(rows, b);
      // Numbers that no step of the refit reaches.
      matcher.match(part, (1U << 29U) + static_cast<std::uint32_t>(b),
                    latents.data() + static_cast<std::size_t>(part.data() - rows.data()) * width);
    });
    workers.share_parts(latents.data(), rows.size(), width, size);
    std::vector<std::int32_t> order;
    for (const auto column : automatic_order(model.encoder))
      if (!model.encoder.layout()[static_cast<std::size_t>(column)].fine)
        order.push_back(column);
    RoundProgress progress(callback, "trees", order.size(), number, stage_count);
    auto trees = detail::fit_trees(model.encoder, encoded, rows, latents, width, order, options_.trees,
                                   options_.seed, workers, [&progress] { progress.done(); });
    stages_.push_back({.name = "trees", .epochs = order.size(), .seconds = progress.seconds()});
    if (options_.trees.share < 1) {
      auto* neural = std::get_if<AutoregressiveNetwork>(&model.heads);
      std::vector<double> shares(trees.columns.size(), options_.trees.share);
      model.heads = MixedNetwork{std::move(*neural), std::move(trees), std::move(shares)};
    } else {
      model.heads = std::move(trees);
      model.decoder_network = {};
    }
  }
  /// The last stage, as short. \param heads_alone  heads without trees, to be taken unless these bring rows
  /// nearer
  void add_guide(const std::optional<TrainedHeads>& heads_alone, const EncodedTable& encoded,
                 const Split& split, Workers workers, const ProgressCallback& callback,
                 std::size_t stage_count, TableModelParts& model) {
    std::vector<TableModel> models{TableModel(model)};
    if (heads_alone) {
      auto alone = model;
      alone.heads = *heads_alone;
      models.emplace_back(std::move(alone));
    }
    RoundProgress progress(callback, "guide", models.size(), stage_count, stage_count);
    auto fitted = detail::fit_guides(models, encoded, split.training(), split.validation(), options_.guide,
                                     options_.seed, workers, [&progress] { progress.done(); });
    const bool without = heads_alone && fitted.back().told < fitted.front().told + options_.guide.min_gain;
    if (without) {
      model.notes["trees"] = "left out: rows held out are told from those with trees by " +
                             json_number(fitted.front().told) + " nats a row, from those without by " +
                             json_number(fitted.back().told);
      model.heads = *heads_alone;
    }
    model.guide = std::move(fitted[without ? 1 : 0].guide);
    stages_.push_back({.name = "guide", .epochs = models.size(), .seconds = progress.seconds()});
  }
  LatentRows embed(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                   const EncodedTable& encoded, Workers workers, TableModelParts& model) const {
    const Index width = AutoencoderType::latent_width;
    const auto posterior = autoencoder.posterior_network(weights.data());
    const detail::Embedding embedding(encoded, posterior, width, autoencoder.code_offsets(),
                                      autoencoder.number_weights(), options_.seed, workers);
    const float range = detail::fit_latent_range(embedding, width, !GeneratorType::residual,
                                                 options_.gan.latent_squash, model);
    return detail::scaled_latent_rows(embedding, encoded.rows(), width, range, model);
  }
  DecoderType decoder(const AutoencoderType& autoencoder, const AlignedBuffer<float>& weights,
                      const EncodedTable& encoded, const TableModelParts& model) const {
    if constexpr (on_rows)
      return {autoencoder, weights, encoded, model, options_.gan.gumbel_temperature};
    else
      return {};
  }

  TrainerOptions options_;
  std::vector<StageReport> stages_;
};

ROWSMITH_END
