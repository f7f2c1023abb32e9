#include "common/report/watch_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"

#include <fmt/format.h>

namespace pygc::report {

std::string watch_json(const Subject& subject, const WatchHit& hit) {
  Json record = envelope("watch", subject, {});
  record["object"] = object_json(hit.object);
  record["decrement"] = hit.number;
  record["decrements"] = hit.all;
  record["before"] = hit.before;
  record["after"] = hit.after;
  record["made"] = !hit.refused;
  record["container"] = {{"index", hit.container_index},
                         {"address", hex(hit.visitor.container)},
                         {"type", hit.visitor.type},
                         {"summary", hit.visitor.summary},
                         {"function", hit.visitor.function}};
  record["frames"] = hit.frames;
  return record_text(record);
}

std::string watch_text(const WatchHit& hit, Style style) {
  Text text(style);
  text.paragraph(fmt::format("decrement {} of {}: gc_refs {} -> {}{}", hit.number, hit.all,
                             hit.before, hit.after,
                             hit.refused ? " (not made: this build asserts)" : ""));
  text.paragraph(fmt::format("of {} at {:#x}", hit.object.summary, hit.object.address), 2);
  text.paragraph(fmt::format("by {} at {:#x}, container {} of {}", hit.visitor.summary,
                             hit.visitor.container, grouped(hit.container_index + 1),
                             grouped(hit.containers)),
                 2);
  text.paragraph("through " + hit.visitor.function, 2);
  std::string stack;
  for (const std::string& frame : hit.frames) {
    stack += (stack.empty() ? "" : " < ") + frame;
  }
  text.paragraph(stack, 2);
  return text.take();
}

} // namespace pygc::report
