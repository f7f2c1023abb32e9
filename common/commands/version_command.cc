#include "common/commands/version_command.h"

#include "common/cpython/version.h"
#include "common/machine/machine.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace pygc::commands {
namespace {

class VersionCommand final : public Command {
public:
  const char* name() const override { return "version"; }
  void declare(CLI::App& app) override { static_cast<void>(app); }
  Result<int> run(Surroundings& surroundings) override {
    surroundings.session.output(fmt::format("pygc {} (CPython {}, {} Linux)\n", PYGC_VERSION,
                                            cpython::supported_versions(),
                                            machine::processor_name));
    return status_clean;
  }
};

} // namespace

std::unique_ptr<Command> make_version_command() {
  return std::make_unique<VersionCommand>();
}

} // namespace pygc::commands
