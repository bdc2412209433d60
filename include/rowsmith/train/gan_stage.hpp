// SPDX-License-Identifier: MIT
/// \file
/// Stage 2 step by step: generator against one or several discriminators (Goodfellow et al. 2014; conditional:
/// Mirza & Osindero 2014).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/reduce.hpp>
#include <rowsmith/autodiff/ops/shape.hpp>
#include <rowsmith/models/adversarial_loss.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/models/gaussian_mixture.hpp>
#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN

/// In place of a decoder where every discriminator judges latent codes.
struct NoDecoder {};

namespace detail {

template <class T>
struct DiscriminatorTuple {
  using type = std::tuple<T>;
};
template <class... T>
struct DiscriminatorTuple<Discriminators<T...>> {
  using type = std::tuple<T...>;
};

/// A discriminator in training.
template <class DiscriminatorType>
struct Opponent {
  Opponent(Index width, Index labels, const GanOptions& options, std::uint64_t seed)
      : model(width, labels), values(model.layout().template initialise<float>(seed)),
        optimiser(optimiser_of(options), model.layout().size()) {
    model.prepare(values.data(), 20);
  }
  static OptimiserOptions optimiser_of(const GanOptions& options) {
    auto result = options.optimiser;
    result.learning_rate *= options.discriminator_rate_factor;
    return result;
  }
  DiscriminatorType model;
  AlignedBuffer<float> values;
  Optimiser<float> optimiser;
  AlignedBuffer<float> real; ///< a batch as this discriminator reads it
};

template <class Tuple>
struct PackingOf;
template <class... T>
struct PackingOf<std::tuple<T...>> {
  static constexpr Index value = std::max({T::packing...});
  static_assert(((T::packing == value) && ...), "Discriminators of one generator must pack as many rows each");
  static constexpr bool on_rows = (T::on_rows || ...);
};

} // namespace detail

/// Weights, moments and buffers of the adversarial training. `Trainer` drives it; a loop of your own can too.
/// \tparam DiscriminatorType  a `Discriminator`, or `Discriminators<…>` of several
/// \tparam DecoderType  what decodes latent codes for discriminators `OnRows`
template <class GeneratorType, class DiscriminatorType, class Loss = BceLoss, class Penalty = NoPenalty,
          class DecoderType = NoDecoder>
class GanStage {
  using Tuple = typename detail::DiscriminatorTuple<DiscriminatorType>::type;
  template <class T>
  struct OpponentsOf;
  template <class... T>
  struct OpponentsOf<std::tuple<T...>> {
    using type = std::tuple<detail::Opponent<T>...>;
  };

public:
  static constexpr Index packing = detail::PackingOf<Tuple>::value;
  static constexpr bool on_rows = detail::PackingOf<Tuple>::on_rows;

  /// \param rows, mixture, decoder  must outlive the stage
  GanStage(const LatentRows& rows, const GanOptions& options, std::uint64_t seed, int threads,
           const GaussianMixture& mixture = standard_normal(), const DecoderType& decoder = DecoderType{})
      : rows_(&rows), mixture_(&mixture), decoder_(&decoder), options_(options), seed_(seed),
        generator_(rows.label_count), generator_values_(generator_.template initialise<float>(seed)),
        generator_optimiser_(options.optimiser, generator_.layout().size()),
        opponents_(make_opponents(rows, options, seed, decoder,
                                  std::make_index_sequence<std::tuple_size_v<Tuple>>{})),
        average_(options.average_decay, generator_values_), parallel_(threads) {}

  /// One step of each discriminator on the chosen real rows and as many generated ones; the generator is not
  /// touched. \param rows  a multiple of `packing` \returns the sum of the discriminators' mean losses
  /// (penalties included), before the step
  double discriminator_step(std::span<const std::uint32_t> rows, double rate_factor) {
    load_labels(rows);
    double total = 0;
    each_opponent([&](auto& opponent) { total += step_of(opponent, rows, rate_factor); });
    return total;
  }

  /// One generator step against the discriminators as they are. \param rows real rows whose labels are asked
  /// for (their number is the batch) \returns the generator's mean loss before the step
  double generator_step(std::span<const std::uint32_t> rows, double rate_factor) {
    const Index units = units_of(rows);
    load_labels(rows);
    if constexpr (Loss::generator_needs_real)
      each_opponent([&](auto& opponent) { load_real(opponent, rows); });
    const auto step = draws_++;
    const double weight = 1 / static_cast<double>(units);
    const double loss = parallel_.run(
        units, generator_.layout().size(), true,
        [&](Tape<float>& tape, float* gradients, Index first, Index part) {
          const BoundParameters<float> parameters(tape, generator_values_.data(), gradients);
          const Pass pass = pass_of(step, first);
          const auto code =
              generator_.forward(parameters, generator_input(tape, first, part, pass), pass);
          Variable<float> total = tape.make(1, 1, false);
          total.data()[0] = 0;
          each_opponent([&](auto& opponent) {
            const BoundParameters<float> frozen(tape, opponent.values.data(), nullptr);
            const auto fake = opponent.model.forward(frozen, judged(opponent, code, first, pass), pass);
            if constexpr (Loss::generator_needs_real)
              total = add(total, Loss::generator(
                                     opponent.model.forward(frozen, real_of(tape, opponent, first, part), pass),
                                     fake, weight));
            else
              total = add(total, Loss::generator(fake, weight));
          });
          return total;
        });
    parallel_.apply(generator_optimiser_, generator_values_, rate_factor);
    if (options_.average_decay > 0)
      average_.update(generator_values_);
    return loss;
  }

  /// Discriminator steps made.
  std::uint64_t steps() const noexcept { return std::get<0>(opponents_).optimiser.steps(); }
  const GeneratorType& generator() const noexcept { return generator_; }
  /// The generator's weights to keep: their moving average if there is one.
  const AlignedBuffer<float>& generator_values() const noexcept {
    return options_.average_decay > 0 ? average_.values() : generator_values_;
  }
  /// The weights of discriminator number `I`.
  template <std::size_t I = 0>
  const AlignedBuffer<float>& discriminator_values() const noexcept {
    return std::get<I>(opponents_).values;
  }

  /// Adds all that `load` needs to go on with the same bits.
  void save(detail::StateFile& state) const {
    state.put("generator.values", generator_values_);
    state.put("generator.average", average_.values());
    state.put("generator.average.steps", average_.steps());
    state.put("generator", generator_optimiser_);
    std::size_t number = 0;
    std::apply(
        [&](const auto&... opponent) {
          ((state.put(name_of(number) + ".values", opponent.values),
            state.put(name_of(number++), opponent.optimiser)),
           ...);
        },
        opponents_);
    state.put("gan.draws", std::uint64_t{draws_});
  }
  /// \throws ModelFileError if the state is not one of such a stage
  void load(const detail::StateFile& state) {
    generator_values_ = state.buffer("generator.values", generator_values_.size());
    average_.restore(state.count("generator.average.steps"),
                     state.buffer("generator.average", average_.values().size()));
    state.restore("generator", generator_optimiser_);
    std::size_t number = 0;
    each_opponent([&](auto& opponent) {
      opponent.values = state.buffer(name_of(number) + ".values", opponent.values.size());
      state.restore(name_of(number++), opponent.optimiser);
    });
    draws_ = static_cast<std::uint32_t>(state.count("gan.draws"));
  }

  /// Names and sizes of the discriminators' weights. \param width  of a latent code; rows are told by their own
  /// encoding
  static std::string describe_discriminators(Index width, Index labels) {
    return describe_tuple(width, labels, std::make_index_sequence<std::tuple_size_v<Tuple>>{});
  }

private:
  template <std::size_t... I>
  static std::string describe_tuple(Index width, Index labels, std::index_sequence<I...>) {
    return (detail::describe(std::tuple_element_t<I, Tuple>(width, labels).layout()) + ...);
  }
  static const GaussianMixture& standard_normal() {
    static const GaussianMixture none;
    return none;
  }
  static std::string name_of(std::size_t number) {
    return number == 0 ? std::string("discriminator") : "discriminator" + std::to_string(number + 1);
  }
  template <std::size_t... I>
  static auto make_opponents(const LatentRows& rows, const GanOptions& options, std::uint64_t seed,
                             const DecoderType& decoder, std::index_sequence<I...>) {
    return typename OpponentsOf<Tuple>::type{detail::Opponent<std::tuple_element_t<I, Tuple>>(
        width_for<std::tuple_element_t<I, Tuple>>(rows, decoder), rows.label_count, options, seed + 1 + I)...};
  }
  template <class T>
  static Index width_for(const LatentRows& rows, const DecoderType& decoder) {
    if constexpr (T::on_rows)
      return decoder.width();
    else
      return rows.width();
  }
  template <class Visit>
  void each_opponent(const Visit& visit) {
    std::apply([&](auto&... opponent) { (visit(opponent), ...); }, opponents_);
  }
  Index units_of(std::span<const std::uint32_t> rows) const {
    if (rows.empty() || static_cast<Index>(rows.size()) % packing != 0)
      throw ShapeError("gan: a batch of " + std::to_string(rows.size()) + " rows, expected a multiple of " +
                       std::to_string(packing));
    return static_cast<Index>(rows.size()) / packing;
  }
  Pass pass_of(std::uint32_t step, Index first_unit) const {
    return {.training = true,
            .seed = seed_,
            .step = step,
            .first_row = static_cast<std::uint64_t>(first_unit * packing)};
  }

  template <class OpponentType>
  double step_of(OpponentType& opponent, std::span<const std::uint32_t> rows, double rate_factor) {
    const Index units = units_of(rows);
    load_real(opponent, rows);
    opponent.model.prepare(opponent.values.data());
    const auto step = draws_++;
    // A penalty every n-th step with n-fold weight costs less and does the same (Karras et al. 2020).
    const bool penalise = (Penalty::on_real || Penalty::on_fake) &&
                          opponent.optimiser.steps() % options_.penalty_every == 0;
    const double weight = 1 / static_cast<double>(units);
    const double loss = parallel_.run(
        units, opponent.model.layout().size(), true,
        [&](Tape<float>& tape, float* gradients, Index first, Index part) {
          const BoundParameters<float> frozen(tape, generator_values_.data(), nullptr);
          const BoundParameters<float> parameters(tape, opponent.values.data(), gradients);
          const Pass pass = pass_of(step, first);
          // Real and generated rows draw different dropout masks.
          Pass fake_pass = pass;
          fake_pass.first_row += std::uint64_t{1} << 32U;
          const auto real_input = real_of(tape, opponent, first, part);
          const auto fake_input = judged(
              opponent, generator_.forward(frozen, generator_input(tape, first, part, pass), pass), first, pass);
          if constexpr (Penalty::on_real || Penalty::on_fake) {
            if (penalise) {
              const auto real = opponent.model.forward_with_gradient(parameters, real_input, pass);
              const auto fake = opponent.model.forward_with_gradient(parameters, fake_input, fake_pass);
              auto total = Loss::discriminator(real.output, fake.output, weight);
              const auto factor = static_cast<float>(0.5 * options_.penalty_weight * weight *
                                                     static_cast<double>(options_.penalty_every));
              if constexpr (Penalty::on_real)
                total = add(total, weighted_sum(square(real.gradient), factor));
              if constexpr (Penalty::on_fake)
                total = add(total, weighted_sum(square(fake.gradient), factor));
              return total;
            }
          }
          return Loss::discriminator(opponent.model.forward(parameters, real_input, pass),
                                     opponent.model.forward(parameters, fake_input, fake_pass), weight);
        });
    parallel_.apply(opponent.optimiser, opponent.values, rate_factor);
    return loss;
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
    labels_.resize(std::max(labels_.size(), rows.size()));
    one_hot_.fill(0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      labels_[i] = rows_->labels[rows[i]];
      one_hot_[i * static_cast<std::size_t>(labels) + static_cast<std::size_t>(labels_[i])] = 1;
    }
  }
  template <class OpponentType>
  void load_real(OpponentType& opponent, std::span<const std::uint32_t> rows) {
    using Model = decltype(opponent.model);
    const Index width = width_for<Model>(*rows_, *decoder_);
    const Index labels = rows_->label_count;
    const Index stride = width + labels;
    grow(opponent.real, static_cast<Index>(rows.size()) * stride);
    if constexpr (Model::on_rows) {
      decoder_->real(rows, opponent.real.data(), stride);
    } else {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        rows_->prefetch(rows[std::min(i + 16, rows.size() - 1)]);
        rows_->get(rows[i], opponent.real.data() + static_cast<Index>(i) * stride);
      }
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy_n(one_hot_.data() + static_cast<Index>(i) * labels, labels,
                  opponent.real.data() + static_cast<Index>(i) * stride + width);
  }
  template <class OpponentType>
  Variable<float> real_of(Tape<float>& tape, const OpponentType& opponent, Index first, Index units) const {
    const Index width = opponent.model.input_width();
    return tape.constant(opponent.real.data() + first * width, units, width);
  }
  /// What a discriminator sees of generated codes: as they are or decoded, with labels, packed.
  template <class OpponentType>
  Variable<float> judged(const OpponentType& opponent, const Variable<float>& code, Index first,
                         const Pass& pass) const {
    using Model = decltype(opponent.model);
    const auto labelled = [&](const Variable<float>& x) {
      if (rows_->label_count == 0)
        return x;
      return concatenate_columns(x, labels_of(x.tape(), first * packing, x.rows()));
    };
    const auto packed = [&](const Variable<float>& x) {
      if constexpr (packing == 1)
        return x;
      else
        return reshape(x, x.rows() / packing, x.columns() * packing);
    };
    if constexpr (Model::on_rows)
      return packed(labelled(decoder_->generated(code, pass)));
    else
      return packed(labelled(code));
  }
  Variable<float> labels_of(Tape<float>& tape, Index first_row, Index rows) const {
    return tape.constant(one_hot_.data() + first_row * rows_->label_count, rows, rows_->label_count);
  }
  Variable<float> generator_input(Tape<float>& tape, Index first, Index units, const Pass& pass) const {
    const Index rows = units * packing;
    auto noise = tape.make(rows, GeneratorType::noise_width, false);
    fill_noise(*mixture_, pass.stream(Purpose::generator_noise, 0), pass.stream(Purpose::generator_noise, 1),
               pass.first_row, rows, GeneratorType::noise_width,
               rows_->label_count == 0 ? nullptr : labels_.data() + first * packing, noise.data(),
               GeneratorType::noise_width);
    return rows_->label_count == 0 ? noise
                                   : concatenate_columns(noise, labels_of(tape, first * packing, rows));
  }

  const LatentRows* rows_;
  const GaussianMixture* mixture_;
  const DecoderType* decoder_;
  GanOptions options_;
  std::uint64_t seed_;
  GeneratorType generator_;
  AlignedBuffer<float> generator_values_;
  Optimiser<float> generator_optimiser_;
  typename OpponentsOf<Tuple>::type opponents_;
  WeightAverage<float> average_;
  DataParallel<float> parallel_;
  AlignedBuffer<float> one_hot_;
  std::vector<std::int32_t> labels_;
  std::uint32_t draws_ = 0; ///< steps of all kinds
};

ROWSMITH_END
