// SPDX-License-Identifier: MIT
/// \file
/// How one column is turned into what a network reads and writes: a code of a finite set, a standardised
/// number, or both.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/kernel/codec.hpp>
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
  /// or 1: never; [0, 1024].
  std::size_t fine = 32;
  /// Values that people write: a value inside a bin that as many training rows have, or more, can be an atom,
  /// which the second code names. Values of fewer rows are never copied. Only columns have atoms whose values
  /// are heaped: in which those rows that were kept apart are likelier with atoms than without. 0: no atoms.
  std::size_t min_atom_rows = 4;
  /// Time and memory grow with the number of codes. Above this many of numerical columns, `TableEncoder::fit`
  /// does without fine codes, then with half as many bins and exact values, and so on down to 8 and 32;
  /// [100, 1e9].
  std::size_t most_codes = 30'000;
  /// A column of more categories than this has two codes: those of at least `own_code_rows` rows keep a code
  /// of their own, as far as there are codes; others share codes, by frequency, and are drawn from their
  /// code's rows by share alone, so that nothing says whose row a rare one was. Never the label;
  /// [100, 1e9].
  std::size_t max_categories = 4096;
  std::size_t own_code_rows = 20; ///< see `max_categories`; [1, 1e15]
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
    visit("encoding.min_atom_rows", static_cast<double>(min_atom_rows), OptionRange{0, 1e15});
    visit("encoding.most_codes", static_cast<double>(most_codes), OptionRange{100, 1e9});
    visit("encoding.max_categories", static_cast<double>(max_categories), OptionRange{100, 1e9});
    visit("encoding.own_code_rows", static_cast<double>(own_code_rows), OptionRange{1, 1e15});
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

/// One fitted column. Its codes are, in this order: the categories (or what several of very many share), or
/// the point values then the bins; then "other" if declared; then "missing" if there were missing values. A
/// binned column may have a second, fine code: the part of its bin, 0 for what is in no bin. A standardised
/// column has a number and, if there were missing values, the two codes present (0) and missing (1).
struct ColumnCodec {
  using Kind = kernel::CodecKind;

  std::string name;
  Kind kind = Kind::categorical;
  bool has_missing = false;
  bool has_other = false;
  std::string other_text;
  std::vector<std::string> categories; ///< categorical: their texts, in alphabetical order
  /// Categorical, with very many: the code of each category, which several may share; empty: its own.
  std::vector<std::int32_t> group_of;
  std::vector<double> group_shares;        ///< with `group_of`: how much of its code's rows each category has
  std::vector<std::uint32_t> member_first; ///< what `index_members` found: categories by code,
  std::vector<std::int32_t> members;       ///< ascending in each,
  std::vector<double> member_until;        ///< and how much of the code's rows they and those before have
  std::vector<double> points;              ///< exact, binned: values that are a code each, ascending
  std::vector<double> knots;               ///< binned: bin edges, ascending, bins + 1 of them
  std::size_t fine = 0;      ///< binned: parts of a bin that the fine code tells apart; 0: no such code
  std::vector<double> atoms; ///< binned: values inside bins that the fine code names, ascending
  std::vector<std::uint32_t> atom_first; ///< with atoms: the first one of each bin; what `index_atoms` found
  double mean = 0;                       ///< standardised
  double sd = 1;                         ///< standardised; > 0
  double minimum = 0;                    ///< numerical: the range decoded values stay in
  double maximum = 0;
  int decimals = -1; ///< numerical: digits after the point of decoded values; −1: as they come

  ColumnKind column_kind() const noexcept {
    return kind == Kind::categorical ? ColumnKind::categorical : ColumnKind::numerical;
  }
  bool has_number() const noexcept { return kind == Kind::standardised; }
  /// Codes that categories share; 0: each has its own.
  std::size_t groups() const noexcept { return member_first.empty() ? 0 : member_first.size() - 1; }
  std::size_t bins() const noexcept { return knots.empty() ? 0 : knots.size() - 1; }
  std::size_t plain_codes() const noexcept {
    return kind == Kind::categorical    ? (groups() > 0 ? groups() : categories.size())
           : kind == Kind::standardised ? 1
                                        : points.size() + bins();
  }
  /// Number of codes; 0 if the column is a number and nothing else.
  std::size_t codes() const noexcept {
    if (kind == Kind::standardised)
      return has_missing ? 2 : 0;
    return plain_codes() + (has_other ? 1 : 0) + (has_missing ? 1 : 0);
  }
  /// Most atoms of a bin.
  std::size_t most_atoms() const noexcept {
    std::size_t most = 0;
    for (std::size_t bin = 0; bin + 1 < atom_first.size(); ++bin)
      most = std::max<std::size_t>(most, atom_first[bin + 1] - atom_first[bin]);
    return most;
  }
  /// Number of fine codes; 0 if the column has none.
  std::size_t fine_codes() const noexcept { return fine == 0 ? 0 : fine + most_atoms(); }
  /// Finds which atoms are whose bin's. To be called after knots or atoms changed.
  void index_atoms() {
    atom_first.clear();
    if (atoms.empty())
      return;
    for (std::size_t bin = 0; bin < bins(); ++bin) // as `code_of` cuts: an edge belongs to the bin above
      atom_first.push_back(static_cast<std::uint32_t>(
          bin == 0 ? 0 : std::lower_bound(atoms.begin(), atoms.end(), knots[bin]) - atoms.begin()));
    atom_first.push_back(static_cast<std::uint32_t>(atoms.size()));
  }
  /// Finds which categories have which code. To be called after groups changed. \throws SchemaError for
  /// groups or shares that cannot be
  void index_members() {
    member_first.clear();
    members.clear();
    member_until.clear();
    if (group_of.empty() && group_shares.empty())
      return;
    const auto require = [this](bool holds) {
      if (!holds)
        throw SchemaError("column '" + name + "': the codes that its categories share are impossible");
    };
    require(kind == Kind::categorical && group_of.size() == categories.size() &&
            group_shares.size() == categories.size() && !group_of.empty());
    const auto most = *std::max_element(group_of.begin(), group_of.end());
    require(*std::min_element(group_of.begin(), group_of.end()) >= 0 &&
            static_cast<std::size_t>(most) < categories.size());
    std::vector<std::uint32_t> counts(static_cast<std::size_t>(most) + 1);
    for (const auto group : group_of)
      ++counts[static_cast<std::size_t>(group)];
    require(std::all_of(counts.begin(), counts.end(), [](std::uint32_t count) { return count > 0; }));
    member_first.assign(1, 0);
    for (const auto count : counts)
      member_first.push_back(member_first.back() + count);
    members.resize(categories.size());
    member_until.resize(categories.size());
    std::vector<std::uint32_t> next(member_first.begin(), member_first.end() - 1);
    std::vector<double> so_far(counts.size());
    for (std::size_t k = 0; k < categories.size(); ++k) {
      const auto group = static_cast<std::size_t>(group_of[k]);
      require(group_shares[k] > 0);
      so_far[group] += group_shares[k];
      members[next[group]] = static_cast<std::int32_t>(k);
      member_until[next[group]++] = so_far[group];
    }
    require(std::all_of(so_far.begin(), so_far.end(), [](double sum) { return std::abs(sum - 1) < 1e-6; }));
  }
  /// "Other" is behind the last category: among categories, and as a code.
  std::int32_t other_category() const noexcept { return static_cast<std::int32_t>(categories.size()); }
  std::int32_t other() const noexcept { return static_cast<std::int32_t>(plain_codes()); }
  std::int32_t missing() const noexcept { return static_cast<std::int32_t>(codes()) - 1; }

  /// All that encoding and decoding rely on. \throws SchemaError naming the column
  void check() const {
    const auto require = [this](bool holds, const char* what) {
      if (!holds)
        throw SchemaError("column '" + name + "': " + what);
    };
    const auto rising = [](const std::vector<double>& values) {
      return std::adjacent_find(values.begin(), values.end(), [](double a, double b) { return !(a < b); }) ==
                 values.end() &&
             std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
    };
    require(rising(points), "its points do not rise");
    require(fine == 0 || kind == Kind::binned, "a column without bins has a fine code");
    require(atoms.empty() || fine > 0, "a column without a fine code has atoms");
    require(rising(atoms) && atoms.size() < (std::size_t{1} << 31U), "its atoms do not rise");
    require(atoms.empty() || (kind == Kind::binned && !knots.empty() && knots.front() <= atoms.front() &&
                              atoms.back() <= knots.back()),
            "an atom lies in no bin");
    auto indexed = *this;
    indexed.index_atoms();
    require(indexed.atom_first == atom_first, "its atoms are not indexed by their bins");
    indexed.index_members();
    require(indexed.member_first == member_first && indexed.members == members &&
                indexed.member_until == member_until,
            "its categories are not indexed by their codes");
    require(fine == 0 || bins() <= (std::size_t{1} << 24U) / fine_codes(),
            "it has more than 16,777,216 pairs of a bin and a fine code");
    require(std::isfinite(minimum) && minimum <= maximum && std::isfinite(maximum) && std::isfinite(mean) &&
                sd > 0 && std::isfinite(sd),
            "its range or scale is impossible");
    switch (kind) {
    case Kind::categorical:
      require(points.empty() && knots.empty(), "a categorical column has points or knots");
      require(std::adjacent_find(categories.begin(), categories.end(), std::greater_equal<>()) ==
                  categories.end(),
              "its categories are not in alphabetical order, each once");
      require(!has_other || !std::binary_search(categories.begin(), categories.end(), other_text),
              "its text for other values is a category, too");
      require(codes() > 0, "it has no categories");
      return;
    case Kind::standardised:
      require(points.empty() && knots.empty() && categories.empty() && !has_other,
              "a standardised column has codes");
      return;
    case Kind::exact:
      require(!points.empty() && knots.empty() && categories.empty() && !has_other,
              "an exact column needs points and nothing else");
      return;
    case Kind::binned:
      require(knots.size() >= 2 && rising(knots) && categories.empty() && !has_other,
              "a binned column needs two or more rising knots");
      return;
    }
    require(false, "it is of no kind there is");
  }

  /// What turns cells into codes and back. A view of this object.
  kernel::Codec view() const noexcept {
    constexpr double powers_of_ten[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    return {.kind = kind,
            .has_missing = has_missing,
            .has_other = has_other,
            .categories = static_cast<std::int32_t>(categories.size()),
            .group_of = group_of.data(),
            .member_first = member_first.data(),
            .members = members.data(),
            .member_until = member_until.data(),
            .groups = static_cast<std::int32_t>(groups()),
            .points = points.data(),
            .point_count = points.size(),
            .knots = knots.data(),
            .bins = bins(),
            .fine = fine,
            .atoms = atoms.data(),
            .atom_first = atom_first.data(),
            .most_atoms = most_atoms(),
            .mean = mean,
            .sd = sd,
            .minimum = minimum,
            .maximum = maximum,
            .rounding = decimals >= 0 && decimals <= 15 ? powers_of_ten[decimals] : 0};
  }
};

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
                            bool label) {
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

/// Fits a codec to a column of the training rows. \param label  it is the table's label
/// \throws SchemaError for a column without any present value, or with an infinite number
inline ColumnCodec fit_codec(const Column& column, const EncodingOptions& options, bool label = false) {
  ColumnCodec codec;
  codec.name = column.name;
  const std::size_t missing = column.missing_count();
  codec.has_missing = missing > 0;
  if (missing == column.rows())
    throw SchemaError("encoding: column '" + column.name + "' has no present value in " +
                      std::to_string(column.rows()) + " training rows; drop it or give it values");
  if (column.kind == ColumnKind::categorical) {
    detail::fit_categorical(codec, column, options, label);
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

ROWSMITH_END
