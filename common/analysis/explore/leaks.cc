#include "common/analysis/explore/leaks.h"

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/held_garbage.h"
#include "common/analysis/explore/type_matcher.h"
#include "common/analysis/explore/words_in_use.h"
#include "common/analysis/facts/slot_names.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace pygc::analysis {
namespace {

constexpr std::size_t places_each = 16;
constexpr std::size_t examples_each = 5;

/// An object with references that are no visits.
struct Pinned {
  Address object = 0;
  std::uint32_t collection = 0;
  std::uint32_t node = 0;
};

class Search {
public:
  Search(const image::ProcessImage& image, cpython::ObjectReader& reader, const heap::Heap& heap,
         replay::Replayer& replayer, const LeakQuestion& question)
      : image_(image), reader_(reader), heap_(heap), replayer_(replayer), question_(question),
        is_wanted_(reader, {question.type}) {}

  Result<Leaks> run() {
    if (auto replayed = replay(); !replayed) {
      return std::unexpected(replayed.error());
    }
    std::vector<Address> candidates;
    candidates.reserve(pinned_.size());
    for (const Pinned& each : pinned_) {
      candidates.push_back(each.object);
    }
    auto words =
        find_words_in_use(reader_, question_.threads, candidates, places_each, question_.cancelled);
    if (!words) {
      return std::unexpected(words.error());
    }
    words_ = std::move(*words);
    leaks_.scanned = words_.scanned;
    leaks_.incomplete_because = collection_lacks(heap_, collections_);
    if (!words_.complete()) {
      leaks_.incomplete_because.push_back(fmt::format(
          "{} bytes of writable memory, which may hold references, are missing", words_.missing));
    }
    if (leaks_.incomplete_because.empty()) {
      find_lost_references();
      if (auto found = find_held_objects(); !found) {
        return std::unexpected(found.error());
      }
    }
    finish();
    return std::move(leaks_);
  }

private:
  Result<void> replay() {
    for (std::size_t i = 0; i < reader_.runtime().interpreters.size(); ++i) {
      auto collection = replay_collection(reader_, heap_, replayer_, i, {});
      if (!collection) {
        return std::unexpected(collection.error());
      }
      for (std::uint32_t node = 0; node < collection->set.objects.size(); ++node) {
        if (collection->gc_refs[heap::SetIndex(node)] > 0) {
          pinned_.push_back({.object = collection->set.objects[heap::SetIndex(node)],
                             .collection = static_cast<std::uint32_t>(i),
                             .node = node});
        }
      }
      leaks_.collected += collection->set.objects.size();
      collections_.push_back(std::move(*collection));
    }
    leaks_.pinned = pinned_.size();
    std::ranges::sort(pinned_, {}, &Pinned::object);
    return {};
  }

  std::uint64_t refcount(const Pinned& each) const {
    return refcount_of(reader_.runtime(), heap_, collections_[each.collection], each.node);
  }
  std::uint64_t gc_refs(const Pinned& each) const {
    return static_cast<std::uint64_t>(
        collections_[each.collection].gc_refs[heap::SetIndex(each.node)]);
  }
  Address type_of(const Pinned& each) const {
    const auto& set = collections_[each.collection].set;
    return heap_.types[set.heap_index[heap::SetIndex(each.node)]];
  }
  bool is_asked_for(const Pinned& each) {
    return question_.type.empty() || is_wanted_(type_of(each));
  }

  void add(LeakGroup&& group, std::uint64_t references, LeakExample example) {
    const auto key = std::tuple(group.kind, group.proven, group.type, group.refcount, group.visits,
                                group.words, group.holder_type, group.holder_offset);
    LeakGroup& known = groups_.try_emplace(key, std::move(group)).first->second;
    ++known.objects;
    known.references += references;
    if (known.examples.size() < examples_each) {
      known.examples.push_back(example);
    }
  }

  LeakGroup group_of(const Pinned& each, std::uint64_t words) {
    return {.type = reader_.type(type_of(each)).name,
            .refcount = refcount(each),
            .visits = refcount(each) - gc_refs(each),
            .words = words,
            .holder_type = {},
            .holder_slot = {},
            .examples = {}};
  }

  void find_lost_references() {
    for (std::size_t i = 0; i < pinned_.size(); ++i) {
      const std::uint64_t words = words_.counts[i];
      if (refcount(pinned_[i]) > words && is_asked_for(pinned_[i])) {
        add(group_of(pinned_[i], words), refcount(pinned_[i]) - words,
            {.object = pinned_[i].object});
      }
    }
  }

  /// What would be garbage, and freed, if the holders' types had a traverse function.
  Result<void> find_held_objects() {
    HolderSearch search(reader_, heap_);
    std::vector<std::vector<Hold>> holds(collections_.size());
    std::vector<std::vector<std::uint32_t>> pinned(collections_.size()); // one for each hold
    for (const Word& word : words_.places) {
      const Pinned& each = pinned_[word.candidate];
      const auto holder = word.at != 0 ? search.holder_of(word.at) : std::nullopt;
      if (holder) {
        holds[each.collection].push_back({.node = each.node, .holder = *holder});
        pinned[each.collection].push_back(word.candidate);
      }
    }
    for (std::uint32_t i = 0; i < collections_.size(); ++i) {
      if (holds[i].empty()) {
        continue;
      }
      const auto garbage = find_held_garbage(reader_, heap_, replayer_, collections_[i], holds[i]);
      if (!garbage) {
        return std::unexpected(garbage.error());
      }
      for (std::size_t k = 0; k < holds[i].size(); ++k) {
        if ((*garbage)[holds[i][k].node] && is_asked_for(pinned_[pinned[i][k]])) {
          add_held(pinned[i][k], holds[i][k].holder);
        }
      }
    }
    return {};
  }

  void add_held(std::uint32_t candidate, const Holder& holder) {
    LeakGroup group = group_of(pinned_[candidate], words_.counts[candidate]);
    group.kind = LeakKind::nogc_holder;
    group.proven = group.words == group.refcount;
    group.holder_type = reader_.type(holder.type).name;
    group.holder_offset = holder.offset;
    add(std::move(group), 1, {.object = pinned_[candidate].object, .holder = holder.object});
  }

  void finish() {
    Ownership ownership(image_, reader_);
    SlotNames names(image_, reader_, ownership);
    for (auto& [key, group] : groups_) {
      const Address holder = group.examples.front().holder;
      if (holder != 0) {
        group.holder_slot = names.name(holder, {holder + group.holder_offset});
      }
      if (group.holder_slot.starts_with('+')) {
        group.holder_slot.clear();
      }
      leaks_.groups.push_back(std::move(group));
    }
    std::ranges::stable_sort(leaks_.groups, [](const LeakGroup& a, const LeakGroup& b) {
      return a.proven != b.proven ? a.proven : a.objects > b.objects;
    });
  }

  using Key = std::tuple<LeakKind, bool, std::string, std::uint64_t, std::uint64_t, std::uint64_t,
                         std::string, std::uint64_t>;

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  replay::Replayer& replayer_;
  const LeakQuestion& question_;
  TypeMatcher is_wanted_;
  std::vector<Collection> collections_;
  std::vector<Pinned> pinned_; // ascending
  Words words_;
  std::map<Key, LeakGroup> groups_;
  Leaks leaks_;
};

} // namespace

std::string_view leak_kind_name(LeakKind kind) {
  return kind == LeakKind::refleak ? "refleak" : "nogc_holder";
}

bool Leaks::proven() const {
  return std::ranges::any_of(groups, &LeakGroup::proven);
}

Result<Leaks> find_leaks(const image::ProcessImage& image, cpython::ObjectReader& reader,
                         const heap::Heap& heap, replay::Replayer& replayer,
                         const LeakQuestion& question) {
  return Search(image, reader, heap, replayer, question).run();
}

Counts count_leaks(const Leaks& leaks) {
  Counts counts;
  for (const LeakGroup& group : leaks.groups) {
    std::string what = fmt::format("{}: {}", leak_kind_name(group.kind), group.type);
    if (group.kind == LeakKind::nogc_holder) {
      what += fmt::format(" held by {} at +0x{:x}", group.holder_type, group.holder_offset);
    }
    counts[what + (group.proven ? " (proven)" : " (likely)")] += group.objects;
  }
  return counts;
}

} // namespace pygc::analysis
