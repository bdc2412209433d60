// SPDX-License-Identifier: MIT
/// \file
/// Which functions are here to be compiled, and which are declared alone because the component `compiled`
/// holds them (rowsmith/compiled.hpp).
///
/// `ROWSMITH_COMPILED`: set by that component for its users and its own sources alike; never set without it.
/// `ROWSMITH_INLINE`: of a function that the component holds. `ROWSMITH_DEFINES`: 1 where the definitions of
/// such functions are to be seen, and what only they include.
#pragma once

#ifdef ROWSMITH_COMPILED
#define ROWSMITH_INLINE
#else
#define ROWSMITH_INLINE inline
#endif

#if defined(ROWSMITH_COMPILED) && !defined(ROWSMITH_COMPILING)
#define ROWSMITH_DEFINES 0
#else
#define ROWSMITH_DEFINES 1
#endif
