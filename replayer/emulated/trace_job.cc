#include "replayer/emulated/trace_job.h"

#include "replayer/emulated/counted_visits.h"
#include "replayer/emulated/journal.h"
#include "replayer/emulated/slot_table.h"

#include <algorithm>
#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Command;
using protocol::Ending;
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
        counted_(place), index_(command.first) {}

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
      reply_.records = first_record_; // this request's turn comes again
      reply_.incidents = first_incident_;
      journal_.roll_back();
      return false;
    }
    const auto slot = slots_.find(object);
    records_[reply_.records++] = {object, slot.address, static_cast<std::uint32_t>(index_), 0,
                                  slot.tagged};
    return true;
  }

  void load(std::uint64_t address, unsigned size) override {
    if (step_ != Step::list) {
      return;
    }
    for (unsigned done = 0; done + sizeof(std::uint64_t) <= size; done += sizeof(std::uint64_t)) {
      if (const std::byte* from = place_.memory.view(address + done)) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, sizeof(word));
        slots_.loaded(word, address + done);
      }
    }
  }

  void store(std::uint64_t pc, std::uint64_t address, unsigned size) override {
    journal_.before_store(address, size);
    if (step_ != Step::list) {
      return;
    }
    const std::span written(incidents_ + first_incident_, reply_.incidents - first_incident_);
    const bool known = std::ranges::any_of(written, [&](const auto& i) { return i.pc == pc; });
    if (!known && written.size() + 1 < protocol::max_incidents_per_trace) {
      note({pc, address, 0, 0, Ending::write});
    }
  }

  Reply reply() {
    reply_.next = index_;
    return reply_;
  }

private:
  enum class Step : std::uint8_t { idle, list, ask, count };

  bool start_request(Call& call) {
    for (; index_ < command_.end; ++index_) {
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
    if (command_.visitor == 0) {
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
      journal_.roll_back();
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

  void finish_request() {
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
  SlotTable slots_;
  CountedVisits counted_;
  Reply reply_;
  std::uint64_t index_;
  std::uint64_t function_ = 0;
  std::uint64_t first_record_ = 0;
  std::uint64_t first_incident_ = 0;
  Step step_ = Step::idle;
};

} // namespace

Reply trace(const Workplace& place, Engine& engine, const Command& command) {
  TraceJob job(place, command);
  const std::uint64_t budget = place.setup.traversal_instructions;
  const std::uint64_t before = engine.instructions();
  engine.run(
      job, {.without_visit = budget, .altogether = budget * protocol::budget_of_large_containers});
  Reply reply = job.reply();
  reply.instructions = engine.instructions() - before;
  return reply;
}

} // namespace pygc::replayer
