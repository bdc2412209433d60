// SPDX-License-Identifier: MIT
/// \file
/// Completes partial rows: draws the cells that are missing, given those that are there.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/models/condition_rules.hpp>
#include <rowsmith/models/partial_rows.hpp>
#include <rowsmith/models/pinned_row.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/prepare/lookup_column.hpp>

ROWSMITH_BEGIN

/// What a missing cell is filled with.
enum class Fill {
  draw,  ///< a draw: rows are distributed as the model's that have the other cells (Rubin's imputation)
  expect ///< the mean of what would be drawn, or its most frequent category: the single best guess, which
         ///< varies less than real cells do
};

struct ImputeOptions {
  std::uint64_t seed = 0; ///< row i depends on the model, the seed, the row's cells and its number only
  Fill fill = Fill::draw;
  /// Candidates of a row that count (Kish's measure) and are enough: a draw is made from so many, a mean from
  /// four times as many; [1, 16384].
  std::size_t effective = 32;
  std::size_t candidates = 4096; ///< of a row, at most; [1, 65536]
  std::uint64_t first_row = 0;   ///< number of the first row
  int threads = 0;               ///< 0: all; never changes the result
  ProgressCallback progress{};   ///< told of blocks of rows; cannot stop it
  /// Cells that are missing are what they are: only columns that the table does not have are drawn.
  bool keep_missing = false;

  /// \throws OptionError
  void check() const {
    check_option("impute.effective", static_cast<double>(effective), OptionRange{1, 16384});
    check_option("impute.candidates", static_cast<double>(candidates), OptionRange{1, 65536});
  }
};

/// What `impute` made.
struct Imputation {
  /// The model's columns, rows as they were given; cells that were there are unchanged.
  Table table{};
  std::size_t filled = 0; ///< cells
  /// Cells whose category the model does not know, and infinite ones: they are kept, and nothing is concluded
  /// from them.
  std::size_t unknown = 0;
  /// Cells that stay missing, because the model's relations have them missing in such rows.
  std::size_t left_missing = 0;
  /// Rows of which fewer than `Support::least_effective` candidates count: theirs are the best cells that
  /// were found. Ascending.
  std::vector<std::size_t> unsure{};
  /// Rows whose given cells contradict each other by a relation that the model keeps, or all candidates that
  /// were found. Ascending.
  std::vector<std::size_t> broken{};
};

namespace detail {

/// What became of a row.
struct FilledRow {
  std::size_t filled = 0;
  std::size_t unknown = 0;
  std::size_t left_missing = 0;
  bool unsure = false;
  bool broken = false;
};

/// Fills rows one by one; one per thread.
class RowFiller {
public:
  RowFiller(const TableModel& model, const ImputeOptions& options, const PinnedRow& nothing_pinned,
            const PartialRows& rows)
      : model_(&model), options_(&options), pinned_(nothing_pinned), known_(model.preparation().slots()),
        excused_(known_.size()), fixed_(known_.size()), decimals_(known_.size(), -1), numbers_(known_.size()),
        codes_(known_.size()), tried_numbers_(known_.size()), tried_codes_(known_.size()),
        encoded_(model.columns().stretches) {
    for (std::size_t column = 0; column < model.schema().size(); ++column)
      plain_.push_back(model.preparation().is_plain(column));
    for (std::size_t column = 0; column < rows.size(); ++column)
      decimals_[column] = rows.decimals(column);
  }

  FilledRow fill(PartialRows& rows, std::size_t row) {
    FilledRow told;
    bool any = false;
    for (std::size_t c = 0; c < rows.size(); ++c)
      any = any || open(rows, c, row);
    told.unknown = read(rows, row);
    std::fill(excused_.begin(), excused_.end(), false);
    for (const std::size_t slot :
         model_->preparation().forward_known({numbers_.data(), codes_.data()}, known_, decimals_)) {
      excused_[slot] = true;
      told.broken = true;
    }
    if (!any)
      return told;
    restrict(rows);
    bool made = open_.empty(); // all that is drawn is known, and the rest follows
    if (!made) {
      draw(rows, row);
      const std::size_t best = best_class();
      const auto weights = weights_of(best);
      told.broken = told.broken || best >= contradiction;
      told.unsure = effective(weights) < Support::least_effective;
      made = !weights_.empty() && best < impossible;
      if (made && options_->fill == Fill::draw)
        take(chosen(weights));
      else if (made)
        expect(rows, row, weights, best);
    }
    if (made)
      assemble();
    for (std::size_t c = 0; c < rows.size(); ++c) {
      if (!open(rows, c, row))
        continue;
      // What known cells give is there even if nothing else is.
      if (known_[c])
        rows.set(c, row, {numbers_.data(), codes_.data()});
      else if (made)
        rows.set(c, row, {tried_numbers_.data(), tried_codes_.data()});
      told.filled += rows.is_missing(c, row) ? 0U : 1U;
      told.left_missing += made && rows.has(c) && rows.is_missing(c, row) ? 1U : 0U;
    }
    return told;
  }

private:
  static constexpr double infinite = std::numeric_limits<double>::infinity();
  // Classes of candidates: the number of cells that should be there and are not, or worse.
  static constexpr std::size_t contradiction = std::size_t{1} << 32U; ///< and cells that are not as given
  static constexpr std::size_t impossible = std::size_t{1} << 40U;    ///< a weight of 0

  /// Whether a cell of the user's columns is to be drawn.
  bool open(const PartialRows& rows, std::size_t column, std::size_t row) const {
    return rows.is_missing(column, row) && !(options_->keep_missing && rows.has(column));
  }
  /// The user's cells by slot. \returns how many say nothing to the model
  std::size_t read(const PartialRows& rows, std::size_t row) {
    std::fill(known_.begin(), known_.end(), false);
    std::fill(numbers_.begin(), numbers_.end(), std::numeric_limits<double>::quiet_NaN());
    std::fill(codes_.begin(), codes_.end(), missing_code);
    given_.clear();
    std::size_t unknown = 0;
    for (std::size_t c = 0; c < rows.size(); ++c) {
      if (open(rows, c, row))
        continue;
      if (rows.is_missing(c, row) || rows.known(c, row)) {
        numbers_[c] = rows.numerical(c) ? rows.number(c, row) : numbers_[c];
        codes_[c] = rows.numerical(c) ? codes_[c] : rows.code(c, row);
      } else if (const auto* codec = plain_[c] ? codec_of(c) : nullptr;
                 codec != nullptr && codec->has_other) {
        codes_[c] = codec->categories; // what the model calls "other"
      } else {
        ++unknown;
        continue;
      }
      known_[c] = true;
      given_.push_back(c);
    }
    return unknown;
  }
  const kernel::Codec* codec_of(std::size_t slot) const {
    const auto& slots = model_->preparation().model_slots();
    const auto found = std::find(slots.begin(), slots.end(), slot);
    return found == slots.end() ? nullptr : model_->columns().codecs + (found - slots.begin());
  }
  /// Pins what is known of the model's columns.
  void restrict(const PartialRows& rows) {
    const auto& columns = model_->columns();
    const auto& slots = model_->preparation().model_slots();
    pinned_.clear();
    open_.clear();
    label_ = -1;
    for (std::size_t h = 0; h < columns.stretches; ++h) {
      const auto& stretch = columns.layout[h];
      if (stretch.fine)
        continue;
      const std::size_t slot = slots[stretch.column];
      const bool is_label = static_cast<std::ptrdiff_t>(h) == columns.label;
      bool codes = known_[slot];
      for (std::size_t k = h; codes && (k == h || (k < columns.stretches && columns.layout[k].fine)); ++k)
        codes = kernel::encode_stretch(columns, k, numbers_[slot], codes_[slot], encoded_.data(), nullptr);
      const bool wanted = slot < rows.size() && rows.has(slot) && !options_->keep_missing;
      // A label is told to the generator.
      if (codes && is_label && static_cast<std::size_t>(encoded_[h]) < model_->labels().size())
        label_ = encoded_[h];
      else if (codes && !is_label)
        pinned_.pin(h, encoded_.data());
      else if (!known_[slot] && !is_label && !allow_keys(h, slot, wanted) && wanted)
        pinned_.require_present(h);
      if (!known_[slot])
        open_.push_back(stretch.column);
    }
  }
  /// Where a column that is looked up is known, and its key is not: allows the keys that give it. \returns
  /// whether there is such a column
  bool allow_keys(std::size_t stretch, std::size_t slot, bool present) {
    const auto& preparation = model_->preparation();
    const auto& columns = model_->columns();
    const auto& codec = columns.codecs[columns.layout[stretch].column];
    if (codec.groups > 0)
      return false; // a code is of several keys
    std::vector<bool> allowed;
    for (const auto& transform : preparation.transforms()) {
      const auto* lookup = std::get_if<LookupColumn>(&transform);
      if (lookup == nullptr || lookup->key != slot || !known_[lookup->column] || excused_[lookup->column])
        continue;
      allowed.resize(static_cast<std::size_t>(columns.layout[stretch].width), true);
      const RowCells cells{numbers_.data(), codes_.data()};
      for (std::int32_t code = 0; code < columns.layout[stretch].width; ++code) {
        const bool missing = codec.has_missing && code == codec.missing();
        const bool categorical = codec.kind == kernel::CodecKind::categorical;
        if (!missing && !categorical && static_cast<std::size_t>(code) >= codec.point_count)
          continue; // a bin may hold several keys
        codes_[slot] = missing || !categorical ? missing_code : code;
        numbers_[slot] =
            missing || categorical ? std::numeric_limits<double>::quiet_NaN() : codec.value_of(code, 0.5);
        const auto k = static_cast<std::size_t>(code);
        allowed[k] = allowed[k] && !(missing && present) && lookup->forward(cells, 0);
      }
      codes_[slot] = missing_code;
      numbers_[slot] = std::numeric_limits<double>::quiet_NaN();
    }
    if (std::find(allowed.begin(), allowed.end(), true) == allowed.end())
      return false;
    pinned_.allow(stretch, allowed);
    return true;
  }
  /// Draws candidates until enough of them count.
  void draw(const PartialRows& rows, std::size_t row) {
    weights_.clear();
    classes_.clear();
    drawn_numbers_.clear();
    drawn_codes_.clear();
    const auto random = RandomStream(options_->seed, Purpose::impute).block(options_->first_row + row);
    row_seed_ = (std::uint64_t{random[0]} << 32U) | random[1];
    const auto& slots = model_->preparation().model_slots();
    const RowCells tried{tried_numbers_.data(), tried_codes_.data()};
    const std::size_t enough = options_->fill == Fill::expect ? 4 * options_->effective : options_->effective;
    while (weights_.size() < options_->candidates) {
      const std::size_t next = std::min({std::max<std::size_t>(weights_.size(), 128), std::size_t{256},
                                         options_->candidates - weights_.size()});
      labels_.clear();
      for (std::size_t i = 0; i < (model_->conditional() ? next : 0); ++i)
        labels_.push_back(label_ >= 0 ? label_
                                      : static_cast<std::int32_t>(kernel::draw_label(
                                            model_->parts().label_shares.data(), model_->labels().size(),
                                            row_seed_, weights_.size() + i)));
      model_->draw_within(
          row_seed_, {weights_.size()}, static_cast<Index>(next), labels_, pinned_.view(), scratch_,
          [&](Index, const std::int32_t* codes, const float* outputs, const kernel::Draw& draw) {
            const double weight = log_weight(model_->parts().guide, codes, draw);
            model_->set_model_cells(codes, outputs, draw, tried);
            weights_.push_back(std::isnan(weight) ? -infinite : weight);
            classes_.push_back(weights_.back() > -infinite ? class_of(rows, row) : impossible);
            for (const std::size_t column : open_) {
              drawn_numbers_.push_back(tried.numbers[slots[column]]);
              drawn_codes_.push_back(tried.codes[slots[column]]);
            }
          });
      const std::size_t best = best_class();
      // Something better may come, if it is not too rare.
      if (best < impossible && effective(weights_of(best)) >= static_cast<double>(enough) &&
          (best == 0 || 4 * weights_.size() >= options_->candidates))
        break;
    }
  }
  /// How well the row that was tried, of which the model's cells are set, keeps what is given; makes it
  /// whole.
  std::size_t class_of(const PartialRows& rows, std::size_t row) {
    const auto& preparation = model_->preparation();
    if (preparation.transforms().empty())
      return 0;
    make_whole();
    for (const std::size_t c : given_)
      if (!plain_[c] && !excused_[c] &&
          !(rows.numerical(c) ? alike(tried_numbers_[c], numbers_[c]) : tried_codes_[c] == codes_[c]))
        return contradiction;
    for (const std::size_t column : open_)
      if (model_->columns().codecs[column].excess(tried_numbers_[preparation.model_slots()[column]]) > 0)
        return contradiction;
    std::size_t lacking = 0;
    for (std::size_t c = 0; c < rows.size(); ++c)
      lacking += !plain_[c] && !known_[c] && rows.has(c) && open(rows, c, row) &&
                         (rows.numerical(c) ? std::isnan(tried_numbers_[c]) : tried_codes_[c] == missing_code)
                     ? 1U
                     : 0U;
    return lacking;
  }
  void make_whole() {
    for (std::size_t slot = 0; slot < known_.size(); ++slot)
      if (known_[slot]) {
        tried_numbers_[slot] = numbers_[slot];
        tried_codes_[slot] = codes_[slot];
      }
    fixed_ = known_;
    model_->preparation().backward_known({tried_numbers_.data(), tried_codes_.data()}, fixed_, decimals_);
  }
  /// The whole row from the known cells and the open ones that were taken.
  void assemble() {
    std::copy(numbers_.begin(), numbers_.end(), tried_numbers_.begin());
    std::copy(codes_.begin(), codes_.end(), tried_codes_.begin());
    make_whole();
  }
  static bool alike(double a, double b) noexcept {
    return a == b || (std::isnan(a) && std::isnan(b)) ||
           std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
  }
  std::size_t best_class() const {
    return classes_.empty() ? impossible : *std::min_element(classes_.begin(), classes_.end());
  }
  /// By candidate: the logarithm of its weight among those of a class; −∞ of others.
  std::vector<double> weights_of(std::size_t wanted) const {
    auto weights = weights_;
    for (std::size_t k = 0; k < weights.size(); ++k)
      if (classes_[k] != wanted)
        weights[k] = -infinite;
    return weights;
  }
  static double effective(const std::vector<double>& weights) {
    const double largest = weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
    double sum = 0;
    double squares = 0;
    for (const double weight : weights)
      if (const double relative = std::exp(weight - largest); relative > 0) { // not NaN, where all are −∞
        sum += relative;
        squares += relative * relative;
      }
    return squares > 0 ? sum * sum / squares : 0;
  }

  /// The first candidate to arrive, where each takes a time of its own, exponential at the rate of its
  /// weight. Rows of one number whose known cells differ more often take the same one than they would by
  /// running sums (the Gumbel-max coupling: Oberst & Sontag, "Counterfactual off-policy evaluation with
  /// Gumbel-max structural causal models", ICML 2019).
  std::size_t chosen(const std::vector<double>& weights) const {
    const RandomStream times(row_seed_, Purpose::acceptance);
    std::size_t chosen = 0;
    double first = infinite;
    for (std::size_t k = 0; k < weights.size(); ++k)
      if (weights[k] > -infinite)
        if (const double time = std::log(-std::log(times.uniform(k))) - weights[k]; time < first) {
          first = time;
          chosen = k;
        }
    return chosen;
  }
  /// Takes the open columns' cells of one candidate.
  void take(std::size_t candidate) {
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const std::size_t slot = model_->preparation().model_slots()[open_[i]];
      numbers_[slot] = drawn_numbers_[candidate * open_.size() + i];
      codes_[slot] = drawn_codes_[candidate * open_.size() + i];
    }
  }
  /// Takes the mean or the most frequent category of each open column; where these together keep less than
  /// candidates do, the candidate that is nearest to them.
  void expect(const PartialRows& rows, std::size_t row, const std::vector<double>& weights,
              std::size_t best) {
    const double largest = *std::max_element(weights.begin(), weights.end());
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const std::size_t slot = model_->preparation().model_slots()[open_[i]];
      const auto& codec = model_->columns().codecs[open_[i]];
      const bool numerical = codec.kind != kernel::CodecKind::categorical;
      votes_.assign(static_cast<std::size_t>(codec.categories) + 2, 0);
      double sum = 0;
      double present = 0;
      double missing = 0;
      for (std::size_t k = 0; k < weights.size(); ++k) {
        const double share = std::exp(weights[k] - largest);
        const double number = drawn_numbers_[k * open_.size() + i];
        const std::int32_t code = drawn_codes_[k * open_.size() + i];
        if (!(share > 0))
          continue;
        if (numerical ? std::isnan(number) : code < 0) {
          missing += share;
          continue;
        }
        present += share;
        if (numerical)
          sum += share * number;
        else
          votes_[static_cast<std::size_t>(code)] += share;
      }
      numbers_[slot] = std::numeric_limits<double>::quiet_NaN();
      codes_[slot] = missing_code;
      if (missing > present)
        continue;
      if (numerical)
        numbers_[slot] = codec.finish(sum / present);
      else
        codes_[slot] =
            static_cast<std::int32_t>(std::max_element(votes_.begin(), votes_.end()) - votes_.begin());
    }
    if (model_->preparation().transforms().empty())
      return;
    std::copy(numbers_.begin(), numbers_.end(), tried_numbers_.begin());
    std::copy(codes_.begin(), codes_.end(), tried_codes_.begin());
    if (class_of(rows, row) <= best)
      return;
    std::size_t nearest = 0;
    double least = infinite;
    for (std::size_t k = 0; k < weights.size(); ++k)
      if (weights[k] > -infinite)
        if (const double distance = distance_of(k); distance < least) {
          least = distance;
          nearest = k;
        }
    take(nearest);
  }
  /// How far a candidate's open cells are from those that were taken: Gower's distance.
  double distance_of(std::size_t candidate) const {
    double sum = 0;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const std::size_t slot = model_->preparation().model_slots()[open_[i]];
      const auto& codec = model_->columns().codecs[open_[i]];
      const double number = drawn_numbers_[candidate * open_.size() + i];
      if (codec.kind == kernel::CodecKind::categorical)
        sum += drawn_codes_[candidate * open_.size() + i] == codes_[slot] ? 0 : 1;
      else if (std::isnan(number) || std::isnan(numbers_[slot]))
        sum += std::isnan(number) == std::isnan(numbers_[slot]) ? 0 : 1;
      else
        sum += std::abs(number - numbers_[slot]) / std::max(codec.maximum - codec.minimum, 1e-300);
    }
    return sum;
  }

  const TableModel* model_;
  const ImputeOptions* options_;
  PinnedRow pinned_;
  std::vector<bool> plain_;   ///< by column of the user's
  std::vector<bool> known_;   ///< by slot
  std::vector<bool> excused_; ///< by slot: given cells that contradict others
  std::vector<bool> fixed_;
  std::vector<int> decimals_; ///< by slot, of the user's columns
  std::vector<double> numbers_;
  std::vector<std::int32_t> codes_;
  std::vector<double> tried_numbers_; ///< of a candidate, by slot
  std::vector<std::int32_t> tried_codes_;
  std::vector<std::int32_t> encoded_; ///< by stretch
  std::vector<std::size_t> given_;    ///< columns of the user's
  std::vector<std::size_t> open_;     ///< columns of the model's that are drawn
  std::int32_t label_ = -1;
  std::vector<std::int32_t> labels_;
  std::uint64_t row_seed_ = 0;
  std::vector<double> weights_;       ///< by candidate: the logarithm
  std::vector<std::size_t> classes_;  ///< by candidate
  std::vector<double> drawn_numbers_; ///< candidates × open columns
  std::vector<std::int32_t> drawn_codes_;
  std::vector<double> votes_;
  InferenceScratch scratch_;
};

} // namespace detail

/// Completes partial rows: fills the missing cells of `given`, each row's together, as the model has them in
/// rows with the other cells. Columns of the model that the table does not have are drawn as the model has
/// them, missing cells among them.
///
/// Cells that are there are the only ones that are allowed; a row is chosen from candidates by how probable
/// their cells are there (importance, as with conditions). Columns that the preparation computes are
/// computed, or held to what is there. \throws SchemaError for a column that the model does not have, or of
/// another kind \throws OptionError for a model whose heads are no distribution column by column: squared
/// errors, argmax or joint heads
inline Imputation impute(const TableModel& model, const Table& given, const ImputeOptions& options = {}) {
  options.check();
  if (!model.is_distribution() || std::holds_alternative<JointCodes>(model.heads()))
    throw OptionError(
        "impute: the model's heads are no distribution column by column (squared errors, argmax or "
        "joint heads); train one with the default recipe");
  detail::PartialRows rows(model, given);
  const detail::PinnedRow nothing_pinned(model);
  std::vector<detail::FilledRow> told(rows.rows());
  constexpr std::size_t block = 16;   // of one thread
  constexpr std::size_t round = 1024; // between two reports
  RoundProgress progress(options.progress, "imputation", (rows.rows() + round - 1) / round);
  for (std::size_t first = 0; first < rows.rows(); first += round) {
    const std::size_t behind = std::min(first + round, rows.rows());
    parallel_for((behind - first + block - 1) / block, resolve_threads(options.threads), [&](std::size_t b) {
      detail::RowFiller filler(model, options, nothing_pinned, rows);
      for (std::size_t row = first + b * block; row < std::min(first + (b + 1) * block, behind); ++row)
        told[row] = filler.fill(rows, row);
    });
    progress.done();
  }
  Imputation result;
  for (std::size_t row = 0; row < told.size(); ++row) {
    result.filled += told[row].filled;
    result.unknown += told[row].unknown;
    result.left_missing += told[row].left_missing;
    if (told[row].unsure)
      result.unsure.push_back(row);
    if (told[row].broken)
      result.broken.push_back(row);
  }
  result.table = std::move(rows).take(model.schema().label());
  return result;
}

ROWSMITH_END
