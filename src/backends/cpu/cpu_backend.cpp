#include "backends/cpu/cpu_backend.h"

#include "backends/cpu/tactic_functions.h"

namespace fovea {
namespace {

constexpr Tactic kTactics[] = {
#define TACTIC(name, op) {#name, #op, cpu::name::applies, cpu::name::layouts, cpu::name::cost_us, cpu::name::build},
#define ALSO(name, op) TACTIC(name, op)
#include "backends/cpu/tactics.inc"
#undef ALSO
#undef TACTIC
};

class CpuBackend : public Backend {
 public:
  std::string_view name() const override { return "cpu"; }
  std::span<const Tactic> tactics() const override { return kTactics; }
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace fovea
