// SPDX-License-Identifier: MIT
/// \file
/// Cells of Arrow's arrays as texts.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/arrow/c_data.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/kernel/calendar.hpp>
#include <rowsmith/table/text_cell.hpp>

ROWSMITH_BEGIN
namespace detail {

/// The days of the years 0 to 9999, from 1970: those that a text of four digits has.
inline constexpr std::int64_t arrow_first_day = -719'528;
inline constexpr std::int64_t arrow_last_day = 2'932'896;

/// One of Arrow's structures, which is released once.
template <class Struct>
class ArrowOwner {
public:
  ArrowOwner() = default;
  /// Takes it from its owner, whose own is then marked as released.
  explicit ArrowOwner(Struct& from) noexcept : value_(std::exchange(from, Struct{})) {}
  ArrowOwner(ArrowOwner&& other) noexcept : value_(std::exchange(other.value_, Struct{})) {}
  ArrowOwner& operator=(ArrowOwner&& other) noexcept {
    if (this != &other) {
      reset();
      value_ = std::exchange(other.value_, Struct{});
    }
    return *this;
  }
  ~ArrowOwner() { reset(); }
  void reset() noexcept {
    if (value_.release != nullptr)
      value_.release(&value_);
    value_ = {};
  }
  /// Gives it away.
  Struct take() noexcept { return std::exchange(value_, Struct{}); }
  bool released() const noexcept { return value_.release == nullptr; }
  Struct* operator->() noexcept { return &value_; }
  const Struct* operator->() const noexcept { return &value_; }
  Struct& operator*() noexcept { return value_; }
  const Struct& operator*() const noexcept { return value_; }

private:
  Struct value_{};
};

/// What a column of Arrow holds, by its format string.
struct ArrowField {
  enum class Kind {
    nothing,
    boolean,
    whole,   ///< with a sign
    natural, ///< without
    floating,
    text,      ///< with offsets
    text_view, ///< short texts in place, others by a buffer's number
    days,
    milliseconds, ///< of whole days
    timestamp,
    decimal
  };
  Kind kind = Kind::nothing;
  std::size_t width = 0;                ///< bytes of a cell, or of an offset
  int unit = 0;                         ///< of a timestamp: digits of a fraction of a second
  int scale = 0;                        ///< of a decimal
  bool zone = false;                    ///< of a timestamp: it is in UTC
  int digits = 0;                       ///< of a timestamp: those that are written
  std::string name{};                   ///< in messages
  std::shared_ptr<ArrowField> values{}; ///< of a dictionary, whose codes these are

  /// \throws Error for a type that has no place in a table
  static ArrowField of(const ArrowSchema& schema, std::string name) {
    ArrowField field;
    field.name = std::move(name);
    const std::string_view format = schema.format == nullptr ? "" : schema.format;
    const auto is = [&](Kind what, std::size_t bytes) {
      field.kind = what;
      field.width = bytes;
    };
    constexpr std::string_view wholes = "csil";
    constexpr std::string_view naturals = "CSIL";
    if (format.size() == 1 && wholes.find(format[0]) != std::string_view::npos)
      is(Kind::whole, std::size_t{1} << wholes.find(format[0]));
    else if (format.size() == 1 && naturals.find(format[0]) != std::string_view::npos)
      is(Kind::natural, std::size_t{1} << naturals.find(format[0]));
    else if (format == "e" || format == "f" || format == "g")
      is(Kind::floating, format == "e" ? 2 : format == "f" ? 4 : 8);
    else if (format == "u" || format == "U")
      is(Kind::text, format == "u" ? 4 : 8);
    else if (format == "vu")
      is(Kind::text_view, 16);
    else if (format == "b")
      is(Kind::boolean, 0);
    else if (format == "tdD")
      is(Kind::days, 4);
    else if (format == "tdm")
      is(Kind::milliseconds, 8);
    else if (format == "n")
      is(Kind::nothing, 0);
    else if (format.size() > 3 && format.starts_with("ts") && format[3] == ':' &&
             std::string_view("smun").find(format[2]) != std::string_view::npos) {
      is(Kind::timestamp, 8);
      field.unit = 3 * static_cast<int>(std::string_view("smun").find(format[2]));
      field.zone = format.size() > 4;
    } else if (!field.read_decimal(format)) {
      throw Error("column '" + field.name + "' is of Arrow's type " + in_quotes(format) +
                  ", expected numbers, texts, truth values, dates, times with a day or decimals of 128 bits" +
                  (format.starts_with('+') ? "; take nested columns apart" : ""));
    }
    if (schema.n_children != 0)
      throw Error("column '" + field.name + "' has columns within, expected none");
    if (schema.dictionary != nullptr) {
      if (field.kind != Kind::whole && field.kind != Kind::natural)
        throw Error("column '" + field.name + "' has a dictionary, but codes of Arrow's type " +
                    in_quotes(format));
      if (schema.dictionary->dictionary != nullptr)
        throw Error("column '" + field.name + "' has a dictionary of a dictionary");
      field.values = std::make_shared<ArrowField>(of(*schema.dictionary, field.name));
    }
    return field;
  }
  bool operator==(const ArrowField& other) const {
    return kind == other.kind && width == other.width && unit == other.unit && scale == other.scale &&
           zone == other.zone && name == other.name && !values == !other.values &&
           (!values || *values == *other.values);
  }
  /// What its texts are made of: itself, or the values of its dictionary.
  const ArrowField& cells() const noexcept { return values ? *values : *this; }
  ArrowField& cells() noexcept { return values ? *values : *this; }

private:
  /// `d:precision,scale`, and `,128` or nothing.
  bool read_decimal(std::string_view format) {
    if (!format.starts_with("d:"))
      return false;
    std::array<int, 3> numbers{0, 0, 128};
    const char* at = format.data() + 2;
    const char* const end = format.data() + format.size();
    std::size_t count = 0;
    while (count < numbers.size()) {
      const auto read = std::from_chars(at, end, numbers[count]);
      if (read.ec != std::errc())
        return false;
      ++count;
      at = read.ptr;
      if (at == end || *at++ != ',')
        break;
    }
    if (count < 2 || at != end || numbers[1] < 0 || numbers[1] > 38 || numbers[2] != 128)
      return false;
    kind = Kind::decimal;
    width = 16;
    scale = numbers[1];
    return true;
  }
};

/// Cells of one array. Its buffers have no lengths in this interface: that they hold what the array says is
/// its maker's promise, which nobody can check. What can be is.
class ArrowCells {
public:
  /// \param rows  how many of its cells are read at most \throws Error for an array that cannot be of its
  /// field
  ArrowCells(const ArrowField& field, const ArrowArray& array, std::int64_t rows)
      : field_(&field), array_(&array) {
    check_counts(array, field.name);
    if (array.length < rows)
      fail("has an array of " + std::to_string(array.length) + " cells, expected " + std::to_string(rows));
    if (array.n_children != 0)
      fail("has arrays within, expected none");
    const std::int64_t buffers = field.kind == ArrowField::Kind::nothing ? 0
                                 : field.kind == ArrowField::Kind::text  ? 3
                                                                         : 2;
    const bool view =
        field.kind == ArrowField::Kind::text_view; // and one for each buffer of texts, and their sizes
    if (view ? array.n_buffers < 3 || array.n_buffers > std::int64_t{1} << 31U : array.n_buffers != buffers)
      fail("has an array of " + std::to_string(array.n_buffers) + " buffers, expected " +
           (view ? "3 or more" : std::to_string(buffers)));
    if (array.n_buffers > 0 && array.buffers == nullptr)
      fail("has an array without buffers");
    if (rows > 0 && buffers > 0 && array.buffers[1] == nullptr)
      fail("has an array whose buffer of cells is not there");
    if (array.null_count > 0 && buffers > 0 && array.buffers[0] == nullptr)
      fail("has missing cells, but no buffer that says which");
    if ((array.dictionary != nullptr) != (field.values != nullptr))
      fail(field.values ? "has an array without its dictionary"
                        : "has an array with a dictionary, expected none");
    if (field.values)
      values_ = std::make_shared<ArrowCells>(*field.values, *array.dictionary, array.dictionary->length);
  }

  static void check_counts(const ArrowArray& array, const std::string& name) {
    constexpr std::int64_t most = std::int64_t{1} << 56U; // nothing overflows
    if (array.length < 0 || array.length > most || array.offset < 0 || array.offset > most ||
        array.null_count < -1 || array.null_count > array.length)
      throw Error("column '" + name + "' has an array of length " + std::to_string(array.length) +
                  ", offset " + std::to_string(array.offset) + " and " + std::to_string(array.null_count) +
                  " missing cells");
  }
  static bool bit(const void* bits, std::int64_t at) noexcept {
    return ((static_cast<const unsigned char*>(bits)[at / 8] >> static_cast<unsigned>(at % 8)) & 1U) != 0;
  }

  /// Appends the text of cell `i`. \param quoted  the text is no word for a missing value
  /// \returns false if it is missing \throws Error
  bool append(std::int64_t i, std::string& to, bool& quoted) const {
    using Kind = ArrowField::Kind;
    quoted = false;
    if (missing(i))
      return false;
    const std::int64_t at = array_->offset + i;
    if (values_) {
      const bool is_signed = field_->kind == Kind::whole;
      const std::uint64_t code = is_signed ? static_cast<std::uint64_t>(whole(at)) : natural(at);
      if (code >= static_cast<std::uint64_t>(values_->array_->length)) // negative ones are large
        fail("has the code " + (is_signed ? std::to_string(whole(at)) : std::to_string(code)) +
             ", but its dictionary " + std::to_string(values_->array_->length) + " values");
      return values_->append(static_cast<std::int64_t>(code), to, quoted);
    }
    switch (field_->kind) {
    case Kind::boolean:
      to += bit(array_->buffers[1], at) ? "true" : "false";
      break;
    case Kind::whole:
      to += std::to_string(whole(at));
      break;
    case Kind::natural:
      to += std::to_string(natural(at));
      break;
    case Kind::floating:
      return append_floating(at, to);
    case Kind::text:
    case Kind::text_view: {
      const auto text = field_->kind == Kind::text ? offset_text(at) : view_text(at);
      if (const char* wrong = wrong_text(text))
        fail(wrong);
      to += text;
      quoted = needs_quotes_among_texts(text);
      break;
    }
    case Kind::days:
      append_day(to, load<std::int32_t>(at));
      break;
    case Kind::milliseconds: {
      constexpr std::int64_t day = 86'400'000;
      const auto value = load<std::int64_t>(at);
      if (value % day != 0)
        fail("holds a date of " + std::to_string(value) + " milliseconds, expected whole days");
      append_day(to, value / day);
      break;
    }
    case Kind::timestamp:
      append_time(to, load<std::int64_t>(at));
      break;
    case Kind::decimal:
      append_decimal(to, at);
      break;
    case Kind::nothing:
      return false;
    }
    return true;
  }
  /// How many digits of a fraction of a second cells [begin, end) need; of a dictionary, all of its values.
  int fraction_digits(std::int64_t begin, std::int64_t end) const {
    if (values_)
      return values_->fraction_digits(0, values_->array_->length);
    int digits = 0;
    for (std::int64_t i = begin; i < end && digits < field_->unit; ++i) {
      if (missing(i))
        continue;
      auto value = load<std::int64_t>(array_->offset + i);
      int needed = field_->unit;
      while (needed > 0 && value % 1000 == 0) {
        value /= 1000;
        needed -= 3;
      }
      digits = needed > digits ? needed : digits;
    }
    return digits;
  }

private:
  bool missing(std::int64_t i) const {
    if (field_->kind == ArrowField::Kind::nothing)
      return true;
    const void* const valid = array_->buffers[0];
    return valid != nullptr && array_->null_count != 0 && !bit(valid, array_->offset + i);
  }
  template <class Number>
  Number load(std::int64_t at, std::size_t buffer = 1) const {
    Number number;
    std::memcpy(&number,
                static_cast<const char*>(array_->buffers[buffer]) +
                    at * static_cast<std::int64_t>(sizeof(Number)),
                sizeof(Number));
    return number;
  }
  template <class Of1, class Of2, class Of4, class Of8>
  Of8 number_of_width(std::int64_t at) const {
    switch (field_->width) {
    case 1:
      return load<Of1>(at);
    case 2:
      return load<Of2>(at);
    case 4:
      return load<Of4>(at);
    default:
      return load<Of8>(at);
    }
  }
  std::int64_t whole(std::int64_t at) const {
    return number_of_width<std::int8_t, std::int16_t, std::int32_t, std::int64_t>(at);
  }
  std::uint64_t natural(std::int64_t at) const {
    return number_of_width<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>(at);
  }
  /// Numbers of less precision are written by the digits that tell them from each other.
  bool append_floating(std::int64_t at, std::string& to) const {
    const auto put = [&](auto number) {
      if (std::isnan(number))
        return false; // a table has no other use for it
      if (std::isinf(number))
        fail("holds an infinite number, expected a finite one or a missing value");
      append_exact_number(to, number);
      return true;
    };
    if (field_->width == 8)
      return put(load<double>(at));
    return put(field_->width == 4 ? load<float>(at) : half(load<std::uint16_t>(at)));
  }
  /// IEEE 754 binary16.
  static float half(std::uint16_t bits) noexcept {
    const int exponent = (bits >> 10U) & 31;
    const auto fraction = static_cast<float>(bits & 1023U);
    const float size = exponent == 31  ? (fraction == 0 ? std::numeric_limits<float>::infinity()
                                                        : std::numeric_limits<float>::quiet_NaN())
                       : exponent == 0 ? std::ldexp(fraction, -24)
                                       : std::ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000U) != 0 ? -size : size;
  }
  std::string_view offset_text(std::int64_t at) const {
    const std::int64_t begin = field_->width == 4 ? load<std::int32_t>(at) : load<std::int64_t>(at);
    const std::int64_t end = field_->width == 4 ? load<std::int32_t>(at + 1) : load<std::int64_t>(at + 1);
    if (begin < 0 || end < begin)
      fail("has a text from byte " + std::to_string(begin) + " to " + std::to_string(end));
    if (begin == end)
      return {};
    if (array_->buffers[2] == nullptr)
      fail("has an array whose buffer of texts is not there");
    return {static_cast<const char*>(array_->buffers[2]) + begin, static_cast<std::size_t>(end - begin)};
  }
  /// A length of 4 bytes, then the text, if it has at most 12; else 4 bytes of it, the number of a buffer and
  /// the place in it.
  std::string_view view_text(std::int64_t at) const {
    const auto* view = static_cast<const char*>(array_->buffers[1]) + 16 * at;
    std::array<std::int32_t, 4> words{};
    std::memcpy(words.data(), view, 16);
    const std::int64_t length = words[0];
    if (length >= 0 && length <= 12)
      return {view + 4, static_cast<std::size_t>(length)};
    const std::int64_t texts = array_->n_buffers - 3;
    const auto* sizes = static_cast<const char*>(array_->buffers[array_->n_buffers - 1]);
    std::int64_t size = 0;
    const bool there = length > 0 && words[2] >= 0 && words[2] < texts && words[3] >= 0 && sizes != nullptr &&
                       array_->buffers[2 + words[2]] != nullptr;
    if (there)
      std::memcpy(&size, sizes + 8 * static_cast<std::int64_t>(words[2]), 8);
    if (!there || words[3] > size || length > size - words[3])
      fail("has a text of " + std::to_string(length) + " bytes at " + std::to_string(words[3]) +
           " of buffer " + std::to_string(words[2]) + ", which does not hold it");
    return {static_cast<const char*>(array_->buffers[2 + words[2]]) + words[3],
            static_cast<std::size_t>(length)};
  }
  static void append_padded(std::string& to, std::int64_t number, std::size_t width) {
    const auto text = std::to_string(number);
    to.append(text.size() < width ? width - text.size() : 0, '0');
    to += text;
  }
  void append_day(std::string& to, std::int64_t days) const {
    if (days < arrow_first_day || days > arrow_last_day)
      fail("holds a date of a year outside 0 to 9999");
    const auto civil = kernel::civil_day(days);
    append_padded(to, civil.year, 4);
    to += '-';
    append_padded(to, civil.month, 2);
    to += '-';
    append_padded(to, civil.day, 2);
  }
  void append_time(std::string& to, std::int64_t value) const {
    std::int64_t second = 1;
    for (int i = 0; i < field_->unit; ++i)
      second *= 10;
    const auto floor = [](std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
    const auto rest = [](std::int64_t a, std::int64_t b) { return a % b + (a % b < 0 ? b : 0); };
    const std::int64_t seconds = floor(value, second);
    std::int64_t fraction = rest(value, second);
    const std::int64_t of_day = rest(seconds, 86'400);
    append_day(to, floor(seconds, 86'400));
    to += field_->zone ? 'T' : ' ';
    append_padded(to, of_day / 3600, 2);
    to += ':';
    append_padded(to, of_day / 60 % 60, 2);
    to += ':';
    append_padded(to, of_day % 60, 2);
    for (int i = field_->unit; i > field_->digits; --i) {
      if (fraction % 10 != 0) // the digits are those that the rows needed when they were looked through
        fail("holds a time of more digits than there were when the stream was opened before");
      fraction /= 10;
    }
    if (field_->digits > 0) {
      to += '.';
      append_padded(to, fraction, static_cast<std::size_t>(field_->digits));
    }
    if (field_->zone)
      to += 'Z';
  }
  /// A whole number of 128 bits, divided by a power of ten.
  void append_decimal(std::string& to, std::int64_t at) const {
    std::array<std::uint32_t, 4> limbs{}; // the lowest first
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(limbs.data(), static_cast<const char*>(array_->buffers[1]) + 16 * at, 16);
    const bool negative = limbs[3] >> 31U != 0;
    if (negative) {
      std::uint64_t carry = 1;
      for (auto& limb : limbs) {
        carry += std::uint64_t{~limb};
        limb = static_cast<std::uint32_t>(carry);
        carry >>= 32U;
      }
    }
    std::string digits; // the lowest first
    while (limbs != std::array<std::uint32_t, 4>{} ||
           digits.size() <= static_cast<std::size_t>(field_->scale)) {
      std::uint64_t rest = 0;
      for (std::size_t k = limbs.size(); k-- > 0;) {
        rest = (rest << 32U) | limbs[k];
        limbs[k] = static_cast<std::uint32_t>(rest / 10);
        rest %= 10;
      }
      digits += static_cast<char>('0' + rest);
    }
    if (negative)
      to += '-';
    for (std::size_t k = digits.size(); k-- > 0;) {
      to += digits[k];
      if (k > 0 && k == static_cast<std::size_t>(field_->scale))
        to += '.';
    }
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("column '" + field_->name + "' " + what);
  }

  const ArrowField* field_;
  const ArrowArray* array_;
  std::shared_ptr<ArrowCells> values_; ///< of a dictionary
};

} // namespace detail
ROWSMITH_END
