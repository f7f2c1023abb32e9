// What the plugins use of newer C and C++ libraries, so that one binary is loaded by the debuggers
// of systems that are older than the one which built it: by glibc 2.28 and libstdc++ 8. Hidden, for
// the plugin alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The versions that every glibc of this processor has, wherever it has the functions.
extern "C" {
int pygc_old_dladdr(const void* address, Dl_info* info);
void* pygc_old_dlsym(void* handle, const char* name);
}
__asm__(".symver pygc_old_dladdr,dladdr@GLIBC_2.2.5");
__asm__(".symver pygc_old_dlsym,dlsym@GLIBC_2.2.5");

#pragma GCC visibility push(hidden)

extern "C" {

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the system's own names
int dladdr(const void* address, Dl_info* info) noexcept {
  return pygc_old_dladdr(address, info);
}

void* dlsym(void* __restrict handle, const char* __restrict name) noexcept {
  return pygc_old_dlsym(handle, name);
}

// Functions of libc since glibc 2.33.
int stat(const char* __restrict path, struct stat* __restrict status) noexcept {
  return static_cast<int>(::syscall(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

int fstat(int fd, struct stat* status) noexcept {
  return static_cast<int>(::syscall(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH));
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

// Since glibc 2.32; asked by std::shared_ptr. A debugger has several threads.
extern char __libc_single_threaded;
char __libc_single_threaded = 0;

} // extern "C"

namespace std {

// Since GCC 11.
[[noreturn]] void __throw_bad_array_new_length();
void __throw_bad_array_new_length() {
  throw std::bad_array_new_length();
}

} // namespace std

#pragma GCC visibility pop
