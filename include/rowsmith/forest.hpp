// SPDX-License-Identifier: MIT
/// \file
/// Trees, forests and boosting; usable alone.
#pragma once

#include <rowsmith/forest/binned_matrix.hpp>
#include <rowsmith/forest/binned_model.hpp>
#include <rowsmith/forest/boosted_tree_grower.hpp>
#include <rowsmith/forest/boosted_trees.hpp>
#include <rowsmith/forest/code_trees.hpp>
#include <rowsmith/forest/decision_tree.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>
#include <rowsmith/forest/isolation_forest.hpp>
#include <rowsmith/forest/pool.hpp>
#include <rowsmith/forest/random_forest.hpp>
#include <rowsmith/forest/small_nodes.hpp>
#include <rowsmith/forest/tree_criteria.hpp>
#include <rowsmith/forest/tree_grower.hpp>
