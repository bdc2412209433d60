// SPDX-License-Identifier: MIT
/// \file
/// Matrices, products and vectorised functions.
#pragma once

#include <rowsmith/linalg/gemm.hpp>
#include <rowsmith/linalg/linear_assignment.hpp>
#include <rowsmith/linalg/matrix.hpp>
#include <rowsmith/linalg/random_fill.hpp>
#include <rowsmith/linalg/simd.hpp>
