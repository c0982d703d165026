// Which cores the instances of a run get: disjoint, and of one NUMA node each where they fit.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/topology.h"

namespace fovea {

struct CoreRequest {
  int cores = 0;               // use only so many in all; 0: those that there are
  int numa_node = -1;          // only this node's; -1: all nodes'
  int cores_per_instance = 0;  // 0: `instances` decides
  bool per_socket = false;     // an instance a socket
  int instances = 0;           // at most so many; 0: as many as fit, or one if cores_per_instance is 0 too
};

struct InstanceCores {
  std::vector<int> processors;  // one of each core, as the operating system numbers them
  int numa_node = -1;           // -1: of several
};

struct CorePlan {
  std::vector<InstanceCores> instances;
  std::vector<int> idle;             // left over
  std::vector<std::string> notices;  // what the user should know
};

// An instance of N cores lies within a NUMA node if any node has N cores, else within a socket if one has, else
// anywhere; cores that do not make up an instance stay idle, said in a notice. Usage errors: a node or a number of
// cores that the machine does not have, more instances than fit.
Result<CorePlan> place_instances(const Topology& topology, const CoreRequest& request);

// "0-3,8"
std::string range_text(std::vector<int> numbers);

}  // namespace fovea
