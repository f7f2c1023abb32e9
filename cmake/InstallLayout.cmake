# Where what is built lies: in the build directory as below the prefix of an installation, so that each
# part finds the others relative to itself, wherever the whole is moved to.
include(GNUInstallDirs)
# What is installed has been built by its targets; tests need not be.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

set(PYGC_INSTALL_LIBEXEC ${CMAKE_INSTALL_LIBEXECDIR}/pygc)
set(PYGC_INSTALL_SHARE ${CMAKE_INSTALL_DATAROOTDIR}/pygc)
# Not CMAKE_INSTALL_LIBDIR: LLDB loads what lies in /usr/lib/lldb/plugins, on every system.
set(PYGC_INSTALL_GDB_LIBRARY lib/pygc)
set(PYGC_INSTALL_LLDB_LIBRARY lib/lldb/plugins)
foreach(directory IN ITEMS ${CMAKE_INSTALL_BINDIR} ${PYGC_INSTALL_LIBEXEC} ${PYGC_INSTALL_SHARE})
  if(IS_ABSOLUTE ${directory})
    message(FATAL_ERROR "${directory} has to be relative to the prefix: pygc finds its parts relative to itself")
  endif()
endforeach()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_BINDIR})
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(PYGC_LIBEXEC_DIR ${CMAKE_BINARY_DIR}/${PYGC_INSTALL_LIBEXEC})
set(PYGC_SHARE_DIR ${CMAKE_BINARY_DIR}/${PYGC_INSTALL_SHARE})
set(PYGC_GDB_LIBRARY_DIR ${CMAKE_BINARY_DIR}/${PYGC_INSTALL_GDB_LIBRARY})
set(PYGC_LLDB_LIBRARY_DIR ${CMAKE_BINARY_DIR}/${PYGC_INSTALL_LLDB_LIBRARY})

file(RELATIVE_PATH PYGC_LIBEXEC_FROM_BIN ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${PYGC_LIBEXEC_DIR})
file(RELATIVE_PATH PYGC_SHARE_FROM_BIN ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${PYGC_SHARE_DIR})
file(RELATIVE_PATH PYGC_GDB_LIBRARY_FROM_SHARE ${PYGC_SHARE_DIR} ${PYGC_GDB_LIBRARY_DIR})

# Debian's GDB, as many others, sources what lies in /etc/gdb/gdbinit.d. A link, not a file: it goes away
# with the package, and there is one script.
function(pygc_install_gdb_script)
  install(FILES ${PYGC_SHARE_DIR}/pygc.gdb DESTINATION ${PYGC_INSTALL_SHARE})
  install(CODE "set(share \"${PYGC_INSTALL_SHARE}\")
    set(from \"${CMAKE_INSTALL_SYSCONFDIR}/gdb/gdbinit.d\")
    set(prefix \"\${CMAKE_INSTALL_PREFIX}\")
    if(prefix MATCHES \"^/usr/?\$\")
      set(from \"/etc/gdb/gdbinit.d\")
    elseif(NOT IS_ABSOLUTE \"\${from}\")
      set(from \"\${prefix}/\${from}\")
    endif()
    set(target \"\${prefix}/\${share}/pygc.gdb\")
    string(FIND \"\${from}\" \"\${prefix}/\" inside)
    if(inside EQUAL 0)
      file(RELATIVE_PATH target \"\${from}\" \"\${target}\")
    endif()
    file(MAKE_DIRECTORY \"\$ENV{DESTDIR}\${from}\")
    file(CREATE_LINK \"\${target}\" \"\$ENV{DESTDIR}\${from}/pygc.gdb\" SYMBOLIC)
    message(STATUS \"Installing: \$ENV{DESTDIR}\${from}/pygc.gdb -> \${target}\")")
endfunction()
