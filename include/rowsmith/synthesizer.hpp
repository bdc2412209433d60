// SPDX-License-Identifier: MIT
/// \file
/// The short way in: fit a table, sample rows, save, load.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <rowsmith/io/checkpoint.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/autoencoder.hpp>
#include <rowsmith/models/gan.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/train/trainer.hpp>

ROWSMITH_BEGIN

/// The layers `Synthesizer::fit` trains. Write a `Trainer` with your own where these do not suit.
using DefaultAutoencoder = Autoencoder<Dense<256>, ReLU, Dense<128>, ReLU, Latent<32>>;
using DefaultGenerator = Generator<Noise<64>, Dense<128>, ReLU, Dense<128>, ReLU, Dense<32>, Tanh>;
using DefaultDiscriminator =
    Discriminator<Dense<512>, LeakyReLU, Dropout, Dense<256>, LeakyReLU, Dropout, Dense<1>>;

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

  /// Trains the default layers on all rows. \throws what `Trainer::fit` throws
  static Synthesizer fit(const Table& train, const TrainerOptions& options = recipe_options(Recipe::sampled),
                         const ProgressCallback& callback = {}, const CheckpointStore& checkpoints = {}) {
    return Trainer<DefaultAutoencoder, DefaultGenerator, DefaultDiscriminator>(options).fit(train, callback,
                                                                                            checkpoints);
  }

  /// Makes rows. Row i depends on the model, the seed and i only, not on how many are made at once or on the
  /// number of threads. \throws SchemaError for an unknown label
  Table sample(std::size_t rows, const SampleOptions& options = {}) const {
    return model_.sample(rows, options);
  }
  Table sample(std::size_t rows, std::uint64_t seed, const std::string& label = {}) const {
    return model_.sample(rows, {.seed = seed, .label = label});
  }

  /// Writes the model file of docs/model-file.md. \throws Error if that fails; then nothing is left behind
  void save(const std::string& path) const { save_model(model_, path); }
  /// \throws ModelFileError for a file that is not a whole, unaltered model of a version this library reads
  static Synthesizer load(const std::string& path) { return load_model(path); }

  const TableModel& model() const noexcept { return model_; }
  const TableSchema& schema() const noexcept { return model_.encoder.schema(); }

private:
  TableModel model_;
};

ROWSMITH_END
