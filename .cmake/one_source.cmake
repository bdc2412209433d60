# SPDX-License-Identifier: MIT
# rowsmith_one_source(OUTPUT SOURCES...): writes OUTPUT, in which all SOURCES are compiled at once: what they include
# first, then each in a namespace of its file's name, at its own lines. What most of them include and instantiate takes
# a compiler most of its time, and is then paid once. `main` becomes an ordinary function of its namespace. Includes
# stand at the beginning of a line, and in no condition.
function(rowsmith_one_source output)
  set(includes "")
  set(bodies "")
  foreach(source IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    get_filename_component(name "${source}" NAME_WE)
    file(READ "${source}" text)
    string(REGEX MATCHALL "\n#include [<\"][^>\"]+[>\"]" own "\n${text}")
    list(TRANSFORM own STRIP)
    list(APPEND includes ${own})
    string(REGEX REPLACE "\n#include [<\"][^>\"]+[>\"]" "\n" body "\n${text}")
    string(REGEX REPLACE "^\n" "" body "${body}")
    if(body MATCHES "#[ \t]*include[ \t]*[<\"]")
      message(FATAL_ERROR "${source}: an include that does not stand at the beginning of a line, alone")
    endif()
    string(APPEND bodies "namespace ${name} {\n#line 1 \"${source}\"\n${body}\n}\n")
  endforeach()
  list(REMOVE_DUPLICATES includes)
  list(JOIN includes "\n" includes)
  file(CONFIGURE OUTPUT "${output}" CONTENT "${includes}\n${bodies}" @ONLY)
endfunction()
