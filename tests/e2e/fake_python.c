/* A process that looks like a CPython of a kind that pygc does not support. Waits for its end. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(FAKE_OLD)
/* Python 3.5 never had _PyRuntime; a version this old beside one is refused by its number. */
unsigned long Py_Version = 0x030502f0;
uint64_t _PyRuntime[512];
#elif defined(FAKE_FREE_THREADED)
/* The head of _Py_DebugOffsets: cookie, version, free_threaded. */
unsigned long Py_Version = 0x030d05f0;
uint64_t _PyRuntime[4096] = {0, 0x030d05f0, 1};
#elif defined(FAKE_NONE)
/* A CPython by its functions, but with no _PyRuntime. */
const char* Py_GetVersion(void) {
  return "3.11.2 (fake)";
}
#endif

int main(void) {
#if defined(FAKE_FREE_THREADED)
  memcpy(_PyRuntime, "xdebugpy", 8);
#endif
#if defined(FAKE_NONE)
  fprintf(stderr, "%s\n", Py_GetVersion());
#endif
  puts("READY");
  fflush(stdout);
  for (;;) {
    pause();
  }
}
