// SPDX-License-Identifier: MIT
// Ways to score rows, each trained on rows as they usually are. The more, the odder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/row_distance.hpp>
#include <rowsmith/forest/isolation_forest.hpp>
#include <rowsmith/models/row_surprise.hpp>

#include "../common/fit_model.hpp"

namespace anomaly {

namespace rs = rowsmith;

struct Scores {
  std::string name;
  bool ours = false;
  std::vector<double> held_out{}; // one a row
  std::vector<double> test{};
};

// What is scored: rows that thresholds are found by, and rows to judge.
struct Rows {
  const rs::Table& train;
  const rs::Table& held_out;
  const rs::Table& test;
};

// The likelihood of the row, and how far single cells stand out by the same likelihoods.
inline void by_likelihood(const Rows& rows, const rs::TableModel& model, int threads,
                          std::vector<Scores>& all) {
  const rs::LikelihoodOptions options{.samples = 8, .threads = threads, .cells = true};
  const auto usual = rs::usual_surprise(model, options);
  const auto held_out = rs::row_surprise(model, rows.held_out, options);
  const auto test = rs::row_surprise(model, rows.test, options);
  all.push_back({"likelihood (default)", true, held_out.rows, test.rows});
  all.push_back({"cells (default)", true, rs::outstanding_surprise(held_out, usual),
                 rs::outstanding_surprise(test, usual)});
}

inline void by_reconstruction(const Rows& rows, const rs::TableModel& model, int threads,
                              std::vector<Scores>& all) {
  const rs::Sampler sampler(model);
  all.push_back({"reconstruction (faithful)", true, sampler.score_rows(rows.held_out, threads),
                 sampler.score_rows(rows.test, threads)});
}

// Categories by cutting one of them off at a time.
inline void by_isolation(const Rows& rows, std::uint64_t seed, int threads, std::vector<Scores>& all) {
  const rs::evaluate::SharedCodes codes({&rows.train, &rows.held_out, &rows.test});
  const auto features_of = [&](const rs::Table& table) {
    auto features = codes.features(table);
    for (const auto& column : table.columns())
      features.categorical.push_back(column.kind == rs::ColumnKind::categorical);
    return features;
  };
  const auto forest = rs::IsolationForest::fit(features_of(rows.train), {.seed = seed, .threads = threads});
  all.push_back({"isolation forest", false, forest.score(features_of(rows.held_out), threads),
                 forest.score(features_of(rows.test), threads)});
}

// The Gower distance to the fifth nearest of at most 20,000 training rows.
inline void by_neighbours(const Rows& rows, std::uint64_t seed, int threads, std::vector<Scores>& all) {
  constexpr std::size_t most = 20'000;
  const auto numbers = [](const rs::Table& table) {
    std::vector<std::uint32_t> result(table.rows());
    std::iota(result.begin(), result.end(), 0U);
    return result;
  };
  auto chosen = numbers(rows.train);
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 100));
  rs::shuffle(std::span<std::uint32_t>(chosen), random);
  chosen.resize(std::min(chosen.size(), most));
  const rs::evaluate::DistanceSpace space(rows.train, {&rows.held_out, &rows.test});
  const auto references = space.rows(rows.train, chosen);
  const auto far = [&](const rs::Table& table) {
    const auto distances =
        rs::evaluate::neighbour_distances(space.rows(table, numbers(table)), references, 5, threads);
    return std::vector<double>(distances.begin(), distances.end());
  };
  all.push_back({"5th nearest neighbour", false, far(rows.held_out), far(rows.test)});
}

} // namespace anomaly
