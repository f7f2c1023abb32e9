#include "tests/e2e/support/adapter.h"

#include "tests/e2e/support/front_ends.h"

#include <fstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

/// A script of tests/e2e/scripts that is no target, in the interpreter of this machine.
std::vector<std::string> script_words(const std::string& name) {
  std::vector<std::string> words = release_build().command;
  words.push_back(script_path(name));
  return words;
}

} // namespace

std::vector<std::string> type_in_adapter(const AdapterSession& session) {
  const TempDir directory;
  const std::string file = directory.file("task.json");
  std::ofstream(file) << nlohmann::json{{"adapter", session.program},
                                        {"request", session.request},
                                        {"arguments", session.arguments},
                                        {"expressions", session.expressions}};
  std::vector<std::string> words = script_words("dap.py");
  words.push_back(file);
  const Outcome outcome = run({.words = words, .env = session.env});
  const auto answers = nlohmann::json::parse(outcome.out, nullptr, false);
  if (outcome.status != 0 || answers.is_discarded() ||
      answers.size() != session.expressions.size()) {
    throw std::runtime_error("the debug adapter: " + outcome.out + outcome.err);
  }
  std::vector<std::string> texts;
  for (const auto& answer : answers) {
    texts.push_back(answer.at("text").get<std::string>());
  }
  return texts;
}

std::vector<nlohmann::json> documented_configurations() {
  const std::string text = read_file(PYGC_E2E_DIR "/../../docs/editors.md");
  const std::string before = "```json\n";
  std::vector<nlohmann::json> all;
  for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
    const auto start = at + before.size();
    const auto file = nlohmann::json::parse(text.substr(start, text.find("```", start) - start));
    const auto& own = file.at("configurations");
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

Outcome run_on_terminal(unsigned columns, const std::vector<std::string>& words,
                        const std::vector<std::string>& env) {
  Command command{.words = script_words("terminal.py"), .env = {"TERM=xterm-256color", "COLUMNS"}};
  command.words.push_back(std::to_string(columns));
  command.words.insert(command.words.end(), words.begin(), words.end());
  command.env.insert(command.env.end(), env.begin(), env.end());
  return run(command);
}

} // namespace pygc::e2e
