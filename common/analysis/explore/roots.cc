#include "common/analysis/explore/roots.h"

#include "common/machine/machine.h"

#include <fmt/format.h>
#include <utility>

namespace pygc::analysis {
namespace {

constexpr Address word = sizeof(Address);
// _PyInterpreterFrame (Include/internal/pycore_frame.h, pycore_interpframe_structs.h): f_code or
// f_executable is the 1st field of it (3.12+) or the 5th (3.11), f_globals the 4th or the 2nd, and
// f_builtins follows that. (A function has its name there.)
constexpr Address between_code_and_globals = 3 * word;
constexpr Address tag_bits = 7;             // of a _PyStackRef
constexpr Address frame_limit = 256 * word; // how far behind its code a frame's values may lie
constexpr std::size_t text_limit = 200;
constexpr std::size_t frame_count_limit = 10'000;
// Of a stack that is a part of a mapping: SIGSTKSZ and more.
constexpr Address part_limit = std::uint64_t{64} << 10U;

} // namespace

std::string_view root_kind_name(RootKind kind) {
  switch (kind) {
  case RootKind::frame:
    return "frame";
  case RootKind::interpreter:
    return "interpreter";
  case RootKind::runtime:
    return "runtime";
  case RootKind::static_storage:
    return "static";
  case RootKind::stack:
    return "stack";
  case RootKind::thread_register:
    return "register";
  case RootKind::memory:
    break;
  }
  return "memory";
}

RootNames::RootNames(const image::ProcessImage& image, cpython::ObjectReader& reader,
                     const std::vector<machine::Thread>& threads, std::function<bool()> cancelled)
    : image_(image), reader_(reader), threads_(threads), ownership_(image, reader),
      slot_names_(image, reader, ownership_), running_(reader),
      array_items_(reader, threads, std::move(cancelled)) {
  for (const cpython::Interpreter& interpreter : reader.runtime().interpreters) {
    for (const cpython::FrameReference& each : cpython::frame_references(reader, interpreter)) {
      locals_.emplace(each.at.at, each);
    }
  }
  for (const machine::Thread& thread : threads) {
    find_left_stacks(thread);
  }
}

/// Of a thread whose stack is a part of a mapping that is neither the process's first stack nor one
/// with the C library's data behind it.
void RootNames::find_left_stacks(const machine::Thread& thread) {
  const image::Region* own = image_.memory().find(thread.sp);
  if (own == nullptr || thread.thread_pointer <= thread.sp || thread.thread_pointer < own->end) {
    return;
  }
  const auto frames = image_.unwind(thread, frame_count_limit, image::FrameDetail::functions);
  if (!frames) {
    return;
  }
  for (const image::Frame& frame : *frames) {
    const auto sp = frame.registers[machine::sp_register];
    const image::Region* region = sp ? image_.memory().find(*sp) : nullptr;
    if (region == nullptr || region == own) {
      continue;
    }
    const bool own_data_behind = thread.thread_pointer > *sp && thread.thread_pointer < region->end;
    left_.push_back({.thread = thread.tid,
                     .begin = *sp,
                     .region = region->start,
                     .end = own_data_behind ? thread.thread_pointer : region->end});
    return; // the frame that the signal has interrupted
  }
}

bool RootNames::has_type(Address object, std::string_view name) {
  const auto type = object % word == 0 ? reader_.type_address(object) : Result<Address>(0);
  return type && *type != 0 && *type % word == 0 && image_.memory().find(*type) != nullptr &&
         reader_.type(*type).name == name;
}

std::string RootNames::function_name(Address code) {
  const auto text = [&](std::string_view member) -> std::string {
    const auto str = reader_.member(code, member);
    return str && *str != 0 ? reader_.text(*str, text_limit).value_or("?") : "?";
  };
  return fmt::format("{}() in {}", text("co_name"), text("co_filename"));
}

bool RootNames::has_dict(Address at) {
  const auto object = reader_.memory().load<Address>(at);
  return object && has_type(*object, "dict");
}

std::optional<Address> RootNames::code_before(Address at) {
  for (Address begin = at - word; at - begin < frame_limit && begin > frame_limit; begin -= word) {
    const auto code = reader_.memory().load<Address>(begin);
    if (!code) {
      break;
    }
    if (!has_type(*code & ~tag_bits, "code")) {
      continue;
    }
    if ((has_dict(begin - between_code_and_globals) &&
         has_dict(begin - between_code_and_globals + word)) ||
        (has_dict(begin + between_code_and_globals) &&
         has_dict(begin + between_code_and_globals + word))) {
      return begin;
    }
  }
  return std::nullopt;
}

std::optional<Root> RootNames::root(Address at) {
  if (at == 0) {
    return Root{.kind = RootKind::thread_register, .name = {}};
  }
  if (const auto local = locals_.find(at); local != locals_.end()) {
    return Root{.kind = RootKind::frame,
                .at = at,
                .name = slot_names_.variable(local->second),
                .proven = true};
  }
  if (const auto field = running_.field(at)) {
    return field->owned ? std::optional(Root{.kind = RootKind::frame,
                                             .at = at,
                                             .name = fmt::format(".{} of {}", field->name,
                                                                 function_name(field->code)),
                                             .proven = true})
                        : std::nullopt;
  }
  const Owner owner = ownership_.owner(Ownership::Extent{}, {at});
  if (owner == Owner::interpreter || owner == Owner::runtime) {
    std::string name = slot_names_.name(0, {at});
    return Root{.kind = owner == Owner::runtime ? RootKind::runtime : RootKind::interpreter,
                .at = at,
                .name = std::move(name)};
  }
  if (owner == Owner::static_storage) {
    return Root{.kind = RootKind::static_storage, .at = at, .name = slot_names_.name(0, {at})};
  }
  const image::Region* region = image_.memory().find(at);
  for (const machine::Thread& thread : threads_) {
    if (region == nullptr || thread.sp < region->start || thread.sp >= region->end) {
      continue;
    }
    // The C library puts a thread's own data behind its stack; other mappings may follow.
    const bool own_data_behind =
        thread.thread_pointer > thread.sp && thread.thread_pointer < region->end;
    // The first thread's stack lies above all that is mapped later. Any other is a part of a
    // mapping: the alternate stack of a signal handler, or one that the program has made.
    const bool is_part = !own_data_behind && thread.sp < thread.thread_pointer;
    const Address end = own_data_behind ? thread.thread_pointer : region->end;
    if (at >= end || (is_part && at - thread.sp >= part_limit)) { // below it, too
      continue;
    }
    if (at < thread.sp) {
      return std::nullopt;
    }
    return Root{.kind = RootKind::stack,
                .at = at,
                .name = fmt::format("of thread {}, {:#x} bytes above its stack pointer", thread.tid,
                                    at - thread.sp)};
  }
  for (const LeftStack& stack : left_) {
    if (at < stack.region || at >= stack.end) {
      continue;
    }
    if (at < stack.begin) {
      return std::nullopt;
    }
    return Root{.kind = RootKind::stack,
                .at = at,
                .name = fmt::format("of thread {}, {:#x} bytes above where a signal interrupted it",
                                    stack.thread, at - stack.begin)};
  }
  if (const auto code_at = code_before(at)) {
    if (running_.is_left_behind(*code_at, at)) {
      return std::nullopt;
    }
    const Address code = reader_.memory().load<Address>(*code_at).value_or(0) & ~tag_bits;
    return Root{.kind = RootKind::frame, .at = at, .name = function_name(code)};
  }
  return Root{.kind = RootKind::memory, .at = at, .name = array_items_.name(at)};
}

} // namespace pygc::analysis
