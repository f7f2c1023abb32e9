# The CPython that the tests and the demo examine: the newest release build installed here that has a
# debug build of the same series beside it (Debian: python3.N and python3.N-dbg).
#   -DPYGC_TEST_PYTHON=FILE   this one; FILEd is its debug build
# Sets DebugPython_FOUND, PYGC_TEST_PYTHON, PYGC_TEST_PYTHON_DEBUG and PYGC_TEST_PYTHON_VERSION (3.N).
set(PYGC_TEST_PYTHON "" CACHE FILEPATH "The CPython to test with (default: the newest with a debug build)")

if(NOT PYGC_TEST_PYTHON OR NOT EXISTS "${PYGC_TEST_PYTHON}d")
  set(_newest)
  file(GLOB _candidates /usr/bin/python3.*d)
  foreach(_debug IN LISTS _candidates)
    if(_debug MATCHES "python(3\\.[0-9]+)d$")
      set(_version ${CMAKE_MATCH_1})
      if(EXISTS /usr/bin/python${_version} AND (NOT _newest OR _version VERSION_GREATER _newest))
        set(_newest ${_version})
      endif()
    endif()
  endforeach()
  if(_newest)
    set(PYGC_TEST_PYTHON /usr/bin/python${_newest} CACHE FILEPATH "" FORCE)
  endif()
endif()

unset(PYGC_TEST_PYTHON_VERSION)
if(PYGC_TEST_PYTHON MATCHES "python(3\\.[0-9]+)$")
  set(PYGC_TEST_PYTHON_VERSION ${CMAKE_MATCH_1})
endif()
set(PYGC_TEST_PYTHON_DEBUG ${PYGC_TEST_PYTHON}d)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DebugPython
  REQUIRED_VARS PYGC_TEST_PYTHON PYGC_TEST_PYTHON_VERSION
  REASON_FAILURE_MESSAGE "no /usr/bin/python3.N with a debug build /usr/bin/python3.Nd (Debian: python3.N-dbg)")
