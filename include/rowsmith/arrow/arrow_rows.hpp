// SPDX-License-Identifier: MIT
/// \file
/// Tables that other programs hand over in memory, as rows to learn.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <rowsmith/arrow/arrow_cells.hpp>
#include <rowsmith/arrow/c_data.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/table/table_file.hpp>
#include <rowsmith/table/text_cell.hpp>
#include <rowsmith/table/text_source.hpp>

ROWSMITH_BEGIN

/// The rows of a stream of Arrow's arrays. Whole numbers, texts, dates and decimals are read as they are;
/// float and half numbers by the digits that tell them from each other; truth values as `true` and `false`;
/// NaN, as null, as a missing value; times in UTC, with as many digits of a fraction of a second (none, 3, 6
/// or 9) as one of them needs. An empty text, `NA` and `?` are texts. What the columns mean is found out from
/// all rows.
///
/// The interface says nothing of how long buffers are: an array that promises more than it has is read beyond
/// its end. Streams are to come from whom the program trusts with its memory, as any code in it.
class ArrowRows final : public TextSource {
public:
  /// Fills in a stream, from its first row.
  using Open = std::function<void(ArrowArrayStream& stream)>;

  /// Takes the stream, and keeps all of its arrays, as it can be read once. \param name  in messages
  /// \throws Error for a stream that fails, types that have no place in a table, columns without names or
  /// with the same one, and arrays that contradict themselves. All is released then
  explicit ArrowRows(ArrowArrayStream& stream, std::string name = "the Arrow stream")
      : name_(std::move(name)) {
    stream_ = Stream(stream);
    read_schema(true);
    for (Array array; read_array(array);)
      kept_.push_back(std::move(array));
    stream_.reset();
    kept_all_ = true;
    for (const auto& array : kept_)
      find_digits(array);
    rewind();
  }
  /// Opens a stream anew for each pass, and keeps one array at a time. A pass that gives other rows than the
  /// one before throws Error at its end.
  explicit ArrowRows(Open open, std::string name = "the Arrow stream")
      : open_(std::move(open)), name_(std::move(name)) {
    open_stream(true);
    if (std::any_of(fields_.begin(), fields_.end(),
                    [](const Field& field) { return field.cells().unit > 0; })) {
      for (Array array; read_array(array);)
        find_digits(array);
      rewind();
    }
  }

  const std::vector<std::string>& names() const noexcept override { return names_; }
  std::string name() const override { return name_; }
  double share_done() const noexcept override { return pass_.share_done(); }
  void rewind() override {
    pass_.begin();
    next_kept_ = 0;
    current_ = nullptr;
    if (!kept_all_)
      open_stream(false);
  }
  bool next(TextChunk& chunk, std::size_t most) override {
    clear(chunk, names_.size(), pass_.rows());
    std::size_t bytes = 0;
    while (chunk.rows < most && bytes < most_bytes && more()) {
      const std::int64_t row = (*current_)->offset + row_++;
      pass_.add_row();
      ++chunk.rows;
      for (std::size_t c = 0; c < names_.size(); ++c)
        bytes += add_cell(chunk.columns[c], c, row);
    }
    return chunk.rows > 0;
  }

private:
  using Stream = detail::ArrowOwner<ArrowArrayStream>;
  using Array = detail::ArrowOwner<ArrowArray>;
  using Field = detail::ArrowField;
  static constexpr std::size_t most_bytes = std::size_t{1} << 26U; ///< about, of a chunk

  [[noreturn]] void fail(const std::string& what) const { throw Error(name_ + ": " + what); }
  /// Says where what the work throws comes from. \param row  of all, from 1; 0: none
  template <class Work>
  auto named(const Work& work, std::uint64_t row = 0) const -> decltype(work()) {
    try {
      return work();
    } catch (const Error& error) {
      fail((row > 0 ? "row " + std::to_string(row) + ", " : std::string()) + error.what());
    }
  }
  void check(int code) {
    if (code == 0)
      return;
    const char* said = stream_->get_last_error == nullptr ? nullptr : stream_->get_last_error(&*stream_);
    fail("cannot be read: " + std::string(said == nullptr ? std::strerror(code) : said));
  }
  void open_stream(bool first) {
    stream_.reset();
    open_(*stream_);
    read_schema(first);
  }
  void read_schema(bool first) {
    if (stream_.released() || stream_->get_schema == nullptr || stream_->get_next == nullptr)
      fail("is released already");
    detail::ArrowOwner<ArrowSchema> schema;
    check(stream_->get_schema(&*stream_, &*schema));
    if (schema.released())
      fail("has no schema");
    if (schema->format == nullptr || std::strcmp(schema->format, "+s") != 0)
      fail("holds no tables, but values of the type " +
           detail::in_quotes(schema->format == nullptr ? "" : schema->format));
    constexpr std::int64_t most_columns = 100'000;
    if (schema->n_children < 1 || schema->n_children > most_columns || schema->children == nullptr)
      fail("has " + std::to_string(schema->n_children) + " columns, expected from 1 to " +
           std::to_string(most_columns));
    std::vector<Field> fields;
    std::vector<std::string> names;
    std::unordered_set<std::string> seen;
    for (std::int64_t c = 0; c < schema->n_children; ++c) {
      const auto* child = schema->children[c];
      if (child == nullptr || child->release == nullptr)
        fail("column " + std::to_string(c + 1) + " has no schema");
      names.emplace_back(child->name == nullptr ? "" : child->name);
      if (names.back().empty())
        fail("column " + std::to_string(c + 1) + " has no name, expected one");
      if (!detail::is_utf8(names.back()))
        fail("the name of column " + std::to_string(c + 1) + " is no UTF-8 text");
      if (!seen.insert(names.back()).second)
        fail("the column name " + detail::in_quotes(names.back()) +
             " is there twice, expected different names");
      fields.push_back(named([&] { return Field::of(*child, names.back()); }));
    }
    if (!first && !(fields == fields_))
      fail("has other columns when it is opened again");
    if (first) {
      fields_ = std::move(fields);
      names_ = std::move(names);
    }
  }
  /// \returns false at the end
  bool read_array(Array& to) {
    to.reset();
    check(stream_->get_next(&*stream_, &*to));
    if (to.released())
      return false;
    cells_of(to);
    return true;
  }
  /// The columns of an array. \throws Error for one that contradicts itself
  std::vector<detail::ArrowCells> cells_of(const Array& array) const {
    if (array->n_children != static_cast<std::int64_t>(fields_.size()) || array->children == nullptr)
      fail("has an array of " + std::to_string(array->n_children) + " columns, expected " +
           std::to_string(fields_.size()));
    named([&] { detail::ArrowCells::check_counts(*array, "(all)"); });
    const void* const valid = array->n_buffers > 0 && array->buffers != nullptr ? array->buffers[0] : nullptr;
    if (array->null_count > 0 && valid == nullptr)
      fail("has missing rows, but no buffer that says which");
    for (std::int64_t i = 0; array->null_count != 0 && valid != nullptr && i < array->length; ++i)
      if (!detail::ArrowCells::bit(valid, array->offset + i))
        fail("has a row that is missing as a whole, expected missing cells");
    std::vector<detail::ArrowCells> cells;
    for (std::size_t c = 0; c < fields_.size(); ++c) {
      const auto* child = array->children[c];
      if (child == nullptr || child->release == nullptr)
        fail("column '" + names_[c] + "' has no array");
      cells.push_back(named([&] {
        return detail::ArrowCells(fields_[c], *child, array->length > 0 ? array->offset + array->length : 0);
      }));
    }
    return cells;
  }
  void find_digits(const Array& array) {
    const auto cells = cells_of(array);
    for (std::size_t c = 0; c < fields_.size(); ++c)
      if (auto& field = fields_[c].cells(); field.unit > 0 && array->length > 0)
        field.digits =
            std::max(field.digits, cells[c].fraction_digits(array->offset, array->offset + array->length));
  }
  /// Goes on to the next array that has rows.
  bool more() {
    while (current_ == nullptr || row_ == (*current_)->length) {
      if (kept_all_) {
        if (next_kept_ == kept_.size())
          return end();
        current_ = &kept_[next_kept_++];
      } else {
        current_ = nullptr;
        if (stream_.released() || !read_array(array_)) {
          stream_.reset();
          return end();
        }
        current_ = &array_;
      }
      row_ = 0;
      cells_ = cells_of(*current_);
    }
    return true;
  }
  bool end() {
    current_ = nullptr;
    if (pass_.rows() == 0)
      fail("has no rows, expected at least one");
    if (!pass_.end())
      fail("gives other rows, or another order, when it is opened again");
    return false;
  }
  /// \returns about how many bytes it takes
  std::size_t add_cell(TextColumn& column, std::size_t c, std::int64_t row) {
    cell_.clear();
    bool quoted = false;
    const bool there = named([&] { return cells_[c].append(row, cell_, quoted); }, pass_.rows());
    if (!kept_all_) // which stay as they are
      pass_.add_cell(cell_, !there ? 0 : quoted ? 2 : 1);
    column.add(cell_, quoted, static_cast<std::size_t>(pass_.rows()));
    return cell_.size() + 16;
  }

  Open open_;
  std::string name_;
  Stream stream_;
  std::vector<Field> fields_;
  std::vector<std::string> names_;
  std::vector<Array> kept_;
  bool kept_all_ = false;
  std::size_t next_kept_ = 0;
  Array array_; ///< the current one, if not kept
  const Array* current_ = nullptr;
  std::vector<detail::ArrowCells> cells_; ///< of the current array
  std::int64_t row_ = 0;                  ///< in it
  detail::PassCheck pass_;
  std::string cell_;
};

/// Takes a stream and reads it as `read_table_file` does a file. \throws as `ArrowRows` and
/// `read_table_file`; the stream is released in any case
inline TableFile read_arrow(ArrowArrayStream& stream, const TableFileOptions& options = {}) {
  ArrowRows rows(stream);
  return read_table_file(rows, options);
}

ROWSMITH_END
