// A process's memory in a file that is filled as it is touched: what nobody looks at is not copied,
// or does not travel from another machine.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/target/target.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace pygc::target {

class DemandMemory final : public Pager {
public:
  /// Reads memory of the process, all or nothing.
  using Fetch = std::function<bool(const Segment& segment, Address address, std::span<std::byte>)>;

  /// Gives each segment its place in the file. Segments are whole pages, sorted. Errors: io, limit.
  static Result<std::unique_ptr<DemandMemory>> create(std::vector<Segment> segments, Fetch fetch);

  const std::vector<Segment>& segments() const { return segments_; }
  int fd() const { return file_.get(); }
  Run bring(std::uint64_t offset) override;

  const Traffic& traffic() const { return traffic_; }

private:
  DemandMemory(std::vector<Segment> segments, Fetch fetch, UniqueFd file)
      : segments_(std::move(segments)), fetch_(std::move(fetch)), file_(std::move(file)) {}

  /// [start, end) of the file, which lies in one segment; false when it cannot be read or kept.
  bool fill(const Segment& segment, std::uint64_t start, std::uint64_t end);
  void mark(std::uint64_t start, std::uint64_t end);
  /// The run that holds the offset, or the end().
  std::map<std::uint64_t, std::uint64_t>::const_iterator run_at(std::uint64_t offset) const;

  std::vector<Segment> segments_;
  Fetch fetch_;
  UniqueFd file_;
  std::map<std::uint64_t, std::uint64_t> present_; // runs of pages: start to end
  std::vector<std::byte> buffer_;
  Traffic traffic_;
  std::set<std::uint64_t> holes_; // pages that could not be read
};

} // namespace pygc::target
