# LLDB's headers and library, the newest major installed first.
#   -DPYGC_LLDB_VERSION=N   this major only
#   -DPYGC_LLDB_ROOT=DIR    DIR/include/lldb/API/LLDB.h and DIR/lib/liblldb*
# Sets LLDB_FOUND, LLDB_INCLUDE_DIR, LLDB_VERSION_MAJOR. The library is only looked for, never linked:
# the plugin's undefined names are resolved by the LLDB that loads it.
set(PYGC_LLDB_VERSION "" CACHE STRING "The LLDB major to build the plugin for (default: the newest installed)")
set(PYGC_LLDB_ROOT "" CACHE PATH "The prefix of the LLDB to build the plugin for")

set(LLDB_FOUND FALSE)
unset(LLDB_INCLUDE_DIR)
unset(LLDB_VERSION_MAJOR)

set(_lldb_candidates)
if(PYGC_LLDB_ROOT)
  list(APPEND _lldb_candidates "${PYGC_LLDB_ROOT}")
else()
  foreach(_major RANGE 22 14 -1)
    if(NOT PYGC_LLDB_VERSION OR PYGC_LLDB_VERSION EQUAL _major)
      foreach(_prefix /usr/lib/llvm-${_major} /usr/local/lib/llvm-${_major} /usr/lib/llvm/${_major}
              /usr/lib64/llvm${_major})
        list(APPEND _lldb_candidates ${_prefix})
      endforeach()
    endif()
  endforeach()
  list(APPEND _lldb_candidates /usr/local /usr)
endif()

foreach(_root IN LISTS _lldb_candidates)
  if(NOT EXISTS "${_root}/include/lldb/API/LLDB.h")
    continue()
  endif()
  # liblldb-19.so.1, liblldb.so.19.1, liblldb-19.1.7.so: the first number from 14 to 22 is the major.
  file(GLOB _libraries "${_root}/lib/liblldb[-.]*so*" "${_root}/lib64/liblldb[-.]*so*")
  set(_major "")
  foreach(_library IN LISTS _libraries)
    if(_library MATCHES "liblldb(-|\\.so\\.)(1[4-9]|2[0-2])([.]|$)")
      set(_major ${CMAKE_MATCH_2})
      break()
    endif()
  endforeach()
  if(_major AND (NOT PYGC_LLDB_VERSION OR PYGC_LLDB_VERSION EQUAL _major))
    set(LLDB_INCLUDE_DIR "${_root}/include")
    set(LLDB_VERSION_MAJOR ${_major})
    break()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
set(FPHSA_NAME_MISMATCHED TRUE)
find_package_handle_standard_args(LLDB REQUIRED_VARS LLDB_INCLUDE_DIR LLDB_VERSION_MAJOR)
