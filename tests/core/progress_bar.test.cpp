// SPDX-License-Identifier: MIT
#include <rowsmith/core/progress_bar.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

namespace {
const std::array<rs::NamedValue, 2> losses{{{"loss", 3.25}, {"validation", 4.125}}};

rs::Progress at(std::size_t epoch, double seconds) {
  rs::Progress progress;
  progress.stage = "autoencoder";
  progress.stage_number = 1;
  progress.stages = 3;
  progress.epoch = epoch;
  progress.epochs = 40;
  progress.values = losses;
  progress.rows_per_second = 123'456;
  progress.seconds = seconds;
  progress.seconds_left = 125;
  return progress;
}

rs::Progress last(std::size_t epoch, double seconds) {
  rs::Progress progress = at(epoch, seconds);
  progress.stage_done = true;
  return progress;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}
} // namespace

TEST_CASE("a log gets a line every few seconds and one at the end of a stage", "[core][progress_bar]") {
  std::ostringstream out;
  const auto bar = rs::progress_bar(out);
  CHECK(bar(at(1, 1)) == rs::ProgressAction::go_on);
  for (std::size_t epoch = 2; epoch < 12; ++epoch)
    bar(at(epoch, static_cast<double>(epoch)));
  bar(last(12, 12));
  const auto lines = lines_of(out.str());
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] ==
        "stage 1/3 autoencoder  epoch 5/40  loss 3.25  validation 4.125  123.5k rows/s  2 min 05 s left");
  CHECK_THAT(lines[1], Catch::Contains("epoch 10/40"));
  CHECK(lines[2] ==
        "stage 1/3 autoencoder  epoch 12/40  loss 3.25  validation 4.125  123.5k rows/s  done in 12 s");
  CHECK(out.str().find_first_of("\r\x1b") == std::string::npos);
}

TEST_CASE("a stage that has nothing to tell is silent about it", "[core][progress_bar]") {
  std::ostringstream out;
  rs::Progress progress;
  progress.stage = "detection";
  progress.epoch = 3;
  progress.stage_done = true;
  rs::progress_bar(out)(progress);
  CHECK(out.str() == "stage 1/1 detection  epoch 3  done in 0 s\n");
}

TEST_CASE("a terminal line is redrawn in place and ends with its stage", "[core][progress_bar]") {
  std::ostringstream out;
  const auto bar = rs::progress_bar(out, {.redraw = true, .columns = 1000});
  bar(at(10, 1));
  bar(at(11, 1.01)); // too soon to be drawn
  bar(at(20, 2));
  const std::string drawn = out.str();
  CHECK(std::count(drawn.begin(), drawn.end(), '\r') == 2);
  CHECK(std::count(drawn.begin(), drawn.end(), '\n') == 0);
  CHECK_THAT(out.str(), Catch::Contains("epoch 10/40  [=====               ]  loss"));
  CHECK_THAT(out.str(), Catch::Contains("epoch 20/40  [==========          ]  loss"));
  CHECK_THAT(out.str(), !Catch::Contains("epoch 11/40"));
  bar(last(21, 2.02));
  CHECK_THAT(out.str(), Catch::EndsWith("done in 2 s\x1b[K\n"));
}

TEST_CASE("a terminal line never wraps", "[core][progress_bar]") {
  std::ostringstream out;
  const auto bar = rs::progress_bar(out, {.redraw = true, .columns = 40});
  bar(at(10, 1));
  const std::string text = out.str();
  const auto end = text.find("\x1b[K");
  REQUIRE(end != std::string::npos);
  CHECK(end == 1 + 39); // the carriage return and one column less than there are
}

TEST_CASE("a new stage leaves the old one's line", "[core][progress_bar]") {
  std::ostringstream out;
  const auto bar = rs::progress_bar(out, {.redraw = true});
  bar(at(10, 7));
  auto next = at(1, 0.2);
  next.stage = "gan";
  next.stage_number = 2;
  bar(next);
  const auto lines = lines_of(out.str());
  REQUIRE(lines.size() == 2);
  CHECK_THAT(lines[0], Catch::Contains("1/3 autoencoder"));
  CHECK_THAT(lines[1], Catch::Contains("2/3 gan"));
}

TEST_CASE("the same stage run twice is told twice", "[core][progress_bar]") {
  std::ostringstream out;
  const auto bar = rs::progress_bar(out);
  bar(last(2, 30));
  bar(at(1, 6));
  bar(last(2, 7));
  CHECK(lines_of(out.str()).size() == 3);
}

TEST_CASE("copies of a progress bar share one line", "[core][progress_bar]") {
  std::ostringstream out;
  const rs::ProgressCallback bar = rs::progress_bar(out);
  const rs::ProgressCallback copy = bar;
  bar(at(5, 5));
  copy(at(6, 6));
  CHECK(lines_of(out.str()).size() == 1);
}

TEST_CASE("durations read naturally", "[core][progress_bar]") {
  CHECK(rs::detail::duration_text(0.4) == "0 s");
  CHECK(rs::detail::duration_text(59.4) == "59 s");
  CHECK(rs::detail::duration_text(59.6) == "1 min 00 s");
  CHECK(rs::detail::duration_text(3599) == "59 min 59 s");
  CHECK(rs::detail::duration_text(3720) == "1 h 02 min");
  CHECK(rs::detail::duration_text(-1) == "0 s");
}

TEST_CASE("options of a progress bar are checked", "[core][progress_bar]") {
  std::ostringstream out;
  CHECK_THROWS_AS(rs::progress_bar(out, {.seconds_between = -1}), rs::OptionError);
  CHECK_THROWS_AS(rs::progress_bar(out, {.seconds_between = std::numeric_limits<double>::quiet_NaN()}),
                  rs::OptionError);
  CHECK_THROWS_WITH(rs::progress_bar(out, {.columns = 39}), Catch::Contains("columns = 39"));
}
