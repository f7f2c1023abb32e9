#include "common/commands/explore_target.h"

#include <fmt/format.h>

namespace pygc::commands {

void add_target_reasons(const session::Context& context, std::vector<std::string>& reasons) {
  if (context.target().info().truncated) {
    reasons.emplace_back("the core file is truncated");
  }
  if (const auto traffic = context.target().traffic(); traffic && traffic->unreadable != 0) {
    reasons.push_back(
        fmt::format("{} bytes of the process's memory could not be read", traffic->unreadable));
  }
}

Result<Address> object_address(target::Session& session, const std::string& text) {
  auto address = session.evaluate(text);
  if (address && *address == 0) {
    return fail(ErrorKind::usage, 0, fmt::format("'{}' is no address of an object", text));
  }
  return address;
}

} // namespace pygc::commands
