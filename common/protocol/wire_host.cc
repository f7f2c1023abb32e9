#include "common/protocol/wire_host.h"

#include "common/protocol/wire.h"
#include "common/protocol/wire_process.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <span>
#include <sys/mman.h>
#include <sys/socket.h>

namespace pygc::wire {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int child_socket = 3;
constexpr int patience_after_done_ms = 2000;
constexpr int patience_after_eof_ms = 1000;

std::unexpected<Error> system_error(const char* what) {
  return fail(ErrorKind::io, 0, std::string(what) + ": " + std::strerror(errno));
}

// Sealed in size: the other side can write what it likes into it, but not pull it from under us.
class Window {
public:
  Window() = default;
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() {
    if (bytes_ != nullptr) {
      ::munmap(bytes_, window_size);
    }
  }
  Result<void> create() {
    fd_.reset(::memfd_create("pygc-window", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd_ || ::ftruncate(fd_.get(), window_size) != 0 ||
        ::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
      return system_error("cannot make the shared window");
    }
    void* at = ::mmap(nullptr, window_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (at == MAP_FAILED) {
      return system_error("cannot map the shared window");
    }
    bytes_ = static_cast<std::byte*>(at);
    return {};
  }
  int fd() const { return fd_.get(); }
  std::byte* bytes() const { return bytes_; }

private:
  UniqueFd fd_;
  std::byte* bytes_ = nullptr;
};

class Server {
public:
  Server(const Launch& launch, Host& host) : launch_(launch), host_(host) {}

  Result<Outcome> run() {
    if (auto r = start(); !r) {
      return std::unexpected(r.error());
    }
    while (!finished_) {
      if (Clock::now() >= next_idle_ && !idle()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      auto message = channel_->receive([this] { return idle(); });
      auto served = message ? serve(*message) : std::unexpected(message.error());
      if (!served) {
        // Nothing comes, or an answer cannot be delivered: the analysis is gone, say how.
        return served.error().kind == ErrorKind::io ? fail(ErrorKind::io, 0, describe_ending())
                                                    : std::unexpected(served.error());
      }
    }
    channel_.reset();
    child_.end(outcome_.again ? 0 : patience_after_done_ms);
    return outcome_;
  }

private:
  Result<void> start() {
    if (auto r = window_.create(); !r) {
      return r;
    }
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
      return system_error("cannot make a socket");
    }
    channel_ = std::make_unique<Channel>(UniqueFd(sockets[0]));
    const UniqueFd theirs(sockets[1]);
    std::vector<std::string> words = {"--serve=" + std::to_string(child_socket), "--"};
    words.insert(words.end(), launch_.words.begin(), launch_.words.end());
    if (auto r = child_.start(launch_.executable, words, theirs.get(), child_socket); !r) {
      return r;
    }
    Hello hello = launch_.hello;
    hello.has_backing = static_cast<bool>(launch_.backing);
    const std::array<int, 2> descriptors = {window_.fd(), launch_.backing.get()};
    // If the analysis is gone already, receive() finds out.
    if (auto r = channel_->send(Type::hello, encode(hello),
                                std::span(descriptors).first(hello.has_backing ? 2 : 1),
                                [this] { return idle(); });
        !r && r.error().kind != ErrorKind::io) {
      return r;
    }
    return {};
  }

  void finish(Outcome outcome) {
    outcome_ = std::move(outcome);
    finished_ = true;
  }

  bool idle() {
    next_idle_ = Clock::now() + std::chrono::milliseconds(idle_milliseconds);
    return host_.idle();
  }

  Result<void> answer(Type type, const std::string& payload) {
    return channel_->send(type, payload, {}, [this] { return idle(); });
  }

  Result<void> serve(const Message& message) {
    if (!message.descriptors.empty()) {
      return fail(ErrorKind::protocol, 0, "descriptors came where none belong");
    }
    switch (message.type) {
    case Type::output:
    case Type::diagnostics:
    case Type::progress:
      return relay(message);
    case Type::read:
      return serve_read(message.payload);
    case Type::threads:
      return serve_threads();
    case Type::mappings:
      return answer(Type::mappings_answer, encode(host_.mappings()));
    case Type::evaluate:
      return serve_evaluate(message.payload);
    case Type::interrupted:
      return answer(Type::interrupted_answer, encode_flag(host_.interrupted()));
    case Type::done: {
      auto done = decode_done(message.payload);
      if (!done) {
        return std::unexpected(done.error());
      }
      // To be run again, and nothing else.
      for (const Action& action : done->actions) {
        if (action.kind == ActionKind::run && action.words.front() != launch_.words.front()) {
          return fail(ErrorKind::protocol, 0, "it wants another command run than its own");
        }
      }
      finish(Outcome{.status = done->status, .actions = std::move(done->actions), .again = false});
      return {};
    }
    default:
      return fail(ErrorKind::protocol, 0, "a message that only the plugin may send");
    }
  }

  Result<void> relay(const Message& message) {
    relayed_ += message.payload.size();
    if (relayed_ > max_output) {
      host_.output_refused();
      return fail(ErrorKind::limit, 0,
                  "more than " + std::to_string(max_output >> 20) +
                      " MiB of output: use --output FILE");
    }
    if (message.type == Type::output) {
      host_.output(message.payload);
    } else if (message.type == Type::progress) { // the first byte: '!' when it was asked for
      const std::string_view text = message.payload;
      host_.progress(text.substr(std::min<std::size_t>(1, text.size())), text.starts_with('!'));
    } else {
      host_.diagnostics(message.payload);
    }
    return {};
  }

  Result<void> serve_read(const std::string& payload) {
    const auto request = decode_read_request(payload);
    if (!request) {
      return std::unexpected(request.error());
    }
    return answer(Type::read_answer,
                  encode_flag(host_.read(request->address, window_.bytes(), request->length)));
  }

  Result<void> serve_threads() {
    if (const auto threads = host_.threads()) {
      return answer(Type::threads_answer, encode(*threads));
    }
    finish(Outcome{.status = status_failed, .actions = {}, .again = true});
    return {};
  }

  // The debugger's expressions can do anything; only what the user typed is evaluated.
  Result<void> serve_evaluate(const std::string& expression) {
    bool typed = false;
    for (const auto& word : launch_.words) {
      typed = typed || word.find(expression) != std::string::npos;
    }
    if (expression.empty() || !typed) {
      return fail(ErrorKind::protocol, 0, "an expression that the command does not contain");
    }
    if (const auto number = parse_number(expression)) {
      return answer(Type::evaluate_answer,
                    encode(EvaluateAnswer{.ok = true, .value = *number, .problem = {}}));
    }
    if (const auto value = host_.evaluate(expression)) {
      return answer(Type::evaluate_answer, encode(*value));
    }
    finish(Outcome{.status = status_failed, .actions = {}, .again = true});
    return {};
  }

  std::string describe_ending() {
    channel_.reset();
    const Ending ending = child_.end(patience_after_eof_ms);
    std::string text = "the analysis ended ";
    if (!ending.known) {
      text += "without an answer";
    } else if (ending.signal != 0) {
      text +=
          "by signal " + std::to_string(ending.signal) + " (" + ::strsignal(ending.signal) + ")";
    } else {
      text += "without an answer, exit status " + std::to_string(ending.exit_status);
    }
    text += "; the debugger is unharmed";
    if (const auto words = child_.last_words(); !words.empty()) {
      text += "\nIts last words:\n" + words;
      text.pop_back();
    }
    return text;
  }

  const Launch& launch_;
  Host& host_;
  Window window_;
  std::unique_ptr<Channel> channel_;
  ChildProcess child_;
  Outcome outcome_;
  bool finished_ = false;
  std::size_t relayed_ = 0;
  Clock::time_point next_idle_ = Clock::now();
};

} // namespace

Outcome run_analysis(const Launch& launch, Host& host) {
  Server server(launch, host);
  auto outcome = server.run();
  if (outcome) {
    return *outcome;
  }
  std::string text = "pygc: ";
  if (outcome.error().kind == ErrorKind::protocol) {
    text += "the analysis broke the protocol and was ended: ";
  }
  host.diagnostics(text + outcome.error().reason + "\n");
  return {};
}

} // namespace pygc::wire
