#include "common/target/live/snapshot_plan.h"

#include "common/machine/machine.h"
#include "common/machine/page.h"

#include <algorithm>
#include <string_view>

namespace pygc::target {
namespace {

// Pages whose state is asked for at once.
constexpr std::uint64_t pages_at_once = std::uint64_t{1} << 16U;

// The kernel's own pages, which it shows to no other process.
bool is_unreadable(const wire::Mapping& mapping) {
  return mapping.path.starts_with("[vvar") || mapping.path == "[vsyscall]";
}

bool is_file(const wire::Mapping& mapping) {
  return mapping.path.starts_with('/');
}

// Reading a device may do anything.
bool is_device(const wire::Mapping& mapping) {
  const std::string_view path = mapping.path;
  return path.starts_with("/dev/") && !path.starts_with("/dev/shm/") &&
         !path.starts_with("/dev/zero");
}

class Planner {
public:
  Planner(Pagemap& pagemap, std::uint64_t offset) : pagemap_(pagemap) { plan_.end = offset; }

  void add(const wire::Mapping& mapping) {
    if (mapping.end > machine::user_space_end || is_unreadable(mapping)) {
      return;
    }
    const std::uint64_t size = mapping.end - mapping.start;
    PlannedSegment segment{.mapping = mapping, .saved = 0, .offset = plan_.end};
    if (!mapping.permissions.read || is_device(mapping)) {
      plan_.segments.push_back(std::move(segment));
      return;
    }
    if (!is_file(mapping)) {
      segment.saved = size;
      if (mapping.path == "[vdso]") { // the kernel's memory: the page map does not know it
        add_piece(mapping.start, size);
      } else {
        add_used(mapping);
      }
    } else if (mapping.path.ends_with(" (deleted)") ||
               (!mapping.shared && (mapping.permissions.write || has_own_page(mapping)))) {
      segment.saved = size;
      add_piece(mapping.start, size);
    } else if (!mapping.shared && mapping.file_offset == 0) {
      segment.saved = std::min(size, machine::page_size()); // where the build-id is
      add_piece(mapping.start, segment.saved);
    }
    plan_.end += segment.saved;
    plan_.segments.push_back(std::move(segment));
  }

  SnapshotPlan finish() { return std::move(plan_); }

private:
  /// At the same place of the segment that begins at plan_.end.
  void add_piece(Address start, std::uint64_t size, std::uint64_t skip = 0) {
    auto& pieces = plan_.pieces;
    const std::uint64_t offset = plan_.end + skip;
    if (!pieces.empty() && pieces.back().start + pieces.back().size == start &&
        pieces.back().offset + pieces.back().size == offset) {
      pieces.back().size += size;
    } else {
      pieces.push_back({.start = start, .size = size, .offset = offset});
    }
  }

  template <class Visit> void each_page(const wire::Mapping& mapping, Visit visit) {
    Address at = mapping.start;
    while (at < mapping.end) {
      pages_.resize(std::min(pages_at_once, (mapping.end - at) / machine::page_size()));
      pagemap_.read(at, pages_);
      for (const Pagemap::Page& page : pages_) {
        if (!visit(at, page)) {
          return;
        }
        at += machine::page_size();
      }
    }
  }

  void add_used(const wire::Mapping& mapping) {
    each_page(mapping, [&](Address at, const Pagemap::Page& page) {
      if (page.used) {
        add_piece(at, machine::page_size(), at - mapping.start);
      }
      return true;
    });
  }

  /// Written once, as by the dynamic linker before it made it read-only.
  bool has_own_page(const wire::Mapping& mapping) {
    bool own = false;
    each_page(mapping, [&](Address, const Pagemap::Page& page) {
      own = page.own;
      return !own;
    });
    return own;
  }

  Pagemap& pagemap_;
  SnapshotPlan plan_;
  std::vector<Pagemap::Page> pages_;
};

} // namespace

SnapshotPlan plan_snapshot(const std::vector<wire::Mapping>& mappings, Pagemap& pagemap,
                           std::uint64_t offset) {
  Planner planner(pagemap, offset);
  for (const wire::Mapping& mapping : mappings) {
    planner.add(mapping);
  }
  return planner.finish();
}

} // namespace pygc::target
