#include "replayer/emulated/counted_visits.h"
#include "replayer/shared/gc_refs.h"

#include <algorithm>
#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

constexpr std::uint64_t primed = collecting_bit | gc_refs_bias << gc_refs_shift;

} // namespace

void CountedVisits::start(std::span<protocol::TraceRecord> visits) {
  visits_ = visits;
  objects_.clear();
  asking_ = 0;
  for (const auto& visit : visits) {
    objects_.push_back({.address = visit.object});
  }
  std::ranges::sort(objects_, {}, &Object::address);
  const auto repeated = std::ranges::unique(objects_, {}, &Object::address);
  objects_.erase(repeated.begin(), repeated.end());
}

bool CountedVisits::tell_without_asking(Object& object, Question& question) const {
  const auto& setup = place_.setup;
  const auto type = place_.memory.load(object.address + setup.shape.ob_type);
  const auto flags = type ? place_.memory.load(*type + setup.shape.tp_flags) : std::nullopt;
  const auto is_gc = type ? place_.memory.load(*type + setup.shape.tp_is_gc) : std::nullopt;
  if (!flags || !is_gc || (*flags >> setup.shape.tp_flags_have_gc_bit & 1U) == 0) {
    return true;
  }
  if (*is_gc == 0) {
    object.gc = true;
    return true;
  }
  const auto known = answers_.find(object.address);
  if (known != answers_.end()) {
    object.gc = known->second;
    return true;
  }
  question = {*is_gc, object.address};
  return false;
}

std::optional<CountedVisits::Question> CountedVisits::next_question() {
  for (; asking_ < objects_.size(); ++asking_) {
    Question question;
    if (!tell_without_asking(objects_[asking_], question)) {
      return question;
    }
  }
  return std::nullopt;
}

void CountedVisits::answer(bool is_gc) {
  objects_[asking_].gc = is_gc;
  answers_.emplace(objects_[asking_].address, is_gc);
  ++asking_;
}

void CountedVisits::take_gc_objects() {
  for (auto& visit : visits_) {
    const auto object = std::ranges::lower_bound(objects_, visit.object, {}, &Object::address);
    visit.counted = object->gc ? 1 : 0;
  }
}

bool CountedVisits::needs_second_run() const {
  return std::ranges::any_of(
      visits_, [](const auto& visit) { return visit.tagged != 0 || visit.slot == 0; });
}

bool CountedVisits::prime() {
  bool any = false;
  for (auto& object : objects_) {
    object.head =
        object.gc ? place_.memory.word(place_.gc_prev(object.address), PROT_WRITE) : nullptr;
    if (object.head != nullptr) {
      object.saved = *object.head;
      *object.head = (object.saved & finalized_bit) | primed;
      any = true;
    }
  }
  return any;
}

void CountedVisits::take_decrements() {
  for (auto& object : objects_) {
    if (object.head != nullptr) {
      const std::uint64_t now = *object.head >> gc_refs_shift;
      object.remaining = now <= gc_refs_bias ? gc_refs_bias - now : 0;
    }
  }
  // Where fewer visits count than there are, those through a borrowed reference are the ones left
  // out.
  for (const bool tagged : {false, true}) {
    for (auto& visit : visits_) {
      if ((visit.tagged != 0) == tagged) {
        auto object = std::ranges::lower_bound(objects_, visit.object, {}, &Object::address);
        visit.counted = object->remaining > 0 ? 1 : 0;
        object->remaining -= visit.counted;
      }
    }
  }
}

void CountedVisits::unprime() {
  for (const auto& object : objects_) {
    if (object.head != nullptr) {
      *object.head = object.saved;
    }
  }
}

} // namespace pygc::replayer
