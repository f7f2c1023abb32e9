#include "common/target/live/served_target.h"

#include "common/target/live/demand_memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <sys/mman.h>
#include <sys/stat.h>

namespace pygc::target {
namespace {

constexpr std::chrono::milliseconds question_interval{50};
constexpr std::size_t text_piece = std::size_t{64} << 10;

class ServedProcess final : public Target {
public:
  ServedProcess(Info info, std::vector<Thread> threads, std::vector<FileMapping> files,
                std::unique_ptr<DemandMemory> memory)
      : info_(std::move(info)), threads_(std::move(threads)), files_(std::move(files)),
        memory_(std::move(memory)) {}

  const Info& info() const override { return info_; }
  const std::vector<Segment>& segments() const override { return memory_->segments(); }
  const std::vector<FileMapping>& file_mappings() const override { return files_; }
  const std::vector<Thread>& threads() const override { return threads_; }
  int backing_fd() const override { return memory_->fd(); }
  Pager* pager() const override { return memory_.get(); }
  std::optional<Traffic> traffic() const override { return memory_->traffic(); }

private:
  Info info_;
  std::vector<Thread> threads_;
  std::vector<FileMapping> files_;
  std::unique_ptr<DemandMemory> memory_;
};

std::vector<Segment> segments_of(const std::vector<wire::Mapping>& mappings) {
  std::vector<Segment> segments;
  for (const wire::Mapping& mapping : mappings) {
    // Beyond lies the kernel's (vsyscall), which nobody needs. Nor are the pages of the kernel's
    // clock or of a device: reading those may do anything.
    constexpr Address last_offset = std::numeric_limits<off_t>::max();
    const bool device = mapping.path.starts_with("/dev/") &&
                        !mapping.path.starts_with("/dev/shm/") &&
                        !mapping.path.starts_with("/dev/zero");
    if (mapping.end > last_offset || mapping.path.starts_with("[vvar")) {
      continue;
    }
    const std::uint64_t size = mapping.end - mapping.start;
    segments.push_back({.start = mapping.start,
                        .size = size,
                        .saved = mapping.permissions.read && !device ? size : 0,
                        .offset = 0,
                        .permissions = mapping.permissions});
  }
  return segments;
}

std::vector<FileMapping> files_of(const std::vector<wire::Mapping>& mappings) {
  std::vector<FileMapping> files;
  for (const wire::Mapping& mapping : mappings) {
    if (mapping.path.starts_with('/')) {
      files.push_back({.start = mapping.start,
                       .end = mapping.end,
                       .file_offset = mapping.file_offset,
                       .path = mapping.path});
    }
  }
  return files;
}

bool read_at(int fd, Address address, std::span<std::byte> to) {
  while (!to.empty()) {
    const ssize_t n = ::pread(fd, to.data(), to.size(), static_cast<off_t>(address));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    to = to.subspan(static_cast<std::size_t>(n));
    address += static_cast<std::uint64_t>(n);
  }
  return true;
}

std::unexpected<Error> given_up() {
  return fail(ErrorKind::cancelled, 0, "the debugger has given the command up");
}

} // namespace

Result<std::unique_ptr<ServedSession>> ServedSession::accept(wire::Channel& channel) {
  std::unique_ptr<ServedSession> session(new ServedSession(channel));
  if (auto r = session->await_hello(); !r) {
    return std::unexpected(r.error());
  }
  if (auto r = channel.send(wire::Type::accepted, {}); !r) {
    return std::unexpected(r.error());
  }
  return session;
}

ServedSession::~ServedSession() {
  if (window_ != nullptr) {
    ::munmap(window_, wire::window_size);
  }
}

Result<void> ServedSession::await_hello() {
  auto message = channel_.receive();
  if (!message) {
    return std::unexpected(message.error());
  }
  if (message->type != wire::Type::hello) {
    return fail(ErrorKind::protocol, 0, "the debugger's plugin does not say hello");
  }
  auto hello = wire::decode_hello(message->payload);
  if (!hello) {
    return std::unexpected(hello.error());
  }
  auto& descriptors = message->descriptors;
  if (descriptors.size() != (hello->has_backing ? 2U : 1U)) {
    return fail(ErrorKind::protocol, 0, "the hello brings other descriptors than it promises");
  }
  hello_ = std::move(*hello);
  window_fd_ = std::move(descriptors[0]);
  if (hello_.has_backing) {
    backing_ = std::move(descriptors[1]);
  }
  struct stat window{};
  if (::fstat(window_fd_.get(), &window) != 0 ||
      window.st_size != static_cast<off_t>(wire::window_size)) {
    return fail(ErrorKind::protocol, 0, "the shared window has another size than agreed");
  }
  void* at = ::mmap(nullptr, wire::window_size, PROT_READ, MAP_SHARED, window_fd_.get(), 0);
  if (at == MAP_FAILED) {
    return fail(ErrorKind::io, 0,
                std::string("cannot map the shared window: ") + std::strerror(errno));
  }
  window_ = static_cast<std::byte*>(at);
  return {};
}

Result<std::string> ServedSession::ask(wire::Type question, std::string_view payload,
                                       wire::Type answer) {
  if (abandoned_) {
    return given_up();
  }
  if (auto r = channel_.send(question, payload); !r) {
    listening_ = false;
    return std::unexpected(r.error());
  }
  auto message = channel_.receive();
  if (!message) {
    listening_ = false;
    return std::unexpected(message.error());
  }
  if (message->type == wire::Type::abandoned) {
    abandoned_ = true;
    cancelled_ = true;
    listening_ = false;
    return given_up();
  }
  if (message->type != answer || !message->descriptors.empty()) {
    return fail(ErrorKind::protocol, 0, "the debugger answers another question");
  }
  return std::move(message->payload);
}

// A debugger that is gone cannot be told; the next cancelled() notices.
void ServedSession::tell(wire::Type type, std::string_view text) {
  while (!text.empty() && listening_) {
    const auto piece = text.substr(0, text_piece);
    if (!channel_.send(type, piece)) {
      cancelled_ = true;
      listening_ = false;
      return;
    }
    text.remove_prefix(piece.size());
  }
}

void ServedSession::output(std::string_view text) {
  tell(wire::Type::output, text);
}

void ServedSession::diagnostics(std::string_view text) {
  tell(wire::Type::diagnostics, text);
}

bool ServedSession::cancelled_now() {
  next_question_ = {};
  return cancelled();
}

bool ServedSession::cancelled() {
  const auto now = std::chrono::steady_clock::now();
  if (cancelled_ || now < next_question_) {
    return cancelled_;
  }
  next_question_ = now + question_interval;
  if (wants_progress_.value_or(true)) {
    if (const auto line = progress_.due(now)) {
      tell(wire::Type::progress, (wants_progress_ ? "!" : " ") + *line);
    }
  }
  const auto payload = ask(wire::Type::interrupted, {}, wire::Type::interrupted_answer);
  const auto flag = payload ? wire::decode_flag(*payload) : std::unexpected(payload.error());
  cancelled_ = flag.value_or(true);
  return cancelled_;
}

Result<Address> ServedSession::evaluate(std::string_view expression) {
  const auto payload = ask(wire::Type::evaluate, expression, wire::Type::evaluate_answer);
  if (!payload) {
    return std::unexpected(payload.error());
  }
  auto answer = wire::decode_evaluate_answer(*payload);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  if (!answer->ok) {
    return fail(ErrorKind::usage, 0, std::move(answer->problem));
  }
  return answer->value;
}

Result<void> ServedSession::read(Address address, std::span<std::byte> to) {
  while (!to.empty()) {
    const std::size_t size = std::min(to.size(), wire::window_size);
    const wire::ReadRequest request{.address = address, .length = static_cast<std::uint32_t>(size)};
    const auto payload = ask(wire::Type::read, wire::encode(request), wire::Type::read_answer);
    if (!payload) {
      return std::unexpected(payload.error());
    }
    const auto ok = wire::decode_flag(*payload);
    if (!ok) {
      return std::unexpected(ok.error());
    }
    if (!*ok) {
      return fail(ErrorKind::memory_unmapped, address, "the debugger cannot read this memory");
    }
    std::memcpy(to.data(), window_, size);
    to = to.subspan(size);
    address += size;
  }
  return {};
}

Result<std::vector<Thread>> ServedSession::threads() {
  const auto payload = ask(wire::Type::threads, {}, wire::Type::threads_answer);
  if (!payload) {
    return std::unexpected(payload.error());
  }
  auto answer = wire::decode_threads_answer(*payload);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  return std::move(answer->threads);
}

Result<std::optional<std::vector<wire::Mapping>>> ServedSession::mappings() {
  const auto payload = ask(wire::Type::mappings, {}, wire::Type::mappings_answer);
  if (!payload) {
    return std::unexpected(payload.error());
  }
  auto answer = wire::decode_mappings_answer(*payload);
  if (!answer) {
    return std::unexpected(answer.error());
  }
  if (!answer->known) {
    return std::nullopt;
  }
  return std::move(answer->mappings);
}

void ServedSession::finish(const wire::Done& done) {
  if (!channel_.send(wire::Type::done, wire::encode(done))) {
    cancelled_ = true;
  }
}

Result<std::unique_ptr<Target>> open_served_process(ServedSession& session) {
  const auto& hello = session.hello();
  if (hello.kind != wire::TargetKind::live && hello.kind != wire::TargetKind::remote) {
    return fail(ErrorKind::unsupported, 0, "the debugger has no process and no core file");
  }
  auto mappings = session.mappings();
  if (!mappings) {
    return std::unexpected(mappings.error());
  }
  // A debugger that is interrupted in the middle tells fewer.
  if (session.cancelled_now()) {
    return fail(ErrorKind::cancelled, 0, "interrupted");
  }
  const std::optional<std::vector<wire::Mapping>> known = std::move(*mappings);
  if (!known) {
    return fail(ErrorKind::permission, 0,
                "the debugger cannot tell what memory process " + std::to_string(hello.pid) +
                    " has mapped; a core of it can be examined (gcore, process save-core)");
  }
  auto threads = session.threads();
  if (!threads) {
    return std::unexpected(threads.error());
  }
  const std::shared_ptr<UniqueFd> file = std::make_shared<UniqueFd>(session.take_backing());
  auto memory = DemandMemory::create(
      segments_of(*known),
      [&session, file](const Segment& segment, Address address, std::span<std::byte> to) {
        if (session.cancelled()) { // whoever asks for memory does not know; his caller will
          return false;
        }
        return *file && !segment.permissions.execute ? read_at(file->get(), address, to)
                                                     : session.read(address, to).has_value();
      });
  if (!memory) {
    return std::unexpected(memory.error());
  }
  const bool live = hello.kind == wire::TargetKind::live;
  return std::make_unique<ServedProcess>(Info{.kind = live ? Kind::live : Kind::remote,
                                              .pid = hello.pid,
                                              .core_path = {},
                                              .executable_path = hello.executable_path,
                                              .truncated = false},
                                         std::move(*threads), files_of(*known), std::move(*memory));
}

} // namespace pygc::target
