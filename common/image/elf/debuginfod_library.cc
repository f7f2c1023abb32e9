// By the client library.
#include "common/image/elf/debuginfod.h"

#include <cstdlib>
#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <memory>
#include <unistd.h>

namespace pygc::image {
namespace {

// Loaded when first needed: the client library brings an HTTP stack along, which would cost every
// command more than the rest of its start.
struct Client {
  decltype(&::debuginfod_begin) begin = nullptr;
  decltype(&::debuginfod_end) end = nullptr;
  decltype(&::debuginfod_find_executable) executable = nullptr;
  decltype(&::debuginfod_find_debuginfo) debug_info = nullptr;

  bool complete() const {
    return begin != nullptr && end != nullptr && executable != nullptr && debug_info != nullptr;
  }
};

template <class F> void resolve(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(library, name));
}

Client load_client() {
  Client client;
  if (void* library = ::dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL)) {
    resolve(library, "debuginfod_begin", client.begin);
    resolve(library, "debuginfod_end", client.end);
    resolve(library, "debuginfod_find_executable", client.executable);
    resolve(library, "debuginfod_find_debuginfo", client.debug_info);
  }
  return client;
}

} // namespace

std::optional<std::string> debuginfod_find(const std::string& build_id, DebuginfodKind kind) {
  const char* urls = std::getenv("DEBUGINFOD_URLS");
  if (urls == nullptr || *urls == '\0') {
    return std::nullopt;
  }
  static const Client client = load_client();
  if (!client.complete()) {
    return std::nullopt;
  }
  debuginfod_client* session = client.begin();
  if (session == nullptr) {
    return std::nullopt;
  }
  const auto find = kind == DebuginfodKind::executable ? client.executable : client.debug_info;
  char* path = nullptr;
  // A length of 0 says that the build-id is hexadecimal text.
  const int fd = find(session, reinterpret_cast<const unsigned char*>(build_id.c_str()), 0, &path);
  client.end(session);
  const std::unique_ptr<char, decltype(&std::free)> owned(path, &std::free);
  if (fd < 0) {
    return std::nullopt;
  }
  ::close(fd);
  return path == nullptr ? std::nullopt : std::optional<std::string>(path);
}

} // namespace pygc::image
