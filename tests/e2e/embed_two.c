/* A process with several CPythons: starts one in each libpython that the arguments name. */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

static int start(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void (*initialize)(int) = library ? (void (*)(int))dlsym(library, "Py_InitializeEx") : NULL;
  int (*run)(const char*) =
      library ? (int (*)(const char*))dlsym(library, "PyRun_SimpleString") : NULL;
  if (initialize == NULL || run == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 0;
  }
  initialize(0);
  return run("kept = [[] for _ in range(1000)]; kept.append(kept)") == 0;
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (!start(argv[i])) {
      return 1;
    }
  }
  puts("READY");
  fflush(stdout);
  pause();
  return 0;
}
