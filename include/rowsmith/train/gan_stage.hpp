// SPDX-License-Identifier: MIT
/// \file
/// Stage 2 step by step: generator against one or several discriminators (Goodfellow et al. 2014;
/// conditional: Mirza & Osindero 2014).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/reduce.hpp>
#include <rowsmith/autodiff/ops/shape.hpp>
#include <rowsmith/models/adversarial_loss.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/models/gaussian_mixture.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/learner.hpp>
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
  Opponent(std::size_t number, Index width, Index labels, const GanOptions& options, std::uint64_t seed)
      : model(width, labels),
        learner(number == 0 ? "discriminator" : "discriminator" + std::to_string(number + 1), model.layout(),
                model.layout().template initialise<float>(seed), seed, optimiser_of(options)) {
    prepare(20);
  }
  void prepare(int iterations = 1) {
    model.prepare(learner.values().data(), learner.state().data(), iterations);
  }
  static OptimiserOptions optimiser_of(const GanOptions& options) {
    auto result = options.optimiser;
    result.learning_rate *= options.discriminator_rate_factor;
    return result;
  }
  DiscriminatorType model;
  Learner learner;
  AlignedBuffer<float> real; ///< a batch as this discriminator reads it
};

template <class Tuple>
struct PackingOf;
template <class... T>
struct PackingOf<std::tuple<T...>> {
  static constexpr Index value = std::max({T::packing...});
  static_assert(((T::packing == value) && ...),
                "Discriminators of one generator must pack as many rows each");
  static constexpr bool on_rows = (T::on_rows || ...);
};

} // namespace detail

/// The adversarial training: a `Stage`. `Trainer` drives it; a loop of your own can too.
/// \tparam DiscriminatorType  a `Discriminator`, or `Discriminators<…>` of several
/// \tparam DecoderType  what decodes latent codes for discriminators `OnRows`; a small value, of which the
/// stage keeps a copy
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
  static constexpr std::array<std::string_view, 2> figures{"discriminator", "generator"};

  /// \param rows, mixture  must outlive the stage
  GanStage(const LatentRows& rows, const GanOptions& options, std::uint64_t seed, Workers workers,
           const GaussianMixture& mixture = standard_normal(), DecoderType decoder = {})
      : rows_(&rows), mixture_(&mixture), decoder_(std::move(decoder)), options_(options), seed_(seed),
        generator_(rows.label_count),
        learner_("generator", generator_.layout(), generator_.template initialise<float>(seed), seed,
                 options.optimiser, options.average_decay),
        opponents_(make_opponents(std::make_index_sequence<std::tuple_size_v<Tuple>>{})), parallel_(workers) {
  }

  /// Whole batches of whole packs. \throws OptionError if there are fewer rows than a pack takes
  Batches batches(std::size_t rows) const {
    constexpr auto pack = static_cast<std::size_t>(packing);
    const std::size_t size = std::min(options_.batch, rows) / pack * pack;
    if (size == 0)
      throw OptionError("gan.batch = " + std::to_string(options_.batch) + " with " + std::to_string(rows) +
                        " rows: expected at least the " + std::to_string(pack) +
                        " rows that the discriminator packs");
    return {rows, size, true};
  }
  /// One step of the discriminators and `k_steps_g` of the generator on batch number `number` of an epoch.
  /// \param epoch  the rows in the epoch's order \param total_steps  of the whole training, for the schedule
  /// \returns the discriminators' loss, the mean of the generator's
  std::array<double, 2> step(std::span<const std::uint32_t> epoch, std::size_t number,
                             std::uint64_t total_steps) {
    const auto rows = batches(epoch.size()).of(epoch, number);
    const double rate = options_.schedule(steps(), total_steps);
    std::array<double, 2> losses{discriminator_step(rows, rate), 0};
    for (std::size_t k = 0; k < options_.k_steps_g; ++k)
      losses[1] += generator_step(rows, rate) / static_cast<double>(options_.k_steps_g);
    return losses;
  }

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
    return learner_.learn(
        parallel_, units, rate_factor,
        [&](const BoundParameters<float>& parameters, Index first, Index part) {
          auto& tape = parameters.tape();
          const Pass pass = pass_of(step, first);
          const auto code = generator_.forward(parameters, generator_input(tape, first, part, pass), pass);
          Variable<float> total = tape.make(1, 1, false);
          total.data()[0] = 0;
          each_opponent([&](auto& opponent) {
            const auto frozen = opponent.learner.frozen(tape);
            const auto fake = opponent.model.forward(frozen, judged(opponent, code, first, pass), pass);
            if constexpr (Loss::generator_needs_real)
              total = add(total, Loss::generator(opponent.model.forward(
                                                     frozen, real_of(tape, opponent, first, part), pass),
                                                 fake, weight));
            else
              total = add(total, Loss::generator(fake, weight));
          });
          return total;
        });
  }

  /// Discriminator steps made.
  std::uint64_t steps() const noexcept { return std::get<0>(opponents_).learner.steps(); }
  const GeneratorType& generator() const noexcept { return generator_; }
  /// The generator's.
  const AlignedBuffer<float>& kept_values() const noexcept { return learner_.kept_values(); }
  /// The weights of discriminator number `I`.
  template <std::size_t I = 0>
  const AlignedBuffer<float>& discriminator_values() const noexcept {
    return std::get<I>(opponents_).learner.values();
  }

  /// Adds all that `load` needs to go on with the same bits.
  void save(detail::StateFile& state) const {
    learner_.save(state);
    std::apply([&](const auto&... opponent) { (opponent.learner.save(state), ...); }, opponents_);
    state.put("gan.draws", std::uint64_t{draws_});
  }
  /// \throws ModelFileError if the state is not one of such a stage
  void load(const detail::StateFile& state) {
    learner_.load(state);
    each_opponent([&](auto& opponent) { opponent.learner.load(state); });
    draws_ = static_cast<std::uint32_t>(state.count("gan.draws"));
  }

  /// Names and sizes of the discriminators' weights. \param width  of a latent code; rows are told by their
  /// own encoding
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
  template <std::size_t... I>
  auto make_opponents(std::index_sequence<I...>) const {
    return typename OpponentsOf<Tuple>::type{detail::Opponent<std::tuple_element_t<I, Tuple>>(
        I, width_for<std::tuple_element_t<I, Tuple>>(), rows_->label_count, options_, seed_ + 1 + I)...};
  }
  template <class T>
  Index width_for() const {
    if constexpr (T::on_rows)
      return decoder_.width();
    else
      return rows_->width();
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
    opponent.prepare();
    const auto step = draws_++;
    // A penalty every n-th step with n-fold weight costs less and does the same (Karras et al. 2020).
    const bool penalise =
        (Penalty::on_real || Penalty::on_fake) && opponent.learner.steps() % options_.penalty_every == 0;
    const double weight = 1 / static_cast<double>(units);
    return opponent.learner.learn(
        parallel_, units, rate_factor,
        [&](const BoundParameters<float>& parameters, Index first, Index part) {
          auto& tape = parameters.tape();
          const auto frozen = learner_.frozen(tape);
          const Pass pass = pass_of(step, first);
          // Real and generated rows draw different dropout masks.
          Pass fake_pass = pass;
          fake_pass.first_row += std::uint64_t{1} << 32U;
          const auto real_input = real_of(tape, opponent, first, part);
          const auto fake_input =
              judged(opponent, generator_.forward(frozen, generator_input(tape, first, part, pass), pass),
                     first, pass);
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
    const Index width = width_for<Model>();
    const Index labels = rows_->label_count;
    const Index stride = width + labels;
    grow(opponent.real, static_cast<Index>(rows.size()) * stride);
    if constexpr (Model::on_rows) {
      decoder_.real(rows, opponent.real.data(), stride);
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
      return packed(labelled(decoder_.generated(code, pass)));
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
               {pass.first_row}, rows, GeneratorType::noise_width,
               rows_->label_count == 0 ? nullptr : labels_.data() + first * packing, noise.data(),
               GeneratorType::noise_width);
    return rows_->label_count == 0 ? noise
                                   : concatenate_columns(noise, labels_of(tape, first * packing, rows));
  }

  const LatentRows* rows_;
  const GaussianMixture* mixture_;
  DecoderType decoder_;
  GanOptions options_;
  std::uint64_t seed_;
  GeneratorType generator_;
  Learner learner_; ///< of the generator
  typename OpponentsOf<Tuple>::type opponents_;
  DataParallel<float> parallel_;
  AlignedBuffer<float> one_hot_;
  std::vector<std::int32_t> labels_;
  std::uint32_t draws_ = 0; ///< steps of all kinds
};

ROWSMITH_END
