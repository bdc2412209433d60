// SPDX-License-Identifier: MIT
/// \file
/// Numbers of a row that are at most others.
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// Which columns are at most which others. A view.
struct Orders {
  const std::size_t* columns = nullptr; ///< each behind all that are at most it
  const int* decimals = nullptr; ///< digits after the point of each column's numbers; −1: as they come
  std::size_t count = 0;
  const std::size_t* smaller = nullptr; ///< of each pair: places in `columns`
  const std::size_t* larger = nullptr;  ///< ascending
  std::size_t pairs = 0;

  /// Does a row keep them? Pairs with a missing number are kept. \param at  (column) -> the number there
  template <class At>
  bool hold(const At& at) const noexcept {
    for (std::size_t p = 0; p < pairs; ++p)
      if (at(columns[smaller[p]]) > at(columns[larger[p]]))
        return false;
    return true;
  }

  /// Makes a row keep them: what is in the wrong order changes places, which leaves the numbers themselves as
  /// they were drawn; where the two have different numbers of decimals, the larger one is raised instead.
  /// \param at  (column) -> a reference to the number there
  template <class At>
  void mend(const At& at) const noexcept {
    // Changing places leaves fewer pairs in the wrong order each time; raising may not, hence the bound.
    bool changed = true;
    for (std::size_t round = 0; changed && round <= count; ++round) {
      changed = false;
      for (std::size_t p = 0; p < pairs; ++p) {
        double& low = at(columns[smaller[p]]);
        double& high = at(columns[larger[p]]);
        if (!(low > high))
          continue;
        if (decimals[smaller[p]] == decimals[larger[p]])
          std::swap(low, high);
        else
          high = raised(low, decimals[larger[p]]);
        changed = true;
      }
    }
    for (std::size_t p = 0; changed && p < pairs; ++p) {
      double& high = at(columns[larger[p]]);
      const double low = at(columns[smaller[p]]);
      if (low > high)
        high = raised(low, decimals[larger[p]]);
    }
  }

private:
  /// The least number of so many decimals that is not below.
  static double raised(double number, int digits) noexcept {
    const double scale = std::pow(10.0, digits);
    const double up = digits < 0 ? number : std::ceil(number * scale) / scale;
    return std::isfinite(up) && up >= number ? up : number;
  }
};

} // namespace kernel
ROWSMITH_END
