# SPDX-License-Identifier: MIT
# Writes the library as one header: all of its own headers, each once and behind those that it includes. Headers of
# others stay includes.
# usage: cmake -DROOT=<checkout> -DOUT=<file> -P single_header.cmake
cmake_policy(VERSION 3.25)

file(GLOB_RECURSE all RELATIVE "${ROOT}/include" "${ROOT}/include/rowsmith/*.hpp")
list(FILTER all EXCLUDE REGEX "/distributed/|/sqlite/|/csv/compressed\\.hpp$") # they need what few programs link
list(FILTER all EXCLUDE REGEX "^rowsmith/compiled\\.hpp$") # a source
list(SORT all)

set(text "")
set(seen "")
set(plain "") # includes of other headers that stand under no condition

# Those of the library's headers that `source` includes.
function(append_included source)
  string(REGEX MATCHALL "\n#include <rowsmith/[^>\n]+>" includes "${source}")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "^\n#include <([^>]*)>$" "\\1" name "${include}")
    append("${name}")
  endforeach()
  return(PROPAGATE text seen plain)
endfunction()

function(append name)
  if(name IN_LIST seen)
    return()
  endif()
  list(APPEND seen "${name}")
  # The source stays a string: lists of CMake would split it where it has semicolons or square brackets. Only what
  # stands outside the library's namespace is changed; within, includes are parts of texts.
  file(READ "${ROOT}/include/${name}" head)
  set(body "")
  set(tail "")
  string(FIND "${head}" "\nROWSMITH_BEGIN\n" begin)
  string(FIND "${head}" "\nROWSMITH_END\n" end REVERSE)
  if(NOT begin EQUAL -1)
    string(LENGTH "\nROWSMITH_END\n" length)
    math(EXPR end "${end} + ${length}")
    string(SUBSTRING "${head}" ${end} -1 tail)
    math(EXPR length "${end} - ${begin}")
    string(SUBSTRING "${head}" ${begin} ${length} body)
    string(SUBSTRING "${head}" 0 ${begin} head)
  endif()
  append_included("${head}")
  string(REGEX REPLACE "(^|\n)// SPDX-License-Identifier: [^\n]*" "" head "${head}")
  string(REGEX REPLACE "\n#pragma once|\n#include <rowsmith/[^\n]*" "" head "${head}")
  if(NOT head MATCHES "\n#if")
    string(REGEX MATCHALL "\n#include <[^>\n]+>" includes "${head}")
    foreach(include IN LISTS includes)
      if(include IN_LIST plain)
        string(REPLACE "${include}" "" head "${head}")
      else()
        list(APPEND plain "${include}")
      endif()
    endforeach()
  endif()
  string(STRIP "${head}" head)
  string(REGEX REPLACE "\n(\n)+" "\n\n" head "${head}")
  string(REGEX REPLACE "\n#include <rowsmith/[^\n]*|[ \n]" "" rest "\n${tail}")
  if(NOT rest STREQUAL "")
    message(FATAL_ERROR "${name}: behind ROWSMITH_END stands more than includes: ${rest}")
  endif()
  if(NOT body STREQUAL "" OR head MATCHES "\n#")
    string(APPEND text "\n// ---- ${name} ----\n${head}\n${body}")
  endif()
  append_included("\n${tail}") # headers that need this one
  return(PROPAGATE text seen plain)
endfunction()

foreach(name IN LISTS all)
  append("${name}")
endforeach()

file(STRINGS "${ROOT}/include/rowsmith/core/version.hpp" version REGEX "^#define ROWSMITH_VERSION \"")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
file(READ "${ROOT}/LICENSE" licence)
string(STRIP "${licence}" licence)
string(REPLACE "\n" "\n// " licence "${licence}")
string(REGEX REPLACE "// \n" "//\n" licence "${licence}")
file(WRITE "${OUT}" "// SPDX-License-Identifier: MIT
// rowsmith ${version} in one header, made by .cmake/single_header.cmake. It needs Eigen, nlohmann-json, Random123 and
// fast-cpp-csv-parser, -std=c++20 or later and -fopenmp.
//
// ${licence}
#pragma once
${text}")
