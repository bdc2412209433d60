// SPDX-License-Identifier: MIT
/// \file
/// Tables as streams and files of Arrow's.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/arrow/arrow_cells.hpp>
#include <rowsmith/arrow/c_data.hpp>
#include <rowsmith/arrow/flat_buffer.hpp>
#include <rowsmith/arrow/ipc_message.hpp>
#include <rowsmith/arrow/to_arrow.hpp>
#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/utf8.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/whole_number.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/date_text.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/table_format.hpp>
#include <rowsmith/table/text_cell.hpp>

ROWSMITH_BEGIN

/// Which of Arrow's two formats (Apache Arrow, "Columnar Format", "Serialization and Interprocess
/// Communication"): batches of rows behind each other, or these between two marks, with a list of where each
/// batch begins.
enum class ArrowIpc { stream, file };

/// Writes generated rows as a stream or a file of Arrow's, a table at a time: memory grows by 24 bytes for
/// each batch of a file, whatever its rows. Columns are those of a file of the format, so that keys and
/// placeholders are among them, and have the types of `to_arrow`; whole numbers beyond 63 bits are texts.
/// Numbers and times are those that `TableFileWriter` would write the text of.
///
/// Categories are codes of a dictionary, which is written once, before the rows: a file of Arrow's allows no
/// other one later, and not every reader takes additions to it. Those of which no text is known before are
/// plain texts.
class ArrowIpcWriter {
public:
  /// Writes what comes before the rows. \param out  has to be there until `finish`; whether it failed is the
  /// caller's to look
  /// \param format  what the columns are; without columns: those of `like`
  /// \param like  a table of the format's columns, with the texts of their categories; it need not have rows.
  /// Types are decided by it, as by `to_arrow`
  /// \param seed  of the keys that are made
  /// \throws SchemaError if `like` has other columns than the format, or for a text that is no UTF-8
  ArrowIpcWriter(std::ostream& out, ArrowIpc kind, const TableFormat& format, const Table& like,
                 std::uint64_t seed = 0)
      : out_(out), kind_(kind), seed_(seed), schema_(like.schema()) {
    static_assert(std::endian::native == std::endian::little, "the buffers would be in the wrong order");
    add_columns(format, like);
    if (kind == ArrowIpc::file)
      put(std::string("ARROW1\0\0", 8));
    put_message(detail::ipc_schema_message(fields_), nullptr);
    for (std::size_t k = 0; k < fields_.size(); ++k)
      if (fields_[k].dictionary >= 0)
        put_dictionary(fields_[k].dictionary, columns_[k].texts);
  }
  ArrowIpcWriter(const ArrowIpcWriter&) = delete;
  ArrowIpcWriter& operator=(const ArrowIpcWriter&) = delete;

  /// Writes rows, in batches of at most 65,536. \param first_row  the number of row 0 in the sample, by which
  /// keys are made \throws SchemaError for other columns, or a category that the dictionary does not have;
  /// Error for a number or a time that its type has no room for
  void append(const Table& table, std::uint64_t first_row = 0) {
    if (table.schema().columns() != schema_.columns())
      throw SchemaError("Arrow: the table has other columns than the ones that the rows before it had");
    constexpr std::size_t most = 65'536;
    for (std::size_t begin = 0; begin < table.rows(); begin += most)
      put_rows(table, begin, std::min(table.rows(), begin + most), first_row);
  }

  /// Writes what comes behind the rows: without it a file cannot be read. \throws Error if a file has more
  /// than 80 million batches
  void finish() {
    put(std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8));
    if (kind_ == ArrowIpc::stream)
      return;
    auto footer = detail::ipc_footer(fields_, dictionaries_, batches_);
    detail::append_little_endian(footer, static_cast<std::int32_t>(footer.size()));
    put(footer + "ARROW1");
  }

private:
  /// A column of the format, but for what is left out.
  struct Made {
    ColumnFormat format{};
    ColumnFormat plain{};       ///< the same without marks around numbers
    std::ptrdiff_t column = -1; ///< of the table; −1: its cells are made here
    Dictionary texts{};         ///< that were written
  };

  void add_columns(const TableFormat& format, const Table& like) {
    std::ptrdiff_t at = 0;
    if (format.columns.empty()) {
      for (const auto& column : like.columns())
        add_column({.name = column.name,
                    .role = column.kind == ColumnKind::categorical ? ColumnRole::category : ColumnRole::real},
                   &column, at++);
      return;
    }
    if (format.schema().columns() != like.schema().columns())
      throw SchemaError("Arrow: the table has other columns than its format");
    for (const auto& column : format.columns)
      if (TableFormat::kind_of(column.role)) {
        add_column(column, &like[static_cast<std::size_t>(at)], at);
        ++at;
      } else if (column.role != ColumnRole::dropped) {
        add_column(column, nullptr, -1);
      }
  }
  void add_column(const ColumnFormat& format, const Column* like, std::ptrdiff_t at) {
    if (!detail::is_utf8(format.name))
      throw SchemaError("Arrow: the name of column " + detail::in_quotes(readable_utf8(format.name)) +
                        " is no UTF-8");
    detail::IpcField field{.name = format.name, .format = type_of(format, like)};
    columns_.push_back({format, format, at, {}});
    columns_.back().plain.marks = {};
    if (field.format == "i") {
      columns_.back().texts = like->dictionary;
      for (const auto& text : like->dictionary.texts())
        check_text(text, format.name);
      field.dictionary = dictionary_count_++;
    }
    fields_.push_back(std::move(field));
  }
  static std::string type_of(const ColumnFormat& format, const Column* like) {
    if (like == nullptr)
      return format.role == ColumnRole::identifier && format.pattern == "#" ? "l" : "U";
    if (like->kind == ColumnKind::categorical)
      return like->dictionary.size() > 0 ? "i" : "U";
    auto type = detail::arrow_format(*like, &format);
    if (detail::has_origin(&format))
      return type == "l" ? type : "U"; // a double would lose digits
    if (format.role == ColumnRole::integer && like->rows() == 0)
      return "l";
    return format.marks.scientific ? "g" : type;
  }

  void put_rows(const Table& table, std::size_t begin, std::size_t end, std::uint64_t first_row) {
    std::vector<detail::ArrowOwner<ArrowArray>> arrays(fields_.size());
    detail::IpcBody body;
    for (std::size_t k = 0; k < fields_.size(); ++k) {
      const auto& made = columns_[k];
      const Column* cells = made.column < 0 ? nullptr : &table[static_cast<std::size_t>(made.column)];
      if (fields_[k].format == "U" || cells == nullptr)
        make_cells(made, fields_[k].format, cells, begin, end, first_row, *arrays[k]);
      else
        detail::export_array(written(made, fields_[k].format, *cells, begin, end, first_row), &made.format,
                             fields_[k].format, *arrays[k], false);
      body.add(*arrays[k], fields_[k].format);
    }
    put_batch(detail::ipc_batch_message(body, static_cast<std::int64_t>(end - begin)), body, batches_);
  }
  /// Keys, placeholders, and texts without a dictionary.
  void make_cells(const Made& made, std::string_view type, const Column* cells, std::size_t begin,
                  std::size_t end, std::uint64_t first_row, ArrowArray& to) const {
    auto parts = std::make_unique<detail::ArrowArrayParts>();
    const std::size_t rows = end - begin;
    if (type == "l") {
      for (std::size_t row = begin; row < end; ++row)
        parts->wholes.push_back(
            static_cast<std::int64_t>(static_cast<std::uint64_t>(made.format.first) + first_row + row));
      parts->buffers = {nullptr, parts->wholes.data()};
      return detail::fill_array(to, std::move(parts), rows, 0);
    }
    parts->valid.assign((rows + 7) / 8, 0);
    parts->offsets.push_back(0);
    std::size_t missing = 0;
    for (std::size_t row = begin; row < end; ++row) {
      const bool known = cells == nullptr || !cells->is_missing(row);
      if (known)
        append_text(parts->texts, made, cells, row, first_row + row);
      missing += known ? 0U : 1U;
      const std::size_t bit = row - begin;
      parts->valid[bit / 8] =
          static_cast<unsigned char>(parts->valid[bit / 8] | (known ? 1U : 0U) << bit % 8);
      parts->offsets.push_back(static_cast<std::int64_t>(parts->texts.size()));
    }
    parts->buffers = {parts->valid.data(), parts->offsets.data(), parts->texts.data()};
    detail::fill_array(to, std::move(parts), rows, missing);
  }
  void append_text(std::string& to, const Made& made, const Column* cells, std::size_t row,
                   std::uint64_t number) const {
    const auto& format = made.format;
    if (cells == nullptr && format.role == ColumnRole::identifier)
      return append_identifier(to, format, number, seed_);
    if (cells == nullptr) {
      to += "[text]";
    } else if (cells->kind == ColumnKind::categorical) {
      const auto& text = cells->dictionary.text(cells->codes[row]);
      check_text(text, format.name);
      to += text;
    } else {
      append_formatted(to, cells->values[row], cells->decimals, made.plain);
    }
  }

  /// A part of a column: codes of the dictionary that was written, or numbers that their type has room for.
  /// \param first_row  the number of row 0, for messages
  static Column written(const Made& made, std::string_view type, const Column& cells, std::size_t begin,
                        std::size_t end, std::uint64_t first_row) {
    Column part{.name = cells.name, .kind = cells.kind, .decimals = cells.decimals};
    const auto from = static_cast<std::ptrdiff_t>(begin);
    const auto to = static_cast<std::ptrdiff_t>(end);
    if (cells.kind == ColumnKind::numerical) {
      part.values.assign(cells.values.begin() + from, cells.values.begin() + to);
      for (std::size_t row = 0; row < part.values.size(); ++row)
        if (double& value = part.values[row]; !std::isnan(value)) {
          value = as_in_a_file(value, cells.decimals, made.format);
          check_room(value, type, made.format, first_row + begin + row);
        }
      return part;
    }
    part.codes.assign(cells.codes.begin() + from, cells.codes.begin() + to);
    if (cells.dictionary == made.texts)
      return part;
    std::vector<std::int32_t> places;
    for (const auto& text : cells.dictionary.texts())
      places.push_back(made.texts.find(text));
    for (std::size_t row = 0; row < part.codes.size(); ++row)
      if (auto& code = part.codes[row]; code != missing_code) {
        const auto place = places[static_cast<std::size_t>(code)];
        if (place == missing_code)
          throw SchemaError("Arrow: row " + std::to_string(first_row + begin + row + 1) + ", column '" +
                            cells.name + "' has the category " +
                            detail::in_quotes(cells.dictionary.text(code)) +
                            ", which its dictionary, written before the rows, does not have");
        code = place;
      }
    return part;
  }
  /// The number that a file's text would have.
  static double as_in_a_file(double value, int decimals, const ColumnFormat& format) {
    if (format.role == ColumnRole::date) {
      if (counts_days(format.pattern))
        return value;
      const double scale = std::pow(10.0, fraction_digits(format.pattern));
      const double time =
          detail::has(format.pattern, 's') ? std::round(value * scale) / scale : std::round(value / 60) * 60;
      return detail::has(format.pattern, 'Y') ? time : time - std::floor(time / 86'400) * 86'400;
    }
    if (format.marks.scientific) {
      std::string text;
      append_marked(text, value, decimals, {.scientific = true, .digits = format.marks.digits});
      return parse_number(text).value_or(value);
    }
    if (detail::has_origin(&format) || decimals < 0)
      return value;
    const double scale = std::pow(10.0, decimals);
    if (decimals <= 15 && std::abs(value) < 0x1p53 / scale && std::round(value * scale) / scale == value)
      return value + 0.0; // as generated numbers are, but for those of more digits; −0 is written as 0
    std::string text;     // rounds as a text does
    append_number(text, value, decimals);
    return parse_number(text).value_or(value) + 0.0;
  }
  static void check_room(double value, std::string_view type, const ColumnFormat& format, std::uint64_t row) {
    const auto refuse = [&](const std::string& what) {
      throw Error("Arrow: row " + std::to_string(row + 1) + ", column '" + format.name + "' has " + what);
    };
    if (type == "l" && !detail::has_origin(&format) &&
        !(std::abs(value) < 0x1p63 && value == std::floor(value))) {
      std::string text;
      append_number(text, value, -1);
      refuse("the number " + text + ", expected a whole one of 64 bits");
    }
    if (!type.starts_with("ts"))
      return;
    const double time = detail::arrow_seconds(value);
    if (type[2] == 'n' && !(std::abs(time) <= 9'223'372'035))
      refuse("a time outside the years 1678 to 2261, for which 64 bits of nanoseconds have no room");
    const double whole = std::floor(time);
    if (type[2] == 'u' && whole + std::round((time - whole) * 1e6) / 1e6 != time &&
        fraction_digits(format.pattern) > 6)
      refuse("a time of more than 6 digits of a fraction of a second, for which microseconds have no room");
  }
  static void check_text(const std::string& text, const std::string& column) {
    if (!detail::is_utf8(text))
      throw SchemaError("Arrow: column '" + column + "' has the text " +
                        detail::in_quotes(readable_utf8(text)) + ", which is no UTF-8");
  }

  void put_dictionary(std::int64_t number, const Dictionary& texts) {
    detail::ArrowOwner<ArrowArray> array;
    detail::export_texts(texts, *array);
    detail::IpcBody body;
    body.add(*array, "U");
    put_batch(detail::ipc_dictionary_message(body, array->length, number), body, dictionaries_);
  }
  /// Writes the message of a batch. \param blocks  where it is noted for the end of a file
  void put_batch(const std::string& metadata, const detail::IpcBody& body, detail::IpcBlocks& blocks) {
    if (kind_ == ArrowIpc::file)
      blocks.insert(blocks.end(), {position_, static_cast<std::int64_t>(metadata.size() + 8), body.size()});
    put_message(metadata, &body);
  }
  void put_message(const std::string& metadata, const detail::IpcBody* body) {
    std::string begin("\xFF\xFF\xFF\xFF");
    detail::append_little_endian(begin, static_cast<std::int32_t>(metadata.size()));
    put(begin + metadata);
    if (body == nullptr)
      return;
    body->write(out_);
    position_ += body->size();
  }
  void put(const std::string& bytes) {
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    position_ += static_cast<std::int64_t>(bytes.size());
  }

  std::ostream& out_;
  ArrowIpc kind_;
  std::uint64_t seed_;
  TableSchema schema_;
  std::vector<Made> columns_;
  std::vector<detail::IpcField> fields_; ///< of the columns
  std::int64_t dictionary_count_ = 0;
  std::int64_t position_ = 0;
  detail::IpcBlocks dictionaries_;
  detail::IpcBlocks batches_;
};

/// Writes a table to a file, a file of Arrow's unless told otherwise: to a temporary one first, then renamed.
/// \param format  what the columns are \throws as `ArrowIpcWriter`, and Error if it cannot be written
inline void write_arrow_file(const std::filesystem::path& path, const Table& table,
                             const TableFormat& format = {}, ArrowIpc kind = ArrowIpc::file,
                             std::uint64_t seed = 0) {
  write_file_atomically(path, [&](std::ostream& out) {
    ArrowIpcWriter writer(out, kind, format, table, seed);
    writer.append(table);
    writer.finish();
  });
}

ROWSMITH_END
