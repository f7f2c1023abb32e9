// What a command works on: an opened target, and replayers of its own for it, each made when it is
// first asked for.
#pragma once

#include "common/replay/emulated.h"
#include "common/replay/replay.h"
#include "common/replay/sweep.h"
#include "common/session/kept_target.h"
#include "common/session/opened_target.h"
#include "common/session/options.h"
#include "common/session/surroundings.h"

#include <chrono>
#include <cstdint>
#include <memory>

namespace pygc::session {

class Context {
public:
  /// Opens the CORE argument, or takes the debugger's target, and puts its image together; or goes
  /// on with what an earlier command has opened so (Surroundings::kept).
  static Result<std::unique_ptr<Context>> open(const Options& options, Surroundings& surroundings);

  /// What the command is going to ask for, in any case: it gets ready meanwhile.
  enum class Wanted : std::uint8_t { nothing, tracer };

  /// The same, and finds its CPython.
  static Result<std::unique_ptr<Context>>
  open_python(const Options& options, Surroundings& surroundings, Wanted wanted = Wanted::nothing);

  const Options& options() const { return options_; }
  const target::Target& target() const { return opened_->target(); }
  const image::ProcessImage& image() const { return opened_->image(); }
  /// The chosen one. Like its reader another one, with its visitor, once replayer() or tracer() had
  /// to search for that; what was taken before stays as it was.
  const cpython::Runtime& runtime() const { return runtimes().front(); }
  /// All, the chosen one first.
  const std::vector<cpython::Runtime>& runtimes() const { return opened().python().runtimes(); }
  cpython::ObjectReader& reader() { return opened_->python().reader(); }

  /// What documents say of the target.
  report::Subject subject() const {
    return report::subject_of(target(), found_python_ ? &runtime() : nullptr);
  }
  /// What the analysis keeps between commands; null where it serves one command only.
  const KeptTarget* kept() const { return surroundings_.kept; }

  Result<void> find_python();
  /// One sentence when the process has other CPythons, too, and the user has not chosen; else
  /// empty.
  std::string other_runtimes() const;
  /// Says so among the diagnostics.
  void tell_other_runtimes() const;
  /// Errors as heap::walk_heap.
  Result<const heap::Heap*> heap();
  /// A replayer that walks the heap itself and has begun to; null where that cannot do. Errors as
  /// replay::start_sweep.
  Result<std::unique_ptr<replay::Sweep>> sweep();
  /// The engine that the options choose. Errors as replay::start_native, replay::start_emulated.
  Result<replay::Replayer*> replayer();
  /// The emulated engine. Errors as replay::start_emulated.
  Result<replay::Tracer*> tracer();

  double seconds() const;

private:
  Context(Surroundings& surroundings, const Options& options)
      : surroundings_(surroundings), options_(options), start_(std::chrono::steady_clock::now()) {}

  /// What the options and the debugger say of files.
  image::FileOptions file_options() const;
  Result<std::unique_ptr<target::Target>> open_target() const;
  Result<void> open_opened();
  void announce();

  const OpenedTarget& opened() const { return *opened_; }
  Result<replay::Replayer*> native();
  /// Finds visit_decref by what it does, if that is necessary.
  Result<void> search_visitor(replay::Replayer& replayer);

  replay::Options replay_options(const char* executable) const;

  Surroundings& surroundings_;
  const Options& options_;
  std::chrono::steady_clock::time_point start_;
  std::shared_ptr<OpenedTarget> opened_;
  bool found_python_ = false; // this command has asked for it
  std::unique_ptr<replay::Replayer> replayer_;
  std::unique_ptr<replay::Tracer> tracer_;
  std::shared_ptr<replay::ReplayerProcess> tracer_process_; // of the tracer to come
};

} // namespace pygc::session
