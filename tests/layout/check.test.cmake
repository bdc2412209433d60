# SPDX-License-Identifier: MIT
# Plants faults in a small tree and expects check.cmake to name each.
# usage: cmake -DWORK=<folder> -P check.test.cmake
cmake_policy(VERSION 3.25)

# Writes a clean tree, changes `file` to hold `content` and checks that the outcome matches `expected`.
function(check file content expected)
  file(REMOVE_RECURSE "${WORK}")
  file(WRITE "${WORK}/include/rowsmith/core/a.hpp" "#pragma once\n#include <vector>\n")
  file(WRITE "${WORK}/include/rowsmith/core.hpp" "#pragma once\n#include <rowsmith/core/a.hpp>\n")
  file(WRITE "${WORK}/include/rowsmith/linalg/m.hpp" "#pragma once\n#include <Eigen/Core>\n")
  file(WRITE "${WORK}/include/rowsmith/csv/r.hpp" "#pragma once\n#include <rowsmith/core/a.hpp>\n")
  file(WRITE "${WORK}/LICENSE" "")
  file(WRITE "${WORK}/.gitignore" "")
  if(file)
    file(WRITE "${WORK}/${file}" "${content}")
  endif()
  execute_process(COMMAND "${CMAKE_COMMAND}" "-DROOT=${WORK}" -P "${CMAKE_CURRENT_LIST_DIR}/check.cmake"
                  RESULT_VARIABLE status ERROR_VARIABLE output OUTPUT_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(expected STREQUAL "" AND status)
    message(SEND_ERROR "a clean tree is refused: ${output}")
  elseif(NOT expected STREQUAL "" AND (NOT status OR NOT output MATCHES "${expected}"))
    message(SEND_ERROR "${file}: expected '${expected}', got ${status}: ${output}")
  endif()
endfunction()

check("" "" "")
check(include/rowsmith/core/b.hpp "#pragma once\n#include <rowsmith/csv/r.hpp>\n"
      "core/b.hpp: includes csv/r.hpp, which is not below")
check(include/rowsmith/csv/b.hpp "#pragma once\n#include <rowsmith/linalg/m.hpp>\n"
      "csv/b.hpp: includes linalg/m.hpp, which is not below")
check(include/rowsmith/forest.hpp "#pragma once\n#include <rowsmith/linalg/m.hpp>\n"
      "forest.hpp: reaches Eigen")
check(include/rowsmith/nn/b.hpp "#pragma once\n#include <Eigen/Core>\n" "nn/b.hpp: includes <Eigen/Core>, which only linalg")
check(include/rowsmith/core/b.hpp "#pragma once\n#include <rowsmith/core/gone.hpp>\n" "which is not there")
check(include/rowsmith/core/b.hpp "#include <vector>\n" "has no '#pragma once'")
check(include/rowsmith/misc/b.hpp "#pragma once\n" "the folder 'misc' has no level")
check(include/rowsmith/core/b.cpp "#pragma once\n" "is no .hpp file")
check(include/rowsmith/core/b.h "#pragma once\n" "is no .hpp file")
check(include/rowsmith/deploy/c_api.h "#pragma once\n" "")
string(REPEAT "// line\n" 599 long)
check(include/rowsmith/core/b.hpp "#pragma once\n${long}" "")
check(include/rowsmith/core/b.hpp "#pragma once\n${long}// line\n" "core/b.hpp: has 601 lines, more than 600")
check(include/rowsmith/csv.hpp "#pragma once\n// All.\n#include <rowsmith/csv/r.hpp>\n" "")
check(include/rowsmith/csv.hpp "#pragma once\n#include <vector>\n" "csv.hpp: holds more than includes")
check(include/rowsmith/csv.hpp "#pragma once\nint x;\n" "csv.hpp: holds more than includes")
check(notes.txt "" "the top level holds 'notes.txt'")
file(REMOVE_RECURSE "${WORK}")
