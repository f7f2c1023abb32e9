// A list of gc_refs for the tests of its views.
#pragma once

#include "common/analysis/check/gc_refs_list.h"

#include <string>
#include <utility>
#include <vector>

namespace pygc::report {

/// Rows that are told one at a time, so that the types come as the rows do.
class ListOfRows final : public analysis::GcRefsList {
public:
  ListOfRows(std::vector<analysis::GcRefsRow> rows, std::vector<std::string> types)
      : rows_(std::move(rows)), all_types_(std::move(types)) {}

  std::uint64_t count() const override { return rows_.size(); }
  const std::vector<std::string>& types() const override { return types_; }
  Result<void> each(const Take& take) override {
    for (const analysis::GcRefsRow& row : rows_) {
      types_.assign(all_types_.begin(), all_types_.begin() + row.type + 1);
      if (auto taken = take({&row, 1}); !taken) {
        return taken;
      }
    }
    return {};
  }

private:
  std::vector<analysis::GcRefsRow> rows_;
  std::vector<std::string> all_types_;
  std::vector<std::string> types_;
};

inline ListOfRows gc_refs_list() {
  return {{{.object = 0x7f52a5531000, .gc_refs = -1, .refcount = 3, .type = 0},
           {.object = 0x7f52a5531040, .gc_refs = 0, .refcount = 1, .type = 1}},
          {"_io.TextIOWrapper", "e\"vil\x1b[2J\n"}};
}

} // namespace pygc::report
