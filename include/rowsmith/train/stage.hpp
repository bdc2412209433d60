// SPDX-License-Identifier: MIT
/// \file
/// What a stage of a training is, and the loop that runs any of them: epochs, progress, checkpoints, early
/// stopping.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/team.hpp>
#include <rowsmith/models/learning_curve.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/checkpoint.hpp>

ROWSMITH_BEGIN

/// A part of a training that takes steps on batches of rows and leaves weights to keep. All it knows lies in
/// its weights and counters, so that `save` and `load` lose no bit.
template <class T>
concept Stage = requires(T stage, const T& trained, std::span<const std::uint32_t> epoch,
                         detail::StateFile& state, const detail::StateFile& saved) {
  // Names of the losses that a step returns.
  { T::figures[0] } -> std::convertible_to<std::string_view>;
  // How an epoch of so many rows is cut.
  { trained.batches(std::size_t{}) } -> std::same_as<Batches>;
  // (rows in the epoch's order, number of the batch, steps of the whole stage) -> a mean loss a row for each
  // figure.
  {
    stage.step(epoch, std::size_t{}, std::uint64_t{})
    } -> std::same_as<std::array<double, T::figures.size()>>;
  { trained.steps() } -> std::same_as<std::uint64_t>;
  { trained.kept_values() } -> std::same_as<const AlignedBuffer<float>&>;
  trained.save(state); // adds all that `load` needs to go on with the same bits
  stage.load(saved);   // throws ModelFileError if the state is not one of such a stage
};

/// One that can tell how good the weights to keep are, the lower the better: the best of all epochs are kept,
/// and the stage ends early when they get no better.
template <class T>
concept EvaluatedStage = Stage<T> && requires(T stage, std::span<const std::uint32_t> rows) {
  { stage.evaluate(rows) } -> std::same_as<double>;
};

/// What happened in one stage.
struct StageReport {
  std::string name;
  std::size_t epochs = 0;
  double seconds = 0;
  bool stopped = false;   ///< by the callback
  bool converged = false; ///< no better for as many steps as it had patience; else its steps were used up
  LearningCurve curve{};  ///< of stages that take steps on batches of rows; else without figures
};

namespace detail {

/// A curve as a checkpoint has it: names of figures in one line, then a line for each point, and one for the
/// best epoch if there is one.
inline std::string curve_text(const LearningCurve& curve) {
  std::string text;
  for (const auto& figure : curve.figures)
    text += figure + " ";
  const auto add = [&text](auto number) {
    std::array<char, 32> digits{};
    text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
  };
  for (std::size_t point = 0; point < curve.steps.size(); ++point) {
    text += '\n';
    add(curve.steps[point]);
    for (std::size_t f = 0; f < curve.figures.size(); ++f) {
      text += ' ';
      add(curve.value(point, f));
    }
  }
  if (curve.best) {
    text += "\nbest ";
    add(curve.best->step);
    text += ' ';
    add(curve.best->loss);
  }
  return text;
}
/// The reverse. \throws ModelFileError for what is no curve of that stage
inline LearningCurve curve_from(const StateFile& state, const std::string& name, const std::string& stage) {
  const auto& text = state.text(name);
  LearningCurve curve{.stage = stage};
  std::size_t at = 0;
  const auto word = [&] {
    const auto begin = at;
    at = std::min(text.find_first_of(" \n", at), text.size());
    return std::string_view(text).substr(begin, at - begin);
  };
  const auto number = [&](auto value) {
    const auto digits = word();
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (end.ec != std::errc{} || end.ptr != digits.data() + digits.size())
      throw ModelFileError("checkpoint: entry '" + name + "' is no learning curve");
    return value;
  };
  const auto line_end = std::min(text.find('\n'), text.size());
  for (; at < line_end; ++at)
    curve.figures.emplace_back(word());
  while (at < text.size()) {
    ++at;
    if (text.compare(at, 5, "best ") == 0 && !curve.best) {
      at += 5;
      curve.best = BestEpoch{.step = number(std::uint64_t{})};
      at += at < text.size() ? 1U : 0U;
      curve.best->loss = number(double{});
      continue;
    }
    curve.steps.push_back(number(std::uint64_t{}));
    for (std::size_t f = 0; f < curve.figures.size(); ++f) {
      at += at < text.size() ? 1U : 0U;
      curve.values.push_back(number(double{}));
    }
  }
  try {
    curve.check();
  } catch (const ShapeError& error) {
    throw ModelFileError("checkpoint: entry '" + name + "': " + error.what());
  }
  return curve;
}

/// The rows of a stage, and for how long it may go on.
struct StagePlan {
  std::string name;
  std::span<const std::uint32_t> training;
  std::span<const std::uint32_t> validation{}; ///< for an `EvaluatedStage`
  std::uint64_t order_seed = 0;                ///< of the rows' order in each epoch
  std::size_t steps = 0;                       ///< at most, rounded up to whole epochs
  std::size_t patience = 0;                    ///< steps without a better evaluation; of an `EvaluatedStage`
};

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

/// Runs stages one after the other. A training that is resumed takes the results of finished stages from its
/// state.
class StageDriver {
public:
  /// \param stages  how many there will be \param reports  out: one a stage. All must outlive the driver
  /// \param team  of processes that train together; of them the first one has the listener
  StageDriver(const ProgressCallback& callback, Checkpoints& states, std::size_t stages,
              std::vector<StageReport>& reports, const Team* team = nullptr)
      : callback_(&callback), states_(&states), stages_(stages), reports_(&reports), team_(team) {}

  /// \param make  () -> the stage; called only if the stage is not finished yet \param weights  how many it
  /// keeps \returns the weights to keep \throws TrainingError when a loss is no longer finite
  template <class Make>
  AlignedBuffer<float> run(const StagePlan& plan, Index weights, const Make& make) {
    const auto* state = states_->resumed();
    if (state != nullptr && state->has(plan.name + ".epochs")) {
      results_.push_back(state->buffer(plan.name + ".best", static_cast<std::size_t>(weights)));
      reports_->push_back({.name = plan.name,
                           .epochs = static_cast<std::size_t>(state->count(plan.name + ".epochs")),
                           .seconds = state->number(plan.name + ".seconds"),
                           .stopped = state->count(plan.name + ".stopped") != 0,
                           .converged = state->count(plan.name + ".converged") != 0,
                           .curve = curve_from(*state, plan.name + ".curve", plan.name)});
      end_curve(reports_->back());
    } else {
      auto stage = make();
      auto [values, report] = train(stage, plan);
      results_.push_back(std::move(values));
      reports_->push_back(std::move(report));
    }
    return results_.back();
  }

private:
  /// The weights to keep of an `EvaluatedStage`, so far.
  struct Best {
    AlignedBuffer<float> values;
    double loss = std::numeric_limits<double>::infinity();
    double mark =
        std::numeric_limits<double>::infinity(); ///< of the last time it got better by more than noise
    std::uint64_t step = 0;                      ///< when that was
  };

  template <Stage S>
  std::pair<AlignedBuffer<float>, StageReport> train(S& stage, const StagePlan& plan) {
    constexpr bool evaluated = EvaluatedStage<S>;
    EpochOrder order(plan.training, plan.order_seed);
    const Batches batches = stage.batches(order.rows());
    const std::size_t epochs = (plan.steps + batches.count() - 1) / batches.count();
    std::array<double, S::figures.size()> sums{};
    Best best;
    if constexpr (evaluated)
      best.values = stage.kept_values();
    double seconds = 0;
    if (const auto* state = states_->resumed(plan.name)) {
      stage.load(*state);
      seconds = state->number("seconds");
      for (std::size_t f = 0; f < sums.size(); ++f)
        sums[f] = state->number(sum_name(S::figures[f]));
      if constexpr (evaluated)
        best = {state->buffer(plan.name + ".best", best.values.size()), state->number("best_loss"),
                state->number("best_mark"), state->count("best_step")};
    }
    StageReport result{.name = plan.name, .curve = {.stage = plan.name}};
    for (const auto figure : S::figures)
      result.curve.figures.emplace_back(figure);
    if (evaluated)
      result.curve.figures.emplace_back("validation");
    if (const auto* state = states_->resumed(plan.name)) {
      auto saved = curve_from(*state, "curve", plan.name);
      if (saved.figures != result.curve.figures)
        throw ModelFileError("checkpoint: a learning curve of other figures");
      result.curve = std::move(saved);
    }
    const std::size_t epochs_a_point = LearningCurve::epochs_a_point(epochs);
    StageClock clock(plan.name, results_.size() + 1, stages_, epochs, seconds);
    const auto save = [&] {
      StateFile state = finished();
      stage.save(state);
      state.put("seconds", clock.seconds());
      state.put("curve", curve_text(result.curve));
      for (std::size_t f = 0; f < sums.size(); ++f)
        state.put(sum_name(S::figures[f]), sums[f]);
      if constexpr (evaluated) {
        state.put(plan.name + ".best", best.values);
        state.put("best_loss", best.loss);
        state.put("best_mark", best.mark);
        state.put("best_step", best.step);
      }
      states_->save(plan.name, std::move(state));
    };
    std::size_t number = static_cast<std::size_t>(stage.steps() % batches.count());
    for (std::size_t epoch = static_cast<std::size_t>(stage.steps() / batches.count()); epoch < epochs;
         ++epoch, number = 0) {
      const auto rows = order(static_cast<std::uint32_t>(epoch));
      for (; number < batches.count(); ++number) {
        if (states_->due())
          save();
        const auto losses = stage.step(rows, number, batches.count() * epochs);
        for (std::size_t f = 0; f < sums.size(); ++f) {
          require_finite(losses[f], plan.name, sums.size() > 1 ? S::figures[f] : "", epoch, number);
          sums[f] += losses[f] * static_cast<double>(batches.of(rows, number).size());
        }
      }
      std::array<NamedValue, S::figures.size() + (evaluated ? 1 : 0)> values;
      for (std::size_t f = 0; f < sums.size(); ++f)
        values[f] = {S::figures[f], std::exchange(sums[f], 0) / static_cast<double>(batches.rows())};
      bool done = epoch + 1 == epochs;
      if constexpr (evaluated) {
        const double loss = stage.evaluate(plan.validation);
        require_finite(loss, plan.name, "", epoch, number);
        if (loss < best.loss) {
          best.values = stage.kept_values();
          best.loss = loss;
          result.curve.best = BestEpoch{.step = stage.steps(), .loss = LearningCurve::rounded(loss)};
        }
        constexpr double noise = 1e-4; // of the loss
        if (std::isinf(best.mark) || loss < best.mark - noise * std::abs(best.mark)) {
          best.mark = loss;
          best.step = stage.steps();
        }
        result.converged = stage.steps() - best.step >= plan.patience;
        done = done || result.converged;
        values.back() = {"validation", loss};
      }
      result.epochs = epoch + 1;
      bool go_on = clock.tell(*callback_, epoch + 1, batches.rows(), values, done);
      if (team_ != nullptr) {
        go_on = team_->share_answer(go_on);
        const auto& weights = stage.kept_values();
        if (!team_->agree(weights.data(), weights.size() * sizeof(float)))
          throw TrainingError(
              plan.name, epoch + 1, number,
              "the processes' weights differ: they must be the same build, and run on processors "
              "that compute alike");
      }
      result.stopped = !go_on && !done;
      const bool last = done || result.stopped;
      if (last || (epoch + 1) % epochs_a_point == 0) {
        result.curve.steps.push_back(stage.steps());
        for (const auto& value : values)
          result.curve.values.push_back(LearningCurve::rounded(value.value));
      }
      if (last)
        break;
    }
    result.seconds = clock.seconds();
    end_curve(result);
    if constexpr (evaluated)
      return {std::move(best.values), std::move(result)};
    else
      return {stage.kept_values(), std::move(result)};
  }

  static void end_curve(StageReport& report) {
    report.curve.epochs = report.epochs;
    report.curve.end = report.stopped     ? StageEnd::stopped
                       : report.converged ? StageEnd::converged
                                          : StageEnd::steps_used_up;
  }
  /// What the finished stages leave to the states of later ones.
  StateFile finished() const {
    StateFile state;
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const auto& report = (*reports_)[i];
      state.put(report.name + ".best", results_[i]);
      state.put(report.name + ".epochs", std::uint64_t{report.epochs});
      state.put(report.name + ".seconds", report.seconds);
      state.put(report.name + ".stopped", std::uint64_t{report.stopped ? 1U : 0U});
      state.put(report.name + ".converged", std::uint64_t{report.converged ? 1U : 0U});
      state.put(report.name + ".curve", curve_text(report.curve));
    }
    return state;
  }
  static std::string sum_name(std::string_view figure) { return std::string(figure) + "_sum"; }
  static void require_finite(double loss, const std::string& stage, std::string_view part, std::size_t epoch,
                             std::size_t step) {
    if (!std::isfinite(loss))
      throw TrainingError(part.empty() ? stage : stage + " (" + std::string(part) + ")", epoch + 1, step + 1,
                          "the loss is " + std::string(std::isnan(loss) ? "not a number" : "infinite") +
                              "; a lower learning rate is the usual cure");
  }

  const ProgressCallback* callback_;
  Checkpoints* states_;
  std::size_t stages_;
  std::vector<StageReport>* reports_;
  const Team* team_;
  std::vector<AlignedBuffer<float>> results_; ///< of finished stages
};

} // namespace detail

ROWSMITH_END
