// What code of the target tries to get out of the replayers, or to bring down what watches it.
#include "replay_emulated_fixture.h"

#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <chrono>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <string_view>
#include <sys/syscall.h>

namespace pygc::replay::testing {
namespace {

constexpr std::uint32_t x32 = 0x4000'0000; // __X32_SYSCALL_BIT

Code little_endian(std::uint32_t value) {
  Code code;
  for (int i = 0; i < 4; ++i) {
    code.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  return code;
}

/// mov $number,%eax; syscall; xor %eax,%eax; ret
Code system_call(std::uint32_t number) {
  return Code{0xb8} + little_endian(number) + Code{0x0f, 0x05} + ret_zero;
}

/// Looks for a system call in the replayer's own text and jumps there, with these arguments.
Code borrowed_call(std::uint32_t number, std::uint64_t buffer, std::uint32_t size) {
  Code start = load_rax(protocol::own_start);
  start[0] = 0x49; // %r8
  Code argument = load_rdi(buffer);
  argument[1] = 0xbe; // %rsi
  // 1: cmpw $0x050f,(%r8); je 2f; inc %r8; jmp 1b
  return start +
         Code{0x66, 0x41, 0x81, 0x38, 0x0f, 0x05, 0x74, 0x05, 0x49, 0xff, 0xc0, 0xeb, 0xf3} +
         argument + Code{0xbf, protocol::control_fd, 0, 0, 0, 0xba} + little_endian(size) +
         Code{0xb8} + little_endian(number) + Code{0x41, 0xff, 0xe0}; // jmp *%r8
}

/// Each test in both engines, a bad traverse function between two good ones.
class Escape : public ::testing::TestWithParam<bool> {
protected:
  static bool native() { return GetParam(); }

  Replayer* start_engine(const Options& with = options()) {
    if (native()) {
      replayer_ = start(image, with);
    } else {
      replayer_ = start_tracer(image.memory(), with);
    }
    return replayer_.get();
  }

  Result<RoundResult> run(const std::vector<Address>& objects) {
    const std::vector<std::uint64_t> refcounts(objects.size(), 5);
    return replayer_->run({.objects = objects, .refcounts = refcounts});
  }

  /// How the traversal by the code ends; the others must come to their end.
  Incident incident_of(const Code& code) {
    const Address good = image.add_object_with(ret_zero);
    const Address bad = image.add_object_with(code);
    const Address after = image.add_object_with(ret_zero);
    if (start_engine() == nullptr) {
      return {};
    }
    const auto result = run({good, bad, after});
    EXPECT_TRUE(result) << result.error().reason;
    if (!result || result->incidents.size() != 1) {
      ADD_FAILURE() << "not one incident";
      return {};
    }
    EXPECT_EQ(result->traversed, 2U);
    return result->incidents.front();
  }

  Image image;

private:
  std::unique_ptr<Replayer> replayer_;
};

TEST_P(Escape, NoSystemCallGetsThrough) {
  constexpr std::uint32_t none = 999'999;
  constexpr std::array<std::uint32_t, 53> calls{
      // files
      SYS_open, SYS_openat, SYS_openat2, SYS_creat, SYS_unlink, SYS_rename, SYS_truncate, SYS_chmod,
      SYS_mount, SYS_memfd_create, SYS_open_by_handle_at, SYS_dup, SYS_fcntl, SYS_ioctl,
      // sockets, and descriptors through them
      SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_sendto, SYS_sendmsg, SYS_recvmsg,
      // processes
      SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_execve, SYS_execveat, SYS_kill, SYS_tgkill,
      SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_open, SYS_pidfd_getfd,
      SYS_unshare, SYS_setns,
      // calls that others carry out
      SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_setup, SYS_bpf,
      SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl,
      // what the sandbox rests on
      SYS_mmap, SYS_munmap, SYS_mprotect, SYS_prctl, SYS_seccomp, SYS_rt_sigaction,
      SYS_rt_sigprocmask, SYS_setuid, none};
  std::vector<Address> objects;
  for (const std::uint32_t number : calls) {
    objects.push_back(image.add_object_with(system_call(number)));
  }
  ASSERT_NE(start_engine(), nullptr);
  const auto result = run(objects);
  ASSERT_TRUE(result) << result.error().reason;
  ASSERT_EQ(result->incidents.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(result->incidents[i].outcome, Outcome::syscall);
    EXPECT_EQ(result->incidents[i].number, calls[i]);
  }
}

TEST_P(Escape, NorDoesOneOfTheX32Abi) {
  // 520 to 547 are numbers of its own: 520 execve, 521 ptrace.
  const std::array<std::uint32_t, 6> calls{SYS_open, SYS_read,           SYS_write,
                                           SYS_fork, SYS_io_uring_setup, 521};
  std::vector<Address> objects;
  for (const std::uint32_t number : calls) {
    objects.push_back(image.add_object_with(system_call(x32 | number)));
  }
  ASSERT_NE(start_engine(), nullptr);
  const auto result = run(objects);
  ASSERT_TRUE(result) << result.error().reason;
  ASSERT_EQ(result->incidents.size(), calls.size());
  for (const Incident& incident : result->incidents) {
    EXPECT_EQ(incident.outcome, Outcome::syscall);
  }
}

TEST_P(Escape, NorOneOf32Bits) {
  for (const std::uint8_t number : std::array<std::uint8_t, 3>{5, 2, 20}) { // open, fork, getpid
    Image another;
    const Address bad = another.add_object_with(Code{0xb8, number, 0, 0, 0, 0xcd, 0x80} + ret_zero);
    std::unique_ptr<Replayer> replayer;
    if (native()) {
      replayer = start(another, options());
    } else {
      replayer = start_tracer(another.memory(), options());
    }
    ASSERT_TRUE(replayer);
    const std::vector<Address> objects{bad};
    const std::vector<std::uint64_t> refcounts{1};
    const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
    ASSERT_TRUE(result) << result.error().reason;
    ASSERT_EQ(result->incidents.size(), 1U);
    // A kernel without 32-bit system calls makes it a fault.
    EXPECT_TRUE(result->incidents[0].outcome == Outcome::syscall ||
                result->incidents[0].outcome == Outcome::fault);
  }
}

/// The other instruction that enters the kernel as 32-bit code does. A processor without it in
/// 64-bit code (AMD's) makes it an illegal instruction.
TEST_P(Escape, NorOneOfSysenter) {
  const Code code = Code{0xb8, 20, 0, 0, 0, 0x89, 0xe5, 0x0f, 0x34} + ret_zero; // getpid
  const auto outcome = incident_of(code).outcome;
  EXPECT_TRUE(outcome == Outcome::syscall || outcome == Outcome::illegal_instruction ||
              outcome == Outcome::fault)
      << static_cast<int>(outcome);
}

/// Code that leaves 64-bit mode: the others are run as if it had not.
TEST_P(Escape, NorOneOfCodeIn32BitMode) {
  constexpr Address low = 0x2000'0000;
  image.add_zero_region(low, low + 0x10'0000, true);
  const Code call = load_rax(0x0f80'cd00'0000'14b8); // mov $20,%eax; int $0x80; ud2
  // mov %rax,(%rdi); movb $0x0b,8(%rdi); pushq $0x23; push %rdi; lretq
  const Code enter{0x48, 0x89, 0x07, 0xc6, 0x47, 0x08, 0x0b, 0x6a, 0x23, 0x57, 0x48, 0xcb};
  const auto incident = incident_of(load_rdi(low) + call + enter);
  EXPECT_TRUE(incident.outcome == Outcome::syscall || incident.outcome == Outcome::fault)
      << static_cast<int>(incident.outcome);
}

TEST_P(Escape, NorOneThroughTheReplayersOwnText) {
  const std::array<std::uint32_t, 10> calls{
      SYS_open, SYS_socket,         SYS_sendto,   SYS_fork, SYS_ptrace,
      SYS_mmap, SYS_io_uring_setup, SYS_mprotect, SYS_dup,  x32 | SYS_write};
  std::vector<Address> objects;
  for (const std::uint32_t number : calls) {
    objects.push_back(image.add_object_with(borrowed_call(number, data_base, 0)));
  }
  ASSERT_NE(start_engine(), nullptr);
  const auto result = run(objects);
  ASSERT_TRUE(result) << result.error().reason;
  EXPECT_EQ(result->incidents.size(), calls.size());
  EXPECT_EQ(result->traversed, 0U);
}

TEST_P(Escape, AForgedReplyIsNoMoreThanHearsay) {
  const protocol::Reply forged{.next = 3, .incidents = 1'000'000, .records = 1'000'000};
  const Address reply = image.reserve(sizeof(forged));
  for (std::size_t at = 0; at < sizeof(forged); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, reinterpret_cast<const char*>(&forged) + at, sizeof(word));
    image.store(reply + at, word);
  }
  const Address good = image.add_object_with(ret_zero);
  const Address bad = image.add_object_with(borrowed_call(SYS_write, reply, sizeof(forged)));
  ASSERT_NE(start_engine(), nullptr);
  const auto result = run({good, bad, good});
  if (native()) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, "the replayer's results make no sense");
  } else {
    ASSERT_TRUE(result) << result.error().reason;
    EXPECT_EQ(result->incidents.size(), 1U);
  }
}

TEST_P(Escape, NorIsHalfOfOne) {
  const Address bad = image.add_object_with(borrowed_call(SYS_write, data_base, 8));
  ASSERT_NE(start_engine(), nullptr);
  const auto result = run({bad});
  if (native()) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, "the replayer's answer makes no sense");
  } else {
    ASSERT_TRUE(result) << result.error().reason;
  }
}

TEST_P(Escape, AnEndInTheReplayersTextIsTheReplayersEnd) {
  const Address bad = image.add_object_with(borrowed_call(SYS_exit_group, data_base, 0));
  ASSERT_NE(start_engine(), nullptr);
  const auto result = run({bad});
  if (native()) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::replayer);
  } else {
    ASSERT_TRUE(result) << result.error().reason;
    EXPECT_EQ(result->incidents.size(), 1U);
  }
}

TEST_P(Escape, FlagsThatAreLeftSetDoNotReachTheNext) {
  // pushfq; orl $0x40400,(%rsp); popfq: alignment checks, and strings backward
  const Address setter =
      image.add_object_with(Code{0x9c, 0x81, 0x0c, 0x24, 0x00, 0x04, 0x04, 0, 0x9d} + ret_zero);
  const Address unaligned =
      image.add_object_with(load_rax(data_base + 1) + Code{0x48, 0x8b, 0x00} + ret_zero);
  Code source = load_rdi(data_base);
  source[1] = 0xbe; // %rsi
  // lodsb; is %rsi one further? else ud2
  const Address forward =
      image.add_object_with(source + Code{0xac} + load_rax(data_base + 1) +
                            Code{0x48, 0x39, 0xc6, 0x74, 0x02, 0x0f, 0x0b} + ret_zero);
  ASSERT_NE(start_engine(), nullptr);
  const auto result = run({setter, unaligned, forward});
  ASSERT_TRUE(result) << result.error().reason;
  EXPECT_EQ(result->traversed, 3U);
}

/// Neither when the traversal comes to its end nor when it does not.
TEST_P(Escape, AThreadPointerThatIsChangedIsPutBackForTheNext) {
  // xor %eax,%eax; wrfsbase %rax
  const Code change{0x31, 0xc0, 0xf3, 0x48, 0x0f, 0xae, 0xd0};
  const Code read{0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0}; // mov %fs:0,%rax
  const Address changes = image.add_object_with(change + ret_zero);
  const Address first = image.add_object_with(read + ret_zero);
  const Address faults = image.add_object_with(change + read);
  const Address second = image.add_object_with(read + ret_zero);
  Options with = options();
  with.thread_pointer = data_base;
  ASSERT_NE(start_engine(with), nullptr);
  const auto result = run({changes, first, faults, second});
  ASSERT_TRUE(result) << result.error().reason;
  for (const Incident& incident : result->incidents) { // the instruction may not exist
    EXPECT_TRUE(incident.container == 0 || incident.container == 2) << incident.container;
  }
  EXPECT_GE(result->traversed, 2U);
}

INSTANTIATE_TEST_SUITE_P(Engines, Escape, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "native" : "emulated"; });

/// The address of a variable of the native replayer.
std::uint64_t variable_of_replayer(std::string_view mangled) {
  std::ifstream file(options().replayer_path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto at = [&]<class T>(T /*of*/, std::uint64_t offset) {
    T value{};
    std::memcpy(&value, bytes.data() + offset, sizeof(value));
    return value;
  };
  const auto header = at(Elf64_Ehdr{}, 0);
  const auto section = [&](std::uint64_t index) {
    return at(Elf64_Shdr{}, header.e_shoff + index * header.e_shentsize);
  };
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB) {
      continue;
    }
    const Elf64_Shdr names = section(table.sh_link);
    for (std::uint64_t offset = 0; offset < table.sh_size; offset += sizeof(Elf64_Sym)) {
      const auto symbol = at(Elf64_Sym{}, table.sh_offset + offset);
      if (bytes.data() + names.sh_offset + symbol.st_name == mangled) {
        return symbol.st_value;
      }
    }
  }
  return 0;
}

TEST(ReplayOutside, WhoKeepsTheMarkMovingIsStoppedFromOutside) {
  // Of the first field the timer takes that no code of the target runs.
  const std::uint64_t mode = variable_of_replayer("_ZN4pygc8replayer9run_stateE");
  ASSERT_NE(mode, 0U);
  Image image;
  // movb $0,(mode); 1: incq (progress); jmp 1b
  const Address bad =
      image.add_object_with(load_rax(mode) + Code{0xc6, 0x00, 0x00} +
                            load_rax(protocol::own_window) + Code{0x48, 0xff, 0x00, 0xeb, 0xfb});
  Options with = options();
  with.processor_time = std::chrono::milliseconds(1500);
  auto replayer = start(image, with);
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{bad};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::replayer);
  EXPECT_EQ(result.error().reason,
            "the replayer was stopped: code of the target kept it at work without an end");
}

struct Access {
  const char* name;
  Code code; // with the pointer in %rdi
  std::uint64_t offset;
};

TEST(ReplayFault, AddressesThatAreNotCanonicalAreDecoded) {
  constexpr Address wild = 0xdddd'dddd'dddd'dddd;
  const std::vector<Access> accesses = {
      {"mov (%rdi),%rax", {0x48, 0x8b, 0x07}, 0},
      {"mov 0x10(%rdi),%rcx", {0x48, 0x8b, 0x4f, 0x10}, 0x10},
      {"mov 0x100(%rdi),%eax", {0x8b, 0x87, 0x00, 0x01, 0, 0}, 0x100},
      {"testb $2,-8(%rdi)", {0xf6, 0x47, 0xf8, 0x02}, static_cast<std::uint64_t>(-8)},
      {"xor %eax,%eax; cmpq $0,(%rdi,%rax,8)", {0x31, 0xc0, 0x48, 0x83, 0x3c, 0xc7, 0x00}, 0},
      {"movzwl 2(%rdi),%eax", {0x0f, 0xb7, 0x47, 0x02}, 2},
      {"movdqu (%rdi),%xmm0", {0xf3, 0x0f, 0x6f, 0x07}, 0},
      {"mov %rdi,%r9; mov 8(%r9),%r10", {0x49, 0x89, 0xf9, 0x4d, 0x8b, 0x51, 0x08}, 8},
      {"mov $1,%ecx; rep stosb", {0xb9, 1, 0, 0, 0, 0xf3, 0xaa}, 0},
      {"call *8(%rdi)", {0xff, 0x57, 0x08}, 8},
      {"subq $4,-8(%rdi)", {0x48, 0x83, 0x6f, 0xf8, 0x04}, static_cast<std::uint64_t>(-8)},
  };
  Image image;
  std::vector<Address> objects;
  for (const Access& access : accesses) {
    objects.push_back(image.add_object_with(load_rdi(wild) + access.code + ret_zero));
  }
  objects.push_back(image.add_object_with(visiting({wild})));
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<std::uint64_t> refcounts(objects.size(), 1);
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result) << result.error().reason;
  ASSERT_EQ(result->incidents.size(), objects.size());
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    EXPECT_EQ(result->incidents[i].outcome, Outcome::fault) << accesses[i].name;
    EXPECT_EQ(result->incidents[i].address, wild + accesses[i].offset) << accesses[i].name;
  }
  EXPECT_EQ(result->incidents.back().address, wild + ObjectShape{}.ob_type);
}

} // namespace
} // namespace pygc::replay::testing
