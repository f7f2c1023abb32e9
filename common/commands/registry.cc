#include "common/commands/registry.h"

#include <algorithm>

namespace pygc::commands {
namespace {

// Registrations of other files may come before this file's own constants exist.
std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

} // namespace

Registration::Registration(const Entry& entry) {
  entries().push_back(entry);
}

std::vector<Entry> registered_commands() {
  std::vector<Entry> all = entries();
  std::ranges::sort(all, {}, [](const Entry& entry) { return std::pair(entry.place, entry.name); });
  return all;
}

} // namespace pygc::commands
