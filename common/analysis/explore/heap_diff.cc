#include "common/analysis/explore/heap_diff.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace pygc::analysis {
namespace {

/// Adds to each type how many of its objects both heaps have at one address, and lists the others
/// that were asked for. An object that was freed and made again at its place cannot be told from
/// one that lived on.
void compare_objects(const HeapCensus& old_heap, const HeapCensus& new_heap,
                     std::map<std::string_view, TypeChange>& types,
                     std::vector<Address>& new_objects) {
  auto before = old_heap.objects.begin();
  for (const CensusObject& object : new_heap.objects) {
    while (before != old_heap.objects.end() && before->address < object.address) {
      ++before;
    }
    if (before != old_heap.objects.end() && before->address == object.address &&
        old_heap.types[before->type].name == new_heap.types[object.type].name) {
      ++types[new_heap.types[object.type].name].kept;
    } else if (new_heap.types[object.type].asked_for) {
      new_objects.push_back(object.address);
    }
  }
}

} // namespace

HeapDiff compare_heaps(const HeapCensus& old_heap, std::int64_t old_pid, const HeapCensus& new_heap,
                       std::int64_t new_pid) {
  HeapDiff diff;
  diff.same_process = old_pid == new_pid && old_pid != 0 && old_heap.places == new_heap.places;
  std::map<std::string_view, TypeChange> types;
  for (const CensusType& type : old_heap.types) {
    types[type.name].old_objects = type.objects;
    types[type.name].old_size = type.size;
  }
  for (const CensusType& type : new_heap.types) {
    types[type.name].new_objects = type.objects;
    types[type.name].new_size = type.size;
  }
  if (diff.same_process) {
    compare_objects(old_heap, new_heap, types, diff.new_objects);
  }
  for (auto& [name, change] : types) {
    change.type = name;
    diff.total.old_objects += change.old_objects;
    diff.total.new_objects += change.new_objects;
    diff.total.kept += change.kept;
    const bool same = change.old_objects == change.new_objects && change.growth() == 0 &&
                      (!diff.same_process || change.kept == change.new_objects);
    if (same) {
      ++diff.unchanged;
    } else {
      diff.types.push_back(std::move(change));
    }
  }
  diff.total.old_size = old_heap.size;
  diff.total.new_size = new_heap.size;
  std::ranges::sort(diff.types, [](const TypeChange& a, const TypeChange& b) {
    return std::tuple(b.growth(), std::string_view(a.type)) <
           std::tuple(a.growth(), std::string_view(b.type));
  });
  return diff;
}

} // namespace pygc::analysis
