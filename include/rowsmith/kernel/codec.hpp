// SPDX-License-Identifier: MIT
/// \file
/// Cells of a row as codes and numbers, and back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <rowsmith/kernel/random.hpp>

ROWSMITH_BEGIN
namespace kernel {

/// The number at `place` in [0, 1] of the way from `low` to `high`, whose distance may be beyond a double.
inline double between(double low, double high, double place) noexcept {
  const double width = high - low;
  return std::isfinite(width) ? low + place * width : (1 - place) * low + place * high;
}
/// (value − from) / unit for a positive unit, also where value − from is beyond a double. NaN stays NaN.
inline double distance_in(double unit, double from, double value) noexcept {
  const double distance = value - from;
  return std::isfinite(distance) ? distance / unit : (value / 2 - from / 2) / (unit / 2);
}

/// The first of rising numbers that is not below `value`, or that is above it; the end if there is none. As
/// std::lower_bound and std::upper_bound, without branches, which for numbers by chance are guessed wrong.
template <class IsBefore>
inline const double* first_not(const double* first, const double* last, const IsBefore& is_before) noexcept {
  auto count = last - first;
  while (count > 1) {
    const auto half = count / 2;
    first += half * static_cast<std::ptrdiff_t>(is_before(first[half - 1]));
    count -= half;
  }
  return first + (count == 1 && is_before(*first) ? 1 : 0);
}
inline const double* first_not_below(const double* first, const double* last, double value) noexcept {
  return first_not(first, last, [value](double number) { return number < value; });
}
inline const double* first_above(const double* first, const double* last, double value) noexcept {
  return first_not(first, last, [value](double number) { return !(value < number); });
}

/// The place of the nearest of `count` rising numbers, at least one; of two as near, the lower.
inline std::size_t nearest(const double* numbers, std::size_t count, double value) noexcept {
  const double* end = numbers + count;
  const double* above = first_not_below(numbers, end, value);
  if (above == end || (above != numbers && value - above[-1] <= *above - value))
    return static_cast<std::size_t>(above - numbers) - 1;
  return static_cast<std::size_t>(above - numbers);
}

enum class CodecKind : std::uint8_t { categorical, standardised, exact, binned };

/// A column's codec, as `ColumnCodec` describes it. A view.
struct Codec {
  CodecKind kind = CodecKind::categorical;
  bool has_missing = false;
  bool has_other = false;
  std::int32_t categories = 0;
  /// Of columns with very many categories: the code of each, which others may share; null: its own.
  const std::int32_t* group_of = nullptr;
  const std::uint32_t* member_first = nullptr; ///< the first member of each code, and behind the last one
  const std::int32_t* members = nullptr;       ///< categories, code by code
  const double* member_until = nullptr;        ///< how much of its code's rows they and those before have
  std::int32_t groups = 0;                     ///< codes
  const double* points = nullptr;
  std::size_t point_count = 0;
  const double* knots = nullptr; ///< bins + 1 of them
  std::size_t bins = 0;
  std::size_t fine = 0;                      ///< parts of a bin; 0: no fine code
  const double* atoms = nullptr;             ///< values inside bins that fine codes name, too, ascending
  const std::uint32_t* atom_first = nullptr; ///< the first atom of each bin, and behind the last one
  std::size_t most_atoms = 0;                ///< of a bin
  double mean = 0;
  double sd = 1;
  double minimum = 0;
  double maximum = 0;
  double rounding = 0; ///< 10 to the number of decimals; 0: decoded values are not rounded

  constexpr bool has_number() const noexcept { return kind == CodecKind::standardised; }
  constexpr std::int32_t plain_codes() const noexcept {
    return kind == CodecKind::categorical    ? (groups > 0 ? groups : categories)
           : kind == CodecKind::standardised ? 1
                                             : static_cast<std::int32_t>(point_count + bins);
  }
  constexpr std::int32_t codes() const noexcept {
    if (kind == CodecKind::standardised)
      return has_missing ? 2 : 0;
    return plain_codes() + (has_other ? 1 : 0) + (has_missing ? 1 : 0);
  }
  constexpr std::int32_t missing() const noexcept { return codes() - 1; }
  /// Codes of categories; "other" counts as the category behind the last one.
  constexpr std::int32_t code_of_category(std::int32_t category) const noexcept {
    return groups == 0 ? category : category < categories ? group_of[category] : plain_codes();
  }
  /// The category that a code stands for. \param position in (0, 1), among those that share the code
  std::int32_t category_of(std::int32_t code, double position) const noexcept {
    if (groups == 0)
      return code;
    if (code >= groups)
      return categories;
    const double* first = member_until + member_first[code];
    const double* last = member_until + member_first[code + 1] - 1;
    return members[std::lower_bound(first, last, position) - member_until];
  }
  /// −log of a category's share of its code's rows; 0 for any that has its own code.
  double surprise_in_code(std::int32_t category) const noexcept {
    if (groups == 0 || category < 0 || category >= categories)
      return 0;
    const std::uint32_t first = member_first[group_of[category]];
    const std::int32_t* end = members + member_first[group_of[category] + 1];
    const auto at = std::lower_bound(members + first, end, category) - members;
    return -std::log(member_until[at] - (at == first ? 0.0 : member_until[at - 1]));
  }
  /// Fine codes: the parts of a bin, then its atoms.
  constexpr std::int32_t fine_codes() const noexcept { return static_cast<std::int32_t>(fine + most_atoms); }

  /// The code of a present number. Values outside the fitted range go to the nearest bin or point.
  std::int32_t code_of(double value) const noexcept {
    if (bins == 0) // a value between two exact ones: the nearer
      return static_cast<std::int32_t>(nearest(points, point_count, value));
    const double* end = points + point_count;
    const double* point = first_not_below(points, end, value);
    if (point != end && *point == value)
      return static_cast<std::int32_t>(point - points);
    const double* edge = first_above(knots + 1, knots + bins, value);
    return static_cast<std::int32_t>(point_count + static_cast<std::size_t>(edge - knots) - 1);
  }
  /// The fine code of a present number whose code is `code`. Values outside go to the nearest part.
  std::int32_t fine_of(double value, std::int32_t code) const noexcept {
    const auto index = static_cast<std::size_t>(code);
    if (fine == 0 || index < point_count)
      return 0;
    const std::size_t bin = index - point_count;
    if (most_atoms > 0) {
      const double* end = atoms + atom_first[bin + 1];
      const double* atom = first_not_below(atoms + atom_first[bin], end, value);
      if (atom != end && *atom == value)
        return static_cast<std::int32_t>(fine) + static_cast<std::int32_t>(atom - atoms) -
               static_cast<std::int32_t>(atom_first[bin]);
    }
    const double part = place_in(bin, value) * static_cast<double>(fine);
    return static_cast<std::int32_t>(std::clamp(part, 0.0, static_cast<double>(fine) - 0.5));
  }
  /// The atom that a bin's code and a fine code name, or null.
  const double* atom_of(std::int32_t code, std::int32_t fine_code) const noexcept {
    if (most_atoms == 0 || fine_code < static_cast<std::int32_t>(fine))
      return nullptr;
    const std::size_t bin = static_cast<std::size_t>(code) - point_count;
    const std::size_t atom = atom_first[bin] + static_cast<std::size_t>(fine_code) - fine;
    return atom < atom_first[bin + 1] ? atoms + atom : nullptr;
  }
  /// Where in its bin, [0, 1], the numbers lie that have these codes; of an atom that the bin does not have,
  /// the middle.
  float place_of(std::int32_t code, std::int32_t fine_code) const noexcept {
    if (fine_code < static_cast<std::int32_t>(fine))
      return (static_cast<float>(fine_code) + 0.5F) / static_cast<float>(fine);
    const double* atom = atom_of(code, fine_code);
    return atom == nullptr ? 0.5F
                           : static_cast<float>(std::clamp(
                                 place_in(static_cast<std::size_t>(code) - point_count, *atom), 0.0, 1.0));
  }
  /// The number that a code and its fine code stand for. An atom that the bin does not have is anywhere in
  /// it. \param position in (0, 1), within the part
  double value_of(std::int32_t code, std::int32_t fine_code, double position) const noexcept {
    if (static_cast<std::size_t>(code) >= point_count) {
      if (const double* atom = atom_of(code, fine_code))
        return *atom;
      if (fine_code < static_cast<std::int32_t>(fine))
        position = (static_cast<double>(fine_code) + position) / static_cast<double>(fine);
    }
    return value_of(code, position);
  }
  /// The number of a code that is neither "missing" nor a category. \param position in (0, 1), within a bin
  double value_of(std::int32_t code, double position) const noexcept {
    const auto index = static_cast<std::size_t>(code);
    if (index < point_count)
      return points[index];
    const double* knot = knots + (index - point_count);
    return finish(between(knot[0], knot[1], position));
  }
  /// How odd it is that a number lies outside the fitted range: 0 inside and for NaN; of codes, the distance
  /// in steps of which the range has one for each code; of standardised numbers, the square of the distance
  /// in standard deviations; infinite for any other number than that of a constant column.
  double excess(double value) const noexcept {
    const double distance = std::max(minimum - value, value - maximum);
    if (!(distance > 0))
      return 0;
    if (!(maximum > minimum))
      return std::numeric_limits<double>::infinity();
    return has_number() ? distance / sd * (distance / sd)
                        : distance / (maximum - minimum) * static_cast<double>(plain_codes());
  }
  /// Numbers outside the fitted range count as its ends; `excess` is for the rest.
  double standardise(double value) const noexcept {
    return distance_in(sd, mean, std::clamp(value, minimum, maximum));
  }
  double unstandardise(double number) const noexcept { return finish(mean + sd * number); }
  /// Rounds to the column's decimals and keeps to its range.
  double finish(double value) const noexcept {
    const double scaled = value * rounding;
    // A number so large that this is beyond a double has no digits to round.
    if (rounding != 0 && std::isfinite(scaled))
      value = std::round(scaled) / rounding;
    return std::clamp(value, minimum, maximum);
  }

private:
  /// Where a number lies in a bin: 0 at its lower edge, 1 at its upper one.
  double place_in(std::size_t bin, double value) const noexcept {
    const double* knot = knots + bin;
    // Halves where the width is beyond a double: the same quotient.
    const double unit = std::isfinite(knot[1] - knot[0]) ? 1 : 0.5;
    const double low = unit * knot[0];
    const double width = unit * knot[1] - low;
    return width > 0 ? distance_in(width, low, unit * value) : 0;
  }
};

/// A stretch of a network's output (and one-hot input) that belongs to one column.
struct Stretch {
  bool categorical = true; ///< `width` codes, or one number
  std::size_t column = 0;  ///< of the table
  std::int32_t offset = 0; ///< first position
  std::int32_t width = 1;
  bool fine = false; ///< the fine code of a column whose code comes just before
  constexpr bool operator==(const Stretch&) const = default;
};

/// How many fine codes there are behind the code of stretch `first`; 1: it has none.
inline std::uint32_t fine_codes_behind(const Stretch* layout, std::size_t stretches,
                                       std::size_t first) noexcept {
  return first + 1 < stretches && layout[first + 1].fine ? static_cast<std::uint32_t>(layout[first + 1].width)
                                                         : 1;
}
/// A code and the fine code behind it as one number. \param codes  one a stretch
/// \param fine_codes  of `fine_codes_behind`
inline std::uint32_t tuple_of(const std::int32_t* codes, std::size_t first,
                              std::uint32_t fine_codes) noexcept {
  const auto code = static_cast<std::uint32_t>(codes[first]);
  return fine_codes == 1 ? code : code * fine_codes + static_cast<std::uint32_t>(codes[first + 1]);
}

/// The columns of a table and the stretches of an encoded row. A view.
struct Columns {
  const Codec* codecs = nullptr;
  std::size_t columns = 0;
  const Stretch* layout = nullptr;
  std::size_t stretches = 0;
  std::ptrdiff_t label = -1; ///< of a conditional model: the stretch of the label

  /// Blocks of random bits that a row takes: two words for each stretch, which code and the place within it.
  constexpr std::size_t word_blocks() const noexcept { return (stretches + 1) / 2; }
};

/// How far the numbers of a row are outside the training rows' ranges, all columns together.
/// \param number_of  (column) -> the number there; NaN if missing
template <class NumberOf>
inline double excess(const Columns& columns, const NumberOf& number_of) noexcept {
  double sum = 0;
  for (std::size_t column = 0; column < columns.columns; ++column)
    if (columns.codecs[column].kind != CodecKind::categorical)
      sum += columns.codecs[column].excess(number_of(column));
  return sum;
}

/// How rare the categories of a row are among those that share their codes, in nats, all columns together.
/// \param category_of  (column) -> the category there
template <class CategoryOf>
inline double rarity(const Columns& columns, const CategoryOf& category_of) noexcept {
  double sum = 0;
  for (std::size_t column = 0; column < columns.columns; ++column)
    if (columns.codecs[column].groups > 0)
      sum += columns.codecs[column].surprise_in_code(category_of(column));
  return sum;
}

/// A decoded cell: the code of a categorical column, or the number of a numerical one. The other, and both
/// where it is missing, are −1 and NaN.
struct Cell {
  std::int32_t code = -1;
  double number = std::numeric_limits<double>::quiet_NaN();
};

/// Calls `set(column, cell)` for each cell of a decoded row.
/// \param codes  one for each stretch, counted from 0 in it; not read where it is a number
/// \param number_at  (stretch) -> the number there; called for stretches that are numbers
/// \param position_at  (stretch) -> a place in (0, 1) within the code there: a bin, or a part of one
template <class NumberAt, class PositionAt, class Set>
inline void each_cell(const Columns& columns, const std::int32_t* codes, const NumberAt& number_at,
                      const PositionAt& position_at, const Set& set) noexcept {
  for (std::size_t h = 0; h < columns.stretches; ++h) {
    const std::size_t column = columns.layout[h].column;
    const Codec& codec = columns.codecs[column];
    float number = 0;
    if (!columns.layout[h].categorical) {
      number = number_at(h);
      if (codec.codes() > 0)
        ++h; // the stretch of "present" and "missing" follows
    }
    const std::int32_t code = columns.layout[h].categorical ? codes[h] : 0;
    const double position = position_at(h);
    if (codec.fine > 0)
      ++h;
    Cell cell;
    if (!codec.has_missing || code != codec.missing()) {
      if (codec.kind == CodecKind::categorical)
        cell.code = codec.category_of(code, position);
      else if (codec.kind == CodecKind::standardised)
        cell.number = codec.unstandardise(static_cast<double>(number));
      else
        cell.number =
            codec.fine > 0 ? codec.value_of(code, codes[h], position) : codec.value_of(code, position);
    }
    set(column, cell);
  }
}

/// The code or number of one stretch of a row; a fine code follows the code before it. \param number,
/// category of the stretch's column: NaN and −1 where it is missing \param codes, numbers  by stretch, codes
/// counted from 0 in it \returns false if the cell has no code: missing where no training row was, infinite,
/// or a category that is not one of the column's
inline bool encode_stretch(const Columns& columns, std::size_t h, double number, std::int32_t category,
                           std::int32_t* codes, float* numbers) noexcept {
  const Stretch& stretch = columns.layout[h];
  const Codec& codec = columns.codecs[stretch.column];
  const bool categorical = codec.kind == CodecKind::categorical;
  const bool missing = categorical ? category == -1 : std::isnan(number);
  if ((missing && !codec.has_missing) || (!categorical && std::isinf(number)))
    return false;
  if (categorical && !missing && (category < 0 || category >= codec.categories + (codec.has_other ? 1 : 0)))
    return false;
  codes[h] = 0;
  if (!stretch.categorical)
    numbers[h] = static_cast<float>(codec.standardise(number));
  else if (missing)
    codes[h] = stretch.fine ? 0 : codec.missing();
  else if (stretch.fine)
    codes[h] = codec.fine_of(number, codes[h - 1]);
  else if (!codec.has_number())
    codes[h] = categorical ? codec.code_of_category(category) : codec.code_of(number);
  return true;
}

/// The same for all stretches of a row. \param number_of, category_of (column) -> the cell
template <class NumberOf, class CategoryOf>
inline bool encode_row(const Columns& columns, const NumberOf& number_of, const CategoryOf& category_of,
                       std::int32_t* codes, float* numbers) noexcept {
  for (std::size_t h = 0; h < columns.stretches; ++h) {
    const std::size_t column = columns.layout[h].column;
    const bool categorical = columns.codecs[column].kind == CodecKind::categorical;
    if (!encode_stretch(columns, h, categorical ? 0.0 : number_of(column),
                        categorical ? category_of(column) : 0, codes, numbers))
      return false;
  }
  return true;
}

} // namespace kernel
ROWSMITH_END
