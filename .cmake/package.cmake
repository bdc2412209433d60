# SPDX-License-Identifier: MIT
# Debian packages by `cpack -G DEB` (preset "package"):
#   rowsmith          rowsmith and rowsmith-service, their manual pages, and completions for shells
#   librowsmith-dev   headers, the CMake package, files for pkg-config, the static library of the component compiled
#   librowsmith-cX.Y  the compiled C interface
if(NOT (TARGET rowsmith AND TARGET rowsmith_compiled AND TARGET rowsmith_program AND TARGET service AND TARGET rowsmith_c))
  return()
endif()
set(c_package "librowsmith-c${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")

set(CPACK_PACKAGE_NAME rowsmith)
set(CPACK_PACKAGE_VENDOR "The rowsmith authors")
if(NOT CPACK_PACKAGE_CONTACT) # who makes packages for others gives an address of theirs
  set(CPACK_PACKAGE_CONTACT "The rowsmith authors <rowsmith@localhost>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL headers c_dev compiled program c)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/.cmake/debian_files.cmake")
set(CPACK_ROWSMITH_SOURCE_DIR "${PROJECT_SOURCE_DIR}")
set(CPACK_ROWSMITH_NATIVE "${ROWSMITH_NATIVE}")
set(CPACK_ROWSMITH_STRIP "${CMAKE_STRIP}")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME rowsmith)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
    "Learns a table of numbers and categories from a file, writes new rows like its\nown, and judges them: fidelity, utility and privacy.")

set(CPACK_DEBIAN_C_PACKAGE_NAME "${c_package}")
set(CPACK_DEBIAN_C_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_C_PACKAGE_SHLIBDEPS ON)
# What packages of programs that link it depend on, and that the linker's cache is to be made again.
set(version "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
file(CONFIGURE OUTPUT debian/shlibs CONTENT "librowsmith_c ${version} ${c_package} (>= ${PROJECT_VERSION})\n" @ONLY)
file(CONFIGURE OUTPUT debian/triggers CONTENT "activate-noawait ldconfig\n" @ONLY)
set(CPACK_DEBIAN_C_PACKAGE_CONTROL_EXTRA "${PROJECT_BINARY_DIR}/debian/shlibs"
                                         "${PROJECT_BINARY_DIR}/debian/triggers")
set(CPACK_DEBIAN_C_DESCRIPTION "Draws and scores rows of trained models from C, and from what calls C.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME librowsmith-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "${c_package} (= ${PROJECT_VERSION}), libeigen3-dev (>= 3.4), libfccp-dev, \
librandom123-dev, nlohmann-json3-dev")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "cmake (>= 3.25), pkgconf")
set(CPACK_DEBIAN_DEV_DESCRIPTION
    "The headers of the C++20 library and of its C interface, with files for CMake\nand pkg-config.")
set(CPACK_COMPONENT_HEADERS_GROUP dev)
set(CPACK_COMPONENT_C_DEV_GROUP dev)
set(CPACK_COMPONENT_COMPILED_GROUP dev)
set(CPACK_COMPONENT_PROGRAM_GROUP program)
set(CPACK_COMPONENT_C_GROUP c)
include(CPack)
