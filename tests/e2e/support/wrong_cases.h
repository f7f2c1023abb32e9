// Extensions whose traverse functions are wrong in one way each, and what is to be found of them.
#pragma once

#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace pygc::e2e {

struct ExpectedFinding {
  std::string kind;
  std::string severity;
};

/// A wrong traverse function, and what is to be found of it: this, and nothing else.
struct WrongCase {
  std::string name;       // "extension.case", or "extension" of a module; its function by that
  std::string count = {}; // of instances, as extensions.py takes it
  std::vector<ExpectedFinding> findings;
  std::string message = {};         // a part of what is said
  std::string owner = {};           // of the slot, for a finding about what is visited
  std::string slot_name = {};       // a part of it
  std::set<std::string> rules = {}; // of the audit; none: it cannot tell
};

/// Any of these is about the object that the slot holds; the others are about the container.
bool is_about_visited(const std::string& kind);

const std::vector<WrongCase>& wrong_cases();
/// The same functions where their visits already do harm.
const std::vector<WrongCase>& harmful_cases();

/// The wrong function is an m_traverse.
bool is_module(const WrongCase& it);
std::string function_of(const WrongCase& it);

void PrintTo(const WrongCase& it, std::ostream* out);

} // namespace pygc::e2e
