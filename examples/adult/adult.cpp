// SPDX-License-Identifier: MIT
// Learns the Adult table (census income), writes synthetic people, and says how realistic and how useful they
// are.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iomanip>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <rowsmith/rowsmith.hpp>

#include "data_source.hpp"

namespace rs = rowsmith;

namespace {

struct Settings {
  std::string data;
  std::string model = "gan";
  std::string recipe = "default";
  std::size_t rows = 0;
  std::uint64_t seed = 0;
  std::size_t seeds = 1;
  int threads = 0;
  std::string label;
  std::string out;
  std::string json;
  std::string save;
  std::string checkpoint;
  bool quick = false;
  bool offline = false;
  bool quiet = false;
};

/// The figures of one epoch.
struct CurvePoint {
  std::string stage;
  std::size_t epoch = 0;
  std::vector<std::pair<std::string, double>> values;
};

struct Run {
  std::uint64_t seed = 0;
  double train_seconds = 0;
  double generate_seconds = 0;
  double evaluate_seconds = 0;
  std::vector<rs::StageReport> stages;
  std::vector<CurvePoint> curves;
  std::size_t rows = 0;
  rs::DetectionResult detection;
  rs::DetectionResult detection_holdout; ///< against the test rows, which no training saw
  rs::DetectionResult detection_boosted; ///< by boosted trees, which saturate later than forests
  rs::EfficacyResult efficacy;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

rs::TrainerOptions trainer_options(const Settings& settings, rs::TrainerOptions options, std::uint64_t seed) {
  options.seed = seed;
  options.conditional = settings.model == "cgan";
  options.threads = settings.threads;
  if (settings.quick) {
    options.autoencoder.steps = 150;
    options.gan.steps = 60;
    options.refit.steps = std::min<std::size_t>(options.refit.steps, 60);
  }
  return options;
}

// Each run has a file of its own.
std::string checkpoint_path(const Settings& settings, std::uint64_t seed) {
  return settings.checkpoint + (settings.seeds == 1 ? std::string() : "." + std::to_string(seed));
}

template <class Recipe>
Run run_once(const Settings& settings, const adult::Data& data, std::uint64_t seed) {
  const auto progress = settings.quiet ? rs::ProgressCallback{} : rs::progress_bar();
  Run run;
  run.seed = seed;
  auto start = std::chrono::steady_clock::now();
  typename Recipe::Trainer trainer(trainer_options(settings, Recipe::options(), seed));
  const auto listen = [&](const rs::Progress& told) {
    run.curves.push_back({std::string(told.stage), told.epoch, {}});
    for (const auto& value : told.values)
      run.curves.back().values.emplace_back(value.name, value.value);
    return progress ? progress(told) : rs::ProgressAction::go_on;
  };
  const rs::Synthesizer model =
      trainer.fit(data.train, listen,
                  settings.checkpoint.empty() ? rs::CheckpointStore{}
                                              : rs::checkpoint_file(checkpoint_path(settings, seed), 10));
  run.train_seconds = seconds_since(start);
  run.stages = trainer.stages();
  if (!settings.save.empty())
    model.save(settings.save);

  start = std::chrono::steady_clock::now();
  run.rows = settings.rows == 0 ? data.train.rows() : settings.rows;
  const rs::Table synthetic =
      model.sample(run.rows, {.seed = seed, .label = settings.label, .threads = settings.threads});
  run.generate_seconds = seconds_since(start);
  if (!settings.out.empty())
    rs::write_csv(settings.out, synthetic);

  if (!settings.label.empty()) {
    const auto& income = synthetic["income"];
    const auto wanted = income.dictionary.find(settings.label);
    const auto hits = std::count(income.codes.begin(), income.codes.end(), wanted);
    std::cout << "rows that carry the wanted label " << settings.label << ": "
              << 100.0 * static_cast<double>(hits) / static_cast<double>(run.rows) << " %\n";
    // Rows alone do not tell their label for sure, not even real ones: those set the mark.
    const rs::RandomForestOptions forest{.trees = settings.quick ? 10U : 100U, .threads = settings.threads};
    const auto& real = data.test["income"];
    std::vector<std::size_t> same_label;
    for (std::size_t row = 0; row < data.test.rows(); ++row)
      if (real.codes[row] == real.dictionary.find(settings.label))
        same_label.push_back(row);
    std::cout << "rows whose label a forest trained on real rows would give, too: "
              << 100 * rs::label_agreement(data.train, synthetic, "income", forest)
              << " % (of real test rows with it: "
              << 100 * rs::label_agreement(data.train, data.test.select(same_label), "income", forest)
              << " %)\n";
  }
  start = std::chrono::steady_clock::now();
  const rs::RandomForestOptions forest{.trees = settings.quick ? 10U : 100U, .threads = settings.threads};
  run.detection = rs::detection(data.train, synthetic,
                                {.seeds = settings.quick ? 1U : 3U, .forest = forest, .progress = progress});
  run.detection_holdout = rs::detection(
      data.test, synthetic, {.seeds = settings.quick ? 1U : 3U, .forest = forest, .progress = progress});
  run.detection_boosted =
      rs::detection(data.train, synthetic,
                    {.classifier = rs::Classifier::boosted,
                     .seeds = settings.quick ? 1U : 3U,
                     .boosted = {.rounds = settings.quick ? 10U : 100U, .threads = settings.threads},
                     .progress = progress});
  run.efficacy = rs::efficacy(data.train, data.test, synthetic, "income",
                              {.seeds = settings.quick ? 1U : 3U, .forest = forest, .progress = progress});
  run.evaluate_seconds = seconds_since(start);
  return run;
}

rs::MeanSd over_runs(const std::vector<Run>& runs, double (*figure)(const Run&)) {
  std::vector<double> values;
  for (const auto& run : runs)
    values.push_back(figure(run));
  return rs::mean_sd(values);
}

void print_row(const std::string& name, const rs::MeanSd& value, const std::string& ideal) {
  std::cout << "  " << std::left << std::setw(22) << name << std::right << std::fixed << std::setprecision(4)
            << std::setw(12) << value.mean << " +- " << std::setw(7) << value.sd << "   " << ideal << '\n';
}

void print_summary(const Settings& settings, const adult::Data& data, const std::vector<Run>& runs) {
  std::cout << "\nAdult, model " << settings.model << ", recipe " << settings.recipe << ", "
            << data.train.rows() << " training rows, " << runs.size() << (runs.size() == 1 ? " run" : " runs")
            << " (mean +- sd)\n"
            << "data: " << data.source << "\n\n";
  print_row("detection AUC", over_runs(runs, [](const Run& r) { return r.detection.auc.mean; }),
            "0.5 is ideal");
  print_row("against unseen rows", over_runs(runs, [](const Run& r) { return r.detection_holdout.auc.mean; }),
            "0.5 is ideal");
  print_row("by boosted trees", over_runs(runs, [](const Run& r) { return r.detection_boosted.auc.mean; }),
            "0.5 is ideal");
  print_row("efficacy", over_runs(runs, [](const Run& r) { return r.efficacy.ratio.mean; }), "1 is ideal");
  print_row("AUC real", over_runs(runs, [](const Run& r) { return r.efficacy.auc_real.mean; }), "");
  print_row("AUC synthetic", over_runs(runs, [](const Run& r) { return r.efficacy.auc_synthetic.mean; }), "");
  for (std::size_t s = 0; s < runs.front().stages.size(); ++s) {
    std::vector<double> seconds;
    for (const auto& run : runs)
      seconds.push_back(run.stages[s].seconds);
    print_row(runs.front().stages[s].name + " seconds", rs::mean_sd(seconds), "");
  }
  print_row("generation seconds", over_runs(runs, [](const Run& r) { return r.generate_seconds; }), "");
  print_row("rows per second",
            over_runs(runs, [](const Run& r) { return static_cast<double>(r.rows) / r.generate_seconds; }),
            "");
  if (!runs.back().efficacy.note.empty())
    std::cout << "note: " << runs.back().efficacy.note << '\n';
  if (!settings.out.empty())
    std::cout << "synthetic rows: " << settings.out << '\n';
}

nlohmann::json report(const Settings& settings, const adult::Data& data, const std::vector<Run>& runs) {
  nlohmann::json json;
  json["data"] = {
      {"source", data.source}, {"train_rows", data.train.rows()}, {"test_rows", data.test.rows()}};
  json["model"] = settings.model;
  json["recipe"] = settings.recipe;
  json["runs"] = nlohmann::json::array();
  for (const auto& run : runs) {
    nlohmann::json stages;
    for (const auto& stage : run.stages)
      stages[stage.name] = stage.seconds;
    auto curves = nlohmann::json::array();
    for (const auto& point : run.curves) {
      nlohmann::json entry{{"stage", point.stage}, {"epoch", point.epoch}};
      for (const auto& [name, value] : point.values)
        entry[name] = value;
      curves.push_back(std::move(entry));
    }
    json["runs"].push_back({{"seed", run.seed},
                            {"curves", std::move(curves)},
                            {"train_seconds", run.train_seconds},
                            {"stage_seconds", stages},
                            {"generate_seconds", run.generate_seconds},
                            {"evaluate_seconds", run.evaluate_seconds},
                            {"rows", run.rows},
                            {"detection_auc", run.detection.auc.mean},
                            {"detection_holdout", run.detection_holdout.auc.mean},
                            {"boosted_detection", run.detection_boosted.auc.mean},
                            {"efficacy", run.efficacy.ratio.mean},
                            {"auc_real", run.efficacy.auc_real.mean},
                            {"auc_synth", run.efficacy.auc_synthetic.mean}});
  }
  const auto summary = [&](double (*figure)(const Run&)) -> nlohmann::json {
    const auto value = over_runs(runs, figure);
    return {{"mean", value.mean}, {"sd", value.sd}};
  };
  json["detection_auc"] = summary([](const Run& r) { return r.detection.auc.mean; });
  json["detection_holdout"] = summary([](const Run& r) { return r.detection_holdout.auc.mean; });
  json["boosted_detection"] = summary([](const Run& r) { return r.detection_boosted.auc.mean; });
  json["efficacy"] = summary([](const Run& r) { return r.efficacy.ratio.mean; });
  return json;
}

void check(const Settings& settings) {
  if (!settings.label.empty() && settings.model != "cgan")
    throw rs::OptionError("--label needs --model cgan: a plain GAN cannot be asked for a label");
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "Learns the Adult census table, writes synthetic people, and judges them:\n"
      "detection (0.5: a forest cannot tell them from real ones) and efficacy (1: as good to learn from).");
  app.add_option(
      "--data", settings.data,
      "Folder with adult.data and adult.test. Without it: $ADULT_DIR, else a cached or fresh download from "
      "the UCI repository, else synthetic rows that are part of this program");
  app.add_option("--model", settings.model, "gan, or cgan to ask for a label")
      ->check(CLI::IsMember({"gan", "cgan"}))
      ->capture_default_str();
  app.add_option(
         "--recipe", settings.recipe,
         "default: autoregressive heads, a decoder refitted to the generator, and trees that draw every "
         "other column; nearest: the same with smaller leaves; neural: without trees, with latent codes that "
         "say more; trees: nothing but "
         "trees, fast; faithful: the base method to the letter (MSE numericals, argmax)")
      ->check(CLI::IsMember({"default", "nearest", "neural", "trees", "faithful"}))
      ->capture_default_str();
  app.add_option("--rows", settings.rows, "Rows to make; 0: as many as there are training rows")
      ->check(CLI::Range(std::size_t{0}, std::size_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "Seed of the first run")->capture_default_str();
  app.add_option("--seeds", settings.seeds, "Repeat everything with this many seeds and print mean and sd")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000}))
      ->capture_default_str();
  app.add_option("--threads", settings.threads, "0: all; never changes the result")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--label", settings.label, "With cgan: make rows of this income only, <=50K or >50K");
  app.add_option("--out", settings.out, "Write the synthetic rows of the last run to this CSV file");
  app.add_option("--json", settings.json, "Write all figures to this file");
  app.add_option("--save", settings.save, "Write the model of the last run to this file");
  app.add_option(
      "--checkpoint", settings.checkpoint,
      "Keep the training's state in this file, and go on from it if it is there (with --seeds: a file "
      "for each, named FILE.<seed>)");
  app.add_flag("--quick", settings.quick,
               "A few seconds: little training, small forests; the figures mean nothing");
  app.add_flag("--offline", settings.offline, "Do not try to download the data");
  app.add_flag("--quiet", settings.quiet, "No progress");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app.exit(error); // --help
    std::cerr << "adult: " << error.what() << " (adult --help lists the options)\n";
    return 2;
  }
  try {
    check(settings);
  } catch (const rs::OptionError& error) {
    std::cerr << "adult: " << error.what() << '\n';
    return 2;
  }
  try {
    const auto data = adult::load(settings.data, settings.offline);
    std::cout << "data: " << data.source << " (" << data.train.rows() << " training rows, "
              << data.test.rows() << " test rows)" << std::endl;
    std::vector<Run> runs;
    for (std::size_t k = 0; k < settings.seeds; ++k) {
      if (settings.seeds > 1)
        std::cout << "run " << k + 1 << " of " << settings.seeds << ", seed " << settings.seed + k
                  << std::endl;
      const auto run = settings.recipe == "faithful"  ? run_once<rs::FaithfulRecipe>
                       : settings.recipe == "nearest" ? run_once<rs::NearestRecipe>
                       : settings.recipe == "neural"  ? run_once<rs::NeuralRecipe>
                       : settings.recipe == "trees"   ? run_once<rs::TreeRecipe>
                                                      : run_once<rs::DefaultRecipe>;
      runs.push_back(run(settings, data, settings.seed + k));
    }
    print_summary(settings, data, runs);
    if (!settings.json.empty())
      rs::write_file_atomically(
          settings.json, [&](std::ostream& out) { out << report(settings, data, runs).dump(2) << '\n'; });
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "adult: " << error.what() << '\n';
    return 1;
  }
}
