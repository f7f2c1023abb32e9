#include "tests/e2e/support/far_away.h"

namespace pygc::e2e {

bool FarAway::is_possible() {
  return run({.words = {"unshare", "--pid", "--fork", "--mount-proc", "true"}}).status == 0;
}

FarAway::FarAway(const CoreRequest& request)
    : port_(std::to_string(free_port())), build_(*request.build),
      child_(Command{
          .words = {"unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
                    join(build_.command) + " " + script_path(request.script) + " " +
                        join(request.words) + " & echo pid $!; exec " + PYGC_LLDB_SERVER +
                        " platform --server --listen 127.0.0.1:" + port_},
          // What a platform starts for each process.
          .env = {std::string("LLDB_DEBUGSERVER_PATH=") + PYGC_LLDB_SERVER}}) {}

pid_t FarAway::wait_for_script() {
  const auto printed = child_.read_until("READY", std::chrono::seconds(60));
  pid_ = printed ? std::stoi(printed->front().substr(4)) : 0;
  return pid_;
}

Commands FarAway::attach() const {
  return {"platform select remote-linux", "platform connect connect://127.0.0.1:" + port_,
          "target create " + build_.executable, "process attach --pid " + std::to_string(pid_)};
}

} // namespace pygc::e2e
