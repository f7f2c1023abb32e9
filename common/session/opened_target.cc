#include "common/session/opened_target.h"

#include "common/cpython/collector/collector.h"
#include "common/cpython/discovery/runtime_search.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::session {

Result<void> OpenedTarget::find_python(const std::string& tables, std::size_t chosen) {
  if (python_) {
    return {};
  }
  auto runtimes = cpython::find_runtimes(*image_, tables);
  if (!runtimes && runtimes.error().kind == ErrorKind::not_python && target_->info().truncated &&
      target_->file_mappings().empty()) {
    return fail(ErrorKind::truncated, 0,
                "the core file is truncated: the notes that say what was loaded are not there");
  }
  if (!runtimes && runtimes.error().kind == ErrorKind::memory_not_saved) {
    const Error& error = runtimes.error();
    return target_->info().truncated
               ? fail(ErrorKind::truncated, error.address,
                      "the core file is truncated: " + error.reason +
                          "; ulimit -c unlimited, and room on the disk, before the next core")
               : fail(error.kind, error.address,
                      error.reason + "; take the next core with coredump_filter 0x33 (or by gcore, "
                                     "or pygc snapshot)");
  }
  if (!runtimes) {
    return std::unexpected(runtimes.error());
  }
  if (chosen >= runtimes->size()) {
    return fail(
        ErrorKind::usage, 0,
        fmt::format("there is no CPython number {}: the target has {}", chosen, runtimes->size()));
  }
  std::rotate(runtimes->begin(), runtimes->begin() + static_cast<std::ptrdiff_t>(chosen),
              runtimes->begin() + static_cast<std::ptrdiff_t>(chosen) + 1);
  for (cpython::Runtime& runtime : *runtimes) {
    // Told as the process calls it.
    if (!process_root_.empty() && runtime.layout_detail.starts_with(process_root_ + "/")) {
      runtime.layout_detail.erase(0, process_root_.size());
    }
    cpython::collector_of(runtime.layout)
        .find_running_spaces(image_->memory(), target_->threads(), runtime);
  }
  python_ = std::make_unique<Python>(*image_, std::move(*runtimes));
  return {};
}

bool OpenedTarget::lacks_visitor() const {
  const cpython::Runtime& runtime = python_->runtimes().front();
  return runtime.layout.stack_ref_size && runtime.visit_decref == 0 && !visitor_searched_;
}

void OpenedTarget::add_visitor(Address visit_decref) {
  visitor_searched_ = true;
  if (visit_decref == 0) {
    return;
  }
  std::vector<cpython::Runtime> runtimes = python_->runtimes();
  runtimes.front().visit_decref = visit_decref;
  with_visitor_ = std::make_unique<Python>(*image_, std::move(runtimes));
}

Result<const heap::Heap*> OpenedTarget::heap(const std::function<bool()>& cancelled) {
  if (!heap_) {
    auto walked = heap::walk_heap(python().reader(), cancelled);
    if (!walked) {
      return std::unexpected(walked.error());
    }
    heap_ = std::move(*walked);
  }
  return &*heap_;
}

} // namespace pygc::session
