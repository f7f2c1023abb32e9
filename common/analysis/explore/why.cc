#include "common/analysis/explore/why.h"

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/container_memory.h"
#include "common/analysis/explore/reference_tree.h"
#include "common/analysis/explore/type_matcher.h"
#include "common/analysis/explore/words_in_use.h"
#include "common/analysis/facts/type_table.h"
#include "common/heap/merged_paths.h"
#include "common/heap/root_paths.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <ranges>
#include <tuple>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::size_t words_each = 64;                     // at least, of each object,
constexpr std::size_t words_in_all = std::size_t{1} << 20; // or as many as this is for each
constexpr std::size_t named_each = std::size_t{1} << 15;   // of them; stacks and frames lie high
constexpr std::size_t roots_each = 4;
constexpr std::size_t unreachable_each = 16; // whose users are looked for

class Search {
public:
  Search(const image::ProcessImage& image, cpython::ObjectReader& reader, const heap::Heap& heap,
         replay::Replayer& replayer, const WhyQuestion& question)
      : image_(image), reader_(reader), heap_(heap), replayer_(replayer), question_(question),
        is_wanted_type_(reader, {question.type}),
        is_excluded_type_(reader, question.without_types) {}

  Result<Why> run() {
    why_.merged = question_.merge;
    if (question_.object != 0 && question_.without.contains(question_.object)) {
      return fail(ErrorKind::usage, question_.object, "--not leaves out the object asked for");
    }
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
    choose_paths();
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
               : is_wanted_type_(heap_.types[set.heap_index[heap::SetIndex(node)]]);
  }

  void search(const Collection& collection) {
    std::vector<std::uint32_t> targets;
    std::vector<bool> is_root(collection.set.objects.size());
    for (std::uint32_t node = 0; node < is_root.size(); ++node) {
      is_root[node] = collection.gc_refs[heap::SetIndex(node)] > 0;
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
    const std::vector<bool> excluded = find_excluded(collection);
    if (question_.merge) {
      merge(collection, is_root, excluded, targets);
      return;
    }
    const std::size_t room = question_.limit - found_.size();
    const auto paths = heap::paths_from_roots(collection.graph, is_root, excluded, targets, room);
    why_.more = why_.more || (paths.size() == room && !targets.empty());
    for (const auto& nodes : paths) {
      add_path(collection,
               {.targets = 1, .nodes = nodes, .common = std::vector<bool>(nodes.size(), true)});
    }
  }

  std::vector<bool> find_excluded(const Collection& collection) {
    std::vector<bool> excluded(collection.set.objects.size(), false);
    if (question_.without.empty() && question_.without_types.empty()) {
      return excluded;
    }
    for (std::uint32_t node = 0; node < excluded.size(); ++node) {
      const heap::SetIndex at(node);
      excluded[node] = question_.without.contains(collection.set.objects[at]) ||
                       is_excluded_type_(heap_.types[collection.set.heap_index[at]]);
      why_.excluded += excluded[node] ? 1U : 0U;
    }
    return excluded;
  }

  void merge(const Collection& collection, const std::vector<bool>& is_root,
             const std::vector<bool>& excluded, std::span<const std::uint32_t> targets) {
    TypeTable types(reader_);
    std::vector<std::uint32_t> kinds;
    kinds.reserve(is_root.size());
    for (const std::uint32_t at : collection.set.heap_index) {
      kinds.push_back(types.index(heap_.types[heap::HeapIndex(at)]));
    }
    const heap::MergedPaths merged =
        heap::merge_paths(collection.graph, is_root, excluded, targets, kinds);
    why_.nested += merged.nested;
    why_.more = why_.more || merged.paths.size() > question_.limit;
    for (const heap::MergedPath& path : merged.paths | std::views::take(question_.limit)) {
      add_path(collection, path);
    }
  }

  void add_path(const Collection& collection, const heap::MergedPath& path) {
    FoundPath& found = found_.emplace_back(
        FoundPath{.targets = path.targets,
                  .gc_refs = collection.gc_refs[heap::SetIndex(path.nodes.front())],
                  .objects = {},
                  .common = path.common,
                  .visitors = {}});
    for (const std::uint32_t node : collection.graph.referrers(path.nodes.front())) {
      found.visitors.push_back(collection.set.objects[heap::SetIndex(node)]);
    }
    for (const std::uint32_t node : path.nodes) {
      found.objects.push_back(collection.set.objects[heap::SetIndex(node)]);
    }
    if (untracked_ != 0) {
      found.objects.push_back(untracked_);
      found.common.push_back(true);
    }
  }

  /// Of several interpreters those to the most targets.
  void choose_paths() {
    std::ranges::stable_sort(found_, std::greater(), &FoundPath::targets);
    if (found_.size() > question_.limit) {
      why_.more = true;
      found_.erase(found_.begin() + static_cast<std::ptrdiff_t>(question_.limit), found_.end());
    }
    for (const FoundPath& found : found_) {
      why_.paths.push_back(
          {.targets = found.targets, .gc_refs = found.gc_refs, .roots = {}, .steps = {}});
    }
  }

  Result<void> name_roots() {
    if (found_.empty()) {
      return {}; // all of memory need not be searched
    }
    std::vector<Address> first;
    first.reserve(found_.size());
    for (const FoundPath& path : found_) {
      first.push_back(path.objects.front());
    }
    std::ranges::sort(first);
    auto words =
        find_words_in_use(reader_, question_.threads, first,
                          std::max(words_each, words_in_all / first.size()), question_.cancelled);
    if (!words) {
      return std::unexpected(words.error());
    }
    std::ranges::stable_sort(words->places, {}, &Word::candidate);
    RootNames names(image_, reader_, question_.threads, question_.cancelled);
    for (std::size_t i = 0; i < found_.size(); ++i) {
      std::vector<Root>& roots = why_.paths[i].roots;
      const ContainerMemory visited(reader_, found_[i].visitors);
      std::int64_t visits = 0; // whose words were found
      std::size_t named = 0;
      const auto candidate = static_cast<std::uint32_t>(
          std::ranges::lower_bound(first, found_[i].objects.front()) - first.begin());
      for (const Word& word :
           std::ranges::equal_range(words->places, candidate, {}, &Word::candidate) |
               std::views::reverse) {
        if (visited.contains(word.at)) {
          ++visits;
        } else if (auto root = named++ < named_each ? names.root(word.at) : std::nullopt) {
          roots.push_back(std::move(*root));
        }
      }
      std::ranges::reverse(roots);
      keep_telling(found_[i].objects.front(), found_[i].gc_refs, visits, roots);
    }
    return {};
  }

  /// When proven words account for each reference that is no visit, these alone are told. Else
  /// plain memory stands for a root where there are more such words than visits whose words were
  /// not found: those lie in memory of the containers.
  void keep_telling(Address object, std::int64_t gc_refs, std::int64_t visits,
                    std::vector<Root>& roots) const {
    // Local variables first, then as their kinds.
    std::ranges::stable_sort(roots, {}, [](const Root& root) {
      return std::tuple(!root.proven, root.kind, root.name.empty());
    });
    const auto memory = std::ranges::find_if(roots, &Root::is_plain_memory);
    const auto telling = static_cast<std::size_t>(memory - roots.begin());
    const auto stored = cpython::load_refcount(reader_.memory(), reader_.runtime().layout, object);
    const auto references =
        stored ? static_cast<std::int64_t>(reader_.runtime().refcount(*stored)) : std::int64_t{0};
    const auto proven = std::ranges::count(roots, true, &Root::proven);
    if (proven != 0 && proven >= gc_refs) { // the others are no references
      roots.resize(std::min(static_cast<std::size_t>(proven), roots_each));
      return;
    }
    const bool beyond_visits =
        static_cast<std::int64_t>(roots.size() - telling) > references - gc_refs - visits;
    if (telling != 0 && !beyond_visits) {
      roots.resize(telling);
    }
    roots.resize(std::min(roots.size(), roots_each));
  }

  Result<void> find_users() {
    if (unreachable_.empty()) {
      return {};
    }
    std::ranges::sort(unreachable_);
    const auto words = find_words_in_use(reader_, question_.threads, unreachable_, words_each,
                                         question_.cancelled);
    if (!words) {
      return std::unexpected(words.error());
    }
    RootNames names(image_, reader_, question_.threads, question_.cancelled);
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
    for (const FoundPath& path : found_) {
      objects.insert(objects.end(), path.objects.begin(), path.objects.end());
      for (std::size_t i = 1; i < path.objects.size(); ++i) {
        references.push_back({.from = path.objects[i - 1], .to = path.objects[i], .visits = 1});
      }
    }
    ReferenceNames names(image_, reader_);
    if (auto traced = names.trace(question_.tracer, references, why_.notes); !traced) {
      return traced;
    }
    Explainer explainer(image_, reader_, heap_);
    explainer.prepare(objects);
    for (std::size_t k = 0; k < found_.size(); ++k) {
      const std::vector<Address>& path = found_[k].objects;
      const std::vector<bool>& common = found_[k].common;
      for (std::size_t i = 0; i < path.size(); ++i) {
        why_.paths[k].steps.push_back(
            {.object = explainer.object(path[i]),
             .held_at = i == 0 ? ReferenceName{}
                               : names.name({.from = path[i - 1], .to = path[i], .visits = 1}),
             .common = common[i]});
        // Of many in one container it is not the place of this one that tells something.
        ReferenceName& name = why_.paths[k].steps.back().held_at;
        if (!common[i] && i != 0 && common[i - 1] && name.text.starts_with('[')) {
          name.text = "[*]";
        }
      }
    }
    return {};
  }

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  replay::Replayer& replayer_;
  const WhyQuestion& question_;
  TypeMatcher is_wanted_type_;
  TypeMatcher is_excluded_type_;
  std::unordered_set<Address> wanted_;
  Address untracked_ = 0;
  std::vector<Address> unreachable_;
  struct FoundPath {
    std::uint64_t targets = 1;
    std::int64_t gc_refs = 0;      // of the first object
    std::vector<Address> objects;  // the first is a root
    std::vector<bool> common;      // by object: PathStep::common
    std::vector<Address> visitors; // of the first object
  };
  std::vector<FoundPath> found_; // one for each of why_.paths
  Why why_;
};

} // namespace

Result<Why> find_why(const image::ProcessImage& image, cpython::ObjectReader& reader,
                     const heap::Heap& heap, replay::Replayer& replayer,
                     const WhyQuestion& question) {
  return Search(image, reader, heap, replayer, question).run();
}

} // namespace pygc::analysis
