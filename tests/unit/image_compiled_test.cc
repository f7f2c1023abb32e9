// Symbols and debug information of a small library compiled by the test, in all the places where
// debug information may lie.
#include "common/image/debug_knowledge.h"
#include "common/image/module.h"
#include "common/image/process/process_image.h"
#include "common/target/core/core_file.h"
#include "tests/unit/image_builder.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::image {
namespace {

using testing::CoreBuilder;
using ::testing::Pair;
using testing::TemporaryDirectory;
using ::testing::UnorderedElementsAre;

constexpr Address base = 0x7f1234560000;

constexpr const char* source = R"(
struct inner { int a; struct { short b; union { long c; char d[8]; }; }; unsigned flag : 3; };
struct hidden_type;
typedef struct { char pad[4]; struct inner grid[2][3]; struct inner *p; struct hidden_type *h; } outer_t;
outer_t table[5];
long split(long x) __asm__("split.constprop.0");
long split(long x) { return x + (long)table; }
long rest(long x) __asm__("split.cold");
long rest(long x) { return x - 1; }
int counter(void) { static long hits; return (int)++hits + (table[0].p == 0); }
)";

constexpr const char* objects_source = R"(
typedef struct { long refcount; void *type; } PyObject;
typedef struct { PyObject base; PyObject *callback; struct { PyObject *next; } head; long number;
                 PyObject *slots[2]; } Job;
typedef struct { PyObject base; long a; PyObject *left, *right; long b, c; } Other;
struct probe_state { PyObject *error, *cache; };
int by_variable(PyObject *op) { Job *self = (Job *)op; return self->callback != 0; }
int by_cast(PyObject *op) { return ((Job *)op)->callback != 0; }
int by_two(PyObject *op) { Job *a = (Job *)op; Other *b = (Other *)op; return a->number + b->a; }
int of_module(void *m) { struct probe_state *state = m; return state->error != 0; }
)";

constexpr const char* shared_source = "struct common_part { long x, y; } common_object;\n";

class ImageCompiled : public ::testing::Test {
protected:
  ImageCompiled() {
    ::setenv("PYGC_CACHE_DIR", (directory.path() + "/cache").c_str(), 1);
    options.debug_directories = {in("debug")};
  }
  ~ImageCompiled() override {
    ::unsetenv("PYGC_CACHE_DIR");
    ::unsetenv("DEBUGINFOD_URLS");
    ::unsetenv("DEBUGINFOD_CACHE_PATH");
  }

  std::string in(const std::string& name) const { return directory.path() + "/" + name; }

  bool run(const std::string& command) const {
    const std::string line = "cd '" + directory.path() + "' && " + command + " >log 2>&1";
    return std::system(line.c_str()) == 0;
  }

  // False where there is no compiler or binutils.
  bool compile(const std::string& text, const std::string& name) const {
    std::ofstream(in("source.c")) << text;
    return run("cc -g -O0 -shared -fPIC -Wl,--build-id -o " + name + " source.c");
  }

  // A process image in which the library alone is loaded.
  const Module* load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    testing::Bytes page(4096);
    file.read(reinterpret_cast<char*>(page.data()), 4096);
    CoreBuilder core;
    core.segments = {{.address = base, .size = 4096, .flags = PF_R, .saved = page}};
    core.mappings = {{.start = base, .end = base + 4096, .offset = 0, .path = path}};
    process.reset();
    auto target = target::open_core(directory.write("core", core.build()));
    if (!target) {
      return nullptr;
    }
    core_target = std::move(*target);
    auto image = open_process_image(*core_target, options);
    if (!image || (*image)->modules().empty()) {
      return nullptr;
    }
    process = std::move(*image);
    return process->modules().front().get();
  }

  static Address address_of(const Module& module, std::string_view name) {
    const auto symbol = module.find_symbol(name);
    EXPECT_TRUE(symbol) << name;
    return symbol ? symbol->address : 0;
  }

  TemporaryDirectory directory;
  FileOptions options;
  std::unique_ptr<target::Target> core_target;
  std::unique_ptr<ProcessImage> process;
};

#define PYGC_COMPILE(text, name)                                                                   \
  if (!compile(text, name)) {                                                                      \
    GTEST_SKIP() << "no C compiler here";                                                          \
  }

TEST_F(ImageCompiled, LayoutsFollowTypedefsAnonymousMembersAndArrays) {
  PYGC_COMPILE(source, "lib.so");
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(module->load_bias(), base);
  const auto layouts = module->layouts(
      {{.name = "inner", .members = {"a", "b", "c", "d", "flag", "nothing", "a.b", ""}},
       {.name = "outer_t", .members = {"grid", "grid.c", "p", "p.a"}},
       {.name = "hidden_type", .members = {}},
       {.name = "no_such_type", .members = {"x"}}});
  ASSERT_TRUE(layouts) << layouts.error().reason;
  ASSERT_EQ(layouts->size(), 2U);
  // Bit-fields have no byte offset, and a pointer is not followed.
  EXPECT_THAT(layouts->at("inner"),
              UnorderedElementsAre(Pair("sizeof", 32), Pair("a", 0), Pair("b", 8), Pair("c", 16),
                                   Pair("d", 16)));
  EXPECT_THAT(layouts->at("outer_t"),
              UnorderedElementsAre(Pair("sizeof", 8 + 6 * 32 + 16), Pair("grid", 8),
                                   Pair("grid.c", 24), Pair("p", 200)));
}

TEST_F(ImageCompiled, StaticStorageIsDescribedByMemberPath) {
  PYGC_COMPILE(source, "lib.so");
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  const Address table = address_of(*module, "table");
  constexpr Address row = 216; // sizeof(outer_t)
  EXPECT_EQ(module->describe_static(table), "table[0].pad[0]");
  EXPECT_EQ(module->describe_static(table + 3 * row + 184), "table[3].grid[1][2].c");
  EXPECT_EQ(module->describe_static(table + 4 * row + 200), "table[4].p");
  EXPECT_EQ(module->describe_static(table + row + 8 + 4), "table[1].grid[0][0]"); // padding
  EXPECT_EQ(module->describe_static(base).error().kind, ErrorKind::no_symbol);
  bool found = false;
  for (const Range& range : module->static_storage()) {
    for (Address at = range.start; at < range.end && !found; at += 8) {
      found = module->describe_static(at) == "hits"; // inside a function
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(ImageCompiled, MembersOfObjectsAreThoseOfTheOneStructOfTheirSize) {
  PYGC_COMPILE(objects_source, "lib.so");
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  const auto member = [&](std::string_view function, std::string type, std::uint64_t size,
                          std::uint64_t offset, bool object = true) {
    const auto* debug = dynamic_cast<const DebugKnowledge*>(process.get());
    const auto found = debug->find_member({.functions = {address_of(*module, function)},
                                           .type_name = std::move(type),
                                           .size = size,
                                           .offset = offset,
                                           .object = object});
    return found ? found->structure + ": " + found->member : std::string();
  };
  for (const char* once_more : {"read", "kept"}) {
    EXPECT_EQ(member("by_variable", "", 56, 16), "Job: callback") << once_more;
    EXPECT_EQ(member("by_variable", "", 56, 24), "Job: head.next") << once_more;
    EXPECT_EQ(member("by_variable", "", 56, 48), "Job: slots[1]") << once_more;
    EXPECT_EQ(member("by_variable", "", 56, 32), "") << once_more; // no pointer
    EXPECT_EQ(member("by_variable", "", 56, 20), "") << once_more; // in the middle of one
    EXPECT_EQ(member("by_variable", "", 48, 16), "") << once_more; // another size
  }
  // No variable is of the struct: its name must be like that of the type.
  EXPECT_EQ(member("by_cast", "pkg.Job", 56, 16), "Job: callback");
  EXPECT_EQ(member("by_cast", "pkg.Task", 56, 16), "");
  // Two structs of that size have pointers there.
  EXPECT_EQ(member("by_two", "pkg.Task", 56, 24), "");
  EXPECT_EQ(member("by_two", "pkg.Job", 56, 24), "Job: head.next");
  EXPECT_EQ(member("by_two", "pkg.OtherObject", 56, 24), "Other: left");
  // What does not begin with an object.
  EXPECT_EQ(member("of_module", "", 16, 8, false), "probe_state: cache");
  EXPECT_EQ(member("of_module", "", 16, 8), "");
}

TEST_F(ImageCompiled, ClonesAreFoundByTheNameInTheSource) {
  PYGC_COMPILE(source, "lib.so");
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  const auto symbols = module->find_symbols("split");
  ASSERT_EQ(symbols.size(), 2U);
  EXPECT_EQ(symbols[0].name, "split.constprop.0");
  EXPECT_EQ(symbols[1].name, "split.cold");
  EXPECT_EQ(module->find_symbol("split")->name, "split.constprop.0");
  EXPECT_EQ(module->find_symbol("split.cold")->name, "split.cold");
  EXPECT_FALSE(module->find_symbol("spli"));
  EXPECT_FALSE(module->find_symbol("split.isra.0"));
  const auto covering = module->symbol_at(symbols[0].address + 1);
  EXPECT_EQ(covering ? covering->name : "", "split.constprop.0");
  EXPECT_EQ(process->describe_code(symbols[0].address), "split");
  EXPECT_EQ(process->describe_code(symbols[0].address + 1), "split+0x1");
  EXPECT_EQ(module->source_line(address_of(*module, "counter") + 4), "source.c:10");
  EXPECT_FALSE(module->symbol_at(base + 0x100000));
}

TEST_F(ImageCompiled, DebugLinkNamesAFileBesideTheLibrary) {
  PYGC_COMPILE(source, "lib.so");
  ASSERT_TRUE(run("mkdir .debug && objcopy --only-keep-debug lib.so .debug/lib.debug && "
                  "strip lib.so && objcopy --add-gnu-debuglink=.debug/lib.debug lib.so"));
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  EXPECT_TRUE(module->has_dwarf());
  EXPECT_TRUE(module->has_symtab());
  EXPECT_EQ(module->debug_file_path(), in(".debug/lib.debug"));
  EXPECT_TRUE(module->layouts({{.name = "inner", .members = {"c"}}}));
  EXPECT_EQ(module->describe_static(address_of(*module, "table") + 8), "table[0].grid[0][0].a");
  EXPECT_TRUE(module->section(".text"));
}

TEST_F(ImageCompiled, DebugLinkToAnotherBuildIsIgnored) {
  PYGC_COMPILE(source, "lib.so");
  ASSERT_TRUE(run("strip lib.so"));
  PYGC_COMPILE(std::string(source) + "int more;\n", "other.so");
  ASSERT_TRUE(run("objcopy --only-keep-debug other.so lib.debug && "
                  "objcopy --add-gnu-debuglink=lib.debug lib.so"));
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  EXPECT_FALSE(module->has_dwarf());
  EXPECT_EQ(module->debug_file_path(), "");
}

TEST_F(ImageCompiled, SupplementaryFilesAreRead) {
  PYGC_COMPILE(shared_source, "shared.so");
  const Module* shared = load(in("shared.so"));
  ASSERT_NE(shared, nullptr);
  const std::string build_id = shared->build_id();
  PYGC_COMPILE(source, "lib.so");
  ASSERT_TRUE(run("mkdir -p debug/.dwz && cp shared.so debug/.dwz/shared.debug"));
  // The section holds a name and the raw build-id.
  std::ofstream link(in("link"), std::ios::binary);
  link << "gone/shared.debug" << '\0';
  for (std::size_t i = 0; i + 1 < build_id.size(); i += 2) {
    link << static_cast<char>(std::stoi(build_id.substr(i, 2), nullptr, 16));
  }
  link.close();
  ASSERT_TRUE(run("objcopy --add-section .gnu_debugaltlink=link lib.so"));
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  const auto layouts = module->layouts(
      {{.name = "inner", .members = {"c"}}, {.name = "common_part", .members = {"y"}}});
  ASSERT_TRUE(layouts) << layouts.error().reason;
  ASSERT_TRUE(layouts->contains("common_part"));
  EXPECT_EQ(layouts->at("common_part").at("y"), 8);
  EXPECT_EQ(layouts->at("inner").at("c"), 16);
}

TEST_F(ImageCompiled, DebuginfodSuppliesWhatIsNowhereElse) {
  PYGC_COMPILE(source, "lib.so");
  ASSERT_TRUE(run("cp lib.so whole.so && objcopy --only-keep-debug lib.so lib.debug && "
                  "strip lib.so && cp lib.so stripped.so"));
  const Module* module = load(in("lib.so"));
  ASSERT_NE(module, nullptr);
  const std::string served = in("server/buildid/" + module->build_id());
  EXPECT_FALSE(module->has_dwarf());
  ASSERT_TRUE(run("mkdir -p '" + served + "' && cp lib.debug '" + served +
                  "/debuginfo' && cp stripped.so '" + served + "/executable'"));
  // Another build has taken the library's place since the core was taken.
  const testing::Bytes core = [&] {
    std::ifstream file(in("core"), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    testing::Bytes bytes;
    testing::append(bytes, text.data(), text.size());
    return bytes;
  }();
  PYGC_COMPILE(shared_source, "lib.so");
  ::setenv("DEBUGINFOD_CACHE_PATH", in("client").c_str(), 1);
  for (const bool served_here : {false, true}) {
    if (served_here) {
      ::setenv("DEBUGINFOD_URLS", ("file://" + in("server")).c_str(), 1);
    }
    auto target = target::open_core(directory.write("core", core));
    ASSERT_TRUE(target);
    auto image = open_process_image(**target, options);
    ASSERT_TRUE(image);
    const Module& again = *(*image)->modules().at(0);
    EXPECT_EQ(again.file_state(), served_here ? FileState::found : FileState::build_id_mismatch);
    EXPECT_EQ(again.has_dwarf(), served_here);
    if (served_here) {
      EXPECT_EQ(again.layouts({{.name = "inner", .members = {"c"}}})->at("inner").at("c"), 16);
    }
  }
  options.debuginfod = false;
  auto target = target::open_core(in("core"));
  ASSERT_TRUE(target);
  auto image = open_process_image(**target, options);
  ASSERT_TRUE(image);
  EXPECT_EQ((*image)->modules().at(0)->file_state(), FileState::build_id_mismatch);
}

} // namespace
} // namespace pygc::image
