#include "common/report/leaks_view.h"

#include "common/report/kit/envelope.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

using analysis::LeakGroup;
using analysis::LeakKind;
using analysis::Leaks;

std::string_view basis(const LeakGroup& group) {
  return group.proven ? "proven" : "likely";
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(count), count == 1 ? one : many);
}

std::string held_by(const LeakGroup& group) {
  if (group.kind == LeakKind::refleak) {
    return group.words == 0 ? "no word of memory holds it"
                            : fmt::format("only {} of memory could hold it",
                                          counted(group.words, "word", "words"));
  }
  return fmt::format("held by `{}` at +{:#x}{}, a type without traverse", group.holder_type,
                     group.holder_offset,
                     group.holder_slot.empty() ? "" : fmt::format(" ({})", group.holder_slot));
}

void add_group(Text& text, const LeakGroup& group) {
  text.paragraph(fmt::format("{}: {} `{}`   ({})", leak_kind_name(group.kind),
                             grouped(group.objects), group.type, basis(group)));
  text.paragraph(fmt::format("each: {}, {}: {}", counted(group.refcount, "reference", "references"),
                             counted(group.visits, "visit", "visits"), held_by(group)),
                 2);
  for (const analysis::LeakExample& example : group.examples) {
    text.line(
        fmt::format("  {}{}", text.listed(example.object),
                    example.holder == 0 ? "" : fmt::format("   held by {}", hex(example.holder))));
  }
  if (group.objects > group.examples.size()) {
    text.line(fmt::format("  and {} more", grouped(group.objects - group.examples.size())));
  }
}

} // namespace

std::string leaks_json(const Subject& subject, const Leaks& leaks) {
  Json document = envelope("leaks", subject, leaks.incomplete_because);
  document["collected"] = leaks.collected;
  document["pinned"] = leaks.pinned;
  document["scanned_bytes"] = leaks.scanned;
  Json groups = Json::array();
  for (const LeakGroup& group : leaks.groups) {
    Json examples = Json::array();
    for (const analysis::LeakExample& example : group.examples) {
      examples.push_back(
          {{"object", hex(example.object)}, {"holder", address_or_null(example.holder)}});
    }
    const bool held = group.kind == LeakKind::nogc_holder;
    groups.push_back({{"kind", leak_kind_name(group.kind)},
                      {"basis", basis(group)},
                      {"type", group.type},
                      {"objects", group.objects},
                      {"references", group.references},
                      {"refcount", group.refcount},
                      {"visits", group.visits},
                      {"words", group.words},
                      {"holder_type", text_or_null(group.holder_type)},
                      {"holder_offset", held ? Json(group.holder_offset) : Json(nullptr)},
                      {"holder_slot", text_or_null(group.holder_slot)},
                      {"examples", std::move(examples)}});
  }
  document["groups"] = std::move(groups);
  return document_text(document);
}

std::string leaks_text(const Leaks& leaks, Style style) {
  Text text(style);
  for (const LeakGroup& group : leaks.groups) {
    add_group(text, group);
    text.blank();
  }
  if (!leaks.groups.empty()) {
    text.paragraph("refleak: C code took a reference (Py_INCREF) and lost it. nogc_holder: a cycle "
                   "through a type that needs Py_TPFLAGS_HAVE_GC and tp_traverse.");
  } else if (leaks.incomplete_because.empty()) {
    text.line("no reference that nothing accounts for");
  }
  text.paragraph(
      fmt::format("{} of {} objects have references that are no visits (exact); {} bytes "
                  "of memory were searched for them, in which stale words may hide a "
                  "leak",
                  grouped(leaks.pinned), grouped(leaks.collected), grouped(leaks.scanned)));
  if (!leaks.groups.empty()) {
    const Address example = leaks.groups.front().examples.front().object;
    text.line(fmt::format("next: pygc refs --from {0}   pygc refs --to {0}", hex(example)));
  }
  text.incomplete(leaks.incomplete_because);
  return text.take();
}

} // namespace pygc::report
