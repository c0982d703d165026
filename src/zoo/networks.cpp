#include "zoo/networks.h"

#include <algorithm>
#include <array>

namespace fovea {
namespace {

#define NETWORK(name, builder) NetworkSpec{name, builder},
constexpr auto kNetworks = std::to_array<NetworkSpec>({
#include "zoo/networks.inc"
});
#undef NETWORK

}  // namespace

std::span<const NetworkSpec> networks() { return kNetworks; }

const NetworkSpec* find_network(std::string_view name) {
  const auto row =
      std::find_if(kNetworks.begin(), kNetworks.end(), [&](const NetworkSpec& n) { return n.name == name; });
  return row == kNetworks.end() ? nullptr : &*row;
}

}  // namespace fovea
