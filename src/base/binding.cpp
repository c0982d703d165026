#include "base/binding.h"

#include <fmt/ranges.h>
#include <hwloc.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace fovea {
namespace {

struct DestroyTopology {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
struct FreeBitmap {
  void operator()(hwloc_bitmap_t bitmap) const { hwloc_bitmap_free(bitmap); }
};
using TopologyHandle = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, DestroyTopology>;
using Bitmap = std::unique_ptr<std::remove_pointer_t<hwloc_bitmap_t>, FreeBitmap>;

Result<TopologyHandle> load_topology() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return make_error(ErrorCode::kResource, "hwloc cannot be started");
  TopologyHandle topology(raw);
  if (hwloc_topology_load(raw) != 0)
    return make_error(ErrorCode::kResource, "hwloc cannot read this machine's topology");
  return topology;
}

Bitmap set_of(const std::vector<int>& processors) {
  Bitmap set(hwloc_bitmap_alloc());
  for (const int p : processors) hwloc_bitmap_set(set.get(), static_cast<unsigned>(p));
  return set;
}

}  // namespace

Status bind_this_thread(const std::vector<int>& processors) {
  FOVEA_CHECK(!processors.empty());
  FOVEA_TRY(const TopologyHandle topology, load_topology());
  const Bitmap set = set_of(processors);
  if (hwloc_set_cpubind(topology.get(), set.get(), HWLOC_CPUBIND_THREAD) == 0) return {};
  const int error = errno;
  return make_error(ErrorCode::kResource, "cannot run on processors {}: {}", fmt::join(processors, ","),
                    std::strerror(error));
}

Status bind_memory_near(const std::vector<int>& processors) {
  FOVEA_TRY(const TopologyHandle topology, load_topology());
  if (hwloc_get_nbobjs_by_type(topology.get(), HWLOC_OBJ_NUMANODE) < 2) return {};
  const Bitmap set = set_of(processors);
  if (hwloc_set_membind(topology.get(), set.get(), HWLOC_MEMBIND_BIND, HWLOC_MEMBIND_THREAD) == 0) return {};
  const int error = errno;
  return make_error(ErrorCode::kResource, "cannot bind memory near processors {}: {}", fmt::join(processors, ","),
                    std::strerror(error));
}

}  // namespace fovea
