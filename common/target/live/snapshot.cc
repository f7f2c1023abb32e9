#include "common/target/live/snapshot.h"

#include "common/base/write_all.h"
#include "common/protocol/wire_maps.h"
#include "common/target/core/core_file.h"
#include "common/target/live/core_writer.h"
#include "common/target/live/process_copier.h"
#include "common/target/live/ptrace_refusal.h"
#include "common/target/live/stopped_process.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

namespace pygc::target {
namespace {

std::string proc_path(std::int64_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string link_target(const std::string& path) {
  std::string target(4096, '\0');
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  target.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return target;
}

template <std::size_t N> void copy_text(char (&to)[N], std::string_view text) {
  std::ranges::copy(text.substr(0, N - 1), std::begin(to));
}

elf_prpsinfo process_info(pid_t pid) {
  elf_prpsinfo info{};
  info.pr_pid = pid;
  info.pr_sname = 'R';
  std::string name = read_whole(proc_path(pid, "comm"));
  name.resize(std::min(name.find('\n'), name.size()));
  copy_text(info.pr_fname, name);
  std::string words = read_whole(proc_path(pid, "cmdline"));
  std::ranges::replace(words, '\0', ' ');
  copy_text(info.pr_psargs, words);
  return info;
}

Result<SnapshotPlan> plan_of(pid_t pid, Pagemap& pagemap) {
  const wire::MappingsAnswer mappings = wire::process_mappings(pid);
  if (!mappings.known) { // as of one that has just ended
    return std::unexpected(ptrace_refusal(pid, ESRCH));
  }
  return plan_snapshot(mappings.mappings, pagemap, core_head_size());
}

class LiveCopy final : public Target {
public:
  LiveCopy(CoreBuffer bytes, std::unique_ptr<Target> core, Info info)
      : bytes_(std::move(bytes)), core_(std::move(core)), info_(std::move(info)) {}

  const Info& info() const override { return info_; }
  const std::vector<Segment>& segments() const override { return core_->segments(); }
  const std::vector<FileMapping>& file_mappings() const override { return core_->file_mappings(); }
  const std::vector<Thread>& threads() const override { return core_->threads(); }
  int backing_fd() const override { return core_->backing_fd(); }

private:
  CoreBuffer bytes_;
  std::unique_ptr<Target> core_;
  Info info_;
};

} // namespace

Result<Snapshot> take_snapshot(std::int64_t pid, const std::function<bool()>& cancelled) {
  if (pid <= 0 || pid > std::numeric_limits<pid_t>::max() || pid == ::getpid()) {
    return fail(ErrorKind::usage, 0, std::to_string(pid) + " is no process that can be examined");
  }
  const auto number = static_cast<pid_t>(pid);
  ProcessCopier copier;
  // While it still runs: it will need about as much room as now. When it may not be looked at,
  // attaching says why.
  Pagemap pagemap(number);
  if (const auto rough = plan_of(number, pagemap); rough) {
    if (auto prepared = copier.prepare(*rough, cancelled); !prepared) {
      return std::unexpected(prepared.error());
    }
  }
  auto process = StoppedProcess::attach(number);
  if (!process) {
    return std::unexpected(process.error());
  }
  if (auto stopped = process->stop(cancelled); !stopped) {
    return std::unexpected(stopped.error());
  }
  auto plan = plan_of(number, pagemap);
  if (!plan) {
    return std::unexpected(plan.error());
  }
  if (auto copied = copier.copy(number, *plan, cancelled); !copied) {
    return std::unexpected(copied.error());
  }
  CoreProcess notes{
      .info = process_info(number), .threads = {}, .auxiliary = read_whole(proc_path(pid, "auxv"))};
  for (const pid_t tid : process->threads()) {
    if (const auto thread = machine::read_thread_notes(tid)) {
      notes.threads.push_back(*thread);
    }
  }
  process->resume();

  const CoreFrame frame = frame_core(*plan, notes);
  if (auto sized = copier.core().resize(plan->end + frame.tail.size()); !sized) {
    return std::unexpected(sized.error());
  }
  std::ranges::copy(frame.head, copier.core().bytes().begin());
  std::ranges::copy(frame.tail, copier.core().bytes().subspan(plan->end).begin());
  return Snapshot{.core = std::move(copier.core()),
                  .pieces = std::move(plan->pieces),
                  .tail = plan->end,
                  .pid = pid,
                  .stopped_seconds = process->seconds(),
                  .unreadable = copier.unreadable()};
}

Result<std::unique_ptr<Target>> open_snapshot(Snapshot snapshot) {
  const std::string name = "process " + std::to_string(snapshot.pid);
  auto core = open_core(snapshot.core.bytes(), name);
  if (!core) {
    return std::unexpected(core.error());
  }
  Info info = (*core)->info();
  info.kind = Kind::live;
  info.pid = snapshot.pid;
  info.core_path.clear();
  if (std::string path = link_target(proc_path(snapshot.pid, "exe")); !path.empty()) {
    info.executable_path = std::move(path);
  }
  info.stopped_seconds = snapshot.stopped_seconds;
  return std::make_unique<LiveCopy>(std::move(snapshot.core), std::move(*core), std::move(info));
}

} // namespace pygc::target
