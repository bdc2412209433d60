# SPDX-License-Identifier: MIT
# Fails if a consumer is compiled with flags or macros that are not its own.
# usage: cmake -DCOMMANDS=compile_commands.json [-DGIVEN=what the component must add] -P check_flags.cmake
cmake_policy(VERSION 3.25)

file(READ "${COMMANDS}" json)
string(JSON command GET "${json}" 0 command)
string(REPLACE " " ";" words "${command}")
set(own -Wall -Wextra -Werror ${GIVEN})
if(GIVEN AND NOT "${GIVEN}" IN_LIST words)
  message(FATAL_ERROR "the component does not give ${GIVEN} to its consumer: ${command}")
endif()
set(foreign "")
foreach(word IN LISTS words)
  if(word MATCHES "^-(W|O|D|U|m|g|ffast|funsafe|fno|include)" AND NOT word IN_LIST own)
    list(APPEND foreign "${word}")
  endif()
endforeach()
if(NOT "-Wall" IN_LIST words)
  message(FATAL_ERROR "the consumer's own flags are not in its command: ${command}")
endif()
if(foreign)
  message(FATAL_ERROR "the library passes these flags on to its users: ${foreign}\n${command}")
endif()
