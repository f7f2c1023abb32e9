#include "common/commands/snapshot_command.h"

#include "common/base/numbers.h"
#include "common/commands/live_process.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

namespace pygc::commands {
namespace {

class SnapshotCommand final : public Command {
public:
  const char* name() const override { return "snapshot"; }

  void declare(CLI::App& app) override {
    app.add_option("--pid", pid_, "The process")->required()->type_name("N");
    app.add_option("-o,--output", output_, "The core file to write")->required()->type_name("FILE");
  }

  Result<int> run(Surroundings& surroundings) override {
    target::Session& session = surroundings.session;
    const auto cancelled = [&session] { return session.cancelled(); };
    session.progress("copying the process");
    const auto snapshot = image::take_snapshot(pid_, cancelled);
    if (!snapshot) {
      return std::unexpected(snapshot.error());
    }
    session.diagnostics(standstill(*snapshot));
    session.progress("writing " + output_);
    if (auto saved = image::save_snapshot(*snapshot, output_, cancelled); !saved) {
      return std::unexpected(saved.error());
    }
    struct stat status{};
    // A pipe may be our own output: nothing may follow the core there.
    if (::stat(output_.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      session.output(fmt::format("{}: {} bytes, {} of them on the disk\n", output_,
                                 grouped(static_cast<std::uint64_t>(status.st_size)),
                                 grouped(static_cast<std::uint64_t>(status.st_blocks) * 512)));
    }
    return status_clean;
  }

private:
  std::int64_t pid_ = 0;
  std::string output_;
};

} // namespace

std::unique_ptr<Command> make_snapshot_command() {
  return std::make_unique<SnapshotCommand>();
}

} // namespace pygc::commands
