# SPDX-License-Identifier: MIT
# Run by CPack on what it has installed, before it makes packages of it: adds and changes what Debian wants
# otherwise than `cmake --install` leaves it.
if(CPACK_ROWSMITH_NATIVE)
  message(WARNING "These packages hold programs for this machine's processor alone (ROWSMITH_NATIVE)")
endif()
find_program(gzip gzip REQUIRED)

file(READ "${CPACK_ROWSMITH_SOURCE_DIR}/LICENSE" licence)
string(REGEX MATCH "Copyright \\(c\\) ([^\n]+)" copyright "${licence}")
set(copyright "${CMAKE_MATCH_1}")
string(REGEX REPLACE "^.*Copyright[^\n]*\n+" "" licence "${licence}")
string(STRIP "${licence}" licence)
string(REGEX REPLACE "\n\n" "\n.\n" licence "${licence}")
string(REPLACE "\n" "\n " licence "${licence}")
set(copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: rowsmith

Files: *
Copyright: ${copyright}
License: Expat
 ${licence}
")

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH, where it is set
foreach(group program dev c)
  string(TOUPPER ${group} upper)
  set(package "${CPACK_DEBIAN_${upper}_PACKAGE_NAME}")
  set(root "${CPACK_TEMPORARY_DIRECTORY}/${group}${CPACK_PACKAGING_INSTALL_PREFIX}")
  if(NOT IS_DIRECTORY "${root}")
    message(FATAL_ERROR "CPack installed nothing for ${package} in ${root}")
  endif()
  file(WRITE "${root}/share/doc/${package}/copyright" "${copyright}")
  file(WRITE "${root}/share/doc/${package}/changelog"
       "rowsmith (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n  * docs/changelog.md of the sources says what changed.\n
 -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  file(GLOB pages "${root}/share/man/man1/*.1")
  execute_process(COMMAND "${gzip}" -9nf "${root}/share/doc/${package}/changelog" ${pages} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB_RECURSE files "${root}/share/*")
  file(CHMOD ${files} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endforeach()

set(root "${CPACK_TEMPORARY_DIRECTORY}/program${CPACK_PACKAGING_INSTALL_PREFIX}")
# Installed under another name, and so not as a target, which CPack would have stripped.
execute_process(COMMAND "${CPACK_ROWSMITH_STRIP}" "${root}/bin/rowsmith-service" COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE archives "${CPACK_TEMPORARY_DIRECTORY}/dev/*.a") # which CPack leaves as they are
execute_process(COMMAND "${CPACK_ROWSMITH_STRIP}" --strip-debug --remove-section=.comment --remove-section=.note
                        --enable-deterministic-archives ${archives} COMMAND_ERROR_IS_FATAL ANY)
# Debian's zsh looks for what packages bring in a folder of its own.
if(EXISTS "${root}/share/zsh/site-functions")
  file(RENAME "${root}/share/zsh/site-functions" "${root}/share/zsh/vendor-completions")
endif()
