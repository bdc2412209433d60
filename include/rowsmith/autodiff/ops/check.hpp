// SPDX-License-Identifier: MIT
/// \file
/// What the operations share: checks of their operands, and how contributions reach adjoints.
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

/// Where a contribution to an adjoint goes (null: nobody asked), and whether it is the first: then every
/// element must be assigned.
template <class Scalar>
struct Target {
  Target() = default;
  explicit Target(const Variable<Scalar>& x) : data(x.needs_gradient() ? x.adjoint_target(fresh) : nullptr) {}
  explicit operator bool() const noexcept { return data != nullptr; }
  bool fresh = false;
  Scalar* data = nullptr;
};

/// Adds `term(i)` to element i of x's adjoint, or assigns it where nothing has arrived yet.
template <class Scalar, class Term>
void contribute(const Variable<Scalar>& x, const Term& term) {
  const Target<Scalar> target(x);
  const Index count = target ? x.size() : 0;
  if (target.fresh)
    for (Index i = 0; i < count; ++i)
      target.data[i] = term(i);
  else
    for (Index i = 0; i < count; ++i)
      target.data[i] += term(i);
}

/// \throws Error for operands on two tapes: neither could play the other's gradient back
template <class Scalar, class... More>
void check_one_tape(const char* operation, const Variable<Scalar>& first, const More&... more) {
  if (((&more.tape() != &first.tape()) || ...))
    throw Error(std::string(operation) + ": the operands are on different tapes, expected one tape for all");
}

/// Σ x²
template <class Scalar>
Scalar squared_length(const Scalar* x, Index count) noexcept {
  Scalar sum = 0;
  for (Index i = 0; i < count; ++i)
    sum += x[i] * x[i];
  return sum;
}

} // namespace detail

/// The result of an operation, on the tape of its operands, with values to be filled; it needs a gradient if
/// one of them does. \throws Error for operands on two tapes
template <class Scalar, class... More>
Variable<Scalar> make_result(const char* operation, Index rows, Index columns, const Variable<Scalar>& first,
                             const More&... more) {
  detail::check_one_tape(operation, first, more...);
  return first.tape().make(rows, columns, (first.needs_gradient() || ... || more.needs_gradient()));
}

ROWSMITH_END
