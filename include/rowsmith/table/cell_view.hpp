// SPDX-License-Identifier: MIT
/// \file
/// One cell of a row, whatever the row is stored in.
#pragma once

#include <concepts>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// Numbers that a double holds exactly; of others the caller says by a cast that digits may be lost.
template <class Number>
concept CellNumber = (std::floating_point<Number> && sizeof(Number) <= sizeof(double)) ||
                     (std::integral<Number> && sizeof(Number) <= 4 && !std::same_as<Number, bool> &&
                      !std::same_as<Number, char>);

/// A cell: nothing (a missing value), a number, or a text. A view: the text must outlive it.
class CellView {
public:
  constexpr CellView() = default;
  /// NaN is a missing value. \param decimals  digits after the point, as `Column::decimals`
  template <CellNumber Number>
  constexpr CellView(Number number, int decimals = -1) noexcept
      : kind_(number == number ? Kind::number : Kind::missing), decimals_(decimals),
        number_(static_cast<double>(number)) {}
  constexpr CellView(std::string_view text) noexcept : kind_(Kind::text), text_(text) {}
  constexpr CellView(const char* text) noexcept : CellView(std::string_view(text)) {}
  CellView(const std::string& text) noexcept : CellView(std::string_view(text)) {}
  CellView(std::nullptr_t) = delete;

  constexpr bool is_missing() const noexcept { return kind_ == Kind::missing; }
  constexpr bool is_number() const noexcept { return kind_ == Kind::number; }
  constexpr bool is_text() const noexcept { return kind_ == Kind::text; }
  /// NaN unless it is a number.
  constexpr double number() const noexcept { return number_; }
  constexpr int decimals() const noexcept { return decimals_; }
  /// Empty unless it is a text.
  constexpr std::string_view text() const noexcept { return text_; }

private:
  enum class Kind : unsigned char { missing, number, text };
  Kind kind_ = Kind::missing;
  int decimals_ = -1;
  double number_ = std::numeric_limits<double>::quiet_NaN();
  std::string_view text_{};
};

/// A row that tells its cells and their columns' names by position, such as `TableRow`.
template <class Row>
concept CellRow = requires(const Row& row, std::size_t column) {
  { row.size() } -> std::convertible_to<std::size_t>;
  { row.name(column) } -> std::convertible_to<std::string_view>;
  { row.cell(column) } -> std::same_as<CellView>;
};

ROWSMITH_END
