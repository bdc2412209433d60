// SPDX-License-Identifier: MIT
/// \file
/// Layers, chains of them, optimisers.
#pragma once

#include <rowsmith/nn/data_parallel.hpp>
#include <rowsmith/nn/inference.hpp>
#include <rowsmith/nn/layers.hpp>
#include <rowsmith/nn/optimiser.hpp>
#include <rowsmith/nn/parameters.hpp>
#include <rowsmith/nn/sequential.hpp>
