# Run by CPack over what it is about to pack: what packages have and installations have not.
set(share ${CPACK_TEMPORARY_DIRECTORY}/usr/share)
set(doc ${share}/doc/pygc)
file(MAKE_DIRECTORY ${doc})

file(GLOB manuals ${share}/man/man1/*.1)
foreach(manual IN LISTS manuals)
  execute_process(COMMAND gzip -9n ${manual} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

file(READ ${CPACK_PYGC_SOURCE_DIR}/LICENSE license)
string(REGEX MATCH "Copyright[^\n]*" holder "${license}")
string(REGEX REPLACE "^Copyright *(\\([cC]\\))? *" "" holder "${holder}")
string(TIMESTAMP year "%Y" UTC)
string(REGEX REPLACE "^.*Copyright[^\n]*\n+" "" license "${license}")
string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
string(REGEX REPLACE "\n$" "" license "${license}")
string(REPLACE "\n" "\n " license "${license}")
file(WRITE ${doc}/copyright
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pygc

Files: *
Copyright: ${year} ${holder}
License: MIT
 ${license}
")

if(CPACK_GENERATOR STREQUAL DEB)
  string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
  file(WRITE ${doc}/changelog.Debian
"pygc (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Version ${CPACK_PACKAGE_VERSION}; NEWS.md of the sources says what is new.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
  execute_process(COMMAND gzip -9n ${doc}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  file(MAKE_DIRECTORY ${share}/lintian/overrides)
  # The engine that runs a target's code has no C library, by design.
  file(WRITE ${share}/lintian/overrides/pygc
"pygc: statically-linked-binary [usr/libexec/pygc/pygc-replayer-native]
pygc: statically-linked-binary [usr/libexec/pygc/pygc-replayer-emulated]
# No upload to Debian: nobody asked for it, and no address is that of the project.
pygc: initial-upload-closes-no-bugs *
pygc: bogus-mail-host *
pygc: bogus-mail-host-in-debian-changelog *
")
endif()
