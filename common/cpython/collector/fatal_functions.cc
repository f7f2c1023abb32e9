#include "common/cpython/collector/fatal_functions.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t text_limit = 512;
constexpr std::int64_t line_limit = 1 << 24;
constexpr int none = -1;

/// Where in a function's arguments things are; none: it is not told.
struct Signature {
  std::string_view name;
  bool of_interpreter = true; // else of the C library
  int object = none;
  int expression = none;
  int message = none;
  int file = none;
  int line = none;
};

constexpr std::array signatures = {
    Signature{.name = "_PyObject_AssertFailed",
              .object = 0,
              .expression = 1,
              .message = 2,
              .file = 3,
              .line = 4},
    Signature{.name = "Py_FatalError", .message = 0},
    Signature{.name = "_Py_FatalErrorFunc", .message = 1},
    Signature{
        .name = "__assert_fail", .of_interpreter = false, .expression = 0, .file = 1, .line = 2},
    Signature{.name = "abort", .of_interpreter = false},
};

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

/// glibc and musl.
bool is_c_library(const image::Module& module) {
  const std::string_view name = base_name(module.path());
  return name.starts_with("libc.so") || name.starts_with("libc-") || name.starts_with("ld-musl-");
}

bool is_code(const image::Module& module, Address address) {
  return std::ranges::any_of(module.code(),
                             [&](const image::Range& range) { return range.contains(address); });
}

/// Other names of a function may be nearer at hand than the one that it is known by.
const Signature* signature_of(const image::ProcessImage& image, Address function) {
  const image::Module* module = image.module_at(function);
  if (module == nullptr) {
    return nullptr;
  }
  const auto* const found = std::ranges::find_if(signatures, [&](const Signature& signature) {
    const auto symbol = module->find_symbol(signature.name);
    return symbol && symbol->address == function;
  });
  return found == signatures.end() ? nullptr : &*found;
}

std::uint64_t argument(std::span<const std::uint64_t> arguments, int which) {
  const auto index = static_cast<std::size_t>(which);
  return which == none || index >= arguments.size() ? 0 : arguments[index];
}

std::string text(const image::ProcessImage& image, Address at) {
  const auto string =
      at == 0 ? Result<std::string>(std::string()) : image.memory().load_string(at, text_limit);
  return string.value_or("");
}

} // namespace

std::vector<Address> fatal_functions(const image::ProcessImage& image, const Runtime& runtime) {
  std::vector<Address> found;
  for (const auto& module : image.modules()) {
    const bool interpreter = module.get() == runtime.module;
    if (!interpreter && !is_c_library(*module)) {
      continue;
    }
    for (const Signature& signature : signatures) {
      // A static program has the C library in it.
      if (interpreter || !signature.of_interpreter) {
        const auto symbol = module->find_symbol(signature.name);
        if (symbol && is_code(*module, symbol->address)) {
          found.push_back(symbol->address);
        }
      }
    }
  }
  return found;
}

FatalCall read_fatal_call(const image::ProcessImage& image, Address function,
                          std::span<const std::uint64_t> arguments) {
  FatalCall call;
  const Signature* signature = signature_of(image, function);
  if (signature == nullptr) {
    call.function = image.describe_code(function);
    return call;
  }
  call.function = signature->name;
  call.object = argument(arguments, signature->object);
  call.expression = text(image, argument(arguments, signature->expression));
  call.message = text(image, argument(arguments, signature->message));
  call.file = base_name(text(image, argument(arguments, signature->file)));
  const std::uint64_t line = argument(arguments, signature->line) & 0xffffffffU;
  call.line = line <= line_limit ? static_cast<std::int64_t>(line) : 0;
  return call;
}

std::string describe(const FatalCall& call) {
  std::string said = call.expression.empty() ? call.message : call.expression;
  if (said.empty()) {
    return call.function + "()";
  }
  std::string text =
      fmt::format("{} '{}'", call.expression.empty() ? "fatal error" : "assertion", said);
  if (!call.expression.empty() && !call.message.empty()) {
    text += fmt::format(", \"{}\"", call.message);
  }
  if (!call.file.empty() && call.line != 0) {
    text += fmt::format(" ({}:{})", call.file, call.line);
  }
  return text;
}

} // namespace pygc::cpython
