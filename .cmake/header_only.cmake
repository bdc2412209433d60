# SPDX-License-Identifier: MIT
# Targets for the two header-only dependencies that come without a CMake package. Used by the build and by
# the installed rowsmithConfig.cmake. A target that cannot be made is left out.
foreach(dependency IN ITEMS random123 fast_cpp_csv_parser)
  if(NOT TARGET rowsmith::${dependency})
    if(dependency STREQUAL "random123")
      find_path(ROWSMITH_RANDOM123_INCLUDE_DIR Random123/philox.h
                DOC "Folder that holds Random123/philox.h")
      set(include_dir "${ROWSMITH_RANDOM123_INCLUDE_DIR}")
    else()
      find_path(ROWSMITH_FAST_CPP_CSV_PARSER_INCLUDE_DIR NAMES libfccp/csv.h csv.h
                PATH_SUFFIXES fast-cpp-csv-parser # where vcpkg has it
                DOC "Folder that holds libfccp/csv.h or csv.h of fast-cpp-csv-parser")
      set(include_dir "${ROWSMITH_FAST_CPP_CSV_PARSER_INCLUDE_DIR}")
    endif()
    if(include_dir)
      add_library(rowsmith::${dependency} INTERFACE IMPORTED GLOBAL)
      set_target_properties(rowsmith::${dependency} PROPERTIES
                            INTERFACE_INCLUDE_DIRECTORIES "${include_dir}")
    endif()
    unset(include_dir)
  endif()
endforeach()
