// SPDX-License-Identifier: MIT
/// \file
/// Learns a column from some rows and predicts it in others: the judges as classifiers of one's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/evaluate/class_target.hpp>
#include <rowsmith/evaluate/classifier.hpp>
#include <rowsmith/evaluate/features.hpp>

ROWSMITH_BEGIN
namespace evaluate {

struct ClassifyOptions {
  Classifier classifier = Classifier::forest;
  ClassifierOptions models{};
  std::uint64_t seed = 0; ///< of the model
};

/// What a classifier says of the rows of a table.
struct ClassPredictions {
  std::vector<std::string> classes{};  ///< in alphabetical order
  std::vector<double> probability{};   ///< rows × classes
  std::vector<std::uint16_t> labels{}; ///< the classes that the rows have

  std::size_t rows() const noexcept { return labels.size(); }
  /// \throws SchemaError for a class that is not there
  std::size_t class_index(const std::string& text) const {
    for (std::size_t k = 0; k < classes.size(); ++k)
      if (classes[k] == text)
        return k;
    throw SchemaError("classify: there is no class '" + text + "'");
  }
  /// The probability of one class, one a row.
  std::vector<double> of_class(std::size_t k) const {
    return detail::probability_column(probability, classes.size(), k);
  }
  /// 1 where a row has that class.
  std::vector<std::uint8_t> is_class(std::size_t k) const {
    std::vector<std::uint8_t> result;
    for (const auto label : labels)
      result.push_back(label == k ? 1 : 0);
    return result;
  }
  /// The class of the largest probability, one a row.
  std::vector<std::uint16_t> predicted() const { return detail::likeliest(probability, classes.size()); }
};

/// Fits a classifier to `train`, of which rows may be there several times, and predicts `test`.
/// \throws SchemaError if columns differ, or the target is unknown, not categorical, missing in a row, or of
/// one class in either table
inline ClassPredictions classify(const Table& train, const Table& test, const std::string& target,
                                 const ClassifyOptions& options = {}) {
  detail::check_rows("classify", {{&train, "training"}, {&test, "test"}});
  const Table* const tables[] = {&train, &test};
  const SharedCodes codes(tables);
  const auto wanted = detail::class_target("classify", tables, codes, target, {});
  const detail::StackedRows stacked(options.classifier, tables, codes, wanted.column, options.models);
  ClassPredictions result{.classes = codes.texts(wanted.column), .labels = wanted.labels[1]};
  auto labels = wanted.labels[0];
  labels.insert(labels.end(), result.labels.begin(), result.labels.end());
  result.probability = stacked.classify(detail::row_range(0, train.rows()), labels, wanted.classes,
                                        detail::row_range(train.rows(), test.rows()), options.seed);
  return result;
}

} // namespace evaluate
using evaluate::classify;
ROWSMITH_END
