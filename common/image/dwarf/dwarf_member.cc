#include "common/image/dwarf/dwarf_member.h"

#include "common/image/dwarf/dwarf_path.h"
#include "common/image/dwarf/dwarf_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <dwarf.h>
#include <set>

namespace pygc::image {
namespace {

// Deeper than blocks, first members, typedefs and imports of a real program.
constexpr int max_depth = 64;
constexpr std::size_t shortest_name = 3;

struct NamedRecord {
  Dwarf_Die record;
  std::string name; // of the first typedef on the way, else its own
};

std::optional<NamedRecord> named_record(Dwarf_Die type) {
  std::string name;
  for (int depth = 0; depth < max_depth; ++depth) {
    const int tag = ::dwarf_tag(&type);
    if (is_record(tag) || tag == DW_TAG_typedef) {
      name = name.empty() ? std::string(die_name(type)) : name;
    }
    if (is_record(tag)) {
      return is_declaration(type) ? std::nullopt : std::optional(NamedRecord{type, name});
    }
    if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type) {
      break;
    }
    const auto next = type_of(type);
    if (!next) {
      break;
    }
    type = *next;
  }
  return std::nullopt;
}

bool is_py_object(std::string_view name) {
  return name == "PyObject" || name == "_object";
}

/// The first member of the first member... is a PyObject.
bool begins_with_object(Dwarf_Die record, int depth = 0) {
  bool begins = false;
  for_each_child(record, [&](Dwarf_Die& child) {
    const int tag = ::dwarf_tag(&child);
    if (tag != DW_TAG_member && tag != DW_TAG_inheritance) {
      return true;
    }
    const auto type = type_of(child);
    const auto first = type ? named_record(*type) : std::nullopt;
    begins = first && member_offset(child) == 0 &&
             (is_py_object(first->name) ||
              (depth < max_depth && begins_with_object(first->record, depth + 1)));
    return false;
  });
  return begins;
}

/// What remains of a name when prefixes, suffixes and spelling are left aside.
std::string stem(std::string_view name) {
  name.remove_prefix(std::min(name.size(), name.rfind('.') + 1));
  std::string text;
  for (const char c : name) {
    if (c != '_') {
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (text.starts_with("py")) {
    text.erase(0, 2);
  }
  for (const std::string_view suffix : {"struct", "object", "obj"}) {
    if (text.ends_with(suffix) && text.size() >= suffix.size() + shortest_name) {
      text.resize(text.size() - suffix.size());
    }
  }
  return text;
}

class Search {
public:
  explicit Search(const MemberQuery& query) : query_(query), type_stem_(stem(query.type_name)) {}

  /// Of variables and parameters of a function, those of what was inlined included.
  void add_variables_of(Dwarf_Die& scope, int depth = 0) {
    for_each_child(scope, [&](Dwarf_Die& child) {
      const int tag = ::dwarf_tag(&child);
      if (tag == DW_TAG_variable || tag == DW_TAG_formal_parameter) {
        auto pointer = peeled_type_of(child);
        const auto type = pointer && ::dwarf_tag(&*pointer) == DW_TAG_pointer_type
                              ? type_of(*pointer)
                              : std::nullopt;
        if (type) {
          add(*type);
        }
      } else if (depth < max_depth &&
                 (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine)) {
        add_variables_of(child, depth + 1);
      }
      return true;
    });
  }

  /// Of a file, or of what it imports.
  void add_types_of(Dwarf_Die& unit, int depth = 0) {
    if (!units_.insert(::dwarf_dieoffset(&unit)).second) {
      return;
    }
    for_each_child(unit, [&](Dwarf_Die& child) {
      const int tag = ::dwarf_tag(&child);
      if (tag == DW_TAG_typedef || is_record(tag)) {
        add(child);
      } else if (tag == DW_TAG_namespace && depth < max_depth) {
        add_types_of(child, depth + 1);
      } else if (tag == DW_TAG_imported_unit && depth < max_depth) {
        Dwarf_Attribute attribute;
        Dwarf_Die imported;
        if (::dwarf_formref_die(::dwarf_attr(&child, DW_AT_import, &attribute), &imported) !=
            nullptr) {
          add_types_of(imported, depth + 1);
        }
      }
      return true;
    });
  }

  /// The one answer of all that were added, or of those whose name is like that of the type.
  std::optional<StructMember> answer(bool related_only) const {
    const bool related = related_only || std::ranges::any_of(found_, &Candidate::related);
    const StructMember* one = nullptr;
    for (const Candidate& candidate : found_) {
      if (related && !candidate.related) {
        continue;
      }
      if (one != nullptr && one->member != candidate.member.member) {
        return std::nullopt;
      }
      one = one == nullptr ? &candidate.member : one;
    }
    return one == nullptr ? std::nullopt : std::optional(*one);
  }

private:
  struct Candidate {
    StructMember member;
    bool related = false;
  };

  void add(const Dwarf_Die& type) {
    auto found = named_record(type);
    if (!found || found->name.empty() || size_of_type(found->record) != query_.size ||
        begins_with_object(found->record) != query_.object) {
      return;
    }
    TypePath path = path_into(found->record, query_.offset);
    if (path.offset != 0 || ::dwarf_tag(&path.type) != DW_TAG_pointer_type ||
        !path.text.starts_with('.')) {
      return;
    }
    const std::string own_stem = stem(found->name);
    const bool related = own_stem.size() >= shortest_name && type_stem_.size() >= shortest_name &&
                         (own_stem.find(type_stem_) != std::string::npos ||
                          type_stem_.find(own_stem) != std::string::npos);
    found_.push_back(
        {{.structure = std::move(found->name), .member = path.text.substr(1)}, related});
  }

  const MemberQuery& query_;
  std::string type_stem_;
  std::set<Dwarf_Off> units_;
  std::vector<Candidate> found_;
};

/// The function, and, under LTO, the same in the unit of its source.
std::vector<Dwarf_Die> functions_at(const DwarfInfo& dwarf, Address address) {
  auto scopes = code_scopes(dwarf, address);
  std::vector<Dwarf_Die> functions;
  if (scopes.empty()) {
    return functions;
  }
  functions.push_back(scopes.back());
  Dwarf_Attribute attribute;
  Dwarf_Die origin;
  if (::dwarf_formref_die(::dwarf_attr(&scopes.back(), DW_AT_abstract_origin, &attribute),
                          &origin) != nullptr) {
    functions.push_back(origin);
  }
  return functions;
}

} // namespace

Result<StructMember> find_struct_member(const DwarfInfo& dwarf, const MemberQuery& query) {
  std::vector<Dwarf_Die> functions;
  for (const Address address : query.functions) {
    const auto of_address = functions_at(dwarf, address);
    functions.insert(functions.end(), of_address.begin(), of_address.end());
  }
  Search by_variables(query);
  for (Dwarf_Die& function : functions) {
    by_variables.add_variables_of(function);
  }
  if (const auto member = by_variables.answer(false)) {
    return *member;
  }
  Search by_name(query);
  for (Dwarf_Die& function : functions) {
    Dwarf_Die unit;
    if (::dwarf_diecu(&function, &unit, nullptr, nullptr) != nullptr) {
      by_name.add_types_of(unit);
    }
  }
  if (const auto member = by_name.answer(true)) {
    return *member;
  }
  return fail(ErrorKind::no_symbol, query.functions.empty() ? 0 : query.functions.front(),
              "no one struct of that size has a pointer there");
}

} // namespace pygc::image
