// How long `pygc check` takes on a large heap, and how long a process stands still for `--pid`,
// next to the interpreter's own gc.collect().
//   pygc_bench [--objects N] [--repetitions N] [--core kernel|gcore]
#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/processes.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <span>
#include <stdexcept>
#include <string_view>

namespace {

using namespace pygc::e2e;

struct Options {
  int objects = 1300000;
  int repetitions = 5;
  CoreKind kind = CoreKind::kernel;
};

Options parse(std::span<char*> words) {
  Options options;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    const std::string_view name = words[i];
    const std::string value = i + 1 < words.size() ? words[i + 1] : "";
    if (name == "--objects") {
      options.objects = std::atoi(value.c_str());
    } else if (name == "--repetitions") {
      options.repetitions = std::max(1, std::atoi(value.c_str()));
    } else if (name == "--core" && (value == "kernel" || value == "gcore")) {
      options.kind = value == "kernel" ? CoreKind::kernel : CoreKind::gcore;
    } else {
      throw std::runtime_error("usage: pygc_bench [--objects N] [--repetitions N] "
                               "[--core kernel|gcore]");
    }
  }
  return options;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

/// Medians over the repetitions of one way to run.
struct Figures {
  double seconds = 0;   // whole process
  double replay = 0;    // update_refs and traversals, by pygc's own account
  double total = 0;     // the command, by pygc's own account
  double megabytes = 0; // peak resident memory of the largest process
};

Figures measure(int repetitions, const std::function<Check()>& check) {
  std::vector<double> seconds;
  std::vector<double> replay;
  std::vector<double> total;
  Figures figures;
  for (int i = 0; i < repetitions; ++i) {
    const Check result = check();
    if (result.status != 0) { // a warning (faulthandler is enabled there) is no error
      throw std::runtime_error("the heap was to be without errors: " + result.document.dump());
    }
    seconds.push_back(result.outcome.seconds);
    replay.push_back(result.document.at("seconds").at("replay").get<double>());
    total.push_back(result.document.at("seconds").at("total").get<double>());
    figures.megabytes =
        std::max(figures.megabytes, static_cast<double>(result.outcome.usage.ru_maxrss) / 1024.0);
  }
  figures.seconds = median(seconds);
  figures.replay = median(replay);
  figures.total = median(total);
  return figures;
}

/// What the debugger takes for the core without pygc.
double idle_seconds(int repetitions, const std::function<Outcome()>& start) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<std::size_t>(repetitions));
  for (int i = 0; i < repetitions; ++i) {
    seconds.push_back(start().seconds);
  }
  return median(seconds);
}

void print_row(const char* name, const Figures& figures, double idle, double collect) {
  const double command = figures.seconds - idle;
  std::printf("%-16s %9.3f %9.3f %9.3f %7.2f %9.0f\n", name, figures.seconds, idle, command,
              command / collect, figures.megabytes);
}

CoreRequest big_heap(const Options& options) {
  return {.build = &release_build(),
          .script = std::string(PYGC_BENCH_DIR) + "/bigheap.py",
          .words = {std::to_string(options.objects), std::to_string(options.repetitions)},
          .kind = options.kind};
}

std::vector<double> collects_of(const std::vector<std::string>& printed) {
  std::vector<double> collects;
  for (const std::string& line : printed) {
    if (line.starts_with("collect ")) {
      collects.push_back(std::stod(line.substr(8)));
    }
  }
  return collects;
}

void run_benchmark(const Options& options) {
  const Core core = make_core(big_heap(options));
  const double collect = median(collects_of(core.printed));
  const Check first = check_alone(core); // fills the page cache and the layout cache
  std::printf("%s, %s objects walked, %s core of %.0f MB, medians of %d\n",
              first.document.at("python").at("version").get<std::string>().c_str(),
              first.document.at("objects").at("walked").dump().c_str(),
              options.kind == CoreKind::kernel ? "kernel" : "gcore",
              static_cast<double>(std::filesystem::file_size(core.path)) / 1e6,
              options.repetitions);
  std::printf("gc.collect() of the interpreter: %.3f s\n\n", collect);

  const Figures alone = measure(options.repetitions, [&] { return check_alone(core); });
  const Figures untraced =
      measure(options.repetitions, [&] { return check_alone(core, {"--no-trace"}); });
  const Figures deep = measure(1, [&] { return check_alone(core, {"--deep"}); });
  const Figures gdb = measure(options.repetitions, [&] { return check_in_gdb(core); });
  const Figures lldb = measure(options.repetitions, [&] { return check_in_lldb(core); });
  const double gdb_idle =
      idle_seconds(options.repetitions, [&] { return run_in_gdb(target_of(core), {}); });
  const double lldb_idle =
      idle_seconds(options.repetitions, [&] { return run_in_lldb(target_of(core), {}); });

  std::printf("%-16s %9s %9s %9s %7s %9s\n", "pygc check", "whole s", "idle s", "command s",
              "ratio", "peak MB");
  print_row("alone", alone, 0, collect);
  print_row("alone, untraced", untraced, 0, collect);
  print_row("alone, --deep", deep, 0, collect);
  print_row("in GDB", gdb, gdb_idle, collect);
  print_row("in LLDB", lldb, lldb_idle, collect);
  std::printf("\nreplay proper: %.3f s, ratio %.2f (inside GDB %.3f s, inside LLDB %.3f s)\n",
              alone.replay, alone.replay / collect, gdb.replay, lldb.replay);
  std::printf("idle: the debugger opens the core and ends; ratio: command to gc.collect(); peak:\n"
              "resident memory of the largest process, the debugger included\n");
}

/// How long a live process stands still.
void run_live_benchmark(const Options& options) {
  const RunningScript script(big_heap(options));
  const double collect = median(collects_of(script.printed()));
  std::vector<double> pauses;
  std::vector<double> wholes;
  std::string walked;
  for (int i = 0; i < options.repetitions; ++i) {
    const Check check = check_process(script.pid());
    pauses.push_back(check.document.at("target").at("stopped_seconds").get<double>());
    wholes.push_back(check.outcome.seconds);
    walked = check.document.at("objects").at("walked").dump();
  }
  const double pause = median(pauses);
  std::printf(
      "\npygc check --pid, %s objects: stands still %.4f s, gc.collect() of the same process "
      "%.3f s,\nratio %.2f; whole command %.3f s\n",
      walked.c_str(), pause, collect, pause / collect, median(wholes));
}

} // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(std::span(argv, static_cast<std::size_t>(argc)));
    run_benchmark(options);
    run_live_benchmark(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pygc_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
