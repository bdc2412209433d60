# SPDX-License-Identifier: MIT
# Compiles a source that must not compile and keeps what the compiler says; or looks there for the error of one of its
# parts.
#
# usage: cmake -DCOMMAND=<a;list> -DOUTPUT=FILE -P refused.cmake
#        cmake -DOUTPUT=FILE -DSOURCE=FILE -DEXPECT=REGEX -P refused.cmake
if(DEFINED COMMAND)
  execute_process(COMMAND ${COMMAND} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  file(WRITE "${OUTPUT}" "${said}")
  if(code EQUAL 0)
    message(FATAL_ERROR "it compiles")
  endif()
  return()
endif()

# An error, and what comes before it since the last one: where it was instantiated from.
file(STRINGS "${OUTPUT}" lines)
set(before "")
set(here "")
foreach(line IN LISTS lines)
  string(APPEND before "${line}\n")
  if(line MATCHES "error:")
    string(FIND "${before}" "${SOURCE}:" place)
    if(place GREATER_EQUAL 0)
      if(line MATCHES "error:.*${EXPECT}")
        return()
      endif()
      string(APPEND here "${line}\n")
    endif()
    set(before "")
  endif()
endforeach()
message(FATAL_ERROR "${SOURCE} is not refused by an error like '${EXPECT}', but by\n${here}")
