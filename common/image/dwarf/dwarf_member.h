// Structs that functions work on, and their members.
#pragma once

#include "common/image/debug_knowledge.h"
#include "common/image/dwarf/dwarf_info.h"

namespace pygc::image {

/// As DebugKnowledge::find_member; the functions' addresses are as linked. Errors: no_symbol.
Result<StructMember> find_struct_member(const DwarfInfo& dwarf, const MemberQuery& query);

} // namespace pygc::image
