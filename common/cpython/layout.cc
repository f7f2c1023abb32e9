#include "common/cpython/layout.h"

#include "common/cpython/version.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <variant>

namespace pygc::cpython {
namespace {

constexpr std::int64_t offset_limit = std::int64_t{64} << 20;
constexpr std::string_view table_schema = "pygc.layout/1";

struct Field {
  const char* structure;
  const char* member;
  std::variant<Layout::Offset Layout::*, Layout::Maybe Layout::*,
               FreeThreadedLayout::Offset FreeThreadedLayout::*,
               FreeThreadedLayout::Maybe FreeThreadedLayout::*>
      to;
};
using Free = FreeThreadedLayout;

// The one list of what pygc knows of CPython's structs by name.
const Field fields[] = {
    {"PyGC_Head", "sizeof", &Layout::gc_head_size},
    {"PyGC_Head", "_gc_next", &Layout::gc_next},
    {"PyGC_Head", "_gc_prev", &Layout::gc_prev},
    {"gc_generation", "sizeof", &Layout::generation_size},
    {"gc_generation", "head", &Layout::generation_head},
    {"gc_generation", "threshold", &Layout::generation_threshold},
    {"gc_generation", "count", &Layout::generation_count},
    {"_gc_runtime_state", "enabled", &Layout::gc_enabled},
    {"_gc_runtime_state", "collecting", &Layout::gc_collecting},
    {"_gc_runtime_state", "permanent_generation", &Layout::gc_permanent},
    {"_gc_runtime_state", "generations", &Layout::gc_generations},
    {"_gc_runtime_state", "young", &Layout::gc_young},
    {"_gc_runtime_state", "old", &Layout::gc_old},
    {"_gc_runtime_state", "visited_space", &Layout::gc_visited_space},
    {"_gc_runtime_state", "long_lived_total", &Free::gc_long_lived_total},
    {"PyObject", "ob_refcnt", &Layout::ob_refcnt},
    {"PyObject", "ob_refcnt_full", &Layout::ob_refcnt_full},
    {"PyObject", "ob_type", &Layout::ob_type},
    {"PyObject", "ob_tid", &Free::ob_tid},
    {"PyObject", "ob_mutex", &Free::ob_mutex},
    {"PyObject", "ob_gc_bits", &Free::ob_gc_bits},
    {"PyObject", "ob_ref_local", &Free::ob_ref_local},
    {"PyObject", "ob_ref_shared", &Free::ob_ref_shared},
    {"PyVarObject", "ob_size", &Layout::ob_size},
    {"PyTypeObject", "sizeof", &Layout::type_size},
    {"PyTypeObject", "tp_name", &Layout::tp_name},
    {"PyTypeObject", "tp_basicsize", &Layout::tp_basicsize},
    {"PyTypeObject", "tp_itemsize", &Layout::tp_itemsize},
    {"PyTypeObject", "tp_flags", &Layout::tp_flags},
    {"PyTypeObject", "tp_traverse", &Layout::tp_traverse},
    {"PyTypeObject", "tp_members", &Layout::tp_members},
    {"PyTypeObject", "tp_base", &Layout::tp_base},
    {"PyTypeObject", "tp_dictoffset", &Layout::tp_dictoffset},
    {"PyTypeObject", "tp_is_gc", &Layout::tp_is_gc},
    {"PyHeapTypeObject", "sizeof", &Layout::heap_type_size},
    {"PyHeapTypeObject", "ht_name", &Layout::ht_name},
    {"PyHeapTypeObject", "ht_qualname", &Layout::ht_qualname},
    {"PyHeapTypeObject", "ht_module", &Layout::ht_module},
    {"PyModuleObject", "sizeof", &Layout::module_size},
    {"PyModuleObject", "md_dict", &Layout::md_dict},
    {"PyModuleObject", "md_state", &Layout::md_state},
    {"PyModuleObject", "md_name", &Layout::md_name},
    {"PyModuleObject", "md_def", &Layout::md_def},
    {"PyModuleObject", "md_state_size", &Layout::md_state_size},
    {"PyModuleObject", "md_state_traverse", &Layout::md_state_traverse},
    {"PyModuleObject", "md_token", &Layout::md_token},
    {"PyModuleDef", "m_name", &Layout::m_name},
    {"PyModuleDef", "m_size", &Layout::m_size},
    {"PyModuleDef", "m_slots", &Layout::m_slots},
    {"PyModuleDef", "m_traverse", &Layout::m_traverse},
    {"PyDictObject", "ma_used", &Layout::ma_used},
    {"PyDictObject", "ma_keys", &Layout::ma_keys},
    {"PyDictObject", "ma_values", &Layout::ma_values},
    {"PyDictKeysObject", "dk_nentries", &Layout::dk_nentries},
    {"PyDictKeysObject", "dk_indices", &Layout::dk_indices},
    {"PyDictKeysObject", "dk_size", &Layout::dk_size},
    {"PyDictKeysObject", "dk_log2_size", &Layout::dk_log2_size},
    {"PyDictKeysObject", "dk_log2_index_bytes", &Layout::dk_log2_index_bytes},
    {"PyDictKeysObject", "dk_kind", &Layout::dk_kind},
    {"PyDictValues", "values", &Layout::dict_values},
    {"PyASCIIObject", "sizeof", &Layout::ascii_size},
    {"PyASCIIObject", "length", &Layout::unicode_length},
    {"PyASCIIObject", "state", &Layout::unicode_state},
    {"PyCompactUnicodeObject", "sizeof", &Layout::compact_size},
    {"_PyStackRef", "sizeof", &Layout::stack_ref_size},
    {"PyFunctionObject", "func_qualname", &Layout::func_qualname},
    {"PyGenObject", "gi_qualname", &Layout::gi_qualname},
    {"PyInterpreterState", "sizeof", &Layout::interp_size},
    {"PyInterpreterState", "next", &Layout::interp_next},
    {"PyInterpreterState", "id", &Layout::interp_id},
    {"PyInterpreterState", "gc", &Layout::interp_gc},
    {"PyInterpreterState", "finalizing", &Layout::interp_finalizing},
    {"PyInterpreterState", "modules", &Layout::interp_modules},
    {"PyInterpreterState", "imports.modules", &Layout::interp_imports_modules},
    {"PyInterpreterState", "threads.head", &Layout::interp_threads},
    {"PyInterpreterState", "tstate_head", &Layout::interp_threads},
    {"PyInterpreterState", "tuple.free_list", &Layout::free_tuples},
    {"PyInterpreterState", "tuple.numfree", &Layout::free_tuple_counts},
    {"PyInterpreterState", "list.free_list", &Layout::free_lists},
    {"PyInterpreterState", "list.numfree", &Layout::free_list_count},
    {"PyInterpreterState", "dict_state.free_list", &Layout::free_dicts},
    {"PyInterpreterState", "dict_state.numfree", &Layout::free_dict_count},
    {"PyInterpreterState", "object_state.freelists.tuples.items", &Layout::free_tuples},
    {"PyInterpreterState", "object_state.freelists.tuples.numfree", &Layout::free_tuple_counts},
    {"PyInterpreterState", "object_state.freelists.lists.items", &Layout::free_lists},
    {"PyInterpreterState", "object_state.freelists.lists.numfree", &Layout::free_list_count},
    {"PyInterpreterState", "object_state.freelists.dicts.items", &Layout::free_dicts},
    {"PyInterpreterState", "object_state.freelists.dicts.numfree", &Layout::free_dict_count},
    {"PyInterpreterState", "mimalloc.abandoned_pool", &Free::interp_abandoned_pool},
    {"PyInterpreterState", "stoptheworld.world_stopped", &Free::interp_world_stopped},
    {"PyThreadState", "next", &Layout::thread_next},
    {"PyThreadState", "cframe", &Layout::thread_cframe},
    {"PyThreadState", "current_frame", &Layout::thread_frame},
    {"PyThreadState", "frame", &Layout::thread_frame_object},
    {"PyThreadState", "native_thread_id", &Free::thread_native_id},
    {"_PyThreadStateImpl", "mimalloc.heaps", &Free::thread_heaps},
    {"_PyThreadStateImpl", "mimalloc.initialized", &Free::thread_heaps_ready},
    {"_PyThreadStateImpl", "gc.alloc_count", &Free::thread_alloc_count},
    {"_PyThreadStateImpl", "brc.tid", &Free::thread_owner_id},
    {"_PyThreadStateImpl", "brc.objects_to_merge", &Free::thread_merge_queue},
    {"_PyThreadStateImpl", "brc.local_objects_to_merge", &Free::thread_own_merge_queue},
    {"_PyObjectStackChunk", "prev", &Free::chunk_previous},
    {"_PyObjectStackChunk", "n", &Free::chunk_count},
    {"_PyObjectStackChunk", "objs", &Free::chunk_objects},
    {"mi_heap_s", "sizeof", &Free::heap_size},
    {"mi_heap_s", "pages", &Free::heap_pages},
    {"mi_heap_s", "thread_delayed_free", &Free::heap_delayed_free},
    {"mi_heap_s", "keys", &Free::heap_keys},
    {"mi_heap_s", "tag", &Free::heap_tag},
    {"mi_heap_s", "page_count", &Free::heap_page_count},
    {"mi_page_queue_s", "sizeof", &Free::queue_size},
    {"mi_page_queue_s", "first", &Free::queue_first},
    {"mi_page_s", "sizeof", &Free::page_size},
    {"mi_page_s", "slice_count", &Free::page_slice_count},
    {"mi_page_s", "debug_offset", &Free::page_debug_offset},
    {"mi_page_s", "capacity", &Free::page_capacity},
    {"mi_page_s", "reserved", &Free::page_reserved},
    {"mi_page_s", "free", &Free::page_free},
    {"mi_page_s", "used", &Free::page_used},
    {"mi_page_s", "xblock_size", &Free::page_block_size},
    {"mi_page_s", "local_free", &Free::page_local_free},
    {"mi_page_s", "keys", &Free::page_keys},
    {"mi_page_s", "xthread_free", &Free::page_thread_free},
    {"mi_page_s", "xheap", &Free::page_heap},
    {"mi_page_s", "next", &Free::page_next},
    {"mi_segment_s", "abandoned_next", &Free::segment_abandoned_next},
    {"mi_segment_s", "segment_slices", &Free::segment_slice_count},
    {"mi_segment_s", "slice_entries", &Free::segment_slice_entries},
    {"mi_segment_s", "slices", &Free::segment_slices},
    {"mi_abandoned_pool_s", "abandoned_visited", &Free::pool_visited},
    {"mi_abandoned_pool_s", "abandoned", &Free::pool_abandoned},
    {"mi_abandoned_pool_s", "abandoned_readers", &Free::pool_readers},
    {"PyFrameObject", "f_back", &Layout::frame_object_back},
    {"PyFrameObject", "f_code", &Layout::frame_object_code},
    {"PyFrameObject", "f_valuestack", &Layout::frame_object_valuestack},
    {"PyFrameObject", "f_lasti", &Layout::frame_object_lasti},
    {"PyFrameObject", "f_localsplus", &Layout::frame_object_localsplus},
    {"_PyCFrame", "current_frame", &Layout::cframe_frame},
    {"_PyInterpreterFrame", "f_code", &Layout::frame_code},
    {"_PyInterpreterFrame", "f_executable", &Layout::frame_executable},
    {"_PyInterpreterFrame", "previous", &Layout::frame_previous},
    {"_PyInterpreterFrame", "owner", &Layout::frame_owner},
    {"_PyInterpreterFrame", "localsplus", &Layout::frame_localsplus},
    {"_PyInterpreterFrame", "prev_instr", &Layout::frame_prev_instr},
    {"_PyInterpreterFrame", "instr_ptr", &Layout::frame_instr_ptr},
    {"_PyInterpreterFrame", "stacktop", &Layout::frame_stacktop},
    {"_PyInterpreterFrame", "is_entry", &Layout::frame_is_entry},
    {"PyCodeObject", "co_nlocalsplus", &Layout::co_nlocalsplus},
    {"PyCodeObject", "co_localsplusnames", &Layout::co_localsplusnames},
    {"PyCodeObject", "co_qualname", &Layout::co_qualname},
    {"PyCodeObject", "co_filename", &Layout::co_filename},
    {"PyCodeObject", "co_firstlineno", &Layout::co_firstlineno},
    {"PyCodeObject", "co_linetable", &Layout::co_linetable},
    {"PyCodeObject", "co_lnotab", &Layout::co_lnotab},
    {"PyCodeObject", "co_code_adaptive", &Layout::co_code_adaptive},
    {"PyCodeObject", "co_varnames", &Layout::co_varnames},
    {"PyCodeObject", "co_cellvars", &Layout::co_cellvars},
    {"PyCodeObject", "co_freevars", &Layout::co_freevars},
    {"_PyRuntimeState", "sizeof", &Layout::runtime_size},
    {"_PyRuntimeState", "interpreters.head", &Layout::interpreters_head},
    {"_PyRuntimeState", "gc", &Layout::runtime_gc},
    {"_PyRuntimeState", "allocators.is_debug_enabled", &Free::runtime_debug_allocator},
    {"_PyRuntimeState", "faulthandler", &Layout::runtime_faulthandler},
    {"_faulthandler_runtime_state", "fatal_error.enabled", &Layout::fh_enabled},
    {"_faulthandler_runtime_state", "fatal_error.file", &Layout::fh_file},
    {"_faulthandler_runtime_state", "fatal_error.fd", &Layout::fh_fd},
    {"_faulthandler_runtime_state", "fatal_error.all_threads", &Layout::fh_all_threads},
    {"_faulthandler_runtime_state", "thread.file", &Layout::fh_thread_file},
    {"_faulthandler_runtime_state", "thread.fd", &Layout::fh_thread_fd},
    {"_faulthandler_runtime_state", "user_signals", &Layout::fh_user_signals},
    {"faulthandler_user_signal", "sizeof", &Layout::user_signal_size},
    {"faulthandler_user_signal", "enabled", &Layout::user_signal_enabled},
    {"faulthandler_user_signal", "file", &Layout::user_signal_file},
    {"faulthandler_user_signal", "fd", &Layout::user_signal_fd},
    {"faulthandler_user_signal", "all_threads", &Layout::user_signal_all_threads},
    {"faulthandler_user_signal", "chain", &Layout::user_signal_chain},
};

// Up to 3.11 the struct of one user signal has another name (Modules/faulthandler.c).
constexpr std::string_view old_user_signal = "user_signal_t";

} // namespace

std::string_view layout_source_name(LayoutSource source) {
  switch (source) {
  case LayoutSource::dwarf:
    return "dwarf";
  case LayoutSource::table:
    return "table";
  case LayoutSource::probed:
    return "probed";
  }
  return "probed";
}

const std::vector<image::LayoutQuery>& layout_queries() {
  static const std::vector<image::LayoutQuery> queries = [] {
    std::vector<image::LayoutQuery> list;
    for (const Field& field : fields) {
      if (list.empty() || list.back().name != field.structure) {
        list.push_back({field.structure, {}});
      }
      if (std::string_view(field.member) != "sizeof") {
        list.back().members.emplace_back(field.member);
      }
    }
    image::LayoutQuery old = list.back();
    old.name = old_user_signal;
    list.push_back(std::move(old));
    return list;
  }();
  return queries;
}

namespace {

std::optional<std::int64_t> described(const image::Layouts& structs, const Field& field) {
  auto structure = structs.find(std::string_view(field.structure));
  if (structure == structs.end() &&
      std::string_view(field.structure) == "faulthandler_user_signal") {
    structure = structs.find(old_user_signal);
  }
  if (structure == structs.end()) {
    return std::nullopt;
  }
  const auto member = structure->second.find(std::string_view(field.member));
  return member == structure->second.end() ? std::nullopt : std::optional(member->second);
}

/// Builds with a GIL have these, and only they.
bool is_of_gil(const Field& field) {
  const auto* offset = std::get_if<Layout::Offset Layout::*>(&field.to);
  return offset != nullptr && *offset == &Layout::ob_refcnt;
}

/// Builds without a GIL have a collector's bits in each object instead of a PyGC_Head before it.
bool is_free_threaded(const image::Layouts& structs) {
  const auto object = structs.find("PyObject");
  return object != structs.end() && object->second.contains("ob_gc_bits");
}

} // namespace

Result<Layout> make_layout(const image::Layouts& structs) {
  Layout layout;
  const bool free_threaded = is_free_threaded(structs);
  if (free_threaded) {
    layout.free_threaded.emplace();
  }
  for (const Field& field : fields) {
    const std::optional<std::int64_t> value = described(structs, field);
    if (value && (*value < 0 || *value > offset_limit)) {
      return fail(
          ErrorKind::corrupt, 0,
          fmt::format("{}.{} at offset {} cannot be", field.structure, field.member, *value));
    }
    const bool of_free_threaded = std::holds_alternative<Free::Offset Free::*>(field.to) ||
                                  std::holds_alternative<Free::Maybe Free::*>(field.to);
    if ((of_free_threaded && !free_threaded) || (is_of_gil(field) && free_threaded)) {
      continue;
    }
    const bool required = std::holds_alternative<Layout::Offset Layout::*>(field.to) ||
                          std::holds_alternative<Free::Offset Free::*>(field.to);
    if (required && !value) {
      return fail(ErrorKind::no_debug_info, 0,
                  fmt::format("{}.{} is not described", field.structure, field.member));
    }
    if (!value) {
      continue;
    }
    const auto offset = static_cast<std::uint32_t>(*value);
    if (const auto* to = std::get_if<Layout::Offset Layout::*>(&field.to)) {
      layout.*(*to) = offset;
    } else if (const auto* maybe = std::get_if<Layout::Maybe Layout::*>(&field.to)) {
      layout.*(*maybe) = offset;
    } else if (const auto* free = std::get_if<Free::Offset Free::*>(&field.to)) {
      (*layout.free_threaded).*(*free) = offset;
    } else {
      (*layout.free_threaded).*std::get<Free::Maybe Free::*>(field.to) = offset;
    }
  }
  if (layout.gc_head_size < 16 || layout.gc_head_size > 64) {
    return fail(ErrorKind::corrupt, 0,
                fmt::format("a PyGC_Head of {} bytes cannot be", layout.gc_head_size));
  }
  if (free_threaded) {
    layout.gc_head_size = 0; // what is described is of the lists' heads, which nothing uses
  }
  return layout;
}

Result<LayoutTable> parse_layout_table(std::string_view name, std::string_view json) {
  const auto document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object() || document.value("schema", "") != table_schema ||
      !document.contains("structs") || !document["structs"].is_object()) {
    return fail(ErrorKind::corrupt, 0, fmt::format("{} is no layout table", name));
  }
  image::Layouts structs;
  for (const auto& [structure, members] : document["structs"].items()) {
    for (const auto& [member, offset] : members.items()) {
      if (!offset.is_number_integer()) {
        return fail(ErrorKind::corrupt, 0,
                    fmt::format("{}: {}.{} is no number", name, structure, member));
      }
      structs[structure][member] = offset.get<std::int64_t>();
    }
  }
  auto layout = make_layout(structs);
  if (!layout) {
    return std::unexpected(layout.error());
  }
  LayoutTable table;
  table.name = name;
  table.hexversion = parse_version(document.value("version", ""));
  table.debug = document.value("debug", false);
  table.vendor = document.value("vendor", "");
  table.layout = *layout;
  if (table.hexversion == 0) {
    return fail(ErrorKind::corrupt, 0, fmt::format("{} names no version", name));
  }
  return table;
}

std::string format_layout_table(const image::Layouts& structs, std::string_view version, bool debug,
                                std::string_view vendor) {
  nlohmann::ordered_json document;
  document["schema"] = table_schema;
  document["version"] = version;
  document["debug"] = debug;
  document["vendor"] = vendor;
  for (const auto& [structure, members] : structs) {
    for (const auto& [member, offset] : members) {
      document["structs"][structure][member] = offset;
    }
  }
  return document.dump(1) + "\n";
}

std::vector<LayoutTable> load_layout_tables(const std::string& directory) {
  std::vector<LayoutTable> tables;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".json") {
      continue;
    }
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (auto table = parse_layout_table(entry.path().stem().string(), text)) {
      tables.push_back(std::move(*table));
    }
  }
  std::ranges::sort(tables, {}, &LayoutTable::name);
  return tables;
}

} // namespace pygc::cpython
