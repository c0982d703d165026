#include "base/knobs.h"

#include <cstdlib>

#include "base/cpu_features.h"

namespace fovea {
namespace {

std::string read(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Knobs read_all() {
  Knobs k;
  k.isa = read("FOVEA_ISA");
  k.test_data = read("FOVEA_TEST_DATA");
  k.cache_dir = read("FOVEA_CACHE");
  if (k.cache_dir.empty()) {
    const std::string xdg = read("XDG_CACHE_HOME"), home = read("HOME");
    k.cache_dir = !xdg.empty() ? xdg + "/fovea" : !home.empty() ? home + "/.cache/fovea" : "/tmp/fovea-cache";
  }
  k.model_dir = read("FOVEA_MODELS");
  k.loadgen_dir = read("FOVEA_LOADGEN");
  k.disabled_passes = read("FOVEA_DISABLE_PASSES");
  k.no_color = !read("NO_COLOR").empty();
  return k;
}

}  // namespace

const Knobs& knobs() {
  static const Knobs k = read_all();
  return k;
}

std::string environment_variable(const std::string& name) { return read(name.c_str()); }

Status check_knobs() {
  const std::string& isa = knobs().isa;
  if (isa.empty()) return {};
  const auto level = parse_isa(isa);
  if (!level)
    return make_error(ErrorCode::kUsage, "FOVEA_ISA is '{}': expected scalar, avx2, avx512, vbmi, vnni or bf16", isa);
  if (!detect_cpu().has(*level))
    return unsupported("FOVEA_ISA asks for {}, which this CPU ({}) lacks; it has {}", isa, detect_cpu().brand,
                       isa_name(detect_cpu().best()));
  return {};
}

}  // namespace fovea
