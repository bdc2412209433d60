// SPDX-License-Identifier: MIT
/// \file
/// Rows as a training takes them: encoded, with what leads from the user's table to them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/train/options.hpp>

ROWSMITH_BEGIN

/// All that `Trainer::fit` learns from. Made of a table in memory by `TrainingRows::of`, of rows that come in
/// chunks by `read_training_rows`.
struct TrainingRows {
  Preparation preparation{};
  TableEncoder encoder{};
  EncodedTable encoded{};

  /// \throws SchemaError for a table that cannot be encoded, OptionError
  static TrainingRows of(const Table& train, const TrainerOptions& options) {
    check_count(train.rows());
    TrainingRows result;
    result.preparation = Preparation::fit(train, preparation_options(options));
    Table prepared; // gone, as soon as it is encoded
    if (!result.preparation.transforms().empty())
      prepared = result.preparation.forward_training(train);
    const Table& learnt = result.preparation.transforms().empty() ? train : prepared;
    result.encoder = TableEncoder::fit(learnt, options.encoding);
    result.encoded = result.encoder.encode(learnt);
    return result;
  }

  /// Each row's label, as a number of the label's categories. \throws SchemaError for a table without a
  /// label, or a row without one
  std::vector<std::int32_t> labels() const {
    const auto& name = preparation.schema().label();
    if (name.empty())
      throw SchemaError("fit: a conditional model needs a label: give the schema a Label<\"...\"> column");
    std::size_t column = 0; // of codes
    std::size_t categories = 0;
    if (std::none_of(encoder.layout().begin(), encoder.layout().end(),
                     [this](const EncodedColumn& stretch) { return encoder.is_label(stretch); }))
      throw SchemaError("fit: the label '" + name + "' is missing in all rows");
    for (const auto& stretch : encoder.layout()) {
      if (encoder.is_label(stretch)) {
        categories = encoder.codecs()[stretch.column].categories.size();
        break;
      }
      column += stretch.categorical ? 1U : 0U;
    }
    std::vector<std::int32_t> result(encoded.rows());
    for (std::size_t row = 0; row < result.size(); ++row) {
      result[row] = encoded.code(row, column);
      if (static_cast<std::size_t>(result[row]) >= categories)
        throw SchemaError("fit: the label '" + name + "' is missing or folded away in row " +
                          std::to_string(row + 1) + "; a conditional model needs it in every row");
    }
    return result;
  }

  /// \throws SchemaError for too few or too many rows
  static void check_count(std::size_t rows) {
    if (rows < 10)
      throw SchemaError("fit: the table has " + std::to_string(rows) + " rows, expected at least 10");
    if (rows > std::numeric_limits<std::uint32_t>::max())
      throw SchemaError("fit: the table has more than 2^32 - 1 rows");
  }
  /// A category that stands for several is no key, and stands for no missing value.
  static PreparationOptions preparation_options(const TrainerOptions& options) {
    auto preparation = options.preparation;
    const bool all_known = options.encoding.unseen == UnseenCategory::error;
    preparation.lookups = preparation.lookups && all_known;
    preparation.missing = preparation.missing && all_known;
    return preparation;
  }
};

namespace detail {

/// What of a large table each part of a training sees, so that time and memory stay bounded.
struct RowBudget {
  static constexpr std::size_t held_out = 50'000; ///< judge each epoch: far more than tells epochs apart
  static constexpr std::size_t latent_rows = std::size_t{1} << 20U; ///< whose codes the GAN is shown
  static constexpr std::size_t tree_rows = std::size_t{1} << 18U;   ///< that fill leaves
};

} // namespace detail
ROWSMITH_END
