#include "common/analysis/explore/references.h"

#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::size_t containers_at_a_time = 1 << 15;

/// `keep` says of an object whether it is asked for.
template <class Keep>
Result<void> add_visits(replay::Replayer& replayer, std::span<const Address> containers,
                        const Keep& keep, References& references) {
  std::vector<replay::Incident> incidents;
  const auto visits = replayer.visits(containers, 0, &incidents);
  if (!visits) {
    return std::unexpected(visits.error());
  }
  references.not_traversed += incidents.size();
  std::unordered_map<Address, std::size_t> known; // of the container: where its reference is
  std::uint32_t container = UINT32_MAX;
  for (const replay::Visit& visit : *visits) {
    if (!keep(visit.object)) {
      continue;
    }
    if (visit.container != container) {
      container = visit.container;
      known.clear();
    }
    const auto [at, added] = known.try_emplace(visit.object, references.found.size());
    if (added) {
      references.found.push_back({.from = containers[container], .to = visit.object, .visits = 1});
    } else {
      ++references.found[at->second].visits;
    }
  }
  return {};
}

} // namespace

Result<References> find_referrers(replay::Replayer& replayer, const heap::Heap& heap,
                                  std::span<const Address> wanted) {
  const std::unordered_set<Address> targets(wanted.begin(), wanted.end());
  References references;
  std::vector<Address> containers;
  for (std::size_t i = 0; i < heap.objects.size();) {
    containers.clear();
    for (; i < heap.objects.size() && containers.size() < containers_at_a_time; ++i) {
      if (heap.usable[heap::HeapIndex(i)]) {
        containers.push_back(heap.objects[heap::HeapIndex(i)]);
      }
    }
    const auto added = add_visits(
        replayer, containers, [&](Address object) { return targets.contains(object); }, references);
    if (!added) {
      return std::unexpected(added.error());
    }
  }
  return references;
}

Result<References> find_referents(replay::Replayer& replayer, cpython::ObjectReader& reader,
                                  std::span<const Address> objects) {
  References references;
  std::vector<Address> containers;
  for (const Address object : objects) {
    const auto type_at = reader.type_address(object);
    if (!type_at) {
      continue;
    }
    const cpython::TypeInfo& type = reader.type(*type_at);
    // A static type has no GC head (type_is_gc): its metatype's tp_traverse is not for it.
    if (type.has_flag(cpython::type_flag::type_subclass) &&
        !reader.type(object).has_flag(cpython::type_flag::heap_type)) {
      continue;
    }
    if (type.problem.empty() && type.has_flag(cpython::type_flag::have_gc) && type.traverse != 0) {
      containers.push_back(object);
    }
  }
  if (const auto added = add_visits(
          replayer, containers, [](Address object) { return object != 0; }, references);
      !added) {
    return std::unexpected(added.error());
  }
  return references;
}

} // namespace pygc::analysis
