// The addresses of the rows of A: where each output pixel finds the inputs of each tap.
#pragma once

#include "kernels/igemm_f32/igemm_f32.h"

namespace fovea::kernels {

// Rows [m_begin, m_end) of taps [tap_begin, tap_end), from float k_begin of each.
struct RowBlock {
  std::int64_t m_begin, m_end;
  std::int64_t tap_begin, tap_end;
  std::int64_t k_begin;
};

// table[(t - tap_begin) * (m_end - m_begin) + m - m_begin] = the row, or `zeros` where the tap is in the padding.
void fill_row_pointers(const IgemmRows& a, const RowBlock& block, const float* zeros, const float** table);

}  // namespace fovea::kernels
