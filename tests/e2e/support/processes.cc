#include "tests/e2e/support/processes.h"

#include <algorithm>
#include <arpa/inet.h>
#include <elf.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace pygc::e2e {
namespace {

std::vector<std::string> split_words(const std::string& command) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < command.size()) {
    const std::size_t end = std::min(command.find(' ', at), command.size());
    words.push_back(command.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

} // namespace

Check check_process(pid_t pid, const std::vector<std::string>& words) {
  std::vector<std::string> all = {"check", "--pid", std::to_string(pid), "--json"};
  all.insert(all.end(), words.begin(), words.end());
  Check check;
  check.outcome = run_pygc(all);
  check.status = check.outcome.status;
  check.document = parse_document(check.outcome.out, check.outcome);
  return check;
}

Core core_of(const RunningScript& script, const InterpreterBuild& build) {
  Core core;
  core.directory = std::make_shared<TempDir>();
  core.build = &build;
  core.pid = script.pid();
  core.printed = script.printed();
  take_gcore(core);
  return core;
}

void expect_same_check(const nlohmann::json& actual, const nlohmann::json& expected) {
  for (const char* part :
       {"python", "collection", "interpreters", "objects", "complete", "verdict", "findings"}) {
    EXPECT_EQ(actual.at(part), expected.at(part)) << part;
  }
}

void expect_same(const Reading& actual, const Reading& expected) {
  expect_same_check(actual.check, expected.check);
  const Comparison comparison = compare(expected.references, actual.references);
  EXPECT_GT(comparison.objects, 4000U);
  EXPECT_EQ(comparison.differences, 0U) << comparison.first_ones;
  EXPECT_TRUE(actual.outcome.survivors.empty()) << join(actual.outcome.survivors);
}

Reading read_with(const std::function<Outcome(const Commands& pygc)>& run,
                  const InterpreterBuild& build) {
  const TempDir directory;
  const std::string check = directory.file("check.json");
  const std::string references = directory.file("references");
  std::string options;
  for (const std::string& word : build.pygc_options()) {
    options += " " + word;
  }
  Reading reading;
  // The one that fails where there are findings comes last: a batch of LLDB ends there.
  reading.outcome = run({"pygc gc-refs --output " + references + options,
                         "pygc check --json --output " + check + options});
  reading.check = parse_document(read_file(check), reading.outcome);
  reading.references = read_references(references);
  return reading;
}

namespace {

Reading read_alone(const InterpreterBuild& build, const std::vector<std::string>& target) {
  return read_with(
      [&](const Commands& pygc) {
        Outcome outcome;
        for (const std::string& command : pygc) {
          std::vector<std::string> words = split_words(command);
          words.erase(words.begin());
          words.insert(words.end(), target.begin(), target.end());
          outcome = run_pygc(words);
        }
        return outcome;
      },
      build);
}

} // namespace

Reading read_core(const Core& core) {
  return read_alone(*core.build, {core.path});
}

Reading read_process(pid_t pid, const InterpreterBuild& build) {
  return read_alone(build, {"--pid", std::to_string(pid)});
}

Reading read_in_gdb(const InterpreterBuild& build, Commands before, const Commands& after) {
  return read_with(
      [&](const Commands& pygc) {
        Commands all = before;
        all.insert(all.end(), pygc.begin(), pygc.end());
        all.insert(all.end(), after.begin(), after.end());
        return run_in_gdb({}, all);
      },
      build);
}

Reading read_in_lldb(const InterpreterBuild& build, Commands before) {
  return read_with(
      [&](const Commands& pygc) {
        Commands all = before;
        all.insert(all.end(), pygc.begin(), pygc.end());
        return run_in_lldb({}, all);
      },
      build);
}

std::string status_field(pid_t pid, const std::string& name) {
  for (const std::string& line :
       split_lines(read_file("/proc/" + std::to_string(pid) + "/status"))) {
    if (line.starts_with(name + ":")) {
      return line.substr(std::min(line.find_first_not_of(" \t", name.size() + 1), line.size()));
    }
  }
  return {};
}

bool runs_freely(pid_t pid) {
  const std::string state = status_field(pid, "State");
  return (state.starts_with("S") || state.starts_with("R")) &&
         status_field(pid, "TracerPid") == "0";
}

std::string changed_memory(const std::string& before, const std::string& after) {
  const std::string one = read_file(before);
  const std::string other = read_file(after);
  const auto end_of_memory = [](const std::string& file) {
    Elf64_Ehdr header{};
    file.copy(reinterpret_cast<char*>(&header), sizeof header);
    return header.e_phoff; // the program headers lie behind it
  };
  const std::size_t end = end_of_memory(one);
  if (end < sizeof(Elf64_Ehdr) || end_of_memory(other) != end) {
    return "other mappings";
  }
  const auto differs =
      std::mismatch(one.begin() + sizeof(Elf64_Ehdr),
                    one.begin() + static_cast<std::ptrdiff_t>(std::min(end, one.size())),
                    other.begin() + sizeof(Elf64_Ehdr));
  const auto at = static_cast<std::uint64_t>(differs.first - one.begin());
  for (std::size_t header = end; at != end && header + sizeof(Elf64_Phdr) <= one.size();
       header += sizeof(Elf64_Phdr)) {
    Elf64_Phdr segment{};
    one.copy(reinterpret_cast<char*>(&segment), sizeof segment, header);
    if (segment.p_type == PT_LOAD && at - segment.p_offset < segment.p_filesz) {
      return to_hex(segment.p_vaddr + at - segment.p_offset) + " in the mapping at " +
             to_hex(segment.p_vaddr);
    }
  }
  return at == end ? "" : "file offset " + std::to_string(at);
}

pid_t process_in_namespace(pid_t session, pid_t inner) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    const std::string numbers = status_field(std::stoi(name), "NSpid");
    const auto tab = numbers.rfind('\t');
    if (!status_field(std::stoi(name), "NSsid").starts_with(std::to_string(session) + "\t")) {
      continue;
    }
    if (tab != std::string::npos && numbers.substr(tab + 1) == std::to_string(inner)) {
      return std::stoi(name);
    }
  }
  return 0;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = fd >= 0 &&
                     ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

Gdbserver::Gdbserver(std::vector<std::string> words)
    : address_("127.0.0.1:" + std::to_string(free_port())) {
  std::ranges::replace(words, "PORT", address_);
  words.insert(words.begin(), PYGC_GDBSERVER);
  child_ = std::make_unique<Child>(Command{.words = std::move(words)});
}

Commands Gdbserver::connect(const std::string& kind) const {
  // The files are this machine's own: GDB need not fetch them.
  return {"set sysroot /", "target " + kind + " " + address_};
}

} // namespace pygc::e2e
