// Feeds mutants of small ONNX models to the importer and, where they are accepted, to shape inference, the writer and
// the reference evaluation. Options: campaign.h.
#include "export/onnx/export_onnx.h"
#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "tests/fuzz/accepted_graph.h"
#include "tests/fuzz/campaign.h"

namespace fovea::fuzz {
namespace {

std::string treat(const Bytes& mutant, Rng& rng, Counts& counts) {
  const auto graph = import_onnx_bytes(mutant, "mutant");
  if (!graph.ok()) return graph.error().message().empty() ? "an error without a message" : "";
  ++counts["accepted"];
  if (const auto written = export_onnx_bytes(*graph); written.ok()) {
    const auto again = import_onnx_bytes(*written, "rewritten");
    if (!again.ok()) return "what was written cannot be read: " + again.error().text();
    ++counts["written and read again"];
  }
  const auto bound = bind_open_extents(*graph);
  if (!bound.ok() || !is_small(*bound)) return "";
  if (evaluate_graph(*bound, noise_for(*bound, rng)).ok()) ++counts["evaluated"];
  return "";
}

}  // namespace
}  // namespace fovea::fuzz

int main(int argc, char** argv) { return fovea::fuzz::run_campaign(argc, argv, fovea::fuzz::treat); }
