// SPDX-License-Identifier: MIT
/// \file
/// The last stage: trees for each column, on pairs of a training row and the generated latent code that it
/// was matched with.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/team.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/forest/code_trees.hpp>
#include <rowsmith/models/tree_heads.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN
namespace detail {

/// The levels of a column's tuples as trees see them: values in order, with missing below all; a bin is told
/// apart into up to 8 parts.
inline forest::CodeFeature level_feature(const TableEncoder& encoder, std::size_t stretch,
                                         std::vector<std::uint32_t>& level_of) {
  const auto& layout = encoder.layout();
  const auto& codec = encoder.codecs()[layout[stretch].column];
  const auto view = codec.view();
  const auto codes = layout[stretch].width;
  const auto fine =
      static_cast<std::int32_t>(kernel::fine_codes_behind(layout.data(), layout.size(), stretch));
  level_of.assign(static_cast<std::size_t>(codes) * static_cast<std::size_t>(fine), 0);
  forest::CodeFeature feature;
  constexpr std::int32_t most = 65536; // of a feature
  if (codec.kind == ColumnCodec::Kind::categorical) {
    feature.count = std::min(codes, most);
    for (std::int32_t code = 0; code < codes; ++code) // beyond that many, the last ones look alike
      level_of[static_cast<std::size_t>(code)] = static_cast<std::uint32_t>(std::min(code, most - 1));
    return feature;
  }
  feature.ordered = true;
  constexpr std::int32_t parts = 8;
  const auto points = static_cast<std::int32_t>(codec.points.size());
  const auto part_of = [&](std::int32_t code, std::int32_t k) {
    return fine == 1 ? 0 : std::min(static_cast<std::int32_t>(view.place_of(code, k) * parts), parts - 1);
  };
  std::vector<std::tuple<double, std::int32_t, std::int32_t>> cells; // value, code, part
  for (std::int32_t code = 0; code < codes; ++code) {
    if (codec.has_missing && code == view.missing())
      cells.emplace_back(-std::numeric_limits<double>::infinity(), code, 0);
    else if (code < points)
      cells.emplace_back(codec.points[static_cast<std::size_t>(code)], code, 0);
    else
      for (std::int32_t part = 0; part < (fine == 1 ? 1 : parts); ++part)
        cells.emplace_back(view.value_of(code, fine == 1 ? 0.5 : (part + 0.5) / parts), code, part);
  }
  std::sort(cells.begin(), cells.end());
  std::vector<std::array<std::uint32_t, parts>> levels(static_cast<std::size_t>(codes));
  for (std::size_t i = 0; i < cells.size(); ++i)
    levels[static_cast<std::size_t>(std::get<1>(cells[i]))][static_cast<std::size_t>(std::get<2>(cells[i]))] =
        static_cast<std::uint32_t>(i);
  for (std::int32_t code = 0; code < codes; ++code) {
    const bool whole = code < points || (codec.has_missing && code == view.missing());
    for (std::int32_t k = 0; k < fine; ++k)
      level_of[static_cast<std::size_t>(code) * static_cast<std::size_t>(fine) +
               static_cast<std::size_t>(k)] =
          levels[static_cast<std::size_t>(code)][whole ? 0 : static_cast<std::size_t>(part_of(code, k))];
  }
  feature.count = static_cast<std::int32_t>(cells.size());
  return feature;
}

/// A number of the latent code as levels; `cuts[k]` is the largest number of level k.
inline forest::CodeFeature latent_feature(std::span<const float> latents, std::size_t width,
                                          std::size_t dimension, std::vector<float>& cuts) {
  constexpr std::size_t levels = 32;
  const std::size_t rows = latents.size() / width;
  std::vector<float> sorted(rows);
  for (std::size_t r = 0; r < rows; ++r)
    sorted[r] = latents[r * width + dimension];
  std::sort(sorted.begin(), sorted.end());
  cuts.clear();
  for (std::size_t k = 1; k < levels; ++k)
    if (const float cut = sorted[k * (rows - 1) / levels]; cuts.empty() || cut > cuts.back())
      cuts.push_back(cut);
  forest::CodeFeature feature;
  feature.ordered = true;
  feature.count = static_cast<std::int32_t>(cuts.size()) + 1;
  for (std::size_t r = 0; r < rows; ++r)
    feature.levels.push_back(static_cast<std::uint16_t>(
        std::lower_bound(cuts.begin(), cuts.end(), latents[r * width + dimension]) - cuts.begin()));
  return feature;
}

/// How much two features say about each other.
struct Dependence {
  double nats = 0;   ///< their mutual information, less what as many levels have by chance
  double chance = 0; ///< the standard deviation that it has by chance
};

/// On some 2,000 rows, told apart into up to 16 levels each; of fewer rows, into so few that a pair of levels
/// has five rows on average, below which what they have by chance is not known so simply (Cochran 1954).
inline Dependence dependence(const forest::CodeFeature& a, const forest::CodeFeature& b) {
  constexpr std::size_t room = 16;
  const std::size_t rows = a.levels.size();
  const std::size_t step = std::max<std::size_t>(1, rows / 2000);
  std::size_t most = room;
  while (most > 2 && 5 * most * most > rows)
    --most;
  const auto coarse = [most](const forest::CodeFeature& feature, std::size_t row) {
    const auto count = static_cast<std::size_t>(feature.count);
    return count <= most ? std::size_t{feature.levels[row]} : feature.levels[row] * most / count;
  };
  std::array<std::array<double, room>, room> joint{};
  std::array<double, room> left{};
  std::array<double, room> right{};
  double n = 0;
  for (std::size_t row = 0; row < rows; row += step) {
    const std::size_t i = coarse(a, row);
    const std::size_t j = coarse(b, row);
    ++joint[i][j];
    ++left[i];
    ++right[j];
    ++n;
  }
  double sum = 0;
  double rows_used = 0;
  double columns_used = 0;
  for (std::size_t i = 0; i < most; ++i) {
    rows_used += left[i] > 0 ? 1 : 0;
    columns_used += right[i] > 0 ? 1 : 0;
    for (std::size_t j = 0; j < most; ++j)
      if (joint[i][j] > 0)
        sum += joint[i][j] / n * std::log(joint[i][j] * n / (left[i] * right[j]));
  }
  // Of independent features, 2n times their mutual information is χ² distributed (Wilks 1938), so that its
  // mean is this (Miller 1955).
  const double freedom = (rows_used - 1) * (columns_used - 1);
  return {sum - freedom / (2 * n), std::sqrt(2 * freedom) / (2 * n)};
}

/// How many standard deviations beyond chance a number of the latent code must say something about a column
/// for its trees to split on it: there are hundreds of such pairs.
inline constexpr double least_deviations = 5;

/// Fits the trees of all columns. \throws OptionError for columns that are numbers, not codes
/// \param order  the first code of each column, in the order of drawing
/// \param rows  of the encoded table that are trained on \param latents  rows × width: the code of each of
/// these \param done  called after each column
template <class Done>
TreeNetwork fit_trees(const TableEncoder& encoder, const EncodedTable& encoded,
                      std::span<const std::uint32_t> rows, std::span<const float> latents, std::size_t width,
                      const std::vector<std::int32_t>& order, const TreeOptions& options, std::uint64_t seed,
                      Workers workers, const Done& done) {
  if (encoder.number_columns() > 0)
    throw OptionError("trees.share: trees need every column as codes: set encoding.numerical = "
                      "NumericalEncoding::codes");
  const auto& layout = encoder.layout();
  TreeNetwork network;
  network.latent = static_cast<Index>(width);
  network.smoothing = options.smoothing;
  auto& words = network.words;
  std::vector<std::vector<float>> cuts(width);
  std::vector<forest::CodeFeature> features; // latent numbers, then columns
  for (std::size_t j = 0; j < width; ++j)
    features.push_back(latent_feature(latents, width, j, cuts[j]));
  for (const auto first : order) {
    const auto stretch = static_cast<std::size_t>(first);
    const std::size_t slot = network.columns.size();
    kernel::TreeColumn column;
    column.stretch = stretch;
    const bool fine = stretch + 1 < layout.size() && layout[stretch + 1].fine;
    column.fine_codes = kernel::fine_codes_behind(layout.data(), layout.size(), stretch);
    column.tuples = static_cast<std::uint32_t>(layout[stretch].width) * column.fine_codes;
    std::vector<std::uint32_t> level_of;
    auto feature = level_feature(encoder, stretch, level_of);
    std::vector<std::uint32_t> entries;
    entries.reserve(rows.size());
    for (const auto row : rows)
      entries.push_back(static_cast<std::uint32_t>(encoded.code(row, stretch)) * column.fine_codes +
                        (fine ? static_cast<std::uint32_t>(encoded.code(row, stretch + 1)) : 0));
    for (const auto entry : entries)
      feature.levels.push_back(static_cast<std::uint16_t>(level_of[entry]));

    // Numbers of the latent code that say nothing about the column would only be split on by chance; of many
    // features, those that say most.
    std::vector<double> score(features.size());
    parallel_for(features.size(), workers.threads, [&](std::size_t f) {
      if (f >= width && features.size() <= options.most_features)
        return;
      const auto found = dependence(features[f], feature);
      if (f >= width || found.nats > least_deviations * found.chance)
        score[f] = found.nats;
    });
    std::vector<std::size_t> chosen;
    for (std::size_t f = 0; f < features.size(); ++f)
      if (f >= width || score[f] > 0)
        chosen.push_back(f);
    if (chosen.size() > options.most_features) {
      std::stable_sort(chosen.begin(), chosen.end(),
                       [&](std::size_t f, std::size_t g) { return score[f] > score[g]; });
      chosen.resize(options.most_features);
      std::sort(chosen.begin(), chosen.end());
    }
    std::vector<const forest::CodeFeature*> used;
    used.reserve(chosen.size());
    for (const auto f : chosen)
      used.push_back(&features[f]);
    const bool by_rank = feature.ordered && feature.count > 20;
    const auto target = by_rank ? forest::rank_target(feature, std::move(entries))
                                : forest::class_target(feature, std::move(entries));
    const auto trees = forest::CodeTrees::fit(used, target,
                                              {.trees = options.trees,
                                               .min_leaf = options.min_leaf,
                                               .share = options.share_of_rows,
                                               .most_rows = options.most_rows,
                                               .seed = seed + 1000 * slot},
                                              workers, slot * options.trees);

    const auto put = [&words](std::uint32_t word) { words.push_back(word); };
    column.level_count = static_cast<std::uint32_t>(feature.count);
    column.levels = words.size();
    for (const auto level : level_of)
      put(level);
    column.margin = words.size();
    // Half a row for each tuple, so that none is impossible: also what only rows held out have.
    std::vector<double> margin(column.tuples, 0.5);
    for (const auto entry : target.entries)
      ++margin[entry];
    const double all = static_cast<double>(rows.size()) + 0.5 * static_cast<double>(column.tuples);
    double so_far = 0;
    for (std::uint32_t i = 0; i < column.tuples; ++i) {
      so_far += margin[i] / all;
      put(i + 1 == column.tuples ? std::numeric_limits<std::uint32_t>::max()
                                 : static_cast<std::uint32_t>(std::min(so_far, 1.0) * 4294967295.0));
    }
    column.trees = static_cast<std::uint32_t>(trees.trees());
    column.roots = words.size();
    for (const auto root : trees.roots())
      put(root);
    column.orders = words.size();
    words.resize(words.size() + slot);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i] < width || trees.orders()[i].empty())
        continue;
      words[column.orders + chosen[i] - width] = static_cast<std::uint32_t>(words.size() + 1);
      for (const auto place : trees.orders()[i])
        put(place);
    }
    // Leaves as counts of what their entries are.
    std::vector<std::uint32_t> counted;
    column.node_count = static_cast<std::uint32_t>(trees.nodes().size());
    column.nodes = words.size();
    for (const auto& node : trees.nodes()) {
      if (node.feature < 0) {
        const auto at = static_cast<std::uint32_t>(counted.size() / 2);
        for (std::uint32_t k = 0; k < node.count; ++k) {
          const std::uint32_t entry = trees.entries()[node.next + k];
          if (k == 0 || counted[counted.size() - 2] != entry) {
            counted.push_back(entry);
            counted.push_back(k);
          }
          counted.back() = k + 1;
        }
        put(0);
        put(0);
        put(at);
        put(static_cast<std::uint32_t>(counted.size() / 2) - at);
        continue;
      }
      const std::size_t f = chosen[static_cast<std::size_t>(node.feature)];
      put(static_cast<std::uint32_t>(f + 1));
      put(f < width ? std::bit_cast<std::uint32_t>(cuts[f][node.threshold]) : node.threshold);
      put(node.next);
      put(0);
    }
    column.entry_count = static_cast<std::uint32_t>(counted.size() / 2);
    column.entries = words.size();
    words.insert(words.end(), counted.begin(), counted.end());
    if (words.size() >= std::numeric_limits<std::uint32_t>::max())
      throw ShapeError("trees: more than 2^32 - 1 words; fewer trees or rows are needed");
    network.columns.push_back(column);
    features.push_back(std::move(feature));
    done();
  }
  return network;
}

} // namespace detail
ROWSMITH_END
