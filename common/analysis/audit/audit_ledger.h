// What an audit has found so far, by function.
#pragma once

#include "common/analysis/audit/audit.h"
#include "common/analysis/facts/explain.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/slot_names.h"
#include "common/analysis/facts/slot_survey.h"
#include "common/base/slot_address.h"

#include <compare>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pygc::analysis {

/// One kind of violation by one function: those of several instances are one, and those of several
/// types that the function serves.
struct ViolationKey {
  Address function = 0;
  Rule rule = Rule::writes;
  Address what = 0; // tells violations of one rule apart: a slot, an instruction
  std::uint64_t offset = 0;
  bool proven = true;
  auto operator<=>(const ViolationKey&) const = default;
};

class AuditLedger {
public:
  AuditLedger(const CheckInput& input, Explainer& explainer, Ownership& ownership)
      : input_(input), explainer_(explainer), ownership_(ownership),
        slot_names_(input.image, input.reader, ownership) {}

  /// Enters the functions that the survey has traced.
  void enter(const SlotSurvey& survey);
  bool has(Address function) const { return functions_.contains(function); }

  /// Enters a function that others have called in the container, if it has not been entered.
  void enter(Address function, Address container);

  /// The function that a request traces.
  Address function_of(const replay::TraceRequest& request);
  /// module_traverse calls m_traverse: what comes from there is told of m_traverse, traced alone.
  bool is_m_traverse_elsewhere(const replay::TraceRequest& request);

  /// The violation, counted once more; without a message when it is a new one. The function has
  /// been entered.
  Violation& add(const ViolationKey& key, Address container);
  void set_slot(Violation& violation, SlotAddress slot);

  /// All functions with their violations, proven ones first; by library, then name.
  std::vector<AuditedFunction> finish();

private:
  void name_modules(const SlotSurvey& survey);
  AuditedFunction& function_at(Address address);
  void add_type(const ViolationKey& key, Violation& violation, Address container);

  const CheckInput& input_;
  Explainer& explainer_;
  Ownership& ownership_;
  SlotNames slot_names_;
  std::map<std::string, std::string> modules_; // by file
  std::map<Address, AuditedFunction> functions_;
  std::set<std::pair<Address, Address>> named_types_; // (function, type)
  std::map<ViolationKey, Violation> violations_;
  std::set<std::pair<ViolationKey, Address>> concerned_types_;
};

} // namespace pygc::analysis
