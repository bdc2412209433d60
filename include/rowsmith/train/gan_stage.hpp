// SPDX-License-Identifier: MIT
/// \file
/// Stage 2 step by step: generator against discriminator in the latent space (Goodfellow et al. 2014, with
/// the non-saturating generator loss; conditional: Mirza & Osindero 2014).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/autodiff/ops/shape.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN

/// Weights, moments and buffers of the adversarial training. `Trainer` drives it; a loop of your own can too.
template <class GeneratorType, class DiscriminatorType>
class GanStage {
public:
  /// \param rows must outlive the stage
  GanStage(const LatentRows& rows, const GanOptions& options, std::uint64_t seed, int threads)
      : rows_(&rows), options_(options), seed_(seed), generator_(rows.label_count),
        discriminator_(rows.width(), rows.label_count),
        generator_values_(generator_.layout().template initialise<float>(seed)),
        discriminator_values_(discriminator_.layout().template initialise<float>(seed + 1)),
        generator_optimiser_(options.optimiser, generator_.layout().size()),
        discriminator_optimiser_(discriminator_options(options), discriminator_.layout().size()),
        average_(options.average_decay, generator_values_), parallel_(threads) {}

  /// One discriminator step on the chosen real rows and as many generated ones; the generator is not touched.
  /// \returns mean BCE of the real rows plus mean BCE of the generated ones, before the step
  double discriminator_step(std::span<const std::uint32_t> rows, double rate_factor) {
    const auto count = static_cast<Index>(rows.size());
    load_rows(rows);
    const auto step = next_step();
    const double loss = parallel_.run(
        count, discriminator_.layout().size(), true,
        [&](Tape<float>& tape, float* gradients, Index first, Index part) {
          const BoundParameters<float> frozen(tape, generator_values_.data(), nullptr);
          const BoundParameters<float> parameters(tape, discriminator_values_.data(), gradients);
          const Pass pass = pass_of(step, first);
          // Real and generated rows draw different dropout masks.
          Pass fake_pass = pass;
          fake_pass.first_row += std::uint64_t{1} << 32U;
          const double weight = 1 / static_cast<double>(count);
          const auto real = tape.constant(real_.data() + first * discriminator_.input_width(), part,
                                          discriminator_.input_width());
          const auto fake =
              with_labels(generator_.forward(frozen, generator_input(tape, first, part, pass), pass), first);
          return add(bce_with_logits(discriminator_.forward(parameters, real, pass), 1, weight),
                     bce_with_logits(discriminator_.forward(parameters, fake, fake_pass), 0, weight));
        });
    parallel_.apply(discriminator_optimiser_, discriminator_values_, rate_factor);
    return loss;
  }

  /// One generator step against the discriminator as it is. \param rows real rows whose labels are asked for
  /// (their number is the batch) \returns mean BCE of the generated rows taken for real, before the step
  double generator_step(std::span<const std::uint32_t> rows, double rate_factor) {
    const auto count = static_cast<Index>(rows.size());
    load_labels(rows);
    const auto step = next_step();
    const double loss = parallel_.run(
        count, generator_.layout().size(), true,
        [&](Tape<float>& tape, float* gradients, Index first, Index part) {
          const BoundParameters<float> parameters(tape, generator_values_.data(), gradients);
          const BoundParameters<float> frozen(tape, discriminator_values_.data(), nullptr);
          const Pass pass = pass_of(step, first);
          const auto fake = with_labels(
              generator_.forward(parameters, generator_input(tape, first, part, pass), pass), first);
          return bce_with_logits(discriminator_.forward(frozen, fake, pass), 1,
                                 1 / static_cast<double>(count));
        });
    parallel_.apply(generator_optimiser_, generator_values_, rate_factor);
    if (options_.average_decay > 0)
      average_.update(generator_values_);
    return loss;
  }

  /// Discriminator steps made.
  std::uint64_t steps() const noexcept { return discriminator_optimiser_.steps(); }
  const GeneratorType& generator() const noexcept { return generator_; }
  const DiscriminatorType& discriminator() const noexcept { return discriminator_; }
  /// The generator's weights to keep: their moving average if there is one.
  const AlignedBuffer<float>& generator_values() const noexcept {
    return options_.average_decay > 0 ? average_.values() : generator_values_;
  }
  const AlignedBuffer<float>& discriminator_values() const noexcept { return discriminator_values_; }

  /// Adds all that `load` needs to go on with the same bits.
  void save(detail::StateFile& state) const {
    state.put("generator.values", generator_values_);
    state.put("generator.average", average_.values());
    state.put("generator.average.steps", average_.steps());
    state.put("generator", generator_optimiser_);
    state.put("discriminator.values", discriminator_values_);
    state.put("discriminator", discriminator_optimiser_);
    state.put("gan.draws", std::uint64_t{draws_});
  }
  /// \throws ModelFileError if the state is not one of such a stage
  void load(const detail::StateFile& state) {
    generator_values_ = state.buffer("generator.values", generator_values_.size());
    average_.restore(state.count("generator.average.steps"),
                     state.buffer("generator.average", average_.values().size()));
    state.restore("generator", generator_optimiser_);
    discriminator_values_ = state.buffer("discriminator.values", discriminator_values_.size());
    state.restore("discriminator", discriminator_optimiser_);
    draws_ = static_cast<std::uint32_t>(state.count("gan.draws"));
  }

private:
  static OptimiserOptions discriminator_options(const GanOptions& options) {
    auto result = options.optimiser;
    result.learning_rate *= options.discriminator_rate_factor;
    return result;
  }
  std::uint32_t next_step() noexcept { return draws_++; }
  Pass pass_of(std::uint32_t step, Index first) const {
    return {.training = true, .seed = seed_, .step = step, .first_row = static_cast<std::uint64_t>(first)};
  }
  static void grow(AlignedBuffer<float>& buffer, Index size) {
    if (buffer.size() < static_cast<std::size_t>(size))
      buffer.resize(static_cast<std::size_t>(size));
  }
  void load_labels(std::span<const std::uint32_t> rows) {
    const Index labels = rows_->label_count;
    if (labels == 0)
      return;
    grow(one_hot_, static_cast<Index>(rows.size()) * labels);
    one_hot_.fill(0);
    for (std::size_t i = 0; i < rows.size(); ++i)
      one_hot_[i * static_cast<std::size_t>(labels) + static_cast<std::size_t>(rows_->labels[rows[i]])] = 1;
  }
  void load_rows(std::span<const std::uint32_t> rows) {
    load_labels(rows);
    const Index width = rows_->width();
    const Index labels = rows_->label_count;
    grow(real_, static_cast<Index>(rows.size()) * (width + labels));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float* to = real_.data() + static_cast<Index>(i) * (width + labels);
      rows_->prefetch(rows[std::min(i + 16, rows.size() - 1)]);
      rows_->get(rows[i], to);
      std::copy_n(one_hot_.data() + static_cast<Index>(i) * labels, labels, to + width);
    }
  }
  Variable<float> labels_of(Tape<float>& tape, Index first, Index rows) const {
    return tape.constant(one_hot_.data() + first * rows_->label_count, rows, rows_->label_count);
  }
  Variable<float> generator_input(Tape<float>& tape, Index first, Index rows, const Pass& pass) const {
    const auto noise = normal_noise(tape, rows, GeneratorType::noise_width,
                                    pass.stream(Purpose::generator_noise, 0), pass.first_row);
    return rows_->label_count == 0 ? noise : concatenate_columns(noise, labels_of(tape, first, rows));
  }
  Variable<float> with_labels(const Variable<float>& latent, Index first) const {
    return rows_->label_count == 0
               ? latent
               : concatenate_columns(latent, labels_of(latent.tape(), first, latent.rows()));
  }

  const LatentRows* rows_;
  GanOptions options_;
  std::uint64_t seed_;
  GeneratorType generator_;
  DiscriminatorType discriminator_;
  AlignedBuffer<float> generator_values_;
  AlignedBuffer<float> discriminator_values_;
  Optimiser<float> generator_optimiser_;
  Optimiser<float> discriminator_optimiser_;
  WeightAverage<float> average_;
  DataParallel<float> parallel_;
  AlignedBuffer<float> real_;
  AlignedBuffer<float> one_hot_;
  std::uint32_t draws_ = 0; ///< steps of both kinds
};

ROWSMITH_END
