// SPDX-License-Identifier: MIT
/// \file
/// Texts and arrays by name: what model files and checkpoints hold. `rowsmith/io/safetensors.hpp` reads and
/// writes them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rowsmith/core/aligned_buffer.hpp>

ROWSMITH_BEGIN

/// A named array of floats, or of whole numbers.
struct Tensor {
  std::vector<std::int64_t> shape;
  AlignedBuffer<float> values;
  std::vector<std::uint32_t> words{}; ///< if it is one of whole numbers
};

/// The content of a container: texts and tensors by name.
struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

ROWSMITH_END
