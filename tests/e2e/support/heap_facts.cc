#include "tests/e2e/support/heap_facts.h"

#include <sstream>
#include <stdexcept>

namespace pygc::e2e {

std::map<std::uint64_t, TypeTotal> totals_by_type(const Core& core) {
  // What the child made after the fork is not in the core.
  std::map<std::uint64_t, std::string> tracked; // names of types
  std::vector<std::string> command = {"gc-refs", core.path};
  const std::vector<std::string> options = core.build->pygc_options();
  command.insert(command.end(), options.begin(), options.end());
  for (const std::string& line : split_lines(run_pygc(command).out)) {
    std::istringstream words(line);
    std::string address;
    std::string skipped;
    std::string type;
    words >> address >> skipped >> skipped >> std::ws;
    std::getline(words, type);
    tracked.emplace(to_address(address), type);
  }
  std::map<std::uint64_t, TypeTotal> totals;
  for (const std::string& line : core.printed) {
    std::istringstream words(line);
    std::string word;
    std::uint64_t address = 0;
    std::uint64_t type = 0;
    std::uint64_t size = 0;
    std::uint64_t block = 0;
    if (words >> word >> address >> type >> size >> block && word == "object" &&
        tracked.erase(address) != 0) {
      TypeTotal& total = totals[type];
      ++total.objects;
      total.size += size;
      total.in_pools += block == 0 ? 0U : 1U;
      total.blocks += block;
    }
  }
  if (!tracked.empty()) {
    throw std::runtime_error(std::to_string(tracked.size()) +
                             " objects of the core are not those of the child, such as a " +
                             tracked.begin()->second);
  }
  return totals;
}

std::map<std::uint64_t, BlockClass> block_classes(const Core& core) {
  std::map<std::uint64_t, BlockClass> classes;
  for (const std::string& line : core.printed) {
    std::istringstream words(line);
    std::string word;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::uint64_t size = 0;
    std::uint64_t block = 0;
    words >> word >> first >> second;
    if (word == "class") {
      classes[first].in_use += second;
    } else if (word == "object" && words >> size >> block && block != 0) {
      ++classes[block].objects;
    }
  }
  return classes;
}

Planted planted(const Core& core, const std::string& name) {
  for (const std::string& line : core.printed) {
    std::istringstream words(line);
    std::string word;
    std::string given;
    Planted found;
    if (words >> word >> given >> found.address >> found.type >> found.retained >> found.objects &&
        word == "retained" && given == name) {
      return found;
    }
  }
  throw std::runtime_error("the script printed no retained " + name);
}

} // namespace pygc::e2e
