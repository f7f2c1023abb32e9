// `pygc snapshot`: a core of a running process.
#include "common/base/numbers.h"
#include "common/commands/registry.h"
#include "common/report/snapshot_view.h"
#include "common/session/live_process.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

namespace pygc::commands {
namespace {

class SnapshotCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("--pid", pid_, "The process")->required()->type_name("N");
    app.add_option("-o,--output", output_, "The core file to write")->required()->type_name("FILE");
    app.add_flag("--json", json_, "Print one JSON document about it");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    target::Session& session = surroundings.session;
    const auto cancelled = [&session] { return session.cancelled(); };
    session.progress("copying the process");
    const auto snapshot = target::take_snapshot(pid_, cancelled);
    if (!snapshot) {
      return std::unexpected(snapshot.error());
    }
    session.diagnostics(session::standstill(*snapshot));
    session.progress("writing " + output_);
    if (auto saved = target::save_snapshot(*snapshot, output_, cancelled); !saved) {
      return std::unexpected(saved.error());
    }
    struct stat status{};
    // A pipe may be our own output: nothing may follow the core there.
    if (::stat(output_.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      const report::WrittenSnapshot written{.path = output_,
                                            .bytes = static_cast<std::uint64_t>(status.st_size),
                                            .disk_bytes =
                                                static_cast<std::uint64_t>(status.st_blocks) * 512,
                                            .unreadable = snapshot->unreadable};
      session.output(json_ ? report::snapshot_json(subject_of(*snapshot), written)
                           : report::snapshot_text(written));
    }
    return snapshot->unreadable == 0 ? status_clean : status_incomplete;
  }

private:
  static report::Subject subject_of(const target::Snapshot& snapshot) {
    report::Subject subject;
    subject.target = target::Info{.kind = target::Kind::live,
                                  .pid = snapshot.pid,
                                  .core_path = {},
                                  .executable_path = {},
                                  .truncated = false,
                                  .stopped_seconds = snapshot.stopped_seconds};
    return subject;
  }

  std::int64_t pid_ = 0;
  std::string output_;
  bool json_ = false;
};

const Registration snapshot_registration({
    .place = 100,
    .name = "snapshot",
    .summary = "Write a core of a running process, which stands still only meanwhile",
    .help = R"(Holds the process as long as the copying of its memory takes, lets it go on and
writes the copy: a core file for pygc, GDB and LLDB. The process is not changed.

Example:
  pygc snapshot --pid 4711 --output core.4711

Status: 0 done, 2 usage or target error, 3 memory of it could not be read.)",
    .make = make<SnapshotCommand>,
});

} // namespace

} // namespace pygc::commands
