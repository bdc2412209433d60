// SPDX-License-Identifier: MIT
/// \file
/// The whole library; beside the component `compiled` (rowsmith/compiled.hpp), what that holds. Headers of
/// single folders are cheaper to include where they are enough.
#pragma once

#include <rowsmith/core/compiled.hpp>
#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/synthesizer.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/split.hpp>
#include <rowsmith/table/write_csv.hpp>
#if ROWSMITH_DEFINES
#include <rowsmith/autodiff.hpp>
#include <rowsmith/core.hpp>
#include <rowsmith/csv.hpp>
#include <rowsmith/deploy.hpp>
#include <rowsmith/encoding.hpp>
#include <rowsmith/evaluate.hpp>
#include <rowsmith/forest.hpp>
#include <rowsmith/io.hpp>
#include <rowsmith/kernel.hpp>
#include <rowsmith/linalg.hpp>
#include <rowsmith/models.hpp>
#include <rowsmith/nn.hpp>
#include <rowsmith/prepare.hpp>
#include <rowsmith/privacy.hpp>
#include <rowsmith/table.hpp>
#include <rowsmith/train.hpp>
#endif
