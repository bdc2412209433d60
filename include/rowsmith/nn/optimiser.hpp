// SPDX-License-Identifier: MIT
/// \file
/// Gradient descent on a flat parameter vector.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/kernel/simd.hpp>
#include <rowsmith/linalg/matrix.hpp>
#include <rowsmith/nn/parameters.hpp>

ROWSMITH_BEGIN

enum class OptimiserMethod { sgd, adam, adamw };

struct OptimiserOptions {
  OptimiserMethod method = OptimiserMethod::adam;
  double learning_rate = 1e-3; ///< > 0
  double beta1 = 0.9;          ///< Adam: decay of the mean of the gradients; SGD: momentum. [0, 1)
  double beta2 = 0.999;        ///< Adam: decay of the mean of their squares. [0, 1)
  double epsilon = 1e-8;       ///< > 0
  double weight_decay = 0;     ///< ≥ 0; AdamW: decoupled, Adam and SGD: added to the gradient
  double clip_norm = 0; ///< > 0: a longer gradient is shortened to this length (Pascanu et al. 2013); ≥ 0

  /// Calls `visit(name, value, range)` for each option; the names begin with `prefix`.
  template <class Visit>
  void each_option(const std::string& prefix, Visit&& visit) const {
    visit(prefix + ".method", static_cast<double>(method), OptionRange{0, 2});
    visit(prefix + ".learning_rate", learning_rate, OptionRange{0, 10, true});
    visit(prefix + ".beta1", beta1, OptionRange{0, 1, false, true});
    visit(prefix + ".beta2", beta2, OptionRange{0, 1, false, true});
    visit(prefix + ".epsilon", epsilon, OptionRange{0, 1, true, true});
    visit(prefix + ".weight_decay", weight_decay, OptionRange{0, 1, false, true});
    visit(prefix + ".clip_norm", clip_norm, OptionRange{0, 1e9});
  }
  /// \throws OptionError for a value out of range; `name` stands in front of the text
  void check(const std::string& name) const { each_option(name, check_option); }
};

/// SGD with momentum, Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019) with PyTorch's conventions.
/// A value type: copying it copies the moments.
template <class Scalar>
class Optimiser {
public:
  Optimiser() = default;
  /// \param decay  ranges whose weights decay otherwise, in rising order \param first  number of the first
  /// parameter as the ranges count
  Optimiser(const OptimiserOptions& options, Index parameters, std::span<const DecayRange> decay = {},
            Index first = 0)
      : options_(options) {
    first_.resize(static_cast<std::size_t>(parameters));
    if (options.method != OptimiserMethod::sgd)
      second_.resize(static_cast<std::size_t>(parameters));
    std::size_t end = 0;
    const auto run = [&](Index to, double factor) {
      const auto at = static_cast<std::size_t>(std::clamp<Index>(to - first, 0, parameters));
      if (at > end)
        runs_.push_back({end = at, factor});
    };
    for (const auto& range : decay) {
      run(range.first, 1);
      run(range.first + range.count, range.factor);
    }
    run(first + parameters, 1);
  }

  /// One step. \param gradient  as long as the values \param rate_factor  the schedule's factor on the
  /// learning rate
  void step(std::span<Scalar> values, std::span<const Scalar> gradient, double rate_factor, int threads) {
    ++steps_;
    const double t = static_cast<double>(steps_);
    const double rate = options_.learning_rate * rate_factor;
    const bool adam = options_.method != OptimiserMethod::sgd;
    const auto correction1 = static_cast<Scalar>(1 / (1 - std::pow(options_.beta1, t)));
    const auto correction2 = static_cast<Scalar>(1 / (1 - std::pow(options_.beta2, t)));
    const auto step_size = static_cast<Scalar>(rate);
    const auto b1 = static_cast<Scalar>(options_.beta1);
    const auto b2 = static_cast<Scalar>(options_.beta2);
    const auto epsilon = static_cast<Scalar>(options_.epsilon);
    const Scalar scale = clip_factor(gradient, threads);
    const auto update_range = [&](std::size_t begin, std::size_t end, double decay) {
      const double weight_decay = decay * options_.weight_decay;
      const bool apart = options_.method == OptimiserMethod::adamw;
      // At most the whole weight: ranges may decay many times as fast as the options say.
      const auto decoupled = static_cast<Scalar>(apart ? std::max(0.0, 1 - rate * weight_decay) : 1);
      const auto added = static_cast<Scalar>(apart ? 0 : weight_decay);
      const Scalar* g = gradient.data();
      Scalar* x = values.data();
      Scalar* m = first_.data();
      if (!adam) {
        for (std::size_t i = begin; i < end; ++i) {
          m[i] = b1 * m[i] + (scale * g[i] + added * x[i]);
          x[i] -= step_size * m[i];
        }
        return;
      }
      // Written with registers: compilers do not vectorise std::sqrt, which may have to set errno.
      using V = simd::Vector<Scalar>;
      Scalar* v = second_.data();
      const auto update = [&](const V& plain, V& value, V& mean, V& square) {
        const V slope = scale * plain + added * value;
        mean = b1 * mean + (1 - b1) * slope;
        square = b2 * square + (1 - b2) * slope * slope;
        const V root = simd::sqrt(V(square * correction2));
        value = decoupled * value - step_size * (mean * correction1) / (root + epsilon);
      };
      constexpr auto width = static_cast<std::size_t>(simd::lanes<Scalar>);
      std::size_t i = begin;
      for (; i + width <= end; i += width) {
        V value = simd::load(x + i);
        V mean = simd::load(m + i);
        V square = simd::load(v + i);
        update(simd::load(g + i), value, mean, square);
        simd::store(x + i, value);
        simd::store(m + i, mean);
        simd::store(v + i, square);
      }
      if (i < end) {
        const auto rest = static_cast<Index>(end - i);
        V value = simd::load_part(x + i, rest);
        V mean = simd::load_part(m + i, rest);
        V square = simd::load_part(v + i, rest);
        update(simd::load_part(g + i, rest), value, mean, square);
        simd::store_part(x + i, value, rest);
        simd::store_part(m + i, mean, rest);
        simd::store_part(v + i, square, rest);
      }
    };
    parallel_for((values.size() + chunk - 1) / chunk, threads, [&](std::size_t part) {
      std::size_t begin = part * chunk;
      const std::size_t last = std::min(values.size(), begin + chunk);
      auto run = std::upper_bound(runs_.begin(), runs_.end(), begin,
                                  [](std::size_t at, const Run& r) { return at < r.end; });
      for (; begin < last; ++run) {
        const std::size_t end = std::min(last, run->end);
        update_range(begin, end, run->decay);
        begin = end;
      }
    });
  }

  const OptimiserOptions& options() const noexcept { return options_; }
  std::uint64_t steps() const noexcept { return steps_; }
  /// Adam's mean of the gradients (SGD: the momentum) and of their squares (SGD: empty).
  const AlignedBuffer<Scalar>& first_moment() const noexcept { return first_; }
  const AlignedBuffer<Scalar>& second_moment() const noexcept { return second_; }
  /// Goes on where another optimiser with the same options and parameters was. The moments are of the sizes
  /// they have now.
  void restore(std::uint64_t steps, const AlignedBuffer<Scalar>& first, const AlignedBuffer<Scalar>& second) {
    steps_ = steps;
    first_ = first;
    second_ = second;
  }

private:
  static constexpr std::size_t chunk = 8192;
  struct Run {
    std::size_t end; ///< parameters up to it, from the end of the run before on
    double decay;    ///< times `weight_decay`
  };

  /// The factor that shortens a gradient to `clip_norm`. The sum is one of fixed parts, whatever the threads.
  Scalar clip_factor(std::span<const Scalar> gradient, int threads) {
    if (!(options_.clip_norm > 0))
      return 1;
    squares_.resize((gradient.size() + chunk - 1) / chunk);
    parallel_for(squares_.size(), threads, [&](std::size_t part) {
      constexpr std::size_t lanes = 8; // sums side by side, which the compiler may not make by itself
      double sums[lanes] = {};
      const std::size_t begin = part * chunk;
      const std::size_t end = std::min(gradient.size(), begin + chunk);
      std::size_t i = begin;
      for (; i + lanes <= end; i += lanes)
        for (std::size_t j = 0; j < lanes; ++j) {
          const auto g = static_cast<double>(gradient[i + j]);
          sums[j] += g * g;
        }
      for (; i < end; ++i) {
        const auto g = static_cast<double>(gradient[i]);
        sums[0] += g * g;
      }
      squares_[part] = std::accumulate(sums, sums + lanes, 0.0);
    });
    const double norm = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
    return static_cast<Scalar>(norm > options_.clip_norm ? options_.clip_norm / norm : 1);
  }

  OptimiserOptions options_;
  std::vector<Run> runs_;
  std::vector<double> squares_; ///< of the gradient, part by part
  AlignedBuffer<Scalar> first_;
  AlignedBuffer<Scalar> second_;
  std::uint64_t steps_ = 0;
};

/// The factor on the learning rate over the course of a training.
struct LearningRateSchedule {
  enum class Kind {
    constant,
    cosine,            ///< falls to 0 as half a cosine wave (Loshchilov & Hutter 2017, without restarts)
    linear,            ///< falls to 0 along a line
    linear_second_half ///< constant, then falls to 0 along a line from half-way on
  };
  Kind kind = Kind::constant;
  std::uint64_t warmup_steps = 0; ///< the rate rises along a line over this many steps first

  /// As `OptimiserOptions::each_option`.
  template <class Visit>
  void each_option(const std::string& prefix, Visit&& visit) const {
    visit(prefix + ".kind", static_cast<double>(kind), OptionRange{0, 3});
    visit(prefix + ".warmup_steps", static_cast<double>(warmup_steps), OptionRange{0, 1e9});
  }
  /// \param step counts from 0 \param total steps of the whole training
  double operator()(std::uint64_t step, std::uint64_t total) const {
    if (step < warmup_steps)
      return static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
    const double span =
        static_cast<double>(std::max<std::uint64_t>(1, total - std::min(total, warmup_steps)));
    const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / span);
    switch (kind) {
    case Kind::constant:
      return 1;
    case Kind::cosine:
      return 0.5 * (1 + std::cos(3.14159265358979323846 * progress));
    case Kind::linear:
      return 1 - progress;
    case Kind::linear_second_half:
      return std::min(1.0, 2 * (1 - progress));
    }
    return 1;
  }
};

/// Exponential moving average of weights, with the usual short horizon at the start:
/// decay_t = min(decay, (1 + t) / (10 + t)).
template <class Scalar>
class WeightAverage {
public:
  WeightAverage() = default;
  /// \param decay in [0, 1); 0 keeps just the latest weights
  WeightAverage(double decay, std::span<const Scalar> start) : decay_(decay) {
    average_.resize(start.size());
    std::copy(start.begin(), start.end(), average_.begin());
  }
  void update(std::span<const Scalar> values) {
    ++steps_;
    const double t = static_cast<double>(steps_);
    const auto keep = static_cast<Scalar>(std::min(decay_, (1 + t) / (10 + t)));
    const Scalar take = decay_ == 0 ? Scalar(1) : 1 - keep;
    for (std::size_t i = 0; i < values.size(); ++i)
      average_[i] += take * (values[i] - average_[i]);
  }
  const AlignedBuffer<Scalar>& values() const noexcept { return average_; }
  std::uint64_t steps() const noexcept { return steps_; }
  /// Goes on where another average of as many weights was.
  void restore(std::uint64_t steps, const AlignedBuffer<Scalar>& values) {
    steps_ = steps;
    average_ = values;
  }

private:
  double decay_ = 0;
  std::uint64_t steps_ = 0;
  AlignedBuffer<Scalar> average_;
};

ROWSMITH_END
