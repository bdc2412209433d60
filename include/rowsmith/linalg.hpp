// SPDX-License-Identifier: MIT
/// \file
/// Matrices and products.
#pragma once

#include <rowsmith/linalg/cholesky.hpp>
#include <rowsmith/linalg/gemm.hpp>
#include <rowsmith/linalg/linear_assignment.hpp>
#include <rowsmith/linalg/matrix.hpp>
