// SPDX-License-Identifier: MIT
// Every recipe, killed in every stage, ends with the bits of an undisturbed training. Tables and steps are
// tiny.
#include <catch2/catch.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <rowsmith/io/model_file.hpp>

#include "small_training.hpp"

namespace rs = rowsmith;

namespace {

// Layers and losses that the recipes do not have.
struct OnRowsAndLatents {
  using Autoencoder =
      rs::Autoencoder<rs::Dense<12>, rs::LeakyReLU, rs::LayerNorm, rs::Latent<3>, rs::JointHeads<>>;
  using Generator =
      rs::Generator<rs::MixtureNoise<3, 2>, rs::Dense<9>, rs::LeakyReLU, rs::Dense<3>, rs::Residual>;
  using Rows = rs::Discriminator<rs::OnRows, rs::Packing<2>, rs::SpectralDense<7>, rs::LeakyReLU, rs::Dropout,
                                 rs::SpectralDense<1>>;
  using Latents = rs::Discriminator<rs::Packing<2>, rs::Dense<6>, rs::ReLU, rs::SpectralDense<1>>;
  using Trainer = rs::Trainer<Autoencoder, Generator, rs::Discriminators<Rows, Latents>, rs::RelativisticLoss,
                              rs::R1R2Penalty>;
  static rs::TrainerOptions options() { return {.conditional = true}; }
};
struct Unpacked {
  using Autoencoder = rs::Autoencoder<rs::Dense<10>, rs::Tanh, rs::Dropout, rs::Latent<3>>;
  using Generator =
      rs::Generator<rs::Noise<4>, rs::Dense<11>, rs::LayerNorm, rs::Sigmoid, rs::Dense<3>, rs::Tanh>;
  using Discriminator = rs::Discriminator<rs::SpectralDense<5>, rs::ReLU, rs::Dense<1>>;
  using Trainer = rs::Trainer<Autoencoder, Generator, Discriminator, rs::HingeLoss, rs::R1Penalty>;
  static rs::TrainerOptions options() { return {}; }
};
struct FaithfulConditional : rs::FaithfulRecipe {
  static rs::TrainerOptions options() {
    auto options = rs::FaithfulRecipe::options();
    options.conditional = true;
    return options;
  }
};

/// What a kill at each progress call would leave: the last state saved before it.
struct Kills {
  rs::TensorFile last;
  std::map<std::string, std::vector<rs::TensorFile>> at; ///< by stage
};

template <class Recipe>
void check_recipe() {
  const auto data = small::table(40);
  auto options = Recipe::options();
  options.seed = 5;
  options.threads = 1;
  options.autoencoder.batch = options.gan.batch = options.refit.batch = 16;
  options.autoencoder.steps = options.gan.steps = 9;
  options.refit.steps = options.refit.steps == 0 ? 0 : 9;
  options.gan.penalty_every = 2;
  const auto expected = rs::format_model(typename Recipe::Trainer(options).fit(data));
  Kills kills;
  const auto watched =
      typename Recipe::Trainer(options).fit(data,
                                            [&](const rs::Progress& progress) {
                                              kills.at[std::string(progress.stage)].push_back(kills.last);
                                              return rs::ProgressAction::go_on;
                                            },
                                            {.save = [&](const rs::TensorFile& state) { kills.last = state; },
                                             .load = {},
                                             .discard = {},
                                             .seconds = 0});
  CHECK((rs::format_model(watched) == expected));
  REQUIRE(kills.at.size() == 2U + (options.refit.steps == 0 ? 0U : 1U) + (options.trees.share > 0 ? 1U : 0U) +
                                 (options.guide.rounds > 0 ? 1U : 0U));
  for (const auto& [stage, states] : kills.at) {
    REQUIRE(states.size() >= (stage == "guide" ? 1 : 3));
    for (const std::size_t call : {std::size_t{0}, states.size() / 2, states.size() - 1}) {
      INFO("killed in stage " << stage << " at progress call " << call + 1 << " of " << states.size());
      // Trees and guides have no states: what was there before them is made again.
      CHECK(states[call].metadata.at("stage") == (stage == "trees" || stage == "guide" ? "refit" : stage));
      const auto resumed = typename Recipe::Trainer(options).fit(
          data, {},
          {.save = [](const rs::TensorFile&) {},
           .load = [&]() -> std::optional<rs::TensorFile> { return states[call]; },
           .discard = {}});
      CHECK((rs::format_model(resumed) == expected));
    }
  }
}

} // namespace

TEST_CASE("a killed training of the default recipe ends with the same bits", "[train]") {
  check_recipe<rs::DefaultRecipe>();
}
TEST_CASE("a killed training of the base method ends with the same bits", "[train]") {
  check_recipe<FaithfulConditional>();
}
TEST_CASE("a killed training against discriminators of rows and of codes ends with the same bits",
          "[train]") {
  check_recipe<OnRowsAndLatents>();
}
TEST_CASE("a killed training against a spectral discriminator ends with the same bits", "[train]") {
  check_recipe<Unpacked>();
}
