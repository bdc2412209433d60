// SPDX-License-Identifier: MIT
/// \file
/// Conditions as heads draw within them, and as rows are held to them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/kernel/restriction.hpp>
#include <rowsmith/models/conditions.hpp>
#include <rowsmith/models/table_model_parts.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN
namespace detail {

/// What the cells of a column may be.
class CellSet {
public:
  /// Anything. \param column  with the texts that there are
  explicit CellSet(const Column& column)
      : name_(column.name), numerical_(column.kind == ColumnKind::numerical), missing_(true),
        categories_(column.dictionary.size(), true), ranges_(1) {}

  bool numerical() const noexcept { return numerical_; }
  bool missing() const noexcept { return missing_; }
  bool holds(double number) const noexcept {
    return std::isnan(number) ? missing_
                              : std::any_of(ranges_.begin(), ranges_.end(),
                                            [number](const NumberRange& one) { return one.holds(number); });
  }
  bool holds(std::int32_t category) const noexcept {
    return category < 0 ? missing_
                        : static_cast<std::size_t>(category) < categories_.size() &&
                              categories_[static_cast<std::size_t>(category)];
  }
  /// Ascending, apart from each other.
  const std::vector<NumberRange>& ranges() const noexcept { return ranges_; }

  /// Whether there is a cell that both allow. \param other  of the same column
  bool overlaps(const CellSet& other) const {
    if (missing_ && other.missing_)
      return true;
    if (numerical_)
      return !common(ranges_, other.ranges_).empty();
    for (std::size_t k = 0; k < categories_.size(); ++k)
      if (categories_[k] && other.categories_[k])
        return true;
    return false;
  }
  /// Whether any cell is allowed.
  bool any() const noexcept {
    return missing_ ||
           (numerical_ ? !ranges_.empty()
                       : std::find(categories_.begin(), categories_.end(), true) != categories_.end());
  }
  /// Leaves what a condition allows. \throws SchemaError for one that is none or does not fit the column
  void narrow(const Condition& condition, const Column& column) {
    const std::string what = "sample: the condition on column '" + name_ + "'";
    if (!condition.negated && condition.values.empty() && condition.ranges.empty() && !condition.missing)
      throw SchemaError(what + " allows no value");
    if (numerical_) {
      auto ranges = condition.ranges;
      for (const auto& text : condition.values) {
        const auto number = parse_number(text);
        if (!number)
          throw SchemaError(what + " names " + in_quotes(text) + ", expected a number");
        ranges.push_back({.least = *number, .most = *number});
      }
      for (const auto& range : ranges)
        if (!(range.least <= range.most))
          throw SchemaError(what + " has a range that holds no number");
      ranges_ = common(ranges_, condition.negated ? others(sorted(ranges)) : sorted(ranges));
    } else {
      if (!condition.ranges.empty())
        throw SchemaError(what + " has a range of numbers, but the column is categorical");
      std::vector<bool> named(categories_.size(), false);
      for (const auto& text : condition.values) {
        const auto code = column.dictionary.find(text);
        if (code == missing_code)
          throw SchemaError(what + " names " + in_quotes(text) +
                            ", which the model does not know; there is " + some_texts(column.dictionary));
        if (named[static_cast<std::size_t>(code)])
          throw SchemaError(what + " names " + in_quotes(text) + " twice");
        named[static_cast<std::size_t>(code)] = true;
      }
      for (std::size_t k = 0; k < named.size(); ++k)
        categories_[k] = categories_[k] && named[k] != condition.negated;
    }
    missing_ = missing_ && condition.missing;
  }

private:
  static std::string some_texts(const Dictionary& dictionary) {
    std::string text;
    constexpr std::size_t most = 12;
    for (std::size_t k = 0; k < std::min(dictionary.size(), most); ++k)
      text += (k == 0 ? "" : ", ") + in_quotes(dictionary.texts()[k]);
    if (dictionary.size() > most)
      text += " and " + std::to_string(dictionary.size() - most) + " more";
    return text;
  }
  static bool begins_before(const NumberRange& a, const NumberRange& b) noexcept {
    return a.least < b.least || (a.least == b.least && !a.without_least && b.without_least);
  }
  static bool ends_before(const NumberRange& a, const NumberRange& b) noexcept {
    return a.most < b.most || (a.most == b.most && a.without_most && !b.without_most);
  }
  static bool is_empty(const NumberRange& range) noexcept {
    return !(range.least < range.most ||
             (range.least == range.most && !range.without_least && !range.without_most));
  }
  static std::vector<NumberRange> sorted(std::vector<NumberRange> ranges) {
    std::erase_if(ranges, is_empty);
    std::sort(ranges.begin(), ranges.end(), begins_before);
    std::vector<NumberRange> result;
    for (const auto& next : ranges)
      if (!result.empty() &&
          (next.least < result.back().most ||
           (next.least == result.back().most && !(next.without_least && result.back().without_most)))) {
        if (ends_before(result.back(), next)) {
          result.back().most = next.most;
          result.back().without_most = next.without_most;
        }
      } else {
        result.push_back(next);
      }
    return result;
  }
  static std::vector<NumberRange> others(const std::vector<NumberRange>& ranges) {
    std::vector<NumberRange> result;
    NumberRange gap;
    for (const auto& range : ranges) {
      gap.most = range.least;
      gap.without_most = !range.without_least;
      result.push_back(gap);
      gap = {.least = range.most, .without_least = !range.without_most};
    }
    result.push_back(gap);
    std::erase_if(result, is_empty);
    return result;
  }
  static std::vector<NumberRange> common(const std::vector<NumberRange>& a,
                                         const std::vector<NumberRange>& b) {
    std::vector<NumberRange> result;
    for (const auto& x : a)
      for (const auto& y : b) {
        NumberRange both = begins_before(x, y) ? y : x;
        const auto& end = ends_before(x, y) ? x : y;
        both.most = end.most;
        both.without_most = end.without_most;
        if (!is_empty(both))
          result.push_back(both);
      }
    return result;
  }

  std::string name_;
  bool numerical_;
  bool missing_;
  std::vector<bool> categories_;
  std::vector<NumberRange> ranges_;
};

/// What is allowed of one column, as heads draw within it, and what it points to.
class AllowedCodes {
public:
  /// \param cells  null: anything \param tilts  by code; empty: none
  AllowedCodes(const kernel::Columns& columns, std::size_t stretch, const CellSet* cells,
               std::vector<float> tilts)
      : tilts_(std::move(tilts)) {
    const auto& codec = columns.codecs[columns.layout[stretch].column];
    fine_codes_ = kernel::fine_codes_behind(columns.layout, columns.stretches, stretch);
    stretch_ = stretch;
    const std::int32_t codes = columns.layout[stretch].width;
    for (std::int32_t code = 0; code < codes; ++code) {
      float any = 0;
      for (std::uint32_t fine = 0; fine < fine_codes_; ++fine) {
        first_range_.push_back(static_cast<std::uint32_t>(ranges_.size()));
        if (cells == nullptr)
          add(0, std::uint64_t{1} << 32U);
        else
          add_ranges(codec, code, static_cast<std::int32_t>(fine), *cells);
        double allowed = 0;
        for (std::size_t i = first_range_.back(); i < ranges_.size(); ++i)
          allowed += static_cast<double>(ranges_[i].last - ranges_[i].first) + 1;
        tuples_.push_back(static_cast<float>(allowed * 0x1p-32));
        any = std::max(any, tuples_.back());
      }
      const float tilt = tilts_.empty() ? 1 : tilts_[static_cast<std::size_t>(code)];
      codes_.push_back(fine_codes_ == 1 || any == 0 ? any * tilt : tilt);
    }
    first_range_.push_back(static_cast<std::uint32_t>(ranges_.size()));
  }

  /// A view of this object. \param margin_of  (tuple) -> its share of the column's margin
  template <class MarginOf>
  kernel::Restriction view(const MarginOf& margin_of) const {
    kernel::Restriction view{.stretch = stretch_,
                             .fine_codes = fine_codes_,
                             .codes = codes_.data(),
                             .tilts = tilts_.empty() ? nullptr : tilts_.data(),
                             .tuples = tuples_.data(),
                             .first_range = first_range_.data(),
                             .ranges = ranges_.data()};
    for (std::uint32_t tuple = 0; tuple < tuples_.size(); ++tuple)
      if (tuples_[tuple] > 0)
        view.margin += margin_of(tuple) * view.factor(tuple);
    return view;
  }

private:
  static constexpr std::uint32_t last_word = std::numeric_limits<std::uint32_t>::max();

  /// The first random number that is not below, or 2^32.
  template <class Below>
  static std::uint64_t first_word_not(const Below& below) {
    return kernel::first_not(std::uint64_t{1} << 32U,
                             [&](std::uint64_t word) { return below(static_cast<std::uint32_t>(word)); });
  }
  void add(std::uint64_t first, std::uint64_t behind) {
    if (first >= behind)
      return;
    const auto from = static_cast<std::uint32_t>(first);
    if (ranges_.size() > first_range_.back() && ranges_.back().last + std::uint64_t{1} == first)
      ranges_.back().last = static_cast<std::uint32_t>(behind - 1);
    else
      ranges_.push_back({from, static_cast<std::uint32_t>(behind - 1)});
  }
  void add_ranges(const kernel::Codec& codec, std::int32_t code, std::int32_t fine, const CellSet& cells) {
    constexpr std::uint64_t all = std::uint64_t{1} << 32U;
    if (codec.has_missing && code == codec.missing()) {
      add(0, cells.missing() ? all : 0);
    } else if (codec.kind == kernel::CodecKind::categorical) {
      if (codec.groups == 0 || code >= codec.groups) {
        add(0, cells.holds(codec.category_of(code, 0.5)) ? all : 0);
        return;
      }
      // The members that share a code, in the order of their places.
      const std::uint32_t first = codec.member_first[code];
      const std::uint32_t behind = codec.member_first[code + 1];
      for (std::uint32_t i = first; i < behind; ++i)
        if (cells.holds(codec.members[i])) {
          const auto until = [&](std::uint32_t member) {
            return first_word_not([&](std::uint32_t word) {
              const double* end = codec.member_until + behind - 1;
              return std::lower_bound(codec.member_until + first, end, to_position(word)) -
                         codec.member_until <=
                     static_cast<std::ptrdiff_t>(member);
            });
          };
          add(i == first ? 0 : until(i - 1), until(i));
        }
    } else {
      const auto value = [&](std::uint32_t word) {
        const double position = to_position(word);
        return codec.fine > 0 ? codec.value_of(code, fine, position) : codec.value_of(code, position);
      };
      // Values do not fall with their place.
      const double low = value(0);
      const double high = value(last_word);
      if (low == high) {
        add(0, cells.holds(low) ? all : 0);
        return;
      }
      for (const auto& range : cells.ranges())
        if (range.most >= low && range.least <= high)
          add(first_word_not([&](std::uint32_t word) {
                return range.without_least ? value(word) <= range.least : value(word) < range.least;
              }),
              first_word_not([&](std::uint32_t word) {
                return range.without_most ? value(word) < range.most : value(word) <= range.most;
              }));
    }
  }

  std::size_t stretch_ = 0;
  std::uint32_t fine_codes_ = 1;
  std::vector<float> tilts_;
  std::vector<float> codes_;
  std::vector<float> tuples_;
  std::vector<std::uint32_t> first_range_;
  std::vector<kernel::WordRange> ranges_;
};

/// What the tuples of one stretch are of its column's margin, where trees draw the column; else 0.
class Margin {
public:
  Margin(const TrainedHeads& heads, std::size_t stretch) {
    trees_ = std::get_if<TreeNetwork>(&heads);
    if (const auto* mixed = std::get_if<MixedNetwork>(&heads))
      trees_ = &mixed->trees;
    if (trees_ != nullptr)
      for (const auto& column : trees_->columns)
        if (column.stretch == stretch)
          column_ = &column;
  }
  double operator()(std::uint32_t tuple) const {
    return column_ == nullptr ? 0 : trees_->view().share(*column_, tuple);
  }

private:
  const TreeNetwork* trees_ = nullptr;
  const kernel::TreeColumn* column_ = nullptr;
};
/// The logarithm of a candidate's weight, before it is held to anything: its mass, and how much more often a
/// guide takes it than others.
inline double log_weight(const RowGuide& guide, const std::int32_t* codes,
                         const kernel::Draw& draw) noexcept {
  const double mass = draw.weight->log_mass;
  return mass > -std::numeric_limits<double>::infinity()
             ? mass + std::log(guide.factor(codes, static_cast<std::size_t>(draw.label)))
             : mass;
}

/// Conditions on other columns than a conditional model's label. Those on columns that the model draws as
/// codes restrict what it draws; rows are held to the others once they are whole.
class ConditionRules {
public:
  /// By stretch and code, > 0; a stretch of none is not tilted.
  using Tilts = std::vector<std::vector<float>>;

  /// \param sets  (column of the user's, its cells) \param tilts  empty: none
  /// \param model  says whose they are, and keeps the parts
  ConditionRules(std::shared_ptr<const void> model, const TableModelParts& parts,
                 const kernel::Columns& columns, const std::vector<std::pair<std::size_t, CellSet>>& sets,
                 Tilts tilts = {})
      : model_(std::move(model)), guide_(&parts.guide), column_of_(columns.stretches, -1) {
    tilts.resize(columns.stretches);
    const auto& slots = parts.preparation.model_slots();
    const bool restricts =
        !std::holds_alternative<JointCodes>(parts.heads) && parts.decoding == Decoding::sample;
    const auto add = [&](std::size_t stretch, const CellSet* cells) {
      column_of_[stretch] = static_cast<std::int32_t>(allowed_.size());
      if (stretch + 1 < columns.stretches && columns.layout[stretch + 1].fine)
        column_of_[stretch + 1] = column_of_[stretch];
      allowed_.emplace_back(columns, stretch, cells, std::move(tilts[stretch]));
      views_.push_back(allowed_.back().view(Margin(parts.heads, stretch)));
    };
    for (const auto& [column, cells] : sets) {
      const auto place =
          static_cast<std::size_t>(std::find(slots.begin(), slots.end(), column) - slots.begin());
      std::size_t stretch = 0;
      while (stretch < columns.stretches && columns.layout[stretch].column != place)
        ++stretch;
      if (!restricts || !parts.preparation.is_plain(column) || columns.codecs[place].has_number()) {
        held_.emplace_back(column, cells);
        continue;
      }
      add(stretch, &cells);
    }
    for (std::size_t stretch = 0; stretch < columns.stretches; ++stretch)
      if (!tilts[stretch].empty())
        add(stretch, nullptr);
  }
  ConditionRules(ConditionRules&&) = delete; // views point into it

  kernel::Restrictions view() const noexcept { return {views_.data(), column_of_.data()}; }
  /// Whether rows are held to something once they are whole.
  bool holds() const noexcept { return !held_.empty(); }
  /// Whether a whole row is what it is held to. \param cells  by slot of the preparation
  bool met(RowCells cells) const noexcept {
    return std::all_of(held_.begin(), held_.end(), [cells](const auto& one) {
      const auto& [column, set] = one;
      return set.numerical() ? set.holds(cells.numbers[column]) : set.holds(cells.codes[column]);
    });
  }
  /// As `detail::log_weight`.
  double log_weight(const std::int32_t* codes, const kernel::Draw& draw) const noexcept {
    return detail::log_weight(*guide_, codes, draw);
  }
  bool is_of(const void* model) const noexcept { return model_.get() == model; }

  /// What columns would best be tilted by, from candidates drawn by these rules: each code's share among
  /// those that count, over its own share, for a half; the rest is drawn as it is. \param weights  of the
  /// candidates \param codes  of the first of them, one a stretch
  Tilts better_tilts(const kernel::Columns& columns, const std::vector<double>& weights,
                     const std::vector<std::int32_t>& codes) const {
    const std::size_t rows = codes.size() / columns.stretches;
    Tilts tilts(columns.stretches);
    double total = 0;
    double squares = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      total += weights[r];
      squares += weights[r] * weights[r];
    }
    if (!(total > 0))
      return {};
    const double counting = total * total / squares;
    for (std::size_t h = 0; h < columns.stretches; ++h) {
      const auto& stretch = columns.layout[h];
      if (!stretch.categorical || stretch.fine || static_cast<std::ptrdiff_t>(h) == columns.label)
        continue;
      const kernel::Restriction* own =
          column_of_[h] < 0 ? nullptr : &views_[static_cast<std::size_t>(column_of_[h])];
      std::vector<double> wanted(static_cast<std::size_t>(stretch.width));
      std::vector<double> drawn(wanted.size());
      for (std::size_t r = 0; r < rows; ++r) {
        const std::int32_t code = codes[r * columns.stretches + h];
        // As often as it were drawn without its tilt.
        drawn[static_cast<std::size_t>(code)] +=
            own == nullptr ? 1 : 1 / static_cast<double>(own->tilt(code));
        wanted[static_cast<std::size_t>(code)] += weights[r];
      }
      double all = 0;
      for (const double count : drawn)
        all += count;
      // Few candidates tell little: only what chance would hardly make (a likelihood ratio test) is a reason.
      double divergence = 0;
      double degrees = -1;
      std::vector<float> tilt;
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        constexpr double prior = 4; // candidates that say nothing
        const double usual = drawn[k] / all;
        const double among = wanted[k] / total;
        degrees += usual > 0 ? 1 : 0;
        divergence += usual > 0 && among > 0 ? among * std::log(among / usual) : 0;
        const double ratio = (among * counting + prior) / (usual * counting + prior);
        tilt.push_back(static_cast<float>(0.5 + 0.5 * ratio));
      }
      if (2 * counting * divergence > 2 * degrees + 12)
        tilts[h] = std::move(tilt);
    }
    if (std::all_of(tilts.begin(), tilts.end(), [](const auto& one) { return one.empty(); }))
      return {};
    return tilts;
  }

private:
  std::shared_ptr<const void> model_;
  const RowGuide* guide_; ///< of the model
  std::vector<AllowedCodes> allowed_;
  std::vector<kernel::Restriction> views_;
  std::vector<std::int32_t> column_of_;
  std::vector<std::pair<std::size_t, CellSet>> held_;
};

} // namespace detail
ROWSMITH_END
