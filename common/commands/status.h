// How a command ends.
#pragma once

namespace pygc::commands {

/// Exit statuses of every command (see docs/architecture.md).
enum Status : int {
  status_clean = 0,
  status_findings = 1,
  status_error = 2,
  status_incomplete = 3
};

} // namespace pygc::commands
