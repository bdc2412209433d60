// SPDX-License-Identifier: MIT
/// \file
/// Tables handed to other programs in memory.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/arrow/arrow_cells.hpp>
#include <rowsmith/arrow/c_data.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/whole_number.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_format.hpp>

ROWSMITH_BEGIN

/// A table as Arrow has it. Whoever takes one of the two by `take()` has to release it; what is not taken is
/// released here.
struct ArrowTable {
  detail::ArrowOwner<ArrowSchema> schema{}; ///< of the type struct
  detail::ArrowOwner<ArrowArray> array{};
};

namespace detail {

/// What a schema points to. What of it nobody took is released with it.
struct ArrowSchemaParts {
  std::string format{};
  std::string name{};
  std::vector<ArrowOwner<ArrowSchema>> owned{};
  std::vector<ArrowSchema*> children{};
  ArrowOwner<ArrowSchema> dictionary{};
};
/// What an array points to.
struct ArrowArrayParts {
  std::vector<const void*> buffers{};
  std::vector<unsigned char> valid{};
  std::vector<double> doubles{};
  std::vector<std::int64_t> wholes{};
  std::vector<std::int32_t> codes{};
  std::vector<std::int64_t> offsets{};
  std::string texts{};
  std::vector<ArrowOwner<ArrowArray>> owned{};
  std::vector<ArrowArray*> children{};
  ArrowOwner<ArrowArray> dictionary{};
};

/// Releases what is still there: whoever took a child has marked it.
template <class Struct, class Parts>
void release_arrow(Struct* released) {
  delete static_cast<Parts*>(released->private_data);
  released->release = nullptr;
}
/// Hands the parts over to a structure. The children are those of `parts->owned`. Until all is in place the
/// structure counts as released, and the parts go with whatever is thrown.
template <class Struct, class Parts>
void fill_arrow(Struct& to, std::unique_ptr<Parts> parts) {
  parts->children.reserve(parts->owned.size());
  for (auto& child : parts->owned)
    parts->children.push_back(&*child);
  to.n_children = static_cast<std::int64_t>(parts->children.size());
  to.children = parts->children.empty() ? nullptr : parts->children.data();
  to.dictionary = parts->dictionary.released() ? nullptr : &*parts->dictionary;
  to.release = &release_arrow<Struct, Parts>;
  to.private_data = parts.release();
}
inline void fill_schema(ArrowSchema& to, std::unique_ptr<ArrowSchemaParts> parts, std::int64_t flags) {
  to.format = parts->format.c_str();
  to.name = parts->name.c_str();
  to.flags = flags;
  fill_arrow(to, std::move(parts));
}
inline void fill_array(ArrowArray& to, std::unique_ptr<ArrowArrayParts> parts, std::size_t length,
                       std::size_t missing) {
  to.length = static_cast<std::int64_t>(length);
  to.null_count = static_cast<std::int64_t>(missing);
  to.n_buffers = static_cast<std::int64_t>(parts->buffers.size());
  to.buffers = parts->buffers.data();
  fill_arrow(to, std::move(parts));
}

inline bool has_origin(const ColumnFormat* known) {
  return known != nullptr && !(known->origin == WholeNumber{});
}
/// Seconds of a year from 0 to 9999; others become its ends, as they do in texts.
inline double arrow_seconds(double number) {
  constexpr auto day = 86'400.0;
  return std::clamp(number, day * static_cast<double>(arrow_first_day),
                    day * static_cast<double>(arrow_last_day) + (day - 1));
}
/// A whole number by its distance from the column's origin, as `append_formatted` has it.
inline WholeNumber arrow_origin_whole(double number, const ColumnFormat& known) {
  return at_distance(known.origin, std::clamp(std::round(number), -0x1p53, 0x1p53));
}

/// The unit of times that have so many digits of a fraction of a second. 64 bits of nanoseconds hold the
/// years 1678 to 2261 alone, of microseconds all. \throws Error where neither holds a column's times
inline char arrow_time_unit(const Column& column, int digits) {
  if (digits <= 6)
    return digits == 0 ? 's' : digits <= 3 ? 'm' : 'u';
  constexpr double most = 9'223'372'035; // seconds, and a whole one less than there is room for
  double least_time = 0;
  double most_time = 0;
  bool microseconds = true; // tell all of them, to the last digit of a double
  for (const double value : column.values) {
    if (std::isnan(value))
      continue;
    const double number = arrow_seconds(value);
    const double seconds = std::floor(number);
    least_time = std::min(least_time, number);
    most_time = std::max(most_time, number);
    microseconds = microseconds && seconds + std::round((number - seconds) * 1e6) / 1e6 == number;
  }
  if (least_time >= -most && most_time <= most)
    return 'n';
  if (!microseconds)
    throw Error("column '" + column.name +
                "' has times of more than 6 digits of a fraction of a second beside times of years outside "
                "1678 to 2261, which no type of 64 bits holds");
  return 'u';
}

/// Which of Arrow's types a column has: `g`, `l`, `tdD`, a timestamp, or codes of texts (`i`).
inline std::string arrow_format(const Column& column, const ColumnFormat* known) {
  if (column.kind == ColumnKind::categorical)
    return "i";
  if (known != nullptr && known->role == ColumnRole::date && has(known->pattern, 'Y'))
    return counts_days(known->pattern)
               ? "tdD"
               : std::string("ts") + arrow_time_unit(column, fraction_digits(known->pattern)) + ":" +
                     (known->pattern.ends_with('Z') ? "UTC" : "");
  if (has_origin(known))
    return known->origin.magnitude < std::uint64_t{1} << 62U ? "l" : "g";
  const bool whole =
      column.decimals == 0 && std::all_of(column.values.begin(), column.values.end(), [](double x) {
        return std::isnan(x) || (x == std::floor(x) && std::abs(x) < 0x1p53);
      });
  return whole ? "l" : "g";
}

/// The number of a cell in the units of its type.
inline std::int64_t arrow_whole(double number, std::string_view format, const ColumnFormat* known) {
  if (format.starts_with("ts")) {
    const double bounded = arrow_seconds(number);
    const double seconds = std::floor(bounded);
    const double scale = format[2] == 's' ? 1 : format[2] == 'm' ? 1e3 : format[2] == 'u' ? 1e6 : 1e9;
    return static_cast<std::int64_t>(seconds) * static_cast<std::int64_t>(scale) +
           static_cast<std::int64_t>(std::round((bounded - seconds) * scale));
  }
  if (has_origin(known))
    return signed_number(arrow_origin_whole(number, *known)).value();
  return static_cast<std::int64_t>(std::round(number));
}

inline void export_schema(const Column& column, const ColumnFormat* known, ArrowSchema& schema) {
  auto described = std::make_unique<ArrowSchemaParts>();
  described->name = column.name;
  described->format = arrow_format(column, known);
  if (column.kind == ColumnKind::categorical) {
    auto type = std::make_unique<ArrowSchemaParts>();
    type->format = "U";
    fill_schema(*described->dictionary, std::move(type), 0);
  }
  fill_schema(schema, std::move(described), ARROW_FLAG_NULLABLE);
}
inline void export_texts(const Dictionary& dictionary, ArrowArray& array) {
  auto words = std::make_unique<ArrowArrayParts>();
  words->offsets.push_back(0);
  for (const auto& text : dictionary.texts()) {
    words->texts += text;
    words->offsets.push_back(static_cast<std::int64_t>(words->texts.size()));
  }
  // A missing cell has a code, too: the first, which must be there.
  if (dictionary.size() == 0)
    words->offsets.push_back(0);
  words->buffers = {nullptr, words->offsets.data(), words->texts.data()};
  const std::size_t size = words->offsets.size() - 1;
  fill_array(array, std::move(words), size, 0);
}
/// \param format  the column's, as `arrow_format` has it \param with_texts  of a category: with its
/// dictionary
inline void export_array(const Column& column, const ColumnFormat* known, std::string_view format,
                         ArrowArray& array, bool with_texts = true) {
  auto parts = std::make_unique<ArrowArrayParts>();
  const std::size_t rows = column.rows();
  const std::size_t missing = column.missing_count();
  if (missing > 0) {
    parts->valid.assign((rows + 7) / 8, 0);
    for (std::size_t row = 0; row < rows; ++row)
      if (!column.is_missing(row))
        parts->valid[row / 8] = static_cast<unsigned char>(parts->valid[row / 8] | (1U << row % 8));
  }
  const void* cells = nullptr;
  if (format == "i") {
    for (const auto code : column.codes)
      parts->codes.push_back(std::max(code, 0));
    parts->codes.push_back(0); // a buffer is there, if the table has no rows
    cells = parts->codes.data();
    if (with_texts)
      export_texts(column.dictionary, *parts->dictionary);
  } else if (format == "g") {
    for (const double value : column.values) {
      double exact = value;
      if (has_origin(known) && !std::isnan(value)) {
        const auto whole = arrow_origin_whole(value, *known);
        exact = (whole.negative ? -1.0 : 1.0) * static_cast<double>(whole.magnitude);
      }
      parts->doubles.push_back(std::isnan(exact) ? 0 : exact);
    }
    parts->doubles.push_back(0);
    cells = parts->doubles.data();
  } else if (format == "tdD") {
    for (const double value : column.values)
      parts->codes.push_back(std::isnan(value) ? 0
                                               : static_cast<std::int32_t>(std::clamp(
                                                     std::round(value), static_cast<double>(arrow_first_day),
                                                     static_cast<double>(arrow_last_day))));
    parts->codes.push_back(0);
    cells = parts->codes.data();
  } else {
    for (const double value : column.values)
      parts->wholes.push_back(std::isnan(value) ? 0 : arrow_whole(value, format, known));
    parts->wholes.push_back(0);
    cells = parts->wholes.data();
  }
  parts->buffers = {missing > 0 ? parts->valid.data() : nullptr, cells};
  fill_array(array, std::move(parts), rows, missing);
}

inline const ColumnFormat* known_format(const TableFormat& format, const std::string& name) {
  const auto known = std::find_if(format.columns.begin(), format.columns.end(),
                                  [&](const ColumnFormat& one) { return one.name == name; });
  return known == format.columns.end() ? nullptr : &*known;
}
/// Of a table, without its cells.
inline ArrowOwner<ArrowSchema> arrow_schema(const Table& table, const TableFormat& format) {
  auto described = std::make_unique<ArrowSchemaParts>();
  described->format = "+s";
  described->owned.resize(table.size());
  for (std::size_t c = 0; c < table.size(); ++c)
    export_schema(table[c], known_format(format, table[c].name), *described->owned[c]);
  ArrowOwner<ArrowSchema> schema;
  fill_schema(*schema, std::move(described), 0);
  return schema;
}

} // namespace detail

/// A table as one array of the type struct, a copy. Categories are codes of 32 bits with a dictionary of
/// texts; numbers without decimals 64-bit integers, where all are less than 2^53, others doubles. \param
/// format  what is known of the columns: dates become date32 or timestamps (those without a year numbers),
/// and whole numbers of more digits than a double holds 64-bit integers, or doubles where these do not hold
/// them. Times of 7 digits of a fraction of a second and more are nanoseconds, or microseconds where a year
/// is outside 1678 to 2261; years outside 0 to 9999 become its ends. \throws Error for a column of times that
/// needs both, naming it
inline ArrowTable to_arrow(const Table& table, const TableFormat& format = {}) {
  ArrowTable result;
  result.schema = detail::arrow_schema(table, format);
  auto parts = std::make_unique<detail::ArrowArrayParts>();
  parts->owned.resize(table.size());
  for (std::size_t c = 0; c < table.size(); ++c)
    detail::export_array(table[c], detail::known_format(format, table[c].name),
                         result.schema->children[c]->format, *parts->owned[c]);
  parts->buffers = {nullptr};
  detail::fill_array(*result.array, std::move(parts), table.rows(), 0);
  return result;
}

/// A table as a stream of one array, for those who take streams. \param stream  is filled in; whoever takes
/// it releases it
inline void to_arrow_stream(Table table, TableFormat format, ArrowArrayStream& stream) {
  struct Parts {
    Table table;
    TableFormat format;
    bool taken = false;
    std::string error{};
  };
  auto parts = std::make_unique<Parts>(Parts{std::move(table), std::move(format)});
  // Nothing may be thrown through the interface.
  stream = {};
  stream.get_schema = [](ArrowArrayStream* from, ArrowSchema* to) {
    auto* const own = static_cast<Parts*>(from->private_data);
    try {
      *to = detail::arrow_schema(own->table, own->format).take();
      return 0;
    } catch (const std::exception& error) {
      own->error = error.what();
      return ENOMEM;
    }
  };
  stream.get_next = [](ArrowArrayStream* from, ArrowArray* to) {
    auto* const own = static_cast<Parts*>(from->private_data);
    try {
      *to = {};
      if (!std::exchange(own->taken, true))
        *to = to_arrow(own->table, own->format).array.take();
      return 0;
    } catch (const std::exception& error) {
      own->error = error.what();
      return ENOMEM;
    }
  };
  stream.get_last_error = [](ArrowArrayStream* from) -> const char* {
    return static_cast<Parts*>(from->private_data)->error.c_str();
  };
  stream.release = [](ArrowArrayStream* from) {
    delete static_cast<Parts*>(from->private_data);
    from->release = nullptr;
  };
  stream.private_data = parts.release();
}

ROWSMITH_END
