// What pygc says of input that it cannot use: one sentence, its status, and nothing left behind.
#include "tests/e2e/support/core_edit.h"
#include "tests/e2e/support/left_behind.h"

#include <algorithm>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int target_error = 2;

/// Expects a refusal: status 2, one line of diagnostics that holds `words`, nothing left behind.
void expect_refusal(const TracedOutcome& traced, const std::string& words) {
  const Outcome& outcome = traced.outcome;
  EXPECT_EQ(outcome.status, target_error) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_THAT(outcome.err, HasSubstr(words));
  EXPECT_EQ(split_lines(outcome.err).size(), 1U) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.survivors, IsEmpty());
  EXPECT_THAT(traced.files, IsEmpty());
}

Core clean_core() {
  return make_core({.build = &release_build(), .script = "heap.py"});
}

/// A core of a copy of the interpreter, which the test may remove or replace.
struct CopiedInterpreter {
  TempDir directory;
  std::string executable =
      directory.file(std::filesystem::path(release_build().executable).filename());
  Core core;

  CopiedInterpreter() {
    std::filesystem::copy_file(release_build().executable, executable);
    core = make_core_of_program({executable, script_path("heap.py")}, {"PYTHONHOME=/usr"});
    core.build = &release_build();
  }
};

TEST(BadInput, NoSuchFile) {
  expect_refusal(run_pygc_traced({"check", "/nonexistent/core"}), "/nonexistent/core");
}

TEST(BadInput, NoCoreNamed) {
  const TracedOutcome traced = run_pygc_traced({"check"});
  EXPECT_EQ(traced.outcome.status, target_error);
  EXPECT_FALSE(traced.outcome.err.empty());
}

TEST(BadInput, UnknownOption) {
  const TracedOutcome traced = run_pygc_traced({"check", "--no-such-option"});
  EXPECT_EQ(traced.outcome.status, target_error);
  EXPECT_THAT(traced.outcome.err, HasSubstr("--no-such-option"));
}

TEST(BadInput, FilesThatAreNoCores) {
  const TempDir directory;
  const std::string text = directory.file("text");
  std::ofstream(text) << "this is no core\n";
  const std::string empty = directory.file("empty");
  std::ofstream(empty).flush();
  expect_refusal(run_pygc_traced({"check", text}), text);
  expect_refusal(run_pygc_traced({"check", empty}), empty);
  expect_refusal(run_pygc_traced({"check", directory.path().string()}), directory.path().string());
  expect_refusal(run_pygc_traced({"check", release_build().executable}), "core");
}

/// Whichever file is one too many: it is not said that there is no Python in the target.
TEST(BadInput, TooFewDescriptors) {
  const Core core = clean_core();
  for (const char* limit : {"10", "20", "24", "40"}) {
    const Outcome outcome =
        run({.words = {"bash", "-c", std::string("ulimit -n ") + limit + "; exec \"$@\"", "bash",
                       PYGC_BINARY, "check", core.path}});
    EXPECT_EQ(outcome.status, target_error) << limit << outcome.out << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("raise the limit (ulimit -n)")) << limit;
  }
}

TEST(BadInput, TruncatedCoreIsAnalysedAsFarAsItGoes) {
  const Core core =
      make_core({.build = &release_build(), .script = "heap.py", .kind = CoreKind::kernel});
  const std::uint64_t whole = std::filesystem::file_size(core.path);
  std::filesystem::resize_file(core.path, whole - whole / 4);
  const TracedOutcome traced = run_pygc_traced({"check", core.path, "--json"});
  const Outcome& outcome = traced.outcome;
  const json document = json::parse(outcome.out, nullptr, false);
  ASSERT_FALSE(document.is_discarded()) << outcome.out << outcome.err;
  EXPECT_EQ(document.at("complete"), false);
  EXPECT_NE(document.at("verdict"), "clean");
  EXPECT_THAT(outcome.status, testing::AnyOf(1, 3));
  EXPECT_GT(document.at("objects").at("walked"), 0);
  EXPECT_THAT(traced.files, IsEmpty());
}

TEST(BadInput, TruncatedBeforeTheNotesOfGcore) {
  // gcore writes them last: without them nobody knows what was loaded.
  const Core core = clean_core();
  const std::uint64_t whole = std::filesystem::file_size(core.path);
  std::filesystem::resize_file(core.path, whole - whole / 4);
  expect_refusal(run_pygc_traced({"check", core.path}), "truncated");
}

TEST(BadInput, TruncatedToNearlyNothing) {
  const Core core = clean_core();
  std::filesystem::resize_file(core.path, 100);
  expect_refusal(run_pygc_traced({"check", core.path}), core.path);
}

TEST(BadInput, ProgramThatIsNotPython) {
  const Core core = make_core_of_program({"sh", "-c", "echo READY; exec sleep 1000"});
  expect_refusal(run_pygc_traced({"check", core.path}), "not a Python program");
}

TEST(BadInput, PythonWithoutRuntime) {
  const Core core = make_core_of_program({PYGC_FAKE_PYTHON_NONE});
  expect_refusal(run_pygc_traced({"check", core.path}), "_PyRuntime");
}

TEST(BadInput, UnsupportedVersionIsNamedAndWhatIsSupported) {
  const Core core = make_core_of_program({PYGC_FAKE_PYTHON_OLD});
  const TracedOutcome traced = run_pygc_traced({"check", core.path});
  expect_refusal(traced, "3.5.2");
  EXPECT_THAT(traced.outcome.err, HasSubstr("supported"));
}

TEST(BadInput, FreeThreadedBuildThatNoLayoutFitsIsRefusedByName) {
  const Core core = make_core_of_program({PYGC_FAKE_PYTHON_FREE_THREADED});
  const TracedOutcome traced = run_pygc_traced({"check", core.path});
  expect_refusal(traced, "free-threaded");
  EXPECT_THAT(traced.outcome.err, HasSubstr("no layout of CPython 3.13.5 free-threaded"));
}

TEST(BadInput, ExecutableMissing) {
  const CopiedInterpreter python;
  EXPECT_EQ(check_alone(python.core).status, 0);
  std::filesystem::remove(python.executable);
  const TempDir nothing;
  expect_refusal(
      run_pygc_traced({"check", python.core.path, "--debug-directory", nothing.path().string()}),
      python.executable);
  // And told where it is, all is well again.
  EXPECT_EQ(check_alone(python.core, {"--executable", release_build().executable}).status, 0);
}

TEST(BadInput, ExecutableOfAnotherBuildIsNotUsed) {
  const CopiedInterpreter python;
  std::filesystem::remove(python.executable);
  std::filesystem::copy_file(debug_build().executable, python.executable);
  const TempDir nothing;
  const TracedOutcome replaced =
      run_pygc_traced({"check", python.core.path, "--debug-directory", nothing.path().string()});
  expect_refusal(replaced, "build-id");
  const TracedOutcome named =
      run_pygc_traced({"check", python.core.path, "--executable", debug_build().executable,
                       "--debug-directory", nothing.path().string()});
  expect_refusal(named, "build-id");
}

TEST(BadInput, CoreWithoutRegisters) {
  const Core core = clean_core();
  // Rename the notes that hold them.
  std::fstream file(core.path, std::ios::binary | std::ios::in | std::ios::out);
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  int renamed = 0;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr program{};
    file.seekg(static_cast<std::streamoff>(header.e_phoff + i * sizeof program));
    file.read(reinterpret_cast<char*>(&program), sizeof program);
    if (program.p_type != PT_NOTE) {
      continue;
    }
    for (std::uint64_t at = program.p_offset; at < program.p_offset + program.p_filesz;) {
      Elf64_Nhdr note{};
      file.seekg(static_cast<std::streamoff>(at));
      file.read(reinterpret_cast<char*>(&note), sizeof note);
      ASSERT_TRUE(file);
      if (note.n_type == NT_PRSTATUS) {
        note.n_type = 0x7fffffff;
        file.seekp(static_cast<std::streamoff>(at));
        file.write(reinterpret_cast<const char*>(&note), sizeof note);
        ++renamed;
      }
      at += sizeof note + ((note.n_namesz + 3U) & ~3U) + ((note.n_descsz + 3U) & ~3U);
    }
  }
  file.close();
  ASSERT_GT(renamed, 0);
  // The heap needs none, so that there is a verdict; what was not done is said.
  const TracedOutcome traced = run_pygc_traced({"check", core.path});
  EXPECT_EQ(traced.outcome.status, 0) << traced.outcome.err;
  EXPECT_THAT(traced.outcome.out, HasSubstr("no registers"));
  EXPECT_THAT(traced.outcome.out, HasSubstr("verdict: clean"));
  EXPECT_THAT(traced.files, IsEmpty());
}

TEST(BadInput, NoPermission) {
  const Core core = clean_core();
  std::filesystem::permissions(core.directory->path(), std::filesystem::perms(0755));
  std::filesystem::permissions(core.path, std::filesystem::perms(0));
  // A user other than root, and a copy of the program that it can reach.
  const std::string program = core.directory->file("pygc");
  std::filesystem::copy_file(PYGC_BINARY, program);
  Command command{.words = {program, "check", core.path}, .cwd = core.directory->path().string()};
  command.user = ::getuid() == 0 ? 65534 : 0;
  command.env = {"PYGC_CACHE_DIR=" + core.directory->file("none"), "HOME=/nonexistent"};
  expect_refusal({run(command), {}}, core.path);
}

TEST(BadInput, ReplayerMissing) {
  const Core core = clean_core();
  expect_refusal(run_pygc_traced({"check", core.path}, {"PYGC_LIBEXEC_DIR=/nonexistent"}),
                 "/nonexistent");
}

TEST(BadInput, OutputCannotBeWritten) {
  const Core core = clean_core();
  const TracedOutcome traced =
      run_pygc_traced({"check", core.path, "--output", "/nonexistent/directory/file"});
  expect_refusal(traced, "/nonexistent/directory/file");
}

TEST(BadInput, DebuggersShowTheSentenceAndTheStatus) {
  const Core core = make_core_of_program({PYGC_FAKE_PYTHON_FREE_THREADED});
  const DebuggerTarget target{.executable = PYGC_FAKE_PYTHON_FREE_THREADED, .core = core.path};
  const Outcome gdb =
      run_in_gdb(target, {"pygc check", "printf \"pygc_status=%d\\n\", $pygc_status"});
  EXPECT_THAT(gdb.out + gdb.err, HasSubstr("free-threaded"));
  EXPECT_THAT(gdb.out, HasSubstr("pygc_status=2"));
  const Outcome lldb = run_in_lldb(target, {"pygc check"});
  EXPECT_THAT(lldb.out + lldb.err, HasSubstr("free-threaded"));
  EXPECT_NE(lldb.status, 0);
  EXPECT_THAT(gdb.survivors, IsEmpty());
  EXPECT_THAT(lldb.survivors, IsEmpty());
}

} // namespace
} // namespace pygc::e2e
