// What a process has mapped, as the kernel or a debugger tells it.
#pragma once

#include "common/protocol/wire_files.h"
#include "common/protocol/wire_messages.h"

#include <cstdint>
#include <iosfwd>
#include <vector>

namespace pygc::wire {

/// The text of a /proc/PID/maps. Not known when it is empty or no such text.
MappingsAnswer parse_maps(std::istream& maps);

/// The mappings of a process of this machine.
MappingsAnswer process_mappings(std::int64_t pid);

/// For a debugger that does not say where in its file a mapping begins: as the program headers in
/// memory have it.
void add_file_offsets(std::vector<Mapping>& mappings, const Read& read);

} // namespace pygc::wire
