#include "common/analysis/explore/object_facts.h"

#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/container_memory.h"
#include "common/analysis/explore/words_in_use.h"
#include "common/cpython/objects/object_size.h"

#include <algorithm>
#include <ranges>
#include <span>
#include <vector>

namespace pygc::analysis {
namespace {

constexpr std::size_t words_each = std::size_t{1} << 20;
constexpr std::size_t named_each = std::size_t{1} << 15; // of them; stacks and frames lie high

class Examination {
public:
  Examination(const image::ProcessImage& image, cpython::ObjectReader& reader,
              const heap::Heap& heap, replay::Replayer& replayer, const ObjectQuestion& question)
      : image_(image), reader_(reader), heap_(heap), replayer_(replayer), question_(question) {}

  Result<ObjectFacts> run() {
    for (const Direction direction : {Direction::to, Direction::from}) {
      auto tree = follow_references(
          image_, reader_, heap_, replayer_, question_.tracer,
          {.object = question_.object, .direction = direction, .limit = question_.limit});
      if (!tree) {
        return std::unexpected(tree.error());
      }
      facts_.incomplete_because.insert(facts_.incomplete_because.end(),
                                       tree->incomplete_because.begin(),
                                       tree->incomplete_because.end());
      (direction == Direction::to ? facts_.referrers : facts_.referents) = std::move(*tree);
    }
    for (const std::string& note : facts_.referents.notes) {
      if (std::ranges::find(facts_.referrers.notes, note) == facts_.referrers.notes.end()) {
        facts_.referrers.notes.push_back(note);
      }
    }
    look_at_object();
    if (auto found = look_at_heap(); !found) {
      return std::unexpected(found.error());
    }
    if (auto found = look_at_words(); !found) {
      return std::unexpected(found.error());
    }
    return std::move(facts_);
  }

private:
  void look_at_object() {
    const cpython::Runtime& runtime = reader_.runtime();
    const auto stored = cpython::load_refcount(reader_.memory(), runtime.layout, question_.object);
    facts_.immortal = stored && runtime.is_immortal(*stored);
    const auto type_at = reader_.type_address(question_.object);
    if (!type_at) {
      return;
    }
    cpython::ObjectSizes sizes(reader_);
    facts_.own_size = sizes.parts(question_.object, *type_at).own.bytes;
    const ObjectBlocks blocks = BlockSurvey(reader_, sizes).of(question_.object, *type_at);
    facts_.block = blocks.own;
    if (!blocks.fits) {
      facts_.incomplete_because.emplace_back(
          "the object is larger than the memory that the allocator gave, by its type's sizes and "
          "the number of its items");
    }
  }

  Result<void> look_at_heap() {
    const auto found = std::ranges::find(heap_.objects, question_.object);
    facts_.tracked = found != heap_.objects.end();
    if (!facts_.tracked) {
      return {};
    }
    const auto index = static_cast<std::size_t>(found - heap_.objects.begin());
    for (const heap::SpaceRange& list : heap_.spaces) {
      if (index < list.first || index - list.first >= list.count) {
        continue;
      }
      facts_.generation = reader_.runtime().interpreters[list.interpreter].spaces[list.space].name;
      const auto collection = replay_collection(reader_, heap_, replayer_, list.interpreter, {});
      if (!collection) {
        return std::unexpected(collection.error());
      }
      const auto& objects = collection->set.objects;
      const auto at = std::ranges::find(objects, question_.object);
      if (at != objects.end()) {
        const auto node = static_cast<std::size_t>(at - objects.begin());
        const std::int64_t gc_refs = collection->gc_refs[heap::SetIndex(node)];
        const auto refcount = static_cast<std::int64_t>(
            refcount_of(reader_.runtime(), heap_, *collection, static_cast<std::uint32_t>(node)));
        facts_.collector = {.gc_refs = gc_refs,
                            .visits = static_cast<std::uint64_t>(refcount - gc_refs),
                            .reachable = collection->reachable[node]};
        for (const std::uint32_t visitor :
             collection->graph.referrers(static_cast<std::uint32_t>(node))) {
          visitors_.push_back(objects[heap::SetIndex(visitor)]);
        }
      }
      return {};
    }
    return {};
  }

  Result<void> look_at_words() {
    const auto words =
        find_words_in_use(reader_, question_.threads, std::span(&question_.object, 1), words_each,
                          question_.cancelled);
    if (!words) {
      return std::unexpected(words.error());
    }
    facts_.words = words->counts.front();
    RootNames names(image_, reader_, question_.threads, question_.cancelled);
    const ContainerMemory visited(reader_, visitors_);
    std::size_t named = 0;
    for (const Word& word : words->places | std::views::reverse) {
      if (facts_.roots.size() == question_.limit || named == named_each) {
        break;
      }
      if (visited.contains(word.at)) {
        continue;
      }
      ++named;
      auto root = names.root(word.at);
      if (root && !root->is_plain_memory()) {
        facts_.roots.push_back(std::move(*root));
      }
    }
    std::ranges::reverse(facts_.roots);
    return {};
  }

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  replay::Replayer& replayer_;
  const ObjectQuestion& question_;
  std::vector<Address> visitors_; // of the same collection
  ObjectFacts facts_;
};

} // namespace

Result<ObjectFacts> examine_object(const image::ProcessImage& image, cpython::ObjectReader& reader,
                                   const heap::Heap& heap, replay::Replayer& replayer,
                                   const ObjectQuestion& question) {
  return Examination(image, reader, heap, replayer, question).run();
}

} // namespace pygc::analysis
