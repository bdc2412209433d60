// SPDX-License-Identifier: MIT
/// \file
/// The library's version, and its inline namespaces: `rowsmith::v0_1::<instruction set>`. They keep two
/// versions of the headers apart when both end up in one program, and translation units that were compiled
/// for different processors: vectors are as wide as the instruction set allows, which shows in the layout of
/// classes and in the bits of a sum. Such units have an entity each of every name, and passing an object from
/// one to the other fails to link. (Eigen's own functions carry no such mark.)
///
/// Refuses to compile where the compiler may assume that no number is missing or infinite, or may reorder
/// sums.
#pragma once

#define ROWSMITH_VERSION_MAJOR 0
#define ROWSMITH_VERSION_MINOR 1
#define ROWSMITH_VERSION_PATCH 0
#define ROWSMITH_VERSION "0.1.0"

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) ||                                               \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "rowsmith cannot be compiled with -ffast-math, -Ofast, -ffinite-math-only or -fassociative-math: \
missing values are NaN, and the order of sums is a part of every result"
#endif

/// What decides about the width of vectors (AVX, AVX-512), Eigen's packets (AVX2) and fused products (FMA).
#if defined(__AVX512F__)
#define ROWSMITH_INSTRUCTION_SET avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define ROWSMITH_INSTRUCTION_SET avx2_fma
#elif defined(__AVX2__)
#define ROWSMITH_INSTRUCTION_SET avx2
#elif defined(__AVX__) && defined(__FMA__)
#define ROWSMITH_INSTRUCTION_SET avx_fma
#elif defined(__AVX__)
#define ROWSMITH_INSTRUCTION_SET avx
#elif defined(__SSE2__)
#define ROWSMITH_INSTRUCTION_SET sse2
#else
#define ROWSMITH_INSTRUCTION_SET portable
#endif

/// Which headers and which compiled library go together: beside the component `compiled`
/// (rowsmith/compiled.hpp) those of one version to the last number, so that another does not link, nor a
/// source that is compiled without it.
#ifdef ROWSMITH_COMPILED
#define ROWSMITH_VERSION_NAMESPACE v0_1_0_compiled
#else
#define ROWSMITH_VERSION_NAMESPACE v0_1
#endif

/// Opens and closes the namespace that holds the whole library.
#define ROWSMITH_BEGIN                                                                                       \
  namespace rowsmith {                                                                                       \
  inline namespace ROWSMITH_VERSION_NAMESPACE {                                                              \
  inline namespace ROWSMITH_INSTRUCTION_SET {
#define ROWSMITH_END                                                                                         \
  }                                                                                                          \
  }                                                                                                          \
  }
