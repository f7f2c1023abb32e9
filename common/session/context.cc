#include "common/session/context.h"

#include "common/base/cache_directory.h"
#include "common/cpython/collector/fatal_functions.h"
#include "common/cpython/collector/visitor_search.h"
#include "common/cpython/objects/unused_memory.h"
#include "common/heap/collected_set.h"
#include "common/image/process/idle_stacks.h"
#include "common/image/process/process_image.h"
#include "common/session/current_thread.h"
#include "common/session/found_objects.h"
#include "common/session/last_list.h"
#include "common/session/live_process.h"
#include "common/session/sweep_request.h"
#include "common/session/visitor_choice.h"
#include "common/target/core/core_file.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>

namespace pygc::session {
namespace {

constexpr const char* native_name = "pygc-replayer-native";
constexpr const char* emulated_name = "pygc-replayer-emulated";

replay::ObjectShape shape_of(const cpython::Layout& layout) {
  replay::ObjectShape shape;
  shape.gc_head_size = layout.gc_head_size;
  // The word in which the replay keeps gc_refs is the one in which the collector does.
  shape.gc_prev = layout.free_threaded ? layout.free_threaded->ob_tid : layout.gc_prev;
  shape.ob_type = layout.ob_type;
  shape.tp_flags = layout.tp_flags;
  shape.tp_traverse = layout.tp_traverse;
  shape.tp_is_gc = layout.tp_is_gc;
  shape.tp_flags_have_gc_bit = cpython::type_flag::have_gc;
  shape.tp_flags_type_bit = cpython::type_flag::type_subclass;
  shape.ob_refcnt = layout.free_threaded ? layout.free_threaded->ob_ref_shared : layout.ob_refcnt;
  return shape;
}

// A number in the place of a core is a process that lacks its option.
Error with_process_hint(Error error, const std::string& core) {
  if (error.kind == ErrorKind::not_found && core.find_first_not_of("0123456789") == core.npos) {
    error.reason += fmt::format(" (a process? --pid {})", core);
  }
  return error;
}

} // namespace

image::FileOptions Context::file_options() const {
  image::FileOptions files = options_.file_options();
  if (!options_.pid &&
      options_.core.empty()) { // what was named has nothing to do with the debugger's target
    // Whoever names a sysroot wants the executable that is there, whatever the debugger has opened.
    std::error_code error;
    const bool elsewhere = !files.sysroot.empty() &&
                           std::filesystem::exists(files.sysroot + surroundings_.executable, error);
    if (files.executable.empty() && !elsewhere) {
      files.executable = surroundings_.executable;
    }
    files.sysroot = files.sysroot.empty() ? surroundings_.sysroot : files.sysroot;
    // GDB's "/" is this machine's own root.
    files.sysroot.erase(files.sysroot.find_last_not_of('/') + 1);
  }
  return files;
}

Result<std::unique_ptr<target::Target>> Context::open_target() const {
  if (!options_.core.empty()) {
    auto core = target::open_core(
        options_.core,
        {.directory = cache_directory(),
         .says = [this](const std::string& what) { surroundings_.session.progress(what); },
         .cancelled = [this] { return surroundings_.session.cancelled(); }});
    return core ? std::move(core) : std::unexpected(with_process_hint(core.error(), options_.core));
  }
  if (options_.pid) {
    return open_live_process(*options_.pid, surroundings_.session);
  }
  if (surroundings_.open_target) {
    return surroundings_.open_target();
  }
  return fail(ErrorKind::usage, 0, "no core file was named, and no process (--pid N)");
}

Result<void> Context::open_opened() {
  image::FileOptions files = file_options();
  std::optional<std::string> key;
  if (surroundings_.kept != nullptr) {
    key = key_of(options_, files, surroundings_.stop_id);
    opened_ = key ? surroundings_.kept->find(*key, files) : nullptr;
  }
  if (opened_) {
    surroundings_.subject = subject();
    surroundings_.list_key = list_key(options_, this->target().info(), surroundings_);
    return {};
  }
  auto target = open_target();
  if (!target) {
    return std::unexpected(target.error());
  }
  surroundings_.subject = report::subject_of(**target, nullptr);
  surroundings_.list_key = list_key(options_, (*target)->info(), surroundings_);
  std::string process_root;
  if (const target::Info& info = (*target)->info(); info.kind == target::Kind::live) {
    process_root = complete_file_options(info.pid, files);
  }
  auto image = image::open_process_image(**target, files);
  if (!image) {
    return std::unexpected(image.error());
  }
  opened_ = std::make_shared<OpenedTarget>(std::move(*target), std::move(*image),
                                           std::move(process_root));
  if (surroundings_.kept != nullptr) {
    surroundings_.kept->opened(key, opened_, files);
  }
  return {};
}

void Context::announce() {
  if (options_.progress || options_.json) {
    surroundings_.session.show_progress(options_.progress.value_or(false));
  }
  surroundings_.session.progress("opening the target");
}

Result<std::unique_ptr<Context>> Context::open(const Options& options, Surroundings& surroundings) {
  std::unique_ptr<Context> context(new Context(surroundings, options));
  context->announce();
  if (auto opened = context->open_opened(); !opened) {
    return std::unexpected(opened.error());
  }
  return context;
}

Result<std::unique_ptr<Context>> Context::open_python(const Options& options,
                                                      Surroundings& surroundings, Wanted wanted) {
  std::unique_ptr<Context> context(new Context(surroundings, options));
  context->announce();
  if (wanted == Wanted::tracer) {
    context->tracer_process_ =
        replay::start_early(surroundings.replayer_directory + "/" + emulated_name,
                            [&session = surroundings.session] { return session.cancelled(); });
  }
  auto ready = context->open_opened();
  if (ready) {
    ready = context->find_python();
  }
  if (!ready) {
    return std::unexpected(ready.error());
  }
  return context;
}

Result<void> Context::find_python() {
  surroundings_.session.progress("looking for Python");
  auto found = opened_->find_python(surroundings_.share_directory + "/layouts",
                                    options_.runtime.value_or(0));
  if (!found) {
    return found;
  }
  found_python_ = true;
  surroundings_.subject = subject();
  return {};
}

Result<const heap::Heap*> Context::heap() {
  if (opened_->has_heap()) {
    return opened_->heap({});
  }
  surroundings_.session.progress("walking the heap");
  const auto walked = opened_->heap([this] { return surroundings_.session.cancelled(); });
  if (walked) {
    surroundings_.session.progress("running the traverse functions");
  }
  return walked;
}

Result<std::unique_ptr<replay::Sweep>> Context::sweep() {
  if (options_.engine != Engine::native) {
    return nullptr;
  }
  const std::function<bool()> cancelled = [this] { return surroundings_.session.cancelled(); };
  const auto request = sweep_request(reader());
  if (!request) {
    return nullptr;
  }
  std::optional<replay::FoundObjects> found;
  if (request->lists.empty()) {
    surroundings_.session.progress("walking the heap");
    found = find_objects(reader(), cancelled);
    if (!found) {
      return nullptr;
    }
  }
  surroundings_.session.progress("running the traverse functions");
  replay::Options options = replay_options(native_name);
  options.idle = image::idle_stacks(image().memory(), target().threads());
  std::ranges::copy(cpython::unused_memory(image().memory(), runtime()),
                    std::back_inserter(options.idle));
  std::ranges::sort(options.idle, {}, &image::Range::start);
  return found ? replay::start_found_sweep(image().memory(), options, *request, *found, cancelled)
               : replay::start_sweep(image().memory(), options, *request, cancelled);
}

Result<replay::Replayer*> Context::replayer() {
  if (options_.engine != Engine::emulated) {
    return native();
  }
  const auto emulated = tracer();
  return emulated ? Result<replay::Replayer*>(*emulated) : std::unexpected(emulated.error());
}

Result<replay::Replayer*> Context::native() {
  if (!replayer_) {
    const replay::Options options = replay_options(native_name);
    auto started = replay::start_native(image().memory(), options,
                                        [this] { return surroundings_.session.cancelled(); });
    if (!started) {
      return std::unexpected(started.error());
    }
    replayer_ = std::move(*started);
    if (auto searched = search_visitor(*replayer_); !searched) {
      replayer_.reset();
      return std::unexpected(searched.error());
    }
  }
  return replayer_.get();
}

replay::Options Context::replay_options(const char* executable) const {
  replay::Options options;
  options.replayer_path = surroundings_.replayer_directory + "/" + executable;
  const CurrentThread thread = current_thread(image().memory(), runtime(), target().threads());
  options.thread_pointer = thread.thread_pointer;
  options.thread_state = thread.lent;
  options.visit_decref = runtime().visit_decref;
  options.shape = shape_of(runtime().layout);
  options.fatal_functions = cpython::fatal_functions(image(), runtime());
  return options;
}

Result<replay::Tracer*> Context::tracer() {
  if (!tracer_) {
    // visit_decref may have to be found by what it does first: with the native engine if it runs.
    if (options_.engine != Engine::emulated && opened_->lacks_visitor()) {
      if (const auto found = native(); !found) {
        return std::unexpected(found.error());
      }
    }
    auto started = replay::start_emulated(
        image().memory(), replay_options(emulated_name),
        [this] { return surroundings_.session.cancelled(); }, std::move(tracer_process_));
    if (!started) {
      return std::unexpected(started.error());
    }
    tracer_ = std::move(*started);
    if (auto searched = search_visitor(*tracer_); !searched) {
      tracer_.reset(); // so that the next one who asks hears of it too
      return std::unexpected(searched.error());
    }
  }
  return tracer_.get();
}

Result<void> Context::search_visitor(replay::Replayer& replayer) {
  if (!opened_->lacks_visitor()) {
    return {};
  }
  const auto heap = this->heap();
  if (!heap) {
    return std::unexpected(heap.error());
  }
  const auto candidates = cpython::visitor_candidates(image().memory(), *runtime().module);
  const auto stale = heap::stale_collecting(**heap);
  for (std::size_t i = 0; i < runtime().interpreters.size(); ++i) {
    const auto set = heap::collect_spaces(runtime(), **heap, i, SIZE_MAX);
    if (set.objects.empty()) {
      continue;
    }
    auto chosen = choose_visitor(replayer, set, candidates, stale);
    if (!chosen) {
      return std::unexpected(chosen.error());
    }
    opened_->add_visitor(*chosen);
    break;
  }
  return {};
}

std::string Context::other_runtimes() const {
  if (runtimes().size() < 2 || options_.runtime) {
    return {};
  }
  return fmt::format("the process has {} CPythons, and this is about the one in {}; --runtime "
                     "chooses another, and pygc runtime lists them",
                     runtimes().size(), runtime().module->path());
}

void Context::tell_other_runtimes() const {
  if (const std::string others = other_runtimes(); !others.empty()) {
    surroundings_.session.diagnostics("pygc: " + others + "\n");
  }
}

double Context::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

} // namespace pygc::session
