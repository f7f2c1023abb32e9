#include "common/analysis/audit/unvisited_fields.h"

#include "common/analysis/audit/borrowed_places.h"
#include "common/cpython/objects/unused_memory.h"

#include <algorithm>
#include <bitset>
#include <cstring>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::uint64_t word_size = sizeof(Address);
constexpr std::uint64_t field_limit = 4096;  // bytes of each instance that are looked at
constexpr std::size_t instance_limit = 1000; // of a type, whose fields are compared

/// A word that holds the address of a collected object, without a visit.
struct Word {
  std::uint64_t offset = 0;
  heap::SetIndex object;
  Address type = 0; // of the container
  Address container = 0;
};

/// Counts the words of all memory and registers that hold one of a few addresses.
class WordCounter {
public:
  void want(Address address) {
    counts_.emplace(address, 0);
    filter_.set(hash(address));
  }

  void count(const CheckInput& input) {
    const image::AddressSpace& memory = input.image.memory();
    const auto unused = cpython::unused_memory(memory, input.reader.runtime());
    for (const image::Region& region : memory.regions()) {
      if (!region.permissions.write || region.host == nullptr) {
        continue;
      }
      for (const image::Range& used : cpython::without({region.start, region.end}, unused)) {
        count(region.host + (used.start - region.start), used.end - used.start);
      }
    }
    for (const target::Thread& thread : input.threads) {
      for (const std::uint64_t value : thread.registers) {
        add(value);
      }
    }
  }

  std::uint64_t of(Address address) const {
    const auto found = counts_.find(address);
    return found == counts_.end() ? 0 : found->second;
  }

private:
  static constexpr std::size_t filter_size = std::size_t{1} << 16;
  // Tag bits of stack references (3.14+) and of managed pointers belong to the reference.
  static constexpr Address tag_mask = 7;

  static std::size_t hash(Address address) { return (address >> 4U) % filter_size; }

  void add(Address word) {
    const Address address = word & ~tag_mask;
    if (filter_.test(hash(address))) {
      if (const auto found = counts_.find(address); found != counts_.end()) {
        ++found->second;
      }
    }
  }

  void count(const std::byte* bytes, std::uint64_t size) {
    for (std::uint64_t at = 0; at + word_size <= size; at += word_size) {
      Address word = 0;
      std::memcpy(&word, bytes + at, word_size);
      add(word);
    }
  }

  std::unordered_map<Address, std::uint64_t> counts_;
  std::bitset<filter_size> filter_;
};

class Finder {
public:
  Finder(const CheckInput& input, const heap::CollectedSet& set, const replay::RoundResult& result,
         const SlotSurvey& survey, Ownership& ownership)
      : input_(input), set_(set), result_(result), survey_(survey), ownership_(ownership),
        not_completed_(survey.not_completed()) {
    for (std::size_t i = 0; i < set.objects.size(); ++i) {
      index_.emplace(set.objects[heap::SetIndex(i)], heap::SetIndex(i));
    }
  }

  Result<std::vector<UnvisitedField>> find() {
    auto visit = survey_.visits.begin();
    for (std::uint32_t request = 0; request < survey_.requests.size(); ++request) {
      visited_.clear();
      visited_objects_.clear();
      for (; visit != survey_.visits.end() && visit->request == request; ++visit) {
        visited_.insert(visit->slot);
        visited_objects_.insert(visit->object);
      }
      // An m_traverse visits what the module's state holds; the module itself comes with its type.
      if (survey_.requests[replay::RequestIndex(request)].function == 0 &&
          !not_completed_.contains(request)) {
        examine(survey_.requests[replay::RequestIndex(request)].container);
      }
    }
    return count_words();
  }

private:
  void examine(Address container) {
    const auto at = index_.find(container);
    if (at == index_.end()) {
      return;
    }
    const Address type = input_.heap.types[set_.heap_index[at->second]];
    const cpython::Layout& layout = input_.reader.runtime().layout;
    const Address end = std::min(ownership_.extent(container).object.end, container + field_limit);
    if (std::vector<Instance>& of_type = instances_[type]; of_type.size() < instance_limit) {
      of_type.push_back({container, end});
    }
    for (Address slot = container + layout.ob_type + word_size; slot + word_size <= end;
         slot += word_size) {
      const auto word = input_.image.memory().load<Address>(slot);
      if (!word) {
        return;
      }
      const auto object = index_.find(*word);
      // What the container visits elsewhere it has a copy of here, like as not.
      if (object != index_.end() && !visited_.contains({slot}) &&
          !visited_objects_.contains(*word) && !is_weak(object->second) &&
          !is_borrowed_place(input_.reader, type, container, {slot})) {
        words_.push_back({slot - container, object->second, type, container});
      }
    }
  }

  /// A list of weak references begins in the object that they refer to, and does not own them.
  bool is_weak(heap::SetIndex object) {
    const Address type = input_.heap.types[set_.heap_index[object]];
    return input_.reader.is_instance(type, "_PyWeakref_RefType") ||
           input_.reader.is_instance(type, "_PyWeakref_ProxyType") ||
           input_.reader.is_instance(type, "_PyWeakref_CallableProxyType");
  }

  bool is_object(Address address) {
    const auto type = address % word_size == 0 ? input_.reader.type_address(address)
                                               : Result<Address>(Address{0});
    return type && *type != 0 && input_.reader.is_type(*type);
  }

  /// Whether it holds an object, or nothing, in each instance: a number may look like an address.
  bool is_pointer(Address type, std::uint64_t offset) {
    return std::ranges::all_of(instances_[type], [&](const Instance& instance) {
      if (instance.end - instance.container < offset + word_size) {
        return true;
      }
      const auto word = input_.image.memory().load<Address>(instance.container + offset);
      return word && (*word == 0 || is_object(*word));
    });
  }

  /// One field of one type, with the instance whose object has the fewest references.
  std::vector<UnvisitedField> gather() {
    std::ranges::sort(words_, {}, [](const Word& word) {
      return std::tuple(word.type, word.offset, word.object);
    });
    std::vector<UnvisitedField> fields;
    for (auto first = words_.begin(); first != words_.end();) {
      UnvisitedField field{.type = first->type, .offset = first->offset};
      std::int64_t fewest = 0;
      bool borrowed = false;
      auto word = first;
      while (word != words_.end() && word->type == field.type && word->offset == field.offset) {
        const auto same = std::find_if(word, words_.end(), [word](const Word& other) {
          return other.type != word->type || other.offset != word->offset ||
                 other.object != word->object;
        });
        const std::int64_t gc_refs = result_.gc_refs[word->object];
        borrowed = borrowed || same - word > gc_refs;
        if (field.instances == 0 || gc_refs < fewest) {
          fewest = gc_refs;
          field.container = word->container;
          field.object = set_.objects[word->object];
        }
        field.instances += static_cast<std::uint64_t>(same - word);
        word = same;
      }
      if (!borrowed && is_pointer(field.type, field.offset)) {
        fields.push_back(field);
      }
      first = word;
    }
    return fields;
  }

  /// A container of weak references only, or a tuple without containers in it.
  Result<bool> makes_no_cycle(Address object) {
    const auto visits = input_.replayer.visits(std::span(&object, 1), 0, nullptr);
    if (!visits) {
      return std::unexpected(visits.error());
    }
    bool any = false;
    for (const replay::Visit& visit : *visits) {
      const auto at = index_.find(visit.object);
      if (at != index_.end()) {
        any = true;
        if (!is_weak(at->second)) {
          return false;
        }
      }
    }
    const Address type = input_.heap.types[set_.heap_index[index_.at(object)]];
    return any || input_.reader.type(type).has_flag(cpython::type_flag::tuple_subclass);
  }

  Result<std::vector<UnvisitedField>> count_words() {
    std::vector<UnvisitedField> fields;
    for (const UnvisitedField& field : gather()) {
      const auto harmless = makes_no_cycle(field.object);
      if (!harmless) {
        return std::unexpected(harmless.error());
      }
      if (!*harmless) {
        fields.push_back(field);
      }
    }
    if (fields.empty()) {
      return fields;
    }
    WordCounter words;
    for (const UnvisitedField& field : fields) {
      words.want(field.object);
    }
    words.count(input_);
    for (UnvisitedField& field : fields) {
      field.words_fit = words.of(field.object) <= set_.refcounts[index_.at(field.object)];
    }
    return fields;
  }

  const CheckInput& input_;
  const heap::CollectedSet& set_;
  const replay::RoundResult& result_;
  const SlotSurvey& survey_;
  Ownership& ownership_;
  std::unordered_map<Address, heap::SetIndex> index_;
  std::unordered_set<std::uint32_t> not_completed_; // requests
  std::unordered_set<SlotAddress> visited_;         // of one request
  std::unordered_set<Address> visited_objects_;     // of one request
  struct Instance {
    Address container = 0;
    Address end = 0; // of what is looked at
  };
  std::unordered_map<Address, std::vector<Instance>> instances_; // by type
  std::vector<Word> words_;
};

} // namespace

Result<std::vector<UnvisitedField>> find_unvisited_fields(const CheckInput& input,
                                                          const heap::CollectedSet& set,
                                                          const replay::RoundResult& result,
                                                          const SlotSurvey& survey,
                                                          Ownership& ownership) {
  return Finder(input, set, result, survey, ownership).find();
}

} // namespace pygc::analysis
