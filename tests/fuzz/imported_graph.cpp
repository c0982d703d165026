#include "tests/fuzz/imported_graph.h"

#include "export/onnx/export_onnx.h"
#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "tests/fuzz/accepted_graph.h"

namespace fovea::fuzz {

std::string treat_imported(const Result<Graph>& graph, Rng& rng, Counts& counts) {
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

}  // namespace fovea::fuzz
