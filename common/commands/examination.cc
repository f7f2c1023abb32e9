#include "common/commands/examination.h"

#include "common/base/numbers.h"
#include "common/commands/watchpoint_choice.h"
#include "common/report/error_view.h"

#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace pygc::commands {
namespace {

class Examination {
public:
  Examination(session::Context& context, const session::Options& options)
      : context_(context), options_(options) {}

  analysis::DoctorReport run() {
    target();
    files();
    memory();
    if (const auto found = context_.find_python(); found) {
      python();
      replayer();
    } else {
      lack(found.error().reason, "nothing can be checked", report::mend_for(found.error()), true);
    }
    return std::move(report_);
  }

private:
  void fact(std::string name, std::string value) {
    report_.facts.push_back({std::move(name), std::move(value)});
  }
  void lack(std::string what, std::string effect, std::string remedy, bool fatal = false) {
    report_.lacks.push_back({std::move(what), std::move(effect), std::move(remedy), fatal});
  }

  void target() {
    const target::Info& info = context_.target().info();
    fact("target.kind", std::string(report::target_kind_name(info.kind)));
    fact("target.core", info.core_path);
    fact("target.pid", std::to_string(info.pid));
    fact("target.executable", info.executable_path);
    fact("target.threads", std::to_string(context_.target().threads().size()));
    if (info.kind != target::Kind::core) {
      const machine::WatchpointProbe probe = choose_watchpoints(info, false);
      fact("target.hardware_watchpoints", probe.fires ? "fire" : "not used: " + probe.reason);
    }
    if (const session::KeptTarget* kept = context_.kept()) { // for commands to come
      fact("analysis.process", std::to_string(::getpid()));
      fact("analysis.targets_opened", std::to_string(kept->count()));
    }
    if (info.truncated) {
      lack("the core file is truncated", "objects in the missing part cannot be checked",
           "ulimit -c unlimited, and room on the disk, before the next core");
    }
    if (context_.target().threads().empty()) {
      lack("the target has no threads' registers",
           "target code runs without thread-local storage; the state of a running collection is "
           "unknown",
           "gcore PID, or a kernel core, in place of a converted one");
    }
  }

  void files() {
    std::size_t found = 0;
    for (const auto& module : context_.image().modules()) {
      if (module->file_state() == image::FileState::found) {
        ++found;
        continue;
      }
      const bool mismatch = module->file_state() == image::FileState::build_id_mismatch;
      lack(module->file_problem(),
           mismatch ? "nothing of that file is run: its types are not traversed"
                    : "code and constants of that file are missing unless the core has them",
           fmt::format("--sysroot DIR with the file of build-id {}, or set DEBUGINFOD_URLS",
                       module->build_id().empty() ? "unknown" : module->build_id()));
    }
    fact("files.found", fmt::format("{} of {}", found, context_.image().modules().size()));
    const char* urls = std::getenv("DEBUGINFOD_URLS");
    const bool asked = urls != nullptr && *urls != '\0' && !options_.no_debuginfod;
    fact("files.debuginfod", asked ? "asked" : "not asked");
  }

  void memory() {
    std::uint64_t missing = 0;
    std::uint64_t present = 0;
    std::size_t regions = 0;
    for (const image::Region& region : context_.image().memory().regions()) {
      if (region.source == image::Source::missing) {
        missing += region.end - region.start;
        ++regions;
      } else {
        present += region.end - region.start;
      }
    }
    fact("memory.present", grouped(present) + " bytes");
    fact("memory.missing", fmt::format("{} bytes in {} mappings", grouped(missing), regions));
  }

  void python() {
    const cpython::Runtime& runtime = context_.runtime();
    const image::Module& module = *runtime.module;
    fact("python.image", module.path());
    fact("python.file", module.file_path());
    fact("python.build_id", module.build_id());
    fact("python.version", runtime.version.text());
    fact("python.debug", runtime.version.debug ? "true" : "false");
    fact("python.runtimes", std::to_string(context_.runtimes().size()));
    fact("python.interpreters", std::to_string(runtime.interpreters.size()));
    fact("python.symbols", module.has_symtab() ? ".symtab" : ".dynsym only");
    fact("python.debug_info", module.has_dwarf() ? module.debug_file_path() : "none");
    fact("python.layout", std::string(cpython::layout_source_name(runtime.layout_source)));
    fact("python.layout_detail", runtime.layout_detail);
    if (!module.has_symtab()) {
      lack("the interpreter's file has no symbol table",
           "functions are named as image+offset; the stack of a running collection cannot be read",
           debug_package());
    } else if (!module.has_dwarf()) {
      lack("the interpreter has no debug information", "slots are not named by field",
           debug_package());
    }
    if (runtime.layout_source == cpython::LayoutSource::probed) {
      lack(fmt::format("the layout is that of another build ({})", runtime.layout_detail),
           "it was proven on this target, but fields that the proof does not touch may be off",
           debug_package());
    }
  }

  std::string debug_package() const {
    const cpython::Version& version = context_.runtime().version;
    return fmt::format("apt-get install python{}.{}-dbg (on Debian), or set DEBUGINFOD_URLS",
                       version.major(), version.minor());
  }

  void replayer() {
    const auto started = context_.replayer();
    // Asking for nothing waits until it has locked itself in.
    const auto locked = started
                            ? (*started)->visits({}, 0, nullptr)
                            : Result<std::vector<replay::Visit>>(std::unexpected(started.error()));
    if (!locked) {
      lack(locked.error().reason, "nothing can be replayed",
           "reinstall pygc; in a container allow seccomp and prctl(PR_SET_NO_NEW_PRIVS)", true);
      return;
    }
    fact("replayer.native", "works, sandboxed by seccomp");
    fact("replayer.unmapped_regions", std::to_string((*started)->failed_regions()));
    const cpython::Runtime& runtime = context_.runtime();
    fact("replayer.visit_decref",
         runtime.visit_decref != 0 ? fmt::format("{:#x}", runtime.visit_decref) : "not found");
    if (runtime.visit_decref == 0 && runtime.layout.stack_ref_size) {
      lack("the collector's visit_decref was not found",
           "references that suspended frames only borrow are counted", debug_package());
    }
    emulator();
  }

  void emulator() {
    const auto started = context_.tracer();
    const auto locked = started
                            ? (*started)->visits({}, 0, nullptr)
                            : Result<std::vector<replay::Visit>>(std::unexpected(started.error()));
    if (locked) {
      fact("replayer.emulated", "works, sandboxed by seccomp");
    } else {
      lack(locked.error().reason, "slots and owners of visits are not known",
           "reinstall pygc, with its emulated engine (libunicorn2)");
    }
  }

  session::Context& context_;
  const session::Options& options_;
  analysis::DoctorReport report_;
};

} // namespace

analysis::DoctorReport examine(session::Context& context, const session::Options& options) {
  return Examination(context, options).run();
}

} // namespace pygc::commands
