# Warnings are errors for every target of ours; applied by pygc_warnings(TARGET).
function(pygc_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Werror)
  if(PYGC_SANITIZE AND NOT "${ARGV1}" STREQUAL "no_sanitize")
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
endfunction()
