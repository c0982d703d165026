#include "backends/onednn/onednn_backend.h"

#include "backends/onednn/tactics.h"

namespace fovea {
namespace {

class OnednnBackend : public Backend {
 public:
  std::string_view name() const override { return "onednn"; }
  std::span<const Tactic> tactics() const override {
    static constexpr Tactic kTactics[] = {
#define TACTIC(name, op, stem) \
  {#name,                      \
   #op,                        \
   onednn::applies_##stem,     \
   onednn::layouts_##stem,     \
   onednn::cost_##stem,        \
   onednn::build_##stem,       \
   onednn::confirm_##stem},
#include "backends/onednn/tactics.inc"
#undef TACTIC
    };
    return kTactics;
  }
};

}  // namespace

const Backend& onednn_backend() {
  static const OnednnBackend backend;
  return backend;
}

}  // namespace fovea
