// The functions that the compiler may call by itself in a freestanding program.
#include <cstddef>

namespace {

// Keeps the compiler from making a call of the function itself of its loop.
void not_an_idiom() {
  asm volatile("" : : : "memory");
}

} // namespace

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
  auto* t = static_cast<char*>(to);
  const auto* f = static_cast<const char*>(from);
  for (std::size_t i = 0; i < size; ++i) {
    t[i] = f[i];
    not_an_idiom();
  }
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  auto* t = static_cast<char*>(to);
  const auto* f = static_cast<const char*>(from);
  if (t < f) {
    return memcpy(to, from, size);
  }
  for (std::size_t i = size; i-- > 0;) {
    t[i] = f[i];
    not_an_idiom();
  }
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  auto* t = static_cast<char*>(to);
  for (std::size_t i = 0; i < size; ++i) {
    t[i] = static_cast<char>(value);
    not_an_idiom();
  }
  return to;
}

int memcmp(const void* a, const void* b, std::size_t size) {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  for (std::size_t i = 0; i < size; ++i) {
    if (x[i] != y[i]) {
      return x[i] < y[i] ? -1 : 1;
    }
  }
  return 0;
}

} // extern "C"
