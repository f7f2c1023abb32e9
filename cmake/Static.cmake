# PYGC_STATIC: pygc and the emulated engine run on any Linux of this processor, without its libraries.
option(PYGC_STATIC "Link pygc and the engines statically" OFF)

# fmt is often shared only, but its headers can stand for it.
if(PYGC_STATIC)
  find_path(PYGC_FMT_INCLUDE_DIR fmt/format.h REQUIRED)
  add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
  target_include_directories(fmt::fmt INTERFACE ${PYGC_FMT_INCLUDE_DIR})
  target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
else()
  find_package(fmt REQUIRED)
endif()

# pygc_static(TARGET LIBRARY...): the libraries are those that the target's own need.
function(pygc_static target)
  if(PYGC_STATIC)
    set_target_properties(${target} PROPERTIES LINK_SEARCH_START_STATIC ON)
    target_link_options(${target} PRIVATE -static-pie)
    target_link_libraries(${target} PRIVATE ${ARGN})
  endif()
endfunction()
