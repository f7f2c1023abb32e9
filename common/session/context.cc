#include "common/session/context.h"

#include "common/base/cache_directory.h"
#include "common/cpython/collector/collector.h"
#include "common/cpython/collector/visitor_search.h"
#include "common/cpython/discovery/runtime_search.h"
#include "common/heap/collected_set.h"
#include "common/image/process/process_image.h"
#include "common/session/live_process.h"
#include "common/session/sweep_request.h"
#include "common/session/visitor_choice.h"
#include "common/target/core/core_file.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::session {
namespace {

/// Target code runs with a thread pointer of the target's: any thread's will do, the stopped one's
/// is the best guess for code that looks at its own thread.
Address thread_pointer(const target::Target& target) {
  for (const target::Thread& thread : target.threads()) {
    if (thread.thread_pointer != 0) {
      return thread.thread_pointer;
    }
  }
  return 0;
}

replay::ObjectShape shape_of(const cpython::Layout& layout) {
  replay::ObjectShape shape;
  shape.gc_head_size = layout.gc_head_size;
  shape.gc_prev = layout.gc_prev;
  shape.ob_type = layout.ob_type;
  shape.tp_flags = layout.tp_flags;
  shape.tp_traverse = layout.tp_traverse;
  shape.tp_is_gc = layout.tp_is_gc;
  shape.tp_flags_have_gc_bit = cpython::type_flag::have_gc;
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

Result<std::unique_ptr<Context>> Context::open(const Options& options, Surroundings& surroundings) {
  std::unique_ptr<Context> context(new Context(surroundings, options));
  if (options.progress || options.json) {
    surroundings.session.show_progress(options.progress.value_or(false));
  }
  surroundings.session.progress("opening the target");
  if (!options.core.empty()) {
    auto core = target::open_core(
        options.core,
        {.directory = cache_directory(),
         .says = [&surroundings](const std::string& what) { surroundings.session.progress(what); },
         .cancelled = [&surroundings] { return surroundings.session.cancelled(); }});
    if (!core) {
      return std::unexpected(with_process_hint(core.error(), options.core));
    }
    context->target_ = std::move(*core);
  } else if (options.pid) {
    auto process = open_live_process(*options.pid, surroundings.session);
    if (!process) {
      return std::unexpected(process.error());
    }
    context->target_ = std::move(*process);
  } else if (surroundings.open_target) {
    auto target = surroundings.open_target();
    if (!target) {
      return std::unexpected(target.error());
    }
    context->target_ = std::move(*target);
  } else {
    return fail(ErrorKind::usage, 0, "no core file was named, and no process (--pid N)");
  }
  surroundings.subject = context->subject();
  image::FileOptions files = options.file_options();
  if (!options.pid &&
      options.core.empty()) { // what was named has nothing to do with the debugger's target
    files.executable = files.executable.empty() ? surroundings.executable : files.executable;
    files.sysroot = files.sysroot.empty() ? surroundings.sysroot : files.sysroot;
    // GDB's "/" is this machine's own root.
    files.sysroot.erase(files.sysroot.find_last_not_of('/') + 1);
  }
  if (const target::Info& info = context->target_->info(); info.kind == target::Kind::live) {
    context->process_root_ = complete_file_options(info.pid, files);
  }
  auto image = image::open_process_image(*context->target_, files);
  if (!image) {
    return std::unexpected(image.error());
  }
  context->image_ = std::move(*image);
  return context;
}

Result<std::unique_ptr<Context>> Context::open_python(const Options& options,
                                                      Surroundings& surroundings) {
  auto context = open(options, surroundings);
  if (context) {
    if (auto found = (*context)->find_python(); !found) {
      return std::unexpected(found.error());
    }
  }
  return context;
}

Result<void> Context::find_python() {
  surroundings_.session.progress("looking for Python");
  auto runtimes = cpython::find_runtimes(*image_, surroundings_.share_directory + "/layouts");
  if (!runtimes && runtimes.error().kind == ErrorKind::not_python && target_->info().truncated &&
      target_->file_mappings().empty()) {
    return fail(ErrorKind::truncated, 0,
                "the core file is truncated: the notes that say what was loaded are not there");
  }
  if (!runtimes) {
    return std::unexpected(runtimes.error());
  }
  runtimes_ = std::move(*runtimes);
  const std::size_t chosen = options_.runtime.value_or(0);
  if (chosen >= runtimes_.size()) {
    return fail(
        ErrorKind::usage, 0,
        fmt::format("there is no CPython number {}: the target has {}", chosen, runtimes_.size()));
  }
  std::rotate(runtimes_.begin(), runtimes_.begin() + static_cast<std::ptrdiff_t>(chosen),
              runtimes_.begin() + static_cast<std::ptrdiff_t>(chosen) + 1);
  for (cpython::Runtime& runtime : runtimes_) {
    // Told as the process calls it.
    if (!process_root_.empty() && runtime.layout_detail.starts_with(process_root_ + "/")) {
      runtime.layout_detail.erase(0, process_root_.size());
    }
    cpython::collector_of(runtime.layout)
        .find_running_spaces(image_->memory(), target_->threads(), runtime);
  }
  reader_ = std::make_unique<cpython::ObjectReader>(*image_, runtimes_.front());
  surroundings_.subject = subject();
  return {};
}

Result<const heap::Heap*> Context::heap() {
  if (!heap_) {
    surroundings_.session.progress("walking the heap");
    auto walked = heap::walk_heap(*reader_, [this] { return surroundings_.session.cancelled(); });
    if (!walked) {
      return std::unexpected(walked.error());
    }
    heap_ = std::move(*walked);
    surroundings_.session.progress("running the traverse functions");
  }
  return &*heap_;
}

Result<std::unique_ptr<replay::Sweep>> Context::sweep() {
  const auto request = sweep_request(*reader_);
  if (!request || options_.engine != Engine::native) {
    return nullptr;
  }
  surroundings_.session.progress("running the traverse functions");
  return replay::start_sweep(image_->memory(), replay_options("pygc-replayer-native"), *request,
                             [this] { return surroundings_.session.cancelled(); });
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
    const replay::Options options = replay_options("pygc-replayer-native");
    auto started = replay::start_native(image_->memory(), options,
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
  options.thread_pointer = thread_pointer(*target_);
  options.visit_decref = runtime().visit_decref;
  options.shape = shape_of(runtime().layout);
  return options;
}

Result<replay::Tracer*> Context::tracer() {
  if (!tracer_) {
    // visit_decref may have to be found by what it does first: with the native engine if it runs.
    const bool unknown = runtime().layout.stack_ref_size && runtime().visit_decref == 0;
    if (options_.engine != Engine::emulated && unknown) {
      if (const auto found = native(); !found) {
        return std::unexpected(found.error());
      }
    }
    auto started =
        replay::start_emulated(image_->memory(), replay_options("pygc-replayer-emulated"),
                               [this] { return surroundings_.session.cancelled(); });
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
  if (!runtime().layout.stack_ref_size || runtime().visit_decref != 0) {
    return {};
  }
  const auto heap = this->heap();
  if (!heap) {
    return std::unexpected(heap.error());
  }
  const auto candidates = cpython::visitor_candidates(image_->memory(), *runtime().module);
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
    runtimes_[0].visit_decref = *chosen;
    break;
  }
  return {};
}

std::string Context::other_runtimes() const {
  if (runtimes_.size() < 2 || options_.runtime) {
    return {};
  }
  return fmt::format("the process has {} CPythons, and this is about the one in {}; --runtime "
                     "chooses another, and pygc runtime lists them",
                     runtimes_.size(), runtime().module->path());
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
