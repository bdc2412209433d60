// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/synthesizer.hpp>
#include <rowsmith/train/autoencoder_stage.hpp>
#include <rowsmith/train/batches.hpp>
#include <rowsmith/train/gan_stage.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/trainer.hpp>

#include "small_training.hpp"

namespace rs = rowsmith;
using small::Autoencoder;
using small::Discriminator;
using small::Generator;
using small::table;
using small::Trainer;

TEST_CASE("the same options give the same bits on any number of threads", "[train][threads]") {
  // A batch of 1100 rows is cut into eight shards, one of 256 into two.
  const auto data = table(2500);
  for (const std::size_t batch : {256U, 1100U})
    for (const bool conditional : {false, true}) {
      auto options = small::options(conditional);
      options.conditional = conditional;
      options.autoencoder.batch = options.gan.batch = batch;
      options.autoencoder.steps = options.gan.steps = 15;
      std::string reference;
      for (const int threads : {1, 2, 3, 8}) {
        options.threads = threads;
        const auto bytes = rs::format_model(Trainer(options).fit(data));
        if (reference.empty())
          reference = bytes;
        CHECK((bytes == reference));
      }
      options.seed = 4;
      CHECK((rs::format_model(Trainer(options).fit(data)) != reference));
    }
}

TEST_CASE("the autoencoder learns to reconstruct", "[train]") {
  const auto data = table();
  const auto encoder = rs::TableEncoder::fit(data, {.numerical = rs::NumericalEncoding::standardised});
  const auto encoded = encoder.encode(data);
  rs::AutoencoderOptions options;
  options.batch = data.rows();
  options.optimiser.learning_rate = 1e-2;
  rs::AutoencoderStage<Autoencoder> stage(Autoencoder(encoder), encoded, options, 1, 1);
  std::vector<std::uint32_t> all(data.rows());
  std::iota(all.begin(), all.end(), 0U);
  rs::EpochOrder order(all, 1);
  const auto rows = order(0);
  const double before = stage.evaluate(rows);
  for (std::uint32_t epoch = 0; epoch < 150; ++epoch)
    stage.step(order(epoch), 0, 150);
  CHECK(stage.evaluate(order(0)) < 0.1 * before);
  CHECK(stage.steps() == 150);
}

TEST_CASE("a discriminator step leaves the generator alone, and the reverse", "[train]") {
  rs::LatentRows latent(200, 6);
  std::vector<float> codes(1200);
  rs::fill_uniform(rs::RandomStream(1, rs::Purpose::user), 0, codes.data(), 1200);
  for (std::size_t i = 0; i < 200; ++i)
    latent.set(i, codes.data() + 6 * i);
  rs::GanOptions options;
  options.average_decay = 0;
  rs::GanStage<Generator, Discriminator> stage(latent, options, 1, 1);
  std::vector<std::uint32_t> rows(200);
  std::iota(rows.begin(), rows.end(), 0U);
  const auto same = [](const auto& a, const auto& b) { return std::equal(a.begin(), a.end(), b.begin()); };
  auto generator = stage.kept_values();
  auto discriminator = stage.discriminator_values();
  stage.discriminator_step(rows, 1);
  CHECK(same(generator, stage.kept_values()));
  CHECK_FALSE(same(discriminator, stage.discriminator_values()));
  discriminator = stage.discriminator_values();
  stage.generator_step(rows, 1);
  CHECK_FALSE(same(generator, stage.kept_values()));
  CHECK(same(discriminator, stage.discriminator_values()));
}

TEST_CASE("the GAN moves its codes to where the real ones are", "[train]") {
  // Real codes lie around 0.5 in every dimension; an untrained generator's around 0.
  rs::LatentRows latent(512, 6);
  std::vector<float> codes(512 * 6);
  rs::fill_normal(rs::RandomStream(1, rs::Purpose::user), 0, codes.data(), 512 * 6);
  for (auto& code : codes)
    code = 0.5F + 0.1F * code;
  for (std::size_t i = 0; i < 512; ++i)
    latent.set(i, codes.data() + 6 * i);
  rs::GanOptions options;
  options.optimiser.learning_rate = 1e-3;
  options.discriminator_rate_factor = 2;
  options.average_decay = 0;
  rs::GanStage<Generator, Discriminator> stage(latent, options, 1, 1);
  std::vector<std::uint32_t> all(512);
  std::iota(all.begin(), all.end(), 0U);
  rs::EpochOrder order(all, 1);
  for (std::uint32_t step = 0; step < 250; ++step) {
    stage.discriminator_step(order(step), 1);
    stage.generator_step(order(step), 1);
  }
  rs::InferenceScratch scratch;
  std::vector<float> noise(1000 * 8);
  rs::fill_normal(rs::RandomStream(2, rs::Purpose::user), 0, noise.data(), 8000);
  const auto network = stage.generator().network(stage.kept_values().data());
  const float* made = network.run(noise.data(), 1000, scratch);
  double mean = 0;
  for (int i = 0; i < 6000; ++i)
    mean += static_cast<double>(made[i]) / 6000;
  CHECK(mean == Approx(0.5).margin(0.1));
}

TEST_CASE("progress is told, and a listener can stop each stage", "[train]") {
  std::map<std::string, std::size_t> epochs;
  std::size_t stage_ends = 0;
  Trainer trainer(small::options());
  trainer.fit(table(), [&](const rs::Progress& progress) {
    ++epochs[std::string(progress.stage)];
    CHECK(progress.epoch == epochs[std::string(progress.stage)]);
    CHECK(progress.values.size() == 2);
    for (const auto& value : progress.values)
      CHECK(std::isfinite(value.value));
    CHECK(progress.rows_per_second > 0);
    stage_ends += progress.stage_done ? 1 : 0;
    return rs::ProgressAction::go_on;
  });
  CHECK(epochs.size() == 3);
  CHECK(stage_ends == 3);
  CHECK(trainer.stages()[0].epochs == epochs["autoencoder"]);
  const auto model = trainer.fit(table(), [](const rs::Progress&) { return rs::ProgressAction::stop; });
  CHECK(trainer.stages()[0].epochs == 1);
  CHECK(trainer.stages()[1].epochs == 1);
  CHECK(trainer.stages()[1].stopped);
  CHECK(trainer.stages()[2].name == "refit");
  CHECK(trainer.stages()[2].epochs == 1);
  CHECK(model.sample(5).rows() == 5);
}

TEST_CASE("training stops early and keeps its best weights", "[train]") {
  // Pure noise: the validation loss can only get worse once the rows are learnt by heart.
  auto noise = rs::Column::numerical("noise");
  for (int i = 0; i < 200; ++i)
    noise.values.push_back(rs::RandomStream(1, rs::Purpose::user).uniform(static_cast<std::uint64_t>(i)));
  const rs::Table data({noise});
  auto options = small::options();
  options.autoencoder.steps = 5000;
  options.autoencoder.patience = 30;
  options.autoencoder.optimiser.learning_rate = 3e-2;
  options.gan.steps = 1;
  options.refit.steps = 0;
  Trainer trainer(options);
  std::vector<double> losses;
  const auto early = trainer.fit(data, [&](const rs::Progress& progress) {
    if (progress.stage == "autoencoder")
      losses.push_back(progress.values[1].value);
    return rs::ProgressAction::go_on;
  });
  CHECK(trainer.stages()[0].epochs == losses.size());
  CHECK(losses.size() < 2500);
  // Its weights are those of a training that is told to stop at the best epoch.
  const auto best =
      static_cast<std::size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin()) + 1;
  CHECK(best + 30 == losses.size()); // an epoch is a step
  const auto but_curves = [](const rs::TableModel& model) {
    auto parts = model.parts();
    parts.curves.clear();
    return rs::format_model(rs::TableModel(std::move(parts)));
  };
  const auto stopped_after = [&](std::size_t epochs) {
    return but_curves(trainer.fit(data, [&](const rs::Progress& progress) {
      return progress.stage == "autoencoder" && progress.epoch == epochs ? rs::ProgressAction::stop
                                                                         : rs::ProgressAction::go_on;
    }));
  };
  CHECK((stopped_after(best) == but_curves(early)));
  CHECK((stopped_after(best - 1) != but_curves(early)));
  // What the model keeps of its training is what the listener was told.
  REQUIRE(early.parts().curves.size() == 2);
  const auto& curve = early.parts().curves[0];
  CHECK(curve.stage == "autoencoder");
  CHECK(curve.end == rs::StageEnd::converged);
  CHECK(curve.epochs == losses.size());
  REQUIRE(curve.figures == std::vector<std::string>{"loss", "validation"});
  CHECK(curve.steps.size() <= rs::LearningCurve::most_points);
  CHECK(curve.steps.size() > 1);
  CHECK(curve.steps.back() == losses.size());
  for (std::size_t point = 0; point < curve.steps.size(); ++point)
    CHECK(curve.value(point, 1) == Approx(losses[curve.steps[point] - 1]).epsilon(1e-5));
  REQUIRE(curve.best); // whether or not its epoch has a point
  CHECK(curve.best->step == best);
  CHECK(curve.best->loss == Approx(losses[best - 1]).epsilon(1e-5));
  CHECK(early.parts().curves[1].end == rs::StageEnd::steps_used_up);
}

TEST_CASE("a recipe without options of the user's has its own, and is noted", "[train]") {
  const auto stop = [](const rs::Progress&) { return rs::ProgressAction::stop; };
  const auto data = table(60);
  const auto faithful = rs::Synthesizer::fit<rs::FaithfulRecipe>(data, {}, stop);
  CHECK(faithful.model().parts().notes.at("recipe") == "faithful");
  CHECK(faithful.model().parts().notes.at("options") == rs::FaithfulRecipe::options().describe());
  CHECK(faithful.model().parts().decoding == rs::Decoding::argmax);
  const auto usual = rs::Synthesizer::fit(data, {}, stop);
  CHECK(usual.model().parts().notes.at("recipe") == "default");
  CHECK(usual.model().parts().notes.at("options") == rs::DefaultRecipe::options().describe());
  // Options tell the recipe by themselves.
  rs::RecipeOptions<rs::FaithfulRecipe> options;
  options.seed = 7;
  const auto seeded = rs::Synthesizer::fit(data, options, stop);
  CHECK(seeded.model().parts().notes.at("recipe") == "faithful");
  CHECK(seeded.model().parts().notes.at("seed") == "7");
  CHECK(seeded.model().parts().noise_width == rs::FaithfulRecipe::Generator::noise_width);
  // Layers of one's own are no recipe.
  CHECK(Trainer({.seed = 1}).fit(data, stop).parts().notes.at("recipe") == "own");
}

TEST_CASE("a loss that is no longer finite is an error naming stage, epoch and step", "[train]") {
  auto options = small::options(true);
  options.autoencoder.optimiser = {.method = rs::OptimiserMethod::sgd, .learning_rate = 10};
  try {
    Trainer(options).fit(table());
    FAIL("no error");
  } catch (const rs::TrainingError& error) {
    CHECK(error.stage() == "autoencoder");
    CHECK(error.epoch() >= 1);
    CHECK(error.step() >= 1);
    CHECK_THAT(error.what(), Catch::Contains("autoencoder") && Catch::Contains("learning rate"));
  }
}

TEST_CASE("options out of range and tables that do not fit are refused", "[train]") {
  auto options = small::options();
  options.gan.k_steps_g = 0;
  CHECK_THROWS_WITH(Trainer(options), Catch::Contains("gan.k_steps_g"));
  options = small::options();
  options.autoencoder.validation_fraction = 0.9;
  CHECK_THROWS_WITH(Trainer(options), Catch::Contains("validation_fraction"));
  options = small::options();
  options.temperature = 1e-40;
  CHECK_THROWS_WITH(Trainer(options), Catch::Contains("temperature"));
  options.temperature = std::nan("");
  CHECK_THROWS_AS(Trainer(options), rs::OptionError);
  options = small::options();
  options.conditional = true;
  const rs::Table unlabelled(table().columns());
  CHECK_THROWS_WITH(Trainer(options).fit(unlabelled), Catch::Contains("label"));
  CHECK_THROWS_AS(Trainer(small::options()).fit(table(5)), rs::SchemaError);
  CHECK_THROWS_AS(Trainer(small::options()).fit(rs::Table()), rs::SchemaError);
}

TEST_CASE("a trained model keeps what was plain to see in the table", "[train]") {
  auto options = small::options();
  options.autoencoder.steps = options.gan.steps = 800;
  options.autoencoder.optimiser.learning_rate = 5e-3;
  options.gan.optimiser.learning_rate = 1e-3;
  options.conditional = true;
  const auto model = rs::Synthesizer(Trainer(options).fit(table(2000)));
  const auto made = model.sample(2000, 1);
  // The kinds of size ~ 0, 5 and 10 must still differ, and all of them be there.
  std::map<std::string, std::pair<double, double>> sums;
  for (std::size_t r = 0; r < made.rows(); ++r) {
    auto& [sum, count] = sums[made["kind"].dictionary.text(made["kind"].codes[r])];
    sum += made["size"].values[r];
    ++count;
  }
  REQUIRE(sums.size() == 3);
  CHECK(sums["a"].first / sums["a"].second + 1 < sums["b"].first / sums["b"].second);
  CHECK(sums["b"].first / sums["b"].second + 1 < sums["c"].first / sums["c"].second);
  // And the wanted label is obeyed.
  const auto on = model.sample(500, 2, "on");
  const auto code = on["flag"].dictionary.find("on");
  CHECK(std::count(on["flag"].codes.begin(), on["flag"].codes.end(), code) == 500);
}
