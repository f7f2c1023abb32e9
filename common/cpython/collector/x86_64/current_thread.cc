#include "common/cpython/collector/current_thread.h"

#include "common/cpython/collector/x86_64/machine_code.h"

#include <array>
#include <span>

namespace pygc::cpython {
namespace {

constexpr std::size_t body_size = 32;      // of the function, looked at
constexpr std::int64_t furthest = 1 << 20; // thread-local storage of all images is no larger

constexpr std::array<const char*, 2> getters = {"PyThreadState_GetUnchecked",
                                                "_PyThreadState_UncheckedGet"};

bool starts_with(std::span<const unsigned char> code, std::initializer_list<unsigned char> bytes) {
  return code.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), code.begin());
}

/// What a function does before its first step: endbr64, push %rbp, mov %rsp,%rbp.
std::span<const unsigned char> without_entry(std::span<const unsigned char> code) {
  for (const auto& entry :
       {std::initializer_list<unsigned char>{0xf3, 0x0f, 0x1e, 0xfa}, {0x55}, {0x48, 0x89, 0xe5}}) {
    if (starts_with(code, entry)) {
      code = code.subspan(entry.size());
    }
  }
  return code;
}

///   64 48 8b 04 25 disp32                 mov %fs:disp32, %rax
///   48 c7 c0 imm32     64 48 8b 00        mov $imm32, %rax; mov %fs:(%rax), %rax
///   48 8b 05 disp32    64 48 8b 00        mov disp32(%rip), %rax; mov %fs:(%rax), %rax
std::optional<std::int64_t> offset_in(const image::AddressSpace& memory, Address function) {
  const auto body = memory.view(function, body_size);
  if (!body) {
    return std::nullopt;
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(body->data());
  const auto code = without_entry({bytes, body_size});
  constexpr std::size_t length = 7; // of either first instruction
  if (starts_with(code, {0x64, 0x48, 0x8b, 0x04, 0x25})) {
    return word_at(code.data() + 5);
  }
  if (!starts_with(code.subspan(length), {0x64, 0x48, 0x8b, 0x00})) {
    return std::nullopt;
  }
  if (starts_with(code, {0x48, 0xc7, 0xc0})) {
    return word_at(code.data() + 3);
  }
  if (starts_with(code, {0x48, 0x8b, 0x05})) {
    const auto behind = static_cast<Address>(code.data() - bytes) + length;
    const auto offset = memory.load<std::int64_t>(
        function + behind + static_cast<Address>(std::int64_t{word_at(code.data() + 3)}));
    return offset ? std::optional(*offset) : std::nullopt;
  }
  return std::nullopt;
}

} // namespace

std::optional<std::int64_t> current_thread_offset(const image::AddressSpace& memory,
                                                  const image::Module& module) {
  for (const char* name : getters) {
    const auto symbol = module.find_symbol(name);
    const auto offset = symbol ? offset_in(memory, symbol->address) : std::nullopt;
    if (offset && *offset > -furthest && *offset < furthest) {
      return offset;
    }
  }
  return std::nullopt;
}

} // namespace pygc::cpython
