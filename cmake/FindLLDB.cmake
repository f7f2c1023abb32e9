# LLDB's headers and library, 13 or newer, the newest major installed first.
#   -DPYGC_LLDB_VERSION=N   this major only
#   -DPYGC_LLDB_ROOT=DIR    DIR/include/lldb/API/LLDB.h and DIR/lib/liblldb*
# Sets LLDB_FOUND, LLDB_INCLUDE_DIR, LLDB_VERSION_MAJOR. The library is only looked for, never linked:
# the plugin's undefined names are resolved by the LLDB that loads it, of whatever major.
set(PYGC_LLDB_VERSION "" CACHE STRING "The LLDB major whose headers are used (default: the newest installed)")
set(PYGC_LLDB_ROOT "" CACHE PATH "The prefix of the LLDB whose headers are used")

set(LLDB_FOUND FALSE)
unset(LLDB_INCLUDE_DIR)
unset(LLDB_VERSION_MAJOR)
set(_lldb_oldest 13)

if(PYGC_LLDB_ROOT)
  set(_lldb_candidates "${PYGC_LLDB_ROOT}")
else()
  file(GLOB _lldb_candidates /usr/lib/llvm-* /usr/local/lib/llvm-* /usr/lib/llvm/* /usr/lib64/llvm*)
  list(APPEND _lldb_candidates /usr/local /usr)
endif()

foreach(_root IN LISTS _lldb_candidates)
  if(NOT EXISTS "${_root}/include/lldb/API/LLDB.h")
    continue()
  endif()
  # liblldb-19.so.1, liblldb.so.19.1, liblldb-19.1.7.so, but also liblldb.so.1: the first number that
  # can be a major is it.
  file(GLOB _libraries "${_root}/lib/liblldb[-.]*so*" "${_root}/lib64/liblldb[-.]*so*")
  set(_major "")
  foreach(_library IN LISTS _libraries)
    if(_library MATCHES "/liblldb(-|\\.so\\.)([0-9]+)([.]|$)" AND CMAKE_MATCH_2 GREATER_EQUAL _lldb_oldest)
      set(_major ${CMAKE_MATCH_2})
      break()
    endif()
  endforeach()
  if(_major AND (NOT PYGC_LLDB_VERSION OR PYGC_LLDB_VERSION EQUAL _major)
     AND (NOT DEFINED LLDB_VERSION_MAJOR OR _major GREATER LLDB_VERSION_MAJOR))
    set(LLDB_INCLUDE_DIR "${_root}/include")
    set(LLDB_VERSION_MAJOR ${_major})
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
set(FPHSA_NAME_MISMATCHED TRUE)
find_package_handle_standard_args(LLDB REQUIRED_VARS LLDB_INCLUDE_DIR LLDB_VERSION_MAJOR)
