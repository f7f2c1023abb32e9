// The payloads of the plugin's protocol: what is encoded decodes, and nothing else does.
#include "common/base/numbers.h"
#include "common/protocol/wire_commands.h"
#include "common/protocol/wire_host.h"
#include "common/protocol/wire_messages.h"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::wire {
namespace {

machine::Thread some_thread(std::uint64_t seed) {
  machine::Thread thread;
  thread.tid = seed;
  for (std::size_t i = 0; i < thread.registers.size(); i++) {
    thread.registers[i] = seed * 100 + i;
  }
  thread.thread_pointer = seed + 0x7fff00000000;
  thread.signal = 6;
  return thread;
}

const Hello some_hello = {.words = {"check", "--json", ""},
                          .stop_id = "core 1:2",
                          .debugger = "gdb",
                          .debugger_version = "13.1",
                          .kind = TargetKind::live,
                          .pid = -5,
                          .core_path = "/a core",
                          .executable_path = std::string("with\0nul", 8),
                          .sysroot = "",
                          .columns = 120,
                          .terminal = true,
                          .has_backing = true};

const std::vector<Mapping> some_mappings = {
    {.start = 0x1000,
     .end = 0x2000,
     .file_offset = 7,
     .permissions = {true, false, true},
     .path = "/bin/x"},
    {.start = 0x2000, .end = 0x5000, .file_offset = 0, .permissions = {}, .path = ""}};

TEST(WireMessages, HelloComesBack) {
  const auto hello = decode_hello(encode(some_hello)).value();
  EXPECT_EQ(hello.words, some_hello.words);
  EXPECT_EQ(hello.stop_id, some_hello.stop_id);
  EXPECT_EQ(hello.debugger, some_hello.debugger);
  EXPECT_EQ(hello.debugger_version, some_hello.debugger_version);
  EXPECT_EQ(hello.kind, some_hello.kind);
  EXPECT_EQ(hello.pid, some_hello.pid);
  EXPECT_EQ(hello.core_path, some_hello.core_path);
  EXPECT_EQ(hello.executable_path, some_hello.executable_path);
  EXPECT_EQ(hello.sysroot, some_hello.sysroot);
  EXPECT_EQ(hello.columns, some_hello.columns);
  EXPECT_TRUE(hello.terminal);
  EXPECT_TRUE(hello.has_backing);
}

TEST(WireMessages, ThreadsComeBackWithPcAndSp) {
  const auto answer =
      decode_threads_answer(encode(ThreadsAnswer{{some_thread(1), some_thread(2)}})).value();
  ASSERT_EQ(answer.threads.size(), 2U);
  EXPECT_EQ(answer.threads[1].registers, some_thread(2).registers);
  EXPECT_EQ(answer.threads[1].sp, 207U); // DWARF register 7
  EXPECT_EQ(answer.threads[1].pc, 216U); // DWARF register 16
  EXPECT_EQ(answer.threads[1].thread_pointer, some_thread(2).thread_pointer);
  EXPECT_EQ(answer.threads[1].signal, 6);
}

TEST(WireMessages, MappingsComeBack) {
  const auto answer =
      decode_mappings_answer(encode(MappingsAnswer{.known = true, .mappings = some_mappings}))
          .value();
  ASSERT_EQ(answer.mappings.size(), 2U);
  EXPECT_EQ(answer.mappings[0].path, "/bin/x");
  EXPECT_EQ(answer.mappings[0].file_offset, 7U);
  EXPECT_TRUE(answer.mappings[0].permissions.execute);
  EXPECT_FALSE(answer.mappings[0].permissions.write);
  EXPECT_EQ(answer.mappings[1].end, 0x5000U);
}

const Action some_breakpoint = {
    .kind = ActionKind::breakpoint, .address = 0x1000, .argument = 0x20, .word = 0x18, .below = 4};
const Action some_run = {.kind = ActionKind::run, .words = {"check", "--json"}};

// Every prefix of every message, and every message with a byte more, is refused.
TEST(WireMessages, OnlyAnExactFitDecodes) {
  const std::vector<std::pair<std::string, std::function<bool(std::string_view)>>> all = {
      {encode(some_hello), [](auto p) { return decode_hello(p).has_value(); }},
      {encode(ReadRequest{.address = 1, .length = 2}),
       [](auto p) { return decode_read_request(p).has_value(); }},
      {encode(ThreadsAnswer{{some_thread(3)}}),
       [](auto p) { return decode_threads_answer(p).has_value(); }},
      {encode(MappingsAnswer{.known = true, .mappings = some_mappings}),
       [](auto p) { return decode_mappings_answer(p).has_value(); }},
      {encode(EvaluateAnswer{.ok = false, .value = 1, .problem = "no"}),
       [](auto p) { return decode_evaluate_answer(p).has_value(); }},
      {encode(Done{.status = 3, .actions = {some_breakpoint, some_run}, .stays = true}),
       [](auto p) { return decode_done(p).has_value(); }},
      {encode_flag(true), [](auto p) { return decode_flag(p).has_value(); }}};
  for (const auto& [payload, decodes] : all) {
    EXPECT_TRUE(decodes(payload));
    for (std::size_t n = 0; n < payload.size(); n++) {
      EXPECT_FALSE(decodes(std::string_view(payload).substr(0, n)))
          << n << " of " << payload.size();
    }
    EXPECT_FALSE(decodes(payload + '\0'));
  }
}

TEST(WireMessages, RefusesACountThatTheBytesCannotHold) {
  EXPECT_FALSE(decode_threads_answer("\xff\xff\xff\xff"));
  EXPECT_FALSE(decode_threads_answer("\xff\xff\xff\xff" + std::string(1000, 'x')));
  EXPECT_FALSE(decode_mappings_answer(std::string("\x01\xff\xff\xff\x7f") + std::string(500, 'x')));
}

TEST(WireMessages, RefusesReadsThatDoNotFitTheWindowOrTheAddressSpace) {
  const auto decodes = [](Address address, std::uint32_t length) {
    return decode_read_request(encode(ReadRequest{.address = address, .length = length}))
        .has_value();
  };
  EXPECT_FALSE(decodes(0, 0));
  EXPECT_TRUE(decodes(0, 1));
  EXPECT_TRUE(decodes(0, window_size));
  EXPECT_FALSE(decodes(0, window_size + 1));
  EXPECT_FALSE(decodes(0, 0xffffffffU));
  EXPECT_TRUE(decodes(~Address{0} - 8, 8));
  EXPECT_FALSE(decodes(~Address{0} - 7, 8));
}

TEST(WireMessages, RefusesMappingsThatOverlapOrAreEmpty) {
  const auto decodes = [](std::vector<Mapping> mappings) {
    return decode_mappings_answer(
               encode(MappingsAnswer{.known = true, .mappings = std::move(mappings)}))
        .has_value();
  };
  const auto mapping = [](Address start, Address end) {
    return Mapping{.start = start, .end = end, .file_offset = 0, .permissions = {}, .path = {}};
  };
  EXPECT_TRUE(decodes({mapping(1, 2), mapping(2, 3)}));
  EXPECT_FALSE(decodes({mapping(1, 3), mapping(2, 4)}));
  EXPECT_FALSE(decodes({mapping(5, 6), mapping(1, 2)}));
  EXPECT_FALSE(decodes({mapping(2, 2)}));
}

TEST(WireMessages, RefusesOddStatusesAndTooManyActions) {
  EXPECT_FALSE(decode_done(encode(Done{.status = -1, .actions = {}})));
  EXPECT_FALSE(decode_done(encode(Done{.status = 256, .actions = {}})));
  EXPECT_TRUE(decode_done(
      encode(Done{.status = 0, .actions = std::vector<Action>(max_actions, some_breakpoint)})));
  EXPECT_FALSE(decode_done(
      encode(Done{.status = 0, .actions = std::vector<Action>(max_actions + 1, some_breakpoint)})));
}

TEST(WireMessages, RefusesActionsThatAreIncompleteOrSayMoreThanTheirKind) {
  const auto decodes = [](const Action& action) {
    return decode_done(encode(Done{.status = 0, .actions = {action}})).has_value();
  };
  using enum ActionKind;
  EXPECT_TRUE(decodes(some_breakpoint));
  EXPECT_TRUE(decodes({.kind = breakpoint, .address = 1}));
  EXPECT_TRUE(decodes({.kind = watch_write, .address = 1, .ignore = 5}));
  EXPECT_TRUE(decodes({.kind = resume}));
  EXPECT_TRUE(decodes(some_run));
  EXPECT_FALSE(decodes({.kind = breakpoint}));
  EXPECT_FALSE(decodes({.kind = breakpoint, .address = 1, .word = 2, .below = 4}));
  EXPECT_FALSE(decodes({.kind = breakpoint, .address = 1, .argument = 1, .word = 2}));
  EXPECT_TRUE(
      decodes({.kind = breakpoint, .address = 1, .ignore = 5, .mark = 1, .own_thread = true}));
  EXPECT_TRUE(decodes({.kind = watch_steps, .address = 1, .ignore = 5}));
  EXPECT_TRUE(decodes({.kind = run, .tells_stop = true, .words = {"check"}}));
  EXPECT_FALSE(decodes({.kind = breakpoint, .address = 1, .argument = 1, .ignore = 5}));
  EXPECT_FALSE(decodes({.kind = watch_write, .address = 1, .mark = 1}));
  EXPECT_FALSE(decodes({.kind = watch_steps, .address = 1, .own_thread = true}));
  EXPECT_FALSE(decodes({.kind = resume, .tells_stop = true}));
  EXPECT_FALSE(decodes({.kind = watch_access, .address = 1, .argument = 1}));
  EXPECT_FALSE(decodes({.kind = watch_access}));
  EXPECT_FALSE(decodes({.kind = resume, .address = 1}));
  EXPECT_FALSE(decodes({.kind = clear, .words = {"check"}}));
  EXPECT_FALSE(decodes({.kind = run}));
  EXPECT_FALSE(decodes({.kind = run, .words = {"shell id"}}));
  EXPECT_FALSE(decodes({.kind = run, .words = {"check", "a\nshell id"}}));
  std::string bytes = encode(Done{.status = 0, .actions = {{.kind = clear}}});
  const std::size_t kind_at = 4 + 4; // behind the status and the number of actions
  ASSERT_EQ(bytes[kind_at], static_cast<char>(clear));
  bytes[kind_at] = 7;
  EXPECT_FALSE(decode_done(bytes));
}

TEST(WireActions, ConditionsAreOfNumbersOnly) {
  EXPECT_EQ(condition_of({.kind = ActionKind::breakpoint, .address = 1}), "");
  EXPECT_EQ(condition_of({.kind = ActionKind::breakpoint, .address = 1, .argument = 0x20}),
            "$rdi == 0x20");
  EXPECT_EQ(condition_of(some_breakpoint), "$rdi == 0x20 && *(unsigned long *) 0x18 < 0x4");
}

TEST(WireMessages, RefusesFlagsAndKindsThatDoNotExist) {
  EXPECT_FALSE(decode_flag("\x02"));
  Hello plain = some_hello;
  plain.words.clear();
  std::string hello = encode(plain);
  const std::size_t kind_at =
      4 + 4 + plain.stop_id.size() + 4 + plain.debugger.size() + 4 + plain.debugger_version.size();
  ASSERT_EQ(hello[kind_at], static_cast<char>(TargetKind::live));
  hello[kind_at] = 4;
  EXPECT_FALSE(decode_hello(hello));
}

TEST(WireNumbers, AreInCNotation) {
  EXPECT_EQ(address_in("0x7f00"), 0x7f00U);
  EXPECT_EQ(address_in("0X7F00"), 0x7f00U);
  EXPECT_EQ(address_in("42"), 42U);
  EXPECT_EQ(address_in("010"), 8U);
  EXPECT_EQ(address_in("0"), 0U);
  EXPECT_EQ(address_in("18446744073709551615"), ~std::uint64_t{0});
  for (const char* text : {"", "0x", "18446744073709551616", "1 ", "-1", "main", "0x1g", "08"}) {
    EXPECT_FALSE(address_in(text)) << text;
  }
}

TEST(WireCommands, ATableComesOverAsItIs) {
  const CommandTable table{.family = "Look at things",
                           .commands = {{.name = "check",
                                         .summary = "Check",
                                         .help = "One\ntwo",
                                         .options = {"-o --output=FILE", "--deep"}},
                                        {.name = "gc-refs", .summary = "List", .help = ""}}};
  const auto back = decode_commands(encode_commands(table));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->family, table.family);
  ASSERT_EQ(back->commands.size(), 2U);
  EXPECT_EQ(back->commands[0].help, "One\ntwo");
  EXPECT_EQ(back->commands[0].options, table.commands[0].options);
  EXPECT_EQ(back->commands[1].name, "gc-refs");
  EXPECT_EQ(back->commands[1].help, "");
  EXPECT_TRUE(back->commands[1].options.empty());
}

TEST(WireCommands, ATableThatADebuggerCannotTakeIsRefused) {
  const auto refused = [](const char* name, const char* summary, const char* help,
                          const char* option = "--deep") {
    return !decode_commands(encode_commands(
        {.family = "f",
         .commands = {{.name = name, .summary = summary, .help = help, .options = {option}}}}));
  };
  EXPECT_FALSE(refused("check", "Check", "help"));
  EXPECT_TRUE(refused("", "Check", "help"));
  EXPECT_TRUE(refused("-check", "Check", "help"));
  EXPECT_TRUE(refused("check me", "Check", "help"));
  EXPECT_TRUE(refused("check", "two\nlines", "help"));
  EXPECT_TRUE(refused("check", "Check", "\033[31mred"));
  EXPECT_TRUE(refused("check", "Check", "one\nend\nshell ls"));
  EXPECT_TRUE(refused("check", "Check", "help", "--deep\"\"\""));
  EXPECT_FALSE(decode_commands(""));
  EXPECT_FALSE(decode_commands(std::string_view("f\0check\0Check\0help", 18)));
}

} // namespace
} // namespace pygc::wire
