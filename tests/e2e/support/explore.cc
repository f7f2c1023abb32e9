#include "tests/e2e/support/explore.h"

#include <gtest/gtest.h>
#include <stdexcept>

namespace pygc::e2e {

AddressSet printed_set(const Core& core, const std::string& name) {
  AddressSet found;
  for (const std::string& line : core.printed) {
    if (line.starts_with(name + " ")) {
      found.insert(to_address(line.substr(name.size() + 1)));
    }
  }
  return found;
}

AddressSet addresses_of(const nlohmann::json& records) {
  AddressSet found;
  for (const nlohmann::json& record : records) {
    found.insert(to_address(record.at("address").get<std::string>()));
  }
  return found;
}

nlohmann::json unreachable_of(const Core& core, const std::vector<std::string>& words) {
  std::vector<std::string> all = {"garbage", core.path, "--objects", "--json"};
  all.insert(all.end(), words.begin(), words.end());
  const std::vector<std::string> options = core.build->pygc_options();
  all.insert(all.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(all);
  const nlohmann::json document = parse_document(outcome.out, outcome);
  if (outcome.status != 0 || document.at("basis") != "exact") {
    throw std::runtime_error("pygc garbage is not complete: " + outcome.out + outcome.err);
  }
  return document.at("interpreters").at(0);
}

nlohmann::json document_alone(const Core& core, std::vector<std::string> words) {
  words.insert(words.end(), {core.path, "--json"});
  const std::vector<std::string> options = core.build->pygc_options();
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(words);
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  return parse_document(outcome.out, outcome);
}

std::size_t expect_names_lead_where_eval_does(const Core& core) {
  std::size_t names = 0;
  for (const std::string& line : core.printed) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string::npos) {
      continue;
    }
    const std::string name = line.substr(0, blank);
    const std::size_t behind = line.find(' ', blank + 1);
    const auto document = behind == std::string::npos
                              ? document_alone(core, {"refs", "--from", name, "--limit", "1"})
                              : document_alone(core, {"object", name});
    EXPECT_EQ(to_address(document.at("object").at("address").get<std::string>()),
              to_address(line.substr(blank + 1, behind - blank - 1)))
        << name;
    if (behind != std::string::npos) {
      EXPECT_EQ(document.at("own_size"), std::stoull(line.substr(behind + 1))) << name;
    }
    ++names;
  }
  return names;
}

std::vector<nlohmann::json> documents_in_debuggers(const Core& core, const std::string& words) {
  const TempDir directory;
  const std::string in_gdb = directory.file("gdb.json");
  const std::string in_lldb = directory.file("lldb.json");
  const std::string command = "pygc " + words + " --json --output ";
  const Outcome gdb = run_in_gdb(target_of(core), {command + in_gdb});
  const Outcome lldb = run_in_lldb(target_of(core), {command + in_lldb});
  return {parse_document(read_file(in_gdb), gdb), parse_document(read_file(in_lldb), lldb)};
}

} // namespace pygc::e2e
