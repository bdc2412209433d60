// SPDX-License-Identifier: MIT
/// \file
/// The short way in: fit a table, sample rows, save, load.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <rowsmith/core/compiled.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/recipe_layers.hpp>
#if ROWSMITH_DEFINES
#include <rowsmith/io/checkpoint.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/train/recipes.hpp>
#endif

ROWSMITH_BEGIN

namespace detail {

/// Trainers that the component `compiled` holds.
template <class TrainerType>
inline constexpr bool is_compiled = false;
#ifdef ROWSMITH_COMPILED
template <>
inline constexpr bool is_compiled<DefaultRecipe::Trainer> = true; // of `nearest` and `neural`, too
template <>
inline constexpr bool is_compiled<TreeRecipe::Trainer> = true;
template <>
inline constexpr bool is_compiled<FaithfulRecipe::Trainer> = true;
template <>
inline constexpr bool is_compiled<PrivateRecipe::Trainer> = true;
#endif

/// `TrainerType(options).fit(train, callback, checkpoints)`, defined in `rowsmith/compiled.hpp`.
template <class TrainerType>
TableModel fit_compiled(const Table& train, const TrainerOptions& options, const ProgressCallback& callback,
                        const CheckpointStore& checkpoints);

} // namespace detail

/// A trained synthesiser. A value type; all const functions may be called from several threads at once.
///
/// \code
/// const auto model = rowsmith::Synthesizer::fit(rowsmith::read_csv("people.csv"));
/// rowsmith::write_csv("synthetic.csv", model.sample(1000, 1));
/// \endcode
class Synthesizer {
public:
  /// From a trained model, such as `Trainer::fit` returns.
  Synthesizer(TableModel model) : model_(std::move(model)) {} // NOLINT: converts on purpose

  /// Trains on all rows. \tparam Recipe  `DefaultRecipe`, `FaithfulRecipe`, or one of your own: a struct with
  /// a `Trainer` and its `options()`; told by the options if they are given. Whose trainer is one that the
  /// component `compiled` does not hold includes its header \param options  `{}`: the
  /// recipe's own \throws what `Trainer::fit` throws
  template <class Recipe = DefaultRecipe>
  static Synthesizer fit(const Table& train, const RecipeOptions<Recipe>& options = {},
                         const ProgressCallback& callback = {}, const CheckpointStore& checkpoints = {}) {
    if constexpr (detail::is_compiled<typename Recipe::Trainer>)
      return detail::fit_compiled<typename Recipe::Trainer>(train, options, callback, checkpoints);
    else
      return typename Recipe::Trainer(options).fit(train, callback, checkpoints);
  }

  /// Makes rows. Row i depends on the model, the seed and i only, not on how many are made at once or on the
  /// number of threads. \throws SchemaError for an unknown label
  Table sample(std::size_t rows, const SampleOptions& options = {}) const;
  Table sample(std::size_t rows, std::uint64_t seed, const std::string& label = {}) const;

  /// How probable the model finds rows, in nats: for choosing models by held-out rows, and as an anomaly
  /// score (the lower, the stranger). \throws what `rowsmith::log_likelihood` throws
  LogLikelihood log_likelihood(const Table& rows, const LikelihoodOptions& options = {}) const;

  /// Writes the model file of docs/model-file.md. \throws Error if that fails; then nothing is left behind
  void save(const std::string& path) const;
  /// \throws ModelFileError for a file that is not a whole, unaltered model of a version this library reads
  static Synthesizer load(const std::string& path);

  const TableModel& model() const noexcept { return model_; }
  const TableSchema& schema() const noexcept { return model_.schema(); }

private:
  TableModel model_;
};

#if ROWSMITH_DEFINES

ROWSMITH_INLINE Table Synthesizer::sample(std::size_t rows, const SampleOptions& options) const {
  return model_.sample(rows, options);
}

ROWSMITH_INLINE Table Synthesizer::sample(std::size_t rows, std::uint64_t seed,
                                          const std::string& label) const {
  return model_.sample(rows, {.seed = seed, .label = label});
}

ROWSMITH_INLINE LogLikelihood Synthesizer::log_likelihood(const Table& rows,
                                                          const LikelihoodOptions& options) const {
  return rowsmith::log_likelihood(model_, rows, options);
}

ROWSMITH_INLINE void Synthesizer::save(const std::string& path) const { save_model(model_, path); }

ROWSMITH_INLINE Synthesizer Synthesizer::load(const std::string& path) { return load_model(path); }

#endif // ROWSMITH_DEFINES

ROWSMITH_END
