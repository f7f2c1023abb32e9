#include "common/commands/program.h"

#include "common/commands/help_formatter.h"
#include "common/commands/usage.h"

#include <string>

namespace pygc::commands {

Program::Program(unsigned width) : app(std::string(family_summary), "pygc") {
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>(width));
  app.set_help_all_flag("--help-all", "Show the options of all commands");
  app.footer("pygc help COMMAND, or pygc COMMAND --help, says more.\n"
             "pygc --version is pygc version.");
  for (const Entry& entry : registered_commands()) {
    CLI::App* sub = app.add_subcommand(std::string(entry.name), in_width(entry.summary, width));
    sub->set_help_all_flag(); // of the program alone
    sub->footer(in_width(entry.help, width));
    auto command = entry.make();
    command->declare(*sub);
    check_numbers(*sub);
    commands.emplace_back(sub, std::move(command));
  }
}

} // namespace pygc::commands
