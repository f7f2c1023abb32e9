#include "common/analysis/explore/why.h"

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/reference_tree.h"
#include "common/heap/root_paths.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::size_t words_each = 64;
constexpr std::size_t roots_each = 4;
constexpr std::size_t unreachable_each = 16; // whose users are looked for

class Search {
public:
  Search(const image::ProcessImage& image, cpython::ObjectReader& reader, const heap::Heap& heap,
         replay::Replayer& replayer, const WhyQuestion& question)
      : image_(image), reader_(reader), heap_(heap), replayer_(replayer), question_(question) {}

  Result<Why> run() {
    if (auto wanted = find_wanted(); !wanted) {
      return std::unexpected(wanted.error());
    }
    std::vector<Collection> collections;
    for (std::size_t i = 0; i < reader_.runtime().interpreters.size(); ++i) {
      auto collection = replay_collection(reader_, heap_, replayer_, i, {});
      if (!collection) {
        return std::unexpected(collection.error());
      }
      search(*collection);
      collections.push_back(std::move(*collection));
    }
    if (why_.targets == 0) {
      return fail(ErrorKind::not_found, question_.object,
                  question_.object == 0
                      ? fmt::format("no object of type '{}' is collected", question_.type)
                      : fmt::format("{:#x} is no object that a collection takes: it is not "
                                    "tracked, frozen or immortal",
                                    question_.object));
    }
    why_.incomplete_because = collection_lacks(heap_, collections);
    if (auto named = name_roots(); !named) {
      return std::unexpected(named.error());
    }
    if (auto found = find_users(); !found) {
      return std::unexpected(found.error());
    }
    if (auto shown = show_steps(); !shown) {
      return std::unexpected(shown.error());
    }
    return std::move(why_);
  }

private:
  /// An object that is not tracked is alive because of the containers that visit it.
  Result<void> find_wanted() {
    if (question_.object == 0) {
      return {};
    }
    if (auto found = check_object(reader_, question_.object); !found) {
      return found;
    }
    if (std::ranges::find(heap_.objects, question_.object) != heap_.objects.end()) {
      wanted_.insert(question_.object);
      return {};
    }
    const auto referrers = find_referrers(replayer_, heap_, std::span(&question_.object, 1));
    if (!referrers) {
      return std::unexpected(referrers.error());
    }
    for (const Reference& reference : referrers->found) {
      wanted_.insert(reference.from);
    }
    untracked_ = question_.object;
    return {};
  }

  bool is_wanted(const heap::CollectedSet& set, std::uint32_t node) {
    return question_.object != 0
               ? wanted_.contains(set.objects[heap::SetIndex(node)])
               : reader_.type(heap_.types[set.heap_index[heap::SetIndex(node)]]).name ==
                     question_.type;
  }

  void search(const Collection& collection) {
    std::vector<std::uint32_t> targets;
    std::vector<bool> is_root(collection.set.objects.size());
    for (std::uint32_t node = 0; node < is_root.size(); ++node) {
      is_root[node] = collection.replayed.gc_refs[node] > 0;
      if (is_wanted(collection.set, node)) {
        targets.push_back(node);
        if (!collection.reachable[node]) {
          ++why_.unreachable;
          if (unreachable_.size() < unreachable_each) {
            unreachable_.push_back(collection.set.objects[heap::SetIndex(node)]);
          }
        }
      }
    }
    why_.targets += targets.size();
    const std::size_t room = question_.limit - paths_.size();
    const auto found = heap::paths_from_roots(collection.graph, is_root, targets, room);
    why_.more = why_.more || (found.size() == room && !targets.empty());
    for (const auto& nodes : found) {
      std::vector<Address>& path = paths_.emplace_back();
      for (const std::uint32_t node : nodes) {
        path.push_back(collection.set.objects[heap::SetIndex(node)]);
      }
      if (untracked_ != 0) {
        path.push_back(untracked_);
      }
      why_.paths.push_back(
          {.gc_refs = collection.replayed.gc_refs[nodes.front()], .roots = {}, .steps = {}});
    }
  }

  Result<void> name_roots() {
    if (paths_.empty()) {
      return {}; // all of memory need not be searched
    }
    std::vector<Address> first;
    first.reserve(paths_.size());
    for (const auto& path : paths_) {
      first.push_back(path.front());
    }
    std::ranges::sort(first);
    auto words =
        find_words(reader_.memory(), question_.threads, first, words_each, question_.cancelled);
    if (!words) {
      return std::unexpected(words.error());
    }
    RootNames names(image_, reader_, question_.threads);
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      std::vector<Root>& roots = why_.paths[i].roots;
      for (const Word& word : words->places) {
        if (first[word.candidate] == paths_[i].front()) {
          if (auto root = names.root(word.at)) {
            roots.push_back(std::move(*root));
          }
        }
      }
      std::ranges::stable_sort(roots, {}, &Root::kind);
      // Most other words are fields of the containers that visit the object.
      const auto telling = std::ranges::find(roots, RootKind::memory, &Root::kind);
      const auto count = static_cast<std::size_t>(telling - roots.begin());
      roots.resize(std::min(count == 0 ? roots.size() : count, roots_each));
    }
    return {};
  }

  Result<void> find_users() {
    if (unreachable_.empty()) {
      return {};
    }
    std::ranges::sort(unreachable_);
    const auto words = find_words(reader_.memory(), question_.threads, unreachable_, words_each,
                                  question_.cancelled);
    if (!words) {
      return std::unexpected(words.error());
    }
    RootNames names(image_, reader_, question_.threads);
    for (const Word& word : words->places) {
      auto root = names.root(word.at);
      // Stacks and registers keep what is used no more.
      if (root && root->kind < RootKind::stack && why_.users.size() < roots_each) {
        why_.users.push_back(std::move(*root));
      }
    }
    return {};
  }

  Result<void> show_steps() {
    std::vector<Reference> references;
    std::vector<Address> objects;
    for (const auto& path : paths_) {
      objects.insert(objects.end(), path.begin(), path.end());
      for (std::size_t i = 1; i < path.size(); ++i) {
        references.push_back({.from = path[i - 1], .to = path[i], .visits = 1});
      }
    }
    ReferenceNames names(image_, reader_);
    if (auto traced = names.trace(question_.tracer, references, why_.notes); !traced) {
      return traced;
    }
    Explainer explainer(image_, reader_, heap_);
    explainer.prepare(objects);
    for (std::size_t k = 0; k < paths_.size(); ++k) {
      const auto& path = paths_[k];
      for (std::size_t i = 0; i < path.size(); ++i) {
        why_.paths[k].steps.push_back(
            {.object = explainer.object(path[i]),
             .held_at = i == 0 ? ReferenceName{}
                               : names.name({.from = path[i - 1], .to = path[i], .visits = 1})});
      }
    }
    return {};
  }

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  replay::Replayer& replayer_;
  const WhyQuestion& question_;
  std::unordered_set<Address> wanted_;
  Address untracked_ = 0;
  std::vector<Address> unreachable_;
  std::vector<std::vector<Address>> paths_; // one for each of why_.paths
  Why why_;
};

} // namespace

Result<Why> find_why(const image::ProcessImage& image, cpython::ObjectReader& reader,
                     const heap::Heap& heap, replay::Replayer& replayer,
                     const WhyQuestion& question) {
  return Search(image, reader, heap, replayer, question).run();
}

} // namespace pygc::analysis
