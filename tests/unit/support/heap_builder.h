// A heap made by hand: types, objects and modules in memory that the real readers read.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"
#include "common/image/module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace pygc::tests {

inline constexpr Address dynamic_base = 0x10'0000; // types and objects
inline constexpr Address static_base = 0x20'0000;  // writable static storage of a library
inline constexpr Address code_base = 0x30'0000;
inline constexpr Address missing_base = 0x40'0000; // memory that is not to be had
inline constexpr Address runtime_base = 0x50'0000; // _PyRuntime
inline constexpr Address interpreter_base = 0x60'0000;
inline constexpr std::uint64_t area_size = 0x8000;

/// The one library of the target.
class FakeModule final : public image::Module {
public:
  std::map<std::string, Address, std::less<>> symbols;
  image::FileState state = image::FileState::found;
  std::string problem;
  std::optional<image::Layouts> described; // by debug information

  const std::string& path() const override { return path_; }
  const std::string& file_path() const override { return path_; }
  image::FileState file_state() const override { return state; }
  const std::string& file_problem() const override { return problem; }
  const std::string& build_id() const override { return build_id_; }
  Address load_bias() const override { return 0; }
  image::Range extent() const override { return {static_base, code_base + area_size}; }
  const std::vector<image::Range>& static_storage() const override { return statics_; }
  const std::vector<image::Range>& code() const override { return code_; }
  std::optional<image::Range> section(std::string_view) const override { return std::nullopt; }
  bool has_symtab() const override { return true; }
  bool has_dwarf() const override { return false; }
  const std::string& debug_file_path() const override { return build_id_; }
  Result<image::Symbol> find_symbol(std::string_view name) const override {
    const auto found = symbols.find(name);
    if (found == symbols.end()) {
      return fail(ErrorKind::no_symbol, 0, "no such symbol");
    }
    return image::Symbol{std::string(name), found->second, 16, false};
  }
  std::vector<image::Symbol> find_symbols(std::string_view) const override { return {}; }
  std::optional<image::Symbol> symbol_at(Address address) const override {
    for (const auto& [name, at] : symbols) {
      if (address >= at && address < at + 16) {
        return image::Symbol{name, at, 16, false};
      }
    }
    return std::nullopt;
  }
  Result<image::Layouts> layouts(const std::vector<image::LayoutQuery>&) const override {
    return described ? Result<image::Layouts>(*described)
                     : fail(ErrorKind::no_debug_info, 0, "none");
  }
  Result<std::string> describe_static(Address) const override {
    return fail(ErrorKind::no_debug_info, 0, "none");
  }
  Result<std::string> source_line(Address) const override {
    return fail(ErrorKind::no_debug_info, 0, "none");
  }

private:
  std::string path_ = "/lib/fake.so";
  std::string build_id_;
  std::vector<image::Range> statics_ = {{static_base, static_base + area_size}};
  std::vector<image::Range> code_ = {{code_base, code_base + area_size}};
};

class FakeImage final : public image::ProcessImage {
public:
  FakeImage() { modules_.push_back(std::make_unique<FakeModule>()); }

  FakeModule& library() { return static_cast<FakeModule&>(*modules_.front()); }
  image::AddressSpace& space() { return memory_; }
  std::vector<image::Frame> frames; // of every thread

  const image::AddressSpace& memory() const override { return memory_; }
  const std::vector<std::unique_ptr<image::Module>>& modules() const override { return modules_; }
  const image::Module* module_at(Address address) const override {
    return modules_.front()->extent().contains(address) ? modules_.front().get() : nullptr;
  }
  std::string describe_code(Address address) const override {
    const auto symbol = modules_.front()->symbol_at(address);
    return symbol ? symbol->name : "?";
  }
  Result<std::vector<image::Frame>> unwind(const target::Thread&, std::size_t,
                                           image::FrameDetail) const override {
    return frames;
  }

private:
  image::AddressSpace memory_;
  std::vector<std::unique_ptr<image::Module>> modules_;
};

/// What is known of memory that the core lacks: whether it could hold references.
enum class MissingMemory : std::uint8_t { writable, read_only, unknown };

class HeapBuilder {
public:
  explicit HeapBuilder(MissingMemory missing = MissingMemory::writable)
      : bytes_(area_size), missing_(missing) {
    cpython::Layout& layout = runtime_.layout;
    layout.gc_head_size = 16;
    layout.gc_prev = 8;
    layout.ob_type = 8;
    layout.ob_size = 16;
    layout.tp_name = 24;
    layout.tp_basicsize = 32;
    layout.tp_itemsize = 40;
    layout.tp_flags = 48;
    layout.tp_traverse = 56;
    layout.tp_members = 88; // behind tp_clear, tp_richcompare and tp_weaklistoffset
    layout.tp_base = 96;
    layout.tp_dictoffset = 104;
    layout.tp_is_gc = 112; // tp_del and tp_finalize are the 6th and 8th word behind it
    layout.md_dict = 16;
    layout.md_def = 24;
    layout.md_state = 32;
    layout.md_name = 40;
    layout.m_size = 16;
    layout.m_slots = 24;
    layout.m_traverse = 32;
    layout.unicode_length = 16;
    layout.unicode_state = 24;
    layout.ascii_size = 32;
    layout.compact_size = 32;
    layout.runtime_size = 0x100;
    layout.interp_size = 0x100;
    runtime_.address = runtime_base;
    runtime_.module = &image_.library();
    runtime_.interpreters.push_back({.address = interpreter_base,
                                     .id = 0,
                                     .spaces = {{.name = "0", .head = 0x1000}},
                                     .counts = {}});
    metatype = add_type("type", 0, std::uint64_t{1} << cpython::type_flag::type_subclass);
    module_type = add_type("module", add_function("module_traverse"));
    image_.library().symbols["PyModule_Type"] = module_type;
    plain_type = add_type("C", add_function("C_traverse"));
  }

  Address add_function(const std::string& name) {
    const Address at = code_base + 16 * functions_++;
    image_.library().symbols[name] = at;
    return at;
  }

  Address add_type(const std::string& name, Address traverse, std::uint64_t flags = 0) {
    const Address text = reserve(name.size() + 1);
    std::memcpy(bytes_.data() + (text - dynamic_base), name.c_str(), name.size() + 1);
    const Address type = reserve(192);
    const cpython::Layout& layout = runtime_.layout;
    store(type + layout.ob_type, metatype == 0 ? type : metatype);
    store(type + layout.tp_name, text);
    store(type + layout.tp_basicsize, 48);
    store(type + layout.tp_flags, flags | std::uint64_t{1} << cpython::type_flag::have_gc);
    store(type + layout.tp_traverse, traverse);
    return type;
  }

  /// The next object of the one generation. Returns its index.
  std::uint32_t add_object(std::uint64_t refcount, Address type = 0) {
    type = type == 0 ? plain_type : type;
    const Address object = reserve(16 + 48) + 16;
    store(object, refcount);
    store(object + runtime_.layout.ob_type, type);
    track(object, refcount);
    return static_cast<std::uint32_t>(heap_.objects.size() - 1);
  }
  /// Puts what is there on the list of the one generation.
  void track(Address object, std::uint64_t refcount) {
    heap_.objects.push_back(object);
    heap_.refcounts.push_back(refcount);
    heap_.states.push_back({});
    heap_.types.push_back(stored(object + runtime_.layout.ob_type));
    heap_.usable.push_back(true);
  }

  /// `size` as m_size; a module with one has a state of so many bytes.
  std::uint32_t add_module(Address definition, std::int64_t size, std::uint64_t refcount = 1) {
    const std::uint32_t index = add_object(refcount, module_type);
    store(object(index) + *runtime_.layout.md_def, definition);
    if (size > 0) {
      store(object(index) + runtime_.layout.md_state, reserve(static_cast<std::size_t>(size)));
    }
    return index;
  }
  Address add_definition(std::int64_t size, Address traverse) {
    const Address definition = reserve(48);
    store(definition + runtime_.layout.m_size, static_cast<std::uint64_t>(size));
    store(definition + runtime_.layout.m_traverse, traverse);
    return definition;
  }

  /// Before finish().
  void store(Address address, std::uint64_t value) {
    std::memcpy(bytes_.data() + (address - dynamic_base), &value, sizeof value);
  }
  std::uint64_t stored(Address address) const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + (address - dynamic_base), sizeof value);
    return value;
  }
  /// gc_refs as a collector at work on the object has it; before finish().
  void set_stored_gc_refs(std::uint32_t index, std::int64_t gc_refs) {
    heap_.states.set(heap::HeapIndex(index), {gc_refs, true, false});
    ++collecting_;
  }

  /// Makes the memory readable; nothing may be added then.
  void finish() {
    const int fd = ::memfd_create("heap", MFD_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, bytes_.data(), bytes_.size(), 0), static_cast<ssize_t>(bytes_.size()));
    image_.space().own(fd);
    add_region(dynamic_base, image::Source::saved, fd);
    add_region(static_base, image::Source::zero, -1);
    add_region(missing_base, image::Source::missing, -1);
    image_.space().sort();
    heap_.spaces = {{.interpreter = 0,
                     .space = 0,
                     .first = 0,
                     .count = heap_.objects.size(),
                     .collecting = collecting_}};
    reader_ = std::make_unique<cpython::ObjectReader>(image_, runtime_);
  }

  Address object(std::uint32_t index) const { return heap_.objects[heap::HeapIndex(index)]; }
  const std::vector<Address>& objects() const { return heap_.objects; }
  Address reserve(std::size_t size) {
    const Address at = dynamic_base + used_;
    used_ += (size + 15) & ~std::size_t{15};
    EXPECT_LE(used_, area_size);
    return at;
  }

  FakeImage& image() { return image_; }
  cpython::Runtime& runtime() { return runtime_; }
  heap::Heap& heap() { return heap_; }
  cpython::ObjectReader& reader() { return *reader_; }
  std::vector<target::Thread>& threads() { return threads_; }

  analysis::CheckInput input(replay::Tracer& replayer) {
    return {.image = image_,
            .reader = *reader_,
            .heap = heap_,
            .threads = threads_,
            .replayer = replayer,
            .tracer = &replayer};
  }

  Address metatype = 0;
  Address module_type = 0;
  Address plain_type = 0; // instances have six words

private:
  void add_region(Address start, image::Source source, int fd) {
    image::Region region;
    region.start = start;
    region.end = start + area_size;
    region.source = source;
    region.fd = fd;
    const bool is_missing = source == image::Source::missing;
    region.permissions = {.read = !is_missing || missing_ != MissingMemory::unknown,
                          .write = !is_missing || missing_ == MissingMemory::writable,
                          .execute = false};
    region.why_missing = source == image::Source::missing ? "the core lacks it" : "";
    EXPECT_TRUE(image_.space().add(region));
  }

  std::vector<std::uint8_t> bytes_;
  MissingMemory missing_;
  std::size_t used_ = 64;
  std::size_t functions_ = 0;
  std::size_t collecting_ = 0;
  FakeImage image_;
  cpython::Runtime runtime_;
  heap::Heap heap_;
  std::vector<target::Thread> threads_{1};
  std::unique_ptr<cpython::ObjectReader> reader_;
};

} // namespace pygc::tests
