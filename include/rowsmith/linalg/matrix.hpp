// SPDX-License-Identifier: MIT
/// \file
/// Matrix types. Every matrix is rows × columns, row-major, and one row is one sample.
#pragma once

#include <type_traits>

#include <Eigen/Core>

#include <rowsmith/kernel/simd.hpp>

ROWSMITH_BEGIN

static_assert(std::is_same_v<Index, Eigen::Index>, "rowsmith takes Eigen's index type to be std::ptrdiff_t");

/// An owning rows × columns matrix, row-major.
template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A view of contiguous row-major memory owned elsewhere; made per call, never stored.
template <class Scalar>
using MatrixMap = Eigen::Map<Matrix<Scalar>>;
template <class Scalar>
using ConstMatrixMap = Eigen::Map<const Matrix<Scalar>>;

/// A view of contiguous memory as a vector of elements.
template <class Scalar>
using ArrayMap = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
template <class Scalar>
using ConstArrayMap = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>;

ROWSMITH_END
