#include "tests/e2e/support/oracle.h"

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

std::string python_string(const std::string& path) {
  return "'" + path + "'";
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

Oracle consult_oracle(const InterpreterBuild& build, bool twice, int generation) {
  Oracle oracle;
  oracle.core.directory = std::make_shared<TempDir>();
  oracle.core.path = oracle.core.directory->file("core");
  oracle.core.build = &build;
  const std::string references = oracle.core.directory->file("references");
  const std::string directory = std::string(PYGC_E2E_DIR) + "/oracle/";
  Command command{.words = {PYGC_GDB, "-nx", "-batch", "-ex",
                            "python oracle_core=" + python_string(oracle.core.path) +
                                "; oracle_refs=" + python_string(references) +
                                "; oracle_debug=" + (build.debug ? "True" : "False") +
                                "; oracle_symbols=" +
                                python_string(build.sysroot.empty() ? "" : build.executable),
                            "-x", directory + "oracle.py", "--args"},
                  .env = build.env};
  command.words.insert(command.words.end(), build.command.begin(), build.command.end());
  command.words.insert(command.words.end(), {directory + "collect.py", twice ? "twice" : "once",
                                             "generation=" + std::to_string(generation)});
  const Outcome outcome = run(command);
  if (outcome.status != 0) {
    throw std::runtime_error("the oracle failed: " + outcome.out + outcome.err);
  }
  oracle.references = read_references(references);
  return oracle;
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
      differ(describe(address, "not collected:", given));
    }
  }
  return result;
}

} // namespace pygc::e2e
