// SPDX-License-Identifier: MIT
/// \file
/// The source of the component `compiled`: what a program of `Synthesizer`, `read_csv`, `write_csv` and the
/// judges `detection` and `efficacy` takes longest to compile, compiled once. CMake's target
/// `rowsmith::compiled` does it; by hand, one source of the program is
///
/// \code
/// #include <rowsmith/compiled.hpp>
/// \endcode
///
/// and all of them are compiled with `-DROWSMITH_COMPILED`, and with the same `-march`:
/// `<rowsmith/rowsmith.hpp>` then declares these and leaves the rest to be included by folder. Results are
/// the bits that the headers alone give.
#pragma once

#ifndef ROWSMITH_COMPILED
#error "rowsmith/compiled.hpp holds what -DROWSMITH_COMPILED leaves out: define that macro for all sources"
#endif
#ifdef ROWSMITH_DEFINES
#error "rowsmith/compiled.hpp stands before all other headers of the library"
#endif
#define ROWSMITH_COMPILING

#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/synthesizer.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/write_csv.hpp>
#include <rowsmith/train/private_trainer.hpp>
#include <rowsmith/train/trainer.hpp>

ROWSMITH_BEGIN
namespace detail {

template <class TrainerType>
TableModel fit_compiled(const Table& train, const TrainerOptions& options, const ProgressCallback& callback,
                        const CheckpointStore& checkpoints) {
  return TrainerType(options).fit(train, callback, checkpoints);
}

#define ROWSMITH_FIT(TrainerType)                                                                            \
  template TableModel fit_compiled<TrainerType>(const Table&, const TrainerOptions&,                         \
                                                const ProgressCallback&, const CheckpointStore&)
ROWSMITH_FIT(DefaultRecipe::Trainer);
ROWSMITH_FIT(TreeRecipe::Trainer);
ROWSMITH_FIT(FaithfulRecipe::Trainer);
ROWSMITH_FIT(PrivateRecipe::Trainer);
#undef ROWSMITH_FIT

} // namespace detail
ROWSMITH_END
