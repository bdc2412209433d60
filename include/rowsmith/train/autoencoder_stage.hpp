// SPDX-License-Identifier: MIT
/// \file
/// Stage 1 step by step: the autoencoder on encoded rows.
#pragma once

#include <cstdint>
#include <span>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN

/// Weights, moments and buffers of the autoencoder's training. `Trainer` drives it; a loop of your own can
/// too.
template <class AutoencoderType>
class AutoencoderStage {
public:
  /// \param rows encoded rows; must outlive the stage
  AutoencoderStage(const AutoencoderType& model, const EncodedTable& rows, const AutoencoderOptions& options,
                   std::uint64_t seed, int threads)
      : model_(model), options_(options), seed_(seed),
        values_(model_.template initialise<float>(seed)),
        optimiser_(options.optimiser, model_.layout().size()), average_(options.average_decay, values_),
        parallel_(threads),
        batch_(rows, model_.code_offsets(), model_.number_weights()) {}
  AutoencoderStage(const AutoencoderStage&) = delete; // the batch buffer points into the model
  AutoencoderStage& operator=(const AutoencoderStage&) = delete;

  /// One step on the chosen rows. \param total_steps of the whole training, for the schedules
  /// \returns the mean loss a row before the step
  double step(std::span<const std::uint32_t> rows, std::uint64_t total_steps) {
    const double rate = options_.schedule(optimiser_.steps(), total_steps);
    const double kl = options_.kl_weight * kl_factor(total_steps);
    const double loss = run(rows, values_, static_cast<std::uint32_t>(optimiser_.steps()), true, kl);
    parallel_.apply(optimiser_, values_, rate);
    if (options_.average_decay > 0)
      average_.update(values_);
    return loss;
  }
  /// Mean loss a row of the weights to keep, without dropout and with the full KL weight; the latent noise is
  /// the same at each call.
  double evaluate(std::span<const std::uint32_t> rows) {
    double total = 0;
    constexpr std::size_t block = 1024;
    for (std::size_t begin = 0; begin < rows.size(); begin += block) {
      const auto part = rows.subspan(begin, std::min(block, rows.size() - begin));
      total += run(part, kept_values(), static_cast<std::uint32_t>(begin), false, options_.kl_weight) *
               static_cast<double>(part.size());
    }
    return total / static_cast<double>(rows.size());
  }

  std::uint64_t steps() const noexcept { return optimiser_.steps(); }
  const AutoencoderType& model() const noexcept { return model_; }
  /// The weights to keep: their moving average if there is one.
  const AlignedBuffer<float>& kept_values() const noexcept {
    return options_.average_decay > 0 ? average_.values() : values_;
  }

  /// Adds all that `load` needs to go on with the same bits.
  void save(detail::StateFile& state) const {
    state.put("autoencoder.values", values_);
    state.put("autoencoder", optimiser_);
    state.put("autoencoder.average", average_.values());
    state.put("autoencoder.average.steps", average_.steps());
  }
  /// \throws ModelFileError if the state is not one of such a stage
  void load(const detail::StateFile& state) {
    values_ = state.buffer("autoencoder.values", values_.size());
    state.restore("autoencoder", optimiser_);
    average_.restore(state.count("autoencoder.average.steps"),
                     state.buffer("autoencoder.average", values_.size()));
  }

private:
  double kl_factor(std::uint64_t total_steps) const {
    const double warmup = options_.kl_warmup * static_cast<double>(total_steps);
    return warmup > 0 ? std::min(1.0, static_cast<double>(optimiser_.steps() + 1) / warmup) : 1;
  }
  double run(std::span<const std::uint32_t> rows, const AlignedBuffer<float>& values, std::uint32_t step,
             bool training, double kl_weight) {
    batch_.load(rows);
    const auto count = static_cast<Index>(rows.size());
    return parallel_.run(count, model_.layout().size(), training,
                         [&](Tape<float>& tape, float* gradients, Index first, Index part) {
                           const BoundParameters<float> parameters(tape, values.data(), gradients);
                           const Pass pass{.training = training,
                                           .seed = training ? seed_ : seed_ + 1,
                                           .step = step,
                                           .first_row = static_cast<std::uint64_t>(first)};
                           return model_.loss(parameters, batch_.rows(first, part), pass,
                                              1 / static_cast<double>(count), kl_weight);
                         });
  }

  AutoencoderType model_;
  AutoencoderOptions options_;
  std::uint64_t seed_;
  AlignedBuffer<float> values_;
  Optimiser<float> optimiser_;
  WeightAverage<float> average_;
  DataParallel<float> parallel_;
  BatchBuffer batch_;
};

ROWSMITH_END
