# SPDX-License-Identifier: MIT
# Writes what a program prints to a file, whole or not at all.
# usage: cmake -DOUT=<file> -P output_of.cmake -- <program> [arguments...]
cmake_policy(VERSION 3.25)

set(command "")
set(first "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(first)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(first ON)
  endif()
endforeach()
execute_process(COMMAND ${command} OUTPUT_VARIABLE text RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${command}: ${status}")
endif()
file(WRITE "${OUT}" "${text}")
