# Packages of Debian and of RPM's systems, by CPack (tools/package.sh runs it).
set(CPACK_PACKAGE_NAME pygc)
set(CPACK_PACKAGE_VENDOR pygc)
# There is no address of the project's own: whoever distributes packages names himself.
set(PYGC_PACKAGE_CONTACT "pygc developers <pygc@pygc.invalid>" CACHE STRING "Who maintains the packages")
set(CPACK_PACKAGE_CONTACT ${PYGC_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "inspect the objects that CPython's garbage collector tracks")
set(CPACK_PACKAGE_DESCRIPTION
"pygc tells whether a CPython process counts the references of its garbage
collector right, and when it does not, which traverse function is to blame. It
examines core files and running processes, alone and as a command of GDB and
LLDB.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
# Below /etc lies the link that GDB reads.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/PackageFiles.cmake)
set(CPACK_PYGC_SOURCE_DIR ${PROJECT_SOURCE_DIR})

set(PYGC_PACKAGE_RELEASE 1 CACHE STRING "The release of the packages, such as 1~deb12")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${PYGC_PACKAGE_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gdb (>= 10) | gdb-minimal (>= 10) | lldb (>= 1:13)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libdebuginfod1t64 | libdebuginfod1")
set(CPACK_DEBIAN_PACKAGE_ENHANCES "gdb, lldb")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_LICENSE MIT)
set(CPACK_RPM_PACKAGE_GROUP Development/Debuggers)
# Directories of others.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/gdb /etc/gdb/gdbinit.d
  /usr/lib/lldb /usr/lib/lldb/plugins /usr/share/man /usr/share/man/man1
  /usr/share/bash-completion /usr/share/bash-completion/completions
  /usr/share/zsh /usr/share/zsh/vendor-completions /usr/share/fish /usr/share/fish/vendor_completions.d
  /usr/share/doc /usr/share/lintian /usr/share/lintian/overrides)
include(CPack)
