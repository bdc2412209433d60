// SPDX-License-Identifier: MIT
/// \file
/// Numbers of a row that others give.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace kernel {

enum class FormulaForm {
  sum,     ///< Σ ± operand + constant
  product, ///< operand · operand
  ratio    ///< operand / operand; missing where that is 0
};

/// How a column is computed. A view.
struct Formula {
  FormulaForm form = FormulaForm::sum;
  std::size_t column = 0;
  const std::size_t* operands = nullptr; ///< columns
  const int* signs = nullptr;            ///< of a sum: 1 or −1 for each operand
  std::size_t count = 0;
  double constant = 0; ///< of a sum
  double rounding = 0; ///< 10 to the number of decimals; 0: results are not rounded

  /// \param at  (column) -> the number there, NaN if missing
  template <class At>
  double value(const At& at) const noexcept {
    const double unrounded = exact(at);
    const double rounded = rounding == 0 ? unrounded : std::round(unrounded * rounding) / rounding;
    // Where that is beyond a double there is nothing to round; a zero has no sign.
    return (std::isfinite(rounded) ? rounded : unrounded) + 0.0;
  }
  /// Does a row keep it? Whatever rule ties were rounded by, half a unit is as far as rounding goes.
  template <class At>
  bool holds(const At& at) const noexcept {
    const double found = at(column);
    const double expected = exact(at);
    if (std::isnan(found) || std::isnan(expected))
      return std::isnan(found) && std::isnan(expected);
    double size = std::abs(found) + std::abs(constant);
    for (std::size_t i = 0; i < count && form == FormulaForm::sum; ++i)
      size += std::abs(at(operands[i]));
    const double slack = form == FormulaForm::sum || rounding == 0 ? 0 : 0.5 / rounding;
    return std::abs(found - expected) <= slack + 1e-12 * size;
  }

private:
  template <class At>
  double exact(const At& at) const noexcept {
    if (form == FormulaForm::product)
      return at(operands[0]) * at(operands[1]);
    if (form == FormulaForm::ratio)
      return at(operands[1]) == 0 ? std::numeric_limits<double>::quiet_NaN()
                                  : at(operands[0]) / at(operands[1]);
    double total = constant;
    for (std::size_t i = 0; i < count; ++i)
      total += signs[i] * at(operands[i]);
    return total;
  }
};

} // namespace kernel
ROWSMITH_END
