// subtract_refs, and the listing of visits.
#include "replayer/emulated/steps.h"
#include "replayer/shared/gc_refs.h"

#include <array>
#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Command;
using protocol::Kind;
using protocol::Reply;

class TraverseJob final : public Job {
public:
  TraverseJob(const Workplace& place, const Command& command)
      : place_(place), command_(command), objects_(place.in_window<std::uint64_t>(command.objects)),
        watched_(place.in_window<std::uint32_t>(command.watched)), index_(command.first) {
    const std::uint64_t decrement =
        command.visitor != 0 ? command.visitor : Engine::decrement_visitor();
    visitor_ = recording() ? Engine::record_visitor() : decrement;
    for (std::uint32_t w = 0; w < watched_count(); ++w) {
      watched_before_[w] = watched_value(w);
    }
  }

  bool next(Call& call) override {
    for (; index_ < command_.end; ++index_) {
      if (!has_room()) {
        return false;
      }
      const std::uint64_t object = objects_[index_];
      if (object == 0) {
        continue;
      }
      call = {command_.function, object, visitor_};
      if (call.function == 0) {
        protocol::IncidentRecord incident;
        call.function = traverse_function(place_, object, incident);
        if (call.function == 0) {
          note(incident);
          continue;
        }
      }
      first_record_ = reply_.records;
      return true;
    }
    return false;
  }

  void completed(std::uint64_t /*result*/) override {
    compare_watched();
    ++reply_.traversed;
    ++index_;
  }

  void ended(const protocol::IncidentRecord& incident) override {
    compare_watched(); // it may have visited some before it ended
    note(incident);
    ++index_;
  }

  bool visit(std::uint64_t object) override {
    if (reply_.records == command_.record_capacity) {
      reply_.records = first_record_; // this container's turn comes again
      return false;
    }
    place_.in_window<protocol::VisitRecord>(command_.records)[reply_.records++] = {
        object, static_cast<std::uint32_t>(index_), 0};
    return true;
  }

  void load(std::uint64_t /*address*/, unsigned /*size*/) override {}
  void store(std::uint64_t /*pc*/, std::uint64_t /*address*/, unsigned /*size*/) override {}
  void called(std::uint64_t /*function*/, std::uint64_t /*return_address*/) override {}

  Reply reply() {
    reply_.next = index_;
    return reply_;
  }

private:
  bool recording() const { return command_.kind == Kind::visits; }
  std::uint32_t watched_count() const {
    return command_.kind == Kind::traverse ? command_.watched_count : 0;
  }

  bool has_room() const {
    return reply_.incidents < command_.incident_capacity &&
           reply_.records + watched_count() <= command_.record_capacity;
  }

  std::uint64_t watched_value(std::uint32_t w) const {
    const std::uint64_t object = objects_[watched_[w]];
    return object == 0 ? 0
                       : place_.memory.load(place_.gc_prev(object)).value_or(0) >> gc_refs_shift;
  }

  /// Attributes what became of the watched objects to the container.
  void compare_watched() {
    auto* out = place_.in_window<protocol::DecrementRecord>(command_.records);
    for (std::uint32_t w = 0; w < watched_count(); ++w) {
      const std::uint64_t now = watched_value(w);
      if (now != watched_before_[w]) {
        out[reply_.records++] = {static_cast<std::uint32_t>(index_), watched_[w],
                                 static_cast<std::uint32_t>(watched_before_[w] - now)};
        watched_before_[w] = now;
      }
    }
  }

  void note(const protocol::IncidentRecord& incident) {
    auto& record =
        place_.in_window<protocol::IncidentRecord>(command_.incidents)[reply_.incidents++];
    record = incident;
    record.container = static_cast<std::uint32_t>(index_);
  }

  const Workplace& place_;
  const Command& command_;
  const std::uint64_t* objects_;
  const std::uint32_t* watched_;
  std::uint64_t index_;
  std::uint64_t visitor_ = 0;
  std::uint64_t first_record_ = 0;
  std::array<std::uint64_t, protocol::max_watched> watched_before_{};
  Reply reply_;
};

} // namespace

Reply traverse(const Workplace& place, Engine& engine, const Command& command) {
  TraverseJob job(place, command);
  const std::uint64_t budget = place.setup.traversal_instructions;
  // With visit_decref inlined into the traverse function visits cannot be seen: no limit between
  // two.
  engine.run(job, {.without_visit = command.kind == Kind::visits ? budget : 0,
                   .altogether = budget * protocol::budget_of_large_containers});
  return job.reply();
}

} // namespace pygc::replayer
