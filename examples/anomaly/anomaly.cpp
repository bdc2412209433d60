// SPDX-License-Identifier: MIT
// Finds odd rows: plants anomalies of four kinds into rows that no model saw, or tells one class from all
// others, and compares the likelihood of the default recipe and the reconstruction error of the base method
// with an isolation forest and nearest neighbours. usage: anomaly [--data TABLE.csv [--label COLUMN]] |
// [--train TRAIN.csv --test TEST.csv --normal 'COLUMN=VALUE']
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/models/row_reasons.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/split.hpp>
#include <rowsmith/table/table_file.hpp>

#include "detectors.hpp"
#include "plant.hpp"

namespace rs = rowsmith;
using namespace anomaly;

namespace {

struct Settings {
  std::string data, label, train, test, normal, json;
  std::vector<std::string> drop;
  std::size_t planted = 1000;
  double false_alarms = 0.01;
  common::FitSettings fit{.other_categories = true};
};

// Flats whose rent follows from size and town, and whose size follows from the rooms.
rs::Table flats(int rows) {
  std::ostringstream csv("town,rooms,floor,lift,size,rent\n", std::ios::ate);
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int i = 0; i < rows; ++i) {
    const auto town = random.below(3);
    const auto rooms = 1 + random.below(5);
    const auto floor = random.below(town == 0 ? 4 : 12);
    const bool lift = floor > 4 ? random.below(50) != 0 : random.below(5) == 0;
    const auto size = std::lround(12 + 18 * rooms + 4 * random.normal());
    const double rent = static_cast<double>(size) * (8 + 5 * town) * (1 + 0.05 * random.normal());
    csv << (town == 0   ? "Lima"
            : town == 1 ? "Oslo"
                        : "Kyoto")
        << ',' << rooms << ',' << floor << ',' << (lift ? "yes" : "no") << ',' << size << ','
        << std::lround(rent) << '\n';
  }
  std::istringstream made(csv.str());
  return rs::read_csv(made, "flats");
}

// How well one detector tells odd rows from usual ones.
struct Figures {
  double auc = 0;
  double found = 0;      // the share of odd rows above the threshold
  double impossible = 0; // of odd rows with an infinite score
};
struct Judged {
  std::string name;
  bool ours = false;
  double false_alarms = 0; // the share of usual test rows above the threshold
  std::vector<std::pair<std::string, Figures>> kinds{};
};

double share_above(const std::vector<double>& scores, double threshold) {
  const auto above = std::count_if(scores.begin(), scores.end(), [&](double s) { return s > threshold; });
  return static_cast<double>(above) / static_cast<double>(scores.size());
}

Figures judge(const std::vector<double>& usual, const std::vector<double>& odd, double threshold) {
  auto scores = usual;
  scores.insert(scores.end(), odd.begin(), odd.end());
  std::vector<std::uint8_t> positive(scores.size());
  std::fill(positive.begin() + static_cast<std::ptrdiff_t>(usual.size()), positive.end(), std::uint8_t{1});
  const auto infinite = std::count_if(odd.begin(), odd.end(), [](double s) { return std::isinf(s); });
  return {rs::evaluate::roc_auc(scores, positive), share_above(odd, threshold),
          static_cast<double>(infinite) / static_cast<double>(odd.size())};
}

// Rows that odd ones are to be told from, and odd ones by kind.
struct Task {
  rs::Table train, held_out, test;
  std::size_t usual = 0;                                               // the first of the test rows
  std::vector<std::pair<std::string, std::vector<std::size_t>>> odd{}; // rows of the test by kind

  void add(const std::string& kind, const rs::Table& rows) {
    odd.emplace_back(kind, std::vector<std::size_t>(rows.rows()));
    std::iota(odd.back().second.begin(), odd.back().second.end(), test.rows());
    test = rs::concatenate(test, rows);
  }
};

// Three fifths of the rows to train on, a fifth to find thresholds by, and a fifth to test.
Task planted(const rs::Table& table, const Settings& settings) {
  auto [train, others] = rs::split(table, 0.6, settings.fit.seed);
  auto [held_out, usual] = rs::split(others, 0.5, settings.fit.seed);
  Task task{.train = std::move(train), .held_out = std::move(held_out), .test = usual, .usual = usual.rows()};
  const Planter planter(task.train);
  for (const Kind kind : kinds)
    if (const auto rows = planter.plant(kind, usual, settings.planted, settings.fit.seed))
      task.add(name_of(kind), *rows);
    else
      std::clog << "anomaly: the table has no place for the kind '" << name_of(kind) << "'\n";
  return task;
}

// One class to train on, four fifths of its rows, and a fifth to find thresholds by; all others are odd.
Task one_class(const Settings& settings) {
  const auto equals = settings.normal.find('=');
  const std::string name = settings.normal.substr(0, equals);
  const std::string value = settings.normal.substr(equals + 1);
  rs::TableFileOptions options;
  options.declared[name] = rs::ColumnRole::category;
  for (const auto& column : settings.drop)
    options.declared[column] = rs::ColumnRole::dropped;
  const auto file = rs::read_table_file(settings.train, options);
  const auto test = rs::read_table_like(settings.test, file.format);
  const std::size_t column = file.table.schema().index_of(name);
  const auto class_of = [&](const rs::Table& table, std::size_t row) {
    return table[column].is_missing(row) ? std::string()
                                         : table[column].dictionary.text(table[column].codes[row]);
  };
  const auto rows_of = [&](const rs::Table& table, bool wanted) {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < table.rows(); ++row)
      if ((class_of(table, row) == value) == wanted)
        rows.push_back(row);
    return rows;
  };
  const auto without_class = [&](const rs::Table& table, const std::vector<std::size_t>& rows) {
    auto columns = table.select(rows).columns();
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(column));
    return rs::Table(std::move(columns));
  };
  Task task;
  std::tie(task.train, task.held_out) =
      rs::split(without_class(file.table, rows_of(file.table, true)), 0.8, settings.fit.seed);
  task.test = without_class(test, rows_of(test, true));
  task.usual = task.test.rows();
  const auto others = rows_of(test, false);
  if (task.train.rows() == 0 || task.usual == 0 || others.empty())
    throw rs::OptionError("--normal: '" + settings.normal +
                          "', expected a column and a value that rows of both files have, and others of the "
                          "test file do not");
  task.add("all others", without_class(test, others));
  std::map<std::string, std::vector<std::size_t>> by_class;
  for (std::size_t i = 0; i < others.size(); ++i)
    by_class[class_of(test, others[i])].push_back(task.usual + i);
  for (auto& [text, rows] : by_class)
    if (rows.size() >= 100)
      task.odd.emplace_back(text, std::move(rows));
  return task;
}

void print(const Task& task, const std::vector<Judged>& all, double false_alarms) {
  std::cout << "ROC-AUC against " << task.usual << " usual rows, and in brackets the share found at a "
            << "threshold for " << 100 * false_alarms << " % false alarms\n\n"
            << std::left << std::setw(26) << "" << std::right << std::setw(8) << "rows";
  for (const auto& one : all)
    std::cout << std::setw(28) << one.name;
  std::cout << '\n' << std::fixed;
  for (std::size_t k = 0; k < task.odd.size(); ++k) {
    std::cout << std::left << std::setw(26) << task.odd[k].first << std::right << std::setw(8)
              << task.odd[k].second.size();
    for (const auto& one : all) {
      const auto& figures = one.kinds[k].second;
      std::ostringstream text;
      text << std::fixed << std::setprecision(3) << figures.auc << " (" << std::setprecision(2)
           << figures.found << ")";
      std::cout << std::setw(28) << text.str();
    }
    std::cout << '\n';
  }
  std::cout << std::left << std::setw(34) << "false alarms among usual rows" << std::right;
  for (const auto& one : all)
    std::cout << std::setw(28) << std::setprecision(4) << one.false_alarms;
  std::cout << '\n';
}

// The oddest of each kind, and why.
void print_reasons(const Task& task, const std::vector<double>& scores, const rs::TableModel& model,
                   int threads) {
  const rs::RowReasons why(model, {.threads = threads});
  std::cout << "\nReasons, for the oddest row of each kind that the model could make at all:\n";
  for (const auto& [name, rows] : task.odd) {
    std::vector<std::size_t> possible;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(possible),
                 [&](std::size_t row) { return std::isfinite(scores[row]); });
    if (possible.empty())
      continue;
    const std::vector<std::size_t> oddest{
        *std::max_element(possible.begin(), possible.end(),
                          [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; })};
    const auto row = task.test.select(oddest);
    const auto told = rs::row_surprise(model, row, {.samples = 8, .threads = threads, .cells = true});
    const std::vector<std::size_t> first{0};
    std::cout << "  " << name << ": ";
    const auto reasons = why.explain(row, told, first).front();
    for (std::size_t i = 0; i < reasons.size(); ++i)
      std::cout << (i == 0 ? "" : "; ") << reasons[i].text;
    std::cout << '\n';
  }
}

std::string to_json(const Task& task, const std::vector<Judged>& all, const Settings& settings) {
  std::string text = "{\"seed\":" + std::to_string(settings.fit.seed) +
                     ",\"train_rows\":" + std::to_string(task.train.rows()) +
                     ",\"usual_rows\":" + std::to_string(task.usual) +
                     ",\"wanted_false_alarms\":" + rs::json_number(settings.false_alarms) +
                     ",\"detectors\":[";
  for (std::size_t d = 0; d < all.size(); ++d) {
    text += (d == 0 ? "" : ",") + ("{\"name\":" + rs::json_escape(all[d].name)) +
            ",\"ours\":" + (all[d].ours ? "true" : "false") +
            ",\"false_alarms\":" + rs::json_number(all[d].false_alarms) + ",\"kinds\":{";
    for (std::size_t k = 0; k < all[d].kinds.size(); ++k) {
      const auto& [name, figures] = all[d].kinds[k];
      text += (k == 0 ? "" : ",") + rs::json_escape(name) + ":{\"auc\":" + rs::json_number(figures.auc) +
              ",\"found\":" + rs::json_number(figures.found) +
              ",\"impossible\":" + rs::json_number(figures.impossible) +
              ",\"rows\":" + std::to_string(task.odd[k].second.size()) + "}";
    }
    text += "}}";
  }
  return text + "]}\n";
}

int run(const Settings& settings) {
  Task task;
  if (!settings.train.empty()) {
    task = one_class(settings);
  } else if (!settings.data.empty()) {
    rs::TableFileOptions options{.label = settings.label};
    for (const auto& column : settings.drop)
      options.declared[column] = rs::ColumnRole::dropped;
    task = planted(rs::read_table_file(settings.data, options).table, settings);
  } else {
    task = planted(flats(settings.fit.quick ? 3000 : 10'000), settings);
  }
  const auto by_default = common::fit_default(task.train, settings.fit);
  const int threads = settings.fit.threads;
  const Rows rows{task.train, task.held_out, task.test};
  std::vector<Scores> scores;
  by_likelihood(rows, by_default, threads, scores);
  by_reconstruction(rows, common::fit_faithful(task.train, settings.fit), threads, scores);
  by_isolation(rows, settings.fit.seed, threads, scores);
  by_neighbours(rows, settings.fit.seed, threads, scores);
  std::vector<Judged> all;
  for (const auto& one : scores) {
    Judged judged{.name = one.name, .ours = one.ours};
    const double threshold = rs::evaluate::alarm_threshold(one.held_out, settings.false_alarms);
    const auto begin = one.test.begin();
    const std::vector<double> usual(begin, begin + static_cast<std::ptrdiff_t>(task.usual));
    judged.false_alarms = share_above(usual, threshold);
    for (const auto& [name, odd] : task.odd) {
      std::vector<double> of_kind;
      for (const std::size_t row : odd)
        of_kind.push_back(one.test[row]);
      judged.kinds.emplace_back(name, judge(usual, of_kind, threshold));
    }
    all.push_back(std::move(judged));
  }
  print(task, all, settings.false_alarms);
  print_reasons(task, scores.front().test, by_default, threads);
  if (!settings.json.empty())
    rs::write_file_atomically(settings.json, [&](std::ostream& out) { out << to_json(task, all, settings); });
  return 0;
}

} // namespace

int main(int argc, char** argv) try {
  Settings settings;
  CLI::App app(
      "Plants anomalies of four kinds into a table, or tells one class from others, and finds them in four "
      "ways");
  auto* const data = app.add_option("--data", settings.data, "A table; without one, flats are made up")
                         ->check(CLI::ExistingFile);
  app.add_option("--label", settings.label, "Its column that says what a row is, a category")->needs(data);
  auto* const train = app.add_option("--train", settings.train, "A table of which one class is learnt")
                          ->check(CLI::ExistingFile)
                          ->excludes(data);
  auto* const test =
      app.add_option("--test", settings.test, "Rows of that class and of others")->check(CLI::ExistingFile);
  auto* const normal = app.add_option("--normal", settings.normal, "The class: COLUMN=VALUE");
  train->needs(test)->needs(normal);
  test->needs(train);
  normal->needs(train)->check([](const std::string& text) {
    return text.find('=') == std::string::npos ? "expected COLUMN=VALUE" : std::string();
  });
  app.add_option("--drop", settings.drop, "Columns to leave out")->delimiter(',');
  app.add_option("--planted", settings.planted, "Rows of each kind, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--false-alarms", settings.false_alarms, "The share of usual rows that may be flagged")
      ->check(CLI::Range(0.0001, 0.5))
      ->capture_default_str();
  app.add_option("--seed", settings.fit.seed, "Of the split, the fits and what is planted")
      ->capture_default_str();
  app.add_option("--threads", settings.fit.threads, "0: all; never changes the result")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--json", settings.json, "Also write the figures to a file");
  app.add_flag("--quick", settings.fit.quick, "Small trainings, to see that all works");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return run(settings);
} catch (const rowsmith::OptionError& error) {
  std::cerr << "anomaly: " << error.what() << '\n';
  return 2;
} catch (const std::exception& error) {
  std::cerr << "anomaly: " << error.what() << '\n';
  return 1;
}
