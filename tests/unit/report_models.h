// Models made by hand, one for each view, with what stresses the view: long names, control
// characters, values that are not there.
#pragma once

#include "common/analysis/audit/audit.h"
#include "common/analysis/facts/doctor_report.h"
#include "common/analysis/facts/generation_survey.h"
#include "common/analysis/facts/module_survey.h"
#include "common/analysis/facts/runtime_survey.h"
#include "common/analysis/finding.h"
#include "common/analysis/step/step_report.h"
#include "common/report/kit/subject.h"
#include "common/report/watch_view.h"

#include <vector>

namespace pygc::report {

inline Subject subject() {
  Subject subject;
  subject.target = target::Info{.kind = target::Kind::core,
                                .pid = 4711,
                                .core_path = "/var/crash/core.4711",
                                .executable_path = "/usr/bin/python3.11"};
  subject.python = Python{.version = {.hexversion = 0x030b02f0},
                          .layout_source = cpython::LayoutSource::dwarf,
                          .layout_detail = "/usr/lib/debug/python3.11.debug",
                          .image = "/usr/bin/python3.11"};
  return subject;
}

inline analysis::ObjectView stderr_object() {
  return {.address = 0x7f52a554c040,
          .type = "_io.TextIOWrapper",
          .summary = "<_io.TextIOWrapper name='<stderr>'>",
          .refcount = 3};
}

/// Named by someone who wants to take over the terminal.
inline analysis::ObjectView hostile_object() {
  return {.address = 0x7f52a5531000,
          .type = "evil\x1b[2J",
          .summary = "<evil\x1b[2J\r\n\x9b\xff\xc2\x9b"
                     "31m \u202egnp\u202c caf\u00e9>",
          .refcount = 1};
}

inline analysis::Visitor visitor() {
  analysis::Visitor visitor;
  visitor.container = 0x7f52a53127f0;
  visitor.type = "module";
  visitor.name = "faulthandler";
  visitor.summary = "module 'faulthandler'";
  visitor.function = "faulthandler_traverse";
  visitor.visits = 1;
  return visitor;
}

inline analysis::Coverage coverage() {
  return {.checked = {"gc_refs", "lists", "traverse functions"},
          .not_checked = {{.what = "local variables of running functions",
                           .why = "the layout of frames is not known",
                           .command = {}},
                          {.what = "leaks", .why = {}, .command = "pygc leaks"},
                          {.what = "garbage", .why = {}, .command = "pygc garbage"},
                          {.what = "free lists", .why = {}, .command = {}}}};
}

/// A cause with all that one can have: a victim whose slots are known, and others.
inline analysis::Finding cause_finding() {
  analysis::Finding cause;
  cause.kind = analysis::FindingKind::unowned_visit;
  cause.cause = analysis::Cause::over_visited;
  cause.proven = true;
  cause.occurrences = 2;
  cause.object = stderr_object();
  cause.gc_refs = -1;
  cause.visits = 4;
  cause.function = "faulthandler_traverse";
  cause.field = "fatal_error.file";
  cause.message = "faulthandler_traverse visits fatal_error.file, a static variable, which the 2 "
                  "containers that visit it do not own.";
  analysis::Visitor module = visitor();
  module.slot = SlotAddress{0x954968};
  module.slot_name = "fatal_error.file";
  module.owner = analysis::Owner::static_storage;
  module.places = {
      {.slot = module.slot, .name = module.slot_name, .owner = module.owner, .visits = 1}};
  analysis::Visitor second = module;
  second.container += 0x100;
  analysis::Visitor dict;
  dict.container = 0x7f52a5540000;
  dict.type = "dict";
  dict.summary = "dict of module 'sys'";
  dict.function = "dict_traverse";
  dict.path = "sys.__dict__";
  dict.visits = 2;
  for (const char* key : {"['stderr']", "['__stderr__']"}) {
    dict.places.push_back({.slot = SlotAddress{0x7f52a5541000 + dict.places.size() * 24},
                           .name = key,
                           .owner = analysis::Owner::object,
                           .visits = 1});
  }
  analysis::Visitor derived = visitor();
  derived.type = "evil.Derived";
  derived.summary = "<evil.Derived object>";
  derived.function = "subtype_traverse";
  derived.base_function = "evil_traverse";
  derived.base_library = "/opt/evil.so";
  cause.visitors = {module, second, derived};
  cause.victims = {
      {.object = stderr_object(),
       .gc_refs = -1,
       .visits = 4,
       .too_many = 2,
       .visitors = {module, second, dict}},
      {.object = hostile_object(), .gc_refs = 0, .visits = 1, .too_many = 1, .visitors = {}}};
  cause.further_victims = 3;
  cause.effect = "A debug build aborts: \"refcount is too small\". This release build keeps the "
                 "object, for -1 counts as reachable, and clears it in use when it is exactly 0.";
  cause.fix = "visit only what the module's own state (m_size) holds";
  cause.known = analysis::KnownIssue{.id = "gh-149590",
                                     .url = "https://github.com/python/cpython/issues/149590",
                                     .note = "mended by removing faulthandler_traverse"};
  cause.next = {"pygc object 0x7f52a554c040"};
  return cause;
}

inline analysis::CheckReport check_report() {
  analysis::CheckReport report;
  report.interpreters.push_back({.id = 0,
                                 .address = 0x9a2b40,
                                 .generations = {{"0", 0x9a2b60, 12, 700, 341},
                                                 {"1", 0x9a2b78, 3, 10, 1200},
                                                 {"2", 0x9a2b90, 1, 10, 1337924},
                                                 {"permanent", 0x9a2bb0, 0, 0, 0}}});
  report.objects = {.walked = 1339465,
                    .traversed = 1339464,
                    .visits = 3621218,
                    .immortal = 7,
                    .frozen = 0,
                    .unreadable = 1,
                    .not_traversed = 1,
                    .traced = 2048};
  report.replay_seconds = 0.5;
  analysis::Finding negative;
  negative.object = stderr_object();
  negative.gc_refs = -1;
  negative.visits = 4;
  negative.visitors = {visitor()};
  negative.cause = analysis::Cause::over_visited;
  negative.message = "Only 3 references exist, but 4 visits are made: a debug build aborts in the "
                     "next collection, and a release build would take the object for garbage.";
  negative.suspect =
      analysis::Suspect{.function = "evil_traverse", .library = "/opt/evil.so", .visitors = 1};
  negative.effect = "A debug build aborts.";
  negative.fix = "compare what evil_traverse visits with what its objects own";
  negative.next = {"pygc object 0x7f52a554c040", "pygc refs --to 0x7f52a554c040"};
  report.findings.push_back(std::move(negative));
  report.findings.push_back(cause_finding());
  analysis::Finding fault;
  fault.kind = analysis::FindingKind::traverse_fault;
  fault.severity = analysis::Severity::warning;
  fault.object = hostile_object();
  fault.function = "evil_traverse";
  fault.pc = 0x7f52a5100010;
  fault.address = 0x10;
  fault.occurrences = 3;
  fault.message = "evil_traverse faults.";
  report.findings.push_back(std::move(fault));
  report.complete = false;
  report.incomplete_because = {"1 object cannot be read"};
  report.notes = {"slots are named by section, for lack of debug information"};
  report.coverage = coverage();
  return report;
}

/// Warnings at most: what was not looked at is told.
inline analysis::CheckReport warned_report() {
  analysis::CheckReport report;
  report.coverage = coverage();
  analysis::Finding unfinished;
  unfinished.kind = analysis::FindingKind::unfinished_tuple;
  unfinished.severity = analysis::Severity::warning;
  unfinished.object = hostile_object();
  unfinished.message = "Item 1 of 10 is NULL.";
  report.findings = {unfinished};
  return report;
}

/// Stopped in the middle of a collection, both engines compared, nothing found.
inline analysis::CheckReport clean_report() {
  analysis::CheckReport report;
  report.collection.in_progress = true;
  report.collection.interpreter = 0;
  report.collection.generation = "2";
  report.collection.container = stderr_object();
  report.collection.container_index = 41;
  report.engines = analysis::EngineComparison{.objects = 1000, .differences = 0, .not_compared = 2};
  return report;
}

inline analysis::AuditReport audit_report() {
  analysis::AuditReport report;
  report.traced = 5000;
  analysis::Violation writes;
  writes.object = hostile_object();
  writes.instances = 2;
  writes.type = "evil.Type";
  writes.pc = 0x7f52a5100010;
  writes.types = {"evil.Type"};
  writes.next = {"pygc object 0x7f52a5531000"};
  writes.message = "it changes 8 bytes at evil_counter";
  analysis::Violation slot;
  slot.rule = analysis::Rule::field_not_visited;
  slot.proven = false;
  slot.object = stderr_object();
  slot.type = "evil.Type";
  slot.slot = SlotAddress{0x7f52a5531018};
  slot.slot_name = "+0x18";
  slot.owner = analysis::Owner::object;
  slot.message = "the field at +0x18 holds a reference to a dict, and is not visited";
  report.functions = {
      {.address = 0x520000,
       .name = "dict_traverse",
       .of_module = false,
       .library = {},
       .module = {},
       .types = {"dict"},
       .instances = 1234,
       .violations = {}},
      {.address = 0x7f52a5100000,
       .name = "evil_traverse",
       .of_module = false,
       .library = "/opt/site-packages/evil.cpython-311-x86_64-linux-gnu.so",
       .module = "evil",
       .types = {"evil.A", "evil.B", "evil.C", "evil.D", "evil.E", "evil.F", "evil.A"},
       .instances = 7,
       .violations = {writes, slot}}};
  report.incomplete_because = {"memory that 1 traversal needs is missing"};
  return report;
}

inline analysis::GenerationSurvey generation_survey() {
  analysis::GenerationSurvey survey;
  survey.interpreters = {
      {.id = 0,
       .address = 0x9a2b40,
       .enabled = true,
       .collecting = true,
       .counts = {},
       .generations = {
           {"0", 0x9a2b60, 12, 700, 341, true, {{"dict", 200}, {"", 100}, {"tuple", 41}}},
           {"2", 0x9a2b90, 1, 10, 1337924, false, {}}}}};
  survey.incomplete_because = {"list 2 of interpreter 0 is damaged, or memory of it is missing"};
  return survey;
}

inline std::vector<analysis::RuntimeView> runtimes() {
  analysis::RuntimeView release{.address = 0x9a2000,
                                .image = "/usr/bin/python3.11",
                                .version = {.hexversion = 0x030b02f0},
                                .layout_source = cpython::LayoutSource::table,
                                .layout_detail = "debian-3.11.2-release",
                                .interpreters = {},
                                .faulthandler = std::nullopt,
                                .faulthandler_problem = {}};
  release.interpreters.push_back({.address = 0x9a2b40,
                                  .id = 0,
                                  .gc_state = 0x9a2b50,
                                  .enabled = true,
                                  .collecting = false,
                                  .finalizing = true,
                                  .spaces = {},
                                  .counts = {}});
  analysis::FaulthandlerView faulthandler{.where = "static", .address = 0, .rows = {}};
  faulthandler.rows.resize(2);
  faulthandler.rows[0].entry.name = "fatal_error";
  faulthandler.rows[0].entry.file_slot = 0x9a1000;
  faulthandler.rows[0].entry.file = 0x7f52a554c040;
  faulthandler.rows[0].entry.fd = 2;
  faulthandler.rows[0].entry.enabled = true;
  faulthandler.rows[0].entry.all_threads = true;
  faulthandler.rows[0].summary = "<_io.TextIOWrapper name='<stderr>'>";
  faulthandler.rows[1].entry.name = "thread";
  faulthandler.rows[1].entry.file_slot = 0x9a1020;
  release.faulthandler = faulthandler;
  analysis::RuntimeView bare = release;
  bare.version.debug = true;
  bare.faulthandler.reset();
  bare.faulthandler_problem = "the statics of faulthandler were not found";
  return {release, bare};
}

inline std::vector<analysis::ModuleRow> modules() {
  analysis::ModuleRow native;
  native.info.address = 0x7f52a53127f0;
  native.info.name = "faulthandler";
  native.info.definition = 0x9a3000;
  native.info.traverse = 0x520010;
  native.info.state_size = 8;
  native.info.state = 0x7f52a5312900;
  native.info.multi_phase = true;
  native.file = "/usr/lib/python3.11/lib-dynload/faulthandler.so";
  native.traverse_name = "faulthandler_traverse";
  native.refcount = 2;
  native.instances = 2;
  native.reachable = false;
  native.visits.resize(1);
  native.visits[0].object = 0x7f52a554c040;
  native.visits[0].summary = "<_io.TextIOWrapper name='<stderr>'>";
  native.visits[0].slot = {0x9a1000};
  native.visits[0].slot_name = "fatal_error.file";
  native.visits[0].owner = analysis::Owner::static_storage;
  analysis::ModuleRow python;
  python.info.address = 0x7f52a5310000;
  python.info.name = "site\x1b[31m";
  python.refcount = 30;
  python.in_sys_modules = true;
  return {native, python};
}

inline analysis::DoctorReport doctor_report() {
  return {.facts = {{"target.kind", "core"}, {"python.file", ""}},
          .lacks = {{.what = "the interpreter has no debug information",
                     .effect = "slots are not named by field",
                     .remedy = "apt-get install python3.11-dbg (on Debian), or set DEBUGINFOD_URLS",
                     .fatal = false},
                    {.what = "the replayer cannot be started",
                     .effect = "nothing can be replayed",
                     .remedy = "reinstall pygc",
                     .fatal = true}}};
}

inline analysis::StepReport step_report() {
  analysis::StepReport report;
  report.in_progress = true;
  report.interpreter = 0;
  report.generation = "2";
  report.phase = "subtract_refs";
  report.located = true;
  report.containers = 15676;
  report.traversed = 1233;
  report.inside = true;
  report.container = analysis::StepContainer{1233, hostile_object(), "evil_traverse"};
  report.next = analysis::StepContainer{1234, stderr_object(), "textiowrapper_traverse"};
  report.visits_made = 1;
  report.visits_all = 2;
  report.last_visit = analysis::StepVisit{stderr_object(), -1};
  report.changed = {{stderr_object(), 0, -1}};
  report.changed_count = 4;
  report.differences = {{hostile_object(), 5, 1, 0}};
  report.difference_count = 1;
  report.references = {{0x7f52a5531000, 5}};
  report.frames = {"visit_decref", "evil_traverse", "subtract_refs"};
  report.reached = false;
  return report;
}

inline WatchHit watch_hit() {
  WatchHit hit;
  hit.number = 4;
  hit.all = 4;
  hit.before = 0;
  hit.after = -1;
  hit.refused = true;
  hit.container_index = 1233;
  hit.containers = 15676;
  hit.object = stderr_object();
  hit.visitor = visitor();
  hit.frames = {"visit_decref", "faulthandler_traverse", "subtract_refs"};
  return hit;
}

} // namespace pygc::report
