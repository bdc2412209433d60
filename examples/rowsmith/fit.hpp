// SPDX-License-Identifier: MIT
// rowsmith fit: from a table to a model file.
#pragma once

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/io/checkpoint.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/train/options.hpp>

#include "input.hpp"

namespace program {

struct FitSettings {
  std::vector<std::string> files;
  std::string out;
  std::string recipe = "default";
  std::uint64_t seed = 0;
  int threads = 0;
  std::size_t min_category_rows = 0;
  std::vector<std::string> relations;
  double min_share = 1;
  double epsilon = 0; // > 0: with differential privacy
  double delta = 1e-6;
  std::vector<std::string> domains;
  std::string private_parts = "heads";
  bool conditional = false;
  bool in_memory = false;
  bool stream = false;
  bool fresh = false;
  bool quick = false;
  bool quiet = false;
  InputSettings input;
  const rowsmith::Team* team = nullptr; // processes that train together; of them the first one speaks

  bool first() const { return team == nullptr || team->rank() == 0; }
  bool in_chunks() const { return !in_memory && (stream || input.from_database() || read_in_chunks(files)); }
  // The first file, or the database.
  const std::string& source() const { return files.empty() ? input.sqlite.file : files.front(); }
  // Where the encoded rows are put meanwhile.
  std::filesystem::path folder() const {
    const auto parent = std::filesystem::path(out).parent_path();
    std::error_code none; // on other machines there may be no such folder
    if (!first() && !std::filesystem::is_directory(parent, none))
      return {};
    return parent.empty() ? std::filesystem::path(".") : parent;
  }
};

// A model, and how the file was written that it learnt.
struct FittedFile {
  rowsmith::TableModel model;
  rowsmith::TableFormat format;
};
// Called with what was found out about the files, before the training.
using TellFile = std::function<void(const rowsmith::TableFile&)>;

// Fits a recipe by its name; what needs the most time to compile, in a file of its own.
FittedFile fit_recipe(const FitSettings& settings, const TellFile& tell,
                      const rowsmith::ProgressCallback& progress,
                      const rowsmith::CheckpointStore& checkpoints);

// What the listener throws when the user wants to stop.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

// Takes note of Ctrl-C as long as it lives; a second one ends the program at once.
class InterruptGuard {
public:
  InterruptGuard() { previous_ = std::signal(SIGINT, note); }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard() { std::signal(SIGINT, previous_); }
  static bool seen() noexcept { return seen_ != 0; }

private:
  static void note(int) {
    seen_ = 1;
    std::signal(SIGINT, SIG_DFL);
  }
  static inline volatile std::sig_atomic_t seen_ = 0;
  void (*previous_)(int) = nullptr;
};

// A model with a guarantee, and the promise in words.
int run_private_fit(const FitSettings& settings);

inline int run_fit(const FitSettings& asked) {
  auto settings = asked;
  settings.quiet = settings.quiet || !settings.first();
  const std::string checkpoint = settings.out + ".checkpoint";
  settings.input.check_source(settings.files.size());
  Files inputs{{"--schema", settings.input.schema}, {"--sqlite", settings.input.sqlite.file}};
  for (const auto& file : settings.files)
    inputs.emplace_back("FILE", file);
  if (settings.first())
    check_outputs(inputs, {{"-o", settings.out}});
  check_reading(settings.stream, settings.in_memory, settings.files.size());
  if (settings.files.size() > 1 && settings.epsilon > 0)
    throw rowsmith::OptionError(
        "FILE: several files are read in chunks, which --epsilon is not made for; put them into one file");
  if (settings.stream && settings.epsilon > 0)
    throw rowsmith::OptionError("--stream: a private training (--epsilon) keeps the whole table in memory");
  if (settings.epsilon > 0 && settings.team != nullptr)
    throw rowsmith::OptionError("--epsilon: a private training is made by one process");
  if (settings.epsilon > 0)
    return run_private_fit(settings);
  if (settings.recipe == "private" || !settings.domains.empty())
    throw rowsmith::OptionError("--epsilon: is missing; how much may be told of a row is for you to say");
  if (settings.conditional && settings.input.label.empty())
    throw rowsmith::OptionError(
        "--conditional: a model makes rows for a label; say which column it is with --label");
  const auto tell = [&settings](const rowsmith::TableFile& file) {
    if (settings.quiet)
      return;
    const auto name =
        settings.source() +
        (settings.files.size() < 2 ? "" : " and " + std::to_string(settings.files.size() - 1) + " more");
    std::clog << name << ": " << file.rows << " rows, " << file.format.columns.size() << " columns; "
              << settings.input.written(file) << '\n';
    if (file.table.rows() < file.rows)
      std::clog << name << ": read in chunks; what is found out about it is of " << file.table.rows()
                << " of its rows\n";
    tell_notes(std::clog, file, name);
    tell_findings(std::clog, rowsmith::likely_wrong(file.table), name);
  };
  if (settings.fresh && settings.first())
    std::filesystem::remove(checkpoint);
  else if (std::filesystem::exists(checkpoint) && !settings.quiet)
    std::clog << "going on from " << checkpoint << " (--fresh begins anew)\n";
  const InterruptGuard guard;
  const auto bar = settings.quiet ? rowsmith::ProgressCallback{} : rowsmith::progress_bar();
  const auto progress = [&bar](const rowsmith::Progress& told) {
    if (InterruptGuard::seen())
      throw Interrupted();
    return bar ? bar(told) : rowsmith::ProgressAction::go_on;
  };
  try {
    auto store = rowsmith::checkpoint_file(checkpoint, 5);
    const auto fitted = fit_recipe(settings, tell, progress, store);
    if (!settings.first())
      return 0;
    auto parts = fitted.model.parts();
    parts.notes["format"] = rowsmith::to_json(fitted.format);
    const rowsmith::TableModel model(std::move(parts));
    rowsmith::save_model(model, settings.out);
    if (const auto trees = model.parts().notes.find("trees");
        !settings.quiet && trees != model.parts().notes.end())
      std::clog << "trees are " << trees->second << '\n';
    if (const auto& guide = model.parts().guide; !settings.quiet && !guide.empty()) {
      std::ostringstream candidates;
      candidates << std::fixed << std::setprecision(1) << guide.candidates_a_row(model.parts().label_shares);
      std::clog << "rows that can be told from real ones are drawn again: " << candidates.str()
                << " candidates a row; sample --unguided takes all\n";
    }
    if (!settings.quiet)
      for (const auto& relation : relation_lines(model.preparation()))
        std::clog << relation << '\n';
  } catch (const Interrupted&) {
    std::clog << "\ninterrupted; "
              << (std::filesystem::exists(checkpoint) ? "the same command goes on from " + checkpoint
                                                      : std::string("too early for a checkpoint"))
              << '\n';
    return 1;
  }
  return 0;
}

inline Run add_fit(CLI::App& app, const rowsmith::Team* team) {
  auto& command = *app.add_subcommand("fit", "Learns a table, and writes a model file");
  const auto settings = std::make_shared<FitSettings>();
  settings->team = team != nullptr && team->size() > 1 ? team : nullptr;
  command.add_option(
      "files", settings->files,
      "The table; several files of the same columns, which may be compressed (.gz, .zst), are one "
      "table");
  command.add_option("-o,--out", settings->out, "The model file")->required();
  command
      .add_option("--recipe", settings->recipe,
                  "default: near to real rows at little leak; nearest: nearer, at more leak; neural: small "
                  "models; trees: seconds; faithful: the base method; private: with --epsilon, the only one")
      ->check(CLI::IsMember({"default", "nearest", "neural", "trees", "faithful", "private"}))
      ->capture_default_str();
  add_whole_number(command, "--seed", settings->seed, "Of all that is drawn");
  add_whole_number(command, "--threads", settings->threads, "0: all; never changes the result", 0, 4096);
  add_whole_number(command, "--min-category-rows", settings->min_category_rows,
                   "Fold categories of fewer rows into one, so that they are not repeated", 0, 1'000'000'000);
  command
      .add_option("--relation", settings->relations,
                  "A relation that rows keep, such as \"total = price + tax\", \"first <= last\", \"town -> "
                  "country\"; "
                  "once for each")
      ->take_all();
  command
      .add_option("--min-share", settings->min_share, "Relations count if this share of the rows keeps them")
      ->capture_default_str();
  command.add_flag("--conditional", settings->conditional,
                   "A model that makes rows for a label that is asked for");
  command.add_flag(
      "--stream", settings->stream,
      "Read in chunks, in bounded memory: usual for several files, compressed ones and more than 64 "
      "MiB");
  command.add_flag("--in-memory", settings->in_memory, "Keep the whole table in memory, however large");
  command.add_flag("--fresh", settings->fresh, "Do not go on from a checkpoint");
  command.add_flag("--quick", settings->quick, "A few steps: to see that all works");
  command.add_flag("--quiet", settings->quiet, "No progress");
  const std::string privacy = "Differential privacy (docs/privacy.md)";
  command
      .add_option(
          "--epsilon", settings->epsilon,
          "Promise: nothing that is computed from the model is more than e^EPSILON times as probable with "
          "a row than without it. 1 to 3 is usual; (0, 100]")
      ->check(CLI::Range(1e-3, 100.0))
      ->group(privacy);
  command
      .add_option("--delta", settings->delta,
                  "But for an event of this probability: much less than 1 / rows; [1e-10, 0.01]")
      ->check(CLI::Range(1e-10, 0.01))
      ->capture_default_str()
      ->group(privacy);
  command
      .add_option(
          "--domain", settings->domains,
          "What everybody knows of a column, and need not be paid for: age=0..120, price=0..1000:2 (two "
          "digits after the point), \"sex=Female|Male\"; once for each")
      ->take_all()
      ->group(privacy);
  command
      .add_option("--private-parts", settings->private_parts,
                  "What learns from the rows: heads; encoder: a variational autoencoder; gan: that and a "
                  "GAN; counts: nothing "
                  "but each column's shares by the label; tree: shares along a tree of pairs of columns")
      ->check(CLI::IsMember({"heads", "encoder", "gan", "counts", "tree"}))
      ->capture_default_str()
      ->group(privacy);
  add_input(command, settings->input);
  add_database(command, settings->input);
  command.footer("rowsmith fit people.csv --label income -o people.model\n"
                 "rowsmith fit --sqlite people.db --query 'select age, income from people' -o people.model\n"
                 "rowsmith fit people.csv --label income --epsilon 3 --delta 1e-6 -o people.model\n"
                 "Ctrl-C leaves people.model.checkpoint, from which the same command goes on.");
  return [settings] { return run_fit(*settings); };
}

} // namespace program
