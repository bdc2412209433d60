// SPDX-License-Identifier: MIT
/// \file
/// Stage 1 step by step: the autoencoder on encoded rows.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/learner.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN

/// The autoencoder's training: an `EvaluatedStage`. `Trainer` drives it; a loop of your own can too.
template <class AutoencoderType>
class AutoencoderStage {
public:
  static constexpr std::array<std::string_view, 1> figures{"loss"};

  /// \param rows encoded rows; must outlive the stage
  AutoencoderStage(const AutoencoderType& model, const EncodedTable& rows, const AutoencoderOptions& options,
                   std::uint64_t seed, Workers workers)
      : model_(model), options_(options.for_rows(rows.rows())), seed_(seed),
        learner_("autoencoder", model_.layout(), model_.template initialise<float>(seed), seed,
                 options.optimiser, options.average_decay),
        parallel_(workers), batch_(rows, model_.code_offsets(), model_.number_weights()) {}
  AutoencoderStage(const AutoencoderStage&) = delete; // the batch buffer points into the model
  AutoencoderStage& operator=(const AutoencoderStage&) = delete;

  Batches batches(std::size_t rows) const { return {rows, options_.batch}; }
  /// One step on batch number `number` of an epoch. \param epoch  the training rows in the epoch's order
  /// \param total_steps of the whole training, for the schedules \returns the mean loss a row before the step
  std::array<double, 1> step(std::span<const std::uint32_t> epoch, std::size_t number,
                             std::uint64_t total_steps) {
    const auto rows = batches(epoch.size()).of(epoch, number);
    batch_.load(rows);
    const auto count = static_cast<Index>(rows.size());
    const Pass pass{.training = true, .seed = seed_, .step = static_cast<std::uint32_t>(steps())};
    return {learner_.learn(parallel_, count, options_.schedule(steps(), total_steps),
                           loss_of(pass, count, options_.kl_weight * kl_factor(total_steps)))};
  }
  /// Mean loss a row of the weights to keep, without dropout and with the full KL weight; the latent noise is
  /// the same at each call.
  double evaluate(std::span<const std::uint32_t> rows) {
    const Batches blocks(rows.size(), 1024);
    double total = 0;
    for (std::size_t number = 0; number < blocks.count(); ++number) {
      const auto part = blocks.of(rows, number);
      batch_.load(part);
      const auto count = static_cast<Index>(part.size());
      const Pass pass{.seed = seed_ + 1, .step = static_cast<std::uint32_t>(number)};
      total += learner_.evaluate(parallel_, count, loss_of(pass, count, options_.kl_weight)) *
               static_cast<double>(count);
    }
    return total / static_cast<double>(rows.size());
  }

  std::uint64_t steps() const noexcept { return learner_.steps(); }
  const AutoencoderType& model() const noexcept { return model_; }
  const AlignedBuffer<float>& kept_values() const noexcept { return learner_.kept_values(); }
  void save(detail::StateFile& state) const { learner_.save(state); }
  void load(const detail::StateFile& state) { learner_.load(state); }

private:
  double kl_factor(std::uint64_t total_steps) const {
    const double warmup = options_.kl_warmup * static_cast<double>(total_steps);
    return warmup > 0 ? std::min(1.0, static_cast<double>(steps() + 1) / warmup) : 1;
  }
  auto loss_of(Pass pass, Index batch, double kl_weight) const {
    return [=, this](const BoundParameters<float>& parameters, Index first, Index part) {
      Pass own = pass;
      own.first_row = static_cast<std::uint64_t>(first);
      return model_.loss(parameters, batch_.rows(first, part), own, 1 / static_cast<double>(batch),
                         kl_weight);
    };
  }

  AutoencoderType model_;
  AutoencoderOptions options_;
  std::uint64_t seed_;
  Learner learner_;
  DataParallel<float> parallel_;
  BatchBuffer batch_;
};

ROWSMITH_END
