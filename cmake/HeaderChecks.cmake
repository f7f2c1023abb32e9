# Each header compiles alone, with the flags of the target whose sources lie beside it.
#
# A source that includes its own header before anything else compiles it alone already (clang-format
# keeps such an include first), so only the other headers get a source of their own here: an object
# library TARGET_headers for each target that has some. Headers are found by name, not listed.

# pygc_check_headers(DIRECTORIES ... EXCLUDE ...): call it after all targets are defined.
function(pygc_check_headers)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "DIRECTORIES;EXCLUDE")
  get_property(targets GLOBAL PROPERTY PYGC_OWN_TARGETS)
  foreach(target IN LISTS targets)
    _pygc_directories_of(${target} directories)
    foreach(directory IN LISTS directories)
      # The target that was defined last knows most: a library comes after what it links.
      set("owner_of_${directory}" ${target})
    endforeach()
  endforeach()

  foreach(directory IN LISTS arg_DIRECTORIES)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
         ${PROJECT_SOURCE_DIR}/${directory}/*.h)
    foreach(header IN LISTS found)
      _pygc_compiled_alone(${header} alone)
      if(alone OR header IN_LIST arg_EXCLUDE)
        continue()
      endif()
      cmake_path(GET header PARENT_PATH place)
      while(NOT owner_of_${place} AND place MATCHES "/")
        cmake_path(GET place PARENT_PATH place)
      endwhile()
      set(target ${owner_of_${place}})
      if(NOT target)
        continue() # of a plugin or an engine that is not built here
      endif()
      set(source ${PROJECT_BINARY_DIR}/headers/${header}.cc)
      file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n")
      list(APPEND sources_of_${target} ${source})
      list(APPEND checked ${target})
    endforeach()
  endforeach()

  list(REMOVE_DUPLICATES checked)
  add_custom_target(pygc_header_checks)
  foreach(target IN LISTS checked)
    add_library(${target}_headers OBJECT ${sources_of_${target}})
    # Layers are linked for what they let see. Other LINK_LIBRARIES are not: a target may link what only
    # its own directory knows.
    get_target_property(links ${target} LINK_LIBRARIES)
    list(FILTER links INCLUDE REGEX "^pygc_[a-z_0-9]+$")
    target_link_libraries(${target}_headers PRIVATE ${links})
    get_target_property(includes ${target} INCLUDE_DIRECTORIES)
    foreach(directory IN LISTS includes)
      # Those of others, whose warnings are not ours.
      if(directory MATCHES "^${PROJECT_BINARY_DIR}/layers/" OR directory MATCHES "TARGET_PROPERTY:pygc_")
        target_include_directories(${target}_headers PRIVATE ${directory})
      else()
        target_include_directories(${target}_headers SYSTEM PRIVATE ${directory})
      endif()
    endforeach()
    target_compile_definitions(${target}_headers PRIVATE $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>)
    target_compile_options(${target}_headers PRIVATE $<TARGET_PROPERTY:${target},COMPILE_OPTIONS>)
    add_dependencies(pygc_header_checks ${target}_headers)
  endforeach()
endfunction()

# The directories, relative to the project, that a target's sources lie in.
function(_pygc_directories_of target result)
  get_target_property(sources ${target} SOURCES)
  get_target_property(base ${target} SOURCE_DIR)
  set(directories)
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${base})
    cmake_path(GET source PARENT_PATH directory)
    cmake_path(RELATIVE_PATH directory BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    list(APPEND directories ${directory})
  endforeach()
  list(REMOVE_DUPLICATES directories)
  set(${result} ${directories} PARENT_SCOPE)
endfunction()

# Whether the source of the header's name includes it first.
function(_pygc_compiled_alone header result)
  set(${result} FALSE PARENT_SCOPE)
  string(REGEX REPLACE "\\.h$" ".cc" source ${PROJECT_SOURCE_DIR}/${header})
  if(EXISTS ${source})
    file(STRINGS ${source} first REGEX "^#" LIMIT_COUNT 1)
    if(first STREQUAL "#include \"${header}\"")
      set(${result} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()
