// SPDX-License-Identifier: MIT
// Reports on synthetic tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <rowsmith/evaluate.hpp>

#include "fitting.hpp"
#include "tables.hpp"

namespace native {

struct JudgeOptions {
  std::vector<std::string> targets;
  std::size_t seeds = 3;
  bool quick = false;
  std::size_t max_rows = 50'000;
  std::uint64_t seed = 0;
  int threads = 0;
};

class NativeReport {
public:
  static NativeReport judge(const NativeTable& train, const NativeTable& holdout,
                            const NativeTable& synthetic, const JudgeOptions& asked,
                            const py::object& listener) {
    rs::ReportOptions options{.targets = asked.targets,
                              .seeds = asked.seeds,
                              .quick = asked.quick,
                              .max_rows = asked.max_rows,
                              .seed = asked.seed,
                              .threads = asked.threads,
                              .progress = listener_of(listener)};
    const py::gil_scoped_release others;
    NativeReport result;
    result.report_ = rs::judge(train.table, holdout.table, synthetic.table, options);
    result.report_.options.progress = {}; // the listener may be gone
    return result;
  }
  std::string json() const { return rs::to_json(report_); }
  std::string html(const std::string& title, const std::string& train, const std::string& holdout,
                   const std::string& synthetic) const {
    return rs::to_html(report_, {.title = title, .train = train, .holdout = holdout, .synthetic = synthetic});
  }
  std::string text() const {
    std::ostringstream out;
    out << report_;
    return out.str();
  }

private:
  rs::Report report_;
};

// What can be said without rows that the model never saw: how alike the tables are. As JSON, by figure.
inline std::vector<std::string> compare(const NativeTable& train, const NativeTable& synthetic,
                                        const JudgeOptions& asked, const py::object& listener) {
  namespace ev = rs::evaluate;
  const auto tell = listener_of(listener);
  const py::gil_scoped_release others;
  std::vector<ev::Figure> figures;
  const auto add = [&](std::string key, std::string title, double value, double sd, std::string meaning) {
    figures.push_back({.key = std::move(key),
                       .section = "fidelity",
                       .title = std::move(title),
                       .value = value,
                       .sd = sd,
                       .meaning = std::move(meaning)});
  };
  const ev::FidelityOptions own{
      .replicates = asked.quick ? 5U : 20U, .seed = asked.seed, .threads = asked.threads};
  const auto shapes = ev::column_shapes(train.table, synthetic.table, own);
  add("shapes.mean", "Column shapes, mean error", shapes.mean.value, shapes.mean.sd,
      "How far columns' distributions are off; against the training rows.");
  const auto trends = ev::pair_trends(train.table, synthetic.table, own);
  add("trends.mean", "Pair trends, mean error", trends.mean.value, trends.mean.sd,
      "How far relations of two columns are off; against the training rows.");
  std::size_t stage = 0;
  for (const auto classifier : {ev::Classifier::forest, ev::Classifier::boosted, ev::Classifier::linear}) {
    ++stage;
    const auto found =
        rs::detection(train.table, synthetic.table,
                      {.classifier = classifier,
                       .seeds = asked.quick ? 1 : asked.seeds,
                       .seed = asked.seed,
                       .forest = {.trees = asked.quick ? 20U : 100U, .threads = asked.threads},
                       .boosted = {.rounds = asked.quick ? 20U : 100U, .threads = asked.threads},
                       .linear = {.threads = asked.threads},
                       .progress = [&](const rs::Progress& told) {
                         auto numbered = told;
                         numbered.stage_number = stage;
                         numbered.stages = 3;
                         return tell(numbered);
                       }});
    const std::string name(ev::to_string(classifier));
    add("detection." + name + ".auc", "Detection by " + name, found.auc.mean, found.auc.sd,
        "AUC of a model that tells training rows from synthetic ones; 0.5: it cannot. Against training rows: "
        "below 0.5 means that synthetic rows lean on them.");
  }
  std::vector<std::string> result;
  for (const auto& figure : figures)
    result.push_back(ev::to_json(figure));
  return result;
}

} // namespace native
