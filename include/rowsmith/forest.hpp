// SPDX-License-Identifier: MIT
/// \file
/// Trees and forests; usable alone.
#pragma once

#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/decision_tree.hpp>
#include <rowsmith/forest/random_forest.hpp>
