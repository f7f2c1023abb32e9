# pygc-static: pygc as a program that needs no libraries, for the tarball that runs on any Linux of this
# processor. It is the objects and archives of pygc, linked once more: what differs is that the program
# debuginfod-find is asked instead of a library that is loaded, and that fmt, which distributions may have
# as a shared library only, is made of its headers.
function(pygc_static_program)
  foreach(name IN ITEMS dw elf zstd lz4 lzma z bz2)
    find_library(PYGC_STATIC_${name} lib${name}.a)
    if(NOT PYGC_STATIC_${name})
      message(STATUS "No lib${name}.a: building without pygc-static")
      return()
    endif()
    list(APPEND archives ${PYGC_STATIC_${name}})
  endforeach()
  get_property(layers GLOBAL PROPERTY PYGC_LAYERS)
  list(REMOVE_ITEM layers pygc_commands)
  list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE layer_files)

  add_executable(pygc-static EXCLUDE_FROM_ALL fmt_functions.cc ${PROJECT_SOURCE_DIR}/common/image/elf/debuginfod_program.cc
    $<TARGET_OBJECTS:pygc>)
  set_source_files_properties(fmt_functions.cc PROPERTIES
    COMPILE_DEFINITIONS FMT_HEADER_ONLY COMPILE_OPTIONS -fno-inline)
  target_include_directories(pygc-static PRIVATE $<TARGET_PROPERTY:pygc_image_elf,INCLUDE_DIRECTORIES>)
  target_link_libraries(pygc-static PRIVATE -Wl,--whole-archive $<TARGET_FILE:pygc_commands> -Wl,--no-whole-archive
    -Wl,--start-group ${layer_files} -Wl,--end-group ${archives} Threads::Threads)
  target_link_options(pygc-static PRIVATE -static-pie)
  set_target_properties(pygc-static PROPERTIES OUTPUT_NAME pygc
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/static)
  add_dependencies(pygc-static pygc)
  pygc_warnings(pygc-static)
endfunction()
