// SPDX-License-Identifier: MIT
#include <rowsmith/forest/code_trees.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace rs = rowsmith;
using rs::forest::CodeFeature;
using rs::forest::CodeTarget;
using rs::forest::CodeTrees;

namespace {
CodeFeature feature(std::size_t rows, std::int32_t count, bool ordered, std::uint64_t seed) {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
  CodeFeature result{.count = count, .ordered = ordered};
  for (std::size_t r = 0; r < rows; ++r)
    result.levels.push_back(static_cast<std::uint16_t>(random.below(static_cast<std::uint64_t>(count))));
  return result;
}
std::vector<const CodeFeature*> pointers(const std::vector<CodeFeature>& features) {
  std::vector<const CodeFeature*> result;
  for (const auto& one : features)
    result.push_back(&one);
  return result;
}
CodeFeature column(std::vector<std::uint16_t> levels, std::int32_t count, bool ordered) {
  return {.levels = std::move(levels), .count = count, .ordered = ordered};
}
std::vector<std::uint32_t> entries(const CodeFeature& of) { return {of.levels.begin(), of.levels.end()}; }

/// The criterion by its definition: Σ over sides |Σ target|² / rows.
double gain(const CodeFeature& by, std::uint32_t threshold, const CodeTarget& target) {
  double total = 0;
  for (const bool left : {true, false}) {
    std::vector<double> sum(static_cast<std::size_t>(target.width));
    double rows = 0;
    for (std::size_t r = 0; r < target.rows(); ++r) {
      if ((by.levels[r] <= threshold) != left)
        continue;
      ++rows;
      for (std::size_t d = 0; d < sum.size(); ++d)
        sum[d] += target.classes.empty() ? static_cast<double>(target.numbers[r * sum.size() + d])
                                         : (target.classes[r] == static_cast<std::int32_t>(d) ? 1.0 : 0.0);
    }
    for (const double x : sum)
      total += rows > 0 ? x * x / rows : 0;
  }
  return total;
}
} // namespace

TEST_CASE("code trees: leaves hold what the rows that come to them held", "[forest]") {
  // The column is a function of a and b together, and of neither alone.
  const auto a = feature(4000, 6, false, 1);
  const auto b = feature(4000, 40, true, 2);
  std::vector<std::uint16_t> levels;
  for (std::size_t r = 0; r < 4000; ++r)
    levels.push_back(static_cast<std::uint16_t>((a.levels[r] % 2 == 0) == (b.levels[r] < 17) ? 1 : 3));
  const auto target = rs::forest::class_target(column(levels, 5, false), {levels.begin(), levels.end()});
  const std::vector<CodeFeature> features{a, b};
  const auto trees = CodeTrees::fit(pointers(features), target, {.trees = 3, .min_leaf = 5, .seed = 4});
  REQUIRE(trees.trees() == 3);
  CHECK(trees.entries().size() == 3 * 4000);
  for (std::size_t t = 0; t < 3; ++t)
    for (std::uint16_t i = 0; i < 6; ++i)
      for (std::uint16_t j = 0; j < 40; ++j) {
        const auto leaf = trees.leaf(t, [&](std::size_t f) { return f == 0 ? i : j; });
        const std::uint32_t expected = (i % 2 == 0) == (j < 17) ? 1 : 3;
        CHECK(std::all_of(leaf.begin(), leaf.end(), [&](std::uint32_t entry) { return entry == expected; }));
      }
}

TEST_CASE("code trees: each tree's leaves hold every row once, and few rows make no leaf", "[forest]") {
  const auto a = feature(1000, 300, true, 1); // more levels than rows of a node: those are sorted
  const auto b = feature(1000, 7, false, 2);
  CodeFeature number{.count = 1000, .ordered = true};
  for (std::size_t r = 0; r < 1000; ++r)
    number.levels.push_back(static_cast<std::uint16_t>(2 * a.levels[r] + 20 * b.levels[r] + r % 7));
  const auto target = rs::forest::rank_target(number, entries(number));
  const std::vector<CodeFeature> features{a, b};
  const auto trees = CodeTrees::fit(pointers(features), target, {.trees = 4, .min_leaf = 15, .share = 1});
  std::multiset<std::uint32_t> all;
  for (const auto level : number.levels)
    for (int t = 0; t < 4; ++t)
      all.insert(level);
  CHECK(std::multiset<std::uint32_t>(trees.entries().begin(), trees.entries().end()) == all);
  std::size_t leaves = 0;
  for (const auto& node : trees.nodes())
    if (node.feature < 0) {
      ++leaves;
      CHECK(node.count >= 15);
    }
  CHECK(leaves > 4 * 10);
}

TEST_CASE("code trees: the first split is the best there is", "[forest]") {
  const auto a = feature(200, 12, true, 1);
  const auto b = feature(200, 500, true, 2);
  const auto c = feature(200, 9, true, 3);
  for (const bool classes : {true, false}) {
    const auto y = feature(200, 12, true, 5);
    CodeFeature mixed{.count = 24, .ordered = true};
    for (std::size_t r = 0; r < 200; ++r)
      mixed.levels.push_back(static_cast<std::uint16_t>(y.levels[r] / 2 + (b.levels[r] > 311 ? 7 : 0)));
    const auto target = classes ? rs::forest::class_target(mixed, entries(mixed))
                                : rs::forest::rank_target(mixed, entries(mixed));
    const std::vector<CodeFeature> features{a, b, c};
    const auto trees = CodeTrees::fit(pointers(features), target, {.trees = 1, .min_leaf = 30, .share = 1});
    double best = 0;
    for (const auto& by : features)
      for (std::int32_t k = 0; k < by.count; ++k) {
        const auto left =
            std::count_if(by.levels.begin(), by.levels.end(), [&](auto level) { return level <= k; });
        if (left >= 30 && left <= 170)
          best = std::max(best, gain(by, static_cast<std::uint32_t>(k), target));
      }
    const auto& root = trees.nodes()[trees.roots()[0]];
    REQUIRE(root.feature >= 0);
    CHECK(gain(features[static_cast<std::size_t>(root.feature)], root.threshold, target) == Approx(best));
  }
}

TEST_CASE("code trees: the same bits on any number of threads, other trees for another seed",
          "[forest][threads]") {
  const std::vector<CodeFeature> features{feature(500, 20, true, 1), feature(500, 5, false, 2)};
  const auto y = feature(500, 9, false, 3);
  const auto target = rs::forest::class_target(y, entries(y));
  const auto fit = [&](std::uint64_t seed, int threads) {
    return CodeTrees::fit(pointers(features), target, {.trees = 6, .min_leaf = 10, .seed = seed}, threads);
  };
  const auto one = fit(1, 1);
  for (const int threads : {2, 3, 8}) {
    CHECK(fit(1, threads).nodes() == one.nodes());
    CHECK(fit(1, threads).entries() == one.entries());
  }
  CHECK(fit(2, 1).nodes() != one.nodes());
}

TEST_CASE("code trees: without features each tree is one leaf; parts that do not fit are refused",
          "[forest]") {
  const auto y = feature(50, 4, false, 3);
  const auto target = rs::forest::class_target(y, entries(y));
  const auto trees = CodeTrees::fit(pointers({}), target, {.trees = 2});
  REQUIRE(trees.nodes().size() == 2);
  CHECK(trees.leaf(1, [](std::size_t) { return 0; }).size() == 50);
  CHECK_NOTHROW(CodeTrees(trees.roots(), trees.nodes(), trees.entries(), {}));

  const auto refused = [&](auto change) {
    auto roots = trees.roots();
    auto nodes = trees.nodes();
    auto leaves = trees.entries();
    change(roots, nodes, leaves);
    CHECK_THROWS_AS(CodeTrees(roots, nodes, leaves, {}), rs::ShapeError);
  };
  refused([](auto& roots, auto&, auto&) { roots[1] = 2; });
  refused([](auto& roots, auto&, auto&) { roots.clear(); });
  refused([](auto&, auto& nodes, auto&) { nodes[0].count = 101; });
  refused([](auto&, auto& nodes, auto&) { nodes[0].count = 0; });
  refused([](auto&, auto& nodes, auto&) { nodes[0] = {0, 1, 0, 0}; });
  refused([](auto&, auto&, auto& leaves) { leaves.pop_back(); });

  const std::vector<CodeFeature> short_feature{feature(49, 3, true, 1)};
  CHECK_THROWS_AS(CodeTrees::fit(pointers(short_feature), target, {}), rs::ShapeError);
  const std::vector<CodeFeature> high_level{column(std::vector<std::uint16_t>(50, 3), 3, true)};
  CHECK_THROWS_AS(CodeTrees::fit(pointers(high_level), target, {}), rs::ShapeError);
  CHECK_THROWS_AS(CodeTrees::fit(pointers({}), target, {.share = 0}), rs::OptionError);
}
