// SPDX-License-Identifier: MIT
/// \file
/// Checkpoints in a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/io/safetensors.hpp>
#include <rowsmith/train/checkpoint.hpp>

ROWSMITH_BEGIN

/// Keeps a training's state in a file. If the file is there when `fit` begins, `fit` goes on from it and ends
/// with the bits it would have had without the interruption; when `fit` is done, the file is removed.
///
/// \code
/// const auto model = trainer.fit(table, progress_bar(), checkpoint_file("people.checkpoint"));
/// \endcode
///
/// The file is replaced as a whole, so that a kill at any moment leaves the old state or the new one. It
/// holds weights, no rows of the table. If it cannot be written or removed, `fit` warns and goes on.
/// \param seconds  at least this long between two saves; ≥ 0 \throws (from `fit`) ModelFileError if the file
/// is damaged, or belongs to another table, other options or other layers
inline CheckpointStore checkpoint_file(const std::string& path, double seconds = 60) {
  CheckpointStore store;
  store.seconds = seconds;
  store.save = [path](const TensorFile& state) { write_tensor_file(path, state); };
  store.load = [path]() -> std::optional<TensorFile> {
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error)
      return std::nullopt;
    return read_tensor_file(path);
  };
  store.discard = [path] {
    std::error_code error;
    if (std::filesystem::remove(path, error); error)
      throw Error(path + ": cannot be removed: " + error.message());
  };
  return store;
}

ROWSMITH_END
