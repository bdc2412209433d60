// SPDX-License-Identifier: MIT
#include <rowsmith/train/guide_stage.hpp>

#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/io/model_file.hpp>

#include "small_training.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

TEST_CASE("a training ends with a guide where its rows are told from the table's", "[train][threads]") {
  const auto data = small::table(600);
  auto options = small::options();
  options.autoencoder.steps = options.gan.steps = options.refit.steps = 5; // heads that know next to nothing
  options.guide.rounds = 40;
  std::vector<std::string> files;
  for (const int threads : {1, 3}) {
    options.threads = threads;
    small::Trainer trainer(options);
    std::size_t told = 0;
    const auto model = trainer.fit(data, [&](const rs::Progress& progress) {
      told += progress.stage == "guide" && progress.stage_done ? 1 : 0;
      return rs::ProgressAction::go_on;
    });
    CHECK(told == 1);
    CHECK(trainer.stages().back().name == "guide");
    REQUIRE_FALSE(model.parts().guide.empty());
    CHECK(model.parts().guide.candidates_a_row() > 1.5);
    files.push_back(rs::format_model(model));
    // The flag follows from the kind more often than the heads know.
    const auto odd = [](const rs::Table& rows) { // "off" beside "a"
      double count = 0;
      for (std::size_t r = 0; r < rows.rows(); ++r)
        count += rows["kind"].cell(r).text() == "a" && rows["flag"].cell(r).text() == "off" ? 1 : 0;
      return count / static_cast<double>(rows.rows());
    };
    CHECK(odd(data) == 0);
    CHECK(odd(model.sample(2000, {.seed = 1})) < 0.5 * odd(model.without_guide().sample(2000, {.seed = 1})));
  }
  CHECK((files[0] == files[1]));
  options.guide.rounds = 0;
  small::Trainer unguided(options);
  CHECK(unguided.fit(data).parts().guide.empty());
  CHECK(unguided.stages().size() == 3);
}

TEST_CASE("a guide of numbers that are no codes is refused before the training", "[train]") {
  auto options = small::options(true);
  options.guide.rounds = 5;
  CHECK_THROWS_WITH(small::Trainer(options), Contains("guide.rounds") && Contains("codes"));
  options.guide = {.rounds = 5, .largest_odds = 0.5};
  CHECK_THROWS_WITH(small::Trainer(options), Contains("guide.largest_odds"));
}

TEST_CASE("trees stay where rows held out are told less easily with them, and only there", "[train]") {
  const auto data = small::table(600);
  rs::RecipeOptions<rs::DefaultRecipe> options;
  options.seed = 4;
  options.threads = 1;
  options.autoencoder.batch = options.refit.batch = 100;
  options.gan.steps = 3;
  options.guide.rounds = 40;
  // Heads that have learnt next to nothing beside trees that see who belongs together, and the reverse.
  for (const bool trees_know : {true, false}) {
    CAPTURE(trees_know);
    options.autoencoder.steps = options.refit.steps = trees_know ? 2 : 250;
    options.trees.min_leaf = trees_know ? 5 : 500; // of 480: trees without a split
    for (const bool validated : {true, false}) {
      options.trees.validated = validated;
      rs::DefaultRecipe::Trainer trainer(options);
      const auto model = trainer.fit(data);
      const bool kept = trees_know || !validated;
      CHECK(std::holds_alternative<rs::MixedNetwork>(model.heads()) == kept);
      CHECK((model.parts().notes.count("trees") == 0) == kept);
      CHECK(trainer.stages().back().epochs == (validated ? 2U : 1U));
    }
  }
  // What trees gain has to be worth it, too.
  options.autoencoder.steps = options.refit.steps = 2;
  options.trees.min_leaf = 5;
  options.trees.validated = true;
  options.guide.min_gain = 1;
  const auto model = rs::DefaultRecipe::Trainer(options).fit(data);
  CHECK(std::holds_alternative<rs::AutoregressiveNetwork>(model.heads()));
}
