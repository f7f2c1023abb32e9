#include "replayer/emulated/clear_job.h"

#include "replayer/emulated/journal.h"
#include "replayer/emulated/slot_table.h"
#include "replayer/emulated/visit_records.h"

#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Command;
using protocol::Reply;
using protocol::TraceRecord;

constexpr std::uint64_t immortal_bit = std::uint64_t{1} << 31U; // _Py_IsImmortal, 3.12 and later
constexpr std::uint64_t shared_reference = 4; // of ob_ref_shared: _Py_REF_SHARED(1, 0)

/// First the thread is attached, if there is none. One request then takes three steps: the
/// traversal, which tells what is to be held; tp_clear; the traversal of what it has left.
class ClearJob final : public Job {
public:
  ClearJob(const Workplace& place, const Command& command)
      : place_(place), command_(command),
        containers_(place.in_window<std::uint64_t>(command.objects)),
        clears_(place.in_window<std::uint64_t>(command.counts)),
        incidents_(place.in_window<protocol::IncidentRecord>(command.incidents)),
        records_(place.in_window<TraceRecord>(command.records)), attached_(place.memory),
        journal_(place.memory), index_(command.first) {}

  bool next(Call& call) override {
    const std::uint64_t object = index_ < command_.end ? containers_[index_] : 0;
    switch (step_) {
    case Step::attach:
      if (ask(call)) {
        return true;
      }
      step_ = Step::idle;
      return start_request(call);
    case Step::clear:
      call = {clears_[index_], object, 0};
      return true;
    case Step::list:
      slots_.restart();
      call = {traverse_, object, Engine::record_visitor()};
      return true;
    case Step::idle:
    case Step::hold:
      return start_request(call);
    }
    return false;
  }

  void completed(std::uint64_t result) override {
    switch (step_) {
    case Step::idle:
      return;
    case Step::attach:
      attach(result == 0);
      return;
    case Step::hold:
      hold(containers_[index_]);
      step_ = Step::clear;
      return;
    case Step::clear:
      step_ = Step::list;
      return;
    case Step::list:
      ++reply_.traversed;
      finish_request();
      return;
    }
  }

  void ended(const protocol::IncidentRecord& incident) override {
    if (step_ == Step::attach) {
      attach(true);
      return;
    }
    reply_.records = first_record_;
    note(incident);
    finish_request();
  }

  bool visit(std::uint64_t object) override {
    if (step_ == Step::hold) {
      hold(object);
      return true;
    }
    if (step_ != Step::list) {
      return true;
    }
    if (reply_.records == command_.record_capacity) {
      // Its turn comes again, with empty buffers.
      reply_.records = first_record_;
      journal_.roll_back();
      step_ = Step::idle;
      return false;
    }
    records_[reply_.records++] = record_visit(slots_, object, index_);
    return true;
  }

  void load(std::uint64_t address, unsigned size) override {
    if (step_ == Step::attach && size == sizeof(std::uint64_t) &&
        place_.memory.load(address) == std::uint64_t{0}) {
      null_ = address;
    }
    if (step_ != Step::list) {
      return;
    }
    note_loads(slots_, place_.memory, address, size);
  }

  void store(std::uint64_t /*pc*/, std::uint64_t address, unsigned size) override {
    journal_.before_store(address, size);
  }

  void called(std::uint64_t /*function*/, std::uint64_t /*return_address*/) override {}

  Reply reply() {
    attached_.roll_back();
    reply_.next = index_;
    return reply_;
  }

private:
  enum class Step : std::uint8_t { attach, idle, hold, clear, list };

  /// False: all is asked.
  bool ask(Call& call) {
    for (; asked_ < command_.answers.size(); ++asked_) {
      const protocol::Answer& answer = command_.answers[asked_];
      if (answer.function != 0 && answer.value != 0) {
        null_ = 0;
        call = {answer.function, 0, 0};
        return true;
      }
    }
    return false;
  }

  /// The last null that the function has read is what it answers with.
  void attach(bool is_missing) {
    journal_.roll_back();
    std::uint64_t* word = is_missing ? place_.memory.word(null_, PROT_WRITE) : nullptr;
    if (word != nullptr) {
      attached_.before_store(null_, sizeof(*word));
      *word = command_.answers[asked_].value;
    }
    ++asked_;
  }

  bool start_request(Call& call) {
    for (; index_ < command_.end; ++index_) {
      if (reply_.incidents == command_.incident_capacity ||
          reply_.records == command_.record_capacity) {
        return false;
      }
      protocol::IncidentRecord incident;
      traverse_ = traverse_function(place_, containers_[index_], incident);
      if (traverse_ == 0) {
        note(incident);
        continue;
      }
      first_record_ = reply_.records;
      call = {traverse_, containers_[index_], Engine::record_visitor()};
      step_ = Step::hold;
      return true;
    }
    return false;
  }

  /// One reference more, so that giving up one deallocates nothing. Where there are no heads
  /// (PEP 703) it is one of another thread, whoever the owner is; of an immortal object nobody
  /// looks at those.
  void hold(std::uint64_t object) {
    const bool shared = place_.setup.shape.gc_head_size == 0;
    const std::uint64_t field = object + place_.setup.shape.ob_refcnt;
    std::uint64_t* refcount = place_.memory.word(field, PROT_WRITE);
    if (refcount != nullptr && (shared || (*refcount & immortal_bit) == 0)) {
      journal_.before_store(field, sizeof(*refcount));
      *refcount += shared ? shared_reference : 1;
    }
  }

  void finish_request() {
    journal_.roll_back();
    step_ = Step::idle;
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
  const std::uint64_t* clears_;
  protocol::IncidentRecord* incidents_;
  TraceRecord* records_;
  Journal attached_; // until the end
  Journal journal_;  // of one request
  SlotTable slots_;
  Reply reply_;
  std::uint64_t index_;
  std::uint64_t traverse_ = 0;
  std::uint64_t first_record_ = 0;
  std::size_t asked_ = 0;  // of the answers
  std::uint64_t null_ = 0; // from where the function under way has read the last one
  Step step_ = Step::attach;
};

} // namespace

Reply clear_and_trace(const Workplace& place, Engine& engine, const Command& command) {
  ClearJob job(place, command);
  engine.watch_functions({});
  const std::uint64_t before = engine.instructions();
  // tp_clear visits nothing: there is no limit between two visits.
  engine.run(job, {.without_visit = 0,
                   .altogether =
                       place.setup.traversal_instructions * protocol::budget_of_large_containers});
  Reply reply = job.reply();
  reply.instructions = engine.instructions() - before;
  return reply;
}

} // namespace pygc::replayer
