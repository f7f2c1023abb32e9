// Where commands register: a command is one file, which nothing else names.
#pragma once

#include "common/commands/command.h"

#include <memory>
#include <string_view>
#include <vector>

namespace pygc::commands {

inline constexpr std::string_view family_summary =
    "Inspect the objects that CPython's garbage collector tracks";

struct Entry {
  int place = 0;            // in lists, rising
  std::string_view name;    // "gc-refs"
  std::string_view summary; // one line, no period
  std::string_view help;    // paragraphs that follow the summary; no trailing newline
  std::unique_ptr<Command> (*make)() = nullptr;
};

/// In a command's file, a constant at namespace scope: `const Registration registration({...});`.
class Registration {
public:
  explicit Registration(const Entry& entry);
};

template <class T> std::unique_ptr<Command> make() {
  return std::make_unique<T>();
}

/// All that have registered, in the order of their places.
std::vector<Entry> registered_commands();

} // namespace pygc::commands
