// SPDX-License-Identifier: MIT
/// \file
/// What exported headers add to the kernel: the names that their users call, as text.
#pragma once

#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace detail {

/// After the numbers of columns and labels, and `detail` with the kernel and the model.
inline constexpr std::string_view exported_names = R"cpp(
/// The position of a column; a name that is not there does not compile.
consteval std::size_t column(std::string_view name) {
  for (std::size_t i = 0; i < columns; ++i)
    if (detail::names[i].name == name)
      return i;
  detail::this_model_has_no_column_of_that_name();
  return columns;
}
constexpr std::string_view column_name(std::size_t column) noexcept { return detail::names[column].name; }
constexpr bool is_categorical(std::size_t column) noexcept {
  return detail::names[column].categorical;
}

/// The number of a label's value, or `labels` if there is none of that text.
constexpr std::size_t label_index(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < labels && detail::label_texts[i] != text)
    ++i;
  return i;
}

/// A row: `number` of numerical columns, NaN if missing; `code` of categorical ones, -1 if missing. Cells behind the
/// first `columns` are the model's own.
struct Row {
  double number[slots];
  std::int32_t code[slots];

  constexpr Row() noexcept {
    for (std::size_t i = 0; i < slots; ++i) {
      number[i] = std::numeric_limits<double>::quiet_NaN();
      code[i] = -1;
    }
  }
  constexpr bool is_missing(std::size_t column) const noexcept {
    return is_categorical(column) ? code[column] < 0 : number[column] != number[column];
  }
  /// The text of a categorical column; empty if missing.
  constexpr std::string_view text(std::size_t column) const noexcept {
    return code[column] < 0 ? std::string_view()
                            : detail::texts[detail::names[column].text + static_cast<std::size_t>(code[column])];
  }
  /// Sets a categorical column. False, and no change, if the model has no such text.
  constexpr bool set_text(std::size_t column, std::string_view text) noexcept {
    for (std::size_t k = 0; k < detail::names[column].texts; ++k)
      if (detail::texts[detail::names[column].text + k] == text) {
        code[column] = static_cast<std::int32_t>(k);
        return true;
      }
    return false;
  }
};

/// The buffers of one thread.
struct Scratch {
  alignas(64) float input[detail::input_width];
  alignas(64) float networks[2][detail::network_width];
  alignas(64) float latent[detail::latent_width];
  alignas(64) float room[detail::room_width];
  std::uint32_t words[4 * detail::model.columns.word_blocks()];
  std::int32_t codes[detail::model.columns.stretches];
};

namespace detail {
inline kernel::Buffers buffers_of(Scratch& scratch) noexcept {
  return {scratch.input, {scratch.networks[0], scratch.networks[1]}, scratch.latent, scratch.room, scratch.words,
          scratch.codes};
}
)cpp";

inline constexpr std::string_view exported_draw_begin =
    R"cpp(inline void make(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch, Row& row) noexcept {
  kernel::sample_row(model, heads, seed, index, label, buffers_of(scratch),
                     [&row](std::size_t column, const kernel::Cell& cell) noexcept {
                       row.number[model_columns[column]] = cell.number;
                       row.code[model_columns[column]] = cell.code;
                     });
)cpp";

/// After what the preparation computes.
inline constexpr std::string_view exported_draw_end = R"cpp(}
} // namespace detail

/// Makes row `index` of the sample with `seed`; a conditional model draws the label by its share.
inline void sample(std::uint64_t seed, std::uint64_t index, Scratch& scratch, Row& row) noexcept {
  detail::make(seed, index, labels > 0 ? detail::kernel::draw_label(detail::label_shares, labels, seed, index) : 0,
               scratch, row);
}
/// The same with the label asked for. One that is not below `labels` ends the program.
inline void sample(std::uint64_t seed, std::uint64_t index, std::size_t label, Scratch& scratch, Row& row) noexcept {
  if (label >= labels)
    __builtin_trap();
  detail::make(seed, index, label, scratch, row);
}
)cpp";

inline constexpr std::string_view exported_score_begin = R"cpp(
/// How badly the model describes a row: the sum of all heads' errors after encoding and decoding; with heads in an
/// order, the negative log-likelihood of the row given its latent code, in nats. NaN if a cell has no code; infinite if
/// no training row combined columns that share a head so, or the row does not keep what all training rows did.
inline double score(const Row& user_row, Scratch& scratch) noexcept {
  Row row = user_row;
)cpp";

inline constexpr std::string_view exported_score_end = R"cpp(  return detail::kernel::score_row(
      detail::model, detail::heads, [&row](std::size_t column) noexcept { return row.number[detail::model_columns[column]]; },
      [&row](std::size_t column) noexcept { return row.code[detail::model_columns[column]]; }, detail::buffers_of(scratch));
}
)cpp";

} // namespace detail
ROWSMITH_END
