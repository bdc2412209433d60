// SPDX-License-Identifier: MIT
/// \file
/// How axes tell the numbers of a column.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include <rowsmith/core/utf8.hpp>
#include <rowsmith/evaluate/text.hpp>
#include <rowsmith/table/column_format.hpp>

ROWSMITH_BEGIN
namespace evaluate::detail {

/// How an axis tells a number of a column: as its file writes it. A place between two numbers that the file
/// can write, such as an edge of a bin, has one decimal more; long numbers are rounded, but dates and whole
/// numbers that are kept as distances never are, as their numbers in a table say nothing to a reader.
class AxisText {
public:
  /// \param decimals  as `Column::decimals`
  AxisText(ColumnFormat format, int decimals) : format_(std::move(format)), decimals_(decimals) {}

  /// \param value  a finite number of the table; \returns text that may hold any bytes of the format's marks
  std::string operator()(double value) const {
    constexpr std::size_t most = 16;
    constexpr std::size_t most_whole = 40; // a pattern, or a mark, may be of any length
    std::string text;
    append_formatted(text, value, decimals_, format_);
    if (format_.role == ColumnRole::date || format_.origin != WholeNumber{})
      return shortened(readable_utf8(text), most_whole);
    if (decimals_ >= 0 && !denotes(text, value)) {
      auto finer = format_;
      finer.marks.digits += 1;
      text.clear();
      append_formatted(text, value, decimals_ + 1, finer);
    }
    return text.size() > most ? short_number(value) : text;
  }

private:
  /// Does a text stand for a number, but for what is lost in computing the edges of bins?
  bool denotes(const std::string& text, double value) const {
    std::string scratch;
    const auto read = parse_formatted(text, format_, scratch);
    return read && std::abs(*read - value) <= 1e-12 * std::abs(value) + 1e-6 * std::pow(10.0, -decimals_);
  }

  ColumnFormat format_;
  int decimals_;
};

} // namespace evaluate::detail
ROWSMITH_END
