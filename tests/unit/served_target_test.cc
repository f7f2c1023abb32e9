// The analysis' side of the plugin's protocol against a plugin played by the test.
#include "common/target/live/served_target.h"

#include <array>
#include <cstring>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>

namespace pygc::target {
namespace {

using ::testing::HasSubstr;
using wire::Channel;
using wire::Type;

struct Plugin {
  wire::Hello hello = {};
  std::size_t window_size = wire::window_size;
  bool pass_backing = false;
  /// Answers one request; false: hang up.
  std::function<bool(Channel&, const wire::Message&, char* window)> answer = nullptr;
};

/// A plugin in a thread; joined at the end, when the session's socket is closed.
class Served {
public:
  explicit Served(Plugin plugin) {
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
      std::abort();
    }
    thread_ = std::thread(
        [plugin = std::move(plugin), socket = sockets[1]] { serve(plugin, UniqueFd(socket)); });
    channel_ = std::make_unique<Channel>(UniqueFd(sockets[0]));
    session_ = ServedSession::accept(*channel_);
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    session_ = fail(ErrorKind::internal, 0, "closed");
    channel_.reset();
    thread_.join();
  }
  Result<std::unique_ptr<ServedSession>>& result() { return session_; }
  ServedSession& session() { return **session_; }

private:
  static void serve(const Plugin& plugin, UniqueFd socket) {
    Channel channel(std::move(socket));
    const UniqueFd window(::memfd_create("window", MFD_CLOEXEC));
    if (::ftruncate(window.get(), static_cast<off_t>(plugin.window_size)) != 0) {
      return;
    }
    char* bytes = static_cast<char*>(
        ::mmap(nullptr, wire::window_size, PROT_READ | PROT_WRITE, MAP_SHARED, window.get(), 0));
    const std::array<int, 2> descriptors = {window.get(), window.get()};
    if (channel.send(Type::hello, wire::encode(plugin.hello),
                     std::span(descriptors).first(plugin.pass_backing ? 2 : 1))) {
      for (;;) {
        const auto message = channel.receive();
        if (message && message->type == Type::accepted) {
          continue;
        }
        if (!message || !plugin.answer || !plugin.answer(channel, *message, bytes)) {
          break;
        }
      }
    }
    ::munmap(bytes, wire::window_size);
  }

  std::thread thread_;
  std::unique_ptr<Channel> channel_;
  Result<std::unique_ptr<ServedSession>> session_ = fail(ErrorKind::internal, 0, "not connected");
};

TEST(ServedSession, ReadsTheHello) {
  Served served({.hello = {.debugger = "gdb", .pid = 77}});
  ASSERT_TRUE(served.result());
  EXPECT_EQ(served.session().hello().debugger, "gdb");
  EXPECT_EQ(served.session().hello().pid, 77);
  EXPECT_FALSE(served.session().take_backing());
}

TEST(ServedSession, RefusesAWindowOfAnotherSize) {
  Served served({.window_size = 4096});
  ASSERT_FALSE(served.result());
  EXPECT_THAT(served.result().error().reason, HasSubstr("window"));
}

TEST(ServedSession, RefusesAHelloWithoutThePromisedDescriptor) {
  Served served({.hello = {.has_backing = true}, .pass_backing = false});
  ASSERT_FALSE(served.result());
  EXPECT_THAT(served.result().error().reason, HasSubstr("descriptors"));
}

TEST(ServedSession, HandsTheBackingOverOnce) {
  Served served({.hello = {.has_backing = true}, .pass_backing = true});
  ASSERT_TRUE(served.result());
  EXPECT_TRUE(served.session().take_backing());
  EXPECT_FALSE(served.session().take_backing());
}

TEST(ServedSession, ReadsThroughTheWindowInPieces) {
  std::vector<std::uint32_t> lengths;
  {
    Served served({.answer = [&](Channel& channel, const wire::Message& message, char* window) {
      const auto request = wire::decode_read_request(message.payload).value();
      lengths.push_back(request.length);
      std::memset(window, static_cast<int>(lengths.size()), request.length);
      return channel.send(Type::read_answer, wire::encode_flag(true)).has_value();
    }});
    std::vector<std::byte> bytes(wire::window_size + 5);
    ASSERT_TRUE(served.session().read(0x1000, bytes));
    EXPECT_EQ(bytes.front(), std::byte{1});
    EXPECT_EQ(bytes[wire::window_size - 1], std::byte{1});
    EXPECT_EQ(bytes.back(), std::byte{2});
  }
  EXPECT_THAT(lengths, ::testing::ElementsAre(wire::window_size, 5));
}

TEST(ServedSession, AFailedReadNamesTheAddress) {
  Served served({.answer = [](Channel& channel, const wire::Message&, char*) {
    return channel.send(Type::read_answer, wire::encode_flag(false)).has_value();
  }});
  std::array<std::byte, 8> bytes{};
  const auto read = served.session().read(0x1234, bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::memory_unmapped);
  EXPECT_EQ(read.error().address, 0x1234U);
}

TEST(ServedSession, RefusesTheAnswerToAnotherQuestion) {
  Served served({.answer = [](Channel& channel, const wire::Message&, char*) {
    return channel.send(Type::mappings_answer, "").has_value();
  }});
  const auto threads = served.session().threads();
  ASSERT_FALSE(threads);
  EXPECT_EQ(threads.error().kind, ErrorKind::protocol);
}

TEST(ServedSession, RefusesAnAnswerThatDoesNotDecode) {
  Served served({.answer = [](Channel& channel, const wire::Message&, char*) {
    return channel.send(Type::threads_answer, "\xff\xff\xff\xff").has_value();
  }});
  const auto threads = served.session().threads();
  ASSERT_FALSE(threads);
  EXPECT_EQ(threads.error().kind, ErrorKind::protocol);
}

TEST(ServedSession, ADebuggerThatIsGoneCountsAsCancelled) {
  Served served({.answer = [](Channel&, const wire::Message&, char*) { return false; }});
  EXPECT_TRUE(served.session().cancelled());
  EXPECT_FALSE(served.session().evaluate("1 + 1"));
  served.session().output("goes nowhere, harms nobody");
  served.session().finish({.status = 0});
  EXPECT_FALSE(served.session().undisturbed());
}

TEST(ServedSession, CancelledStaysSo) {
  int questions = 0;
  {
    Served served({.answer = [&](Channel& channel, const wire::Message&, char*) {
      questions++;
      return channel.send(Type::interrupted_answer, wire::encode_flag(true)).has_value();
    }});
    EXPECT_TRUE(served.session().cancelled());
    EXPECT_TRUE(served.session().cancelled());
  }
  EXPECT_EQ(questions, 1);
}

TEST(ServedSession, AbandonedItAsksNoMoreAndSaysNoMore) {
  std::vector<Type> said;
  {
    Served served({.answer = [&](Channel& channel, const wire::Message& message, char*) {
      said.push_back(message.type);
      return message.type == Type::done || channel.send(Type::abandoned, {}).has_value();
    }});
    const auto value = served.session().evaluate("$later");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, ErrorKind::cancelled);
    EXPECT_TRUE(served.session().abandoned());
    EXPECT_FALSE(served.session().listening());
    EXPECT_TRUE(served.session().cancelled());
    served.session().output("for nobody");
    EXPECT_FALSE(served.session().evaluate("$later"));
    served.session().finish({.status = 2, .stays = true});
  }
  EXPECT_THAT(said, ::testing::ElementsAre(Type::evaluate, Type::done));
}

// What one command was told is not told the next.
TEST(ServedSession, EachCommandIsASessionOfItsOwn) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()), 0);
  Channel plugin{UniqueFd(sockets[0])};
  Channel analysis{UniqueFd(sockets[1])};
  const UniqueFd window(::memfd_create("window", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(window.get(), static_cast<off_t>(wire::window_size)), 0);
  const std::array<int, 1> descriptors = {window.get()};
  const auto greet = [&](std::vector<std::string> words) {
    const wire::Hello hello{.words = std::move(words), .stop_id = "here"};
    ASSERT_TRUE(plugin.send(Type::hello, wire::encode(hello), descriptors));
  };
  greet({"check", "--json"});
  {
    const auto first = ServedSession::accept(analysis);
    ASSERT_TRUE(first);
    EXPECT_EQ((*first)->hello().words, (std::vector<std::string>{"check", "--json"}));
    EXPECT_EQ(plugin.receive().value().type, Type::accepted);
    ASSERT_TRUE(plugin.send(Type::interrupted_answer, wire::encode_flag(true)));
    EXPECT_TRUE((*first)->cancelled());
    EXPECT_EQ(plugin.receive().value().type, Type::interrupted);
    (*first)->finish({.status = 2});
    EXPECT_EQ(plugin.receive().value().type, Type::done);
  }
  EXPECT_FALSE(analysis.wait(std::chrono::milliseconds(1)));
  greet({"gc-refs"});
  EXPECT_TRUE(analysis.wait(std::chrono::milliseconds(1000)));
  const auto second = ServedSession::accept(analysis);
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->hello().words, std::vector<std::string>{"gc-refs"});
  EXPECT_TRUE((*second)->undisturbed());
  EXPECT_FALSE((*second)->abandoned());
}

TEST(ServedSession, TheDebuggersReasonComesThrough) {
  Served served({.answer = [](Channel& channel, const wire::Message& message, char*) {
    EXPECT_EQ(message.payload, "nosuch");
    const wire::EvaluateAnswer answer{.ok = false, .value = 0, .problem = "No symbol \"nosuch\""};
    return channel.send(Type::evaluate_answer, wire::encode(answer)).has_value();
  }});
  const auto value = served.session().evaluate("nosuch");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().kind, ErrorKind::usage);
  EXPECT_EQ(value.error().reason, "No symbol \"nosuch\"");
}

TEST(ServedProcess, EachSegmentHasItsPlaceAndVsyscallIsLeftOut) {
  const auto answer = [](Channel& channel, const wire::Message& message, char*) {
    if (message.type == Type::threads) {
      return channel.send(Type::threads_answer, wire::encode(wire::ThreadsAnswer{{Thread{}}}))
          .has_value();
    }
    if (message.type == Type::interrupted) {
      return channel.send(Type::interrupted_answer, wire::encode_flag(false)).has_value();
    }
    const wire::MappingsAnswer mappings{
        .known = true,
        .mappings = {{.start = 0x1000,
                      .end = 0x3000,
                      .file_offset = 0x2000,
                      .permissions = {.read = true, .write = false, .execute = true},
                      .path = "/bin/x"},
                     {.start = 0x5000, .end = 0x6000, .permissions = {}, .path = ""},
                     {.start = 0xffffffffff600000,
                      .end = 0xffffffffff601000,
                      .permissions = {},
                      .path = "[vsyscall]"}}};
    return channel.send(Type::mappings_answer, wire::encode(mappings)).has_value();
  };
  Served served({.hello = {.kind = wire::TargetKind::live, .pid = 9, .has_backing = true},
                 .pass_backing = true,
                 .answer = answer});
  const auto process = open_served_process(served.session());
  ASSERT_TRUE(process);
  EXPECT_EQ((*process)->info().pid, 9);
  EXPECT_EQ((*process)->info().kind, Kind::live);
  ASSERT_EQ((*process)->segments().size(), 2U);
  EXPECT_EQ((*process)->segments()[0].offset, 0U);
  EXPECT_EQ((*process)->segments()[0].saved, 0x2000U);
  EXPECT_EQ((*process)->segments()[1].saved, 0U); // not readable
  ASSERT_EQ((*process)->file_mappings().size(), 1U);
  EXPECT_EQ((*process)->file_mappings()[0].file_offset, 0x2000U);
  EXPECT_EQ((*process)->threads().size(), 1U);
  EXPECT_GE((*process)->backing_fd(), 0);
}

auto no_mappings(bool interrupted) {
  return [interrupted](Channel& channel, const wire::Message& message, char*) {
    if (message.type == Type::interrupted) {
      return channel.send(Type::interrupted_answer, wire::encode_flag(interrupted)).has_value();
    }
    return channel.send(Type::mappings_answer, wire::encode(wire::MappingsAnswer{})).has_value();
  };
}

TEST(ServedProcess, SaysWhatIsMissing) {
  Served none({.hello = {.kind = wire::TargetKind::none}});
  EXPECT_THAT(open_served_process(none.session()).error().reason, HasSubstr("no process"));
  Served silent(
      {.hello = {.kind = wire::TargetKind::remote, .pid = 3}, .answer = no_mappings(false)});
  EXPECT_THAT(open_served_process(silent.session()).error().reason, HasSubstr("process 3"));
}

// A debugger that is interrupted tells what it has got so far.
TEST(ServedProcess, AnInterruptedListOfMappingsIsNotUsed) {
  Served served(
      {.hello = {.kind = wire::TargetKind::remote, .pid = 3}, .answer = no_mappings(true)});
  EXPECT_EQ(open_served_process(served.session()).error().kind, ErrorKind::cancelled);
}

} // namespace
} // namespace pygc::target
