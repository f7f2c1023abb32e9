#include "common/analysis/explore/dominators.h"

#include "common/analysis/explore/retention.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace pygc::analysis {
namespace {

class Surveyor {
public:
  Surveyor(const image::ProcessImage& image, cpython::ObjectReader& reader, const heap::Heap& heap,
           replay::Replayer& replayer, const DominatorQuestion& question)
      : image_(image), reader_(reader), heap_(heap), replayer_(replayer), question_(question),
        sizes_(reader) {}

  Result<DominatorSurvey> run() {
    survey_.of_one = question_.object != 0;
    std::vector<Collection> collections;
    for (std::size_t i = 0; i < reader_.runtime().interpreters.size(); ++i) {
      auto collection = replay_collection(reader_, heap_, replayer_, i, {});
      if (!collection) {
        return std::unexpected(collection.error());
      }
      look_at(*collection);
      collections.push_back(std::move(*collection));
    }
    if (survey_.of_one && survey_.rows.empty()) {
      return fail(ErrorKind::not_found, question_.object,
                  fmt::format("{:#x} is no object that a collection takes: it is not tracked, "
                              "frozen or immortal",
                              question_.object));
    }
    if (!survey_.of_one) {
      keep_largest();
    }
    show_objects();
    survey_.incomplete_because = collection_lacks(heap_, collections);
    return std::move(survey_);
  }

private:
  void look_at(const Collection& collection) {
    const auto& set = collection.set;
    std::vector<std::uint64_t> sizes;
    sizes.reserve(set.objects.size());
    for (const heap::HeapIndex i : set.heap_index) {
      const cpython::ObjectSize size = sizes_.size(heap_.objects[i], heap_.types[i]);
      sizes.push_back(size.bytes);
      survey_.size += size;
    }
    survey_.objects += set.objects.size();
    const Retention retention = find_retention(collection, sizes);
    if (!survey_.of_one) {
      add_largest(collection, retention);
      return;
    }
    const auto found = std::ranges::find(set.objects, question_.object);
    if (found != set.objects.end()) {
      const auto node = static_cast<std::uint32_t>(found - set.objects.begin());
      add_types(collection, retention, node);
      add_chain(collection, retention, node);
    }
  }

  Dominator row(const Collection& collection, const Retention& retention,
                std::uint32_t node) const {
    const std::uint32_t parent = retention.tree.parent[node];
    Dominator row;
    row.object.address = collection.set.objects[heap::SetIndex(node)];
    row.retained = retention.bytes[node];
    row.objects = retention.objects[node];
    row.held_by = parent == heap::virtual_root ? 0 : collection.set.objects[heap::SetIndex(parent)];
    row.reachable = collection.reachable[node];
    return row;
  }

  void add_largest(const Collection& collection, const Retention& retention) {
    std::vector<std::uint32_t> nodes;
    for (std::uint32_t node = 0; node < retention.bytes.size(); ++node) {
      if (retention.bytes[node] >= question_.min) {
        nodes.push_back(node);
      }
    }
    const std::size_t kept = std::min(nodes.size(), question_.limit);
    std::ranges::partial_sort(nodes, nodes.begin() + static_cast<std::ptrdiff_t>(kept),
                              std::ranges::greater(),
                              [&](std::uint32_t node) { return retention.bytes[node]; });
    survey_.further += nodes.size() - kept;
    nodes.resize(kept);
    for (const std::uint32_t node : nodes) {
      survey_.rows.push_back(row(collection, retention, node));
    }
  }

  /// Of those of all interpreters.
  void keep_largest() {
    std::ranges::stable_sort(survey_.rows, std::ranges::greater(), &Dominator::retained);
    if (survey_.rows.size() > question_.limit) {
      survey_.further += survey_.rows.size() - question_.limit;
      survey_.rows.resize(question_.limit);
    }
  }

  void add_chain(const Collection& collection, const Retention& retention, std::uint32_t node) {
    while (node != heap::virtual_root) {
      if (survey_.rows.size() <= question_.limit) {
        survey_.rows.push_back(row(collection, retention, node));
      } else {
        ++survey_.further;
      }
      node = retention.tree.parent[node];
    }
  }

  void add_types(const Collection& collection, const Retention& retention, std::uint32_t node) {
    std::map<Address, RetainedType> types;
    heap::DominatorWalk(retention.tree)
        .below(
            node,
            [&](std::uint32_t each) {
              const heap::HeapIndex index = collection.set.heap_index[heap::SetIndex(each)];
              const Address type = heap_.types[index];
              RetainedType& total = types[type];
              total.type = type;
              ++total.objects;
              total.size += sizes_.size(heap_.objects[index], type);
            },
            [](std::uint32_t) {});
    for (auto& [type, total] : types) {
      if (total.size.bytes < question_.min) {
        ++survey_.further_types;
        continue;
      }
      total.name = reader_.type(type).name;
      survey_.types.push_back(std::move(total));
    }
    std::ranges::stable_sort(survey_.types, std::ranges::greater(),
                             [](const RetainedType& each) { return each.size.bytes; });
  }

  void show_objects() {
    Explainer explainer(image_, reader_, heap_);
    std::vector<Address> shown;
    shown.reserve(survey_.rows.size());
    for (const Dominator& each : survey_.rows) {
      shown.push_back(each.object.address);
    }
    explainer.prepare(shown);
    for (Dominator& each : survey_.rows) {
      each.object = explainer.object(each.object.address);
      if (const auto type = reader_.type_address(each.object.address)) {
        each.size = sizes_.size(each.object.address, *type);
      }
    }
  }

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  replay::Replayer& replayer_;
  const DominatorQuestion& question_;
  cpython::ObjectSizes sizes_;
  DominatorSurvey survey_;
};

} // namespace

Result<DominatorSurvey> survey_dominators(const image::ProcessImage& image,
                                          cpython::ObjectReader& reader, const heap::Heap& heap,
                                          replay::Replayer& replayer,
                                          const DominatorQuestion& question) {
  return Surveyor(image, reader, heap, replayer, question).run();
}

} // namespace pygc::analysis
