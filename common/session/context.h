// A target opened for analysis: its image, its Python, its heap and its replayer, each made when it
// is first asked for.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/cpython/runtime.h"
#include "common/heap/heap.h"
#include "common/image/module.h"
#include "common/replay/emulated.h"
#include "common/replay/replay.h"
#include "common/replay/sweep.h"
#include "common/session/options.h"
#include "common/session/surroundings.h"

#include <chrono>
#include <memory>
#include <optional>

namespace pygc::session {

class Context {
public:
  /// Opens the CORE argument, or takes the debugger's target, and puts its image together.
  static Result<std::unique_ptr<Context>> open(const Options& options, Surroundings& surroundings);

  /// The same, and finds its CPython.
  static Result<std::unique_ptr<Context>> open_python(const Options& options,
                                                      Surroundings& surroundings);

  const Options& options() const { return options_; }
  const target::Target& target() const { return *target_; }
  const image::ProcessImage& image() const { return *image_; }
  /// The chosen one.
  const cpython::Runtime& runtime() const { return runtimes_[0]; }
  /// All, the chosen one first.
  const std::vector<cpython::Runtime>& runtimes() const { return runtimes_; }
  cpython::ObjectReader& reader() { return *reader_; }

  /// What documents say of the target.
  report::Subject subject() const {
    return report::subject_of(*target_, runtimes_.empty() ? nullptr : runtimes_.data());
  }

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

  Result<replay::Replayer*> native();
  /// For a runtime with stack references and no symbols: finds visit_decref by what it does.
  Result<void> search_visitor(replay::Replayer& replayer);

  replay::Options replay_options(const char* executable) const;

  Surroundings& surroundings_;
  const Options& options_;
  std::chrono::steady_clock::time_point start_;
  std::unique_ptr<target::Target> target_;
  std::unique_ptr<image::ProcessImage> image_;
  std::string process_root_; // in front of the paths of files that the process calls otherwise
  std::vector<cpython::Runtime> runtimes_;
  std::unique_ptr<cpython::ObjectReader> reader_;
  std::optional<heap::Heap> heap_;
  std::unique_ptr<replay::Replayer> replayer_;
  std::unique_ptr<replay::Tracer> tracer_;
};

} // namespace pygc::session
