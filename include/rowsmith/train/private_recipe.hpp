// SPDX-License-Identifier: MIT
/// \file
/// The private recipe and its trainer.
#pragma once

#include <rowsmith/train/private_trainer.hpp>
#include <rowsmith/train/recipe_layers.hpp>
