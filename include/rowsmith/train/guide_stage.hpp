// SPDX-License-Identifier: MIT
/// \file
/// The last stage: boosted trees learn to tell the model's rows from the table's, and which are drawn again.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/team.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/forest/gradient_boosting.hpp>
#include <rowsmith/models/row_guide.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/train/options.hpp>
#include <rowsmith/train/tree_stage.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Rows of codes, rows × stretches.
struct CodeRows {
  std::vector<std::int32_t> codes;
  std::size_t stretches = 0;

  std::size_t rows() const noexcept { return codes.size() / stretches; }
  const std::int32_t* operator[](std::size_t row) const noexcept { return codes.data() + row * stretches; }
};
/// At most so many of a table's rows, evenly from all of them.
inline CodeRows code_rows(const EncodedTable& table, std::span<const std::uint32_t> rows, std::size_t most) {
  CodeRows result{{}, table.code_columns()};
  const std::size_t count = std::min(rows.size(), most);
  result.codes.reserve(count * result.stretches);
  for (std::size_t k = 0; k < count; ++k)
    for (std::size_t h = 0; h < result.stretches; ++h)
      result.codes.push_back(table.code(rows[k * rows.size() / count], h));
  return result;
}

struct FittedGuide {
  RowGuide guide;  ///< empty if it would gain next to nothing
  double told = 0; ///< by how much rows held out and generated ones are told apart, in nats a row; ≥ 0
};

/// Rows of a model that its guide is fitted with.
struct GuideRows {
  CodeRows made;   ///< to learn from
  CodeRows others; ///< to judge by
};
/// \param workers  of a team, each member draws a part of the rows
inline GuideRows draw_guide_rows(const TableModel& model, std::size_t real, std::size_t held_out,
                                 std::uint64_t seed, Workers workers) {
  const auto draw = [&](std::size_t first, std::size_t rows) {
    constexpr std::size_t block = 256; // as rows are drawn in
    CodeRows result{{}, model.columns().stretches};
    const auto own = workers.own_part(rows, block);
    result.codes = model.sample_codes(
        own.size(),
        {.seed = seed, .first_row = RowGuide::first_row + first + own.begin, .threads = workers.threads});
    if (workers.team != nullptr) {
      std::vector<std::int32_t> all(rows * result.stretches);
      std::copy(result.codes.begin(), result.codes.end(),
                all.begin() + static_cast<std::ptrdiff_t>(own.begin * result.stretches));
      workers.share_parts(all.data(), rows, result.stretches, block);
      result.codes = std::move(all);
    }
    return result;
  };
  // Generated rows cost nothing, so that there are enough for a steady choice.
  return {draw(0, real), draw(real, std::clamp<std::size_t>(4 * held_out, 4'000, 20'000))};
}

/// Fits a guide step by step.
class GuideFitter {
public:
  GuideFitter(const TableModel& model, const GuideOptions& options, std::uint64_t seed, int threads)
      : model_(model), options_(options), seed_(seed), threads_(threads) {
    guide_.largest_odds = options.largest_odds;
    guide_.tries = static_cast<std::uint32_t>(options.tries);
  }

  /// \param real  rows to learn from \param held_out  rows that say after how many trees it is enough
  /// \param drawn  rows of the model
  /// \returns an empty guide if the trees find nothing that holds for the rows held out as well
  FittedGuide fit(const CodeRows& real, const CodeRows& held_out, const GuideRows& drawn) {
    const auto& [made, others] = drawn;
    const auto binned = binned_rows(real, made);
    std::vector<std::uint16_t> labels(real.rows(), 1);
    labels.resize(real.rows() + made.rows(), 0);
    std::vector<std::uint32_t> rows(labels.size());
    std::iota(rows.begin(), rows.end(), 0U);
    GradientBoostingOptions boosting;
    boosting.rounds = options_.rounds;
    boosting.learning_rate = options_.learning_rate;
    boosting.max_depth = options_.max_depth;
    boosting.seed = seed_;
    boosting.threads = threads_;
    take(GradientBoosting::fit_binned(binned, rows, labels, 2, boosting).trees());
    const auto [trees, told] = best_count(held_out, others);
    if (told < options_.min_gain)
      return {{}, told};
    keep(trees);
    measure_acceptance(others);
    return {std::move(guide_), told};
  }

private:
  /// The columns, with at most 255 levels each that hold about as many rows, as trees are fitted to them.
  forest::BinnedMatrix binned_rows(const CodeRows& real, const CodeRows& made) {
    const auto& layout = model_.encoder().layout();
    forest::BinnedMatrix binned;
    binned.rows = real.rows() + made.rows();
    for (std::size_t h = 0; h < layout.size(); ++h) {
      if (layout[h].fine)
        continue;
      kernel::GuideColumn column;
      column.stretch = h;
      column.fine_codes = kernel::fine_codes_behind(layout.data(), layout.size(), h);
      column.tuples = static_cast<std::uint32_t>(layout[h].width) * column.fine_codes;
      column.levels = guide_.words.size();
      std::vector<std::uint32_t> level_of;
      const auto feature = level_feature(model_.encoder(), h, level_of);
      const auto each_tuple = [&](const auto& visit) {
        for (const auto* part : {&real, &made})
          for (std::size_t row = 0; row < part->rows(); ++row)
            visit(std::size_t{kernel::tuple_of((*part)[row], h, column.fine_codes)});
      };
      std::vector<std::size_t> counts(static_cast<std::size_t>(feature.count));
      each_tuple([&](std::size_t tuple) { ++counts[level_of[tuple]]; });
      // Bin 0 would stand for missing values, which are a level like others here.
      constexpr std::size_t most = 255;
      std::vector<std::uint32_t> bin_of(counts.size(), 1);
      std::size_t before = 0;
      for (std::size_t level = 0; level < counts.size(); ++level) {
        bin_of[level] =
            static_cast<std::uint32_t>(counts.size() <= most ? level + 1 : 1 + before * most / binned.rows);
        before += counts[level];
      }
      for (const auto level : level_of)
        guide_.words.push_back(std::min<std::uint32_t>(bin_of[level], most));
      auto& bins = binned.columns.emplace_back();
      bins.reserve(binned.rows);
      each_tuple([&](std::size_t tuple) {
        bins.push_back(static_cast<std::uint16_t>(guide_.words[column.levels + tuple]));
      });
      guide_.columns.push_back(column);
    }
    return binned;
  }
  /// Lays the trees out as the kernel walks them.
  void take(const forest::BoostedTrees& trees) {
    guide_.trees = static_cast<std::uint32_t>(trees.trees().size());
    guide_.node_count = static_cast<std::uint32_t>(trees.nodes().size());
    guide_.roots = guide_.words.size();
    for (const auto& tree : trees.trees())
      guide_.words.push_back(static_cast<std::uint32_t>(tree.root));
    guide_.nodes = guide_.words.size();
    const auto& all = trees.trees();
    for (std::size_t t = 0; t < all.size(); ++t) {
      const std::size_t end = t + 1 < all.size() ? all[t + 1].root : trees.nodes().size();
      for (std::size_t i = all[t].root; i < end; ++i) {
        const auto& node = trees.nodes()[i];
        const bool leaf = node.feature < 0;
        guide_.words.push_back(leaf ? 0 : static_cast<std::uint32_t>(node.feature) + 1);
        guide_.words.push_back(leaf ? std::bit_cast<std::uint32_t>(node.value) : node.threshold);
        guide_.words.push_back(leaf ? 0 : static_cast<std::uint32_t>(all[t].root) + node.left);
      }
    }
  }
  struct Best {
    std::uint32_t trees;
    double told;
  };
  /// After how many trees the rows held out are told from other generated ones best, by cross-entropy.
  Best best_count(const CodeRows& real, const CodeRows& made) const {
    const auto view = guide_.view();
    std::vector<double> losses(guide_.trees + std::size_t{1});
    for (const bool is_real : {true, false}) {
      const CodeRows& rows = is_real ? real : made;
      std::vector<double> odds(rows.rows());
      for (std::uint32_t trees = 0; trees <= guide_.trees; ++trees) {
        double sum = 0;
        for (std::size_t row = 0; row < rows.rows(); ++row) {
          if (trees > 0)
            odds[row] += view.log_odds(rows[row], trees - 1, trees);
          sum += std::log1p(std::exp(is_real ? -odds[row] : odds[row]));
        }
        losses[trees] += sum / static_cast<double>(rows.rows());
      }
    }
    const auto best = std::min_element(losses.begin(), losses.end());
    // The mean of both kinds of rows: by chance, log 2.
    return {static_cast<std::uint32_t>(best - losses.begin()), (losses.front() - *best) / 2};
  }
  /// Leaves the trees behind the first ones out.
  void keep(std::uint32_t trees) {
    if (trees == guide_.trees)
      return;
    guide_.node_count = guide_.words[guide_.roots + trees];
    guide_.trees = trees;
    guide_.words.resize(guide_.nodes + 3 * std::size_t{guide_.node_count});
  }
  void measure_acceptance(const CodeRows& made) {
    const auto view = guide_.view();
    const auto label = model_.columns().label;
    const std::size_t labels = std::max<std::size_t>(model_.labels().size(), 1);
    std::vector<double> sums(labels);
    std::vector<double> counts(labels);
    double all = 0;
    for (std::size_t row = 0; row < made.rows(); ++row) {
      const double share = view.acceptance(made[row]);
      all += share / static_cast<double>(made.rows());
      // Argmax may write a category that no label stands for.
      const auto k = labels == 1 ? std::size_t{0} : static_cast<std::size_t>(made[row][label]);
      if (k >= labels)
        continue;
      sums[k] += share;
      ++counts[k];
    }
    for (std::size_t k = 0; k < labels; ++k) // one row of all labels' for those that are too rare to tell
      guide_.accepted.push_back((sums[k] + all) / (counts[k] + 1));
  }

  const TableModel& model_;
  const GuideOptions& options_;
  std::uint64_t seed_;
  int threads_;
  RowGuide guide_;
};

/// The owner's guide, to everybody.
inline void share_guide(const Team& team, FittedGuide& fitted, int owner) {
  auto& guide = fitted.guide;
  team.share_list(guide.columns, owner);
  team.share_list(guide.words, owner);
  team.share_value(guide.trees, owner);
  team.share_value(guide.node_count, owner);
  team.share_value(guide.roots, owner);
  team.share_value(guide.nodes, owner);
  team.share_value(guide.largest_odds, owner);
  team.share_value(guide.tries, owner);
  team.share_list(guide.accepted, owner);
  team.share_value(fitted.told, owner);
}

/// The guide of each model. The members of a team draw the rows together; then they fit guides in turns.
/// \param rows, held_out  of the encoded table, all of whose columns are codes \param done  called for each
template <class Done>
std::vector<FittedGuide> fit_guides(std::span<const TableModel> models, const EncodedTable& encoded,
                                    std::span<const std::uint32_t> rows,
                                    std::span<const std::uint32_t> held_out, const GuideOptions& options,
                                    std::uint64_t seed, Workers workers, const Done& done) {
  const auto real = code_rows(encoded, rows, options.most_rows);
  const auto judging = code_rows(encoded, held_out, options.most_rows);
  std::vector<FittedGuide> guides(models.size());
  std::vector<GuideRows> drawn(models.size());
  const auto fit = [&](std::size_t m) {
    guides[m] = GuideFitter(models[m], options, seed, workers.threads).fit(real, judging, drawn[m]);
    drawn[m] = {};
  };
  for (std::size_t m = 0; m < models.size(); ++m) {
    drawn[m] = draw_guide_rows(models[m], real.rows(), judging.rows(), seed, workers);
    if (workers.team == nullptr) {
      fit(m);
      done();
    } else if (!workers.owns(m)) {
      drawn[m] = {};
    }
  }
  if (workers.team == nullptr)
    return guides;
  for (std::size_t m = 0; m < models.size(); ++m)
    if (workers.owns(m))
      fit(m);
  for (std::size_t m = 0; m < models.size(); ++m) {
    share_guide(*workers.team, guides[m], workers.owner(m));
    done();
  }
  return guides;
}

/// That of one model.
inline FittedGuide fit_guide(const TableModel& model, const EncodedTable& encoded,
                             std::span<const std::uint32_t> rows, std::span<const std::uint32_t> held_out,
                             const GuideOptions& options, std::uint64_t seed, int threads) {
  return std::move(fit_guides({&model, 1}, encoded, rows, held_out, options, seed, threads, [] {}).front());
}

} // namespace detail
ROWSMITH_END
