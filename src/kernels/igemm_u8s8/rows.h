// The kernel functions of kernels.inc, for the files that define or list them.
#pragma once

#include "kernels/igemm_u8s8/igemm_u8s8.h"

namespace fovea::kernels {

#define KERNEL(isa, name, mr, nr, lanes, row_cost, sums) void name(const IgemmU8Run& run);
#include "kernels/igemm_u8s8/kernels.inc"
#undef KERNEL

// The kernels of kAvxVnni in the encoding of AVX-512, for tests on CPUs that have no other.
void igemm_u8s8_6x16_evex(const IgemmU8Run& run);
void igemm_u8s8_10x8_evex(const IgemmU8Run& run);

void igemm_u8s8_row_sums_avx512(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums);
void igemm_u8s8_row_sums_avx2(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums);
void igemm_u8s8_row_sums_scalar(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums);

}  // namespace fovea::kernels
