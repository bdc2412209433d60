// SPDX-License-Identifier: MIT
/// \file
/// How a stage of a training went: losses against steps, and why it ended.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// Why a stage of a training ended.
enum class StageEnd {
  steps_used_up, ///< all that it had
  converged,     ///< held-out rows got no likelier for as many steps as it had patience
  stopped        ///< the listener asked for it
};
inline constexpr std::array<std::string_view, 3> stage_end_names{"steps used up", "converged", "stopped"};

/// When held-out rows were likeliest in a stage.
struct BestEpoch {
  std::uint64_t step = 0; ///< at its end; ≥ 1
  double loss = 0;        ///< "validation" then, to six digits
  bool operator==(const BestEpoch&) const = default;
};

/// Losses of a stage, small enough to be kept with a model. They are of all its rows together, and so are
/// none of a model that was trained with differential privacy, which pays for nothing of the kind.
struct LearningCurve {
  static constexpr std::size_t most_points = 200;
  static constexpr std::size_t most_figures = 8;

  std::string stage{};
  StageEnd end = StageEnd::steps_used_up;
  std::uint64_t epochs = 0;
  std::vector<std::string> figures{}; ///< names of losses; "validation" is that of held-out rows
  std::vector<std::uint64_t> steps{}; ///< taken up to each point; they rise
  std::vector<double> values{};       ///< points × figures: means a row over the epoch, to six digits
  /// Of all epochs, with or without a point; nothing if there is no "validation", or in older files.
  std::optional<BestEpoch> best{};

  bool operator==(const LearningCurve&) const = default;
  double value(std::size_t point, std::size_t figure) const {
    return values[point * figures.size() + figure];
  }
  /// The values of one figure.
  std::vector<double> line(std::size_t figure) const {
    std::vector<double> result;
    for (std::size_t point = 0; point < steps.size(); ++point)
      result.push_back(value(point, figure));
    return result;
  }

  /// The point at which a figure is least; the first of such.
  std::size_t least_point(std::size_t figure) const {
    std::size_t least = 0;
    for (std::size_t point = 1; point < steps.size(); ++point)
      if (value(point, figure) < value(least, figure))
        least = point;
    return least;
  }

  /// Every how many epochs a stage of so many has a point; the last one has one, too.
  static std::size_t epochs_a_point(std::size_t stage_epochs) {
    return (stage_epochs + most_points - 2) / (most_points - 1);
  }
  /// A value as curves keep it: what is further behind says nothing of a loss, and takes most of the room.
  static double rounded(double value) {
    std::array<char, 32> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6).ptr;
    std::from_chars(text.data(), end, value);
    return value;
  }

  /// \throws ShapeError saying what is wrong
  void check() const {
    const auto require = [this](bool fine, const char* what) {
      if (!fine)
        throw ShapeError("the learning curve of stage '" + stage.substr(0, 40) + "': " + what);
    };
    require(!stage.empty() && stage.size() <= 40, "expected a name of 1 to 40 bytes");
    require(!figures.empty() && figures.size() <= most_figures, "expected 1 to 8 figures");
    for (const auto& figure : figures)
      require(!figure.empty() && figure.size() <= 40, "expected figures of 1 to 40 bytes");
    require(steps.size() <= most_points, "expected at most 200 points");
    require(values.size() == steps.size() * figures.size(), "expected a value for each point and figure");
    require(std::adjacent_find(steps.begin(), steps.end(), [](auto a, auto b) { return a >= b; }) ==
                steps.end(),
            "its steps do not rise");
    require(std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }),
            "a value that is not finite");
    if (best) {
      const auto validation = std::find(figures.begin(), figures.end(), "validation");
      require(validation != figures.end(), "a best epoch without 'validation'");
      require(best->step >= 1 && std::isfinite(best->loss), "its best epoch has no step or no finite loss");
      const auto losses = line(static_cast<std::size_t>(validation - figures.begin()));
      require(std::all_of(losses.begin(), losses.end(), [&](double loss) { return loss >= best->loss; }),
              "a point with less loss than its best epoch");
    }
  }
};

ROWSMITH_END
