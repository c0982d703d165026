// The processors that this process may use: affinity mask, cgroup v2 quota, cores and sockets by hwloc.
#pragma once

#include <cstdint>
#include <vector>

namespace fovea {

struct Processor {
  int os_index = 0;     // what sched_setaffinity takes
  int core = 0;         // logical core number; SMT siblings share it
  int socket = 0;
  int numa_node = 0;
};

struct Topology {
  std::vector<Processor> processors;  // allowed ones, one thread of every core first, then SMT siblings
  int cores = 0;                      // distinct allowed cores
  double cgroup_cpus = 0;             // cpu.max quota in CPUs; 0 = unlimited
  std::int64_t l1d_bytes = 0, l2_bytes = 0, l3_bytes = 0;  // of the first allowed core; 0 = unknown

  // Threads worth running: allowed cores, cut by the quota; at least 1.
  int usable_threads() const;
};

// Reads the machine anew at each call (the mask and the quota may change).
Topology detect_topology();

}  // namespace fovea
