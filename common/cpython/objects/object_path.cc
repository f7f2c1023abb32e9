#include "common/cpython/objects/object_path.h"

#include "common/base/numbers.h"
#include "common/base/suggestion.h"
#include "common/cpython/objects/attributes.h"
#include "common/cpython/objects/collection_items.h"
#include "common/cpython/objects/int_value.h"
#include "common/cpython/objects/sequence_items.h"
#include "common/cpython/objects/sys_modules.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr Address word = sizeof(Address);
constexpr std::size_t name_limit = 40;      // characters of a name that may be meant
constexpr std::size_t names_limit = 10'000; // of such names

struct Part {
  enum class Kind : std::uint8_t { attribute, key, index };
  Kind kind = Kind::attribute;
  std::string text = {}; // of an attribute or a key
  std::int64_t index = 0;
  std::size_t end = 0; // in the path
};

bool begins_name(char c) {
  return c == '_' || std::isalpha(static_cast<unsigned char>(c)) != 0 ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool continues_name(char c) {
  return begins_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::optional<Part> take_name(std::string_view path, std::size_t at) {
  if (at >= path.size() || !begins_name(path[at])) {
    return std::nullopt;
  }
  const auto* const end =
      std::find_if_not(path.begin() + static_cast<std::ptrdiff_t>(at), path.end(), continues_name);
  const auto size = static_cast<std::size_t>(end - path.begin());
  return Part{.text = std::string(path.substr(at, size - at)), .end = size};
}

/// `at` is behind the bracket that opens it.
std::optional<Part> take_subscript(std::string_view path, std::size_t at) {
  if (at >= path.size()) {
    return std::nullopt;
  }
  const bool quoted = path[at] == '\'' || path[at] == '"';
  const std::size_t end = quoted ? path.find(path[at], at + 1) : path.find(']', at);
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  if (quoted) {
    if (end + 1 >= path.size() || path[end + 1] != ']') {
      return std::nullopt;
    }
    return Part{.kind = Part::Kind::key,
                .text = std::string(path.substr(at + 1, end - at - 1)),
                .end = end + 2};
  }
  const auto index = number_in<std::int64_t>(path.substr(at, end - at));
  return index ? std::optional(Part{.kind = Part::Kind::index, .index = *index, .end = end + 1})
               : std::nullopt;
}

/// Empty: it is no path.
std::vector<Part> parts_of(std::string_view path) {
  std::vector<Part> parts;
  std::optional<Part> part = take_name(path, 0);
  while (part) {
    const std::size_t at = part->end;
    parts.push_back(std::move(*part));
    if (at == path.size()) {
      return parts;
    }
    part = path[at] == '.'   ? take_name(path, at + 1)
           : path[at] == '[' ? take_subscript(path, at + 1)
                             : std::nullopt;
  }
  return {};
}

class Lookup {
public:
  Lookup(ObjectReader& reader, std::string_view path) : reader_(reader), path_(path) {}

  Result<Address> run(const std::vector<Part>& parts) {
    if (!reader_.runtime().interpreters.empty()) {
      const auto modules = sys_modules(reader_, reader_.runtime().interpreters.front());
      if (!modules) {
        return modules;
      }
      modules_ = *modules;
    }
    auto object = first(parts.front().text);
    bool dotted = true; // so far it may be the name of a module
    for (std::size_t i = 1; i < parts.size() && object; ++i) {
      const Part& part = parts[i];
      dotted = dotted && part.kind == Part::Kind::attribute;
      auto next = follow(*object, part);
      if (next && *next == 0 && dotted) {
        next = module(path_.substr(0, part.end));
      }
      if (next && *next == 0) {
        return fail(ErrorKind::not_found, *object, leads_nowhere(*object, part, parts[i - 1].end));
      }
      object = next;
    }
    return object;
  }

private:
  /// Why the part, which begins at `begin` of the path, is not to be had of the object.
  std::string leads_nowhere(Address object, const Part& part, std::size_t begin) {
    const std::string_view before = path_.substr(0, begin);
    const std::string_view item = path_.substr(begin, part.end - begin);
    const auto type_at = reader_.type_address(object);
    const TypeInfo type = type_at ? reader_.type(*type_at) : TypeInfo{};
    if (part.kind == Part::Kind::attribute) {
      if (!computed_.empty()) {
        return fmt::format("'{}{}' is computed ({}), and no code of the process is run; pygc refs "
                           "--from {:#x} lists what the object refers to",
                           before, item, computed_, object);
      }
      if (part.text == "__dict__" && type.has_flag(type_flag::managed_dict)) {
        return fmt::format("'{}' has no dict: its attributes lie in the object", before);
      }
      return fmt::format("'{}' has no attribute '{}'{}", before, part.text,
                         did_you_mean(part.text, attribute_names(object)));
    }
    const bool dict = type.has_flag(type_flag::dict_subclass);
    if (!dict && !type.has_flag(type_flag::list_subclass) &&
        !type.has_flag(type_flag::tuple_subclass) && !deque_size(reader_, object)) {
      return fmt::format(
          "'{}' is a {}: items are looked up in dicts, lists, tuples and deques alone; pygc "
          "refs --from {:#x} lists what it refers to",
          before, type.name, object);
    }
    if (!dict) {
      return fmt::format("'{}' has no item {}: it has {}", before, item, count_of(object));
    }
    return fmt::format("'{}' has no item {}{}", before, item,
                       part.kind == Part::Kind::key ? did_you_mean(part.text, keys_of(object))
                                                    : "");
  }

  std::uint64_t count_of(Address sequence) {
    const std::optional<TupleItems> items = sequence_items(reader_, sequence);
    return items ? items->count : deque_size(reader_, sequence).value_or(0);
  }

  void add_keys(Address dict, std::vector<std::string>& names) {
    // What could be read until an error is as good.
    [[maybe_unused]] const auto read = reader_.each_item(dict, [&](Address key, Address) {
      const auto type = reader_.type_address(key);
      if (type && reader_.type(*type).has_flag(type_flag::unicode_subclass)) {
        if (auto text = reader_.text(key, name_limit)) {
          names.push_back(std::move(*text));
        }
      }
      return names.size() < names_limit;
    });
  }

  std::vector<std::string> keys_of(Address dict) {
    std::vector<std::string> names;
    add_keys(dict, names);
    return names;
  }

  std::vector<std::string> attribute_names(Address object) {
    std::vector<std::string> names;
    if (const auto dict = reader_.instance_dict(object); dict && *dict != 0) {
      add_keys(*dict, names);
    }
    [[maybe_unused]] const auto read =
        each_inline_value(reader_, object, [&](const DictEntry& entry) {
          if (auto text = reader_.text(entry.key, name_limit)) {
            names.push_back(std::move(*text));
          }
          return names.size() < names_limit;
        });
    const auto type = reader_.type_address(object);
    for (const Address each : {type.value_or(0), object}) {
      if (each == 0 || !reader_.is_type(each)) {
        continue;
      }
      const TupleItems bases = type_mro(reader_, each).value_or(TupleItems{});
      for (std::uint64_t i = 0; i < bases.count; ++i) {
        const auto base = reader_.memory().load<Address>(bases.first + i * word);
        const auto dict = base && *base != 0 ? type_dict(reader_, *base) : base;
        if (dict && *dict != 0) {
          add_keys(*dict, names);
        }
      }
    }
    return names;
  }

  /// What the first part could have been.
  std::vector<std::string> first_names() {
    std::vector<std::string> names;
    for (const std::string_view globals : {"__main__", "builtins"}) {
      const auto found = module(globals);
      const auto dict = found && *found != 0 ? reader_.instance_dict(*found) : found;
      if (dict && *dict != 0) {
        add_keys(*dict, names);
      }
    }
    if (modules_ != 0) {
      add_keys(modules_, names);
    }
    return names;
  }

  Result<Address> module(std::string_view name) {
    return modules_ == 0 ? Result<Address>(0) : reader_.item(modules_, name);
  }

  Result<Address> first(const std::string& name) {
    auto found = module(name);
    for (const std::string_view globals : {"__main__", "builtins"}) {
      if (!found || *found != 0) {
        return found;
      }
      found = module(globals);
      if (found && *found != 0) {
        found = attribute(reader_, *found, name);
      }
    }
    return !found || *found != 0
               ? found
               : fail(ErrorKind::not_found, 0,
                      fmt::format("there is no module '{}', nor a global variable of __main__ or a "
                                  "built-in of that name{}",
                                  name, did_you_mean(name, first_names())));
  }

  Result<Address> follow(Address object, const Part& part) {
    switch (part.kind) {
    case Part::Kind::attribute:
      return attribute_of(object, part.text);
    case Part::Kind::key:
      return is_dict(object) ? reader_.item(object, part.text) : 0;
    case Part::Kind::index:
      break;
    }
    return is_dict(object) ? item_of_int(object, part.index) : item_at_index(object, part.index);
  }

  bool is_dict(Address object) {
    const auto type = reader_.type_address(object);
    return type && reader_.type(*type).has_flag(type_flag::dict_subclass);
  }

  Result<Address> item_of_int(Address dict, std::int64_t key) {
    Address found = 0;
    const auto walked = reader_.each_item(dict, [&](Address each, Address value) {
      const std::optional<std::int64_t> number = int_value(reader_, each);
      found = number && *number == key ? value : 0;
      return found == 0;
    });
    return walked ? Result<Address>(found) : std::unexpected(walked.error());
  }

  Result<Address> item_at_index(Address sequence, std::int64_t index) {
    const std::optional<TupleItems> items = sequence_items(reader_, sequence);
    const auto count = static_cast<std::int64_t>(count_of(sequence));
    const std::int64_t place = index < 0 ? index + count : index;
    if (place < 0 || place >= count) {
      return 0;
    }
    const Address first = items ? items->first + static_cast<Address>(place) * word
                                : deque_slot(reader_, sequence, static_cast<std::size_t>(place));
    return first == 0 ? Result<Address>(0) : reader_.memory().load<Address>(first);
  }

  Result<Address> attribute_of(Address object, const std::string& name) {
    last_name_ = name;
    computed_.clear();
    const auto type = reader_.type_address(object);
    if (!type || name == "__class__") {
      return type;
    }
    if (name == "__dict__") {
      return reader_.instance_dict(object);
    }
    auto found = attribute(reader_, object, name);
    if (found && *found == 0 && reader_.type(*type).has_flag(type_flag::type_subclass)) {
      found = class_attribute(object, name);
    }
    if (!found || *found != 0) {
      return found;
    }
    const auto of_class = class_attribute(*type, name);
    if (of_class && *of_class == 0 && has_getset(reader_, *type, name)) {
      return computed(object, *type, "getset_descriptor");
    }
    return of_class && *of_class != 0 ? value_of(object, *of_class) : of_class;
  }

  /// What an attribute of the object's class gives of the object, as far as that is known without
  /// running its __get__: functions and the like stand for themselves.
  Result<Address> value_of(Address object, Address of_class) {
    const auto type = reader_.type_address(of_class);
    if (!type) {
      return type;
    }
    const std::string& descriptor = reader_.type(*type).name;
    const auto object_type = reader_.type_address(object);
    if (descriptor.ends_with("._tuplegetter")) { // a field of a namedtuple: its index
      const auto index =
          reader_.memory().load<std::int64_t>(of_class + reader_.runtime().layout.ob_size);
      return index ? item_at_index(object, *index) : std::unexpected(index.error());
    }
    if (descriptor == "getset_descriptor" || descriptor == "cached_property" ||
        reader_.is_instance(*type, "PyProperty_Type")) {
      return object_type ? computed(object, *object_type, descriptor) : object_type;
    }
    // A member that holds nothing.
    return descriptor == "member_descriptor" ? Result<Address>(0) : of_class;
  }

  /// Of an attribute that such a descriptor computes: what is known all the same, or 0.
  Address computed(Address object, Address type, const std::string& descriptor) {
    const Address held = held_by_getset(object, type);
    computed_ = held == 0 ? descriptor : "";
    return held;
  }

  /// What two attributes give that are no published members: the code of a function, its first
  /// field of that type, and what a cell holds.
  Address held_by_getset(Address object, Address type) {
    const Address first = object + reader_.runtime().layout.ob_size; // behind PyObject
    if (last_name_ == "cell_contents" && reader_.is_instance(type, "PyCell_Type")) {
      return reader_.memory().load<Address>(first).value_or(0);
    }
    const std::int64_t size = reader_.type(type).basicsize;
    if (last_name_ != "__code__" || !reader_.is_instance(type, "PyFunction_Type") || size < 0) {
      return 0;
    }
    for (Address at = first; at + word <= object + static_cast<Address>(size); at += word) {
      const auto field = reader_.memory().load<Address>(at);
      const auto field_type = field && *field != 0 ? reader_.type_address(*field) : field;
      if (field_type && *field_type != 0 && *field_type == reader_.exported("PyCode_Type")) {
        return *field;
      }
    }
    return 0;
  }

  /// _PyType_Lookup (Objects/typeobject.c).
  Result<Address> class_attribute(Address type, std::string_view name) {
    const TupleItems bases = type_mro(reader_, type).value_or(TupleItems{});
    for (std::uint64_t i = 0; i < bases.count; ++i) {
      const auto base = reader_.memory().load<Address>(bases.first + i * word);
      const auto dict = base && *base != 0 ? type_dict(reader_, *base) : base;
      const auto found = dict && *dict != 0 ? reader_.item(*dict, name) : dict;
      if (!found || *found != 0) {
        return found;
      }
    }
    return 0;
  }

  ObjectReader& reader_;
  std::string_view path_;
  Address modules_ = 0;
  std::string last_name_; // the attribute that is looked up
  std::string computed_;  // the type of what would compute it
};

} // namespace

bool is_object_path(std::string_view text) {
  return !parts_of(text).empty();
}

Result<Address> object_at_path(ObjectReader& reader, std::string_view path) {
  const std::vector<Part> parts = parts_of(path);
  return parts.empty() ? fail(ErrorKind::usage, 0, fmt::format("'{}' is no name", path))
                       : Lookup(reader, path).run(parts);
}

} // namespace pygc::cpython
