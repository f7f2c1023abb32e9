#include "common/report/object_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"
#include "common/report/reference_rows.h"
#include "common/report/root_view.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

using analysis::ObjectFacts;
using analysis::ReferenceRow;
using analysis::ReferenceTree;
using analysis::Root;

Json references_json(const ReferenceTree& tree) {
  Json json = Json::array();
  for (const ReferenceRow& row : tree.rows) {
    json.push_back({{"object", object_json(row.other)},
                    {"visits", row.reference.visits},
                    {"name", text_or_null(row.name.text)},
                    {"slot", address_or_null(row.name.slot.value_or(SlotAddress()).at)}});
  }
  return json;
}

Json block_json(const std::optional<cpython::MemoryBlock>& block) {
  return block ? Json{{"address", hex(block->start)},
                      {"size", block->size},
                      {"allocator", cpython::allocator_name(block->allocator)},
                      {"basis", cpython::block_basis_name(block->basis)},
                      {"requested", or_null(block->requested)}}
               : Json(nullptr);
}

std::string block_text(const cpython::MemoryBlock& block) {
  return fmt::format(
      "{} bytes{} ({}, {})", grouped(block.size),
      block.requested ? fmt::format(", {} asked for", grouped(*block.requested)) : "",
      cpython::allocator_name(block.allocator), cpython::block_basis_name(block.basis));
}

void add_references(Text& text, std::string_view title, const ReferenceTree& tree) {
  text.field(title, grouped(tree.rows.size() + tree.further));
  add_reference_rows(text, tree);
}

} // namespace

std::string object_facts_json(const Subject& subject, const ObjectFacts& facts) {
  Json collector = nullptr;
  if (facts.collector) {
    collector = {{"gc_refs", facts.collector->gc_refs},
                 {"visits", facts.collector->visits},
                 {"reachable", facts.collector->reachable}};
  }
  Json document = envelope("object", subject, facts.incomplete_because);
  document["object"] = object_json(facts.referrers.object);
  document["tracked"] = facts.tracked;
  document["immortal"] = facts.immortal;
  document["generation"] = text_or_null(facts.generation);
  document["own_size"] = facts.own_size;
  document["block"] = block_json(facts.block);
  document["collector"] = std::move(collector);
  document["words"] = facts.words;
  document["roots"] = roots_json(facts.roots);
  document["referrers"] = references_json(facts.referrers);
  document["further_referrers"] = facts.referrers.further;
  document["referents"] = references_json(facts.referents);
  document["further_referents"] = facts.referents.further;
  document["notes"] = facts.referrers.notes;
  return document_text(document);
}

std::string object_facts_text(const ObjectFacts& facts, Style style) {
  style.numbering = nullptr; // so that the next one of the last list can be asked about
  Text text(style);
  const analysis::ObjectView& object = facts.referrers.object;
  text.line(fmt::format("{} {}", object.summary, hex(object.address)));
  text.field("type", object.type);
  text.field("collector", facts.tracked ? fmt::format("tracked, generation {}", facts.generation)
                                        : "not tracked");
  text.field("size", fmt::format("{} bytes of its own, with what lies before it for the collector "
                                 "(model)",
                                 grouped(facts.own_size)));
  if (facts.block) {
    text.field("block", block_text(*facts.block));
  }
  if (facts.immortal) {
    text.field("references", "immortal: they are not counted");
  } else if (facts.collector) {
    text.field("references",
               fmt::format("{} = {} visits + {} others: {} (exact)", grouped(object.refcount),
                           grouped(facts.collector->visits), facts.collector->gc_refs,
                           facts.collector->reachable ? "reachable" : "garbage"));
  } else {
    text.field("references", grouped(object.refcount));
  }
  text.field("words", fmt::format("{} of memory and registers equal its address (likely)",
                                  grouped(facts.words)));
  for (const Root& root : facts.roots) {
    text.paragraph(root_text(root), 2);
  }
  add_references(text, "visited by", facts.referrers);
  add_references(text, "visits", facts.referents);
  text.line(fmt::format("next: pygc why {}", hex(object.address)));
  text.notes(facts.referrers.notes);
  text.incomplete(facts.incomplete_because);
  return text.take();
}

} // namespace pygc::report
