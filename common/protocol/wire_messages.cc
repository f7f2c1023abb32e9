#include "common/protocol/wire_messages.h"

#include "common/machine/machine.h"

namespace pygc::wire {
namespace {

class Writer {
public:
  template <class T> Writer& number(T value) {
    for (std::size_t i = 0; i < sizeof(T); i++) {
      bytes_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    }
    return *this;
  }
  Writer& flag(bool value) { return number(static_cast<std::uint8_t>(value)); }
  Writer& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  Writer& texts(const std::vector<std::string>& values) {
    number(static_cast<std::uint32_t>(values.size()));
    for (const auto& value : values) {
      text(value);
    }
    return *this;
  }
  std::string take() { return std::move(bytes_); }

private:
  std::string bytes_;
};

// After the first failure every further read gives zero; finish() tells.
class Reader {
public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T> T number() {
    if (rest_.size() < sizeof(T)) {
      fail_now();
      return T{};
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); i++) {
      value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    }
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }
  bool flag() {
    const auto value = number<std::uint8_t>();
    if (value > 1) {
      fail_now();
    }
    return value == 1;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (size > rest_.size()) {
      fail_now();
      return {};
    }
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> values(count(sizeof(std::uint32_t)));
    for (auto& value : values) {
      value = text();
    }
    return values;
  }
  /// A number of elements that each take at least `element_size` of the bytes left.
  std::size_t count(std::size_t element_size) {
    const auto n = number<std::uint32_t>();
    if (n > rest_.size() / element_size) {
      fail_now();
      return 0;
    }
    return n;
  }
  void check(bool condition) {
    if (!condition) {
      fail_now();
    }
  }
  template <class T> Result<T> finish(T value) {
    if (!failed_ && rest_.empty()) {
      return value;
    }
    return fail(ErrorKind::protocol, 0, "the contents of a message do not fit its type");
  }

private:
  void fail_now() {
    failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

constexpr std::size_t thread_size = 8 * (machine::dwarf_register_count + 2) + 4;
constexpr std::size_t smallest_mapping = 3 * 8 + 1 + 4;
constexpr std::size_t smallest_action = 1 + 5 * 8 + 3 + 4;

} // namespace

std::string encode(const Hello& hello) {
  return Writer()
      .texts(hello.words)
      .text(hello.stop_id)
      .text(hello.debugger)
      .text(hello.debugger_version)
      .number(static_cast<std::uint8_t>(hello.kind))
      .number(hello.pid)
      .text(hello.core_path)
      .text(hello.executable_path)
      .text(hello.sysroot)
      .number(hello.columns)
      .flag(hello.terminal)
      .flag(hello.has_backing)
      .take();
}

Result<Hello> decode_hello(std::string_view payload) {
  Reader reader(payload);
  Hello hello;
  hello.words = reader.texts();
  hello.stop_id = reader.text();
  hello.debugger = reader.text();
  hello.debugger_version = reader.text();
  const auto kind = reader.number<std::uint8_t>();
  const bool exists = kind <= static_cast<std::uint8_t>(TargetKind::remote);
  reader.check(exists);
  hello.kind = exists ? static_cast<TargetKind>(kind) : TargetKind::none;
  hello.pid = reader.number<std::int64_t>();
  hello.core_path = reader.text();
  hello.executable_path = reader.text();
  hello.sysroot = reader.text();
  hello.columns = reader.number<std::uint32_t>();
  hello.terminal = reader.flag();
  hello.has_backing = reader.flag();
  return reader.finish(std::move(hello));
}

std::string encode(const ReadRequest& request) {
  return Writer().number(request.address).number(request.length).take();
}

Result<ReadRequest> decode_read_request(std::string_view payload) {
  Reader reader(payload);
  ReadRequest request;
  request.address = reader.number<Address>();
  request.length = reader.number<std::uint32_t>();
  reader.check(request.length > 0 && request.length <= window_size);
  reader.check(request.address <= ~Address{0} - request.length);
  return reader.finish(request);
}

std::string encode(const ThreadsAnswer& answer) {
  Writer writer;
  writer.number(static_cast<std::uint32_t>(answer.threads.size()));
  for (const auto& thread : answer.threads) {
    writer.number(thread.tid);
    for (const auto value : thread.registers) {
      writer.number(value);
    }
    writer.number(thread.thread_pointer).number(static_cast<std::int32_t>(thread.signal));
  }
  return writer.take();
}

Result<ThreadsAnswer> decode_threads_answer(std::string_view payload) {
  Reader reader(payload);
  ThreadsAnswer answer;
  answer.threads.resize(reader.count(thread_size));
  for (auto& thread : answer.threads) {
    thread.tid = reader.number<std::uint64_t>();
    for (auto& value : thread.registers) {
      value = reader.number<std::uint64_t>();
    }
    thread.pc = thread.registers[machine::pc_register];
    thread.sp = thread.registers[machine::sp_register];
    thread.thread_pointer = reader.number<Address>();
    thread.signal = reader.number<std::int32_t>();
  }
  return reader.finish(std::move(answer));
}

std::string encode(const MappingsAnswer& answer) {
  Writer writer;
  writer.flag(answer.known).number(static_cast<std::uint32_t>(answer.mappings.size()));
  for (const auto& mapping : answer.mappings) {
    const unsigned permissions =
        (mapping.permissions.read ? 1U : 0U) | (mapping.permissions.write ? 2U : 0U) |
        (mapping.permissions.execute ? 4U : 0U) | (mapping.shared ? 8U : 0U);
    writer.number(mapping.start)
        .number(mapping.end)
        .number(mapping.file_offset)
        .number(static_cast<std::uint8_t>(permissions))
        .text(mapping.path);
  }
  return writer.take();
}

Result<MappingsAnswer> decode_mappings_answer(std::string_view payload) {
  Reader reader(payload);
  MappingsAnswer answer;
  answer.known = reader.flag();
  answer.mappings.resize(reader.count(smallest_mapping));
  Address last_end = 0;
  for (auto& mapping : answer.mappings) {
    mapping.start = reader.number<Address>();
    mapping.end = reader.number<Address>();
    mapping.file_offset = reader.number<std::uint64_t>();
    const unsigned permissions = reader.number<std::uint8_t>();
    reader.check(permissions <= 15 && mapping.start >= last_end && mapping.end > mapping.start);
    mapping.permissions = {.read = (permissions & 1U) != 0,
                           .write = (permissions & 2U) != 0,
                           .execute = (permissions & 4U) != 0};
    mapping.shared = (permissions & 8U) != 0;
    mapping.path = reader.text();
    last_end = mapping.end;
  }
  return reader.finish(std::move(answer));
}

std::string encode(const EvaluateAnswer& answer) {
  return Writer().flag(answer.ok).number(answer.value).text(answer.problem).take();
}

Result<EvaluateAnswer> decode_evaluate_answer(std::string_view payload) {
  Reader reader(payload);
  EvaluateAnswer answer;
  answer.ok = reader.flag();
  answer.value = reader.number<Address>();
  answer.problem = reader.text();
  return reader.finish(std::move(answer));
}

std::string encode(const Done& done) {
  Writer writer;
  writer.number(done.status).number(static_cast<std::uint32_t>(done.actions.size()));
  for (const auto& action : done.actions) {
    writer.number(static_cast<std::uint8_t>(action.kind))
        .number(action.address)
        .number(action.argument)
        .number(action.word)
        .number(action.below)
        .number(action.ignore)
        .number(action.mark)
        .flag(action.own_thread)
        .flag(action.tells_stop)
        .texts(action.words);
  }
  return writer.flag(done.stays).take();
}

Result<Done> decode_done(std::string_view payload) {
  Reader reader(payload);
  Done done;
  done.status = reader.number<std::int32_t>();
  reader.check(done.status >= 0 && done.status <= 255);
  done.actions.resize(reader.count(smallest_action));
  reader.check(done.actions.size() <= max_actions);
  for (auto& action : done.actions) {
    const auto kind = reader.number<std::uint8_t>();
    const bool exists = kind <= static_cast<std::uint8_t>(ActionKind::run);
    reader.check(exists);
    action.kind = exists ? static_cast<ActionKind>(kind) : ActionKind::clear;
    action.address = reader.number<Address>();
    action.argument = reader.number<Address>();
    action.word = reader.number<Address>();
    action.below = reader.number<std::uint64_t>();
    action.ignore = reader.number<std::uint64_t>();
    action.mark = reader.number<std::uint8_t>();
    action.own_thread = reader.flag();
    action.tells_stop = reader.flag();
    action.words = reader.texts();
    reader.check(is_sound(action));
  }
  done.stays = reader.flag();
  return reader.finish(std::move(done));
}

std::string encode_flag(bool flag) {
  return Writer().flag(flag).take();
}

Result<bool> decode_flag(std::string_view payload) {
  Reader reader(payload);
  return reader.finish(reader.flag());
}

} // namespace pygc::wire
