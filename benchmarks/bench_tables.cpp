// SPDX-License-Identifier: MIT
// How good, how safe and how dear are the rows of each recipe, and what is each part of it for? On tables of
// many kinds: fits, samples and judges; prints a line of JSON a run, and with --out writes what an
// independent judge needs (confirm_tables.py). The program `tables` runs both and makes tables of the
// figures.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/models/expressible_rows.hpp>
#include <rowsmith/rowsmith.hpp>

#include "../examples/adult/data_source.hpp"
#include "made_tables.hpp"
#include "variants.hpp"

namespace fs = std::filesystem;
namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

namespace {

struct Settings {
  std::string data;
  std::string out;
  std::vector<std::string> tables;
  std::vector<std::string> recipes{"default"};
  std::uint64_t first_seed = 0;
  std::uint64_t seeds = 3;
  int threads = 0;
  std::size_t judged_rows = 10'000;
  double tree_share = -1;   ///< of the default recipe; < 0: its own
  std::size_t min_leaf = 0; ///< of default and trees; 0: their own
  bool quick = false;
};

// ---- the tables ----------------------------------------------------------------------------------------

/// A public table: a random 70 % of its rows are to train on, the others are unseen.
struct PublicTable {
  const char* name;
  const char* target;
  bool regression;
};
constexpr PublicTable public_tables[] = {{"adult", "income", false},
                                         {"shoppers", "Revenue", false},
                                         {"magic", "class", false},
                                         {"default", "def_pay", false},
                                         {"beijing", "pm2.5", true}};

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const auto& variant : variants::all())
    names.push_back(variant.name);
  return names;
}

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const auto& table : public_tables)
    names.emplace_back(table.name);
  for (const auto& table : made_tables::all())
    names.emplace_back(table.name);
  return names;
}

/// At most so many of the rows, evenly from all of them.
std::vector<std::size_t> evenly(std::vector<std::size_t> rows, std::size_t most) {
  if (rows.size() > most) {
    for (std::size_t k = 0; k < most; ++k)
      rows[k] = rows[k * rows.size() / most];
    rows.resize(most);
  }
  return rows;
}

/// One table of the study, and how its rows are parted by a seed.
struct Source {
  std::string name;
  std::string target;
  bool regression = false;
  std::function<std::pair<rs::Table, rs::Table>(std::uint64_t)> rows; ///< to train on, unseen
};

Source open(const std::string& name, const Settings& settings) {
  const std::size_t most = settings.quick ? 1'000 : 1'000'000'000;
  for (const auto& table : made_tables::all())
    if (table.name == name)
      return {name, table.make(1, 0).schema().label(), false, [&table, most](std::uint64_t seed) {
                const auto rows = std::min(table.rows, most);
                const auto part = static_cast<std::uint32_t>(2 * seed);
                return std::pair{table.make(rows, part + 1), table.make(rows, part + 2)};
              }};
  for (const auto& table : public_tables)
    if (table.name == name) {
      if (settings.data.empty())
        throw rs::OptionError("--data must name the folder of the table '" + name + "'");
      const auto folder = fs::path(settings.data) / name;
      rs::CsvOptions csv;
      if (!table.regression)
        csv.categorical = {table.target};
      auto all = name == "adult" ? adult::read_train(folder / adult::train_file.name)
                                 : rs::read_csv((folder / (name + ".csv")).string(), csv);
      return {name, table.target, table.regression, [all = std::move(all), most](std::uint64_t seed) {
                const auto some = [&](const rs::Table& of, double share) {
                  const double room = static_cast<double>(most) / static_cast<double>(of.rows());
                  return rs::split(of, std::min(share, room), seed);
                };
                auto [train, others] = some(all, 0.7);
                return std::pair{std::move(train), some(others, 1).first};
              }};
    }
  throw rs::OptionError("--table " + name + ": there is no such table");
}

// ---- measuring -----------------------------------------------------------------------------------------

using Figures = std::vector<std::pair<std::string, double>>;

class Judges {
public:
  Judges(const Source& source, const rs::Table& train, const rs::Table& unseen, std::uint64_t seed,
         const Settings& settings)
      : source_(source), train_(train), unseen_(unseen), seed_(seed), settings_(settings) {
    forest_.threads = boosted_.threads = settings.threads;
    if (settings.quick) {
      forest_.trees = 20;
      boosted_.rounds = 20;
    }
  }

  /// What unseen rows show in place of synthetic ones: no model that has learnt nothing by heart does better.
  Figures base() const {
    Figures figures;
    figures.emplace_back("base_detection_boosted", detection(train_, unseen_, ev::Classifier::boosted));
    figures.emplace_back("base_detection_forest", detection(train_, unseen_, ev::Classifier::forest));
    add_fidelity("base_", unseen_, figures);
    // One half plays the synthetic table. A model cannot write a category that it has not seen, so neither do
    // its rows.
    const auto [half, other] = rs::split(unseen_, 0.5, seed_);
    add_privacy("base_", other, half.select(rs::expressible_rows(half, train_)), figures);
    return figures;
  }

  Figures of(const rs::Table& made) const {
    Figures figures;
    for (const auto classifier : {ev::Classifier::boosted, ev::Classifier::forest}) {
      const auto name = "detection_" + std::string(ev::to_string(classifier));
      figures.emplace_back(name + "_train", detection(train_, made, classifier));
      figures.emplace_back(name + "_unseen", detection(unseen_, made, classifier));
    }
    const ev::EfficacyOptions own{
        .classifier = ev::Classifier::boosted, .seeds = 1, .seed = seed_, .boosted = boosted_};
    if (source_.regression) {
      const auto told = ev::regression_efficacy(train_, unseen_, made, source_.target, own);
      figures.emplace_back("r2_real", told.r2_real.mean);
      figures.emplace_back("r2_synthetic", told.r2_synthetic.mean);
    } else {
      const auto told = ev::efficacy(train_, unseen_, made, source_.target, own);
      figures.emplace_back("auc_real", told.auc_real.mean);
      figures.emplace_back("auc_synthetic", told.auc_synthetic.mean);
    }
    add_fidelity("", made, figures);
    add_privacy("", unseen_, made, figures);
    const auto copies = ev::exact_copies(train_, unseen_, made, seed_);
    figures.emplace_back("copies", copies.share.value);
    figures.emplace_back("base_copies", copies.base_share.value);
    return figures;
  }

  /// Of unseen rows, where the model's heads are a distribution.
  void add_likelihood(const rs::TableModel& model, Figures& figures) const {
    if (!model.is_distribution())
      return;
    const auto known = rs::expressible_rows(unseen_, train_);
    figures.emplace_back(std::string("unknown_category_rows"),
                         static_cast<double>(unseen_.rows() - known.size()));
    const auto told = rs::log_likelihood(model, unseen_.select(evenly(known, settings_.quick ? 200 : 1'000)),
                                         {.samples = 256, .threads = settings_.threads});
    double sum = 0;
    double possible = 0;
    for (const double row : told.rows)
      if (std::isfinite(row)) {
        sum += row;
        ++possible;
      }
    figures.emplace_back("nats", sum / possible);
    figures.emplace_back("impossible_share", 1 - possible / static_cast<double>(told.rows.size()));
    figures.emplace_back("latent_nats", told.latent_nats);
  }

private:
  double detection(const rs::Table& real, const rs::Table& other, ev::Classifier classifier) const {
    return ev::detection(real, other,
                         {.classifier = classifier,
                          .seeds = 1,
                          .rows = std::min({settings_.judged_rows, real.rows(), other.rows()}),
                          .seed = seed_,
                          .forest = forest_,
                          .boosted = boosted_})
        .auc.mean;
  }
  void add_fidelity(const std::string& prefix, const rs::Table& other, Figures& figures) const {
    const ev::FidelityOptions own{.replicates = 0, .threads = settings_.threads};
    const auto shapes = ev::column_shapes(train_, other, own);
    figures.emplace_back(prefix + "shape_error", shapes.mean.value);
    figures.emplace_back(prefix + "worst_shape_error", shapes.columns[shapes.worst].error.value);
    figures.emplace_back(prefix + "trend_error", ev::pair_trends(train_, other, own).mean.value);
  }
  void add_privacy(const std::string& prefix, const rs::Table& unseen, const rs::Table& made,
                   Figures& figures) const {
    figures.emplace_back(
        prefix + "dcr_share",
        ev::closest_records(train_, unseen, made,
                            {.max_rows = settings_.judged_rows, .seed = seed_, .threads = settings_.threads})
            .share.value);
    const auto attacks =
        ev::membership_inference(
            train_, unseen, made,
            {.max_rows = settings_.judged_rows, .replicates = 0, .seed = seed_, .threads = settings_.threads})
            .attacks;
    figures.emplace_back(prefix + "membership_distance", attacks[0].auc.value);
    figures.emplace_back(prefix + "membership_boosted", attacks[1].auc.value);
  }

  const Source& source_;
  const rs::Table& train_;
  const rs::Table& unseen_;
  std::uint64_t seed_;
  const Settings& settings_;
  rs::RandomForestOptions forest_{};
  rs::GradientBoostingOptions boosted_{};
};

// ---- writing -------------------------------------------------------------------------------------------

/// The members that say which run it was, without the brackets.
std::string run_text(const Source& source, std::uint64_t seed, const variants::Variant& recipe) {
  return "\"table\":" + rs::json_escape(source.name) + ",\"seed\":" + std::to_string(seed) +
         ",\"recipe\":" + rs::json_escape(recipe.name) + ",\"what\":" + rs::json_escape(recipe.what) +
         ",\"target\":" + rs::json_escape(source.target) + ",\"task\":\"" +
         (source.regression ? "regression" : "class") + '"';
}

/// A line for confirm_tables.py; paths are as seen from the manifest.
void add_to_manifest(const std::string& folder, const std::string& run, const std::string& name,
                     const std::string& recipe, const rs::TableSchema& schema) {
  std::string line = "{" + run + ",\"categorical\":[";
  bool first = true;
  for (const auto& column : schema.columns())
    if (column.kind == rs::ColumnKind::categorical) {
      line.append(first ? "" : ",").append(rs::json_escape(column.name));
      first = false;
    }
  line += "]";
  for (const auto& [member, part] :
       {std::pair<const char*, std::string>{"train", "train"}, {"unseen", "unseen"}, {"synthetic", recipe}})
    line.append(",\"").append(member).append("\":").append(rs::json_escape(name + "." + part + ".csv"));
  std::ofstream out(fs::path(folder) / "manifest.jsonl", std::ios::app);
  out << line << "}\n";
  if (!out.flush())
    throw rs::Error("cannot write to " + folder);
}

void run_table(const Source& source, std::uint64_t seed, const Settings& settings) {
  const auto [train, unseen] = source.rows(seed);
  const Judges judges(source, train, unseen, seed, settings);
  const auto base = judges.base();
  const auto name = source.name + "." + std::to_string(seed);
  const auto write = [&](const rs::Table& table, const std::string& part) {
    if (!settings.out.empty())
      rs::write_csv((fs::path(settings.out) / (name + "." + part + ".csv")).string(), table);
  };
  write(train, "train");
  write(unseen, "unseen");
  const auto known = variants::all();
  for (const auto& recipe_name : settings.recipes) {
    const auto& recipe = *std::find_if(known.begin(), known.end(),
                                       [&](const auto& variant) { return variant.name == recipe_name; });
    using Clock = std::chrono::steady_clock;
    const auto seconds_since = [](Clock::time_point begin) {
      return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    auto begin = Clock::now();
    const auto model = recipe.fit(train, {.seed = seed,
                                          .threads = settings.threads,
                                          .tree_share = settings.tree_share,
                                          .min_leaf = settings.min_leaf,
                                          .quick = settings.quick});
    const double fit_seconds = seconds_since(begin);
    begin = Clock::now();
    const auto made = model.sample(train.rows(), {.seed = seed + 100, .threads = 1});
    const double sample_seconds = seconds_since(begin);

    auto figures = judges.of(made);
    figures.insert(figures.end(), base.begin(), base.end());
    judges.add_likelihood(model, figures);
    figures.emplace_back("fit_seconds", fit_seconds);
    figures.emplace_back("candidates_a_row", model.parts().guide.candidates_a_row());
    figures.emplace_back("rows_per_second",
                         static_cast<double>(made.rows()) / std::max(sample_seconds, 1e-9));
    const auto run = run_text(source, seed, recipe);
    write(made, recipe.name);
    if (!settings.out.empty())
      add_to_manifest(settings.out, run, name, recipe.name, train.schema());
    std::cout << '{' << run << ",\"train_rows\":" << train.rows() << ",\"unseen_rows\":" << unseen.rows()
              << ",\"columns\":" << train.size() << ",\"threads\":" << settings.threads;
    for (const auto& [figure, value] : figures)
      std::cout << ",\"" << figure << "\":" << rs::json_number(value);
    std::cout << "}" << std::endl;
  }
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "Fits recipes to tables of many kinds and judges their rows: a line of JSON a run.\n"
      "Of a public table a random 70 % is to train on and 30 % unseen; of a made one, as many fresh rows "
      "are unseen as it has to train on. As many rows are sampled as trained on. Figures that begin "
      "with base_ are those of unseen rows in place of synthetic ones.");
  app.add_option("--data", settings.data,
                 "Folder of the public tables: adult/adult.data, shoppers/shoppers.csv and so on");
  app.add_option("--table", settings.tables, "Just this one, or these; default: all")
      ->check(CLI::IsMember(table_names()));
  app.add_option("--recipe", settings.recipes, "One or more of them")
      ->check(CLI::IsMember(recipe_names()))
      ->capture_default_str();
  app.add_option("--tree-share", settings.tree_share,
                 "How often trees draw, in place of the default recipe's own share")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--min-leaf", settings.min_leaf, "Rows of a leaf, in place of the recipes' own number")
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--first-seed", settings.first_seed, "Of the split, the fit, the rows and the judges")
      ->check(CLI::Range(0, 400))
      ->capture_default_str();
  app.add_option("--seeds", settings.seeds, "How many runs of each")
      ->check(CLI::Range(1, 90))
      ->capture_default_str();
  app.add_option("--threads", settings.threads, "0: all; never changes the figures but the seconds of a fit")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--judged-rows", settings.judged_rows,
                 "Of each table in detection, distances and attacks; more are sampled")
      ->check(CLI::Range(100, 100'000'000))
      ->capture_default_str();
  app.add_option("--out", settings.out, "Write all tables, and manifest.jsonl, into this folder")
      ->check(CLI::ExistingDirectory);
  app.add_flag("--quick", settings.quick,
               "At most 1,000 rows, short trainings, small judges: to see that all works");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto names = settings.tables.empty() ? table_names() : settings.tables;
    for (const auto& name : names) {
      const auto source = open(name, settings);
      for (std::uint64_t k = 0; k < settings.seeds; ++k)
        run_table(source, settings.first_seed + k, settings);
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_tables: " << error.what() << '\n';
    return 1;
  }
}
