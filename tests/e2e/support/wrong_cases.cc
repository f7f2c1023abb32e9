#include "tests/e2e/support/wrong_cases.h"

namespace pygc::e2e {

bool is_about_visited(const std::string& kind) {
  return kind == "negative_gc_refs" || kind == "unowned_visit" || kind == "duplicate_visit";
}

const std::vector<WrongCase>& wrong_cases() {
  static const std::vector<WrongCase> cases = {
      {.name = "ownership.visits_static",
       .findings = {{"unowned_visit", "warning"}},
       .owner = "static",
       .slot_name = "visits_static_cache",
       .rules = {"unowned_visit"}},
      {.name = "ownership.interpreter_field",
       .findings = {{"unowned_visit", "warning"}},
       .owner = "interpreter",
       .rules = {"unowned_visit"}},
      {.name = "ownership.visits_twice",
       .findings = {{"duplicate_visit", "error"}},
       .owner = "object",
       .rules = {"duplicate_visit"}},
      {.name = "ownership.borrowed",
       .findings = {{"negative_gc_refs", "error"}},
       .owner = "object"},
      {.name = "ownership.shared_slot",
       .count = "2",
       .findings = {{"duplicate_visit", "error"}},
       .owner = "object",
       .rules = {"duplicate_visit"}},
      // Nothing dies too early by these: the audit names them.
      {.name = "ownership.forgets_type", .findings = {}, .rules = {"type_not_visited"}},
      {.name = "ownership.forgets_field", .findings = {}, .rules = {"field_not_visited"}},
      {.name = "conduct.null_state",
       .findings = {{"traverse_fault", "error"}},
       .rules = {"faults"}},
      {.name = "conduct.loops", .findings = {{"traverse_timeout", "error"}}, .rules = {"timeout"}},
      {.name = "conduct.writes", .findings = {{"traverse_write", "warning"}}, .rules = {"writes"}},
      {.name = "conduct.increments",
       .findings = {{"traverse_write", "error"}},
       .rules = {"refcount_change"}},
      {.name = "conduct.system_call",
       .findings = {{"traverse_syscall", "warning"}},
       .rules = {"system_call"}},
      {.name = "conduct.asserts",
       .findings = {{"traverse_assertion", "error"}},
       .message = "ends in assertion '((Container*)op)->field == NULL' (conduct.c:",
       .rules = {"faults"}},
      {.name = "conduct.object_asserts",
       .findings = {{"traverse_assertion", "error"}},
       .message = "ends in assertion 'is_ready(op)', \"used too early\" (ready.c:42), in",
       .rules = {"faults"}},
      {.name = "conduct.gives_up",
       .findings = {{"traverse_assertion", "error"}},
       .message = "ends in fatal error 'nothing is left to visit', in",
       .rules = {"faults"}},
      {.name = "conduct.allocates",
       .findings = {{"traverse_write", "warning"}},
       .rules = {"allocates", "writes"}},
      {.name = "module_static",
       .findings = {{"unowned_visit", "warning"}},
       .owner = "static",
       .slot_name = "module_static_cache",
       .rules = {"unowned_visit"}},
      {.name = "module_null_state", .findings = {{"traverse_fault", "error"}}, .rules = {"faults"}},
  };
  return cases;
}

const std::vector<WrongCase>& harmful_cases() {
  static const std::vector<WrongCase> cases = {
      {.name = "ownership.visits_static",
       .count = "2",
       .findings = {{"unowned_visit", "error"}},
       .owner = "static",
       .slot_name = "visits_static_cache"},
      {.name = "ownership.visits_static",
       .count = "dead",
       .findings = {{"unowned_visit", "error"}},
       .owner = "static",
       .slot_name = "visits_static_cache"},
      {.name = "module_static",
       .count = "3",
       .findings = {{"unowned_visit", "error"}},
       .owner = "static",
       .slot_name = "module_static_cache"},
      {.name = "module_static",
       .count = "dead",
       .findings = {{"unowned_visit", "error"}},
       .owner = "static",
       .slot_name = "module_static_cache"},
      {.name = "ownership.shared_slot",
       .count = "3",
       .findings = {{"duplicate_visit", "error"}},
       .owner = "object"},
  };
  return cases;
}

bool is_module(const WrongCase& it) {
  return it.name.find('.') == std::string::npos;
}

std::string function_of(const WrongCase& it) {
  return it.name.substr(it.name.find('.') + 1) + "_traverse";
}

void PrintTo(const WrongCase& it, std::ostream* out) {
  *out << it.name;
}

} // namespace pygc::e2e
