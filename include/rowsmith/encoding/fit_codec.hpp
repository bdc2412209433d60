// SPDX-License-Identifier: MIT
/// \file
/// Which codes a column gets: decided by the training rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/encoding/column_codec.hpp>
#include <rowsmith/kernel/codec.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

/// Rows by category.
using CategoryCounts = std::unordered_map<std::string, std::size_t>;

namespace detail {

/// Is the number one of at most `decimals` digits after the point? It is if it is the double nearest to one,
/// as any such number is that was read from a text, or a few roundings away, as 0.1 + 0.2 is.
inline bool has_decimals(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  const double digits = std::round(value * scale);
  const double off = std::abs(value - digits / scale);
  return off == 0 || (off <= 4 * std::numeric_limits<double>::epsilon() * std::abs(value) &&
                      std::abs(value * scale - digits) <= 1e-6);
}

inline int decimals_of(const Column& column) {
  if (column.decimals >= 0)
    return column.decimals;
  // Not told by the file: the fewest digits that every value needs, or none of this if that is above 6. Zero
  // and numbers that are whole for want of digits (2^53 and above) do not tell.
  const auto tells = [](double value) { return value != 0 && std::abs(value) < 0x1p53; };
  if (std::none_of(column.values.begin(), column.values.end(), tells)) // of NaN: false
    return -1;
  for (int decimals = 0; decimals <= 6; ++decimals)
    if (std::all_of(column.values.begin(), column.values.end(),
                    [&](double value) { return !tells(value) || has_decimals(value, decimals); }))
      return decimals;
  return -1;
}

/// Codes that categories share: the most frequent ones have their own, others are cut, by frequency, into
/// groups of about as many rows each. \param counts  rows of each of the codec's categories
inline void fit_groups(ColumnCodec& codec, const std::vector<std::size_t>& counts,
                       const EncodingOptions& options) {
  const std::size_t count = codec.categories.size();
  if (count <= options.max_categories)
    return;
  const std::size_t shared = std::min<std::size_t>(64, options.max_categories / 4);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  codec.group_of.assign(count, 0);
  codec.group_shares.assign(count, 1);
  std::size_t own = 0;
  while (own < options.max_categories - shared && counts[order[own]] >= options.own_code_rows) {
    codec.group_of[order[own]] = static_cast<std::int32_t>(own);
    ++own;
  }
  std::size_t left = 0;
  for (std::size_t i = own; i < count; ++i)
    left += counts[order[i]];
  std::size_t group = own;
  for (std::size_t i = own, before = 0; i < count; ++group) {
    const std::size_t first = i;
    std::size_t rows = 0;
    // Up to the group's share of the rows, and one category at least.
    while (i < count && (i == first || (before + rows) * shared < (group - own + 1) * left))
      rows += counts[order[i++]];
    before += rows;
    for (std::size_t k = first; k < i; ++k) {
      codec.group_of[order[k]] = static_cast<std::int32_t>(group);
      codec.group_shares[order[k]] = static_cast<double>(counts[order[k]]) / static_cast<double>(rows);
    }
  }
  codec.index_members();
}

inline void fit_categorical(ColumnCodec& codec, const Column& column, const EncodingOptions& options,
                            bool label, const CategoryCounts* known) {
  std::vector<std::size_t> counts(column.dictionary.size());
  for (const auto code : column.codes)
    if (code != missing_code)
      ++counts[static_cast<std::size_t>(code)];
  for (std::size_t code = 0; known != nullptr && code < counts.size(); ++code)
    if (const auto of_all = known->find(column.dictionary.text(static_cast<std::int32_t>(code)));
        counts[code] > 0 && of_all != known->end())
      counts[code] = of_all->second;
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
  std::vector<std::size_t> sorted;
  for (const auto& category : codec.categories)
    sorted.push_back(counts[static_cast<std::size_t>(column.dictionary.find(category))]);
  if (!label) // conditions ask for its values one by one
    fit_groups(codec, sorted, options);
}

/// Values inside the codec's bins that `least` rows have, or more. `values` is sorted.
inline std::vector<double> frequent_values(const ColumnCodec& codec, const std::vector<double>& values,
                                           std::size_t least) {
  std::vector<double> frequent;
  for (std::size_t first = 0, end = 0; first < values.size(); first = end) {
    const double value = values[first];
    while (end < values.size() && values[end] == value)
      ++end;
    if (end - first >= least && codec.knots.front() <= value && value <= codec.knots.back() &&
        !std::binary_search(codec.points.begin(), codec.points.end(), value))
      frequent.push_back(value);
  }
  return frequent;
}

/// Whether numbers inside bins are better described by the codec's atoms and the parts of bins for the rest
/// than by parts alone: the mean log-likelihood of rows that were held out, given those that were kept.
inline bool atoms_pay(const ColumnCodec& codec, const std::vector<double>& kept,
                      const std::vector<double>& held) {
  const auto view = codec.view();
  const std::size_t parts = codec.fine;
  const std::size_t bins = codec.bins();
  const std::size_t none = codec.atoms.size();
  auto without = codec;
  without.atoms.clear();
  without.index_atoms();
  const auto plain = without.view();
  struct Place {
    std::size_t bin, part, atom;
  };
  const auto each_place = [&](const std::vector<double>& values, const auto& visit) {
    for (const double value : values) {
      const auto code = view.code_of(value);
      if (static_cast<std::size_t>(code) < codec.points.size())
        continue;
      const std::size_t bin = static_cast<std::size_t>(code) - codec.points.size();
      const auto fine = static_cast<std::size_t>(view.fine_of(value, code));
      visit(Place{bin, bin * parts + static_cast<std::size_t>(plain.fine_of(value, code)),
                  fine < parts ? none : codec.atom_first[bin] + fine - parts});
    }
  };
  std::vector<double> all(bins), smooth(bins * parts), rest(bins * parts), rest_of_bin(bins), atoms(none);
  each_place(kept, [&](const Place& place) {
    ++all[place.bin];
    ++smooth[place.part];
    if (place.atom < none) {
      ++atoms[place.atom];
    } else {
      ++rest[place.part];
      ++rest_of_bin[place.bin];
    }
  });
  // A part's mass is spread over the numbers that can be written in it.
  const auto spread = [&](std::size_t bin) {
    const double width = (codec.knots[bin + 1] - codec.knots[bin]) / static_cast<double>(parts);
    const double steps = codec.decimals >= 0 ? width * std::pow(10.0, codec.decimals) : 1e6;
    return std::log(std::clamp(steps, 1.0, 1e12));
  };
  const auto log_share = [](double count, double total, std::size_t kinds) {
    return std::log((count + 0.5) / (total + 0.5 * static_cast<double>(kinds)));
  };
  double gain = 0;
  double hits = 0;
  double rows = 0;
  each_place(held, [&](const Place& place) {
    const double n = all[place.bin];
    const double before = log_share(smooth[place.part], n, parts) - spread(place.bin);
    const std::size_t kinds = 1 + codec.atom_first[place.bin + 1] - codec.atom_first[place.bin];
    const double after = place.atom < none ? log_share(atoms[place.atom], n, kinds)
                                           : log_share(rest_of_bin[place.bin], n, kinds) +
                                                 log_share(rest[place.part], rest_of_bin[place.bin], parts) -
                                                 spread(place.bin);
    gain += after - before;
    hits += place.atom < none ? 1 : 0;
    ++rows;
  });
  return rows > 0 && hits >= 0.05 * rows && gain >= 0.02 * rows;
}

/// Values inside bins that enough rows have become atoms, where that pays. `values` is sorted.
inline void fit_atoms(ColumnCodec& codec, const std::vector<double>& values, const EncodingOptions& options) {
  if (options.min_atom_rows == 0 || codec.kind != ColumnCodec::Kind::binned || options.fine == 0)
    return;
  auto atoms = frequent_values(codec, values, options.min_atom_rows);
  if (atoms.empty())
    return;
  auto with = codec;
  if (with.fine == 0) // too few rows for parts: a second code that says "an atom" or "none" at least
    with.fine = std::clamp<std::size_t>(values.size() / (4 * codec.bins()), 1, options.fine);
  // By chance, not by place: rows of a value would otherwise fall to both sides evenly.
  RandomSequence random(RandomStream(values.size(), Purpose::split));
  std::vector<double> kept;
  std::vector<double> held;
  for (const double value : values)
    (random.below(5) == 0 ? held : kept).push_back(value);
  // Chosen by the rows kept alone: what chance made frequent among them is not so among those held out.
  with.atoms = frequent_values(codec, kept, (4 * options.min_atom_rows + 2) / 5);
  with.index_atoms();
  if (with.atoms.empty() || !atoms_pay(with, kept, held))
    return;
  codec = std::move(with);
  codec.atoms = std::move(atoms);
  codec.index_atoms();
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
  if (options.fine > 1 && values.size() >= 2 * bins * options.fine)
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
    // Midway between two neighbouring values, so that an inner edge is not a training value.
    const auto next = std::upper_bound(rest.begin(), rest.end(), rest[at == 0 ? 0 : at - 1]);
    const double edge =
        next == rest.end() ? rest.back() : kernel::between(rest[at == 0 ? 0 : at - 1], *next, 0.5);
    if (edge > codec.knots.back())
      codec.knots.push_back(edge);
  }
  if (rest.back() > codec.knots.back())
    codec.knots.push_back(rest.back());
  fit_atoms(codec, values, options);
}

/// Moves the ends of a continuous column's range outwards to two digits of the outer bin's width (or of the
/// standard deviation), so that a model declares a range instead of keeping the values of two training rows.
inline void round_ends(ColumnCodec& codec) {
  const auto outward = [](double end, double width, double direction) {
    constexpr double largest = std::numeric_limits<double>::max();
    if (!(width > 0))
      return end;
    const int exponent = static_cast<int>(std::floor(std::log10(std::min(width, largest)))) - 1;
    // One of the two is a whole power of ten, and exact up to 10^22.
    const double up = std::pow(10.0, std::max(exponent, 0));
    const double down = std::pow(10.0, std::max(-exponent, 0));
    double steps = std::ceil(direction * end / up * down);
    // A width so small beside the end, or so small at all, that there is nothing between the two.
    if (!(std::abs(steps) < 0x1p53))
      return end;
    for (;; ++steps) {
      // By its text a number of two digits is the nearest double, whatever its magnitude.
      const auto rounded = parse_number(std::to_string(static_cast<std::int64_t>(direction * steps)) + "e" +
                                        std::to_string(exponent));
      if (!rounded)
        return direction * largest;
      if (direction * *rounded >= direction * end)
        return *rounded;
    }
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

/// Mean and standard deviation. `values` is sorted.
inline void fit_moments(ColumnCodec& codec, const std::vector<double>& values) {
  // In units of the power of two near the largest magnitude, so that no square overflows or vanishes.
  const double largest = std::max(std::abs(values.front()), std::abs(values.back()));
  const int unit = largest > 0 ? std::ilogb(largest) : 0;
  const auto count = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values)
    mean += std::ldexp(value, -unit) / count;
  double variance = 0;
  for (const double value : values)
    variance += (std::ldexp(value, -unit) - mean) * (std::ldexp(value, -unit) - mean) / count;
  codec.mean = std::ldexp(mean, unit);
  codec.sd = std::ldexp(std::sqrt(variance), unit);
  if (codec.sd > 0)
    round_ends(codec);
  else
    codec.sd = 1; // a constant column: every number is 0
}

} // namespace detail

namespace detail {

/// Whether a number can be told by its code without being moved to an end or to another value.
inline bool has_place(const ColumnCodec& codec, double value) {
  if (codec.kind == ColumnCodec::Kind::standardised)
    return codec.minimum <= value && value <= codec.maximum;
  return (codec.kind == ColumnCodec::Kind::binned && codec.knots.front() <= value &&
          value <= codec.knots.back()) ||
         std::binary_search(codec.points.begin(), codec.points.end(), value);
}
/// Widens a codec's range so that all numbers have a place. \returns false if none can be that wide: its
/// codes are values
inline bool widen(ColumnCodec& codec, const std::vector<double>& values) {
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  for (const double value : values)
    if (!std::isnan(value) && !has_place(codec, value)) {
      least = std::min(least, value);
      most = std::max(most, value);
    }
  if (least > most)
    return true;
  if (codec.kind == ColumnCodec::Kind::exact)
    return false;
  codec.minimum = std::min(codec.minimum, least);
  codec.maximum = std::max(codec.maximum, most);
  if (codec.kind == ColumnCodec::Kind::binned) {
    codec.knots.front() = std::min(codec.knots.front(), least);
    codec.knots.back() = std::max(codec.knots.back(), most);
  }
  round_ends(codec);
  return true;
}

} // namespace detail

/// Fits a codec to a column of the training rows. \param label  it is the table's label \param counts  rows
/// of each category in all of a table of which the column has some; null: it has all \throws SchemaError for
/// a column without any present value, or with an infinite number
inline ColumnCodec fit_codec(const Column& column, const EncodingOptions& options, bool label = false,
                             const CategoryCounts* counts = nullptr) {
  ColumnCodec codec;
  codec.name = column.name;
  const std::size_t missing = column.missing_count();
  codec.has_missing = missing > 0;
  if (missing == column.rows())
    throw SchemaError("encoding: column '" + column.name + "' has no present value in " +
                      std::to_string(column.rows()) + " training rows; drop it or give it values");
  if (column.kind == ColumnKind::categorical) {
    detail::fit_categorical(codec, column, options, label, counts);
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
  detail::fit_moments(codec, values);
  return codec;
}

/// The same for a column of some of a table's rows: those by chance say how its numbers are spread, the
/// others which there are besides. \param by_chance  by row
inline ColumnCodec fit_codec(const Column& column, const EncodingOptions& options, bool label,
                             const CategoryCounts* counts, const std::vector<bool>& by_chance) {
  if (column.kind == ColumnKind::categorical || by_chance.empty())
    return fit_codec(column, options, label, counts);
  Column some;
  some.name = column.name;
  some.decimals = detail::decimals_of(column);
  for (std::size_t row = 0; row < column.rows(); ++row) {
    if (std::isinf(column.values[row]))
      return fit_codec(column, options, label, counts); // which says so
    if (by_chance[row])
      some.values.push_back(column.values[row]);
  }
  if (some.missing_count() == some.rows())
    return fit_codec(column, options, label, counts);
  ColumnCodec codec = fit_codec(some, options, label, counts);
  codec.has_missing = column.missing_count() > 0;
  return detail::widen(codec, column.values) ? codec : fit_codec(column, options, label, counts);
}

ROWSMITH_END
