#include "common/analysis/explore/left_garbage.h"

#include "common/analysis/facts/traverse_function.h"
#include "common/cpython/objects/finalization.h"
#include "common/heap/reachability.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

class Finder {
public:
  explicit Finder(const LeftGarbageInput& input)
      : in_(input), slot_names_(input.image, input.reader, ownership_),
        finalized_(input.finalized.begin(), input.finalized.end()) {}

  Result<LeftGarbage> find(const TracerSource& source) {
    choose();
    found_.examined = chosen_.size();
    if (auto judged = judge(source); !judged) {
      return std::unexpected(judged.error());
    }
    found_.not_run = lost_.size();
    find_unknown();
    return std::move(found_);
  }

private:
  Address object(std::uint32_t node) const {
    return in_.collection.set.objects[heap::SetIndex(node)];
  }

  /// A cycle of what the collection deletes: of what goes to gc.garbage all of a cycle goes there.
  bool is_in_cycle(std::uint32_t node) const {
    return in_.deleted[node] && in_.components.cyclic[in_.components.of(node)];
  }

  /// Whole cycles, as long as there is room; the smallest first, so that many kinds are looked at.
  void choose() {
    const std::vector<std::uint32_t>& sizes = in_.components.sizes;
    std::vector<bool> cyclic(sizes.size());
    in_.components.members.each([&](std::uint32_t node) {
      if (is_in_cycle(node)) {
        cyclic[in_.components.of(node)] = true;
      }
    });
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < sizes.size(); ++i) {
      if (cyclic[i]) {
        order.push_back(i);
      }
    }
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return sizes[i]; });
    std::vector<bool> taken(sizes.size());
    std::size_t room = in_.most_cleared;
    for (const std::uint32_t component : order) {
      const std::uint32_t size = sizes[component];
      if (size > room) {
        found_.passed += size;
        continue;
      }
      taken[component] = true;
      room -= size;
    }
    in_.components.members.each([&](std::uint32_t node) {
      if (taken[in_.components.of(node)]) {
        choose(node);
      }
    });
  }

  void choose(std::uint32_t node) {
    chosen_.push_back(node);
    const auto type = in_.reader.type_address(object(node));
    const Address clear = type ? clear_of(*type) : 0;
    if (clear != 0) {
      cleared_.emplace(node, clear);
      requests_.push_back({.container = object(node), .function = clear});
      requested_.push_back(node);
    }
  }

  Address clear_of(Address type) {
    const auto [at, added] = clears_.try_emplace(type, 0);
    if (added) {
      const auto read = cpython::type_finalization(in_.reader, type);
      at->second = read ? read->clear : 0;
    }
    return at->second;
  }

  /// Of those that were chosen since.
  Result<void> clear(const TracerSource& source) {
    if (requests_.empty()) {
      return {};
    }
    const auto tracer = source();
    auto trace = tracer ? (*tracer)->trace_cleared(requests_, attached_thread())
                        : std::unexpected(tracer.error());
    if (!trace) {
      if (trace.error().kind == ErrorKind::cancelled) {
        return std::unexpected(trace.error());
      }
      found_.problem = trace.error().reason;
      return {};
    }
    for (const replay::Incident& incident : trace->incidents) {
      if (incident.container < requested_.size()) {
        lost_.insert(requested_[incident.container]);
      }
    }
    for (const replay::TracedVisit& visit : trace->visits) {
      visits_[requested_[visit.request]].push_back({visit.object, visit.slot});
    }
    requests_.clear();
    requested_.clear();
    return {};
  }

  /// tp_clear asks who the current thread is; of a process that waits for something nobody is.
  replay::AttachedThread attached_thread() {
    const cpython::Runtime& runtime = in_.reader.runtime();
    const auto& interpreter = runtime.interpreters[in_.collection.set.interpreter];
    const auto offset = runtime.layout.interp_threads;
    const auto thread = offset ? in_.reader.memory().load<Address>(interpreter.address + *offset)
                               : fail(ErrorKind::no_symbol, 0, {});
    const auto function = [&runtime](std::initializer_list<const char*> names) -> Address {
      for (const char* name : names) {
        if (const auto symbol = runtime.module->find_symbol(name)) {
          return symbol->address;
        }
      }
      return 0;
    };
    // The second name since 3.13.
    return {
        .thread_state = {function({"_PyThreadState_UncheckedGet", "PyThreadState_GetUnchecked"}),
                         thread.value_or(0)},
        .interpreter = {function({"PyInterpreterState_Get"}), interpreter.address}};
  }

  /// Edges of the collection's graph that are still there between the chosen ones, and from them.
  /// What has no tp_clear keeps all of its own, unless its finalizer does that work (a generator's
  /// closes it, gen_close()); of what could not be run nothing is known, and it is taken to have
  /// none.
  Result<heap::Graph> graph_of_what_is_left() const {
    heap::Graph::Builder builder(in_.collection.graph.node_count());
    std::vector<replay::Edge> edges;
    for (const std::uint32_t node : chosen_) {
      if (lost_.contains(node) || (!cleared_.contains(node) && finalized_.contains(node))) {
        continue;
      }
      edges.clear();
      for (const std::uint32_t referent : in_.collection.graph.referents(node)) {
        if (in_.deleted[referent] && (!cleared_.contains(node) || visits(node, referent))) {
          edges.push_back({node, referent});
        }
      }
      if (auto added = builder.add(edges); !added) {
        return std::unexpected(added.error());
      }
    }
    return std::move(builder).finish();
  }

  struct LeftVisit {
    Address object = 0;
    SlotAddress slot;
  };

  const LeftVisit* visits(std::uint32_t node, std::uint32_t referent) const {
    const auto left = visits_.find(node);
    if (left == visits_.end()) {
      return nullptr;
    }
    const auto visit = std::ranges::find(left->second, object(referent), &LeftVisit::object);
    return visit == left->second.end() ? nullptr : &*visit;
  }

  Result<void> judge(const TracerSource& source) {
    if (chosen_.empty()) {
      return {};
    }
    auto cleared = clear(source);
    if (!cleared || !found_.problem.empty()) {
      return cleared;
    }
    auto left = graph_of_what_is_left();
    if (!left) {
      return problem(left.error());
    }
    const std::vector<std::uint32_t> cyclic = find_cycles(*left);
    if (cyclic.empty()) {
      return {};
    }
    if (choose_what_is_held(*left, cyclic)) {
      cleared = clear(source);
      if (!cleared || !found_.problem.empty()) {
        return cleared;
      }
      left = graph_of_what_is_left();
      if (!left) {
        return problem(left.error());
      }
    }
    found_.staying = heap::reachable_from(*left, cyclic);
    found_.objects = static_cast<std::uint64_t>(std::ranges::count(found_.staying, true));
    return {};
  }

  Result<void> problem(const Error& error) {
    found_.problem = error.reason;
    return {};
  }

  /// Nodes in cycles that are left, whose references are told.
  std::vector<std::uint32_t> find_cycles(const heap::Graph& left) {
    std::vector<bool> members(left.node_count());
    for (const std::uint32_t node : chosen_) {
      members[node] = true;
    }
    const heap::Components components = heap::strong_components(left, members);
    std::vector<std::uint32_t> cyclic;
    for (const std::uint32_t node : chosen_) {
      if (components.cyclic[components.of(node)]) {
        cyclic.push_back(node);
      }
    }
    if (cyclic.empty()) {
      return cyclic;
    }
    found_.cycles = static_cast<std::uint64_t>(std::ranges::count(components.cyclic, true));
    const std::vector<bool> finalized = heap::reachable_from(in_.collection.graph, in_.finalized);
    for (const std::uint32_t node : cyclic) {
      found_.finalizers = found_.finalizers || finalized[node];
      std::unordered_set<std::string> told;
      for (const std::uint32_t referent : left.referents(node)) {
        if (components.of(referent) == components.of(node)) {
          add(node, referent, told);
        }
      }
    }
    std::ranges::stable_sort(found_.references, std::ranges::greater(), &LeftReference::objects);
    return cyclic;
  }

  /// What is in no cycle and may stay with one that is left. False: there is none.
  bool choose_what_is_held(const heap::Graph& left, const std::vector<std::uint32_t>& cyclic) {
    std::vector<bool> known(left.node_count());
    for (const std::uint32_t node : chosen_) {
      known[node] = true;
    }
    std::vector<std::uint32_t> open = cyclic;
    std::vector<bool> seen(left.node_count());
    std::vector<std::uint32_t> held;
    while (!open.empty()) {
      const std::uint32_t node = open.back();
      open.pop_back();
      if (seen[node]) {
        continue;
      }
      seen[node] = true;
      if (!known[node]) {
        held.push_back(node);
      }
      for (const std::uint32_t referent :
           known[node] ? left.referents(node) : in_.collection.graph.referents(node)) {
        if (in_.deleted[referent] && (known[referent] || !is_in_cycle(referent))) {
          open.push_back(referent);
        }
      }
    }
    std::ranges::sort(held);
    if (held.size() > in_.most_cleared) {
      not_chosen_.assign(held.begin() + static_cast<std::ptrdiff_t>(in_.most_cleared), held.end());
      held.resize(in_.most_cleared);
    }
    for (const std::uint32_t node : held) {
      choose(node);
    }
    std::ranges::sort(chosen_);
    return !held.empty();
  }

  /// Nothing was run of what a cycle holds that was not looked at, or whose tp_clear did not end.
  void find_unknown() {
    std::vector<std::uint32_t> open;
    const std::unordered_set<std::uint32_t> looked_at(chosen_.begin(), chosen_.end());
    if (!found_.problem.empty() || found_.passed != 0) {
      in_.components.members.each([&](std::uint32_t node) {
        if (is_in_cycle(node) && (!found_.problem.empty() || !looked_at.contains(node))) {
          open.push_back(node);
        }
      });
    }
    open.insert(open.end(), lost_.begin(), lost_.end());
    open.insert(open.end(), not_chosen_.begin(), not_chosen_.end());
    if (open.empty()) {
      return;
    }
    found_.unknown.resize(in_.deleted.size());
    while (!open.empty()) {
      const std::uint32_t node = open.back();
      open.pop_back();
      if (found_.unknown[node]) {
        continue;
      }
      found_.unknown[node] = true;
      for (const std::uint32_t referent : in_.collection.graph.referents(node)) {
        if (in_.deleted[referent] && may_keep(node, referent)) {
          open.push_back(referent);
        }
      }
    }
  }

  bool may_keep(std::uint32_t node, std::uint32_t referent) const {
    return !found_.problem.empty() || !cleared_.contains(node) || lost_.contains(node) ||
           visits(node, referent) != nullptr;
  }

  /// `told`: fields of the node that were added.
  void add(std::uint32_t node, std::uint32_t referent, std::unordered_set<std::string>& told) {
    const auto type = in_.reader.type_address(object(node));
    const Address type_at = type ? *type : 0;
    const LeftVisit* visit = visits(node, referent);
    std::string field = visit != nullptr && visit->slot.is_known()
                            ? slot_names_.name(object(node), visit->slot)
                            : std::string{};
    const auto [at, added] =
        places_.try_emplace(std::tuple(type_at, field), found_.references.size());
    if (added) {
      LeftReference reference;
      reference.type = in_.reader.type(type_at).name;
      reference.field = field;
      reference.example = object(node);
      reference.visited = object(referent);
      if (const Address function = clear_of(type_at); function != 0) {
        const Address blamed = extension_clear(type_at, function);
        reference.function = in_.image.describe_code(blamed);
        const image::Module* module = in_.image.module_at(blamed);
        const auto line = module == nullptr ? fail(ErrorKind::no_symbol, blamed, {})
                                            : module->source_line(blamed);
        reference.source = line ? *line : std::string{};
      }
      found_.references.push_back(std::move(reference));
    }
    if (told.insert(std::move(field)).second) {
      ++found_.references[at->second].objects;
    }
  }

  /// subtype_clear (Objects/typeobject.c) calls the first other one of the bases: that is an
  /// extension's, where a class derives from an extension's type.
  Address extension_clear(Address type, Address own) {
    const Address extension = extension_of_bases(in_.reader, in_.image, type,
                                                 [this](Address each) { return clear_of(each); });
    return extension != 0 ? extension : own;
  }

  LeftGarbageInput in_;
  Ownership ownership_{in_.image, in_.reader};
  SlotNames slot_names_;
  std::unordered_set<std::uint32_t> finalized_;
  LeftGarbage found_;
  std::vector<std::uint32_t> chosen_;     // nodes, ascending
  std::vector<std::uint32_t> not_chosen_; // that a cycle holds which stays, beyond most_cleared
  std::vector<replay::TraceRequest> requests_;
  std::vector<std::uint32_t> requested_; // the node of each request
  std::unordered_map<std::uint32_t, Address> cleared_;
  std::unordered_map<Address, Address> clears_; // tp_clear, by type
  std::unordered_map<std::uint32_t, std::vector<LeftVisit>> visits_;
  std::unordered_set<std::uint32_t> lost_;
  std::map<std::tuple<Address, std::string>, std::size_t> places_;
};

} // namespace

Result<LeftGarbage> find_left_garbage(const LeftGarbageInput& input, const TracerSource& tracer) {
  return Finder(input).find(tracer);
}

} // namespace pygc::analysis
