// SPDX-License-Identifier: MIT
// What each part of the default recipe is for: one switch at a time from the base method to the default, and
// the default on tables of other kinds. Prints a line of JSON a run, and at the end the tables of
// docs/recipe.md.
#include <algorithm>
#include <chrono>
#include <cmath>
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
  bool guided = false; ///< boosted trees choose among the rows
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
      },
      false};
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
  const auto standard = rs::DefaultRecipe::options();
  auto frozen = standard;
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
  list.push_back(variant<Default>("default", "coupled refit of the decoder", same, standard));
  list.push_back(
      variant<
          rs::Trainer<rs::DefaultRecipe::Autoencoder, PriorGenerator, PackedDiscriminator, rs::HingeLoss>>(
          "default without GAN", "the prior N(0, I) in place of the generator",
          [](rs::TrainerOptions& options) { options.gan.steps = 1; }, standard));
  list.push_back(variant<Default>(
      "heads alone", "a KL weight of 5: the latent code says nothing",
      [](rs::TrainerOptions& options) { options.autoencoder.kl_weight = 5; }, standard));
  list.push_back(variant<Default>("default guided", "rows accepted by boosted trees", same, standard));
  list.back().guided = true;
  return list;
}

// ---- tables of other kinds -----------------------------------------------------------------------------

std::string letters(std::uint32_t number) {
  std::string text;
  do
    text += static_cast<char>('a' + number % 26);
  while ((number /= 26) > 0);
  return text;
}

double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

void add(rs::Column& column, const std::string& text) {
  column.codes.push_back(column.dictionary.insert(text));
}

/// Orders: whole numbers and amounts, products and sums of one another.
rs::Table orders(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(11, rs::Purpose::user, part));
  auto kind = rs::Column::categorical("kind");
  auto quantity = rs::Column::numerical("quantity", {}, 0);
  auto price = rs::Column::numerical("price", {}, 2);
  auto discount = rs::Column::numerical("discount", {}, 0);
  auto net = rs::Column::numerical("net", {}, 2);
  auto tax = rs::Column::numerical("tax", {}, 2);
  auto total = rs::Column::numerical("total", {}, 2);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto k = random.below(5);
    add(kind, letters(k));
    quantity.values.push_back(1 + std::floor(-3 * std::log(random.uniform())));
    price.values.push_back(rounded(std::exp(1 + 0.7 * k + 0.4 * random.normal()), 2));
    discount.values.push_back(random.below(3) == 0 ? 5 * random.below(5) : 0);
    net.values.push_back(rounded(quantity.values[r] * price.values[r] * (1 - discount.values[r] / 100), 2));
    tax.values.push_back(rounded(net.values[r] * (k == 0 ? 0.05 : 0.2), 2));
    total.values.push_back(rounded(net.values[r] + tax.values[r], 2));
  }
  return rs::Table({kind, quantity, price, discount, net, tax, total}, "kind");
}

/// 200 columns that follow from eight hidden numbers.
rs::Table wide(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence fixed(rs::RandomStream(12, rs::Purpose::user, 1000));
  std::vector<std::vector<double>> weights(200, std::vector<double>(8));
  for (auto& row : weights)
    for (auto& weight : row)
      weight = fixed.normal() / 2;
  rs::RandomSequence random(rs::RandomStream(12, rs::Purpose::user, part));
  std::vector<rs::Column> columns;
  for (std::uint32_t c = 0; c < 200; ++c)
    columns.push_back(c % 4 == 0 ? rs::Column::categorical("c" + std::to_string(c))
                                 : rs::Column::numerical("n" + std::to_string(c), {}, 3));
  for (std::size_t r = 0; r < rows; ++r) {
    double hidden[8];
    for (auto& h : hidden)
      h = random.normal();
    for (std::size_t c = 0; c < 200; ++c) {
      double x = random.normal();
      for (std::size_t k = 0; k < 8; ++k)
        x += weights[c][k] * hidden[k];
      if (c % 4 == 0)
        add(columns[c], letters(static_cast<std::uint32_t>(std::clamp(std::floor(x + 3), 0.0, 5.0))));
      else
        columns[c].values.push_back(rounded(x, 3));
    }
  }
  return rs::Table(std::move(columns), "c0");
}

/// Losses and gains with heavy tails.
rs::Table heavy(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(13, rs::Purpose::user, part));
  auto group = rs::Column::categorical("group");
  auto income = rs::Column::numerical("income", {}, 2);
  auto wealth = rs::Column::numerical("wealth", {}, 2);
  auto claim = rs::Column::numerical("claim", {}, 2);
  auto change = rs::Column::numerical("change", {}, 4);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto g = random.below(3);
    add(group, letters(g));
    const double shared = random.normal();
    income.values.push_back(rounded(std::exp(8 + 0.5 * g + shared), 2));
    wealth.values.push_back(rounded(std::exp(9 + 1.2 * shared + random.normal()), 2));
    claim.values.push_back(random.below(2) == 0 ? 0 : rounded(100 * std::pow(random.uniform(), -1 / 1.5), 2));
    change.values.push_back(
        rounded(random.normal() / std::sqrt(std::max(0.01, std::abs(random.normal()))), 4));
  }
  return rs::Table({group, income, wealth, claim, change}, "group");
}

/// A category of 5,000 values, the frequent ones far more so than others.
rs::Table towns(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(14, rs::Purpose::user, part));
  auto region = rs::Column::categorical("region");
  auto town = rs::Column::categorical("town");
  auto rent = rs::Column::numerical("rent", {}, 0);
  auto rooms = rs::Column::numerical("rooms", {}, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto t = static_cast<std::uint32_t>(4999 * std::pow(random.uniform(), 3));
    add(town, "t" + std::to_string(t));
    add(region, letters(t % 12));
    rooms.values.push_back(1 + random.below(5));
    rent.values.push_back(
        rounded(rooms.values[r] * (200 + 40 * (t % 12)) * std::exp(0.15 * random.normal()), 0));
  }
  return rs::Table({region, town, rent, rooms}, "region");
}

/// Rows of `fresh` whose categories all occur in `train`: no model that learns from `train` can write others.
rs::Table known(const rs::Table& fresh, const rs::Table& train) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < fresh.rows(); ++row) {
    bool all = true;
    for (std::size_t c = 0; c < fresh.size() && all; ++c)
      if (fresh[c].kind == rs::ColumnKind::categorical)
        all = train[c].dictionary.find(fresh[c].dictionary.text(fresh[c].codes[row])) != rs::missing_code;
    if (all)
      rows.push_back(row);
  }
  return fresh.select(rows);
}

/// 300 rows of patients.
rs::Table patients(std::size_t rows, std::uint32_t part) {
  rs::RandomSequence random(rs::RandomStream(15, rs::Purpose::user, part));
  auto ill = rs::Column::categorical("ill");
  auto age = rs::Column::numerical("age", {}, 0);
  auto pressure = rs::Column::numerical("pressure", {}, 0);
  auto level = rs::Column::numerical("level", {}, 2);
  auto smoker = rs::Column::categorical("smoker");
  for (std::size_t r = 0; r < rows; ++r) {
    const double a = 20 + 60 * random.uniform();
    const bool s = random.uniform() < 0.3;
    age.values.push_back(std::floor(a));
    pressure.values.push_back(std::round(105 + 0.4 * a + 12 * random.normal()));
    level.values.push_back(rounded(std::exp(0.5 + 0.01 * a + 0.4 * random.normal()), 2));
    add(smoker, s ? "yes" : "no");
    add(ill, random.uniform() < 1 / (1 + std::exp(5.5 - 0.06 * a - (s ? 1.2 : 0))) ? "yes" : "no");
  }
  return rs::Table({ill, age, pressure, level, smoker}, "ill");
}

// ---- measuring -----------------------------------------------------------------------------------------

using Figures = std::vector<std::pair<std::string, double>>;

Figures measure(const rs::TableModel& model, bool guided, const std::vector<rs::StageReport>& stages,
                double fit_seconds, const rs::Table& train, const rs::Table& holdout,
                const std::string& target, std::uint64_t seed, int threads, const rs::Table* fresh) {
  Figures figures;
  const auto clock = std::chrono::steady_clock::now();
  const rs::SampleOptions sampling{.seed = seed + 100, .threads = threads};
  const rs::Table made = guided ? rs::GuidedSampler(model, train, {.seed = seed + 200, .threads = threads})
                                      .sample(train.rows(), sampling)
                                : model.sample(train.rows(), sampling);
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
  // What real rows would get that have no category but those of the training rows: some are nearer to these
  // for it.
  if (fresh != nullptr)
    figures.emplace_back(
        "base_dcr_share",
        ev::closest_records(train, holdout, known(*fresh, train), {.threads = threads}).share.value);
  // Tables with a category that only hold-out rows have would be refused.
  else if (model.parts().decoding == rs::Decoding::sample && model.encoder().number_columns() == 0) {
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

void print_json(const std::string& study, const std::string& name, std::uint64_t seed,
                const Figures& figures) {
  std::cout << "{\"study\":" << rs::json_escape(study) << ",\"name\":" << rs::json_escape(name)
            << ",\"seed\":" << seed;
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

void print_table(const Results& results, const std::map<std::string, std::string>& notes, bool tables) {
  std::cout << "\n| name | what | detection | against hold-out | efficacy | worst shape error % | copies | "
               "base | DCR "
               "share | "
            << (tables ? "base" : "nats of z")
            << " | fit s |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& [name, runs] : results)
    std::cout << "| " << name << " | " << notes.at(name) << " | " << cell(runs, "detection", 3) << " | "
              << cell(runs, "detection_holdout", 3) << " | " << cell(runs, "efficacy", 3) << " | "
              << cell(runs, "worst_shape_error", 1, 100) << " | " << cell(runs, "copies", 4) << " | "
              << cell(runs, "base_copies", 4) << " | " << cell(runs, "dcr_share", 3) << " | "
              << (tables ? cell(runs, "base_dcr_share", 3) : cell(runs, "latent_nats", 1)) << " | "
              << cell(runs, "fit_seconds", 0) << " |\n";
}

} // namespace

int main(int argc, char** argv) {
  std::string data;
  std::string only;
  std::size_t seeds = 3;
  int threads = 0;
  bool tables = false;
  CLI::App app(
      "One switch at a time from the base method to the default recipe, on Adult; with --tables the default "
      "recipe on made tables.\nDetection is the AUC of a random forest of 100 trees, 4-fold; means over the "
      "seeds are printed as a table at the end.");
  app.add_option("--data", data, "Folder with adult.data and adult.test (or $ADULT_DIR)");
  app.add_option("--seeds", seeds, "How many runs of each")->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--only", only, "Just the variant or table of this name");
  app.add_option("--threads", threads, "0: all; never changes the result")->check(CLI::Range(0, 4096));
  app.add_flag("--tables", tables, "The default recipe on tables of other kinds");
  CLI11_PARSE(app, argc, argv);
  try {
    Results results;
    std::map<std::string, std::string> notes;
    const auto run = [&](const std::string& name, const std::string& note, const Variant& variant,
                         const rs::Table& train, const rs::Table& holdout, const std::string& target,
                         const rs::Table* fresh) {
      if (!only.empty() && only != name)
        return;
      notes[name] = note;
      std::vector<Figures> runs;
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        std::vector<rs::StageReport> stages;
        const auto clock = std::chrono::steady_clock::now();
        const auto model = variant.fit(train, seed, threads, stages);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - clock).count();
        runs.push_back(
            measure(model, variant.guided, stages, seconds, train, holdout, target, seed, threads, fresh));
        print_json(tables ? "tables" : "ablation", name, seed, runs.back());
      }
      results.emplace_back(name, std::move(runs));
    };
    if (tables) {
      const auto defaults = rs::DefaultRecipe::options();
      const Variant standard = variant<rs::DefaultRecipe::Trainer>(
          "default", "", [](rs::TrainerOptions&) {}, defaults);
      struct Made {
        const char* name;
        const char* note;
        rs::Table (*make)(std::size_t, std::uint32_t);
        std::size_t rows;
      };
      for (const Made& made :
           {Made{"orders", "integers and amounts, products and sums; 20,000 rows", orders, 20000},
            Made{"wide", "200 columns, 5,000 rows", wide, 5000},
            Made{"heavy tails", "log-normal, Pareto and ratio columns; 10,000 rows", heavy, 10000},
            Made{"towns", "a category of 5,000 values; 20,000 rows", towns, 20000},
            Made{"patients", "300 rows", patients, 300}}) {
        if (!only.empty() && only != made.name)
          continue;
        rs::Table train = made.make(made.rows, 1);
        const auto more = std::max<std::size_t>(made.rows, 5000);
        const rs::Table fresh = made.make(made.rows, 3);
        run(made.name, made.note, standard, train, made.make(more, 2), train.schema().label(), &fresh);
      }
    } else {
      if (data.empty() && std::getenv("ADULT_DIR") != nullptr)
        data = std::getenv("ADULT_DIR");
      if (data.empty())
        throw rs::OptionError("--data or $ADULT_DIR must name the folder with adult.data and adult.test");
      const auto adult = adult::read_folder(data, data);
      for (const auto& variant : variants())
        run(variant.name, variant.switched, variant, adult.train, adult.test, "income", nullptr);
    }
    if (results.empty())
      throw rs::OptionError("--only " + only + ": no such variant or table");
    print_table(results, notes, tables);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "ablation: " << error.what() << '\n';
    return 1;
  }
}
