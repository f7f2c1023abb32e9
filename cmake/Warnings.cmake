# Warnings are errors for every target of ours; applied by pygc_warnings(TARGET).
function(pygc_warnings target)
  set_property(GLOBAL APPEND PROPERTY PYGC_OWN_TARGETS ${target})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Werror)
  # GCC 12 sees overlapping copies in std::string's operator+ when it inlines a lot (GCC PR 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  # Clang warns of what libstdc++ 12 deprecates where its own std::stable_sort uses it (llvm-project issue
  # 76515). GCC still tells of our own uses.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
  endif()
  if(PYGC_SANITIZE AND NOT "${ARGV1}" STREQUAL "no_sanitize")
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
  # What libFuzzer steers by: which edges of the code a run has taken.
  if(PYGC_FUZZ AND NOT "${ARGV1}" STREQUAL "no_sanitize")
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()
