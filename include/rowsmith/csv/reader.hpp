// SPDX-License-Identifier: MIT
/// \file
/// Reads a CSV file record by record.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-truncation" // of the header below, seen through inlining
#endif
#if __has_include(<libfccp/csv.h>)
#include <libfccp/csv.h>
#else
#include <csv.h>
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <rowsmith/core/byte_words.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/encoding.hpp>
#include <rowsmith/csv/options.hpp>

ROWSMITH_BEGIN

/// One field of a record. The text is valid until the next record is read.
struct CsvField {
  std::string_view text; ///< without the quotes around it or the blanks around an unquoted field
  bool quoted = false;
};

namespace detail {

/// Hands bytes to the line reader, as UTF-8. Zero bytes are refused here, because the line reader's lines end
/// at them.
class CsvBytes : public io::ByteSourceBase {
public:
  CsvBytes(std::string name, std::FILE* file, std::istream* stream, const CsvOptions& options)
      : name_(std::move(name)), file_(file), stream_(stream), options_(options),
        decoder_(options.encoding, options.carriage_returns) {}
  CsvBytes(const CsvBytes&) = delete;
  CsvBytes& operator=(const CsvBytes&) = delete;
  ~CsvBytes() override {
    if (file_ != nullptr)
      std::fclose(file_);
  }

  int read(char* buffer, int size) override {
    const auto wanted = static_cast<std::size_t>(size);
    TextBytes seen;
    std::size_t count = 0;
    if (decoder_.changes()) {
      count = decoded(buffer, wanted);
      seen.add({buffer, count});
    } else { // in pieces, which are looked at while they are in a cache
      constexpr std::size_t most = std::size_t{1} << 17U;
      for (std::size_t piece = 0, got = 0; count < wanted && got == piece; count += got) {
        piece = std::min(most, wanted - count);
        got = raw(buffer + count, piece);
        seen.add({buffer + count, got});
      }
    }
    // The line reader looks one byte beyond the end for a line break.
    if (count < wanted)
      buffer[count] = 0;
    const std::string_view text(buffer, count);
    if (seen.zeros)
      fail(text.substr(0, text.find('\0')),
           "a zero byte, expected text: the file is damaged or not a CSV file");
    if (options_.check_text && options_.encoding == TextEncoding::utf8 && !(seen.ascii && carry_.empty()))
      check_utf8(text);
    if (count < wanted && count > 0 && !carry_.empty()) // no more comes
      fail(text, "byte " + std::to_string(bytes_ + count - carry_.size() + 1) + not_utf8);
    line_ += seen.lines;
    bytes_ += count;
    return static_cast<int>(count);
  }

private:
  [[noreturn]] void fail(std::string_view before, const std::string& what) const {
    throw CsvError(name_, line_ + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')), 0,
                   what);
  }
  /// Characters may be cut by the end of what was read: up to three bytes are looked at again with the next.
  void check_utf8(std::string_view text) {
    const std::string joined = carry_ + std::string(text.substr(0, 3)); // whole as far as the carry goes
    std::size_t begin = 0;
    if (!carry_.empty()) {
      const std::size_t length = utf8_length(joined);
      if (length < carry_.size() + (text.empty() ? 1 : 0) && (length == 0 || text.empty()))
        fail({}, "byte " + std::to_string(bytes_ - carry_.size() + 1) + not_utf8);
      begin = length - carry_.size();
      carry_.clear();
    }
    while (begin < text.size()) {
      // Stretches of ASCII at once.
      if (begin + 8 <= text.size() && (byte_word(text.data() + begin) & 0x8080808080808080U) == 0) {
        begin += 8;
        continue;
      }
      if (static_cast<unsigned char>(text[begin]) < 0x80) {
        ++begin;
        continue;
      }
      const std::size_t length = utf8_length(text.substr(begin));
      if (length == 0) {
        if (is_cut_utf8(text.substr(begin))) {
          carry_ = text.substr(begin);
          return;
        }
        fail(text.substr(0, begin), "byte " + std::to_string(bytes_ + begin + 1) + not_utf8);
      }
      begin += length;
    }
  }
  std::size_t decoded(char* buffer, std::size_t wanted) {
    while (pending_.size() - taken_ < wanted && !ended_) {
      pending_.erase(0, taken_);
      taken_ = 0;
      std::array<char, 65536> piece; // NOLINT: filled by raw
      const std::size_t count = raw(piece.data(), piece.size());
      ended_ = count < piece.size();
      if (const std::size_t wrong = decoder_.decode({piece.data(), count}, pending_);
          wrong != TextDecoder::none)
        fail(pending_, "byte " + std::to_string(wrong + 1) + " is no UTF-16 text");
      if (ended_ && decoder_.incomplete())
        fail(pending_, "the file ends within a character");
      if (first_ && std::string_view(pending_).substr(0, 3) == "\xEF\xBB\xBF")
        pending_.erase(0, 3); // a byte order mark
      first_ = false;
    }
    const std::size_t count = std::min(wanted, pending_.size() - taken_);
    std::memcpy(buffer, pending_.data() + taken_, count);
    taken_ += count;
    return count;
  }
  std::size_t raw(char* buffer, std::size_t wanted) {
    std::size_t count = 0;
    if (file_ != nullptr) {
      count = std::fread(buffer, 1, wanted, file_);
    } else {
      try {
        stream_->read(buffer, static_cast<std::streamsize>(wanted));
      } catch (const std::ios_base::failure&) { // a stream that throws at its end, or when it is bad
      }
      count = static_cast<std::size_t>(stream_->gcount());
    }
    if (file_ != nullptr ? std::ferror(file_) != 0 : stream_->bad())
      throw CsvError(name_, line_, 0, "cannot be read further");
    return count;
  }

  static constexpr const char* not_utf8 =
      " is no UTF-8 text; if the file is from an old Windows program: --encoding "
      "latin-1 (csv.encoding)";
  std::string name_;
  std::FILE* file_;
  std::istream* stream_;
  CsvOptions options_;
  TextDecoder decoder_;
  std::string pending_; ///< decoded, not yet taken
  std::size_t taken_ = 0;
  bool ended_ = false;
  bool first_ = true;
  std::string carry_; ///< the beginning of a character
  std::size_t bytes_ = 0;
  std::size_t line_ = 1;
};

} // namespace detail

/// Splits a file into records and fields by RFC 4180: fields may be quoted, quoted fields may hold
/// delimiters, doubled quotes and line breaks (which arrive as '\n'). Besides: blanks around fields do not
/// count, CRLF and a UTF-8 byte order mark are understood, blank lines and comment lines are skipped.
class CsvReader {
public:
  /// \throws CsvError if the file cannot be opened
  explicit CsvReader(const std::string& path, const CsvOptions& options = {})
      : CsvReader(path, open(path), nullptr, options) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    file_size_ = error ? 0 : static_cast<std::size_t>(size);
  }
  /// \param name stands for the file in messages \param in must outlive the reader
  /// \throws CsvError if the stream has failed already, as that of a file that could not be opened has
  CsvReader(std::istream& in, const std::string& name, const CsvOptions& options = {})
      : CsvReader(name, nullptr, &in, options) {}

  /// Reads the next record into `fields()`. \returns false at the end of the file
  /// \throws CsvError for a quote that is never closed or is followed by text, a zero byte, or a record of
  /// more than 16 MiB or `max_fields` fields, which bounds the memory that a damaged file can take
  bool next() {
    for (;;) {
      char* line = next_line();
      if (line == nullptr)
        return false;
      record_line_ = line_;
      if ((comment_ != 0 && *line == comment_) || blank(line))
        continue;
      std::string_view record(line, std::strlen(line));
      if (record.find('"') == std::string_view::npos) {
        split_plain(record);
      } else if (!split_quoted(record)) { // what is wrong with it, more lines may mend
        record = complete(line, record);
        if (!split_quoted(record))
          fail(wrong_column_, wrong_);
      }
      bytes_ += record.size() + 1;
      return true;
    }
  }

  /// A record has at most this many fields.
  static constexpr std::size_t max_fields = 100'000;

  const std::vector<CsvField>& fields() const noexcept { return fields_; }
  /// The line that the record begins on, from 1.
  std::size_t line() const noexcept { return record_line_; }
  const std::string& name() const noexcept { return name_; }
  /// Bytes of the records so far, as UTF-8.
  std::size_t bytes() const noexcept { return bytes_; }
  /// Bytes of the file; 0 for a stream.
  std::size_t file_size() const noexcept { return file_size_; }

  /// An error at the current record. \param column the field's number from 1; 0: the whole line
  [[noreturn]] void fail(std::size_t column, const std::string& what) const {
    throw CsvError(name_, record_line_, column, what);
  }

private:
  CsvReader(std::string name, std::FILE* file, std::istream* stream, const CsvOptions& options)
      : name_(std::move(name)), delimiter_(options.delimiter), comment_(options.comment) {
    std::unique_ptr<io::ByteSourceBase> bytes =
        std::make_unique<detail::CsvBytes>(name_, file, stream, options);
    options.check();
    if (stream != nullptr && stream->fail())
      throw CsvError(name_, 0, 0, "the stream cannot be read: it has failed before");
    lines_ = std::make_unique<io::LineReader>("", std::move(bytes));
    for (std::size_t i = 0; i < options.skipped_lines; ++i)
      if (next_line() == nullptr)
        break;
  }
  static std::FILE* open(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr)
      throw CsvError(path, 0, 0, "cannot be opened for reading: " + std::string(std::strerror(errno)));
    return file;
  }

  char* next_line() {
    try {
      char* line = lines_->next_line();
      ++line_;
      return line;
    } catch (const io::error::line_length_limit_exceeded&) {
      throw CsvError(name_, line_ + 1, 0,
                     "the line is longer than 16 MiB: the file is damaged or not a CSV file");
    } catch (const std::system_error& error) { // the line reader's thread
      throw CsvError(name_, line_ + 1, 0, std::string("cannot be read further: ") + error.what());
    }
  }
  bool blank(const char* line) const noexcept {
    while (detail::is_blank(*line) && *line != delimiter_)
      ++line;
    return *line == 0;
  }

  /// Where the scan for an open quote stands; carried from line to line.
  enum class Scan { field_start, unquoted, quoted, after_quote };

  Scan scan(const char* text, Scan state) const noexcept {
    for (; *text != 0; ++text) {
      const char c = *text;
      switch (state) {
      case Scan::field_start:
        state = c == '"'                                 ? Scan::quoted
                : c == delimiter_ || detail::is_blank(c) ? Scan::field_start
                                                         : Scan::unquoted;
        break;
      case Scan::unquoted:
      case Scan::after_quote:
        if (c == delimiter_)
          state = Scan::field_start;
        else if (state == Scan::after_quote && c == '"')
          state = Scan::quoted; // a doubled quote
        else
          state = Scan::unquoted;
        break;
      case Scan::quoted:
        state = c == '"' ? Scan::after_quote : Scan::quoted;
        break;
      }
    }
    return state;
  }

  /// Joins the lines of a record whose quoted fields span several.
  std::string_view complete(const char* line, std::string_view record) {
    Scan state = scan(line, Scan::field_start);
    if (state != Scan::quoted)
      return record;
    joined_ = record;
    while (state == Scan::quoted) {
      const char* more = next_line();
      if (more == nullptr)
        throw CsvError(name_, record_line_, 0,
                       "a quoted field begins here that is never closed, expected \"");
      joined_ += '\n';
      joined_ += more;
      if (joined_.size() > max_record)
        throw CsvError(name_, record_line_, 0,
                       "a quoted field begins here that is not closed within 16 MiB, expected \"");
      state = scan(more, state);
    }
    return joined_;
  }

  const char* skip_blanks(const char* at, const char* end) const noexcept {
    while (at != end && detail::is_blank(*at) && *at != delimiter_)
      ++at;
    return at;
  }
  /// The text between two delimiters.
  CsvField unquoted(const char* begin, const char* end) const noexcept {
    begin = skip_blanks(begin, end);
    while (end != begin && detail::is_blank(end[-1]))
      --end;
    return {{begin, static_cast<std::size_t>(end - begin)}, false};
  }

  /// Of a record without a quote.
  void split_plain(std::string_view record) {
    // Records have mostly as many fields as the one before, whose places are taken.
    CsvField* field = fields_.data();
    CsvField* places_end = field + fields_.size();
    const auto add = [&](const CsvField& next) {
      if (field == places_end) {
        fields_.push_back(next);
        field = places_end = fields_.data() + fields_.size();
      } else {
        *field++ = next;
      }
    };
    const auto count = [&] { return static_cast<std::size_t>(field - fields_.data()); };
    const char* begin = record.data();
    for (std::size_t at = 0; at < record.size() && count() <= max_fields; at += 64) {
      const char* const part = record.data() + at;
      auto places = detail::places_of(delimiter_, part, std::min<std::size_t>(64, record.size() - at));
      for (; places != 0; places &= places - 1) {
        const char* const end = part + std::countr_zero(places);
        add(unquoted(begin, end));
        begin = end + 1;
      }
    }
    add(unquoted(begin, record.data() + record.size()));
    fields_.resize(count());
    if (fields_.size() > max_fields)
      fail(0, too_many());
  }

  /// Of any record. \returns false if something is wrong with it
  bool split_quoted(std::string_view record) {
    fields_.clear();
    // Texts stay where they are but for those with doubled quotes, which have no more room than the record.
    unquoted_.resize(std::max(unquoted_.size(), record.size()));
    char* room = unquoted_.data();
    const char* at = record.data();
    const char* const end = at + record.size();
    for (;;) {
      at = skip_blanks(at, end);
      if (at != end && *at == '"') {
        at = quoted_field(at, end, room);
        if (at == nullptr)
          return false;
      } else {
        const char* const begin = at;
        at = std::find(at, end, delimiter_);
        fields_.push_back(unquoted(begin, at));
      }
      if (fields_.size() > max_fields)
        return wrong(0, too_many());
      if (at == end)
        return true;
      ++at;
    }
  }

  /// \param at  the opening quote \param room  for a text that is not as the record has it \returns what is
  /// behind the field and its blanks: a delimiter or the end; null if something is wrong
  const char* quoted_field(const char* at, const char* end, char*& room) {
    const char* begin = ++at;
    const char* quote = find_quote(at, end);
    char* to = room;
    while (quote != end && quote + 1 != end && quote[1] == '"') { // doubled: one stays
      to = std::copy(at, quote + 1, to);
      at = quote + 2;
      quote = find_quote(at, end);
    }
    if (quote == end) {
      wrong(fields_.size() + 1, "a quoted field that is never closed, expected \"");
      return nullptr;
    }
    auto size = static_cast<std::size_t>(quote - begin);
    if (to != room) {
      to = std::copy(at, quote, to);
      begin = room;
      size = static_cast<std::size_t>(to - room);
      room = to;
    }
    fields_.push_back({{begin, size}, true});
    at = skip_blanks(quote + 1, end);
    if (at == end || *at == delimiter_)
      return at;
    wrong(fields_.size(), "text behind a closing quote, expected the delimiter or the end of the line");
    return nullptr;
  }
  static const char* find_quote(const char* at, const char* end) noexcept {
    for (; end - at >= 8; at += 8)
      if (const auto quotes = detail::bytes_that_are(detail::byte_word(at), '"'); quotes != 0)
        return at + std::countr_zero(quotes);
    return std::find(at, end, '"');
  }
  bool wrong(std::size_t column, std::string what) {
    wrong_column_ = column;
    wrong_ = std::move(what);
    return false;
  }

  static constexpr std::size_t max_record = std::size_t{1} << 24U;
  static std::string too_many() {
    return "more than " + std::to_string(max_fields) +
           " fields: the file is damaged or has another delimiter";
  }

  std::string name_;
  char delimiter_;
  char comment_;
  std::unique_ptr<io::LineReader> lines_;
  std::size_t line_ = 0;
  std::size_t record_line_ = 0;
  std::size_t bytes_ = 0;
  std::size_t file_size_ = 0;
  std::string joined_;
  std::vector<char> unquoted_; ///< texts of the record that have doubled quotes
  std::vector<CsvField> fields_;
  std::string wrong_; ///< with the record, in `wrong_column_`
  std::size_t wrong_column_ = 0;
};

ROWSMITH_END
