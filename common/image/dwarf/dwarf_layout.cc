#include "common/image/dwarf/dwarf_layout.h"

#include <dwarf.h>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace pygc::image {
namespace {

// Deeper nesting than any compiler accepts; a loop in damaged DWARF ends here.
constexpr int max_nesting = 64;

struct Member {
  std::uint64_t offset = 0;
  Dwarf_Die type;
};

// A member by name, also inside anonymous structs and unions.
std::optional<Member> find_member(Dwarf_Die& record, std::string_view name, int depth = 0) {
  std::optional<Member> found;
  if (name.empty()) {
    return found;
  }
  for_each_child(record, [&](Dwarf_Die& child) {
    if (::dwarf_tag(&child) != DW_TAG_member) {
      return true;
    }
    const std::string_view its_name = die_name(child);
    if (its_name != name && !its_name.empty()) {
      return true;
    }
    const auto offset = member_offset(child);
    auto type = peeled_type_of(child);
    if (!offset || !type) {
      return true;
    }
    if (its_name == name) {
      found = Member{.offset = *offset, .type = *type};
    } else if (is_record(::dwarf_tag(&*type)) && depth < max_nesting) {
      found = find_member(*type, name, depth + 1);
      if (found) {
        found->offset += *offset;
      }
    }
    return !found;
  });
  return found;
}

// Below an array lies its first element.
Dwarf_Die element_of(Dwarf_Die type) {
  for (int depth = 0; depth < max_nesting && ::dwarf_tag(&type) == DW_TAG_array_type; ++depth) {
    const auto element = peeled_type_of(type);
    if (!element) {
      break;
    }
    type = *element;
  }
  return type;
}

std::optional<std::uint64_t> path_offset(Dwarf_Die record, std::string_view path) {
  std::uint64_t offset = 0;
  while (true) {
    const std::size_t dot = path.find('.');
    const auto member = find_member(record, path.substr(0, dot));
    if (!member) {
      return std::nullopt;
    }
    offset += member->offset;
    if (dot == std::string_view::npos) {
      return offset;
    }
    path.remove_prefix(dot + 1);
    record = element_of(member->type);
  }
}

class Reader {
public:
  explicit Reader(const std::vector<LayoutQuery>& wanted) {
    for (const LayoutQuery& query : wanted) {
      open_.emplace(query.name, &query);
    }
  }

  bool done() const { return open_.empty(); }

  void visit(Dwarf_Die& die) {
    const int tag = ::dwarf_tag(&die);
    if (!is_record(tag) && tag != DW_TAG_typedef) {
      return;
    }
    const auto query = open_.find(die_name(die));
    if (query == open_.end()) {
      return;
    }
    const auto definition = tag == DW_TAG_typedef ? peeled_type_of(die) : std::optional(die);
    if (!definition) {
      return;
    }
    if (read(*query->second, *definition)) {
      open_.erase(query);
    }
  }

  Layouts take() { return std::move(layouts_); }

private:
  // True when the definition settles the query. Unrelated libraries may have structs of the same
  // name: one without any of the members wanted is kept only until a better one comes.
  bool read(const LayoutQuery& query, Dwarf_Die definition) {
    const auto size = is_declaration(definition) ? std::nullopt : size_of_type(definition);
    if (!size) {
      return false;
    }
    StructLayout layout;
    for (const std::string& path : query.members) {
      if (const auto offset = path_offset(definition, path)) {
        layout[path] = static_cast<std::int64_t>(*offset);
      }
    }
    const bool convincing = !layout.empty() || query.members.empty();
    layout["sizeof"] = static_cast<std::int64_t>(*size);
    if (convincing) {
      layouts_[query.name] = std::move(layout);
    } else {
      layouts_.emplace(query.name, std::move(layout));
    }
    return convincing;
  }

  std::unordered_map<std::string_view, const LayoutQuery*> open_;
  Layouts layouts_;
};

} // namespace

Layouts read_layouts(const DwarfInfo& dwarf, const std::vector<LayoutQuery>& wanted) {
  Reader reader(wanted);
  dwarf.for_each_unit([&](Dwarf_Die& unit) {
    for_each_child(unit, [&](Dwarf_Die& die) {
      reader.visit(die);
      return !reader.done();
    });
    return !reader.done();
  });
  return reader.take();
}

} // namespace pygc::image
