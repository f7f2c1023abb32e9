# A layer: a folder whose sources and headers are one library, and which sees what it links alone.
#
# Includes name a header from the project's root ("common/heap/heap.h"). A library's own headers are
# linked into a tree of their own, BUILD/layers/LIBRARY/common/heap/heap.h, which is what those that
# link the library have in their search path: the header of a library that is not linked is not found.

# pygc_headers(TARGET PUBLIC|PRIVATE|INTERFACE FOLDER...): the headers of the folders, relative to the
# project's root, for the target and, if PUBLIC, for those that link it.
function(pygc_headers target visibility)
  set(root ${PROJECT_BINARY_DIR}/layers/${target})
  file(MAKE_DIRECTORY ${root})
  set(wanted)
  foreach(folder IN LISTS ARGN)
    file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${folder}/*.h)
    list(APPEND wanted ${headers})
  endforeach()
  file(GLOB_RECURSE there RELATIVE ${root} ${root}/*)
  foreach(header IN LISTS there)
    if(NOT header IN_LIST wanted)
      file(REMOVE ${root}/${header})
    endif()
  endforeach()
  foreach(header IN LISTS wanted)
    cmake_path(GET header PARENT_PATH folder)
    file(MAKE_DIRECTORY ${root}/${folder})
    if(NOT header IN_LIST there)
      file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${header} ${root}/${header} SYMBOLIC)
    endif()
  endforeach()
  target_include_directories(${target} ${visibility} ${root})
  # Debuggers and messages are to name the header where it is.
  target_compile_options(${target} ${visibility} -ffile-prefix-map=${root}=${PROJECT_SOURCE_DIR})
endfunction()

# pygc_unity(TARGET): the headers that its sources begin with are most of what is compiled, so several sources
# are compiled at once (PYGC_UNITY). Names at namespace scope are then of all of them.
function(pygc_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${PYGC_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()

# pygc_layer(LIBRARY FOLDER [PLAIN] [UNITY] [PUBLIC LIBRARY...] [PRIVATE LIBRARY...] [PRECOMPILED HEADER...]):
# FOLDER is relative to this directory; PLAIN: without a sanitizer; UNITY: see pygc_unity; PRECOMPILED: headers
# of other projects that many of its sources include, which are read once for all of them. What depends on the
# processor lies in FOLDER/${PYGC_PROCESSOR}.
function(pygc_layer library folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "PLAIN;UNITY" "" "PUBLIC;PRIVATE;PRECOMPILED")
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE here)
  set(folders ${here}/${folder} ${here}/${folder}/${PYGC_PROCESSOR})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc ${folder}/${PYGC_PROCESSOR}/*.cc)
  if(NOT sources)
    add_library(${library} INTERFACE)
    target_link_libraries(${library} INTERFACE ${arg_PUBLIC})
    pygc_headers(${library} INTERFACE ${folders})
    return()
  endif()
  add_library(${library} STATIC ${sources})
  target_link_libraries(${library} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  pygc_headers(${library} PUBLIC ${folders})
  if(arg_PRECOMPILED)
    target_precompile_headers(${library} PRIVATE ${arg_PRECOMPILED})
    # GCC 12 tells of std::string's own copies once its headers are precompiled.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      target_compile_options(${library} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
    endif()
  endif()
  if(arg_UNITY)
    pygc_unity(${library})
  endif()
  if(arg_PLAIN AND NOT PYGC_FUZZ) # which no plugin links
    pygc_warnings(${library} no_sanitize)
  else()
    pygc_warnings(${library})
  endif()
  set_property(GLOBAL APPEND PROPERTY PYGC_LAYERS ${library})
endfunction()

# Links each layer, whole, with nothing but what it says it links: a call of anything else fails.
function(pygc_link_each_layer)
  set(empty ${PROJECT_BINARY_DIR}/layers/empty.cc)
  file(CONFIGURE OUTPUT ${empty} CONTENT "// A library has to have a source.\n")
  get_property(libraries GLOBAL PROPERTY PYGC_LAYERS)
  foreach(library IN LISTS libraries)
    add_library(${library}_alone MODULE ${empty})
    target_link_libraries(${library}_alone PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${library}>)
    target_link_options(${library}_alone PRIVATE -Wl,--no-undefined)
    set_target_properties(${library}_alone PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/layers/alone)
  endforeach()
endfunction()
