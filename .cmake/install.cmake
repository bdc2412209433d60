# SPDX-License-Identifier: MIT
# What `cmake --install` installs, in components of its own that `--component` chooses:
#   headers  the library, its CMake package, and rowsmith.pc for pkg-config
#   single   rowsmith_single.hpp, the library as one header
#   program  rowsmith and rowsmith-service, their manual pages, and completions for shells
#   compiled librowsmith_compiled.a, which the target rowsmith::compiled is; not part of a whole installation
#   c        the compiled C interface
#   c_dev    what a program that links it needs beside the headers
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(ROWSMITH_CONFIG_DIR "${CMAKE_INSTALL_DATADIR}/cmake/rowsmith")

# Writes NAME from .cmake/NAME.in for pkg-config, to be installed in FOLDER.
function(rowsmith_pkg_config name folder component)
  file(RELATIVE_PATH ROWSMITH_TO_PREFIX "/${folder}" /)
  configure_file("${PROJECT_SOURCE_DIR}/.cmake/${name}.in" "${PROJECT_BINARY_DIR}/${name}" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}" DESTINATION "${folder}" COMPONENT ${component})
endfunction()

foreach(component IN LISTS rowsmith_components ITEMS compiled c)
  set(target rowsmith_${component})
  if(component STREQUAL "rowsmith")
    set(target rowsmith)
  endif()
  if(NOT TARGET ${target})
    continue()
  endif()
  # One file of targets each, so that a user of one is not asked for the dependencies of the others.
  set(part headers)
  set(whole "")
  if(component STREQUAL "compiled")
    set(part compiled)
    set(whole EXCLUDE_FROM_ALL)
    install(TARGETS ${target} EXPORT rowsmith_${component} ARCHIVE COMPONENT compiled EXCLUDE_FROM_ALL)
  elseif(component STREQUAL "c")
    set(part c_dev)
    install(TARGETS ${target} EXPORT rowsmith_${component}
            LIBRARY COMPONENT c NAMELINK_COMPONENT c_dev
            INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  else()
    install(TARGETS ${target} EXPORT rowsmith_${component} FILE_SET HEADERS COMPONENT headers
            FILE_SET umbrellas COMPONENT headers)
  endif()
  install(EXPORT rowsmith_${component} NAMESPACE rowsmith:: DESTINATION "${ROWSMITH_CONFIG_DIR}"
          COMPONENT ${part} ${whole})
endforeach()
configure_package_config_file(.cmake/rowsmithConfig.cmake.in rowsmithConfig.cmake
                              INSTALL_DESTINATION "${ROWSMITH_CONFIG_DIR}")
write_basic_package_version_file(rowsmithConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/rowsmithConfig.cmake" "${PROJECT_BINARY_DIR}/rowsmithConfigVersion.cmake"
              .cmake/header_only.cmake DESTINATION "${ROWSMITH_CONFIG_DIR}" COMPONENT headers)

if(TARGET rowsmith)
  # Two dependencies have no file for pkg-config: their folders are told, but for those that compilers look in
  # anyway, and for what was downloaded for this build alone.
  set(ROWSMITH_MORE_INCLUDES "")
  foreach(dependency random123 fast_cpp_csv_parser)
    get_target_property(folder rowsmith::${dependency} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folder IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES AND NOT ${dependency}_SOURCE_DIR)
      string(APPEND ROWSMITH_MORE_INCLUDES " -I${folder}")
    endif()
  endforeach()
  rowsmith_pkg_config(rowsmith.pc "${CMAKE_INSTALL_DATADIR}/pkgconfig" headers)
endif()
if(TARGET rowsmith_c)
  rowsmith_pkg_config(rowsmith_c.pc "${CMAKE_INSTALL_LIBDIR}/pkgconfig" c_dev)
endif()

# One header for those who copy it; not part of a whole installation, which has them all.
if(TARGET rowsmith)
  set(ROWSMITH_SINGLE_HEADER "${PROJECT_BINARY_DIR}/single/rowsmith_single.hpp")
  add_custom_command(OUTPUT "${ROWSMITH_SINGLE_HEADER}"
                     COMMAND "${CMAKE_COMMAND}" "-DROOT=${PROJECT_SOURCE_DIR}" "-DOUT=${ROWSMITH_SINGLE_HEADER}" -P
                             "${PROJECT_SOURCE_DIR}/.cmake/single_header.cmake"
                     DEPENDS ${ROWSMITH_HEADERS} .cmake/single_header.cmake LICENSE VERBATIM)
  add_custom_target(single_header DEPENDS "${ROWSMITH_SINGLE_HEADER}")
  install(FILES "${ROWSMITH_SINGLE_HEADER}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT single EXCLUDE_FROM_ALL)
endif()

# ---- programs ------------------------------------------------------------------------------------------
if(TARGET rowsmith_program AND TARGET service)
  install(TARGETS rowsmith_program RUNTIME COMPONENT program)
  # There is a program `service` on most systems already.
  install(PROGRAMS $<TARGET_FILE:service> DESTINATION "${CMAKE_INSTALL_BINDIR}" RENAME rowsmith-service
          COMPONENT program)
  # The programs write their pages themselves, where they can run.
  if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
    set(pages "")
    function(rowsmith_page file folder program)
      set(out "${PROJECT_BINARY_DIR}/pages/${file}")
      add_custom_command(OUTPUT "${out}"
                         COMMAND "${CMAKE_COMMAND}" "-DOUT=${out}" -P "${PROJECT_SOURCE_DIR}/.cmake/output_of.cmake" --
                                 ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:${program}> ${ARGN}
                         DEPENDS ${program} "${PROJECT_SOURCE_DIR}/.cmake/output_of.cmake" VERBATIM)
      install(FILES "${out}" DESTINATION "${folder}" COMPONENT program)
      set(pages ${pages} "${out}" PARENT_SCOPE)
    endfunction()
    rowsmith_page(rowsmith.1 "${CMAKE_INSTALL_MANDIR}/man1" rowsmith_program manual)
    rowsmith_page(rowsmith-service.1 "${CMAKE_INSTALL_MANDIR}/man1" service --manual)
    rowsmith_page(rowsmith "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" rowsmith_program completion bash)
    rowsmith_page(_rowsmith "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" rowsmith_program completion zsh)
    rowsmith_page(rowsmith.fish "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" rowsmith_program completion fish)
    add_custom_target(rowsmith_pages ALL DEPENDS ${pages})
  endif()
endif()
