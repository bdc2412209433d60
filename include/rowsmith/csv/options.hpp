// SPDX-License-Identifier: MIT
/// \file
/// How a CSV file is written down.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/encoding.hpp>

ROWSMITH_BEGIN

namespace detail {
/// Around fields these do not count, unless they are the delimiter.
inline bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
} // namespace detail

/// Options of reading and writing CSV. The defaults are RFC 4180 with a header line.
struct CsvOptions {
  char delimiter = ',';
  bool header = true; ///< the first record holds the column names; never guessed
  char comment = 0;   ///< lines that begin with it are skipped; 0: none
  /// Unquoted fields with one of these texts are missing values. The first of them is written for one.
  std::vector<std::string> missing{"?", "", "NA"};
  /// Column names of a file without a header; empty: those of the schema, else "column_1", "column_2", …
  std::vector<std::string> names{};
  /// Column name -> text that is taken off the end of its fields where it is there, such as a full stop.
  std::map<std::string, std::string> strip_suffix{};
  /// Without a schema: names of columns that are categorical even if they hold numbers, such as postal codes.
  std::vector<std::string> categorical{};
  /// With a schema: columns of the file that the schema does not name are passed over, not an error.
  bool ignore_unknown_columns = false;
  std::size_t max_rows = std::numeric_limits<std::size_t>::max(); ///< stop after this many
  std::size_t skipped_lines = 0; ///< lines before the header (or the first record), such as a title
  TextEncoding encoding = TextEncoding::utf8; ///< of the file; texts in memory are UTF-8
  bool carriage_returns = false;              ///< lines end in carriage returns alone
  bool check_text = false; ///< a byte that is no text of the encoding is an error; UTF-16 is always checked

  /// \throws OptionError
  void check() const {
    if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || delimiter == 0 || delimiter == ' ')
      throw OptionError("csv.delimiter: a quotation mark, a blank or a line break cannot separate fields");
    if (comment == delimiter || comment == '"' || comment == '\n' || comment == '\r')
      throw OptionError(
          "csv.comment: the delimiter, a quotation mark or a line break cannot begin a comment");
    if (header && !names.empty())
      throw OptionError("csv.names: the header holds the names; csv.header = false says that there is none");
    const auto never_read = [this](const std::string& text) {
      return !text.empty() &&
             (detail::is_blank(text.front()) || detail::is_blank(text.back()) || text.front() == '"' ||
              (comment != 0 && text.front() == comment) || text.find(delimiter) != std::string::npos ||
              text.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos);
    };
    for (const auto& text : missing)
      if (never_read(text))
        throw OptionError("csv.missing: no unquoted field can be " + detail::in_quotes(text));
  }
};

ROWSMITH_END
