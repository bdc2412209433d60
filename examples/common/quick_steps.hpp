// SPDX-License-Identifier: MIT
// What a fit's `--quick` means: a few steps a stage, to see that all works.
#pragma once

#include <algorithm>
#include <cstddef>

#include <rowsmith/train/options.hpp>

namespace common {

inline void take_quick_steps(rowsmith::TrainerOptions& options) {
  options.autoencoder.steps = 60;
  options.gan.steps = 30;
  options.refit.steps = std::min<std::size_t>(options.refit.steps, 30);
}

} // namespace common
