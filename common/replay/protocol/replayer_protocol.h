// What the analysis and its replayer say to each other: plain structs in packets of a
// SOCK_SEQPACKET socket, bulk arrays in one shared window. Both sides are built together, so there
// is one version. The replayer runs the target's code: whatever comes from it, in a packet or in
// the window, is hearsay, and the analysis checks it before use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pygc::replay::protocol {

inline constexpr std::uint32_t version = 10;
inline constexpr int control_fd = 3;

/// In place of gc_refs when the replayer could not keep count of an object.
inline constexpr std::int64_t gc_refs_lost = INT64_MIN;

/// Objects whose decrements one run may attribute (replay::max_watched).
inline constexpr std::size_t max_watched = 256;

inline constexpr std::size_t max_files_per_packet = 64;
inline constexpr std::size_t max_regions_per_packet = 512;

/// The replayer's own part of the address space. Regions of the target that overlap it stay
/// unmapped.
inline constexpr std::uint64_t own_start = 0x1a5a'0000'0000;
inline constexpr std::uint64_t own_stack = own_start + 0x4000'0000;
inline constexpr std::uint64_t own_window = own_start + 0x1'0000'0000;
inline constexpr std::uint64_t own_nodes = own_start + 0x80'0000'0000;  // what a walk has found
inline constexpr std::uint64_t own_counts = own_start + 0x90'0000'0000; // gc_refs, kept aside
inline constexpr std::uint64_t own_end = own_start + 0x100'0000'0000;
inline constexpr std::uint64_t max_window_size = own_nodes - own_window;
/// Objects that one walk may find.
inline constexpr std::uint64_t max_walked = std::uint64_t{1} << 31;
static_assert(own_nodes + max_walked * sizeof(std::uint64_t) <= own_counts);
/// Where Command::objects finds them.
inline constexpr std::uint64_t walked_objects = own_nodes - own_window;

/// Kind::edges: update_refs gets `index << edge_index_shift | edge_count` of each object, so that a
/// visitor finds the index of what it is passed in the object itself, and the decrements of one
/// traversal can be told from what is missing of edge_count.
inline constexpr unsigned edge_index_shift = 29;
inline constexpr std::uint64_t edge_count = std::uint64_t{1} << 28;

/// The emulated engine: a traversal may execute this many times Setup::traversal_instructions
/// altogether, so that containers of millions come to their end.
inline constexpr std::uint64_t budget_of_large_containers = 32;
/// Incidents that one trace lists; further writes and calls are left out.
inline constexpr std::size_t max_incidents_per_trace = 32;
/// Functions whose calls one trace may list.
inline constexpr std::size_t max_watched_functions = 64;

/// Functions by which the target's code gives up, and what is kept of their arguments.
inline constexpr std::size_t max_fatal_functions = 16;
inline constexpr std::size_t kept_arguments = 5;
/// A traverse function is not run any more when so many of its traversals did not end.
inline constexpr std::uint32_t endless_limit = 3;

/// Exit statuses of the replayer; 0 is an orderly end.
enum ExitStatus : int {
  exit_done = 0,
  exit_protocol = 81, // a packet made no sense
  exit_clash = 82,    // own memory in the way of the target's: start again
  exit_crashed = 83,  // a fault of its own
  exit_no_emulator = 84
};

enum class Kind : std::uint32_t {
  setup = 1, // with the window's descriptor
  map,       // with the files of its regions
  lock,
  clear,    // clear COLLECTING of objects outside the round
  update,   // update_refs
  traverse, // subtract_refs
  collect,  // read gc_refs, clear COLLECTING
  visits,   // traverse with a visitor that writes each visit down
  reply,
  trace,         // emulated engine only: visits with their slots
  trace_cleared, // emulated engine only: the same after tp_clear, of which `counts` has the address
  need,          // in the middle of a command: Reply::next is an address that `demand` regions lack
  page,          // the answer to that
  edges, // native engine only: visits of objects of the round that count, as pairs of indices
  // Native engine only, each for a collection whose lists the replayer has walked itself:
  walk,    // between map and lock: verifies the lists, update_refs
  find,    // which objects are being collected
  scan,    // sums gc_refs up, and what is wrong with them
  inspect, // traverse with a visitor that only looks at what the lists do not lead to
  list,    // each object of the collection with its counts
};

/// `file`: copy on write from the file (offsets on page boundaries). `copy`: read into memory of
/// its own. `demand`: as `file`, but the file has holes: what is touched is asked for first.
/// `fetch`: as `copy` where a walk comes, as `file` elsewhere (whole pages).
enum class Source : std::uint32_t { file, copy, zero, demand, fetch };

struct RegionRecord {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint32_t file = 0;       // index into the packet's descriptors
  std::uint32_t protection = 0; // PROT_*
  Source source = Source::zero;
  std::uint32_t reserved = 0;
};

/// How a replayer reaches an object's parts; from the target's layout (bytes).
struct ObjectShape {
  std::uint32_t gc_head_size = 16; // PyGC_Head lies right before the object
  std::uint32_t gc_prev = 8;       // in PyGC_Head
  std::uint32_t ob_type = 8;       // in PyObject
  std::uint32_t tp_flags = 168;    // in PyTypeObject
  std::uint32_t tp_traverse = 184;
  std::uint32_t tp_is_gc = 328;
  std::uint32_t tp_flags_have_gc_bit = 14;
  std::uint32_t ob_refcnt = 0;          // in PyObject
  std::uint32_t tp_flags_type_bit = 31; // of the types of types
  std::uint32_t reserved = 0;
};

struct Setup {
  Kind kind = Kind::setup;
  std::uint32_t version = protocol::version;
  std::uint64_t window_size = 0;
  std::uint64_t thread_pointer = 0;
  std::uint64_t tick_microseconds = 0; // of CPU time
  std::uint32_t ticks_per_traversal = 0;
  std::int32_t parent = 0; // process id of the analysis
  ObjectShape shape;
  std::uint64_t traversal_instructions = 0; // emulated engine: between two visits
  /// A call of one of these ends the traversal (Outcome::assertion); 0: none.
  std::array<std::uint64_t, max_fatal_functions> fatal_functions{};
};

/// Followed by `count` RegionRecords in the same packet.
struct Map {
  Kind kind = Kind::map;
  std::uint32_t count = 0;
};

struct Lock {
  Kind kind = Kind::lock;
};

/// See replay::Answer.
struct Answer {
  std::uint64_t function = 0;
  std::uint64_t value = 0;
};

/// clear, update, traverse, collect, visits, trace, edges, find, scan, inspect, list. Offsets are
/// bytes from the window's start. find: `records` are u64, for each object whether it
/// is being collected: 0 or 1. scan: `records` is a Scan. list:
/// `records` are up to record_capacity ListedObjects.
struct Command {
  Kind kind = Kind::update;
  std::uint32_t watched_count = 0;
  std::uint64_t first = 0; // [first, end) of the objects
  std::uint64_t end = 0;
  std::uint64_t object_count = 0; // edges: of all objects; [first, end) are the containers
  std::uint64_t objects = 0;      // u64 addresses; update sets those it cannot write to 0
  std::uint64_t counts = 0; // u64 refcounts; collect replaces them by i64 gc_refs; trace: functions
  std::uint64_t watched = 0;   // u32 indices into the objects; trace: u64 functions
  std::uint64_t incidents = 0; // IncidentRecords
  std::uint64_t incident_capacity = 0;
  std::uint64_t records = 0; // DecrementRecords, VisitRecords, TraceRecords or EdgeRecords
  std::uint64_t record_capacity = 0;
  std::uint64_t function = 0; // in place of tp_traverse
  /// The target's visit_decref; 0: a visitor of the replayer's own. edges: what tells the visits
  /// that count from those of borrowed references; 0: all count.
  std::uint64_t visitor = 0;
  std::array<Answer, 2> answers{}; // trace_cleared, in this order
};

/// The lists of one collection in the order in which the collector joins them. The answer tells in
/// Reply::next how many objects are collected; the rest is in the window.
struct Walk {
  Kind kind = Kind::walk;
  std::uint32_t list_count = 0;
  std::uint64_t lists = 0; // WalkedLists, in and out
  std::uint64_t types = 0; // WalkedTypes, in the order in which they were met with
  std::uint64_t type_capacity = 0;
  std::uint64_t samples = 0; // WalkedSamples
  std::uint64_t sample_capacity = 0;
  std::uint64_t outcome = 0; // a WalkOutcome
  std::uint64_t object_capacity = 0;
  std::uint32_t sample_size = 0;   // objects of each type
  std::uint32_t immortal = 0;      // an int32 of ob_refcnt below 0 keeps an object out
  std::uint64_t sampled_type = 0;  // all objects of it and of what derives from it; 0: none
  std::uint64_t refcount_mask = 0; // of ob_refcnt: what update_refs copies
  std::uint32_t gc_next = 0;       // in PyGC_Head
  std::uint32_t ob_refcnt = 0;
  std::uint32_t tp_base = 0;
  std::uint32_t ob_size = 0;
  std::uint64_t tuple_type = 0;  // 0: tuples are not looked at
  std::uint64_t tuple_items = 0; // from the object on
  std::uint64_t dict_type = 0;   // 0: dicts are not looked at
  std::uint32_t ma_keys = 0;
  std::uint32_t ma_values = 0;
  std::uint32_t dk_kind = 0; // in the keys; 0: unknown
  /// 1: gc_refs stand beside the target's memory, which so remains the file's: the visitor is the
  /// replayer's own. 0: in the heads, where the target's visit_decref looks for them.
  std::uint32_t counts_aside = 0;
};

struct WalkedList {
  std::uint64_t head = 0;
  std::uint64_t count = 0;     // out
  std::uint32_t collected = 0; // 0: verified only
  std::uint32_t reserved = 0;
};

struct WalkedType {
  std::uint64_t type = 0;
  std::uint32_t sampled = 0;
  std::uint32_t all = 0; // each object is sampled
};

struct WalkedSample {
  std::uint64_t object = 0;
  std::uint64_t type = 0;
  std::uint64_t index = 0; // in the collection
};

/// Why a walk has stopped before its end; what it has found then is nothing.
enum class WalkStop : std::uint32_t {
  none,
  link,     // a list that does not hang together, or whose objects are being collected
  object,   // a reference count of 0 or beyond reason
  fault,    // memory that cannot be had or written
  capacity, // more objects, types or samples than there is room for
};

struct WalkOutcome {
  WalkStop stop = WalkStop::none;
  std::uint32_t type_count = 0;
  std::uint64_t sample_count = 0;
  std::uint64_t immortal = 0;
  std::uint64_t refcounts = 0; // sum over the collected
};

struct Scan {
  std::uint64_t refcounts = 0; // sums
  std::uint64_t gc_refs = 0;
  std::uint64_t negative = 0; // objects whose gc_refs is below zero
  std::uint64_t lost = 0;     // objects whose gc_refs cannot be told
  std::uint64_t suspects =
      0; // visits of what may be no live object or should be on a list; unsound contents
};

/// An object of a collection after its traversals; of a count that the target's own visitor left.
struct ListedObject {
  std::uint64_t object = 0;
  std::uint64_t type = 0;
  std::uint64_t refcount = 0;
  std::int64_t gc_refs = 0;
};

/// The pages [start, end) around the address asked for are in the file now.
struct Page {
  Kind kind = Kind::page;
  std::uint32_t readable = 0; // 0: that memory cannot be had
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

/// What the answers to setup and lock report about the sandbox.
enum class LockFailure : std::uint32_t {
  none,
  no_new_privileges,
  limits,
  signals,
  descriptors,
  seccomp
};

struct Reply {
  Kind kind = Kind::reply;
  LockFailure failure = LockFailure::none;
  std::int32_t error = 0; // errno of the failure
  std::uint32_t reserved = 0;
  std::uint64_t next = 0;      // the first object not dealt with: a buffer was full
  std::uint64_t incidents = 0; // records written
  std::uint64_t records = 0;
  std::uint64_t traversed = 0;
  std::uint64_t failed_regions = 0; // map: could not be mapped, so far
  std::uint64_t instructions = 0;   // trace: executed
};

/// First in the window. Written by the replayer while it runs, read by the analysis to see it move.
struct WindowHeader {
  std::uint64_t progress = 0;
};
inline constexpr std::uint64_t window_header_size = 4096;

/// How the traversal of one container ended.
enum class Outcome : std::uint32_t {
  completed,
  not_run,
  fault,
  illegal_instruction,
  trap,
  syscall,
  timeout,
  write,
  unsupported_instruction, // the emulated engine lacks it: not the target's fault
  assertion,               // a fatal function was called, from `pc`: `address`, with `arguments`
  skipped,      // not run: too many of its function did not end. Native: told once a command and
                // function
  call,         // of a watched function, when traced: it ends nothing
  undone_write, // when traced: memory was something else meanwhile; `number` is the write's size
};

struct IncidentRecord {
  std::uint64_t pc = 0;
  std::uint64_t address = 0;
  std::int64_t number = 0;
  std::uint32_t container = 0;
  Outcome outcome = Outcome::not_run;
  std::array<std::uint64_t, kept_arguments> arguments{};
};

struct DecrementRecord {
  std::uint32_t container = 0;
  std::uint32_t watched = 0; // index into the objects
  std::uint32_t visits = 0;
};

struct VisitRecord {
  std::uint64_t object = 0;
  std::uint32_t container = 0;
  std::uint32_t reserved = 0;
};

struct EdgeRecord {
  std::uint32_t container = 0; // indices into the objects
  std::uint32_t object = 0;
};

struct TraceRecord {
  std::uint64_t object = 0;
  std::uint64_t slot = 0;
  std::uint32_t request = 0; // index into the objects
  std::uint32_t counted = 0;
  std::uint32_t tagged = 0;  // the slot's word had tag bits set
  std::uint8_t repeated = 0; // an earlier visit of the traversal had taken the slot
  std::uint8_t other = 0;    // no visit: the visited pointer was loaded from here too
  std::uint16_t reserved = 0;
};

} // namespace pygc::replay::protocol
