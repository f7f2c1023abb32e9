// Where the fields of CPython's structs lie in one build. One table of fields drives the DWARF
// queries, the table files and the checks.
#pragma once

#include "common/base/error.h"
#include "common/image/module.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::cpython {

/// What only builds without a GIL have (Py_GIL_DISABLED, 3.13 and later): objects that say
/// themselves what the collector knows of them, and the allocator's heaps in which it finds them.
struct FreeThreadedLayout {
  using Offset = std::uint32_t;
  using Maybe = std::optional<std::uint32_t>;

  Offset ob_tid = 0, ob_gc_bits = 0, ob_ref_local = 0, ob_ref_shared = 0; // PyObject
  Maybe ob_mutex;
  Offset gc_long_lived_total = 0;                                          // _gc_runtime_state
  Offset interp_abandoned_pool = 0, interp_world_stopped = 0;              // PyInterpreterState
  Offset runtime_debug_allocator = 0;                                      // _PyRuntimeState
  Offset thread_native_id = 0;                                             // PyThreadState
  Offset thread_heaps = 0, thread_heaps_ready = 0, thread_alloc_count = 0; // _PyThreadStateImpl
  Maybe thread_owner_id, thread_merge_queue, thread_own_merge_queue;       // its brc
  Maybe chunk_previous, chunk_count, chunk_objects;                        // _PyObjectStackChunk
  Offset heap_size = 0, heap_pages = 0, heap_delayed_free = 0;             // mi_heap_s
  Offset heap_keys = 0, heap_tag = 0, heap_page_count = 0;
  Offset queue_size = 0, queue_first = 0;     // mi_page_queue_s
  Offset page_size = 0, page_slice_count = 0; // mi_page_s
  Offset page_debug_offset = 0;               // behind the byte with the tag
  Offset page_capacity = 0, page_reserved = 0, page_free = 0, page_used = 0, page_block_size = 0;
  Offset page_local_free = 0, page_thread_free = 0, page_heap = 0, page_next = 0;
  Maybe page_keys;                                            // free lists are encoded
  Offset segment_abandoned_next = 0, segment_slice_count = 0; // mi_segment_s
  Offset segment_slice_entries = 0, segment_slices = 0;
  Offset pool_visited = 0, pool_abandoned = 0, pool_readers = 0; // mi_abandoned_pool_s
};

/// Byte offsets within the struct each is named after; sizes in bytes. A field that a version does
/// not have is empty: its absence is how versions are told apart.
struct Layout {
  using Offset = std::uint32_t;
  using Maybe = std::optional<std::uint32_t>;

  std::optional<FreeThreadedLayout> free_threaded; // nothing: a build with a GIL

  Offset gc_head_size = 0, gc_next = 0, gc_prev = 0; // PyGC_Head; free-threaded: no object has one
  Offset generation_size = 0, generation_head = 0;   // gc_generation
  Offset generation_threshold = 0, generation_count = 0;
  Offset gc_enabled = 0, gc_collecting = 0, gc_permanent = 0; // _gc_runtime_state
  Maybe gc_generations, gc_young, gc_old, gc_visited_space;
  Offset ob_refcnt = 0, ob_type = 0, ob_size = 0; // PyObject; free-threaded: no ob_refcnt
  Maybe ob_refcnt_full;
  Offset tp_name = 0, tp_basicsize = 0, tp_itemsize = 0, tp_flags = 0; // PyTypeObject
  Offset tp_traverse = 0, tp_members = 0, tp_base = 0, tp_dictoffset = 0, tp_is_gc = 0;
  Maybe ht_name, ht_qualname, ht_module; // PyHeapTypeObject
  Offset type_size = 0;
  Maybe heap_type_size;
  Offset md_dict = 0, md_state = 0, md_name = 0; // PyModuleObject
  Maybe md_def, md_state_size, md_state_traverse, md_token;
  Offset module_size = 0;
  Offset m_name = 0, m_size = 0, m_slots = 0, m_traverse = 0; // PyModuleDef
  Offset ma_used = 0, ma_keys = 0, ma_values = 0;             // PyDictObject
  Offset dk_nentries = 0, dk_indices = 0;                     // PyDictKeysObject
  Maybe dk_size, dk_log2_size, dk_log2_index_bytes, dk_kind;
  Maybe dict_values; // PyDictValues
  Offset ascii_size = 0, unicode_length = 0, unicode_state = 0, compact_size = 0;
  Maybe stack_ref_size; // _PyStackRef (3.14+: tagged references)
  Maybe func_qualname, gi_qualname;
  Offset interp_next = 0, interp_id = 0, interp_size = 0; // PyInterpreterState
  Maybe interp_gc, interp_finalizing, interp_modules, interp_imports_modules;
  Offset interpreters_head = 0, runtime_size = 0; // _PyRuntimeState
  Maybe runtime_gc, runtime_faulthandler;
  Maybe free_tuples, free_tuple_counts, free_lists, free_list_count; // of PyInterpreterState
  Maybe free_dicts, free_dict_count;
  Maybe interp_threads, thread_next, thread_cframe, thread_frame; // PyThreadState
  Maybe thread_frame_object; // PyThreadState.frame (to 3.10: a PyFrameObject)
  Maybe frame_object_back, frame_object_code, frame_object_valuestack; // PyFrameObject
  Maybe frame_object_lasti, frame_object_localsplus;
  Maybe cframe_frame; // _PyCFrame (3.11, 3.12)
  Maybe frame_code, frame_executable, frame_previous, frame_owner, frame_localsplus;
  Maybe frame_prev_instr, frame_instr_ptr, frame_stacktop, frame_is_entry; // _PyInterpreterFrame
  Maybe co_nlocalsplus, co_localsplusnames, co_qualname, co_filename;      // PyCodeObject
  Maybe co_firstlineno, co_linetable, co_lnotab, co_code_adaptive;
  Maybe co_varnames, co_cellvars, co_freevars;
  Maybe fh_enabled, fh_file, fh_fd, fh_all_threads; // _faulthandler_runtime_state (3.12+)
  Maybe fh_thread_file, fh_thread_fd, fh_user_signals;
  Maybe user_signal_size, user_signal_enabled, user_signal_file; // one element of user_signals
  Maybe user_signal_fd, user_signal_all_threads, user_signal_chain;
};

enum class LayoutSource : std::uint8_t { dwarf, table, probed };
std::string_view layout_source_name(LayoutSource source);

/// All structs and members that Layout is made of, for Module::layouts() and for table files.
const std::vector<image::LayoutQuery>& layout_queries();

/// Turns struct descriptions into a Layout. Errors: no_debug_info naming the first required field
/// that is missing, corrupt for an offset that cannot be.
Result<Layout> make_layout(const image::Layouts& structs);

/// One table file (common/cpython/layouts/*.json).
struct LayoutTable {
  std::string name; // file name without ".json"
  std::uint32_t hexversion = 0;
  bool debug = false;
  std::string vendor; // "upstream", "debian"
  Layout layout;
};

/// Parses a table file's text. Errors: corrupt.
Result<LayoutTable> parse_layout_table(std::string_view name, std::string_view json);
/// The text of a table file.
std::string format_layout_table(const image::Layouts& structs, std::string_view version, bool debug,
                                std::string_view vendor);
/// All table files of a directory; files that do not parse are left out.
std::vector<LayoutTable> load_layout_tables(const std::string& directory);

} // namespace pygc::cpython
