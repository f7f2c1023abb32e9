#include "common/analysis/explore/reference_tree.h"

#include "common/analysis/explore/type_matcher.h"
#include "common/analysis/facts/replay_lacks.h"
#include "common/cpython/objects/value_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace pygc::analysis {

Result<void> check_object(cpython::ObjectReader& reader, Address address) {
  const auto type_at = reader.type_address(address);
  if (type_at && *type_at != 0 && !reader.type(*type_at).name.empty() && reader.is_type(*type_at)) {
    return {};
  }
  return fail(ErrorKind::not_found, address,
              fmt::format("there is no Python object at {:#x}", address));
}

namespace {

/// What an object without a traverse function may hold is seen by nobody; values hold nothing.
void note_unseen(cpython::ObjectReader& reader, Address object, std::vector<std::string>& notes) {
  const auto type_at = reader.type_address(object);
  if (!type_at) {
    return;
  }
  const cpython::TypeInfo& type = reader.type(*type_at);
  if (!type.has_flag(cpython::type_flag::have_gc) &&
      cpython::value_text(reader, object, *type_at).empty() &&
      object != reader.exported("_Py_NoneStruct")) {
    notes.push_back(fmt::format(
        "'{}' has no traverse function: what its objects hold is not visited", type.name));
  }
}

} // namespace

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
  TypeMatcher is_wanted(reader, {question.type});
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
        if (!type_at || !is_wanted(*type_at)) {
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
  if (!to) {
    note_unseen(reader, question.object, tree.notes);
  }
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
