# SPDX-License-Identifier: MIT
# Writes include/rowsmith/deploy/kernel_text.hpp: the headers of kernel/ as text, without comments, for exported
# headers.
# usage: cmake -DROOT=<checkout> [-DCHECK=ON] -P kernel_text.cmake    CHECK: fails where the file differs instead
cmake_policy(VERSION 3.25)

# In an order in which each header follows those that it includes.
set(headers simd random random_fill softmax codec restriction formula orders calendar network heads autoregressive_heads tree_heads guide
    row)
set(result "${ROOT}/include/rowsmith/deploy/kernel_text.hpp")

file(GLOB all RELATIVE "${ROOT}/include/rowsmith/kernel" "${ROOT}/include/rowsmith/kernel/*.hpp")
set(includes "")
set(text "")
foreach(header IN LISTS headers)
  list(REMOVE_ITEM all "${header}.hpp")
  file(READ "${ROOT}/include/rowsmith/kernel/${header}.hpp" source)
  # The lists of CMake would split the source where it has semicolons or square brackets: it stays one string.
  string(REGEX MATCHALL "#include <[a-z_]+>\n" own "${source}")
  list(APPEND includes ${own})
  string(REGEX REPLACE "// \\[only in the library\\].*// \\[everywhere\\]\n" "" source "${source}")
  string(REGEX REPLACE "#if defined\\(__SSE2__\\)\n#include <immintrin.h>\n#endif\n" "" source "${source}")
  string(REGEX REPLACE "#include <[^>]+>\n|#pragma once\n|ROWSMITH_BEGIN\n|ROWSMITH_END\n" "" source "${source}")
  string(REGEX REPLACE " *//[^\n]*" "" source "${source}")
  string(REGEX REPLACE "\n(\n)+" "\n" source "${source}")
  string(REGEX REPLACE "^\n+" "" source "${source}")
  # A line for each declaration, and for what stands between the preprocessor's lines.
  string(REGEX REPLACE "(#[^\n]*\n) +" "\\1" source "${source}")
  string(REGEX REPLACE "\n +" " " source "${source}")
  string(REGEX REPLACE "\n}" " }" source "${source}")
  string(REGEX REPLACE "(template <[^\n]+>)\n" "\\1 " source "${source}")
  # And for most member functions: compilers lose count of columns in longer lines, and say so.
  string(REGEX REPLACE "} (constexpr|double|float|bool|void|std::[a-z0-9_]+) ([a-z_]+\\()" "}\n\\1 \\2" source "${source}")
  # A literal for each header: compilers need not take one of more than 65,536 characters.
  if(NOT text STREQUAL "")
    string(APPEND text ")cpp\",\n                                                   R\"cpp(")
  endif()
  string(APPEND text "${source}")
endforeach()
if(all)
  message(FATAL_ERROR "kernel_text: the headers ${all} are not listed in ${CMAKE_CURRENT_LIST_FILE}")
endif()
list(REMOVE_DUPLICATES includes)
list(SORT includes)
string(REPLACE ";" "" includes "${includes}")
string(REGEX REPLACE "#include <immintrin.h>\n" "" includes "${includes}")

string(CONFIGURE [==[// SPDX-License-Identifier: MIT
/// \file
/// The headers of kernel/ as text. Made by .cmake/kernel_text.cmake; a test fails where it differs from them.
#pragma once

#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace detail {

inline constexpr std::string_view kernel_includes = R"cpp(@includes@#include <string_view>
#if defined(__SSE2__)
#include <immintrin.h>
#endif
)cpp";

// clang-format off
inline constexpr std::string_view kernel_text[] = {R"cpp(@text@)cpp"};
// clang-format on

} // namespace detail
ROWSMITH_END
]==] made @ONLY)
if(NOT CHECK)
  file(WRITE "${result}" "${made}")
  return()
endif()
file(READ "${result}" written)
if(NOT written STREQUAL made)
  message(FATAL_ERROR "${result} is not what the headers of kernel/ say: run cmake -DROOT=. -P .cmake/kernel_text.cmake")
endif()
