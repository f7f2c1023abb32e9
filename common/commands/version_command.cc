#include "common/commands/version_command.h"

#include "common/commands/output_sink.h"
#include "common/report/version_view.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class VersionCommand final : public Command {
public:
  const char* name() const override { return "version"; }

  void declare(CLI::App& app) override { declare_output_options(app, options_); }

  Result<int> run(session::Surroundings& surroundings) override {
    if (auto delivered = deliver(surroundings.session, options_.output,
                                 options_.json ? report::version_json() : report::version_text());
        !delivered) {
      return std::unexpected(delivered.error());
    }
    return status_clean;
  }

private:
  session::Options options_;
};

} // namespace

std::unique_ptr<Command> make_version_command() {
  return std::make_unique<VersionCommand>();
}

} // namespace pygc::commands
