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
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/option_range.hpp>
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
  std::size_t max_categories = 1000;
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

ROWSMITH_END
