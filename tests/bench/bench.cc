// How long pygc takes on a large heap, and how long a process stands still for `--pid`, next to the
// interpreter's own gc.collect(): a table in Markdown.
//   pygc_bench [--objects N] [--repetitions N] [--core kernel|gcore]
//              [--rows all|alone|debuggers] [--threads N] [--build NAME]
// NAME: of tools/matrix.sh --list, such as source-python3.13t; without it the host's own.
#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/processes.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace pygc::e2e;
using Environment = std::vector<std::string>;

struct Options {
  int objects = 1300000;
  int repetitions = 5;
  CoreKind kind = CoreKind::kernel;
  bool all = true; // views, --deep and --pid too
  bool debuggers = true;
  int threads = 0; // that wait, beside the main one
  const InterpreterBuild* build = &release_build();
};

const InterpreterBuild& build_of(const std::string& name) {
  const auto found =
      std::ranges::find(matrix(), name, [](const MatrixBuild& it) { return it.build.name; });
  if (found == matrix().end()) {
    throw std::runtime_error("the matrix has no build " + name);
  }
  return found->build;
}

Options parse(std::span<char*> words) {
  Options options;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    const std::string_view name = words[i];
    const std::string value = i + 1 < words.size() ? words[i + 1] : "";
    if (name == "--objects") {
      options.objects = std::atoi(value.c_str());
    } else if (name == "--repetitions") {
      options.repetitions = std::max(1, std::atoi(value.c_str()));
    } else if (name == "--threads") {
      options.threads = std::atoi(value.c_str());
    } else if (name == "--build") {
      options.build = &build_of(value);
    } else if (name == "--core" && (value == "kernel" || value == "gcore")) {
      options.kind = value == "kernel" ? CoreKind::kernel : CoreKind::gcore;
    } else if (name == "--rows" && (value == "all" || value == "alone" || value == "debuggers")) {
      options.all = value == "all";
      options.debuggers = value != "alone";
    } else {
      throw std::runtime_error("usage: pygc_bench [--objects N] [--repetitions N] "
                               "[--core kernel|gcore] [--rows all|alone|debuggers] [--threads N] "
                               "[--build NAME]");
    }
  }
  return options;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

/// Medians over the repetitions of one way to run; of all its processes.
struct Figures {
  double seconds = 0;
  double processor = 0; // seconds, user and system
  double megabytes = 0; // peak resident memory of the largest process
  double faults = 0;    // page faults
};

Figures measure(int repetitions, const std::function<Outcome()>& run) {
  std::vector<double> seconds;
  std::vector<double> processor;
  std::vector<double> faults;
  Figures figures;
  const auto to_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  for (int i = 0; i < repetitions; ++i) {
    const Outcome outcome = run();
    const rusage& usage = outcome.usage;
    seconds.push_back(outcome.seconds);
    processor.push_back(to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime));
    faults.push_back(static_cast<double>(usage.ru_minflt));
    figures.megabytes = std::max(figures.megabytes, static_cast<double>(usage.ru_maxrss) / 1024.0);
  }
  figures.seconds = median(seconds);
  figures.processor = median(processor);
  figures.faults = median(faults);
  return figures;
}

Outcome sound(const Check& check) {
  if (check.status != 0) { // a warning (faulthandler is enabled there) is no error
    throw std::runtime_error("the heap was to be without errors: " + check.document.dump());
  }
  return check.outcome;
}

Outcome sound(Outcome outcome) {
  if (outcome.status != 0) {
    throw std::runtime_error(outcome.out + outcome.err);
  }
  return outcome;
}

/// What one write to a fresh page costs, and to one of a file that is mapped copy on write.
void print_fault_costs() {
  constexpr std::size_t page = 4096;
  constexpr std::size_t size = std::size_t{64} << 20;
  const int file = ::memfd_create("pygc_bench", MFD_CLOEXEC);
  const std::vector<char> zeros(size);
  if (file < 0 || ::write(file, zeros.data(), size) != static_cast<ssize_t>(size)) {
    throw std::runtime_error("no memory to measure page faults with");
  }
  for (const int fd : {-1, file}) {
    const int flags = MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0);
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (at == MAP_FAILED) {
      throw std::runtime_error("no memory to measure page faults with");
    }
    ::madvise(at, size, MADV_NOHUGEPAGE);
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t offset = 0; offset < size; offset += page) {
      static_cast<volatile char*>(at)[offset] = 1;
    }
    const std::chrono::duration<double, std::micro> taken =
        std::chrono::steady_clock::now() - begin;
    std::printf("%s %.2f us", fd < 0 ? "A page fault: fresh memory" : ", copy on write",
                taken.count() / static_cast<double>(size / page));
    ::munmap(at, size);
  }
  std::printf(".\n\n");
  ::close(file);
}

/// Returns the seconds of the command.
double print_row(const char* name, const Figures& figures, double collect) {
  std::printf("| %s | %.3f | %.2f | %.3f | %.0f | %.0f |\n", name, figures.seconds,
              figures.seconds / collect, figures.processor, figures.megabytes, figures.faults);
  return figures.seconds;
}

/// Between the last two "clock SECONDS" of a debugger's output.
double seconds_between_clocks(const std::string& output) {
  std::vector<double> clocks;
  constexpr std::string_view mark = "\nclock ";
  for (auto at = output.find(mark); at != std::string::npos; at = output.find(mark, at + 1)) {
    clocks.push_back(std::atof(output.c_str() + at + mark.size()));
  }
  if (clocks.size() < 2) {
    throw std::runtime_error("the debugger has told no time: " + output);
  }
  return clocks.back() - clocks.at(clocks.size() - 2);
}

CoreRequest big_heap(const Options& options) {
  return {.build = options.build,
          .script = std::string(PYGC_BENCH_DIR) + "/bigheap.py",
          .words = {std::to_string(options.objects), std::to_string(options.repetitions),
                    "threads=" + std::to_string(options.threads)},
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

/// `check` in a debugger, by the debugger's own clock, from the command to the next one: opening
/// the core and ending take a second, and waver by more than a check takes. Returns the ratio to
/// the same command alone. The two take turns, and the command alone follows a debugger that did
/// nothing but open the core: where a virtual machine's host takes back memory that is free for a
/// second, a command that follows one that has just ended has it cheaper.
template <typename RunIn>
double debugger_row(const char* name, const std::string& clock, const RunIn& run_in,
                    const Core& core, int repetitions, double collect) {
  const std::string verdict = core.path + ".verdict";
  std::vector<double> alone;
  const Figures figures = measure(repetitions, [&] {
    run_in(target_of(core), {}, Environment{});
    alone.push_back(sound(check_alone(core)).seconds);
    Outcome outcome = run_in(
        target_of(core), {clock, clock, "pygc check --output " + verdict, clock}, Environment{});
    if (!read_file(verdict).contains("verdict: ")) {
      throw std::runtime_error("no verdict came: " + outcome.out + outcome.err);
    }
    outcome.seconds = seconds_between_clocks(outcome.out);
    return outcome;
  });
  return print_row(name, figures, collect) / median(alone);
}

/// Returns what is to be said below the table.
std::string run_in_debuggers(const Core& core, int repetitions, double collect) {
  const std::string clock = "import time; print('clock', time.monotonic())";
  const double gdb =
      debugger_row("check in GDB", "python " + clock, run_in_gdb, core, repetitions, collect);
  const double lldb =
      debugger_row("check in LLDB", "script " + clock, run_in_lldb, core, repetitions, collect);
  std::array<char, 100> text{};
  std::snprintf(text.data(), text.size(),
                "In GDB the command takes %.2f, in LLDB %.2f of what it takes alone after one.\n",
                gdb, lldb);
  return text.data();
}

/// Of commands that stand for the views of a heap, and of the emulator on all of it.
void run_views(const Core& core, int repetitions, double collect) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"types"},
                                                {"find", "--where", "refcount > 1000"},
                                                {"garbage"},
                                                {"why", "--type", "Node"},
                                                {"dominators"},
                                                {"leaks"}}) {
    std::vector<std::string> all = words;
    all.push_back(core.path);
    print_row(words.front().c_str(), measure(repetitions, [&] { return sound(run_pygc(all)); }),
              collect);
  }
  print_row("check --deep", measure(1, [&] { return sound(check_alone(core, {"--deep"})); }),
            collect);
}

/// Returns what is to be said below the table.
std::string run_benchmark(const Options& options) {
  const Core core = make_core(big_heap(options));
  const double collect = median(collects_of(core.printed));
  const Check first = check_alone(core); // fills the page cache and the layout cache
  std::printf("CPython %s, %s objects, %d threads, %s core of %.0f MB, medians of %d; gc.collect() "
              "of the interpreter: %.3f s.\n\n",
              first.document.at("python").at("version").get<std::string>().c_str(),
              first.document.at("objects").at("walked").dump().c_str(), options.threads + 1,
              options.kind == CoreKind::kernel ? "kernel" : "gcore",
              static_cast<double>(std::filesystem::file_size(core.path)) / 1e6, options.repetitions,
              collect);
  std::printf("| command | s | ratio | processor s | peak MB | page faults |\n");
  std::printf("|---|---|---|---|---|---|\n");
  const auto row = [&](const char* name, int repetitions, const std::function<Outcome()>& run) {
    return print_row(name, measure(repetitions, run), collect);
  };
  row("check", options.repetitions, [&] { return sound(check_alone(core)); });
  row("check --no-trace", options.repetitions,
      [&] { return sound(check_alone(core, {"--no-trace"})); });
  row("gc-refs --output", options.repetitions,
      [&] { return sound(run_pygc({"gc-refs", core.path, "--output", core.path + ".gc_refs"})); });
  if (options.all) {
    run_views(core, options.repetitions, collect);
  }
  return options.debuggers ? run_in_debuggers(core, options.repetitions, collect) : std::string{};
}

/// Of a live process; and how long it stands still.
void run_live_benchmark(const Options& options) {
  const RunningScript script(big_heap(options));
  const double collect = median(collects_of(script.printed()));
  std::vector<double> pauses;
  const Figures figures = measure(options.repetitions, [&] {
    const Check check = check_process(script.pid());
    pauses.push_back(check.document.at("target").at("stopped_seconds").get<double>());
    return sound(check);
  });
  print_row("check --pid", figures, collect);
  const double pause = median(pauses);
  std::printf("\nFor --pid the process stands still %.4f s, %.2f of its gc.collect() (%.3f s).\n",
              pause, pause / collect, collect);
}

} // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(std::span(argv, static_cast<std::size_t>(argc)));
    print_fault_costs();
    const std::string remark = run_benchmark(options);
    if (options.all) {
      run_live_benchmark(options);
    }
    std::printf("%s", remark.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pygc_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
