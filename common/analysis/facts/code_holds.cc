#include "common/analysis/facts/code_holds.h"

#include "common/heap/graph.h"
#include "common/heap/reachability.h"
#include "common/image/debug_knowledge.h"

#include <algorithm>

namespace pygc::analysis {
namespace {

constexpr std::size_t held_frame_limit = 256;

bool is_tracked_object(cpython::ObjectReader& reader, Address value) {
  if (value % sizeof(Address) != 0 || reader.memory().find(value) == nullptr) {
    return false;
  }
  const auto type_at = reader.type_address(value);
  if (!type_at || *type_at % sizeof(Address) != 0 || reader.memory().find(*type_at) == nullptr) {
    return false;
  }
  const cpython::TypeInfo& type = reader.type(*type_at);
  return type.problem.empty() && type.has_flag(cpython::type_flag::have_gc) &&
         reader.is_tracked(value).value_or(false);
}

} // namespace

CodeHolds find_code_holds(const CheckInput& input) {
  CodeHolds holds;
  const auto* debug = dynamic_cast<const image::DebugKnowledge*>(&input.image);
  if (debug == nullptr) {
    return holds;
  }
  const std::size_t threads = std::min(input.threads.size(), code_thread_limit);
  for (std::size_t i = 0; i < threads; ++i) {
    const target::Thread& thread = input.threads[i];
    const auto frames = debug->unwind_held(thread, held_frame_limit);
    if (!frames) {
      continue;
    }
    for (const image::Frame& frame : *frames) {
      for (const auto& [name, value] : frame.variables) {
        if (is_tracked_object(input.reader, value)) {
          holds[value].push_back(
              {.tid = thread.tid, .pc = frame.pc, .function = frame.function, .variable = name});
        }
      }
    }
  }
  return holds;
}

Result<std::vector<GarbageInUse>>
find_garbage_in_use(const CheckInput& input, std::int64_t interpreter, const CodeHolds& holds,
                    const std::set<Address>& frame_roots, const heap::CollectedSet& set,
                    const replay::RoundResult& result, std::span<const Address> stale) {
  std::vector<GarbageInUse> found;
  std::vector<std::uint32_t> held; // nodes
  std::vector<std::uint32_t> roots;
  for (std::uint32_t node = 0; node < set.objects.size(); ++node) {
    const Address object = set.objects[heap::SetIndex(node)];
    const bool root = result.gc_refs[heap::SetIndex(node)] != 0 || frame_roots.contains(object);
    if (root) {
      roots.push_back(node);
    } else if (holds.contains(object)) {
      held.push_back(node);
    }
  }
  if (held.empty()) {
    return found;
  }
  const auto graph = heap::Graph::build(input.replayer, set.objects, stale);
  if (!graph) {
    return std::unexpected(graph.error());
  }
  if (!graph->replayed().incidents.empty()) {
    return found; // what is reachable is not known
  }
  const std::vector<bool> reachable = heap::reachable_from(*graph, roots);
  for (const std::uint32_t node : held) {
    if (!reachable[node]) {
      const Address object = set.objects[heap::SetIndex(node)];
      found.push_back({.interpreter = interpreter, .object = object, .holds = holds.at(object)});
    }
  }
  return found;
}

} // namespace pygc::analysis
