// What debug information tells beyond the interfaces of module.h.
#pragma once

#include "common/image/module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::image {

/// What is known of a struct in memory without debug information, and what is asked about it.
struct MemberQuery {
  std::vector<Address> functions; // of one module, that are given pointers to it
  std::string type_name;          // of the objects that have it; may be empty
  std::uint64_t size = 0;         // exactly
  std::uint64_t offset = 0;       // of the member
  bool object = false;            // it begins with a PyObject
};

struct StructMember {
  std::string structure; // its typedef or tag
  std::string member;    // as C spells it: "callback", "head.next", "handlers[3]"
};

/// A ProcessImage whose modules may have debug information is one; others need not be.
class DebugKnowledge {
public:
  DebugKnowledge() = default;
  DebugKnowledge(const DebugKnowledge&) = delete;
  DebugKnowledge& operator=(const DebugKnowledge&) = delete;
  virtual ~DebugKnowledge() = default;

  /// The pointer at an offset of a struct, which is found through the variables and parameters of
  /// the functions, or by its name, and has the size. Errors: no_debug_info, no_symbol also where
  /// several structs would do.
  virtual Result<StructMember> find_member(const MemberQuery& query) const = 0;
  /// As ProcessImage::unwind, whole, but of the variables only those that a register or the frame's
  /// own memory holds, and only of images whose own file has the debug information: to find and
  /// unpack that of another takes longer than a check may. Errors: as there.
  virtual Result<std::vector<Frame>> unwind_held(const target::Thread& thread,
                                                 std::size_t limit) const = 0;
};

} // namespace pygc::image
