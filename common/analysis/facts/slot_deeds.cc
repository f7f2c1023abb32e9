#include "common/analysis/facts/slot_deeds.h"

#include "common/cpython/objects/finalization.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <vector>

namespace pygc::analysis {
namespace {

using cpython::Deed;

constexpr std::uint64_t stack_words = 32; // of a frame
constexpr std::uint64_t unnamed_size = 4096;
constexpr int base_limit = 100;

/// The function that a frame runs: from its symbol, or unknown and somewhere below its pc.
struct Running {
  Address pc = 0;
  Address start = 0; // 0: no symbol

  bool is(Address function) const {
    return start != 0 ? function == start : function <= pc && pc - function < unnamed_size;
  }
};

/// 0: no symbol covers it.
Address start_of_function(const image::Module& module, Address pc) {
  const auto symbol = module.symbol_at(pc);
  if (!symbol) {
    return 0;
  }
  const std::size_t cold = symbol->name.find(".cold"); // a part that lies elsewhere
  const auto whole = cold == std::string::npos
                         ? *symbol
                         : module.find_symbol(symbol->name.substr(0, cold)).value_or(*symbol);
  return whole.address;
}

/// A type by its own type, which is a GC type. A name alone any memory may seem to have.
bool is_proven_type(const CheckInput& input, Address type) {
  const auto metatype = input.reader.type_address(type);
  return metatype && *metatype % sizeof(Address) == 0 &&
         cpython::prove_type(input.reader.memory(), input.reader.runtime().layout, *metatype) &&
         input.reader.is_type(type);
}

/// What the object's type, or a base of it, has the function for. Without a symbol the slot whose
/// function begins nearest below it.
Deed deed_of(const CheckInput& input, Address object, const Running& running) {
  const auto at = input.reader.type_address(object);
  const cpython::Layout& layout = input.reader.runtime().layout;
  Deed deed = Deed::none;
  Address nearest = 0;
  const auto consider = [&](Address function, Deed of_slot) {
    if (running.is(function) && function > nearest) {
      nearest = function;
      deed = of_slot;
    }
  };
  Address type = at && *at % sizeof(Address) == 0 ? *at : 0;
  for (int i = 0; i < base_limit && type != 0 && is_proven_type(input, type); ++i) {
    const cpython::TypeInfo& info = input.reader.type(type);
    // tp_dealloc follows tp_itemsize (Include/cpython/object.h).
    consider(input.reader.memory()
                 .load<Address>(type + layout.tp_itemsize + sizeof(std::int64_t))
                 .value_or(0),
             Deed::deallocate);
    consider(info.traverse, Deed::visit);
    if (const auto slots = cpython::type_finalization(input.reader, type)) {
      consider(slots->clear, Deed::clear);
      consider(slots->finalize, Deed::finalize);
    }
    type = info.base;
  }
  return deed;
}

/// Words that may be the object, the most telling ones first.
std::vector<Address> candidates(const CheckInput& input, const image::Frame& frame, Address sp) {
  std::vector<Address> words;
  words.reserve(frame.variables.size() + frame.registers.size() + stack_words);
  for (const auto& [name, value] : frame.variables) {
    words.push_back(value);
  }
  for (const auto& value : frame.registers) {
    if (value) {
      words.push_back(*value);
    }
  }
  const std::uint64_t size = frame.cfa > sp ? (frame.cfa - sp) / sizeof(Address) : 0;
  for (std::uint64_t i = 0; i < std::min(size, stack_words); ++i) {
    if (const auto word = input.reader.memory().load<Address>(sp + i * sizeof(Address))) {
      words.push_back(*word);
    }
  }
  std::erase_if(words, [&](Address word) {
    return word % sizeof(Address) != 0 || input.reader.memory().find(word) == nullptr;
  });
  return words;
}

} // namespace

cpython::KnownDeed find_slot_deed(const CheckInput& input, const image::Frame& frame, Address sp) {
  const image::Module* module = input.image.module_at(frame.pc);
  if (module == nullptr) {
    return {};
  }
  const Running running{.pc = frame.pc, .start = start_of_function(*module, frame.pc)};
  for (const Address object : candidates(input, frame, sp)) {
    if (const Deed deed = deed_of(input, object, running); deed != Deed::none) {
      return deed == Deed::visit
                 ? cpython::KnownDeed{.deed = deed, .object = 0, .container = object}
                 : cpython::KnownDeed{.deed = deed, .object = object, .container = 0};
    }
  }
  return {};
}

} // namespace pygc::analysis
