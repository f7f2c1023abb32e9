// The framing of the plugin's protocol, with bytes made by hand on one side.
#include "common/protocol/wire.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <tuple>

namespace pygc::wire {
namespace {

using ::testing::HasSubstr;

class WireTest : public ::testing::Test {
protected:
  WireTest() {
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
      std::abort();
    }
    channel = std::make_unique<Channel>(UniqueFd(sockets[0]));
    raw.reset(sockets[1]);
  }

  void write_raw(std::string_view bytes) const {
    ASSERT_EQ(::send(raw.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void close_raw() { raw.reset(); }

  /// What receive() complains of.
  std::string problem() {
    auto message = channel->receive([] { return false; });
    EXPECT_FALSE(message.has_value());
    return message.has_value() ? "" : message.error().reason;
  }

  std::unique_ptr<Channel> channel;
  UniqueFd raw;
};

// magic "pygc", version 6, type 2 (output), length 3, no descriptors
constexpr std::array<char, 16> good_header = {'p', 'y', 'g', 'c', 6, 0, 2, 0,
                                              3,   0,   0,   0,   0, 0, 0, 0};

std::string header_with(std::size_t at, std::string_view bytes) {
  std::string header(good_header.data(), good_header.size());
  header.replace(at, bytes.size(), bytes);
  return header;
}

TEST_F(WireTest, ReceivesAMessageMadeByHand) {
  write_raw(header_with(0, ""));
  write_raw("abc");
  auto message = channel->receive();
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->type, Type::output);
  EXPECT_EQ(message->payload, "abc");
  EXPECT_TRUE(message->descriptors.empty());
}

TEST_F(WireTest, SendsTheSameBytes) {
  ASSERT_TRUE(channel->send(Type::output, "abc"));
  std::array<char, 64> bytes{};
  const ssize_t n = ::recv(raw.get(), bytes.data(), bytes.size(), 0);
  EXPECT_EQ(std::string(bytes.data(), static_cast<std::size_t>(n)), header_with(0, "") + "abc");
}

TEST_F(WireTest, TheEndBetweenMessagesIsNoBreachOfTheProtocol) {
  close_raw();
  auto message = channel->receive();
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().kind, ErrorKind::io);
}

TEST_F(WireTest, RefusesAShortHeader) {
  write_raw(header_with(0, "").substr(0, 15));
  close_raw();
  EXPECT_THAT(problem(), HasSubstr("ends inside a header"));
}

TEST_F(WireTest, RefusesAShortPayload) {
  write_raw(header_with(0, "") + "ab");
  close_raw();
  EXPECT_THAT(problem(), HasSubstr("ends inside a message"));
}

TEST_F(WireTest, RefusesAnotherMagic) {
  write_raw(header_with(0, "HTTP"));
  EXPECT_THAT(problem(), HasSubstr("not a message of pygc"));
}

TEST_F(WireTest, RefusesAnotherVersionAndNamesBoth) {
  write_raw(header_with(4, std::string_view("\x04\x00", 2)));
  const std::string text = problem();
  EXPECT_THAT(text, HasSubstr("version 6"));
  EXPECT_THAT(text, HasSubstr("version 4"));
}

TEST_F(WireTest, RefusesUnknownTypes) {
  write_raw(header_with(6, std::string_view("\x00\x00", 2)));
  EXPECT_THAT(problem(), HasSubstr("unknown type 0"));
}

TEST_F(WireTest, RefusesTheFirstTypeThatDoesNotExist) {
  const char next = static_cast<char>(last_type + 1);
  write_raw(header_with(6, std::string_view(&next, 1)));
  EXPECT_THAT(problem(), HasSubstr("unknown type " + std::to_string(last_type + 1)));
}

TEST_F(WireTest, RefusesALengthBeyondTheLimit) {
  write_raw(header_with(8, std::string_view("\x01\x00\x00\x01", 4))); // 16 MiB and a byte
  EXPECT_THAT(problem(), HasSubstr("longer than allowed"));
}

TEST_F(WireTest, RefusesTheGreatestLength) {
  write_raw(header_with(8, "\xff\xff\xff\xff"));
  EXPECT_THAT(problem(), HasSubstr("longer than allowed"));
}

TEST_F(WireTest, RefusesPromisedDescriptorsThatDoNotCome) {
  write_raw(header_with(12, "\x01"));
  EXPECT_THAT(problem(), HasSubstr("other descriptors"));
}

TEST_F(WireTest, DoesNotSendWhatItWouldNotReceive) {
  EXPECT_FALSE(channel->send(Type::output, std::string(max_payload + 1, 'x')));
  const std::array<int, max_descriptors + 1> many{};
  EXPECT_FALSE(channel->send(Type::hello, "", many));
}

TEST_F(WireTest, PassesDescriptors) {
  const UniqueFd file(::memfd_create("wire-test", MFD_CLOEXEC));
  ASSERT_EQ(::write(file.get(), "content", 7), 7);
  Channel other(UniqueFd(raw.release()));
  const std::array<int, 2> descriptors = {file.get(), file.get()};
  ASSERT_TRUE(channel->send(Type::hello, "payload", descriptors));
  auto message = other.receive();
  ASSERT_TRUE(message.has_value());
  ASSERT_EQ(message->descriptors.size(), 2U);
  for (const auto& fd : message->descriptors) {
    std::array<char, 7> bytes{};
    EXPECT_NE(fd.get(), file.get());
    EXPECT_EQ(::pread(fd.get(), bytes.data(), bytes.size(), 0), 7);
    EXPECT_EQ(std::string(bytes.data(), bytes.size()), "content");
    EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_F(WireTest, RefusesDescriptorsOnAPayload) {
  write_raw(header_with(0, ""));
  std::array<char, CMSG_SPACE(sizeof(int))> control{};
  std::string rest = "abc";
  iovec part{.iov_base = rest.data(), .iov_len = rest.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = raw.get();
  std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  ASSERT_EQ(::sendmsg(raw.get(), &message, 0), 3);
  EXPECT_THAT(problem(), HasSubstr("where none belong"));
}

TEST_F(WireTest, WaitingEndsWhenIdleSaysSo) {
  write_raw(header_with(0, "").substr(0, 7)); // the other side hangs inside a header
  int calls = 0;
  const auto message = channel->receive([&] { return ++calls < 3; });
  ASSERT_FALSE(message.has_value());
  EXPECT_EQ(message.error().kind, ErrorKind::cancelled);
  EXPECT_EQ(calls, 3);
}

TEST_F(WireTest, SendingToOneThatDoesNotReadEndsWhenIdleSaysSo) {
  const auto sent =
      channel->send(Type::output, std::string(max_payload, 'x'), {}, [] { return false; });
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().kind, ErrorKind::cancelled);
}

TEST_F(WireTest, SendingToOneThatIsGoneIsAnErrorNotASignal) {
  close_raw();
  const auto sent = channel->send(Type::output, "x");
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().kind, ErrorKind::io);
}

TEST_F(WireTest, IdleMayThrow) {
  struct Interrupt {};
  EXPECT_THROW(std::ignore = channel->receive([]() -> bool { throw Interrupt(); }), Interrupt);
}

} // namespace
} // namespace pygc::wire
