// A whole collection replayed along the collector's lists, by the replayer alone: it verifies the
// links, does update_refs and subtract_refs and sums up. What it tells is enough to say that
// nothing is wrong, in a fraction of the time and memory; where something is, start_native() and
// its rounds tell what.
#pragma once

#include "common/replay/replay.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace pygc::replay {

struct SweepRequest {
  struct List {
    Address head = 0;
    bool collected = false; // else verified and counted only
  };
  std::vector<List> lists;       // in the order in which the collector joins them
  std::uint32_t sample_size = 0; // objects of each type to be named
  Address sampled_type = 0;      // all of it and of what derives from it are named; 0: none
  bool immortal_objects = false; // an int32 of ob_refcnt below 0 keeps an object out
  // The traverse functions pass borrowed references too, to any visitor but visit_decref (3.14 and
  // later: _PyGC_VisitStackRef): the target's own visitor subtracts, a second one looks.
  bool borrowed_references = false;
  std::uint64_t refcount_mask = ~std::uint64_t{0}; // of ob_refcnt: what update_refs copies
  std::uint32_t gc_next = 0;                       // in PyGC_Head
  std::uint32_t ob_refcnt = 0;                     // in PyObject
  std::uint32_t tp_base = 0;                       // in PyTypeObject
  std::uint32_t ob_size = 0;                       // in PyVarObject
  Address tuple_type = 0;                          // 0: tuples are not looked at
  std::uint32_t tuple_items = 0;                   // in PyTupleObject
  Address dict_type = 0;                           // 0: dicts are not looked at
  std::uint32_t ma_keys = 0;                       // in PyDictObject
  std::uint32_t ma_values = 0;                     // in PyDictObject
  std::uint32_t dk_kind = 0;                       // in PyDictKeysObject; 0: unknown
};

/// An object by its place in the collection.
struct SweptObject {
  Address object = 0;
  Address type = 0;
  std::uint64_t index = 0;
};

/// What was found before any code of the target ran.
struct SweptLists {
  std::vector<std::uint64_t> counts; // objects of each list of the request
  std::uint64_t collected = 0;
  std::uint64_t immortal = 0;
  std::vector<Address> types;       // of all objects on the lists: to be judged by the caller
  std::vector<SweptObject> samples; // in order
  double seconds = 0;
};

/// An object with its counts, as `ob_refcnt` says and as the traversals have left it.
struct SweptCounts {
  Address object = 0;
  Address type = 0;
  std::uint64_t refcount = 0;
  std::int64_t gc_refs = 0;
};

struct SweptTotals {
  std::uint64_t visits = 0;
  double seconds = 0;
};

/// Each step is to be taken once, in this order; find() as often as needed. Errors: replayer,
/// cancelled, limit. Nothing in place of an answer: something is not as it ought to be.
class Sweep {
public:
  Sweep() = default;
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;
  virtual ~Sweep() = default;

  virtual Result<std::optional<SweptLists>> walk() = 0;
  /// Which of the objects are being collected.
  virtual Result<std::optional<std::vector<bool>>> find(std::span<const Address> objects) = 0;
  /// The replayer is at work when this returns: time for other things.
  virtual Result<void> start_traversals() = 0;
  virtual Result<std::optional<SweptTotals>> finish_traversals() = 0;
  /// After the traversals; nothing for an object that is not collected.
  virtual Result<std::vector<std::optional<std::int64_t>>>
  gc_refs(std::span<const Address> objects) = 0;

  /// After the traversals: all that is collected, in order, in pieces. Errors also those of `take`.
  virtual Result<void>
  list(const std::function<Result<void>(std::span<const SweptCounts>)>& take) = 0;

  /// Nothing more is asked: the process ends, which takes a while, until the sweep is destroyed.
  virtual void let_go() = 0;

  /// The process, for rounds of other kinds.
  virtual Replayer& replayer() = 0;
};

/// Starts a native replayer of its own, which begins to walk. Errors as start_native().
Result<std::unique_ptr<Sweep>> start_sweep(const image::AddressSpace& memory,
                                           const Options& options, const SweepRequest& request,
                                           const std::function<bool()>& cancelled);

} // namespace pygc::replay
