// SPDX-License-Identifier: MIT
// Asks a model for people of a kind, says how well it knows them, and what goes with one attribute being
// another:
//   scenario --model people.model --where 'age >= 60' --where 'sex = Female' --change 'sex = Male' --keep
//   education
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/rows_meeting.hpp>
#include <rowsmith/models/what_if.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/write_csv.hpp>

#include "people.hpp"

namespace rs = rowsmith;

namespace {

constexpr std::size_t least_holdout = 200; // fewer rows cannot tell an AUC of .6 from chance

struct Settings {
  std::string model;
  std::vector<std::string> where;
  std::string change;
  std::vector<std::string> keep;
  std::vector<std::string> draw;
  std::string holdout;
  std::string out;
  std::size_t rows = 1000;
  std::uint64_t seed = 0;
  int threads = 0;
  bool allow_rare = false;
  bool quick = false;
};

std::string listed(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts)
    all += (all.empty() ? "" : ", ") + text;
  return all.empty() ? "none" : all;
}
std::string rounded(double value, bool share) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(share || std::abs(value) < 1000 ? 1 : 0)
       << (share ? 100 * value : value) << (share ? " %" : "");
  return text.str();
}
std::string name_of(const rs::PairedChange& one) {
  return one.value.empty() ? one.column + ", mean" : one.column + " = " + one.value;
}

// Means of numbers and shares of categories; of a column with many categories those that differ most.
std::vector<rs::PairedChange> most_changed(const std::vector<rs::PairedChange>& all) {
  constexpr std::ptrdiff_t most = 3; // of a column
  std::vector<rs::PairedChange> chosen;
  for (auto begin = all.begin(); begin != all.end();) {
    const auto end =
        std::find_if(begin, all.end(), [&](const auto& one) { return one.column != begin->column; });
    std::vector<rs::PairedChange> column(begin, end);
    std::stable_sort(column.begin(), column.end(), [](const auto& a, const auto& b) {
      return std::abs(a.after - a.before) > std::abs(b.after - b.before);
    });
    // The second of two categories says nothing new.
    const std::ptrdiff_t told = column.size() == 2 ? 1 : std::min<std::ptrdiff_t>(most, std::ssize(column));
    chosen.insert(chosen.end(), column.begin(), column.begin() + told);
    begin = end;
  }
  return chosen;
}

void tell_rows(const rs::Table& asked, const rs::Table& everyone) {
  std::cout << '\n'
            << asked.rows() << " rows that meet the conditions, beside the model's rows as they come\n";
  for (const auto& one : most_changed(rs::paired_changes(everyone, asked)))
    std::cout << "  " << std::left << std::setw(44) << name_of(one) << std::right << std::setw(10)
              << rounded(one.after, !one.value.empty()) << std::setw(12)
              << rounded(one.before, !one.value.empty()) << '\n';
}

void tell_detection(const rs::Table& asked, const rs::Table& holdout, const Settings& settings) {
  std::cout << '\n' << holdout.rows() << " held-out rows meet the conditions";
  if (holdout.rows() < least_holdout) {
    std::cout << ": fewer than " << least_holdout << ", too few to judge by\n";
    return;
  }
  const auto told =
      rs::detection(holdout, asked,
                    {.classifier = rs::Classifier::boosted,
                     .seeds = settings.quick ? 1U : 5U,
                     .boosted = {.rounds = settings.quick ? 10U : 100U, .threads = settings.threads}});
  std::cout << ": boosted trees tell " << told.rows << " of them from as many rows asked for with AUC "
            << std::fixed << std::setprecision(3) << told.auc.mean
            << " (0.5: not at all; p = " << told.p_value << ")\n";
  std::cout.unsetf(std::ios::fixed);
}

void tell_pair(const rs::WhatIf& pairs, std::size_t row) {
  const auto text = [row](const rs::Column& column) {
    std::ostringstream cell;
    if (column.is_missing(row))
      cell << "missing";
    else if (column.kind == rs::ColumnKind::numerical)
      cell << column.values[row];
    else
      cell << column.dictionary.text(column.codes[row]);
    return cell.str();
  };
  std::cout << "  ";
  for (std::size_t c = 0; c < pairs.before.size(); ++c) {
    const auto before = text(pairs.before[c]);
    const auto after = text(pairs.after[c]);
    std::cout << (c == 0 ? "" : ", ") << pairs.before[c].name << ' '
              << (before == after ? before : "[" + before + " -> " + after + "]");
  }
  std::cout << '\n';
}

void tell_changes(const rs::WhatIf& pairs, const std::string& change, const std::string& changed) {
  std::cout << "\nThe same " << pairs.before.rows() << " with " << change << " (kept: " << listed(pairs.kept)
            << "); mean change over the pairs, 95 % interval\n";
  for (const auto& one : most_changed(rs::paired_changes(pairs.before, pairs.after))) {
    if (one.column == changed ||
        std::find(pairs.kept.begin(), pairs.kept.end(), one.column) != pairs.kept.end())
      continue;
    const bool share = !one.value.empty();
    const double half = 1.96 * one.error;
    std::cout << "  " << std::left << std::setw(44) << name_of(one) << std::right << std::setw(10)
              << rounded(one.before, share) << " ->" << std::setw(9) << rounded(one.after, share)
              << std::setw(10) << (one.change < 0 ? "" : "+") + rounded(one.change, share) << " ["
              << rounded(one.change - half, share) << ", " << rounded(one.change + half, share) << "]"
              << std::setw(8) << std::setprecision(3) << 100 * one.same << " % alike\n";
  }
  if (!pairs.unsure.empty())
    std::cout << "  " << pairs.unsure.size()
              << " pairs are so unlike the model's rows that they are only the best found\n";
  if (!pairs.impossible.empty())
    std::cout << "  " << pairs.impossible.size()
              << " pairs cannot be: the change contradicts a column that is kept\n";
  std::cout << "\nPairs, such as\n";
  for (std::size_t row = 0; row < std::min<std::size_t>(pairs.before.rows(), 3); ++row)
    tell_pair(pairs, row);
  std::cout << "\nThis is what goes with the other value in the table that the model learnt, among rows with "
               "the kept\n"
               "cells. It is no cause: whoever is changed in life keeps more, or less, than these columns.\n";
}

rs::Table read_like(const std::string& path, const rs::TableModel& model) {
  const auto format = rs::detail::learnt_format(model);
  return format.columns.empty() ? rs::read_csv(path) : rs::read_table_like(path, format);
}

int run(const Settings& settings) {
  const rs::TableModel model =
      settings.model.empty() ? model_of_made_people(settings.quick) : rs::load_model(settings.model);
  rs::SampleOptions options{
      .seed = settings.seed, .allow_rare = settings.allow_rare, .threads = settings.threads};
  rs::WhatIfOptions what_if{.seed = settings.seed,
                            .keep = settings.keep,
                            .allow_rare = settings.allow_rare,
                            .threads = settings.threads};
  try { // a column that is not there, a value that the model does not know: wrong use
    options.conditions = rs::read_conditions(settings.where, model);
    if (!settings.change.empty())
      what_if.change = rs::read_condition(settings.change, model);
    what_if.conditions = options.conditions;
    for (const auto& name : settings.draw)
      (void)model.schema().index_of(name);
    if (!settings.draw.empty()) // all others are kept
      for (const auto& column : model.schema().columns())
        if (column.name != what_if.change.column &&
            std::find(settings.draw.begin(), settings.draw.end(), column.name) == settings.draw.end())
          what_if.keep.push_back(column.name);
    if (!settings.change.empty())
      rs::check_what_if(model, what_if);
  } catch (const rs::SchemaError& error) {
    throw rs::OptionError(error.what());
  }
  const auto conditions = model.resolve(options);
  const auto& support = conditions.support();
  std::cout << "conditions: " << listed(settings.where) << "\nsupport: about " << std::setprecision(2)
            << support.share << " of the model's rows meet them; a row is chosen from " << support.candidates
            << " candidates, of which " << support.effective << " count\n";

  const rs::Table everyone =
      model.sample(settings.rows, {.seed = settings.seed + 1, .threads = settings.threads});
  const rs::Table asked = model.sample(settings.rows, conditions, options);
  tell_rows(asked, everyone);
  if (!settings.holdout.empty()) {
    const rs::Table holdout = read_like(settings.holdout, model);
    const rs::Table met = holdout.select(rs::rows_meeting(holdout, options.conditions));
    tell_detection(model.sample(std::max(met.rows(), std::size_t{1}), conditions, options), met, settings);
  }
  if (settings.change.empty())
    return 0;
  const auto pairs = rs::what_if(model, settings.rows, what_if);
  tell_changes(pairs, settings.change, what_if.change.column);
  if (!settings.out.empty()) {
    rs::write_csv(settings.out + ".before.csv", pairs.before);
    rs::write_csv(settings.out + ".after.csv", pairs.after);
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "Asks a model for rows that meet conditions, says how well it knows such rows, and what goes with one\n"
      "column being another.");
  app.add_option("--model", settings.model,
                 "A model file; without it, a made-up table of people is learnt first");
  const auto several = [&](const char* name, auto& texts, const char* what) {
    return app.add_option(name, texts, what)->allow_extra_args(false);
  };
  several("--where", settings.where, "A condition, such as 'age >= 60'; several hold together")
      ->type_name("CONDITION");
  app.add_option("--change", settings.change, "What the other row of each pair has, such as 'sex = Male'")
      ->type_name("CONDITION");
  auto* const keep =
      several("--keep", settings.keep,
              "Columns whose cells both rows of a pair share, with commas between; those of --where "
              "are among them")
          ->delimiter(',');
  several("--draw", settings.draw, "In place of --keep: the columns that may change; all others are kept")
      ->delimiter(',')
      ->excludes(keep);
  app.add_option("--holdout", settings.holdout, "Rows that no training saw, to judge the rows asked for by");
  app.add_option("-o,--out", settings.out, "Writes the pairs to OUT.before.csv and OUT.after.csv");
  app.add_option("-n,--rows", settings.rows, "How many rows and pairs")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "The same seed gives the same rows")->capture_default_str();
  app.add_option("--threads", settings.threads, "0: all; never changes the result")
      ->check(CLI::Range(0, 4096));
  app.add_flag("--allow-rare", settings.allow_rare, "Conditions that hardly any row meets are no error");
  app.add_flag("--quick", settings.quick, "A few steps only, to see that all works");
  try {
    app.parse(argc, argv);
    if (settings.model.empty() && settings.where.empty() && settings.change.empty()) {
      settings.where = {"age >= 50", "sex = Female"};
      settings.change = "sex = Male";
    }
    if (settings.change.empty() && !(settings.keep.empty() && settings.draw.empty() && settings.out.empty()))
      throw rs::OptionError("--keep, --draw and --out are of pairs, expected --change beside them");
    return run(settings);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const rs::OptionError& error) {
    std::cerr << "scenario: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "scenario: " << error.what() << '\n';
    return 1;
  }
}
