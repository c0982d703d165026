// Feeds mutants of small ONNX models to the importer and, where they are accepted, to shape inference, the writer and
// the reference evaluation. Options: campaign.h.
#include "import/onnx/import_onnx.h"
#include "tests/fuzz/campaign.h"
#include "tests/fuzz/imported_graph.h"

namespace fovea::fuzz {
namespace {

std::string treat(const Bytes& mutant, Rng& rng, Counts& counts) {
  return treat_imported(import_onnx_bytes(mutant, "mutant"), rng, counts);
}

}  // namespace
}  // namespace fovea::fuzz

int main(int argc, char** argv) { return fovea::fuzz::run_campaign(argc, argv, fovea::fuzz::treat); }
