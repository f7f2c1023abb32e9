// The audit's rules about what a traversal does besides visiting.
#pragma once

#include "common/analysis/audit/audit_ledger.h"

#include <map>
#include <string>
#include <vector>

namespace pygc::analysis {

class IncidentAudit {
public:
  IncidentAudit(const CheckInput& input, Explainer& explainer, AuditLedger& ledger);

  /// The functions that allocate memory: a survey is to watch them.
  std::vector<Address> allocators() const;
  /// Enters writes, changed reference counts, allocations, faults, system calls and time-outs.
  void examine(const SlotSurvey& survey);
  /// What could not be judged, one sentence a reason.
  std::vector<std::string> incomplete_because() const;

private:
  void examine(const replay::TraceRequest& request, const replay::Incident& incident,
               bool allocating);
  void add_write(const replay::TraceRequest& request, const replay::Incident& incident,
                 bool allocating);

  const CheckInput& input_;
  Explainer& explainer_;
  AuditLedger& ledger_;
  std::map<Address, std::string> allocators_;
  std::map<Address, std::uint64_t> unsupported_; // by pc
  std::uint64_t skipped_ = 0;                    // traversals of functions that do not end
  std::uint64_t missing_ = 0;                    // traversals that need memory which is not there
};

} // namespace pygc::analysis
