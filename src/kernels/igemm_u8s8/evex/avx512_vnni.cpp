#include "kernels/igemm_u8s8/rows.h"
#include "kernels/igemm_u8s8/vnni_256.h"

namespace fovea::kernels {
namespace {

[[gnu::always_inline]] inline __m256i dot_evex(__m256i sum, __m256i bytes, __m256i weights) {
  return _mm256_dpbusd_epi32(sum, bytes, weights);
}
using Evex = Vnni256<dot_evex>;

}  // namespace

void igemm_u8s8_6x16_evex(const IgemmU8Run& run) { run_panel<Evex, 6, 2>(run); }
void igemm_u8s8_10x8_evex(const IgemmU8Run& run) { run_panel<Evex, 10, 1>(run); }

}  // namespace fovea::kernels
