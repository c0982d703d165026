#include "kernels/dwconv_f32/generic.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {

void dwconv_f32_3x3s1_avx2(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx2, Avx2, 3, 1, 2>(args, row_begin, row_end);
}
void dwconv_f32_3x3s2_avx2(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx2, Pair<Avx2>, 3, 2, 2>(args, row_begin, row_end);
}
void dwconv_f32_5x5s1_avx2(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx2, Avx2, 5, 1, 2>(args, row_begin, row_end);
}
void dwconv_f32_5x5s2_avx2(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx2, Avx2, 5, 2, 2>(args, row_begin, row_end);
}
void dwconv_f32_any_avx2(const DwConvF32Args& args, int row_begin, int row_end) {
  any_geometry<Avx2>(args, row_begin, row_end);
}

}  // namespace fovea::kernels
