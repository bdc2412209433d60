// SPDX-License-Identifier: MIT
// What each part of the default recipe is for: one switch at a time from the base method to the default, on
// Adult. Prints a line of JSON a run, and at the end the table of docs/recipe.md.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/rowsmith.hpp>

#include "../examples/adult/data_source.hpp"

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

namespace {

// ---- the models ----------------------------------------------------------------------------------------

using DenseGenerator = rs::FaithfulRecipe::Generator;
using WideDiscriminator = rs::FaithfulRecipe::Discriminator;
using PackedDiscriminator = rs::DefaultRecipe::Discriminator;
using Independent = rs::FaithfulRecipe::Autoencoder;
using Joint =
    rs::Autoencoder<rs::Dense<256>, rs::ReLU, rs::Dense<256>, rs::ReLU, rs::Latent<32>, rs::JointHeads<128>>;
using MixtureGenerator = rs::Generator<rs::MixtureNoise<32, 64>, rs::Dense<128>, rs::LeakyReLU,
                                       rs::Dense<128>, rs::LeakyReLU, rs::Dense<32>, rs::Residual>;
using RowDiscriminator =
    rs::Discriminator<rs::OnRows, rs::Dense<256>, rs::LeakyReLU, rs::Dense<256>, rs::LeakyReLU, rs::Dense<1>>;
// Starts as the identity on standard normal noise: with next to no steps it is the prior of the autoencoder.
using PriorGenerator =
    rs::Generator<rs::Noise<16>, rs::Dense<16>, rs::LeakyReLU, rs::Dense<16>, rs::Residual>;

struct Variant {
  std::string name;
  std::string switched; ///< what is different from the line before
  std::function<rs::TableModel(const rs::Table&, std::uint64_t, int, std::vector<rs::StageReport>&)> fit;
};

template <class Trainer>
Variant variant(std::string name, std::string switched,
                const std::function<void(rs::TrainerOptions&)>& change, rs::TrainerOptions base) {
  change(base);
  return {
      std::move(name), std::move(switched),
      [base](const rs::Table& table, std::uint64_t seed, int threads, std::vector<rs::StageReport>& stages) {
        auto options = base;
        options.seed = seed;
        options.threads = threads;
        Trainer trainer(options);
        auto model = trainer.fit(table);
        stages = trainer.stages();
        return model;
      }};
}

std::vector<Variant> variants() {
  const auto faithful = rs::FaithfulRecipe::options();
  auto sampled = faithful;
  sampled.decoding = rs::Decoding::sample;
  auto codes = sampled;
  codes.encoding.numerical = rs::NumericalEncoding::codes;
  auto smooth = codes;
  smooth.autoencoder.kl_weight = 0.5;
  auto paced = smooth;
  paced.gan.k_steps_g = 1;
  paced.gan.discriminator_rate_factor = 2;
  paced.gan.optimiser.learning_rate = 2e-4;
  auto joint = paced;
  joint.autoencoder.kl_weight = 0.15;
  auto hinge = joint;
  hinge.gan.optimiser = {.learning_rate = 5e-4, .beta1 = 0.5, .beta2 = 0.9};
  auto rows = joint;
  rows.gan = {.steps = 4000,
              .batch = 256,
              .discriminator_rate_factor = 1,
              .average_decay = 0.998,
              .optimiser = {.learning_rate = 1e-3, .beta1 = 0, .beta2 = 0.99},
              .schedule = {.kind = rs::LearningRateSchedule::Kind::cosine}};
  const auto neural = rs::NeuralRecipe::options();
  const auto standard = rs::DefaultRecipe::options();
  auto frozen = neural;
  frozen.refit.steps = 0;
  const auto same = [](rs::TrainerOptions&) {};
  using Faithful = rs::FaithfulRecipe::Trainer;
  using Default = rs::DefaultRecipe::Trainer;
  std::vector<Variant> list;
  list.push_back(variant<Faithful>("faithful", "the base method to the letter", same, faithful));
  list.push_back(variant<Faithful>("draw", "categories drawn instead of argmax", same, sampled));
  list.push_back(variant<Faithful>("codes", "numericals as codes instead of squared error", same, codes));
  list.push_back(variant<Faithful>("variational", "a smooth latent space (KL weight 0.5)", same, smooth));
  list.push_back(variant<Faithful>("paced", "discriminator at the generator's pace", same, paced));
  list.push_back(variant<rs::Trainer<Joint, rs::FaithfulRecipe::Generator, WideDiscriminator>>(
      "joint", "heads merged by mutual information", same, joint));
  list.push_back(variant<rs::Trainer<Joint, MixtureGenerator, PackedDiscriminator, rs::HingeLoss>>(
      "mixture", "mixture noise, residual generator, packed hinge discriminator", same, hinge));
  list.push_back(
      variant<rs::Trainer<Joint, MixtureGenerator, RowDiscriminator, rs::RelativisticLoss, rs::R1R2Penalty>>(
          "rows", "discriminator on decoded rows, relativistic loss, R1 + R2", same, rows));
  list.push_back(variant<Default>("autoregressive", "autoregressive heads, Tanh generator, averaged weights",
                                  same, frozen));
  list.push_back(variant<Default>("neural", "coupled refit of the decoder", same, neural));
  list.push_back(
      variant<
          rs::Trainer<rs::DefaultRecipe::Autoencoder, PriorGenerator, PackedDiscriminator, rs::HingeLoss>>(
          "neural without GAN", "the prior N(0, I) in place of the generator",
          [](rs::TrainerOptions& options) { options.gan.steps = 1; }, neural));
  list.push_back(variant<Default>(
      "heads alone", "a KL weight of 5: the latent code says nothing",
      [](rs::TrainerOptions& options) { options.autoencoder.kl_weight = 5; }, neural));
  auto unguided = standard;
  unguided.guide.rounds = 0;
  list.push_back(
      variant<Default>("with trees", "the same, and trees that draw every other column", same, unguided));
  list.push_back(variant<Default>(
      "trees on codes", "latent codes that say something, and such trees",
      [](rs::TrainerOptions& options) { options.autoencoder.kl_weight = 0.6; }, unguided));
  list.push_back(
      variant<rs::TreeRecipe::Trainer>("trees", "nothing but trees", same, rs::TreeRecipe::options()));
  list.push_back(
      variant<Default>("default", "with trees, and a guide that has rows drawn again", same, standard));
  return list;
}

// ---- measuring -----------------------------------------------------------------------------------------

using Figures = std::vector<std::pair<std::string, double>>;

Figures measure(const rs::TableModel& model, const std::vector<rs::StageReport>& stages, double fit_seconds,
                const rs::Table& train, const rs::Table& holdout, const std::string& target,
                std::uint64_t seed, int threads) {
  Figures figures;
  const auto clock = std::chrono::steady_clock::now();
  const rs::SampleOptions sampling{.seed = seed + 100, .threads = threads};
  const rs::Table made = model.sample(train.rows(), sampling);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - clock).count();
  const rs::RandomForestOptions forest{.threads = threads};
  figures.emplace_back("detection",
                       rs::detection(train, made, {.seeds = 1, .seed = seed, .forest = forest}).auc.mean);
  figures.emplace_back("detection_holdout",
                       rs::detection(holdout, made, {.seeds = 1, .seed = seed, .forest = forest}).auc.mean);
  figures.emplace_back(
      "efficacy",
      rs::efficacy(train, holdout, made, target, {.seeds = 1, .seed = seed, .forest = forest}).ratio.mean);
  const auto shapes = ev::column_shapes(train, made, {.replicates = 0});
  figures.emplace_back("shape_error", shapes.mean.value);
  figures.emplace_back("worst_shape_error", shapes.columns[shapes.worst].error.value);
  const auto copies = ev::exact_copies(train, holdout, made);
  figures.emplace_back("copies", copies.share.value);
  figures.emplace_back("base_copies", copies.base_share.value);
  figures.emplace_back("dcr_share",
                       ev::closest_records(train, holdout, made, {.threads = threads}).share.value);
  if (model.is_distribution()) {
    const auto some = std::min<std::size_t>(1000, holdout.rows());
    std::vector<std::size_t> rows(some);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    const auto told = rs::log_likelihood(model, holdout.select(rows), {.samples = 256, .threads = threads});
    figures.emplace_back("log_likelihood", told.mean);
    figures.emplace_back("latent_nats", told.latent_nats);
  }
  figures.emplace_back("fit_seconds", fit_seconds);
  for (const auto& stage : stages)
    figures.emplace_back(stage.name + "_seconds", stage.seconds);
  figures.emplace_back("rows_per_second", static_cast<double>(train.rows()) / std::max(seconds, 1e-9));
  return figures;
}

void print_json(const std::string& name, std::uint64_t seed, const Figures& figures) {
  std::cout << "{\"study\":\"ablation\",\"name\":" << rs::json_escape(name) << ",\"seed\":" << seed;
  for (const auto& [figure, value] : figures)
    std::cout << ",\"" << figure << "\":" << rs::json_number(value);
  std::cout << "}" << std::endl;
}

using Results = std::vector<std::pair<std::string, std::vector<Figures>>>;

std::string cell(const std::vector<Figures>& runs, const std::string& figure, int digits, double factor = 1) {
  std::vector<double> values;
  for (const auto& run : runs)
    for (const auto& [name, value] : run)
      if (name == figure)
        values.push_back(factor * value);
  if (values.empty())
    return "";
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << rs::mean_sd(values).mean;
  return text.str();
}

void print_table(const Results& results, const std::map<std::string, std::string>& notes) {
  std::cout << "\n| name | what | detection | against hold-out | efficacy | worst shape error % | copies | "
               "base | DCR share | nats of z | fit s |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& [name, runs] : results)
    std::cout << "| " << name << " | " << notes.at(name) << " | " << cell(runs, "detection", 3) << " | "
              << cell(runs, "detection_holdout", 3) << " | " << cell(runs, "efficacy", 3) << " | "
              << cell(runs, "worst_shape_error", 1, 100) << " | " << cell(runs, "copies", 4) << " | "
              << cell(runs, "base_copies", 4) << " | " << cell(runs, "dcr_share", 3) << " | "
              << cell(runs, "latent_nats", 1) << " | " << cell(runs, "fit_seconds", 0) << " |\n";
}

} // namespace

int main(int argc, char** argv) {
  std::string data;
  std::string only;
  std::size_t seeds = 3;
  int threads = 0;
  CLI::App app(
      "One switch at a time from the base method to the default recipe, on Adult.\nDetection is the AUC of a "
      "random forest of 100 trees, 4-fold; means over the seeds are printed as a table at the end.");
  app.add_option("--data", data, "Folder with adult.data and adult.test (or $ADULT_DIR)");
  app.add_option("--seeds", seeds, "How many runs of each")->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--only", only, "Just the variant of this name");
  app.add_option("--threads", threads, "0: all; never changes the result")->check(CLI::Range(0, 4096));
  CLI11_PARSE(app, argc, argv);
  try {
    if (data.empty() && std::getenv("ADULT_DIR") != nullptr)
      data = std::getenv("ADULT_DIR");
    if (data.empty())
      throw rs::OptionError("--data or $ADULT_DIR must name the folder with adult.data and adult.test");
    const auto adult = adult::read_folder(data, data);
    Results results;
    std::map<std::string, std::string> notes;
    for (const auto& variant : variants()) {
      if (!only.empty() && only != variant.name)
        continue;
      notes[variant.name] = variant.switched;
      std::vector<Figures> runs;
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        std::vector<rs::StageReport> stages;
        const auto clock = std::chrono::steady_clock::now();
        const auto model = variant.fit(adult.train, seed, threads, stages);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - clock).count();
        runs.push_back(measure(model, stages, seconds, adult.train, adult.test, "income", seed, threads));
        print_json(variant.name, seed, runs.back());
      }
      results.emplace_back(variant.name, std::move(runs));
    }
    if (results.empty())
      throw rs::OptionError("--only " + only + ": no such variant");
    print_table(results, notes);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "ablation: " << error.what() << '\n';
    return 1;
  }
}
