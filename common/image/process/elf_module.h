// A Module over an image's own file and its debug file, each opened when first asked for.
#pragma once

#include "common/image/debug_knowledge.h"
#include "common/image/dwarf/dwarf_info.h"
#include "common/image/elf/disk_cache.h"
#include "common/image/elf/elf_handle.h"
#include "common/image/elf/symbol_table.h"
#include "common/image/module.h"
#include "common/image/process/loaded_image.h"

#include <elfutils/libdw.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pygc::image {

class ElfModule final : public Module {
public:
  ElfModule(LoadedImage image, FileOptions options);
  ~ElfModule() override;

  const std::string& path() const override { return image_.path; }
  const std::string& file_path() const override { return image_.source.file.path; }
  FileState file_state() const override { return image_.source.state; }
  const std::string& file_problem() const override { return image_.source.problem; }
  const std::string& build_id() const override { return image_.build_id; }
  Address load_bias() const override { return image_.bias; }
  Range extent() const override { return image_.extent; }
  const std::vector<Range>& static_storage() const override { return static_storage_; }
  const std::vector<Range>& code() const override { return code_; }
  std::optional<Range> section(std::string_view name) const override;
  bool has_symtab() const override;
  bool has_dwarf() const override;
  const std::string& debug_file_path() const override;
  Result<Symbol> find_symbol(std::string_view name) const override;
  std::vector<Symbol> find_symbols(std::string_view name) const override;
  std::optional<Symbol> symbol_at(Address address) const override;
  Result<Layouts> layouts(const std::vector<LayoutQuery>& wanted) const override;
  Result<std::string> describe_static(Address address) const override;
  Result<std::string> source_line(Address address) const override;

  /// As DebugKnowledge::find_member, of this module's functions. Cached on disk by build-id.
  Result<StructMember> find_member(const MemberQuery& query) const;

  /// The DWARF lies in the image's own file: it need not be looked for, and is hardly ever packed.
  bool has_own_dwarf() const;
  /// The DWARF of the module. Errors: no_debug_info.
  Result<const DwarfInfo*> dwarf() const;
  /// Unwind tables: .eh_frame of the image's own file, then .debug_frame; each may be nullptr.
  Dwarf_CFI* eh_frame() const;
  Dwarf_CFI* debug_frame() const;

private:
  const ElfHandle* own() const;
  const ElfHandle* debug() const; // the separate debug file
  const ElfHandle* dwarf_file() const;
  const SymbolTable& symbols() const;
  Result<std::string> cached_text(std::string_view section, Address address,
                                  Result<std::string> (*ask)(const DwarfInfo&, Address)) const;

  LoadedImage image_;
  FileOptions options_;
  std::vector<Range> static_storage_;
  std::vector<Range> code_;

  mutable DiskCache cache_;
  mutable bool own_tried_ = false;
  mutable std::optional<ElfHandle> own_;
  mutable bool debug_tried_ = false;
  mutable std::optional<ElfHandle> debug_;
  mutable bool symbols_tried_ = false;
  mutable SymbolTable symbols_;
  mutable std::unique_ptr<DwarfInfo> dwarf_;
  mutable std::optional<Error> dwarf_error_;
  mutable Dwarf_CFI* eh_frame_ = nullptr;
  mutable bool eh_frame_tried_ = false;
};

} // namespace pygc::image
