# SPDX-License-Identifier: MIT
# Finds the dependencies: those of the components that are wanted, and those of the programs that are built. All that is missing is said in one message. With ROWSMITH_FETCH_DEPENDENCIES the missing ones are
# downloaded as released archives instead, and only their headers are used.

# Imported targets must be seen by the folder that adds this project.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
include(FetchContent)
set(rowsmith_missing "")

function(rowsmith_unpack name)
  # No such subfolder: the archive is unpacked but its own build is left alone.
  FetchContent_Declare(${name} ${ARGN} SOURCE_SUBDIR none DOWNLOAD_EXTRACT_TIMESTAMP ON)
  FetchContent_MakeAvailable(${name})
  set(${name}_SOURCE_DIR "${${name}_SOURCE_DIR}" PARENT_SCOPE)
endfunction()

function(rowsmith_headers_target target folder)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${folder}")
endfunction()

macro(rowsmith_missing_package description package)
  list(APPEND rowsmith_missing "  ${description}: ${package}")
endmacro()

# ---- of the library ------------------------------------------------------------------------------------
find_package(Threads REQUIRED)
find_package(OpenMP QUIET COMPONENTS CXX)
if(NOT TARGET OpenMP::OpenMP_CXX)
  rowsmith_missing_package("OpenMP for ${CMAKE_CXX_COMPILER_ID}" "libomp-dev (clang; g++ has its own)")
endif()

if(rowsmith IN_LIST wanted)
  if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 CONFIG QUIET)
    if(Eigen3_FOUND AND Eigen3_VERSION VERSION_LESS 3.4)
      message(FATAL_ERROR "rowsmith: found Eigen ${Eigen3_VERSION}, expected 3.4 or later")
    endif()
  endif()
  if(NOT TARGET Eigen3::Eigen)
    if(ROWSMITH_FETCH_DEPENDENCIES)
      rowsmith_unpack(eigen URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
                      URL_HASH SHA256=8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
      rowsmith_headers_target(Eigen3::Eigen "${eigen_SOURCE_DIR}")
    else()
      rowsmith_missing_package("Eigen 3.4" libeigen3-dev)
    endif()
  endif()

  if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json CONFIG QUIET)
  endif()
  if(NOT TARGET nlohmann_json::nlohmann_json)
    if(ROWSMITH_FETCH_DEPENDENCIES)
      rowsmith_unpack(nlohmann_json URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
                      URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
      rowsmith_headers_target(nlohmann_json::nlohmann_json "${nlohmann_json_SOURCE_DIR}/include")
    else()
      rowsmith_missing_package("JSON for Modern C++" nlohmann-json3-dev)
    endif()
  endif()
endif()

include("${CMAKE_CURRENT_LIST_DIR}/header_only.cmake")
if(NOT TARGET rowsmith::random123)
  if(ROWSMITH_FETCH_DEPENDENCIES)
    rowsmith_unpack(random123 URL https://github.com/DEShawResearch/random123/archive/refs/tags/v1.14.0.tar.gz
                    URL_HASH SHA256=effafd8656b18030b2a5b995cd3650c51a7c45052e6e1c21e48b9fa7a59d926e)
    rowsmith_headers_target(rowsmith::random123 "${random123_SOURCE_DIR}/include")
  else()
    rowsmith_missing_package(Random123 librandom123-dev)
  endif()
endif()
if(NOT TARGET rowsmith::fast_cpp_csv_parser)
  if(ROWSMITH_FETCH_DEPENDENCIES)
    # It makes no releases; the commit's name pins its content.
    rowsmith_unpack(fast_cpp_csv_parser
                    URL https://github.com/ben-strasser/fast-cpp-csv-parser/archive/5a417973b4cea674a5e4a3b88a23098a2ab75479.tar.gz)
    rowsmith_headers_target(rowsmith::fast_cpp_csv_parser "${fast_cpp_csv_parser_SOURCE_DIR}")
  else()
    rowsmith_missing_package(fast-cpp-csv-parser libfccp-dev)
  endif()
endif()

# ---- of the programs -----------------------------------------------------------------------------------
if(ROWSMITH_BUILD_TESTS)
  add_library(rowsmith_use_catch2 INTERFACE)
  find_package(Catch2 QUIET)
  if(NOT Catch2_FOUND AND ROWSMITH_FETCH_DEPENDENCIES)
    rowsmith_unpack(catch2 URL https://github.com/catchorg/Catch2/archive/refs/tags/v2.13.10.tar.gz
                    URL_HASH SHA256=d54a712b7b1d7708bc7a819a8e6e47b2fde9536f487b89ccbca295072a7d9943)
    rowsmith_headers_target(Catch2::Catch2 "${catch2_SOURCE_DIR}/single_include")
    set(Catch2_VERSION 2.13.10)
  elseif(NOT Catch2_FOUND)
    rowsmith_missing_package("Catch2 (2.13 or 3)" catch2)
  endif()
  if(Catch2_VERSION VERSION_LESS 3)
    target_link_libraries(rowsmith_use_catch2 INTERFACE Catch2::Catch2)
  else()
    target_link_libraries(rowsmith_use_catch2 INTERFACE Catch2::Catch2WithMain)
    target_include_directories(rowsmith_use_catch2 SYSTEM INTERFACE
                               "${PROJECT_SOURCE_DIR}/tests/support/catch2_shim")
  endif()
endif()

if(ROWSMITH_BUILD_EXAMPLES OR ROWSMITH_BUILD_BENCHMARKS)
  find_package(CLI11 QUIET)
  if(NOT TARGET CLI11::CLI11 AND ROWSMITH_FETCH_DEPENDENCIES)
    rowsmith_unpack(cli11 URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
                    URL_HASH SHA256=f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)
    rowsmith_headers_target(CLI11::CLI11 "${cli11_SOURCE_DIR}/include")
  elseif(NOT TARGET CLI11::CLI11)
    rowsmith_missing_package(CLI11 libcli11-dev)
  endif()
endif()

if(ROWSMITH_BUILD_TESTS OR ROWSMITH_BUILD_EXAMPLES OR ROWSMITH_BUILD_FUZZERS)
  add_library(rowsmith_use_httplib INTERFACE)
  find_package(httplib CONFIG QUIET)
  find_package(PkgConfig QUIET)
  # Debian 12 compiles it to a library that must be used with the macros it was built with.
  if(NOT TARGET httplib::httplib AND PKG_CONFIG_FOUND)
    pkg_check_modules(rowsmith_httplib QUIET IMPORTED_TARGET GLOBAL cpp-httplib)
  endif()
  if(TARGET httplib::httplib)
    target_link_libraries(rowsmith_use_httplib INTERFACE httplib::httplib)
  elseif(TARGET PkgConfig::rowsmith_httplib)
    target_link_libraries(rowsmith_use_httplib INTERFACE PkgConfig::rowsmith_httplib)
  elseif(ROWSMITH_FETCH_DEPENDENCIES)
    rowsmith_unpack(httplib URL https://github.com/yhirose/cpp-httplib/archive/refs/tags/v0.23.1.tar.gz
                    URL_HASH SHA256=410a1347ed6bcbcc4a19af8ed8ad3873fe9fa97731d52db845c4c78f3f9c31e6)
    rowsmith_headers_target(httplib::httplib "${httplib_SOURCE_DIR}")
    target_link_libraries(rowsmith_use_httplib INTERFACE httplib::httplib)
  else()
    rowsmith_missing_package(cpp-httplib "libcpp-httplib-dev pkg-config")
  endif()
endif()

if(ROWSMITH_MPI)
  find_package(MPI COMPONENTS CXX)
  if(NOT MPI_CXX_FOUND)
    rowsmith_missing_package(MPI "libopenmpi-dev openmpi-bin")
  endif()
endif()

# What rowsmith/csv/compressed.hpp finds the headers of; nothing is missing without.
if(ROWSMITH_BUILD_TESTS OR ROWSMITH_BUILD_EXAMPLES OR ROWSMITH_BUILD_FUZZERS)
  add_library(rowsmith_use_compression INTERFACE)
  find_package(ZLIB QUIET)
  if(ZLIB_FOUND)
    target_link_libraries(rowsmith_use_compression INTERFACE ZLIB::ZLIB)
  endif()
  find_library(ROWSMITH_ZSTD_LIBRARY zstd)
  mark_as_advanced(ROWSMITH_ZSTD_LIBRARY)
  if(ROWSMITH_ZSTD_LIBRARY)
    target_link_libraries(rowsmith_use_compression INTERFACE "${ROWSMITH_ZSTD_LIBRARY}")
  endif()
  # The same of rowsmith/sqlite.
  add_library(rowsmith_use_sqlite INTERFACE)
  find_package(SQLite3 QUIET)
  if(SQLite3_FOUND)
    target_link_libraries(rowsmith_use_sqlite INTERFACE SQLite::SQLite3)
  else()
    message(STATUS "The programs are built without SQLite (apt-get install libsqlite3-dev)")
  endif()
endif()

if(rowsmith_missing)
  list(JOIN rowsmith_missing "\n" rowsmith_missing_lines)
  message(FATAL_ERROR "rowsmith: these dependencies are missing (name: Debian or Ubuntu package):\n"
                      "${rowsmith_missing_lines}\n"
                      "Install them, or configure with -DROWSMITH_FETCH_DEPENDENCIES=ON to download them.")
endif()
unset(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
