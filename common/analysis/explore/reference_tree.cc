#include "common/analysis/explore/reference_tree.h"

#include "common/analysis/facts/replay_lacks.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace pygc::analysis {

Result<void> check_object(cpython::ObjectReader& reader, Address address) {
  const auto type_at = reader.type_address(address);
  if (type_at && *type_at != 0 && !reader.type(*type_at).name.empty()) {
    const auto metatype = reader.type_address(*type_at);
    if (metatype && *metatype != 0 &&
        reader.type(*metatype).has_flag(cpython::type_flag::type_subclass)) {
      return {};
    }
  }
  return fail(ErrorKind::not_found, address,
              fmt::format("there is no Python object at {:#x}", address));
}

Result<ReferenceTree> follow_references(const image::ProcessImage& image,
                                        cpython::ObjectReader& reader, const heap::Heap& heap,
                                        replay::Replayer& replayer, const TracerSource& tracer,
                                        const ReferenceQuestion& question) {
  if (auto found = check_object(reader, question.object); !found) {
    return std::unexpected(found.error());
  }
  ReferenceTree tree;
  tree.direction = question.direction;
  const bool to = question.direction == Direction::to;
  std::vector<Reference> kept;
  std::vector<std::uint32_t> depths;
  std::unordered_set<Address> seen{question.object};
  std::vector<Address> level{question.object};
  ReplayLacks lacks{.damaged = to ? heap.corruptions.size() : 0};
  for (std::uint32_t depth = 1; depth <= question.depth && !level.empty(); ++depth) {
    const auto references =
        to ? find_referrers(replayer, heap, level) : find_referents(replayer, reader, level);
    if (!references) {
      return std::unexpected(references.error());
    }
    lacks.not_traversed = std::max(lacks.not_traversed, references->not_traversed);
    level.clear();
    for (const Reference& reference : references->found) {
      const Address other = to ? reference.from : reference.to;
      if (!question.type.empty()) {
        const auto type_at = reader.type_address(other);
        if (!type_at || reader.type(*type_at).name != question.type) {
          continue;
        }
      }
      if (kept.size() == question.limit) {
        ++tree.further;
        continue;
      }
      kept.push_back(reference);
      depths.push_back(depth);
      if (seen.insert(other).second) {
        level.push_back(other);
      }
    }
  }
  tree.incomplete_because = lacks.sentences();
  ReferenceNames names(image, reader);
  if (auto traced = names.trace(tracer, kept, tree.notes); !traced) {
    return std::unexpected(traced.error());
  }
  Explainer explainer(image, reader, heap);
  std::vector<Address> shown{question.object};
  for (const Reference& reference : kept) {
    shown.push_back(to ? reference.from : reference.to);
  }
  explainer.prepare(shown);
  tree.object = explainer.object(question.object);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    tree.rows.push_back({.depth = depths[i],
                         .reference = kept[i],
                         .name = names.name(kept[i]),
                         .other = explainer.object(shown[i + 1])});
  }
  return tree;
}

} // namespace pygc::analysis
