// SPDX-License-Identifier: MIT
/// \file
/// Training.
#pragma once

#include <rowsmith/train/autoencoder_stage.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/gan_stage.hpp>
#include <rowsmith/train/gaussian_mixture_fit.hpp>
#include <rowsmith/train/guide_stage.hpp>
#include <rowsmith/train/latent_rows.hpp>
#include <rowsmith/train/learner.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/private_column.hpp>
#include <rowsmith/train/private_encoding.hpp>
#include <rowsmith/train/private_gan.hpp>
#include <rowsmith/train/private_gradient.hpp>
#include <rowsmith/train/private_recipe.hpp>
#include <rowsmith/train/private_trainer.hpp>
#include <rowsmith/train/read_training_rows.hpp>
#include <rowsmith/train/recipe_layers.hpp>
#include <rowsmith/train/recipes.hpp>
#include <rowsmith/train/refit_stage.hpp>
#include <rowsmith/train/row_decoder.hpp>
#include <rowsmith/train/stage.hpp>
#include <rowsmith/train/trainer.hpp>
#include <rowsmith/train/training_rows.hpp>
