// What a process may do with a run of its memory.
#pragma once

namespace pygc {

struct Permissions {
  bool read = false;
  bool write = false;
  bool execute = false;
};

} // namespace pygc
