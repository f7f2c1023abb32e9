#include "common/analysis/check/coverage.h"

#include "common/analysis/facts/code_holds.h"
#include "common/cpython/collector/collector.h"
#include "common/cpython/collector/free_lists.h"
#include "common/cpython/objects/running_frames.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {

Coverage coverage_of(const CheckInput& input, const CheckReport& report) {
  Coverage coverage;
  const cpython::Runtime& runtime = input.reader.runtime();
  const bool lists = cpython::collector_of(runtime.layout).has_lists();
  coverage.checked =
      lists ? std::vector<std::string>{"gc_refs", "lists", "objects on them", "traverse functions"}
            : std::vector<std::string>{"gc_refs", "heaps of threads", "objects in them",
                                       "traverse functions"};
  const auto look = [&](std::string what, bool looked_at, std::string why, std::string command) {
    if (looked_at) {
      coverage.checked.push_back(std::move(what));
    } else {
      coverage.not_checked.push_back(
          {.what = std::move(what), .why = std::move(why), .command = std::move(command)});
    }
  };
  if (!lists) {
    look("reference counts",
         std::ranges::none_of(runtime.interpreters, &cpython::Interpreter::collecting),
         "a collection was running, which uses their fields", "");
  }
  look("slots of visits", report.objects.traced != 0 || report.objects.walked == 0,
       "visits were not traced", "");
  look("local variables of running functions", cpython::knows_frames(runtime.layout),
       "the layout of frames is not known", "");
  if (cpython::knows_free_lists(runtime)) {
    coverage.checked.emplace_back("free lists");
  }
  look("stacks", !input.threads.empty(), "the target has no registers of threads", "");
  if (input.threads.size() > code_thread_limit) {
    look(fmt::format("variables of C functions of {} more threads",
                     input.threads.size() - code_thread_limit),
         false, fmt::format("the first {} are looked at", code_thread_limit), "");
  }
  coverage.not_checked.push_back({.what = "leaks", .why = {}, .command = "pygc leaks"});
  coverage.not_checked.push_back({.what = "garbage", .why = {}, .command = "pygc garbage"});
  coverage.not_checked.push_back({.what = "forgotten fields", .why = {}, .command = "pygc audit"});
  // clear_freelists of a full collection follows them (Modules/gcmodule.c, Python/gc.c).
  if (!cpython::knows_free_lists(runtime)) {
    coverage.not_checked.push_back({.what = "free lists", .why = {}, .command = {}});
  }
  return coverage;
}

} // namespace pygc::analysis
