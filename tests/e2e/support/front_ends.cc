#include "tests/e2e/support/front_ends.h"

#include "tests/support/schemas.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

constexpr std::chrono::seconds debugger_timeout{180};

std::string all_said(const Outcome& outcome) {
  return "status " + std::to_string(outcome.status) + ", signal " + std::to_string(outcome.signal) +
         "\n--- output\n" + outcome.out + "--- errors\n" + outcome.err;
}

/// The number after the last such text in a debugger's output.
int number_after(const std::string& text, const std::string& before, int otherwise) {
  const auto at = text.rfind(before);
  if (at == std::string::npos) {
    return otherwise;
  }
  int value = otherwise;
  std::from_chars(text.data() + at + before.size(), text.data() + text.size(), value);
  return value;
}

/// Where `pygc WORDS...` has put its document, if it was to write one.
std::optional<std::string> document_of(const std::vector<std::string>& words,
                                       const Outcome& outcome) {
  const auto has = [&](const char* word) { return std::ranges::find(words, word) != words.end(); };
  if (!has("--json") || has("--help") || outcome.signal != 0 || outcome.timed_out) {
    return std::nullopt;
  }
  const auto option = std::ranges::find_if(
      words, [](const std::string& word) { return word == "--output" || word == "-o"; });
  if (words.front() == "snapshot" || option == words.end() || option + 1 == words.end() ||
      *(option + 1) == "-" || outcome.out.starts_with('{')) {
    return outcome.out;
  }
  const std::string& file = *(option + 1);
  return std::filesystem::is_regular_file(file) ? std::optional(read_file(file)) : std::nullopt;
}

} // namespace

nlohmann::json parse_document(const std::string& text, const Outcome& outcome) {
  nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    throw std::runtime_error("no JSON document came: " + text + "\n" + all_said(outcome));
  }
  if (const std::string wrong = tests::violations_of_schema(document); !wrong.empty()) {
    throw std::runtime_error("not as its schema wants it: " + wrong + document.dump(1));
  }
  return document;
}

Outcome run_pygc(const std::vector<std::string>& words, const std::vector<std::string>& env) {
  Command command{.words = {PYGC_BINARY}, .env = env};
  command.words.insert(command.words.end(), words.begin(), words.end());
  Outcome outcome = run(command);
  if (const auto document = document_of(words, outcome)) {
    parse_document(*document, outcome);
  }
  return outcome;
}

DebuggerTarget target_of(const Core& core) {
  return {.executable = core.build->executable, .core = core.path};
}

Outcome run_in_gdb(const DebuggerTarget& target, const std::vector<std::string>& commands,
                   const std::vector<std::string>& env) {
  Command command{.words = {target.debugger.empty() ? PYGC_GDB : target.debugger, "-nx", "-batch",
                            "-iex", "set debuginfod enabled off", "-ex",
                            std::string("source ") + PYGC_GDB_SCRIPT},
                  .env = env,
                  .timeout = debugger_timeout};
  for (const std::string& each : commands) {
    command.words.insert(command.words.end(), {"-ex", each});
  }
  if (!target.executable.empty()) {
    command.words.push_back(target.executable);
  }
  if (!target.core.empty()) {
    command.words.insert(command.words.end(), {"-core", target.core});
  }
  return run(command);
}

Outcome run_in_lldb(const DebuggerTarget& target, const std::vector<std::string>& commands,
                    const std::vector<std::string>& env) {
  Command command{.words = {target.debugger.empty() ? PYGC_LLDB : target.debugger, "--batch",
                            "--no-lldbinit", "-o", std::string("plugin load ") + PYGC_LLDB_PLUGIN},
                  .env = env,
                  .timeout = debugger_timeout};
  std::string create = "target create";
  if (!target.core.empty()) {
    create += " --core \"" + target.core + "\"";
  }
  if (!target.executable.empty()) {
    create += " \"" + target.executable + "\"";
  }
  if (!target.core.empty() || !target.executable.empty()) {
    command.words.insert(command.words.end(), {"-o", create});
  }
  for (const std::string& each : commands) {
    command.words.insert(command.words.end(), {"-o", each});
  }
  return run(command);
}

Check check_alone(const Core& core, const std::vector<std::string>& words,
                  const std::vector<std::string>& env) {
  std::vector<std::string> all = {"check", core.path, "--json"};
  all.insert(all.end(), words.begin(), words.end());
  Check check;
  check.outcome = run_pygc(all, env);
  check.status = check.outcome.status;
  check.document = parse_document(check.outcome.out, check.outcome);
  return check;
}

Check check_in_gdb(const Core& core, const std::vector<std::string>& env) {
  const TempDir directory;
  const std::string file = directory.file("check.json");
  Check check;
  check.outcome = run_in_gdb(
      target_of(core),
      {"pygc check --json --output " + file, "printf \"pygc_status=%d\\n\", $pygc_status"}, env);
  check.status = number_after(check.outcome.out, "pygc_status=", -1);
  check.document = parse_document(read_file(file), check.outcome);
  return check;
}

Check check_in_lldb(const Core& core, const std::vector<std::string>& env) {
  const TempDir directory;
  const std::string file = directory.file("check.json");
  Check check;
  check.outcome =
      run_in_lldb(target_of(core), {"pygc check --json --output " + file, "pygc status"}, env);
  check.status = number_after(check.outcome.out, "pygc status\n", -1);
  check.document = parse_document(read_file(file), check.outcome);
  return check;
}

std::vector<nlohmann::json> findings_of(const nlohmann::json& document, const std::string& kind) {
  std::vector<nlohmann::json> found;
  for (const nlohmann::json& finding : document.at("findings")) {
    if (finding.at("kind") == kind) {
      found.push_back(finding);
    }
  }
  return found;
}

std::uint64_t to_address(const std::string& text) {
  return std::stoull(text, nullptr, 0);
}

std::string to_hex(std::uint64_t address) {
  std::ostringstream text;
  text << "0x" << std::hex << address;
  return text.str();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace pygc::e2e
