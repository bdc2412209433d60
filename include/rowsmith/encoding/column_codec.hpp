// SPDX-License-Identifier: MIT
/// \file
/// How one column is turned into what a network reads and writes: a code of a finite set, a standardised
/// number, or both.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// What becomes of numerical columns.
enum class NumericalEncoding {
  standardised, ///< (x − mean) / sd: one number, for a mean-squared-error head
  codes         ///< few-valued columns: each value a code; others: point masses and quantile bins
};

/// What becomes of a category at encoding time that was not there at fitting time.
enum class UnseenCategory {
  error, ///< SchemaError naming column, row and text
  other  ///< the code of the declared text `EncodingOptions::other_text`
};

struct EncodingOptions {
  NumericalEncoding numerical = NumericalEncoding::codes;
  /// At most this many distinct values are a code each; fewer (one for 16 rows, but 16 at least) in small
  /// tables, where single values have too few rows to be learnt; [2, 65535].
  std::size_t max_exact_values = 256;
  std::size_t bins = 64; ///< quantile bins of other numerical columns, one for 32 rows at most; [2, 4096]
  /// Parts of a bin, of equal width, that a second code of the column tells apart: for dependence finer than
  /// a bin and for the shape of the outer ones. Only where there are two rows for each part of each bin; 0:
  /// never; [0, 1024].
  std::size_t fine = 32;
  /// Weights that relate columns to each other grow with the number of codes times that of columns. Above
  /// this many pairs of a code and a column, `TableEncoder::fit` does without fine codes, then with half as
  /// many bins and exact values, and so on down to 8 and 32; [1000, 1e9].
  std::size_t most_pairs = 600'000;
  UnseenCategory unseen = UnseenCategory::error;
  std::size_t min_category_rows = 0;  ///< with `other`: rarer categories are folded into it at fitting time
  std::string other_text = "(other)"; ///< with `other`: its text in generated rows

  /// Calls `visit(name, value, range)` for each numerical option.
  template <class Visit>
  void each_option(Visit&& visit) const {
    visit("encoding.numerical", static_cast<double>(numerical), OptionRange{0, 1});
    visit("encoding.max_exact_values", static_cast<double>(max_exact_values), OptionRange{2, 65535});
    visit("encoding.bins", static_cast<double>(bins), OptionRange{2, 4096});
    visit("encoding.fine", static_cast<double>(fine), OptionRange{0, 1024});
    visit("encoding.most_pairs", static_cast<double>(most_pairs), OptionRange{1000, 1e9});
    visit("encoding.unseen", static_cast<double>(unseen), OptionRange{0, 1});
    visit("encoding.min_category_rows", static_cast<double>(min_category_rows), OptionRange{0, 1e15});
  }
  /// \throws OptionError
  void check() const {
    each_option(check_option);
    if (min_category_rows > 0 && unseen == UnseenCategory::error)
      throw OptionError("encoding.min_category_rows needs encoding.unseen = UnseenCategory::other");
  }
};

/// One fitted column. Its codes are, in this order: the categories, or the point values then the bins; then
/// "other" if declared; then "missing" if there were missing values. A binned column may have a second, fine
/// code: the part of its bin, 0 for what is in no bin. A standardised column has a number and, if there were
/// missing values, the two codes present (0) and missing (1).
struct ColumnCodec {
  enum class Kind { categorical, standardised, exact, binned };

  std::string name;
  Kind kind = Kind::categorical;
  bool has_missing = false;
  bool has_other = false;
  std::string other_text;
  std::vector<std::string> categories; ///< categorical: text of each code
  std::vector<double> points;          ///< exact, binned: values that are a code each, ascending
  std::vector<double> knots;           ///< binned: bin edges, ascending, bins + 1 of them
  std::size_t fine = 0; ///< binned: parts of a bin that the fine code tells apart; 0: no such code
  double mean = 0;      ///< standardised
  double sd = 1;        ///< standardised; > 0
  double minimum = 0;   ///< numerical: the range decoded values stay in
  double maximum = 0;
  int decimals = -1; ///< numerical: digits after the point of decoded values; −1: as they come

  bool has_number() const noexcept { return kind == Kind::standardised; }
  std::size_t bins() const noexcept { return knots.empty() ? 0 : knots.size() - 1; }
  std::size_t plain_codes() const noexcept {
    return kind == Kind::categorical    ? categories.size()
           : kind == Kind::standardised ? 1
                                        : points.size() + bins();
  }
  /// Number of codes; 0 if the column is a number and nothing else.
  std::size_t codes() const noexcept {
    if (kind == Kind::standardised)
      return has_missing ? 2 : 0;
    return plain_codes() + (has_other ? 1 : 0) + (has_missing ? 1 : 0);
  }
  std::int32_t other() const noexcept { return static_cast<std::int32_t>(plain_codes()); }
  std::int32_t missing() const noexcept { return static_cast<std::int32_t>(codes()) - 1; }

  /// The code of a present number. Values outside the fitted range go to the nearest bin or point.
  std::int32_t code_of(double value) const {
    const auto point = std::lower_bound(points.begin(), points.end(), value);
    if (point != points.end() && *point == value)
      return static_cast<std::int32_t>(point - points.begin());
    if (bins() == 0) {
      // A value between two exact ones: the nearer.
      if (point == points.end() || (point != points.begin() && value - point[-1] <= *point - value))
        return static_cast<std::int32_t>(point - points.begin()) - 1;
      return static_cast<std::int32_t>(point - points.begin());
    }
    const auto edge = std::upper_bound(knots.begin() + 1, knots.end() - 1, value);
    return static_cast<std::int32_t>(points.size() + static_cast<std::size_t>(edge - knots.begin()) - 1);
  }

  /// The fine code of a present number whose code is `code`.
  std::int32_t fine_of(double value, std::int32_t code) const {
    const auto index = static_cast<std::size_t>(code);
    if (fine == 0 || index < points.size())
      return 0;
    const std::size_t bin = index - points.size();
    const double width = knots[bin + 1] - knots[bin];
    const double part = width > 0 ? (value - knots[bin]) / width * static_cast<double>(fine) : 0;
    // Values outside the fitted range go to the nearest part.
    return static_cast<std::int32_t>(std::clamp(part, 0.0, static_cast<double>(fine) - 0.5));
  }

  /// The number of a code that is neither "missing" nor a category; `position` in (0, 1) chooses the place
  /// within a bin.
  double value_of(std::int32_t code, double position) const {
    const auto index = static_cast<std::size_t>(code);
    if (index < points.size())
      return points[index];
    const std::size_t bin = index - points.size();
    return finish(knots[bin] + position * (knots[bin + 1] - knots[bin]));
  }
  /// How far outside the fitted range a number lies, in steps of which the range has one for each code: 0
  /// inside and for NaN, infinite for any other number than that of a constant column.
  double excess(double value) const noexcept {
    const double distance = std::max(minimum - value, value - maximum);
    return distance > 0 ? distance / (maximum - minimum) * static_cast<double>(plain_codes()) : 0;
  }
  double standardise(double value) const noexcept { return (value - mean) / sd; }
  double unstandardise(double number) const noexcept { return finish(mean + sd * number); }

private:
  /// Rounds to the column's decimals and keeps to its range.
  double finish(double value) const noexcept {
    if (decimals >= 0 && decimals <= 15) {
      constexpr double powers_of_ten[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                          1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
      const double scale = powers_of_ten[decimals];
      value = std::round(value * scale) / scale;
    }
    return std::clamp(value, minimum, maximum);
  }
};

namespace detail {

inline int decimals_of(const Column& column) {
  if (column.decimals >= 0)
    return column.decimals;
  // Not told by the file: the fewest digits that every value needs, or none of this if that is above 6.
  for (int decimals = 0; decimals <= 6; ++decimals) {
    const double scale = std::pow(10.0, decimals);
    if (std::all_of(column.values.begin(), column.values.end(), [scale](double value) {
          return std::isnan(value) || std::abs(value * scale - std::round(value * scale)) <= 1e-9 * scale;
        }))
      return decimals;
  }
  return -1;
}

inline void fit_categorical(ColumnCodec& codec, const Column& column, const EncodingOptions& options) {
  std::vector<std::size_t> counts(column.dictionary.size());
  for (const auto code : column.codes)
    if (code != missing_code)
      ++counts[static_cast<std::size_t>(code)];
  codec.has_other = options.unseen == UnseenCategory::other;
  codec.other_text = codec.has_other ? options.other_text : std::string();
  for (std::size_t code = 0; code < counts.size(); ++code)
    if (counts[code] > 0 && (!codec.has_other || counts[code] >= options.min_category_rows))
      codec.categories.push_back(column.dictionary.text(static_cast<std::int32_t>(code)));
  // Alphabetical, so that the codec does not depend on the order of the rows.
  std::sort(codec.categories.begin(), codec.categories.end());
  if (codec.has_other &&
      std::binary_search(codec.categories.begin(), codec.categories.end(), codec.other_text))
    throw OptionError("encoding.other_text = '" + codec.other_text + "' is a category of column '" +
                      column.name + "': choose another text");
}

/// Point masses, and quantile bins for the rest. `values` is sorted.
inline void fit_codes(ColumnCodec& codec, const std::vector<double>& values, const EncodingOptions& options) {
  std::vector<std::pair<double, std::size_t>> distinct;
  for (const double value : values)
    if (distinct.empty() || distinct.back().first != value)
      distinct.emplace_back(value, 1);
    else
      ++distinct.back().second;
  if (distinct.size() <= std::min(options.max_exact_values, std::max<std::size_t>(values.size() / 16, 16))) {
    codec.kind = ColumnCodec::Kind::exact;
    for (const auto& [value, count] : distinct)
      codec.points.push_back(value);
    return;
  }
  codec.kind = ColumnCodec::Kind::binned;
  // A bin of a few rows would tell which rows they were.
  const std::size_t bins = std::clamp<std::size_t>(values.size() / 32, 2, options.bins);
  if (values.size() >= 2 * bins * options.fine)
    codec.fine = options.fine;
  // A handful of rows is chance, not a point mass, however small the table.
  const std::size_t mass = std::max<std::size_t>(values.size() / (2 * bins), 4);
  std::vector<double> rest;
  for (const auto& [value, count] : distinct)
    if (count > mass)
      codec.points.push_back(value);
    else
      rest.insert(rest.end(), count, value);
  // Bins need something to part: with one value left or none, all values are codes.
  if (rest.empty() || !(rest.front() < rest.back())) {
    codec.kind = ColumnCodec::Kind::exact;
    codec.fine = 0;
    codec.points.clear();
    for (const auto& [value, count] : distinct)
      codec.points.push_back(value);
    return;
  }
  codec.knots.push_back(rest.front());
  for (std::size_t k = 1; k < bins; ++k) {
    const std::size_t at = k * rest.size() / bins;
    // Midway between two neighbours, so that an inner edge is not a training value.
    const double edge = at == 0 ? rest.front() : rest[at - 1] + (rest[at] - rest[at - 1]) / 2;
    if (edge > codec.knots.back())
      codec.knots.push_back(edge);
  }
  if (rest.back() > codec.knots.back())
    codec.knots.push_back(rest.back());
}

/// Moves the ends of a continuous column's range outwards to two digits of the outer bin's width (or of the
/// standard deviation), so that a model declares a range instead of keeping the values of two training rows.
inline void round_ends(ColumnCodec& codec) {
  const auto outward = [](double end, double width, double direction) {
    const double exponent = std::floor(std::log10(width)) - 1;
    if (!(std::abs(exponent) <= 15)) // a width of 0 among others
      return end;
    // One of the two is a whole power of ten, and exact.
    const double up = std::pow(10.0, std::max(exponent, 0.0));
    const double down = std::pow(10.0, std::max(-exponent, 0.0));
    const double rounded = direction * std::ceil(direction * end / up * down) / down * up;
    return std::isfinite(rounded) ? rounded : end;
  };
  if (codec.kind == ColumnCodec::Kind::standardised) {
    codec.minimum = outward(codec.minimum, codec.sd, -1);
    codec.maximum = outward(codec.maximum, codec.sd, 1);
  } else if (codec.kind == ColumnCodec::Kind::binned) {
    auto& knots = codec.knots;
    const std::size_t last = knots.size() - 1;
    const double low = outward(knots.front(), knots[1] - knots[0], -1);
    const double high = outward(knots[last], knots[last] - knots[last - 1], 1);
    knots.front() = low;
    knots.back() = high;
    codec.minimum = codec.points.empty() ? low : std::min(low, codec.points.front());
    codec.maximum = codec.points.empty() ? high : std::max(high, codec.points.back());
  }
}

} // namespace detail

/// Fits a codec to a column of the training rows.
/// \throws SchemaError for a column without any present value, or with an infinite number
inline ColumnCodec fit_codec(const Column& column, const EncodingOptions& options) {
  ColumnCodec codec;
  codec.name = column.name;
  const std::size_t missing = column.missing_count();
  codec.has_missing = missing > 0;
  if (missing == column.rows())
    throw SchemaError("encoding: column '" + column.name + "' has no present value in " +
                      std::to_string(column.rows()) + " training rows; drop it or give it values");
  if (column.kind == ColumnKind::categorical) {
    detail::fit_categorical(codec, column, options);
    return codec;
  }
  std::vector<double> values;
  values.reserve(column.rows() - missing);
  for (std::size_t row = 0; row < column.rows(); ++row) {
    if (std::isinf(column.values[row]))
      throw SchemaError("encoding: column '" + column.name + "', row " + std::to_string(row + 1) +
                        " is infinite; expected a finite number or a missing value");
    if (!std::isnan(column.values[row]))
      values.push_back(column.values[row]);
  }
  std::sort(values.begin(), values.end());
  codec.decimals = detail::decimals_of(column);
  codec.minimum = values.front();
  codec.maximum = values.back();
  if (options.numerical == NumericalEncoding::codes) {
    detail::fit_codes(codec, values, options);
    detail::round_ends(codec);
    return codec;
  }
  codec.kind = ColumnCodec::Kind::standardised;
  for (const double value : values)
    codec.mean += value / static_cast<double>(values.size());
  double variance = 0;
  for (const double value : values)
    variance += (value - codec.mean) * (value - codec.mean) / static_cast<double>(values.size());
  codec.sd = variance > 0 ? std::sqrt(variance) : 1; // a constant column: every code is 0
  if (variance > 0)
    detail::round_ends(codec);
  return codec;
}

ROWSMITH_END
