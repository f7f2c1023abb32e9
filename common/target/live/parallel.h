// Work in pieces that do not depend on one another, on all processors.
#pragma once

#include <cstddef>
#include <functional>

namespace pygc::target {

/// Calls work(i) for each i < count, from several threads where the system gives them. The calling
/// thread asks `stop` before each of its own pieces; once that is true no further piece is begun.
/// Returns whether all were done. `work` must not throw.
bool in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                 const std::function<bool()>& stop);

} // namespace pygc::target
