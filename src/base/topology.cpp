#include "base/topology.h"

#include <hwloc.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>

namespace fovea {
namespace {

// The cgroup v2 quota of this process: the tightest cpu.max on the way from its group to the root.
double read_cgroup_cpus() {
  std::ifstream self("/proc/self/cgroup");
  std::string line, group;
  while (std::getline(self, line))
    if (line.rfind("0::", 0) == 0) group = line.substr(3);
  double tightest = 0;
  for (;;) {
    std::ifstream file("/sys/fs/cgroup" + group + "/cpu.max");
    std::string quota;
    double period = 0;
    if (file >> quota >> period && quota != "max" && period > 0) {
      const double cpus = std::strtod(quota.c_str(), nullptr) / period;
      if (cpus > 0 && (tightest == 0 || cpus < tightest)) tightest = cpus;
    }
    const auto slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return tightest;
    group.erase(slash);
  }
}

std::set<int> allowed_processors() {
  std::set<int> allowed;
  for (int size = 1024; size <= 1 << 16; size *= 4) {
    cpu_set_t* mask = CPU_ALLOC(size);
    const auto bytes = CPU_ALLOC_SIZE(size);
    CPU_ZERO_S(bytes, mask);
    const bool ok = sched_getaffinity(0, bytes, mask) == 0;
    for (int i = 0; ok && i < size; ++i)
      if (CPU_ISSET_S(i, bytes, mask)) allowed.insert(i);
    CPU_FREE(mask);
    if (ok) break;
  }
  if (allowed.empty()) allowed.insert(0);
  return allowed;
}

int ancestor_index(hwloc_topology_t topology, hwloc_obj_t object, hwloc_obj_type_t type) {
  hwloc_obj_t found = hwloc_get_ancestor_obj_by_type(topology, type, object);
  return found ? static_cast<int>(found->logical_index) : 0;
}

std::int64_t cache_bytes(hwloc_topology_t topology, hwloc_obj_t pu, hwloc_obj_type_t type) {
  hwloc_obj_t cache = hwloc_get_ancestor_obj_by_type(topology, type, pu);
  return cache ? static_cast<std::int64_t>(cache->attr->cache.size) : 0;
}

int numa_node_of(hwloc_topology_t topology, hwloc_obj_t pu) {
  hwloc_obj_t node = nullptr;
  while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)))
    if (node->cpuset && hwloc_bitmap_isset(node->cpuset, pu->os_index)) return static_cast<int>(node->os_index);
  return 0;
}

}  // namespace

int Topology::usable_threads() const {
  int n = std::max(1, cores);
  if (cgroup_cpus > 0) n = std::min(n, std::max(1, static_cast<int>(cgroup_cpus)));
  return n;
}

Topology detect_topology() {
  Topology out;
  out.cgroup_cpus = read_cgroup_cpus();
  const std::set<int> allowed = allowed_processors();
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) == 0) {
    if (hwloc_topology_load(topology) == 0) {
      std::vector<std::pair<int, Processor>> ranked;  // rank within the core first
      std::set<int> cores;
      std::vector<int> seen_in_core(1 << 16, 0);
      hwloc_obj_t pu = nullptr;
      while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu))) {
        if (!allowed.count(static_cast<int>(pu->os_index))) continue;
        Processor p{static_cast<int>(pu->os_index), ancestor_index(topology, pu, HWLOC_OBJ_CORE),
                    ancestor_index(topology, pu, HWLOC_OBJ_PACKAGE), numa_node_of(topology, pu)};
        if (ranked.empty()) {
          out.l1d_bytes = cache_bytes(topology, pu, HWLOC_OBJ_L1CACHE);
          out.l2_bytes = cache_bytes(topology, pu, HWLOC_OBJ_L2CACHE);
          out.l3_bytes = cache_bytes(topology, pu, HWLOC_OBJ_L3CACHE);
        }
        cores.insert(p.core);
        ranked.emplace_back(seen_in_core[p.core & 0xffff]++, p);
      }
      std::stable_sort(ranked.begin(), ranked.end(), [](auto& a, auto& b) { return a.first < b.first; });
      for (auto& [rank, p] : ranked) out.processors.push_back(p);
      out.cores = static_cast<int>(cores.size());
    }
    hwloc_topology_destroy(topology);
  }
  if (out.processors.empty()) {  // hwloc could not tell: trust the mask alone
    for (int index : allowed) out.processors.push_back({index, index, 0, 0});
    out.cores = static_cast<int>(allowed.size());
  }
  return out;
}

}  // namespace fovea
