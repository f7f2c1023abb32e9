#include "common/analysis/explore/type_survey.h"

#include "common/analysis/explore/retention.h"
#include "common/analysis/explore/type_matcher.h"
#include "common/analysis/facts/type_table.h"
#include "common/base/numbers.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>
#include <utility>

namespace pygc::analysis {
namespace {

class Surveyor {
public:
  Surveyor(cpython::ObjectReader& reader, const heap::Heap& heap,
           const TypeSurveyQuestion& question)
      : reader_(reader), heap_(heap), question_(question), is_such_type_(reader, {question.type}),
        sizes_(reader), blocks_(reader, sizes_), types_(reader) {
    survey_.retained = question.retained;
    survey_.garbage = question.garbage;
  }

  Result<TypeSurvey> run() {
    std::vector<Collection> collections;
    if (question_.retained || question_.garbage) {
      const auto replayer = question_.replayer();
      if (!replayer) {
        return std::unexpected(replayer.error());
      }
      for (std::size_t i = 0; i < reader_.runtime().interpreters.size(); ++i) {
        auto collection = replay_collection(reader_, heap_, **replayer, i, {});
        if (!collection) {
          return std::unexpected(collection.error());
        }
        collections.push_back(std::move(*collection));
      }
    }
    choose(collections);
    count();
    if (question_.retained) {
      add_retained(collections);
    }
    survey_.incomplete_because = collection_lacks(heap_, collections);
    if (too_large_ != 0) {
      survey_.incomplete_because.push_back(fmt::format(
          "{} larger than the memory that the allocator gave, such as {:#x}: by the type's sizes "
          "and the number of items",
          too_large_ == 1 ? "1 object is" : counted(too_large_, "object") + " are", example_));
    }
    survey_.types = survey_.rows.size();
    std::erase_if(survey_.rows, [this](const TypeRow& row) {
      return (question_.retained ? row.retained : row.size.bytes) < question_.min;
    });
    sort();
    return std::move(survey_);
  }

private:
  bool is_asked_for(std::size_t i) {
    return question_.type.empty() || is_such_type_(heap_.types[heap::HeapIndex(i)]);
  }

  /// Which objects of the heap are wanted.
  void choose(const std::vector<Collection>& collections) {
    wanted_.assign(heap_.objects.size(), false);
    if (question_.garbage) {
      for (const Collection& collection : collections) {
        for (std::size_t node = 0; node < collection.reachable.size(); ++node) {
          const std::uint32_t i = collection.set.heap_index[heap::SetIndex(node)];
          wanted_[i] = !collection.reachable[node] && is_asked_for(i);
        }
      }
      return;
    }
    const cpython::Runtime& runtime = reader_.runtime();
    for (const heap::SpaceRange& space : heap_.spaces) {
      const bool frozen = runtime.interpreters[space.interpreter].spaces[space.space].kind ==
                          cpython::SpaceKind::permanent;
      for (std::size_t i = space.first; i < space.first + space.count; ++i) {
        wanted_[i] = heap_.usable[heap::HeapIndex(i)] && is_asked_for(i);
        survey_.frozen += wanted_[i] && frozen ? 1U : 0U;
        survey_.immortal +=
            wanted_[i] && runtime.is_immortal(heap_.refcounts[heap::HeapIndex(i)]) ? 1U : 0U;
      }
    }
  }

  std::uint32_t row_of(Address type) {
    const std::uint32_t row = types_.index(type);
    if (row == survey_.rows.size()) {
      survey_.rows.push_back({.type = type, .name = types_.names()[row], .size = {}});
    }
    return row;
  }

  void count() {
    row_index_.assign(heap_.objects.size(), 0);
    bytes_.assign(question_.retained ? heap_.objects.size() : 0, 0);
    for (std::size_t i = 0; i < heap_.objects.size(); ++i) {
      if (!heap_.usable[heap::HeapIndex(i)] || (!wanted_[i] && !question_.retained)) {
        continue;
      }
      const cpython::ObjectSize size =
          sizes_.size(heap_.objects[heap::HeapIndex(i)], heap_.types[heap::HeapIndex(i)]);
      if (question_.retained) {
        bytes_[i] = size.bytes;
      }
      if (wanted_[i]) {
        row_index_[i] = row_of(heap_.types[heap::HeapIndex(i)]);
        TypeRow& row = survey_.rows[row_index_[i]];
        ++row.objects;
        row.size += size;
        ++survey_.objects;
        survey_.size += size;
        add_blocks(row, heap_.objects[heap::HeapIndex(i)]);
      }
    }
  }

  void add_blocks(TypeRow& row, Address object) {
    const ObjectBlocks blocks = blocks_.of(object, row.type);
    row.blocks += blocks.sum;
    survey_.blocks += blocks.sum;
    if (!blocks.fits && too_large_++ == 0) {
      example_ = object;
    }
  }

  void add_retained(const std::vector<Collection>& collections) {
    std::vector<bool> collected(heap_.objects.size(), false);
    for (const Collection& collection : collections) {
      const auto& at = collection.set.heap_index;
      std::vector<std::uint64_t> sizes;
      sizes.reserve(at.size());
      for (const std::uint32_t i : at) {
        sizes.push_back(bytes_[i]);
        collected[i] = true;
      }
      const Retention retention = find_retention(collection, sizes);
      // Of a type's objects those count that no other of them dominates.
      std::vector<std::uint32_t> open(survey_.rows.size(), 0);
      heap::DominatorWalk(retention.tree)
          .all(
              [&](std::uint32_t node) {
                if (wanted_[at[heap::SetIndex(node)]] &&
                    open[row_index_[at[heap::SetIndex(node)]]]++ == 0) {
                  TypeRow& row = survey_.rows[row_index_[at[heap::SetIndex(node)]]];
                  row.retained += retention.bytes[node];
                  row.retained_objects += retention.objects[node];
                }
              },
              [&](std::uint32_t node) {
                if (wanted_[at[heap::SetIndex(node)]]) {
                  --open[row_index_[at[heap::SetIndex(node)]]];
                }
              });
    }
    for (std::size_t i = 0; i < heap_.objects.size(); ++i) {
      if (wanted_[i] && !collected[i]) { // frozen or immortal: what it holds is not known
        survey_.rows[row_index_[i]].retained += bytes_[i];
        ++survey_.rows[row_index_[i]].retained_objects;
      }
    }
  }

  void sort() {
    std::ranges::sort(survey_.rows, [this](const TypeRow& a, const TypeRow& b) {
      const auto key = [this](const TypeRow& row) {
        switch (question_.order) {
        case TypeOrder::objects:
          return row.objects;
        case TypeOrder::size:
          return row.size.bytes;
        case TypeOrder::retained:
          return row.retained;
        case TypeOrder::name:
          break;
        }
        return std::uint64_t{0};
      };
      return std::tuple(key(b), std::string_view(a.name), a.type) <
             std::tuple(key(a), std::string_view(b.name), b.type);
    });
  }

  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  const TypeSurveyQuestion& question_;
  TypeMatcher is_such_type_;
  cpython::ObjectSizes sizes_;
  BlockSurvey blocks_;
  std::uint64_t too_large_ = 0;          // objects that do not go into their blocks
  Address example_ = 0;                  // of them
  TypeTable types_;                      // by index of the rows
  std::vector<bool> wanted_;             // by index of the heap
  std::vector<std::uint32_t> row_index_; // by index of the heap, of what is wanted
  std::vector<std::uint64_t> bytes_;     // by index of the heap, when asked for what is retained
  TypeSurvey survey_;
};

} // namespace

Result<TypeSurvey> survey_types(cpython::ObjectReader& reader, const heap::Heap& heap,
                                const TypeSurveyQuestion& question) {
  return Surveyor(reader, heap, question).run();
}

} // namespace pygc::analysis
