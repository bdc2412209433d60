// SPDX-License-Identifier: MIT
/// \file
/// Progress on a terminal, or in a log file.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iomanip>
#include <iostream>
#include <limits>
#include <locale>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>

#if __has_include(<unistd.h>)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>

ROWSMITH_BEGIN

/// How a progress bar is drawn.
struct ProgressBarOptions {
  /// One line redrawn in place; not set: only if the stream is a terminal.
  std::optional<bool> redraw = std::nullopt;
  /// Between plain lines of a stage where nothing is redrawn, at least 0.
  double seconds_between = 5;
  /// Width of the line, 40 to 1000; 0: that of the terminal, or 100.
  std::size_t columns = 0;
};

namespace detail {
/// The file number behind a standard stream, −1 for any other stream.
inline int file_number(const std::ostream& out) {
  if (out.rdbuf() == std::cout.rdbuf())
    return 1;
  return out.rdbuf() == std::cerr.rdbuf() || out.rdbuf() == std::clog.rdbuf() ? 2 : -1;
}

inline bool is_terminal(const std::ostream& out) {
#if __has_include(<unistd.h>)
  const int file = file_number(out);
  return file >= 0 && ::isatty(file) == 1;
#else
  static_cast<void>(out);
  return false;
#endif
}

inline std::size_t terminal_columns(const std::ostream& out) {
#if __has_include(<unistd.h>)
  const int file = file_number(out);
  ::winsize size{};
  if (file >= 0 && ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
    return size.ws_col;
#else
  static_cast<void>(out);
#endif
  return 100;
}

/// Seconds as "8 s", "2 min 05 s" or "1 h 02 min".
inline std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::min(std::round(std::max(seconds, 0.0)), 1e15));
  const auto two = [](long long part) {
    return std::string(part < 10 ? 1 : 0, '0').append(std::to_string(part));
  };
  if (whole < 60)
    return std::to_string(whole) + " s";
  if (whole < 3600)
    return std::to_string(whole / 60) + " min " + two(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + two(whole % 3600 / 60) + " min";
}

/// A figure to four significant digits.
inline std::string figure_text(double value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::setprecision(4) << value;
  return text.str();
}

/// The state behind a progress bar: which stage was drawn last, and when.
class ProgressBar {
public:
  ProgressBar(std::ostream& out, const ProgressBarOptions& options)
      : out_(out), redraw_(options.redraw.value_or(is_terminal(out))),
        interval_(redraw_ ? redraw_interval : options.seconds_between), columns_(options.columns) {}

  void report(const Progress& progress) {
    const std::string stage = std::to_string(progress.stage_number) + '/' + std::to_string(progress.stages) +
                              ' ' + std::string(progress.stage);
    // A stage that ended without its last report, or a second run, begins below what is there.
    if (stage != stage_ || progress.seconds < drawn_at_) {
      if (line_open_)
        out_ << '\n';
      line_open_ = false;
      stage_ = stage;
      drawn_at_ = redraw_ ? -std::numeric_limits<double>::infinity() : 0;
    }
    if (!progress.stage_done && progress.seconds - drawn_at_ < interval_)
      return;
    drawn_at_ = progress.seconds;

    if (redraw_) {
      const std::size_t width = columns_ != 0 ? columns_ : terminal_columns(out_);
      // The last column stays free: some terminals wrap when it is written.
      out_ << '\r' << line(progress).substr(0, width - 1) << "\x1b[K";
      line_open_ = !progress.stage_done;
    } else {
      out_ << line(progress);
    }
    if (!line_open_)
      out_ << '\n';
    out_ << std::flush;
    // The same stage may run again; it then begins anew.
    if (progress.stage_done)
      stage_.clear();
  }

private:
  std::string line(const Progress& progress) const {
    std::string text = "stage " + stage_ + "  epoch " + std::to_string(progress.epoch);
    if (progress.epochs != 0)
      text += '/' + std::to_string(progress.epochs);
    if (redraw_ && progress.epochs != 0)
      text += "  " + bar(static_cast<double>(progress.epoch) / static_cast<double>(progress.epochs));
    for (const NamedValue& figure : progress.values)
      text += "  " + std::string(figure.name) + ' ' + figure_text(figure.value);
    if (progress.rows_per_second > 0)
      text += "  " + figure_text(std::round(progress.rows_per_second / 1000 * 10) / 10) + "k rows/s";
    if (progress.stage_done)
      text += "  done in " + duration_text(progress.seconds);
    else if (!std::isnan(progress.seconds_left))
      text += "  " + duration_text(progress.seconds_left) + " left";
    return text;
  }

  static std::string bar(double part) {
    constexpr std::size_t width = 20;
    const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * width);
    return '[' + std::string(full, '=') + std::string(width - full, ' ') + ']';
  }

  static constexpr double redraw_interval = 0.1; // seconds; a faster bar flickers and costs time
  std::ostream& out_;
  bool redraw_;
  double interval_;
  std::size_t columns_;
  std::string stage_;
  double drawn_at_ = 0;
  bool line_open_ = false;
};
} // namespace detail

/// A listener that shows each stage on a line: its number and name, epochs done, losses, rows a second and
/// time left. On a terminal the line has a bar and is redrawn in place; elsewhere it is written anew every
/// few seconds. A stage's last line stays. It never stops a stage.
///
/// \param out  must outlive the callback; copies of the callback share one line
/// \throws OptionError for an option out of its range
inline ProgressCallback progress_bar(std::ostream& out = std::clog, const ProgressBarOptions& options = {}) {
  if (!(options.seconds_between >= 0))
    throw OptionError("progress bar: seconds_between = " + detail::figure_text(options.seconds_between) +
                      ": expected 0 or more");
  if (options.columns != 0 && (options.columns < 40 || options.columns > 1000))
    throw OptionError("progress bar: columns = " + std::to_string(options.columns) +
                      ": expected 40 to 1000, or 0 for the terminal's");
  return [bar = std::make_shared<detail::ProgressBar>(out, options)](const Progress& progress) {
    bar->report(progress);
    return ProgressAction::go_on;
  };
}

ROWSMITH_END
