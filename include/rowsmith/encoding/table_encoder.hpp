// SPDX-License-Identifier: MIT
/// \file
/// Fits codecs to the columns of a table and turns rows into codes and numbers and back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/column_codec.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/encoding/fit_codec.hpp>
#include <rowsmith/table/table.hpp>

ROWSMITH_BEGIN

namespace detail {
/// The number that a row had before those in `left_out` (ascending) were taken out.
inline std::size_t original_row(std::size_t row, std::span<const std::size_t> left_out) noexcept {
  for (const std::size_t out : left_out)
    row += out <= row ? 1U : 0U;
  return row;
}
} // namespace detail

/// What `TableEncoder::view` gives.
struct EncoderView {
  EncoderView() = default;
  EncoderView(EncoderView&&) noexcept = default;
  EncoderView& operator=(EncoderView&&) noexcept = default;
  std::vector<kernel::Codec> codecs;
  kernel::Columns columns;
};

/// Writes a decoded cell to a column of `TableEncoder::empty_columns`.
inline void set_cell(Column& column, std::size_t row, const kernel::Cell& cell) noexcept {
  if (column.kind == ColumnKind::categorical)
    column.codes[row] = cell.code;
  else
    column.values[row] = cell.number;
}

/// A fitted encoding of a whole table. A value type; holds no training rows.
class TableEncoder {
public:
  TableEncoder() = default;

  /// Fits to the training rows only. \param counts  by column: rows of each category in all of a table of
  /// which `train` has some \param by_chance  which of its rows say how numbers are spread; empty: all
  /// \throws SchemaError for an empty table or a column that cannot be encoded
  static TableEncoder fit(const Table& train, const EncodingOptions& options = {},
                          const std::map<std::string, const CategoryCounts*>& counts = {},
                          const std::vector<bool>& by_chance = {}) {
    options.check();
    if (train.rows() == 0)
      throw SchemaError("encoding: the training table has no rows");
    auto used = options;
    while (true) {
      std::vector<ColumnCodec> codecs;
      for (const auto& column : train.columns()) {
        const auto known = counts.find(column.name);
        codecs.push_back(fit_codec(column, used, column.name == train.schema().label(),
                                   known == counts.end() ? nullptr : known->second, by_chance));
      }
      TableEncoder encoder(std::move(codecs), train.schema());
      const bool coarsest = used.fine == 0 && used.bins <= 8 && used.max_exact_values <= 32;
      std::size_t codes = 0;
      for (const auto& codec : encoder.codecs())
        codes += codec.kind == ColumnCodec::Kind::categorical ? 0 : codec.codes() + codec.fine_codes();
      if (codes <= options.most_codes || options.numerical != NumericalEncoding::codes || coarsest)
        return encoder;
      if (used.fine == 0) {
        used.bins = std::max<std::size_t>(std::min<std::size_t>(used.bins, 8), used.bins / 2);
        used.max_exact_values = std::max<std::size_t>(std::min<std::size_t>(used.max_exact_values, 32),
                                                      used.max_exact_values / 2);
      }
      used.fine = 0;
    }
  }

  /// From codecs fitted before, one for each column of the schema. \throws SchemaError if they do not fit to
  /// it, or one is not what `ColumnCodec::check` asks
  TableEncoder(std::vector<ColumnCodec> codecs, TableSchema schema)
      : codecs_(std::move(codecs)), schema_(std::move(schema)) {
    if (schema_.size() == 0 || schema_.size() != codecs_.size())
      throw SchemaError("the schema has " + std::to_string(schema_.size()) + " columns, the encoding " +
                        std::to_string(codecs_.size()));
    for (std::size_t i = 0; i < codecs_.size(); ++i) {
      const auto& codec = codecs_[i];
      codec.check();
      if (codec.name != schema_[i].name || codec.column_kind() != schema_[i].kind)
        throw SchemaError("column '" + codec.name + "': the schema has another name or kind at its place");
    }
    if (!schema_.label().empty())
      label_column_ = schema_.index_of(schema_.label());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < codecs_.size(); ++i) {
      const auto add = [&](bool categorical, std::size_t width, bool fine = false) {
        layout_.push_back(
            {categorical, i, static_cast<std::int32_t>(offset), static_cast<std::int32_t>(width), fine});
        offset += static_cast<std::int64_t>(width);
        if (offset > std::numeric_limits<std::int32_t>::max())
          throw SchemaError("encoding: the columns have more than 2^31 - 1 codes in all");
      };
      if (codecs_[i].has_number()) {
        add(false, 1);
        ++number_columns_;
      }
      for (const bool fine : {false, true}) {
        const std::size_t width = fine ? codecs_[i].fine_codes() : codecs_[i].codes();
        if (width == 0)
          continue;
        add(true, width, fine);
        code_offsets_.push_back(layout_.back().offset);
        max_code_ = std::max(max_code_, layout_.back().width - 1);
      }
    }
    width_ = static_cast<std::int32_t>(offset);
  }

  const TableSchema& schema() const noexcept { return schema_; }
  const std::vector<ColumnCodec>& codecs() const noexcept { return codecs_; }
  /// The stretches of the one-hot row, in order.
  const std::vector<EncodedColumn>& layout() const noexcept { return layout_; }
  /// Width of a one-hot row.
  std::int32_t width() const noexcept { return width_; }
  std::size_t number_columns() const noexcept { return number_columns_; }
  std::size_t code_columns() const noexcept { return code_offsets_.size(); }
  /// The largest code of any column.
  std::int32_t max_code() const noexcept { return max_code_; }
  bool is_label(const EncodedColumn& stretch) const noexcept { return stretch.column == label_column_; }
  /// The first element of each code column in the one-hot row.
  const std::vector<std::int32_t>& code_offsets() const noexcept { return code_offsets_; }

  /// \throws SchemaError if columns differ from the fitted ones by name, kind or order, or (naming column and
  /// row) for a category or a missing value that was not there at fitting time and has no declared code
  /// \param left_out  rows of the user's table, ascending, that `table` has no more: rows in errors are the
  /// user's
  EncodedTable encode(const Table& table, std::span<const std::size_t> left_out = {}) const {
    detail::check_columns("encoding", table.schema(), schema_);
    EncodedTable encoded(table.rows(), code_columns(), number_columns_, max_code_);
    std::vector<std::int32_t> codes(table.rows());
    std::size_t code_column = 0;
    std::size_t number_column = 0;
    for (std::size_t i = 0; i < codecs_.size(); ++i) {
      const auto& codec = codecs_[i];
      const auto& column = table[i];
      if (codec.has_number())
        encode_numbers(codec, column, encoded, number_column++, left_out);
      if (codec.codes() == 0) {
        refuse_missing(codec, column, left_out);
        continue;
      }
      find_codes(codec, column, codes, left_out);
      encoded.set_codes(code_column++, codes);
      if (codec.fine > 0) {
        const auto view = codec.view();
        for (std::size_t row = 0; row < table.rows(); ++row)
          codes[row] = std::isnan(column.values[row]) ? 0 : view.fine_of(column.values[row], codes[row]);
        encoded.set_codes(code_column++, codes);
      }
    }
    return encoded;
  }

  /// How rare each row's category of a column is among those that share its code, in nats: what a likelihood
  /// of codes leaves out. Empty if every category has a code of its own. \param table  that was encoded
  std::vector<double> rarity(const Table& table, std::size_t column) const {
    const auto& codec = codecs_[column];
    if (codec.groups() == 0)
      return {};
    const auto view = codec.view();
    std::vector<double> of_text;
    for (const auto& text : table[column].dictionary.texts()) {
      const auto found = std::lower_bound(codec.categories.begin(), codec.categories.end(), text);
      const bool known = found != codec.categories.end() && *found == text;
      of_text.push_back(
          known ? view.surprise_in_code(static_cast<std::int32_t>(found - codec.categories.begin())) : 0);
    }
    std::vector<double> result(table.rows());
    for (std::size_t row = 0; row < table.rows(); ++row)
      if (!table[column].is_missing(row))
        result[row] = of_text[static_cast<std::size_t>(table[column].codes[row])];
    return result;
  }

  /// An empty table with the fitted columns and `rows` rows, to be filled by `set_cell`. \throws ShapeError
  /// for more rows than a column can have
  std::vector<Column> empty_columns(std::size_t rows) const {
    if (rows > std::vector<double>().max_size())
      throw ShapeError("a table of " + std::to_string(rows) + " rows cannot be");
    std::vector<Column> columns;
    for (const auto& codec : codecs_) {
      Column column;
      column.name = codec.name;
      if (codec.kind == ColumnCodec::Kind::categorical) {
        column.kind = ColumnKind::categorical;
        column.dictionary = Dictionary(codec.categories);
        if (codec.has_other)
          column.dictionary.insert(codec.other_text);
        column.codes.assign(rows, missing_code);
      } else {
        column.values.assign(rows, std::numeric_limits<double>::quiet_NaN());
        column.decimals = codec.decimals;
      }
      columns.push_back(std::move(column));
    }
    return columns;
  }

  /// The codecs and the layout as the kernel reads them. A view of this object. \param conditional  rows are
  /// made for a label
  EncoderView view(bool conditional = false) const {
    EncoderView view;
    view.codecs.reserve(codecs_.size());
    for (const auto& codec : codecs_)
      view.codecs.push_back(codec.view());
    view.columns = {view.codecs.data(), codecs_.size(), layout_.data(), layout_.size()};
    for (std::size_t h = 0; h < layout_.size() && conditional; ++h)
      if (is_label(layout_[h]))
        view.columns.label = static_cast<std::ptrdiff_t>(h);
    return view;
  }

private:
  using LeftOut = std::span<const std::size_t>;

  [[noreturn]] static void refuse(const ColumnCodec& codec, std::size_t row, LeftOut left_out,
                                  const std::string& what) {
    throw SchemaError("encoding: column '" + codec.name + "', row " +
                      std::to_string(detail::original_row(row, left_out) + 1) + " " + what);
  }
  static void refuse_missing(const ColumnCodec& codec, const Column& column, LeftOut left_out) {
    for (std::size_t row = 0; row < column.rows(); ++row)
      if (column.is_missing(row))
        refuse(codec, row, left_out, "is missing, but no training row was");
  }
  static void refuse_infinite(const ColumnCodec& codec, const Column& column, std::size_t row,
                              LeftOut left_out) {
    if (std::isinf(column.values[row]))
      refuse(codec, row, left_out, "is infinite; expected a finite number or a missing value");
  }
  static void encode_numbers(const ColumnCodec& codec, const Column& column, EncodedTable& encoded,
                             std::size_t number_column, LeftOut left_out) {
    const auto view = codec.view();
    // A missing number stays NaN: the first layer and the loss pass over it.
    for (std::size_t row = 0; row < column.rows(); ++row) {
      refuse_infinite(codec, column, row, left_out);
      encoded.set_number(row, number_column, static_cast<float>(view.standardise(column.values[row])));
    }
  }
  /// The code of each row.
  static void find_codes(const ColumnCodec& codec, const Column& column, std::span<std::int32_t> codes,
                         LeftOut left_out) {
    const auto view = codec.view();
    const auto missing = [&](std::size_t row) {
      if (!codec.has_missing)
        refuse(codec, row, left_out, "is missing, but no training row was");
      return codec.missing();
    };
    if (codec.kind != ColumnCodec::Kind::categorical) {
      const bool has_codes = codec.kind != ColumnCodec::Kind::standardised;
      for (std::size_t row = 0; row < codes.size(); ++row) {
        const double value = column.values[row];
        if (has_codes && std::isinf(value))
          refuse_infinite(codec, column, row, left_out);
        codes[row] = std::isnan(value) ? missing(row) : has_codes ? view.code_of(value) : 0;
      }
      return;
    }
    std::unordered_map<std::string_view, std::int32_t> known;
    for (std::size_t k = 0; k < codec.categories.size(); ++k)
      known.emplace(codec.categories[k], static_cast<std::int32_t>(k));
    std::vector<std::int32_t> recoded; // code in the table's dictionary -> code of the codec, or −1
    for (const auto& text : column.dictionary.texts()) {
      const auto found = known.find(text);
      recoded.push_back(found != known.end() ? view.code_of_category(found->second)
                                             : (codec.has_other ? codec.other() : -1));
    }
    for (std::size_t row = 0; row < codes.size(); ++row) {
      const auto code = column.codes[row];
      codes[row] = code == missing_code ? missing(row) : recoded[static_cast<std::size_t>(code)];
      if (codes[row] < 0)
        refuse(codec, row, left_out,
               "holds " + detail::in_quotes(column.dictionary.text(code)) +
                   ", which no training row did; fit with UnseenCategory::other to allow that");
    }
  }

  std::vector<ColumnCodec> codecs_;
  TableSchema schema_;
  std::vector<EncodedColumn> layout_;
  std::vector<std::int32_t> code_offsets_;
  std::size_t number_columns_ = 0;
  std::int32_t width_ = 0;
  std::int32_t max_code_ = 0;
  std::size_t label_column_ = std::numeric_limits<std::size_t>::max(); ///< none
};

ROWSMITH_END
