// Stands in for the analysis in the plugins' tests: speaks the protocol, and misbehaves on request.
// Started as "--serve=FD"; the words of a command are COMMAND MODE ARGUMENT... With "--target" or
// "--abort" it is itself a program to be debugged.
#include "common/base/numbers.h"
#include "common/protocol/wire.h"
#include "common/protocol/wire_commands.h"
#include "common/protocol/wire_host.h"
#include "common/protocol/wire_messages.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

extern "C" {
char target_marker[16] = "hello marker";
}

namespace {

using namespace pygc;

class Fake {
public:
  explicit Fake(int socket) : channel_(UniqueFd(socket)) {}

  int run() {
    for (int commands = 1;; ++commands) {
      auto message = channel_.receive();
      if (!message || message->type != wire::Type::hello) {
        return 90;
      }
      hello_ = wire::decode_hello(message->payload).value();
      words_ = hello_.words;
      descriptors_ = std::move(message->descriptors);
      channel_.send(wire::Type::accepted, {}).value();
      const std::string mode = words_.size() > 1 ? words_[1] : "";
      if (!mode.starts_with("stay")) {
        return obey();
      }
      say("process " + std::to_string(::getpid()) + " command " + std::to_string(commands) + "\n");
      finish(0, {}, true);
      if (mode == "stay-no-more") {
        return 0;
      }
      if (mode == "stay-deaf") {
        ::pause();
      }
    }
  }

private:
  int obey() {
    const std::string mode = words_.size() > 1 ? words_[1] : "echo";
    int status = 0;
    if (mode == "crash") {
      say("before the crash\n");
      std::fputs("about to crash\n", stderr);
      std::raise(SIGSEGV);
    } else if (mode == "hang") {
      hang();
    } else if (mode == "vanish") {
      return 7;
    } else if (mode == "garbage") {
      const std::string noise = "HTTP/1.1 400 Bad Request\r\n\r\n";
      return ::write(channel_.fd(), noise.data(), noise.size()) > 0 ? 0 : 91;
    } else if (mode == "flood") {
      for (int i = 0; i < 100; i++) {
        if (!channel_.send(wire::Type::output, std::string(1 << 20, 'x'))) {
          return 92;
        }
      }
    } else if (mode == "large") {
      large();
    } else if (mode == "special") {
      say("100% \"quoted\" \\ 'single' $pc %s %n \t tab\nna\u00efve \u2603 \U0001F40D\n");
    } else if (mode == "status") {
      status = std::atoi(words_.at(2).c_str());
      say("status " + words_.at(2) + "\n");
      if (words_.size() > 3) {
        say("after it <" + words_.at(3) + ">\n");
      }
    } else if (mode == "evaluate") {
      status = evaluate();
    } else if (mode == "snoop") {
      ask(wire::Type::evaluate, "$_shell(\"true\")", wire::Type::evaluate_answer);
    } else if (mode == "actions") {
      finish(0, {breakpoint,
                 {.kind = wire::ActionKind::clear},
                 {.kind = wire::ActionKind::run, .words = {"check", "status", "3", "a 'b\\ \"c"}}});
      return 0;
    } else if (mode == "leave") {
      finish(0, {breakpoint});
      return 0;
    } else if (mode == "unsound") {
      finish(0, {{.kind = wire::ActionKind::run, .words = {"shell", "echo from a shell"}}});
      return 0;
    } else if (mode == "threads") {
      threads();
    } else if (mode == "diagnostics") {
      status = wire::status_failed;
      channel_.send(wire::Type::diagnostics, "pygc: something is wrong\n").value();
    } else {
      echo();
    }
    finish(status, {});
    return 0;
  }

  void say(const std::string& text) { channel_.send(wire::Type::output, text).value(); }

  inline static const wire::Action breakpoint = {.kind = wire::ActionKind::breakpoint,
                                                 .address = 0x12345678,
                                                 .argument = 0x1000,
                                                 .word = 0x2000,
                                                 .below = 4};

  void finish(int status, const std::vector<wire::Action>& actions, bool stays = false) {
    channel_
        .send(wire::Type::done,
              wire::encode({.status = status, .actions = actions, .stays = stays}))
        .value();
  }

  std::string ask(wire::Type question, const std::string& payload, wire::Type answer) {
    channel_.send(question, payload).value();
    auto message = channel_.receive();
    if (!message || message->type != answer) {
      std::exit(93);
    }
    return message->payload;
  }

  [[noreturn]] void hang() { // the test waits for the file with our pid
    const std::string unfinished = words_.at(2) + ".new";
    if (FILE* file = std::fopen(unfinished.c_str(), "w")) {
      std::fprintf(file, "%d\n", ::getpid());
      std::fclose(file);
    }
    std::rename(unfinished.c_str(), words_.at(2).c_str());
    for (;;) {
      ::pause();
    }
  }

  void large() { // one line without an end, then many
    say(std::string(20000, 'y') + "\n");
    for (int i = 0; i < 20000; i++) {
      say("line " + std::to_string(i) + " of a large output, padded to fifty bytes\n");
    }
  }

  int evaluate() {
    const auto payload = ask(wire::Type::evaluate, words_.at(2), wire::Type::evaluate_answer);
    const auto answer = wire::decode_evaluate_answer(payload).value();
    say(answer.ok ? words_.at(2) + " = " + std::to_string(answer.value) + "\n"
                  : "no value: " + answer.problem + "\n");
    return answer.ok ? 0 : wire::status_failed;
  }

  void threads() {
    const auto payload = ask(wire::Type::threads, {}, wire::Type::threads_answer);
    const auto answer = wire::decode_threads_answer(payload).value();
    say(std::to_string(answer.threads.size()) + " threads\n");
    for (const auto& thread : answer.threads) {
      std::string word(8, '\0');
      say("thread pc " + std::string(thread.pc != 0 ? "set" : "missing") + ", stack " +
          (read(thread.sp, word) ? "readable" : "unreadable") + ", pointer " +
          (read(thread.thread_pointer, word) ? "readable" : "unreadable") + "\n");
    }
    const auto mappings =
        wire::decode_mappings_answer(ask(wire::Type::mappings, {}, wire::Type::mappings_answer))
            .value();
    say(mappings.known && !mappings.mappings.empty() ? "mappings known\n" : "mappings unknown\n");
  }

  bool read(Address address, std::string& to) {
    const auto payload =
        ask(wire::Type::read,
            wire::encode({.address = address, .length = static_cast<std::uint32_t>(to.size())}),
            wire::Type::read_answer);
    if (!wire::decode_flag(payload).value()) {
      return false;
    }
    void* at = ::mmap(nullptr, wire::window_size, PROT_READ, MAP_SHARED, descriptors_[0].get(), 0);
    std::memcpy(to.data(), at, to.size());
    ::munmap(at, wire::window_size);
    return true;
  }

  void echo() {
    for (const auto& word : words_) {
      say("word [" + word + "]\n");
    }
    constexpr const char* kinds[] = {"none", "core", "live", "remote"};
    say("debugger " + hello_.debugger + " " + hello_.debugger_version + "\n");
    say(std::string("kind ") + kinds[static_cast<int>(hello_.kind)] + " pid " +
        std::to_string(hello_.pid) + "\n");
    say("core " + hello_.core_path + "\nexecutable " + hello_.executable_path + "\nsysroot [" +
        hello_.sysroot + "]\n");
    if (hello_.has_backing) {
      std::string start(4, '\0');
      const ssize_t n = ::pread(descriptors_.at(1).get(), start.data(), start.size(), 0);
      say(n == 4 && start == "\177ELF" ? "backing is ELF\n" : "backing is not ELF\n");
    }
    std::string page(4096, '\0');
    say(read(8, page) ? "address 8 can be read\n" : "address 8 cannot be read\n");
    if (words_.size() > 2 && words_[1] == "peek") {
      const auto where = address_in(words_[2]).value_or(0);
      std::string text(16, '\0');
      const bool ok = read(where, text);
      say(ok ? "peek " + text.substr(0, text.find('\0')) + "\n" : "peek fails\n");
    }
  }

  wire::Channel channel_;
  std::vector<std::string> words_;
  wire::Hello hello_;
  std::vector<UniqueFd> descriptors_;
};

[[gnu::noinline]] int end_of_target(bool abort) {
  if (abort) {
    std::abort();
  }
  std::puts("READY");
  std::fflush(stdout);
  for (;;) {
    ::pause();
  }
}

int be_target(bool abort) {
  std::atomic<bool> started = false;
  std::thread([&started] {
    started = true;
    started.notify_one();
    for (;;) {
      ::pause();
    }
  }).detach();
  started.wait(false);
  const std::string local = "beside the marker";
  target_marker[0] = local.empty() ? 'H' : 'h';
  return end_of_target(abort);
}

int tell_commands(int fd) {
  const wire::CommandTable table = {
      .family = "Pretend to inspect",
      .commands = {{.name = "check", .summary = "Do what the test asks for", .help = "Modes."},
                   {.name = "gc-refs", .summary = "List gc_refs in name only", .help = "None."},
                   {.name = "step", .summary = "Be run again", .help = "And again."}}};
  wire::Channel(UniqueFd(fd)).send(wire::Type::commands, wire::encode_commands(table)).value();
  return 0;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc == 2 &&
      (std::strcmp(argv[1], "--target") == 0 || std::strcmp(argv[1], "--abort") == 0)) {
    return be_target(std::strcmp(argv[1], "--abort") == 0);
  }
  const std::string commands(wire::commands_option);
  if (argc == 2 && std::string_view(argv[1]).starts_with(commands)) {
    return tell_commands(std::atoi(argv[1] + commands.size()));
  }
  if (argc != 2 || std::strncmp(argv[1], "--serve=", 8) != 0) {
    std::fprintf(stderr, "started in another way than agreed\n");
    return 94;
  }
  return Fake(std::atoi(argv[1] + 8)).run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "the plugin does not keep to the protocol: %s\n", e.what());
  return 95;
}
