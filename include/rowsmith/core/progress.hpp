// SPDX-License-Identifier: MIT
/// \file
/// What a long-running call tells its caller while it works. The terminal bar of
/// `rowsmith/core/progress_bar.hpp` is one listener among others.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// A named figure, such as {"loss", 3.2}.
struct NamedValue {
  std::string_view name;
  double value = 0;
};

/// One report. Views are valid during the call only.
struct Progress {
  std::string_view stage;             ///< such as "autoencoder", "gan", "detection"
  std::size_t stage_number = 1;       ///< counts from 1
  std::size_t stages = 1;             ///< how many stages the call has
  std::size_t epoch = 0;              ///< epochs (or rounds) done in this stage
  std::size_t epochs = 0;             ///< at most this many
  std::span<const NamedValue> values; ///< losses and other figures of the epoch
  double rows_per_second = 0;         ///< training rows seen a second in this stage; 0: not known
  double seconds = 0;                 ///< since the stage began
  double seconds_left = std::numeric_limits<double>::quiet_NaN(); ///< of this stage, NaN: not known
  bool stage_done = false;                                        ///< the last report of the stage
};

/// The listener's answer: `stop` ends the current stage cleanly, keeping its best state. Short stages that
/// have no state to end with ("trees", those of a judgement) go on to their end.
enum class ProgressAction { go_on, stop };

/// Called after each epoch, on the calling thread. Empty: nobody listens.
using ProgressCallback = std::function<ProgressAction(const Progress&)>;

/// Reports to `callback` if there is one. Returns false when the listener asked to stop.
inline bool report(const ProgressCallback& callback, const Progress& progress) {
  return !callback || callback(progress) == ProgressAction::go_on;
}

/// Tells a listener of the rounds of one stage, one by one, with the time since it was made. For work that a
/// listener cannot stop.
class RoundProgress {
public:
  /// \param callback  must outlive this \param number, stages  which stage it is, of how many
  RoundProgress(const ProgressCallback& callback, std::string_view stage, std::size_t rounds,
                std::size_t number = 1, std::size_t stages = 1)
      : callback_(callback), start_(std::chrono::steady_clock::now()) {
    progress_.stage = stage;
    progress_.epochs = rounds;
    progress_.stage_number = number;
    progress_.stages = stages;
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  /// One more round is done.
  void done() {
    ++progress_.epoch;
    progress_.seconds = seconds();
    progress_.seconds_left = progress_.seconds / static_cast<double>(progress_.epoch) *
                             static_cast<double>(progress_.epochs - progress_.epoch);
    progress_.stage_done = progress_.epoch == progress_.epochs;
    report(callback_, progress_);
  }

private:
  const ProgressCallback& callback_;
  std::chrono::steady_clock::time_point start_;
  Progress progress_;
};

ROWSMITH_END
