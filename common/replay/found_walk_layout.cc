#include "common/replay/found_walk_layout.h"

#include <span>
#include <vector>

namespace pygc::replay {

Result<protocol::FoundWalk> lay_out_found(SharedWindow& window, const protocol::Walk& walk,
                                          const FoundObjects& found) {
  std::vector<std::uint64_t> words;
  for (const FoundObjects::Page& page : found.pages) {
    words.insert(words.end(), page.words.begin(), page.words.end());
  }
  const auto words_at = window.put(std::span<const std::uint64_t>(words));
  if (!words_at) {
    return std::unexpected(words_at.error());
  }
  std::vector<protocol::FoundPage> pages;
  pages.reserve(found.pages.size());
  std::uint64_t bits = *words_at;
  for (const FoundObjects::Page& page : found.pages) {
    pages.push_back({.first = page.first,
                     .stride = page.stride,
                     .bits = bits,
                     .blocks = page.blocks,
                     .list = page.list});
    bits += page.words.size() * sizeof(std::uint64_t);
  }
  const auto pages_at = window.put(std::span<const protocol::FoundPage>(pages));
  if (!pages_at) {
    return std::unexpected(pages_at.error());
  }
  return protocol::FoundWalk{.walk = walk,
                             .pages = *pages_at,
                             .page_count = pages.size(),
                             .biased = 1,
                             .ob_tid = found.ob_tid,
                             .ob_ref_local = found.ob_ref_local,
                             .ob_ref_shared = found.ob_ref_shared,
                             .ob_gc_bits = found.ob_gc_bits,
                             .frozen_list = found.frozen_list};
}

} // namespace pygc::replay
