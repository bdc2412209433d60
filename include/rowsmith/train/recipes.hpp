// SPDX-License-Identifier: MIT
/// \file
/// The recipes, and the trainer of all but the private one.
#pragma once

#include <rowsmith/train/recipe_layers.hpp>
#include <rowsmith/train/trainer.hpp>
