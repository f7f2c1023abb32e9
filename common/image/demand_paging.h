// Lets a mapping of ours be read before its bytes are there: the processor's fault fetches them.
#pragma once

#include "common/target/target.h"

#include <cstddef>
#include <cstdint>

namespace pygc::image {

/// While one exists, a read of [bytes, bytes + size) that faults has the pager bring what lies
/// there; then it is carried out. `bytes` maps the pager's file from its start, without any
/// permission. Only plain reads are served: a system call that is given such memory fails (EFAULT).
/// For the one thread that analyses.
class DemandPaging {
public:
  DemandPaging(std::byte* bytes, std::uint64_t size, target::Pager& pager);
  DemandPaging(const DemandPaging&) = delete;
  DemandPaging& operator=(const DemandPaging&) = delete;
  ~DemandPaging();

private:
  struct Handler;

  std::byte* bytes_;
  std::uint64_t size_;
  target::Pager& pager_;
  DemandPaging* next_ = nullptr;
};

} // namespace pygc::image
