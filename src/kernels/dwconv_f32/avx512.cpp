#include "kernels/dwconv_f32/generic.h"
#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {

void dwconv_f32_3x3s1_avx512(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx512, Avx512, 3, 1, 4>(args, row_begin, row_end);
}
void dwconv_f32_3x3s2_avx512(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx512, Pair<Avx512>, 3, 2, 2>(args, row_begin, row_end);
}
void dwconv_f32_5x5s1_avx512(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx512, Avx512, 5, 1, 3, 7>(args, row_begin, row_end);
}
void dwconv_f32_5x5s2_avx512(const DwConvF32Args& args, int row_begin, int row_end) {
  bands<Avx512, Avx512, 5, 2, 4>(args, row_begin, row_end);
}
void dwconv_f32_any_avx512(const DwConvF32Args& args, int row_begin, int row_end) {
  any_geometry<Avx512>(args, row_begin, row_end);
}

}  // namespace fovea::kernels
