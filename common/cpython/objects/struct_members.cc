#include "common/cpython/objects/struct_members.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr std::int64_t word = sizeof(Address);
constexpr std::size_t base_limit = 1000; // length of a tp_base chain
constexpr std::size_t method_limit = 16; // of one type, whose functions are asked
// PyTypeObject, in words from tp_traverse: tp_clear, tp_dealloc, tp_repr, tp_hash, tp_call,
// tp_richcompare, tp_iter, tp_iternext.
constexpr std::array<std::int64_t, 9> around_traverse = {0, 1, -17, -12, -9, -8, 2, 4, 5};
constexpr std::int64_t methods_behind_traverse = 6;
// From tp_base: tp_init, tp_new.
constexpr std::array<std::int64_t, 2> behind_base = {5, 7};
// PyMethodDef (Include/methodobject.h): ml_name, ml_meth, ml_flags, ml_doc.
constexpr Address method_size = 4 * word;
constexpr Address method_function = word;

/// The type that has added an offset to its base's struct; 0: none has.
Address adding_type(ObjectReader& reader, Address type, std::uint64_t offset) {
  Address adding = 0;
  for (std::size_t depth = 0; type != 0 && depth < base_limit; ++depth) {
    const TypeInfo& info = reader.type(type);
    if (info.basicsize <= 0 || static_cast<std::uint64_t>(info.basicsize) <= offset) {
      break;
    }
    adding = type;
    type = info.base;
  }
  return adding;
}

class Functions {
public:
  Functions(ObjectReader& reader, const image::ProcessImage& image)
      : reader_(reader), image_(image) {}

  /// Slots of a type, but those that it has from its base, which know nothing of what it adds.
  template <std::size_t count>
  void add(Address type, Address base, Address slot, const std::array<std::int64_t, count>& words) {
    const auto function = [&](Address of, std::int64_t each) {
      return of == 0 ? Address{0}
                     : reader_.memory()
                           .load<Address>(of + slot + static_cast<Address>(each * word))
                           .value_or(Address{0});
    };
    for (const std::int64_t each : words) {
      const Address own = function(type, each);
      if (own != function(base, each)) {
        add(own);
      }
    }
  }

  void add_methods(Address methods) {
    for (std::size_t i = 0; methods != 0 && i < method_limit; ++i) {
      const auto name = reader_.memory().load<Address>(methods + i * method_size);
      if (!name || *name == 0) {
        return;
      }
      add(reader_.memory()
              .load<Address>(methods + i * method_size + method_function)
              .value_or(Address{0}));
    }
  }

  void add(Address function) {
    const image::Module* module = function == 0 ? nullptr : image_.module_at(function);
    if (module == nullptr) {
      return;
    }
    // Those of classes of Python code (Objects/typeobject.c) work on no struct of their own.
    const auto symbol = module->symbol_at(function);
    if (symbol && (symbol->name.starts_with("subtype_") || symbol->name.starts_with("slot_tp_"))) {
      return;
    }
    auto known = std::ranges::find(by_module_, module, [](const auto& each) { return each.first; });
    if (known == by_module_.end()) {
      known = by_module_.insert(known, {module, {}});
    }
    if (std::ranges::find(known->second, function) == known->second.end()) {
      known->second.push_back(function);
    }
  }

  /// Where an extension has one of the functions, those of the interpreter work on other structs.
  std::optional<image::StructMember> find(image::MemberQuery query) {
    const auto* debug = dynamic_cast<const image::DebugKnowledge*>(&image_);
    if (debug == nullptr) {
      return std::nullopt;
    }
    const auto of_interpreter = [&](const auto& each) {
      return each.first == reader_.runtime().module;
    };
    if (!std::ranges::all_of(by_module_, of_interpreter)) {
      std::erase_if(by_module_, of_interpreter);
    }
    for (auto& [module, functions] : by_module_) {
      query.functions = std::move(functions);
      if (auto member = debug->find_member(query)) {
        return std::move(*member);
      }
    }
    return std::nullopt;
  }

private:
  ObjectReader& reader_;
  const image::ProcessImage& image_;
  std::vector<std::pair<const image::Module*, std::vector<Address>>> by_module_;
};

} // namespace

std::optional<image::StructMember> struct_member(ObjectReader& reader,
                                                 const image::ProcessImage& image, Address object,
                                                 std::uint64_t offset) {
  const auto own_type = reader.type_address(object);
  const Address type = own_type ? adding_type(reader, *own_type, offset) : 0;
  if (type == 0) {
    return std::nullopt;
  }
  const Layout& layout = reader.runtime().layout;
  Functions functions(reader, image);
  const Address base = reader.type(type).base;
  functions.add(type, base, layout.tp_traverse, around_traverse);
  functions.add(type, base, layout.tp_base, behind_base);
  functions.add_methods(reader.memory()
                            .load<Address>(type + layout.tp_traverse +
                                           static_cast<Address>(methods_behind_traverse * word))
                            .value_or(Address{0}));
  const TypeInfo& info = reader.type(type);
  return functions.find({.functions = {},
                         .type_name = info.name,
                         .size = static_cast<std::uint64_t>(info.basicsize),
                         .offset = offset,
                         .object = true});
}

std::optional<image::StructMember> state_member(ObjectReader& reader,
                                                const image::ProcessImage& image,
                                                const ModuleInfo& module, std::uint64_t offset) {
  if (module.traverse == 0 || module.state_size <= 0) {
    return std::nullopt;
  }
  Functions functions(reader, image);
  functions.add(module.traverse);
  return functions.find({.functions = {},
                         .type_name = module.name + "state",
                         .size = static_cast<std::uint64_t>(module.state_size),
                         .offset = offset,
                         .object = false});
}

} // namespace pygc::cpython
