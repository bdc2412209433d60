// SPDX-License-Identifier: MIT
/// \file
/// Errors, random streams, parallel loops, progress and small tools: all that needs no other part.
#pragma once

#include <rowsmith/core/aligned_buffer.hpp>
#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/byte_words.hpp>
#include <rowsmith/core/compiled.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/fixed_string.hpp>
#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/option_range.hpp>
#include <rowsmith/core/parallel.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/core/scratch_file.hpp>
#include <rowsmith/core/sha256.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/core/team.hpp>
#include <rowsmith/core/tensor_file.hpp>
#include <rowsmith/core/text_hash.hpp>
#include <rowsmith/core/utf8.hpp>
#include <rowsmith/core/version.hpp>
