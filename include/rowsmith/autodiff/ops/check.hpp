// SPDX-License-Identifier: MIT
/// \file
/// Shape checks shared by the operations.
#pragma once

#include <string>

#include <rowsmith/autodiff/tape.hpp>

ROWSMITH_BEGIN
namespace detail {

template <class Scalar>
std::string shape_text(const Variable<Scalar>& x) {
  return std::to_string(x.rows()) + " x " + std::to_string(x.columns());
}

template <class Scalar>
void check_same_shape(const char* operation, const Variable<Scalar>& a, const Variable<Scalar>& b) {
  if (a.rows() != b.rows() || a.columns() != b.columns())
    throw ShapeError(std::string(operation) + ": the operands are " + shape_text(a) + " and " +
                     shape_text(b) + ", expected the same shape");
}

inline std::string part_text(const char* text) { return text; }
inline std::string part_text(Index number) { return std::to_string(number); }

/// \throws ShapeError unless `condition`; the texts and numbers of `expected` say what would have fitted.
/// They are joined only then: a check that holds allocates nothing.
template <class Scalar, class... Part>
void check_shape(bool condition, const char* operation, const char* operand, const Variable<Scalar>& x,
                 const Part&... expected) {
  if (!condition)
    throw ShapeError(std::string(operation) + ": " + operand + " is " + shape_text(x) + ", expected " +
                     (part_text(expected) + ...));
}

/// Adds `term(i)` to element i of x's adjoint, or assigns it where nothing has arrived yet.
template <class Scalar, class Term>
void contribute(const Variable<Scalar>& x, const Term& term) {
  if (!x.needs_gradient())
    return;
  bool overwrite = false;
  Scalar* target = x.adjoint_target(overwrite);
  const Index count = x.size();
  if (overwrite)
    for (Index i = 0; i < count; ++i)
      target[i] = term(i);
  else
    for (Index i = 0; i < count; ++i)
      target[i] += term(i);
}

} // namespace detail
ROWSMITH_END
