// Real cores of real interpreters: images, symbols, layouts, stacks.
#include "common/image/module.h"
#include "common/image/process/process_image.h"
#include "common/target/core/core_file.h"
#include "tests/unit/image_python_cores.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::image {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryDirectory;

constexpr const char* release_python = PYGC_TEST_PYTHON;
constexpr const char* debug_python = PYGC_TEST_PYTHON_DEBUG;
constexpr std::size_t frame_limit = 256;

#define PYGC_NEEDS_KERNEL_CORES()                                                                  \
  if (!testing::kernel_writes_core_files()) {                                                      \
    GTEST_SKIP() << "the kernel hands cores to a program here (core_pattern)";                     \
  }

const std::vector<LayoutQuery> some_layouts = {
    {.name = "PyGC_Head", .members = {"_gc_next", "_gc_prev"}},
    {.name = "PyTypeObject", .members = {"tp_name", "tp_traverse", "tp_is_gc", "tp_nonsense"}},
    {.name = "PyInterpreterState", .members = {"id", "gc.generations", "threads.head"}},
    {.name = "_PyRuntimeState", .members = {"interpreters.head", "gilstate"}},
    {.name = "PyModuleDef", .members = {"m_size", "m_slots", "m_traverse"}},
    {.name = "user_signal_t", .members = {"file", "interp"}},
    {.name = "PyModuleObject", .members = {"md_def", "md_state", "md_name"}},
    {.name = "_PyStackRef", .members = {"bits"}}};

/// The same layouts as GDB reads them from the debug information; what it does not know is left
/// out.
Layouts layouts_by_gdb(const char* python) {
  std::vector<std::string> expressions;
  for (const LayoutQuery& query : some_layouts) {
    expressions.push_back("sizeof(" + query.name + ")");
    for (const std::string& member : query.members) {
      expressions.push_back("&((" + query.name + "*)0)->" + member);
    }
  }
  const std::vector<std::optional<std::int64_t>> values =
      testing::evaluate_in_gdb(python, expressions);
  Layouts layouts;
  std::size_t i = 0;
  for (const LayoutQuery& query : some_layouts) {
    const auto& size = values.at(i++);
    if (size) {
      layouts[query.name]["sizeof"] = *size;
    }
    for (const std::string& member : query.members) {
      const auto& offset = values.at(i++);
      if (size && offset) {
        layouts[query.name][member] = *offset;
      }
    }
  }
  return layouts;
}

void expect_layouts_of(const char* python, const Result<Layouts>& layouts) {
  ASSERT_TRUE(layouts) << layouts.error().reason;
  EXPECT_GE(layouts->size(), some_layouts.size() - 2); // not each CPython has each of them
  EXPECT_FALSE(layouts->at("PyTypeObject").contains("tp_nonsense"));
  EXPECT_EQ(*layouts, layouts_by_gdb(python));
}

class ImagePython : public ::testing::Test {
protected:
  ImagePython() { ::setenv("PYGC_CACHE_DIR", (directory.path() + "/cache").c_str(), 1); }
  ~ImagePython() override { ::unsetenv("PYGC_CACHE_DIR"); }

  // Opens a core afresh; false when it cannot be.
  bool open(const std::string& path, const FileOptions& options = {}) {
    process.reset();
    auto target = target::open_core(path);
    EXPECT_TRUE(target) << path << ": " << (target ? "" : target.error().reason);
    if (!target) {
      return false;
    }
    core_target = std::move(*target);
    auto image = open_process_image(*core_target, options);
    EXPECT_TRUE(image) << (image ? "" : image.error().reason);
    if (!image) {
      return false;
    }
    process = std::move(*image);
    return !process->modules().empty();
  }

  const Module& executable() const { return *process->modules().front(); }

  std::uint64_t offset_of(const std::string& structure, const std::string& member) const {
    const auto layouts = executable().layouts({{.name = structure, .members = {member}}});
    EXPECT_TRUE(layouts && layouts->at(structure).contains(member)) << structure << "." << member;
    return layouts ? static_cast<std::uint64_t>(layouts->at(structure).at(member)) : 0;
  }

  const Frame* frame(const std::vector<Frame>& stack, std::string_view function) const {
    const auto found = std::ranges::find(stack, function, &Frame::function);
    EXPECT_NE(found, stack.end()) << function;
    return found == stack.end() ? nullptr : &*found;
  }

  std::uint64_t variable(const std::vector<Frame>& stack, std::string_view function,
                         std::string_view name) const {
    const Frame* its = frame(stack, function);
    if (its == nullptr || !its->variables.contains(name)) {
      ADD_FAILURE() << function << " has no " << name;
      return 0;
    }
    return its->variables.find(name)->second;
  }

  std::string type_name(Address object) const {
    const auto& memory = process->memory();
    const auto type = memory.load<std::uint64_t>(object + 8);
    const auto name = type ? memory.load<std::uint64_t>(*type + 24) : type;
    const auto text = name ? memory.load_string(*name) : Result<std::string>("");
    return text.value_or("");
  }

  TemporaryDirectory directory;
  std::unique_ptr<target::Target> core_target;
  std::unique_ptr<ProcessImage> process;
};

TEST_F(ImagePython, KernelCoreOfTheReleaseBuild) {
  PYGC_NEEDS_KERNEL_CORES();
  ASSERT_TRUE(
      open(testing::kernel_core(release_python, "import os; os.abort()", directory.path())));
  EXPECT_EQ(core_target->info().executable_path, release_python);
  ASSERT_EQ(core_target->threads().size(), 1U);
  EXPECT_EQ(core_target->threads()[0].signal, SIGABRT);
  EXPECT_EQ(static_cast<std::int64_t>(core_target->threads()[0].tid), core_target->info().pid);
  EXPECT_NE(core_target->threads()[0].thread_pointer, 0U);

  const Module& python = executable();
  EXPECT_EQ(python.path(), release_python);
  EXPECT_EQ(python.file_state(), FileState::found);
  EXPECT_EQ(python.build_id().size(), 40U);
  EXPECT_TRUE(python.has_symtab());
  EXPECT_TRUE(python.has_dwarf());
  EXPECT_THAT(python.debug_file_path(), HasSubstr(python.build_id().substr(2)));
  for (const auto& module : process->modules()) {
    EXPECT_EQ(module->file_state(), FileState::found) << module->file_problem();
  }
  expect_layouts_of(release_python, python.layouts(some_layouts));

  // Text comes from the file, so the same bytes must be there.
  const auto visit_decref = python.find_symbol("visit_decref");
  ASSERT_TRUE(visit_decref) << visit_decref.error().reason;
  EXPECT_TRUE(visit_decref->function);
  EXPECT_EQ(process->memory().find(visit_decref->address)->source, Source::file);
  EXPECT_EQ(process->describe_code(visit_decref->address + 3), "visit_decref+0x3");
  EXPECT_THAT(python.source_line(visit_decref->address).value_or(""),
              ::testing::MatchesRegex("(Modules/gcmodule|Python/gc)\\.c:[0-9]+"));
  const auto runtime = python.find_symbol("_PyRuntime");
  const auto section = python.section(".PyRuntime");
  ASSERT_TRUE(runtime);
  EXPECT_TRUE(section && section->contains(runtime->address));
  EXPECT_EQ(process->memory().find(runtime->address)->source, Source::saved);
  EXPECT_EQ(
      python.describe_static(runtime->address + offset_of("_PyRuntimeState", "interpreters.head")),
      "_PyRuntime.interpreters.head");
  // A static variable of one source file up to 3.11, a field of the runtime since.
  const auto signals = python.find_symbols("fatal_error");
  const auto state = std::ranges::find(signals, false, &Symbol::function);
  if (state != signals.end()) {
    EXPECT_EQ(python.describe_static(state->address + 8), "fatal_error.file");
  } else {
    EXPECT_EQ(python.describe_static(runtime->address +
                                     offset_of("_PyRuntimeState", "faulthandler.fatal_error.file")),
              "_PyRuntime.faulthandler.fatal_error.file");
  }
}

TEST_F(ImagePython, ArraysOfStaticStorageAreIndexed) {
  PYGC_NEEDS_KERNEL_CORES();
  ASSERT_TRUE(open(testing::kernel_core(debug_python, "import os; os.abort()", directory.path())));
  const auto runtime = executable().find_symbol("_PyRuntime");
  ASSERT_TRUE(runtime);
  // An array of structs in a struct, by its name of 3.11 or of 3.12.
  std::string array = "global_objects.singletons.small_ints";
  std::string type = "ob_base.ob_base.ob_type";
  const auto layouts = executable().layouts(
      {{.name = "_PyRuntimeState", .members = {array, "static_objects.singletons.small_ints"}},
       {.name = "PyLongObject", .members = {type}}});
  ASSERT_TRUE(layouts);
  if (!layouts->at("_PyRuntimeState").contains(array)) {
    array = "static_objects.singletons.small_ints";
  }
  if (!layouts->at("PyLongObject").contains(type)) {
    type = "ob_base.ob_type";
  }
  const auto offset = layouts->at("_PyRuntimeState").at(array);
  const auto size = layouts->at("PyLongObject").at("sizeof");
  EXPECT_EQ(executable().describe_static(runtime->address +
                                         static_cast<std::uint64_t>(offset + 7 * size + 8)),
            "_PyRuntime." + array + "[7]." + type);
  EXPECT_EQ(executable().describe_static(0x10).error().kind, ErrorKind::no_symbol);
}

TEST_F(ImagePython, StackOfTheReleaseBuildShowsInlinedCalls) {
  PYGC_NEEDS_KERNEL_CORES();
  ASSERT_TRUE(
      open(testing::kernel_core(release_python, "import os; os.abort()", directory.path())));
  const auto stack = process->unwind(core_target->threads().at(0), frame_limit);
  ASSERT_TRUE(stack) << stack.error().reason;
  std::vector<std::string> names;
  for (const Frame& one : *stack) {
    names.push_back(one.function);
  }
  EXPECT_THAT(
      names, ::testing::IsSupersetOf({"os_abort", "PyObject_Vectorcall", "_PyEval_EvalFrameDefault",
                                      "_PyEval_Vector", "PyEval_EvalCode", "Py_BytesMain"}));
  EXPECT_EQ(names.back(), "_start");
  EXPECT_EQ(process->unwind(core_target->threads().at(0), 3)->size(), 3U);
}

TEST_F(ImagePython, AbortInACollectionNamesVictimAndContainer) {
  PYGC_NEEDS_KERNEL_CORES();
  ASSERT_TRUE(
      open(testing::kernel_core(debug_python, testing::abort_in_collection, directory.path())));
  const auto layouts = executable().layouts(some_layouts);
  expect_layouts_of(debug_python, layouts);
  EXPECT_EQ(executable().debug_file_path(), debug_python);

  const auto stack = process->unwind(core_target->threads().at(0), frame_limit);
  ASSERT_TRUE(stack) << stack.error().reason;
  const std::uint64_t victim = variable(*stack, "_PyObject_AssertFailed", "obj");
  EXPECT_EQ(type_name(victim), "_io.TextIOWrapper");
  EXPECT_EQ(variable(*stack, "visit_decref", "op"), victim);
  const std::uint64_t container = variable(*stack, "visit_decref", "parent");
  EXPECT_EQ(variable(*stack, "subtract_refs", "op"), container);
  // Between the two runs the traverse function of the container's type.
  const auto type = process->memory().load<std::uint64_t>(container + 8);
  const auto traverse = process->memory().load<std::uint64_t>(*type + 184);
  ASSERT_TRUE(traverse);
  const auto symbol = executable().symbol_at(*traverse);
  const Frame* its = frame(*stack, symbol ? symbol->name : "");
  EXPECT_GT(its, frame(*stack, "visit_decref"));
  EXPECT_LT(its, frame(*stack, "subtract_refs"));
  // The list being walked is the oldest generation of the interpreter.
  const auto runtime = executable().find_symbol("_PyRuntime");
  ASSERT_TRUE(runtime);
  const auto interpreter = process->memory().load<std::uint64_t>(
      runtime->address + offset_of("_PyRuntimeState", "interpreters.head"));
  ASSERT_TRUE(interpreter);
  EXPECT_EQ(variable(*stack, "subtract_refs", "containers"),
            *interpreter + offset_of("PyInterpreterState", "gc.generations") + 48);
  EXPECT_EQ(variable(*stack, "gc_collect_main", "generation"), 2U);
}

TEST_F(ImagePython, GcoreHasAllThreadsAndOddOffsets) {
  const std::string path = testing::gcore_core(
      release_python,
      "import threading,time\nfor _ in range(3):\n  threading.Thread(target=time.sleep, "
      "args=(100,), daemon=True).start()\n",
      directory.path());
  ASSERT_FALSE(path.empty()) << "gcore wrote no core";
  ASSERT_TRUE(open(path));
  EXPECT_EQ(core_target->info().executable_path, release_python);
  ASSERT_EQ(core_target->threads().size(), 4U);
  EXPECT_EQ(executable().file_state(), FileState::found);
  for (const target::Thread& thread : core_target->threads()) {
    const auto stack = process->unwind(thread, frame_limit);
    ASSERT_TRUE(stack) << stack.error().reason;
    const bool main_thread = static_cast<std::int64_t>(thread.tid) == core_target->info().pid;
    EXPECT_NE(frame(*stack, main_thread ? "Py_BytesMain" : "thread_run"), nullptr);
    EXPECT_GT(stack->size(), 5U);
  }
}

TEST_F(ImagePython, FiltersChangeWhereBytesComeFromButNotTheBytes) {
  PYGC_NEEDS_KERNEL_CORES();
  for (const char* filter : {"0x33", "0x37", "0x3f"}) {
    const TemporaryDirectory own;
    ASSERT_TRUE(
        open(testing::kernel_core(release_python, "import os; os.abort()", own.path(), filter)));
    const auto visit_decref = executable().find_symbol("visit_decref");
    ASSERT_TRUE(visit_decref);
    const Region* text = process->memory().find(visit_decref->address);
    ASSERT_NE(text, nullptr);
    const bool unsaved = std::string_view(filter) == "0x33"; // bit 2: private file mappings
    EXPECT_EQ(text->source, unsaved ? Source::file : Source::saved) << filter;
    // Every mapped page of the executable is there, whatever the filter.
    for (Address page = executable().extent().start; page < executable().extent().end;
         page += 4096) {
      if (process->memory().find(page) != nullptr) {
        EXPECT_TRUE(process->memory().load<std::uint8_t>(page)) << std::hex << page;
      }
    }
  }
}

TEST_F(ImagePython, AnotherInterpreterIsNoSubstitute) {
  PYGC_NEEDS_KERNEL_CORES();
  FileOptions options;
  options.executable = debug_python;
  ASSERT_TRUE(open(testing::kernel_core(release_python, "import os; os.abort()", directory.path()),
                   options));
  EXPECT_EQ(executable().file_state(), FileState::build_id_mismatch);
  EXPECT_THAT(executable().file_problem(), HasSubstr(debug_python));
  const auto text = executable().code().at(0);
  const auto byte = process->memory().load<std::uint8_t>(text.start);
  ASSERT_FALSE(byte);
  EXPECT_EQ(byte.error().kind, ErrorKind::memory_not_saved);
  EXPECT_EQ(byte.error().address, text.start);
  // Symbols and layouts come from the debug file of the build that ran.
  EXPECT_TRUE(executable().find_symbol("visit_decref"));
}

TEST_F(ImagePython, WithoutDebugInformationThereAreDynamicSymbols) {
  PYGC_NEEDS_KERNEL_CORES();
  FileOptions options;
  options.debug_directories = {directory.path() + "/nothing"};
  ASSERT_TRUE(open(testing::kernel_core(release_python, "import os; os.abort()", directory.path()),
                   options));
  EXPECT_FALSE(executable().has_symtab());
  EXPECT_FALSE(executable().has_dwarf());
  EXPECT_TRUE(executable().find_symbol("_PyRuntime"));
  EXPECT_EQ(executable().find_symbol("visit_decref").error().kind, ErrorKind::no_symbol);
  EXPECT_EQ(executable().layouts(some_layouts).error().kind, ErrorKind::no_debug_info);
  EXPECT_EQ(executable().describe_static(executable().static_storage().at(0).start).error().kind,
            ErrorKind::no_debug_info);
  // .eh_frame is enough for a stack, with the names that are left.
  const auto stack = process->unwind(core_target->threads().at(0), frame_limit);
  ASSERT_TRUE(stack) << stack.error().reason;
  EXPECT_NE(frame(*stack, "Py_BytesMain"), nullptr);
}

TEST_F(ImagePython, TheSecondCommandNeedsNoDebugFile) {
  PYGC_NEEDS_KERNEL_CORES();
  const std::string core =
      testing::kernel_core(release_python, "import os; os.abort()", directory.path());
  ASSERT_TRUE(open(core));
  expect_layouts_of(release_python, executable().layouts(some_layouts));
  const Address head = executable().find_symbol("_PyRuntime")->address +
                       offset_of("_PyRuntimeState", "interpreters.head");
  EXPECT_TRUE(executable().describe_static(head));
  FileOptions options;
  options.debug_directories = {directory.path() + "/nothing"};
  ASSERT_TRUE(open(core, options));
  EXPECT_FALSE(executable().has_dwarf());
  expect_layouts_of(release_python, executable().layouts(some_layouts));
  EXPECT_EQ(executable().describe_static(head), "_PyRuntime.interpreters.head");
  // Another question does.
  EXPECT_EQ(executable().layouts({{.name = "PyListObject", .members = {}}}).error().kind,
            ErrorKind::no_debug_info);
}

} // namespace
} // namespace pygc::image
