#include "replayer/emulated/trace_job.h"

#include "replayer/emulated/counted_visits.h"
#include "replayer/emulated/journal.h"
#include "replayer/emulated/lasting_writes.h"
#include "replayer/emulated/slot_table.h"
#include "replayer/emulated/visit_records.h"

#include <algorithm>
#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Command;
using protocol::Outcome;
using protocol::Reply;
using protocol::TraceRecord;

/// One request takes up to three steps: the traversal with our visitor; tp_is_gc of what it
/// visited; the traversal with visit_decref.
class TraceJob final : public Job {
public:
  TraceJob(const Workplace& place, const Command& command)
      : place_(place), command_(command),
        containers_(place.in_window<std::uint64_t>(command.objects)),
        functions_(place.in_window<std::uint64_t>(command.counts)),
        incidents_(place.in_window<protocol::IncidentRecord>(command.incidents)),
        records_(place.in_window<TraceRecord>(command.records)), journal_(place.memory),
        writes_(place.memory), counted_(place), index_(command.first) {}

  bool next(Call& call) override {
    if (step_ == Step::ask && !ask(call)) {
      start_counting(call);
    }
    if (step_ != Step::idle) {
      return true;
    }
    return start_request(call);
  }

  void completed(std::uint64_t result) override { finish_step(result); }

  void ended(const protocol::IncidentRecord& incident) override {
    if (step_ == Step::list) {
      note(incident);
    }
    finish_step(0);
  }

  bool visit(std::uint64_t object) override {
    if (reply_.records == command_.record_capacity) {
      give_up_request();
      return false;
    }
    records_[reply_.records++] = record_visit(slots_, object, index_);
    return true;
  }

  void load(std::uint64_t address, unsigned size) override {
    if (step_ != Step::list) {
      return;
    }
    note_loads(slots_, place_.memory, address, size);
  }

  void store(std::uint64_t pc, std::uint64_t address, unsigned size) override {
    if (step_ == Step::list) {
      writes_.store(pc, address, size);
    }
    journal_.before_store(address, size);
  }

  void called(std::uint64_t function, std::uint64_t return_address) override {
    if (step_ != Step::list) {
      return;
    }
    const std::span noted(incidents_ + first_incident_, reply_.incidents - first_incident_);
    const bool known = std::ranges::any_of(
        noted, [&](const auto& i) { return i.outcome == Outcome::call && i.address == function; });
    if (!known && has_room_for_incident()) {
      note({return_address, function, 0, 0, Outcome::call});
    }
  }

  Reply reply() {
    reply_.next = index_;
    return reply_;
  }

private:
  enum class Step : std::uint8_t { idle, list, ask, count };

  /// The last place is for what ends the traversal.
  bool has_room_for_incident() const {
    return reply_.incidents - first_incident_ + 1 < protocol::max_incidents_per_trace;
  }

  /// Its turn comes again, with empty buffers.
  void give_up_request() {
    reply_.records = first_record_;
    reply_.incidents = first_incident_;
    journal_.roll_back();
    writes_.restart();
    step_ = Step::idle;
  }

  bool start_request(Call& call) {
    for (; index_ < command_.end && !full_; ++index_) {
      if (reply_.incidents + protocol::max_incidents_per_trace > command_.incident_capacity ||
          reply_.records == command_.record_capacity) {
        return false;
      }
      first_record_ = reply_.records;
      first_incident_ = reply_.incidents;
      call = {functions_[index_], containers_[index_], Engine::record_visitor()};
      if (call.function == 0) {
        protocol::IncidentRecord incident;
        call.function = traverse_function(place_, call.object, incident);
        if (call.function == 0) {
          note(incident);
          continue;
        }
      }
      slots_.restart();
      writes_.restart();
      function_ = call.function;
      step_ = Step::list;
      return true;
    }
    return false;
  }

  /// False: all is known.
  bool ask(Call& call) {
    const auto question = counted_.next_question();
    if (!question) {
      return false;
    }
    call = {question->function, question->object, 0};
    return true;
  }

  void start_counting(Call& call) {
    if (command_.visitor == 0 || !counted_.needs_second_run()) {
      counted_.take_gc_objects();
      finish_request();
      return;
    }
    if (!counted_.prime()) {
      finish_request();
      return;
    }
    call = {function_, containers_[index_], command_.visitor};
    step_ = Step::count;
  }

  void finish_step(std::uint64_t result) {
    switch (step_) {
    case Step::idle:
      return;
    case Step::list:
      writes_.freeze();
      journal_.roll_back();
      note_lasting_writes();
      counted_.start({records_ + first_record_, reply_.records - first_record_});
      step_ = Step::ask;
      return;
    case Step::ask:
      journal_.roll_back();
      counted_.answer(static_cast<std::uint32_t>(result) != 0);
      return;
    case Step::count:
      counted_.take_decrements();
      journal_.roll_back();
      counted_.unprime();
      finish_request();
      return;
    }
  }

  void note_lasting_writes() {
    writes_.each_lasting([this](std::uint64_t pc, std::uint64_t address) {
      if (has_room_for_incident()) {
        note({pc, address, 0, 0, Outcome::write});
      }
    });
    writes_.each_undone([this](std::uint64_t pc, std::uint64_t address, unsigned size) {
      if (has_room_for_incident()) {
        note({pc, address, std::int64_t{size}, 0, Outcome::undone_write});
      }
    });
  }

  /// False: no room for them all.
  bool add_other_slots() {
    const std::uint64_t visits_end = reply_.records;
    bool room = true;
    for (std::uint64_t i = first_record_; i < visits_end; ++i) {
      const std::uint64_t object = records_[i].object;
      slots_.take_rest(object, [&](std::uint64_t slot) {
        room = room && reply_.records < command_.record_capacity;
        if (room) {
          records_[reply_.records++] = {.object = object,
                                        .slot = slot,
                                        .request = static_cast<std::uint32_t>(index_),
                                        .counted = 0,
                                        .tagged = 0,
                                        .repeated = 0,
                                        .other = 1,
                                        .reserved = 0};
        }
      });
    }
    return room;
  }

  void finish_request() {
    if (!add_other_slots()) {
      give_up_request();
      full_ = true;
      return;
    }
    step_ = Step::idle;
    ++reply_.traversed;
    ++index_;
  }

  void note(const protocol::IncidentRecord& incident) {
    auto& record = incidents_[reply_.incidents++];
    record = incident;
    record.container = static_cast<std::uint32_t>(index_);
  }

  const Workplace& place_;
  const Command& command_;
  const std::uint64_t* containers_;
  const std::uint64_t* functions_;
  protocol::IncidentRecord* incidents_;
  TraceRecord* records_;
  Journal journal_;
  LastingWrites writes_;
  SlotTable slots_;
  CountedVisits counted_;
  Reply reply_;
  std::uint64_t index_;
  std::uint64_t function_ = 0;
  std::uint64_t first_record_ = 0;
  std::uint64_t first_incident_ = 0;
  Step step_ = Step::idle;
  bool full_ = false;
};

} // namespace

Reply trace(const Workplace& place, Engine& engine, const Command& command) {
  TraceJob job(place, command);
  engine.watch_functions({place.in_window<std::uint64_t>(command.watched), command.watched_count});
  const std::uint64_t budget = place.setup.traversal_instructions;
  const std::uint64_t before = engine.instructions();
  engine.run(
      job, {.without_visit = budget, .altogether = budget * protocol::budget_of_large_containers});
  Reply reply = job.reply();
  reply.instructions = engine.instructions() - before;
  return reply;
}

} // namespace pygc::replayer
