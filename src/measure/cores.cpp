#include "measure/cores.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace fovea {
namespace {

// One processor of each core that may be used, in the order of sockets, nodes and cores.
std::vector<Processor> usable_cores(const Topology& topology) {
  std::vector<Processor> cores;
  std::set<int> seen;
  for (const Processor& p : topology.processors)
    if (seen.insert(p.core).second) cores.push_back(p);
  std::stable_sort(cores.begin(), cores.end(), [](const Processor& a, const Processor& b) {
    return std::tie(a.socket, a.numa_node, a.core) < std::tie(b.socket, b.numa_node, b.core);
  });
  return cores;
}

using Groups = std::map<int, std::vector<Processor>>;

template <class Key>
Groups group_by(const std::vector<Processor>& cores, Key key) {
  Groups groups;
  for (const Processor& p : cores) groups[key(p)].push_back(p);
  return groups;
}

int largest(const Groups& groups) {
  std::size_t most = 0;
  for (const auto& [key, cores] : groups) most = std::max(most, cores.size());
  return static_cast<int>(most);
}

InstanceCores instance_of(const std::vector<Processor>& cores) {
  InstanceCores instance;
  for (const Processor& p : cores) instance.processors.push_back(p.os_index);
  instance.numa_node = cores.front().numa_node;
  for (const Processor& p : cores)
    if (p.numa_node != instance.numa_node) instance.numa_node = -1;
  return instance;
}

Error usage(std::string text) { return Error(ErrorCode::kUsage, std::move(text)); }

Result<std::vector<Processor>> requested_cores(const Topology& topology, const CoreRequest& request) {
  std::vector<Processor> cores = usable_cores(topology);
  if (request.numa_node >= 0) {
    const auto groups = group_by(cores, [](const Processor& p) { return p.numa_node; });
    const auto found = groups.find(request.numa_node);
    if (found == groups.end())
      return usage(fmt::format("there is no usable core on NUMA node {}: the last one is {}", request.numa_node,
                               groups.rbegin()->first));
    cores = found->second;
  }
  const auto available = static_cast<int>(cores.size());
  if (request.cores > available)
    return usage(fmt::format("{} cores asked for, {} may be used", request.cores, available));
  if (request.cores > 0) cores.resize(static_cast<std::size_t>(request.cores));
  return cores;
}

}  // namespace

std::string range_text(std::vector<int> numbers) {
  std::sort(numbers.begin(), numbers.end());
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    text += text.empty() ? "" : ",";
    text += end - i == 1 ? fmt::format("{}", numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[end - 1]);
    i = end;
  }
  return text;
}

Result<CorePlan> place_instances(const Topology& topology, const CoreRequest& request) {
  FOVEA_TRY(const std::vector<Processor> cores, requested_cores(topology, request));
  const auto total = static_cast<int>(cores.size());
  const auto by_node = group_by(cores, [](const Processor& p) { return p.numa_node; });
  const auto by_socket = group_by(cores, [](const Processor& p) { return p.socket; });
  const Groups whole = group_by(cores, [](const Processor&) { return 0; });
  CorePlan plan;
  int each = request.cores_per_instance;
  if (!request.per_socket && each == 0) {
    const int instances = std::max(1, request.instances);
    if (instances > total)
      return usage(fmt::format("{} instances asked for, but only {} core(s) may be used", instances, total));
    each = total / instances;
  }
  if (each > total) return usage(fmt::format("{} cores an instance asked for, but only {} may be used", each, total));
  const Groups& groups = request.per_socket           ? by_socket
                         : each <= largest(by_node)   ? by_node
                         : each <= largest(by_socket) ? by_socket
                                                      : whole;
  for (const auto& [key, members] : groups) {
    const std::size_t step = request.per_socket ? members.size() : static_cast<std::size_t>(each);
    std::size_t at = 0;
    for (; at + step <= members.size(); at += step) {
      if (request.instances > 0 && static_cast<int>(plan.instances.size()) == request.instances) break;
      plan.instances.push_back(instance_of({members.begin() + static_cast<std::ptrdiff_t>(at),
                                            members.begin() + static_cast<std::ptrdiff_t>(at + step)}));
    }
    for (; at < members.size(); ++at) plan.idle.push_back(members[at].os_index);
  }
  if (request.instances > static_cast<int>(plan.instances.size()))
    return usage(fmt::format("{} instances of {} core(s) asked for, {} fit on the {} core(s) that may be used",
                             request.instances, each, plan.instances.size(), total));
  if (!plan.idle.empty())
    plan.notices.push_back(
        fmt::format("core(s) {} stay idle: they do not make up another instance", range_text(plan.idle)));
  return plan;
}

}  // namespace fovea
