// SPDX-License-Identifier: MIT
/// \file
/// The library's version and its inline namespace.
///
/// Everything lives in `rowsmith::v0_1`; the inline namespace keeps two versions of the headers apart when
/// both end up in one program.
#pragma once

#define ROWSMITH_VERSION_MAJOR 0
#define ROWSMITH_VERSION_MINOR 1
#define ROWSMITH_VERSION_PATCH 0
#define ROWSMITH_VERSION "0.1.0"

/// Opens and closes the namespace that holds the whole library.
#define ROWSMITH_BEGIN                                                                                       \
  namespace rowsmith {                                                                                       \
  inline namespace v0_1 {
#define ROWSMITH_END                                                                                         \
  }                                                                                                          \
  }
