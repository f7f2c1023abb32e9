#include "tests/e2e/support/walk.h"

#include "tests/e2e/support/debug_registers.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <stdexcept>

namespace pygc::e2e {
namespace {

using Json = nlohmann::json;

std::map<std::uint64_t, std::int64_t> references(const Json& record) {
  std::map<std::uint64_t, std::int64_t> result;
  for (const Json& pair : record.at("objects")) {
    result[pair.at(0)] = pair.at(1);
  }
  return result;
}

std::uint64_t address_of(const Json& object) {
  return object.is_null() ? 0 : to_address(object.at("address").get<std::string>());
}

void expect_same_state(const Json& document, const Json& record) {
  const Json& state = document.at("subtract_refs");
  ASSERT_FALSE(state.is_null()) << document;
  EXPECT_EQ(document.at("collection").at("phase"), "subtract_refs");
  EXPECT_EQ(document.at("reached"), true);
  EXPECT_EQ(state.at("inside"), false);
  EXPECT_EQ(state.at("difference_count"), 0) << state.at("differences");
  EXPECT_EQ(address_of(state.at("next")), record.at("container").get<std::uint64_t>());
  const Json& objects = state.at("objects");
  ASSERT_EQ(objects.size(), record.at("objects").size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(address_of(objects[i]), record.at("objects")[i].at(0).get<std::uint64_t>());
    EXPECT_EQ(objects[i].at("stored"), record.at("objects")[i].at(1));
  }
}

/// What pygc says of the container just traversed, against what the script read before and after.
void expect_same_changes(const Json& document, const Json& before, const Json& after) {
  const Json& state = document.at("subtract_refs");
  EXPECT_EQ(address_of(state.at("container")), before.at("container").get<std::uint64_t>());
  const auto old = references(before);
  auto told = old;
  for (const Json& change : state.at("changed")) {
    const std::uint64_t object = to_address(change.at("address").get<std::string>());
    EXPECT_EQ(change.at("before"), old.at(object));
    told[object] = change.at("stored");
  }
  EXPECT_EQ(told, references(after));
}

} // namespace

Walk walk_collection(Debugger debugger, const InterpreterBuild& build,
                     const std::vector<std::string>& pygc_options,
                     const std::vector<std::string>& env) {
  const TempDir directory;
  const std::string path = directory.path().string();
  const std::string script = std::string(PYGC_E2E_DIR) + "/oracle/walk.py";
  const std::string start = "exec(open('" + script + "').read()); walk('" + path + "', '" +
                            join(pygc_options) + "', " +
                            (debugger == Debugger::gdb ? "Gdb()" : "Lldb()") + ")";
  Walk walk;
  walk.outcome =
      run_live({.debugger = debugger,
                .build = &build,
                .script = "step_heap.py",
                .commands = {(debugger == Debugger::gdb ? "python " : "script ") + start},
                .env = env});
  const std::string records = directory.file("walk.json");
  if (!std::filesystem::exists(records)) {
    throw std::runtime_error("the walk did not end: " + walk.outcome.out + walk.outcome.err);
  }
  walk.records = Json::parse(read_file(records));
  for (std::size_t i = 0; i < walk.records.size(); ++i) {
    walk.documents.push_back(Json::parse(read_file(directory.file(std::to_string(i) + ".json"))));
  }
  return walk;
}

std::size_t expect_same_walk(const Walk& walk) {
  const std::size_t containers = walk.records.at(0).at("objects").size();
  EXPECT_GE(containers, 12U);
  EXPECT_EQ(walk.records.size(), containers + 1) << "one stop a container, and one behind the last";
  for (std::size_t i = 0; i < walk.documents.size(); ++i) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, "stop " + std::to_string(i));
    const Json& state = walk.documents[i].at("subtract_refs");
    expect_same_state(walk.documents[i], walk.records[i]);
    EXPECT_EQ(state.at("containers"), containers);
    EXPECT_EQ(state.at("traversed"), i);
    if (i > 0) {
      expect_same_changes(walk.documents[i], walk.records[i - 1], walk.records[i]);
    }
  }
  return walk.records.size();
}

std::size_t expect_same_places(Debugger debugger, const InterpreterBuild& build,
                               const std::vector<std::string>& pygc_options,
                               const std::vector<std::string>& env) {
  const std::string without = "PYGC_HARDWARE_WATCHPOINTS=0";
  // The second leaves it to pygc, which tries them. Where none fires both are one, and once is
  // enough.
  std::vector<std::string> ways = {without};
  if (hardware_watchpoints_fire() && !debug_registers_are_off()) {
    ways.push_back(std::string(without.size() - 2, 'X') + "=1");
  } else {
    std::cout << "hardware watchpoints do not fire here: nothing to compare the places with\n";
  }
  const TempDir directory;
  const std::string options = pygc_options.empty() ? "" : " " + join(pygc_options);
  const auto live = [&](const std::string& way, std::vector<std::string> words,
                        std::vector<std::string> commands) {
    std::vector<std::string> all = env;
    // The same addresses each time: the environment is in the process, too, so of one length.
    all.push_back(way);
    all.emplace_back("PYTHONHASHSEED=0");
    const Outcome outcome = run_live({.debugger = debugger,
                                      .build = &build,
                                      .script = "step_heap.py",
                                      .words = std::move(words),
                                      .commands = std::move(commands),
                                      .env = std::move(all)});
    return outcome.out + outcome.err;
  };
  const auto written = [&](const std::string& way, const std::string& name) {
    return " --json --output " + directory.file(way + name) + options;
  };
  const auto document = [&](const std::string& way, const std::string& name) {
    return Json::parse(read_file(directory.file(way + name)));
  };

  const std::string heap = live(without, {}, {});
  const std::string node = to_hex(printed_numbers(heap, "node").front());
  const std::string target = to_hex(printed_numbers(heap, "target").front());
  const std::vector<std::string> where = {"arm",    "next",           "visit",
                                          "next 2", "visit 3",        "to " + node,
                                          "next",   "until-negative", "next 99"};
  const bool in_gdb = debugger == Debugger::gdb;
  const std::string go_on = in_gdb ? "continue" : "process continue";
  const std::string list_stops = in_gdb ? "info breakpoints" : "breakpoint list";
  const std::string no_stops = in_gdb ? "No breakpoints" : "No breakpoints currently set";
  std::vector<std::vector<std::string>> watched;
  for (const std::string& way : ways) {
    std::vector<std::string> commands;
    commands.reserve(where.size() + 2);
    for (std::size_t i = 0; i < where.size(); ++i) {
      commands.push_back("pygc step " + where[i] + written(way, std::to_string(i)));
    }
    commands.push_back("pygc step arm" + written(way, "again"));
    commands.push_back(go_on);
    EXPECT_THAT(live(way, {}, commands), testing::HasSubstr("survived"));
    EXPECT_THAT(live(way, {}, {"pygc watch " + target + written(way, "watched"), list_stops}),
                testing::HasSubstr(no_stops));
    watched.emplace_back();
    for (const std::string& line : split_lines(read_file(directory.file(way + "watched")))) {
      Json hit = Json::parse(line);
      hit.erase("frames"); // a stop may be an instruction further
      hit.erase("target"); // another process
      watched.back().push_back(hit.dump());
    }
    live(way, {"twice", "generation=2"}, {"pygc step until-negative" + written(way, "negative")});
  }
  const Json negative = document(without, "negative");
  EXPECT_GE(watched.front().size(), 5U);
  for (const std::string& way : ways) {
    for (std::size_t i = 0; i < where.size(); ++i) {
      const Json there = document(without, std::to_string(i));
      const Json same = document(way, std::to_string(i));
      EXPECT_EQ(there.at("subtract_refs"), same.at("subtract_refs")) << where[i];
      EXPECT_EQ(there.at("reached"), same.at("reached")) << where[i];
      // No count is negative, and the last walks more containers than there are.
      EXPECT_EQ(same.at("reached"), i + 2 < where.size()) << where[i];
    }
    EXPECT_EQ(document(way, "negative").at("subtract_refs"), negative.at("subtract_refs"));
  }
  EXPECT_EQ(watched.front(), watched.back());
  return where.size() + watched[0].size() + 1;
}

} // namespace pygc::e2e
