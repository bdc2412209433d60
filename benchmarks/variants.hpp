// SPDX-License-Identifier: MIT
// The models that the study of many tables compares: the recipes, and what lies between them. Those of the
// path go one switch at a time from the base method to the default recipe; each says what is different from
// the line before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/rowsmith.hpp>

namespace variants {

namespace rs = rowsmith;

/// What of a run is not the recipe's own.
struct Run {
  std::uint64_t seed = 0;
  int threads = 0;
  double tree_share = -1;   ///< of recipes with trees beside neural heads; < 0: their own
  std::size_t min_leaf = 0; ///< of recipes with trees; 0: their own
  bool quick = false;       ///< 100 steps a stage
};

struct Variant {
  std::string name;
  std::string what;
  std::function<rs::TableModel(const rs::Table&, const Run&)> fit;
};

/// Starts as the identity on standard normal noise: with next to no steps it is the prior of the autoencoder.
using PriorGenerator =
    rs::Generator<rs::Noise<16>, rs::Dense<16>, rs::LeakyReLU, rs::Dense<16>, rs::Residual>;
using Joint =
    rs::Autoencoder<rs::Dense<256>, rs::ReLU, rs::Dense<256>, rs::ReLU, rs::Latent<32>, rs::JointHeads<128>>;
using MixtureGenerator = rs::Generator<rs::MixtureNoise<32, 64>, rs::Dense<128>, rs::LeakyReLU,
                                       rs::Dense<128>, rs::LeakyReLU, rs::Dense<32>, rs::Residual>;
using PackedDiscriminator = rs::DefaultRecipe::Discriminator;

template <class Trainer>
Variant variant(std::string name, std::string what, rs::TrainerOptions options) {
  return {std::move(name), std::move(what), [options](const rs::Table& table, const Run& run) {
            auto own = options;
            own.seed = run.seed;
            own.threads = run.threads;
            if (own.trees.share > 0 && own.trees.share < 1 && run.tree_share >= 0)
              own.trees.share = run.tree_share;
            if (run.min_leaf > 0)
              own.trees.min_leaf = run.min_leaf;
            if (run.quick) {
              own.autoencoder.steps = 100;
              own.gan.steps = std::min<std::size_t>(own.gan.steps, 100);
              own.refit.steps = std::min<std::size_t>(own.refit.steps, 100);
            }
            return Trainer(own).fit(table);
          }};
}

/// From the base method to the default recipe.
inline std::vector<Variant> path() {
  using Faithful = rs::FaithfulRecipe::Trainer;
  using Default = rs::DefaultRecipe::Trainer;
  std::vector<Variant> list;
  auto options = rs::FaithfulRecipe::options();
  list.push_back(variant<Faithful>("faithful", "the base method to the letter", options));
  options.decoding = rs::Decoding::sample;
  list.push_back(variant<Faithful>("draw", "categories drawn instead of argmax", options));
  options.encoding.numerical = rs::NumericalEncoding::codes;
  list.push_back(variant<Faithful>("codes", "numericals as codes instead of squared error", options));
  options.autoencoder.kl_weight = 0.5;
  list.push_back(variant<Faithful>("variational", "a smooth latent space (KL weight .5)", options));
  options.gan.k_steps_g = 1;
  options.gan.discriminator_rate_factor = 2;
  options.gan.optimiser.learning_rate = 2e-4;
  list.push_back(variant<Faithful>("paced", "discriminator at the generator's pace", options));

  options = rs::NeuralRecipe::options();
  options.refit.steps = 0;
  list.push_back(
      variant<Default>("autoregressive", "autoregressive heads, averaged weights, packed hinge", options));
  options = rs::NeuralRecipe::options();
  list.push_back(variant<Default>("neural", "coupled refit of the decoder", options));
  auto other = options;
  other.gan.steps = 1;
  list.push_back(
      variant<
          rs::Trainer<rs::DefaultRecipe::Autoencoder, PriorGenerator, PackedDiscriminator, rs::HingeLoss>>(
          "prior", "neural, with N(0, I) in place of the generator", other));
  other = options;
  other.autoencoder.kl_weight = 5;
  list.push_back(
      variant<Default>("heads", "neural, with a latent code that says nothing (KL weight 5)", other));

  options = rs::DefaultRecipe::options();
  options.guide.rounds = 0;
  other = options;
  other.autoencoder.kl_weight = 0.6;
  list.push_back(variant<Default>("trees-on-codes", "neural, and trees that draw every other column", other));
  list.push_back(variant<Default>("unguided", "the same with a latent code that says nothing", options));
  list.push_back(
      variant<Default>("default", "a guide that has rows drawn again", rs::DefaultRecipe::options()));
  return list;
}

/// The path, and what does not lie on it.
inline std::vector<Variant> all() {
  auto list = path();
  list.push_back(variant<rs::DefaultRecipe::Trainer>("nearest", "the default with leaves of 20 rows",
                                                     rs::NearestRecipe::options()));
  list.push_back(variant<rs::TreeRecipe::Trainer>("trees", "nothing but trees", rs::TreeRecipe::options()));
  auto options = rs::FaithfulRecipe::options();
  options.decoding = rs::Decoding::sample;
  options.encoding.numerical = rs::NumericalEncoding::codes;
  options.autoencoder.kl_weight = 0.15;
  options.gan.k_steps_g = 1;
  auto hinge = options;
  hinge.gan.discriminator_rate_factor = 2;
  hinge.gan.optimiser = {.learning_rate = 5e-4, .beta1 = 0.5, .beta2 = 0.9};
  list.push_back(variant<rs::Trainer<Joint, MixtureGenerator, PackedDiscriminator, rs::HingeLoss>>(
      "mixture", "joint heads, mixture noise, residual generator, packed hinge discriminator", hinge));
  auto rows = options;
  rows.gan = {.steps = 4000,
              .batch = 256,
              .discriminator_rate_factor = 1,
              .average_decay = 0.998,
              .optimiser = {.learning_rate = 1e-3, .beta1 = 0, .beta2 = 0.99},
              .schedule = {.kind = rs::LearningRateSchedule::Kind::cosine}};
  using RowDiscriminator = rs::Discriminator<rs::OnRows, rs::Dense<256>, rs::LeakyReLU, rs::Dense<256>,
                                             rs::LeakyReLU, rs::Dense<1>>;
  list.push_back(
      variant<rs::Trainer<Joint, MixtureGenerator, RowDiscriminator, rs::RelativisticLoss, rs::R1R2Penalty>>(
          "rows", "the same, a discriminator on decoded rows, relativistic loss, R1 + R2", rows));
  return list;
}

} // namespace variants
