#include "tests/e2e/support/oracle.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

std::string describe(std::uint64_t address, const char* side, const ObjectReferences& it) {
  std::ostringstream text;
  text << side << " 0x" << std::hex << address << std::dec << " " << it.gc_refs << " "
       << it.refcount << " " << it.type << "\n";
  return text.str();
}

constexpr std::chrono::seconds oracle_timeout{180};

std::string python_string(const std::string& path) {
  return "'" + path + "'";
}

Core new_core(const InterpreterBuild& build) {
  Core core;
  core.directory = std::make_shared<TempDir>();
  core.path = core.directory->file("core");
  core.build = &build;
  return core;
}

/// Runs the script under oracle.py with the settings, which is to leave a core.
void run_oracle(Core& core, const std::string& settings, const std::vector<std::string>& script) {
  const InterpreterBuild& build = *core.build;
  Command command{
      .words = {PYGC_GDB, "-nx", "-batch"}, .timeout = oracle_timeout, .debug_registers = false};
  for (const std::string& each : build.gdb_commands()) {
    command.words.insert(command.words.end(), {"-ex", each});
  }
  const std::string symbols = build.sysroot.empty() ? "" : build.executable;
  command.words.insert(command.words.end(),
                       {"-ex",
                        "python oracle_core=" + python_string(core.path) +
                            "; oracle_debug=" + (build.debug ? "True" : "False") +
                            "; oracle_symbols=" + python_string(symbols) + "; oracle_directory=" +
                            python_string(std::string(PYGC_E2E_DIR) + "/oracle") + "; " + settings,
                        "-x", std::string(PYGC_E2E_DIR) + "/oracle/oracle.py", "--args"});
  command.words.insert(command.words.end(), build.command.begin(), build.command.end());
  command.words.insert(command.words.end(), script.begin(), script.end());
  const Outcome outcome = run(command);
  if (outcome.status != 0 || !std::filesystem::exists(core.path)) {
    throw std::runtime_error("the oracle failed: " + outcome.out + outcome.err);
  }
  core.printed = split_lines(outcome.out);
}

} // namespace

References read_references(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("there is no file " + path);
  }
  References references;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string address;
    ObjectReferences it;
    words >> address >> it.gc_refs >> it.refcount >> std::ws;
    std::getline(words, it.type);
    if (words.bad() || !address.starts_with("0x") || it.type.empty()) {
      throw std::runtime_error("not a line of gc-refs: " + line);
    }
    if (!references.emplace(std::stoull(address, nullptr, 16), it).second) {
      throw std::runtime_error("an object is there twice: " + line);
    }
  }
  return references;
}

Oracle consult_oracle(const InterpreterBuild& build, const std::vector<std::string>& words) {
  Oracle oracle;
  oracle.core = new_core(build);
  const std::string references = oracle.core.directory->file("references");
  std::vector<std::string> script = {std::string(PYGC_E2E_DIR) + "/oracle/collect.py"};
  script.insert(script.end(), words.begin(), words.end());
  run_oracle(oracle.core, "oracle_refs=" + python_string(references), script);
  oracle.references = read_references(references);
  std::ifstream untracked(references + ".untracked");
  for (std::string address, type; untracked >> address >> type;) {
    oracle.untracked.emplace(std::stoull(address, nullptr, 16), type);
  }
  return oracle;
}

Core core_in_phase(const InterpreterBuild& build, const std::string& phase) {
  Core core = new_core(build);
  const std::string watched = core.directory->file("watched");
  run_oracle(core,
             "oracle_phase=" + python_string(phase) + "; oracle_watched=" + python_string(watched),
             {script_path("midway.py"), phase, watched});
  return core;
}

Oracle consult_oracle(const InterpreterBuild& build, bool twice, int generation) {
  return consult_oracle(build,
                        {twice ? "twice" : "once", "generation=" + std::to_string(generation)});
}

Comparison compare(const References& expected, const References& actual, std::size_t limit) {
  Comparison result;
  result.objects = expected.size();
  const auto differ = [&](const std::string& text) {
    if (result.differences++ < limit) {
      result.first_ones += text;
    }
  };
  for (const auto& [address, wanted] : expected) {
    const auto found = actual.find(address);
    if (found == actual.end()) {
      differ(describe(address, "missing:", wanted));
    } else if (found->second != wanted) {
      differ(describe(address, "expected:", wanted) +
             describe(address, "  actual:", found->second));
    }
  }
  for (const auto& [address, given] : actual) {
    if (!expected.contains(address)) {
      ++result.not_collected;
      differ(describe(address, "not collected:", given));
    }
  }
  return result;
}

} // namespace pygc::e2e
