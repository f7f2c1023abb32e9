#include "common/image/process/elf_module.h"

#include "common/base/numbers.h"
#include "common/image/dwarf/dwarf_layout.h"
#include "common/image/dwarf/dwarf_member.h"
#include "common/image/dwarf/dwarf_source.h"
#include "common/image/dwarf/dwarf_static.h"
#include "common/image/elf/debug_file.h"
#include "common/machine/machine.h"

#include <algorithm>

namespace pygc::image {
namespace {

const std::string no_path;

std::string layout_key(const LayoutQuery& query) {
  std::vector<std::string> members = query.members;
  std::ranges::sort(members);
  std::string key = query.name + ":";
  for (const std::string& member : members) {
    key += member + ",";
  }
  return key;
}

bool has_info(const ElfHandle* elf) {
  const auto section = elf == nullptr ? std::nullopt : elf->section(".debug_info");
  return section && section->has_bytes();
}

// A layout as the cache has it; nothing when the cache was tampered with.
std::optional<StructLayout> layout_from_json(const nlohmann::json& json) {
  if (!json.is_object() || !json.contains("sizeof")) {
    return std::nullopt;
  }
  StructLayout layout;
  for (const auto& [path, offset] : json.items()) {
    if (!offset.is_number_integer()) {
      return std::nullopt;
    }
    layout[path] = offset.get<std::int64_t>();
  }
  return layout;
}

} // namespace

ElfModule::ElfModule(LoadedImage image, FileOptions options)
    : image_(std::move(image)), options_(std::move(options)), cache_(image_.build_id) {
  for (const Elf64_Phdr& program : image_.headers.programs) {
    std::uint64_t end = 0;
    if (program.p_type != PT_LOAD ||
        __builtin_add_overflow(program.p_vaddr, program.p_memsz, &end) ||
        end >= machine::user_space_end) {
      continue;
    }
    const Range range{.start = image_.bias + program.p_vaddr, .end = image_.bias + end};
    if ((program.p_flags & PF_W) != 0) {
      static_storage_.push_back(range);
    }
    if ((program.p_flags & PF_X) != 0) {
      code_.push_back(range);
    }
  }
}

ElfModule::~ElfModule() {
  if (eh_frame_ != nullptr) {
    ::dwarf_cfi_end(eh_frame_);
  }
}

const ElfHandle* ElfModule::own() const {
  if (!own_tried_) {
    own_tried_ = true;
    const ElfFile& file = image_.source.file;
    if (file.fd) {
      if (auto handle = ElfHandle::open(file.fd.get(), file.path)) {
        own_ = std::move(*handle);
      }
    }
  }
  return own_ ? &*own_ : nullptr;
}

const ElfHandle* ElfModule::debug() const {
  if (!debug_tried_) {
    debug_tried_ = true;
    debug_ = find_debug_file(image_.build_id, own(), options_);
  }
  return debug_ ? &*debug_ : nullptr;
}

bool ElfModule::has_own_dwarf() const {
  return has_info(own());
}

const ElfHandle* ElfModule::dwarf_file() const {
  if (has_info(own())) {
    return own();
  }
  return has_info(debug()) ? debug() : nullptr;
}

std::optional<Range> ElfModule::section(std::string_view name) const {
  const ElfHandle* elf = own() != nullptr ? own() : debug();
  const auto section = elf == nullptr ? std::nullopt : elf->section(name);
  if (!section || section->address == 0) {
    return std::nullopt;
  }
  const Range range{.start = image_.bias + section->address,
                    .end = image_.bias + section->address + section->size};
  return range.start < range.end ? std::optional(range) : std::nullopt;
}

bool ElfModule::has_symtab() const {
  for (const ElfHandle* elf : {own(), debug()}) {
    const auto section = elf == nullptr ? std::nullopt : elf->section_of_type(SHT_SYMTAB);
    if (section && section->has_bytes()) {
      return true;
    }
  }
  return false;
}

bool ElfModule::has_dwarf() const {
  return dwarf_file() != nullptr;
}

const std::string& ElfModule::debug_file_path() const {
  const ElfHandle* file = dwarf_file();
  if (file == nullptr) {
    file = debug();
  }
  return file == nullptr ? no_path : file->path();
}

const SymbolTable& ElfModule::symbols() const {
  if (symbols_tried_) {
    return symbols_;
  }
  symbols_tried_ = true;
  const auto read = [this](const ElfHandle* elf, std::uint32_t type) {
    const auto section = elf == nullptr ? std::nullopt : elf->section_of_type(type);
    if (section && section->has_bytes()) {
      symbols_ = SymbolTable(*elf, *section, image_.bias);
    }
    return !symbols_.empty();
  };
  if (!read(own(), SHT_SYMTAB) && !read(debug(), SHT_SYMTAB)) {
    read(own(), SHT_DYNSYM);
  }
  return symbols_;
}

Result<Symbol> ElfModule::find_symbol(std::string_view name) const {
  auto found = find_symbols(name);
  if (found.empty()) {
    return fail(ErrorKind::no_symbol, 0,
                std::string(without_deleted(path())) + " has no symbol " + std::string(name));
  }
  return std::move(found.front());
}

std::vector<Symbol> ElfModule::find_symbols(std::string_view name) const {
  return symbols().find(name);
}

std::optional<Symbol> ElfModule::symbol_at(Address address) const {
  return extent().contains(address) ? symbols().covering(address) : std::nullopt;
}

Result<const DwarfInfo*> ElfModule::dwarf() const {
  if (dwarf_) {
    return dwarf_.get();
  }
  if (!dwarf_error_) {
    const ElfHandle* file = dwarf_file();
    if (file != nullptr) {
      auto info = DwarfInfo::open(*file, options_);
      if (info) {
        dwarf_ = std::move(*info);
        return dwarf_.get();
      }
      dwarf_error_ = info.error();
    } else {
      dwarf_error_ = Error{.kind = ErrorKind::no_debug_info,
                           .reason = "no debug information was found for " + path()};
    }
  }
  return std::unexpected(*dwarf_error_);
}

Result<Layouts> ElfModule::layouts(const std::vector<LayoutQuery>& wanted) const {
  Layouts known;
  std::vector<LayoutQuery> unknown;
  for (const LayoutQuery& query : wanted) {
    const auto cached = cache_.get("layouts", layout_key(query));
    auto layout = cached ? layout_from_json(*cached) : std::nullopt;
    if (layout) {
      known[query.name] = std::move(*layout);
    } else if (!cached || !cached->is_null()) {
      unknown.push_back(query);
    }
  }
  if (unknown.empty()) {
    return known;
  }
  const auto info = dwarf();
  if (!info) {
    return std::unexpected(info.error());
  }
  Layouts read = read_layouts(**info, unknown);
  for (const LayoutQuery& query : unknown) {
    const auto layout = read.find(query.name);
    cache_.put("layouts", layout_key(query),
               layout == read.end() ? nlohmann::json() : nlohmann::json(layout->second));
  }
  cache_.flush();
  known.merge(read);
  return known;
}

Result<std::string> ElfModule::cached_text(std::string_view section, Address address,
                                           Result<std::string> (*ask)(const DwarfInfo&,
                                                                      Address)) const {
  const Address own_address = address - image_.bias;
  const std::string key = hex(own_address);
  const auto cached = cache_.get(section, key);
  if (cached && cached->is_string()) {
    return cached->get<std::string>();
  }
  Result<std::string> answer =
      fail(ErrorKind::no_symbol, address, "the debug information knows nothing at " + hex(address));
  if (cached && cached->is_null()) {
    return answer;
  }
  const auto info = dwarf();
  if (!info) {
    return std::unexpected(info.error());
  }
  auto text = ask(**info, own_address);
  cache_.put(section, key, text ? nlohmann::json(*text) : nlohmann::json());
  return text ? text : answer;
}

Result<std::string> ElfModule::describe_static(Address address) const {
  return cached_text("statics", address, &describe_static_variable);
}

Result<StructMember> ElfModule::find_member(const MemberQuery& query) const {
  MemberQuery own_query = query;
  std::string key = query.type_name + ":" + hex(query.size) + ":" + hex(query.offset) +
                    (query.object ? ":object" : "");
  for (Address& function : own_query.functions) {
    function -= image_.bias;
    key += ":" + hex(function);
  }
  Result<StructMember> nothing = fail(ErrorKind::no_symbol, 0, "no one struct has the pointer");
  const auto cached = cache_.get("members", key);
  if (cached && cached->is_array() && cached->size() == 2 && cached->at(0).is_string() &&
      cached->at(1).is_string()) {
    return StructMember{.structure = cached->at(0).get<std::string>(),
                        .member = cached->at(1).get<std::string>()};
  }
  if (cached && cached->is_null()) {
    return nothing;
  }
  const auto info = dwarf();
  if (!info) {
    return std::unexpected(info.error());
  }
  auto member = find_struct_member(**info, own_query);
  cache_.put("members", key,
             member ? nlohmann::json::array({member->structure, member->member})
                    : nlohmann::json());
  return member ? member : nothing;
}

Result<std::string> ElfModule::source_line(Address address) const {
  return cached_text("lines", address, &describe_source_line);
}

Dwarf_CFI* ElfModule::eh_frame() const {
  if (!eh_frame_tried_) {
    eh_frame_tried_ = true;
    if (own() != nullptr) {
      eh_frame_ = ::dwarf_getcfi_elf(own()->get());
    }
  }
  return eh_frame_;
}

Dwarf_CFI* ElfModule::debug_frame() const {
  const auto info = dwarf();
  return info ? ::dwarf_getcfi((*info)->get()) : nullptr;
}

} // namespace pygc::image
