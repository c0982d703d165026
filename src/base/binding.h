// Binding: where the calling thread may run and where its memory comes from, by hwloc.
#pragma once

#include <vector>

#include "base/result.h"

namespace fovea {

// Threads that this one starts afterwards inherit it. Errors: a processor that the machine lacks or that the process
// may not use (names it).
Status bind_this_thread(const std::vector<int>& processors);

// Pages that this thread touches first from now on come from the NUMA nodes of these processors; nothing is done on a
// machine with one node. An error where the system refuses.
Status bind_memory_near(const std::vector<int>& processors);

}  // namespace fovea
