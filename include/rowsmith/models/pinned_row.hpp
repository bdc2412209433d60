// SPDX-License-Identifier: MIT
/// \file
/// A partial row as heads draw it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <rowsmith/kernel/restriction.hpp>
#include <rowsmith/models/condition_rules.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN
namespace detail {

/// What a partial row leaves open, as heads draw it: cells that are known have the only code that is allowed,
/// others are anything, one of some, or anything but missing. Copies are cheap beside the first.
class PinnedRow {
public:
  explicit PinnedRow(const TableModel& model)
      : columns_(&model.columns()), column_of_(columns_->stretches, -1) {
    std::uint32_t most = 0;
    for (std::size_t h = 0; h < columns_->stretches; ++h) {
      const auto& stretch = columns_->layout[h];
      if (!stretch.categorical || stretch.fine || static_cast<std::ptrdiff_t>(h) == columns_->label)
        continue;
      Pin pin{.stretch = h,
              .fine_codes = kernel::fine_codes_behind(columns_->layout, columns_->stretches, h),
              .margin = Margin(model.heads(), h)};
      const auto codes = static_cast<std::size_t>(stretch.width);
      const auto tuples = static_cast<std::uint32_t>(codes) * pin.fine_codes;
      most = std::max(most, tuples);
      pin.codes.resize(codes);
      pin.tuples.resize(tuples);
      const auto& codec = columns_->codecs[stretch.column];
      if (codec.has_missing) {
        pin.present_codes.assign(codes, 1.0F);
        pin.present_tuples.assign(tuples, 1.0F);
        const auto missing = static_cast<std::size_t>(codec.missing());
        pin.present_codes[missing] = 0;
        for (std::uint32_t fine = 0; fine < pin.fine_codes; ++fine)
          pin.present_tuples[missing * pin.fine_codes + fine] = 0;
        for (std::uint32_t tuple = 0; tuple < tuples; ++tuple)
          if (pin.present_tuples[tuple] > 0)
            pin.present_margin += pin.margin(tuple);
      }
      pins_.push_back(std::move(pin));
    }
    first_range_.resize(most + std::size_t{1});
    std::iota(first_range_.begin(), first_range_.end(), 0U);
    ranges_.assign(most, {0, std::numeric_limits<std::uint32_t>::max()});
    restrictions_.reserve(pins_.size());
  }

  /// Anything is allowed.
  void clear() {
    for (const Set& one : set_)
      fill(one, 0);
    set_.clear();
    restrictions_.clear();
    std::fill(column_of_.begin(), column_of_.end(), -1);
  }
  /// Only the codes of a cell. \param codes  by stretch, those of the column's are read
  void pin(std::size_t stretch, const std::int32_t* codes) {
    const std::size_t at = find(stretch);
    Pin& pin = pins_[at];
    const auto code = static_cast<std::uint32_t>(codes[stretch]);
    // What is no part of a bin is the same whatever its fine code.
    const auto& codec = columns_->codecs[columns_->layout[stretch].column];
    const bool any = pin.fine_codes > 1 &&
                     (code < codec.point_count || (codec.has_missing && codes[stretch] == codec.missing()));
    const std::uint32_t first =
        any ? code * pin.fine_codes : kernel::tuple_of(codes, stretch, pin.fine_codes);
    const std::uint32_t count = any ? pin.fine_codes : 1;
    restrict(pin, pin.codes, pin.tuples, set({at, code, first, count}));
  }
  /// Any of some codes. \param allowed  by code of the stretch
  void allow(std::size_t stretch, const std::vector<bool>& allowed) {
    const std::size_t at = find(stretch);
    Pin& pin = pins_[at];
    double margin = 0;
    for (std::uint32_t code = 0; code < allowed.size(); ++code)
      if (allowed[code])
        margin += set({at, code, code * pin.fine_codes, pin.fine_codes});
    restrict(pin, pin.codes, pin.tuples, margin);
  }
  /// Anything but missing.
  void require_present(std::size_t stretch) {
    if (const Pin& pin = pins_[find(stretch)]; !pin.present_codes.empty())
      restrict(pin, pin.present_codes, pin.present_tuples, pin.present_margin);
  }
  kernel::Restrictions view() const noexcept { return {restrictions_.data(), column_of_.data()}; }

private:
  struct Pin {
    std::size_t stretch = 0;
    std::uint32_t fine_codes = 1;
    Margin margin;
    std::vector<float> codes{}; ///< zeros, but while a code is pinned
    std::vector<float> tuples{};
    std::vector<float> present_codes{}; ///< ones, but that of missing cells; empty: there is none
    std::vector<float> present_tuples{};
    double present_margin = 0;
  };
  struct Set {
    std::size_t pin;
    std::uint32_t code;
    std::uint32_t first; ///< of its tuples
    std::uint32_t count;
  };
  void fill(const Set& one, float value) {
    Pin& pin = pins_[one.pin];
    pin.codes[one.code] = value;
    std::fill_n(pin.tuples.begin() + static_cast<std::ptrdiff_t>(one.first), one.count, value);
  }
  /// Allows some tuples until `clear`. \returns what they are of the column's margin
  double set(const Set& one) {
    fill(one, 1);
    set_.push_back(one);
    double margin = 0;
    for (std::uint32_t tuple = one.first; tuple < one.first + one.count; ++tuple)
      margin += pins_[one.pin].margin(tuple);
    return margin;
  }
  std::size_t find(std::size_t stretch) const noexcept {
    const auto at = std::lower_bound(pins_.begin(), pins_.end(), stretch,
                                     [](const Pin& pin, std::size_t wanted) { return pin.stretch < wanted; });
    return static_cast<std::size_t>(at - pins_.begin());
  }
  void restrict(const Pin& pin, const std::vector<float>& codes, const std::vector<float>& tuples,
                double margin) {
    column_of_[pin.stretch] = static_cast<std::int32_t>(restrictions_.size());
    if (pin.stretch + 1 < columns_->stretches && columns_->layout[pin.stretch + 1].fine)
      column_of_[pin.stretch + 1] = column_of_[pin.stretch];
    restrictions_.push_back({.stretch = pin.stretch,
                             .fine_codes = pin.fine_codes,
                             .codes = codes.data(),
                             .tuples = tuples.data(),
                             .first_range = first_range_.data(),
                             .ranges = ranges_.data(),
                             .margin = margin});
  }

  const kernel::Columns* columns_;
  std::vector<Pin> pins_;                  ///< by stretch, ascending
  std::vector<std::uint32_t> first_range_; ///< each tuple has one range,
  std::vector<kernel::WordRange> ranges_;  ///< all of it
  std::vector<kernel::Restriction> restrictions_;
  std::vector<std::int32_t> column_of_;
  std::vector<Set> set_;
};

} // namespace detail
ROWSMITH_END
