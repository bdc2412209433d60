// SPDX-License-Identifier: MIT
/// \file
/// Reverse-mode automatic differentiation on matrices: the tape and its operations.
#pragma once

#include <rowsmith/autodiff/arena.hpp>
#include <rowsmith/autodiff/gradient_check.hpp>
#include <rowsmith/autodiff/ops/activation.hpp>
#include <rowsmith/autodiff/ops/autoregressive.hpp>
#include <rowsmith/autodiff/ops/autoregressive_shape.hpp>
#include <rowsmith/autodiff/ops/dense.hpp>
#include <rowsmith/autodiff/ops/elementwise.hpp>
#include <rowsmith/autodiff/ops/gather.hpp>
#include <rowsmith/autodiff/ops/gumbel.hpp>
#include <rowsmith/autodiff/ops/layer_norm.hpp>
#include <rowsmith/autodiff/ops/loss.hpp>
#include <rowsmith/autodiff/ops/matmul.hpp>
#include <rowsmith/autodiff/ops/reduce.hpp>
#include <rowsmith/autodiff/ops/shape.hpp>
#include <rowsmith/autodiff/ops/spectral.hpp>
#include <rowsmith/autodiff/ops/stochastic.hpp>
#include <rowsmith/autodiff/tape.hpp>
