# PYGC_PROCESSOR: the directory of what depends on the processor that pygc is built for and examines.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(PYGC_PROCESSOR x86_64)
else()
  set(PYGC_PROCESSOR ${CMAKE_SYSTEM_PROCESSOR})
endif()
# What lets the plugins run with older C and C++ libraries.
file(GLOB PYGC_OLD_LIBRARIES CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/common/plugins/${PYGC_PROCESSOR}/old_libraries.cc)
if(NOT EXISTS ${PROJECT_SOURCE_DIR}/common/machine/${PYGC_PROCESSOR}/processor.h)
  message(FATAL_ERROR "pygc does not know the processor ${CMAKE_SYSTEM_PROCESSOR}. "
    "Directories ${PYGC_PROCESSOR}/ beside each x86_64/ would have to supply:\n"
    "  common/machine: processor.h and thread_notes.cc (common/machine/machine.h lists what)\n"
    "  common/cpython/collector: the searches in machine code (visitor_search.h, subtract_search.h)\n"
    "  the native replayer: machine.cc, system_call.h (its machine.h)\n"
    "  the emulated replayer: machine.cc (its machine.h)")
endif()
