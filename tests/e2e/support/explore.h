// For the tests of commands about objects: sets of addresses, as a script and as pygc give them.
#pragma once

#include "tests/e2e/support/front_ends.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace pygc::e2e {

using AddressSet = std::set<std::uint64_t>;

/// The addresses of all lines "NAME ADDRESS" that the script printed.
AddressSet printed_set(const Core& core, const std::string& name);
/// `address` of each record.
AddressSet addresses_of(const nlohmann::json& records);
/// What `pygc WORDS... --json` gives on a core in GDB and in LLDB: two documents, each as its
/// schema wants it.
std::vector<nlohmann::json> documents_in_debuggers(const Core& core, const std::string& words);

/// What `pygc WORDS... CORE --json` gives alone, with status 0.
nlohmann::json document_alone(const Core& core, std::vector<std::string> words);
/// The names that names.py has printed lead where it says eval() leads. Returns how many they are.
std::size_t expect_names_lead_where_eval_does(const Core& core);

/// The main interpreter's part of `pygc garbage --objects --json`. Throws when it is not complete.
nlohmann::json unreachable_of(const Core& core, const std::vector<std::string>& words = {});

} // namespace pygc::e2e
