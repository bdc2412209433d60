// SPDX-License-Identifier: MIT
#include <rowsmith/core/progress.hpp>

#include <cmath>
#include <cstddef>

#include <catch2/catch.hpp>

namespace rs = rowsmith;

TEST_CASE("report passes the listener's answer on", "[core][progress]") {
  std::size_t heard = 0;
  const rs::ProgressCallback stop_at_three = [&](const rs::Progress& progress) {
    heard = progress.epoch;
    return progress.epoch < 3 ? rs::ProgressAction::go_on : rs::ProgressAction::stop;
  };
  rs::Progress progress;
  progress.epoch = 2;
  CHECK(rs::report(stop_at_three, progress));
  CHECK(heard == 2);
  progress.epoch = 3;
  CHECK_FALSE(rs::report(stop_at_three, progress));
}

TEST_CASE("without a listener the work goes on", "[core][progress]") {
  CHECK(rs::report({}, rs::Progress{}));
  CHECK(std::isnan(rs::Progress{}.seconds_left));
}
