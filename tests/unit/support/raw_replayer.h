// A replayer as a process that is told whatever a test likes, packet by packet.
#pragma once

#include "common/base/unique_fd.h"
#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pygc::replay::testing {

/// One packet with the descriptors that go along.
struct RawPacket {
  std::vector<std::byte> bytes;
  std::vector<int> files = {};

  /// The first so many bytes of it, or more than it has: zeros.
  RawPacket resized(std::ptrdiff_t by) && {
    bytes.resize(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(bytes.size()) + by));
    return std::move(*this);
  }
};

template <class T>
RawPacket packet_of(const T& value, std::vector<int> files = {})
  requires std::is_trivially_copyable_v<T>
{
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {{bytes.begin(), bytes.end()}, std::move(files)};
}

class RawReplayer {
public:
  /// `page_size`: what the kernel's auxiliary vector is made to say instead.
  explicit RawReplayer(const std::string& program, std::optional<std::uint64_t> page_size = {}) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), 0);
    socket_.reset(pair[0]);
    const UniqueFd theirs(pair[1]);
    const std::string path = std::string(PYGC_LIBEXEC_DIR "/") + program;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(theirs.get(), protocol::control_fd);
      ::close_range(protocol::control_fd + 1, ~0U, 0);
      if (page_size) {
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      }
      ::execl(path.c_str(), path.c_str(), nullptr);
      ::_exit(127);
    }
    EXPECT_GT(pid_, 0);
    if (page_size) {
      forge_page_size(*page_size);
    }
  }
  RawReplayer(const RawReplayer&) = delete;
  RawReplayer& operator=(const RawReplayer&) = delete;
  ~RawReplayer() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void send(const RawPacket& packet) const {
    iovec part{const_cast<std::byte*>(packet.bytes.data()), packet.bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * protocol::max_files_per_packet)>
        control{};
    if (!packet.files.empty()) {
      const std::size_t size = packet.files.size() * sizeof(int);
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(size);
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(size);
      std::memcpy(CMSG_DATA(header), packet.files.data(), size);
    }
    EXPECT_EQ(::sendmsg(socket_.get(), &message, MSG_NOSIGNAL),
              static_cast<ssize_t>(packet.bytes.size()))
        << std::strerror(errno);
  }

  /// The next answer. A test fails that gets none.
  protocol::Reply reply() const {
    protocol::Reply reply;
    EXPECT_TRUE(waits_for_answer());
    EXPECT_EQ(::recv(socket_.get(), &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC),
              ssize_t{sizeof(reply)});
    return reply;
  }

  protocol::Reply ask(const RawPacket& packet) const {
    send(packet);
    return reply();
  }

  /// The status with which it ends without another answer; a signal is negative.
  int end() {
    char answer = 0;
    if (!waits_for_answer() || ::recv(socket_.get(), &answer, sizeof(answer), MSG_DONTWAIT) > 0) {
      ADD_FAILURE() << "the replayer goes on";
      ::kill(pid_, SIGKILL);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(std::exchange(pid_, 0), &status, 0) > 0, true);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// The same after nobody speaks to it any more.
  int end_after_close() {
    ::shutdown(socket_.get(), SHUT_WR);
    return end();
  }

private:
  bool waits_for_answer() const {
    constexpr int patience = 30'000; // milliseconds
    pollfd entry{socket_.get(), POLLIN, 0};
    return ::poll(&entry, 1, patience) == 1;
  }

  /// On the stack that the program starts with.
  void forge_page_size(std::uint64_t page_size) const {
    int status = 0;
    ASSERT_EQ(::waitpid(pid_, &status, 0), pid_);
    ASSERT_TRUE(WIFSTOPPED(status)) << "no tracing here, so that this cannot be tested";
    user_regs_struct registers{};
    ASSERT_EQ(::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers), 0);
    const UniqueFd memory(
        ::open(("/proc/" + std::to_string(pid_) + "/mem").c_str(), O_RDWR | O_CLOEXEC));
    std::uint64_t at = registers.rsp;
    const auto next = [&] {
      std::uint64_t word = 0;
      EXPECT_EQ(::pread(memory.get(), &word, sizeof(word), static_cast<off_t>(at)),
                ssize_t{sizeof(word)});
      at += sizeof(word);
      return word;
    };
    at += next() * sizeof(std::uint64_t) + sizeof(std::uint64_t); // argv and its end
    while (next() != 0) {
    }
    for (std::uint64_t key = next(); key != AT_NULL; key = next()) {
      if (key == AT_PAGESZ) {
        EXPECT_EQ(::pwrite(memory.get(), &page_size, sizeof(page_size), static_cast<off_t>(at)),
                  ssize_t{sizeof(page_size)});
      }
      next();
    }
    ASSERT_EQ(::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr), 0);
  }

  UniqueFd socket_;
  pid_t pid_ = 0;
};

} // namespace pygc::replay::testing
