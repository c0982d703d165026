#include "kernels/igemm_f32/igemm_f32.h"

#include <algorithm>
#include <cstring>

#include "kernels/igemm_f32/row_pointers.h"

namespace fovea::kernels {
namespace {

constexpr std::int64_t kMaxPointers = 2048;    // 16 KB of stack
constexpr std::int64_t kMaxTapFloats = 4096;   // a block takes no more of a tap, so that one row of zeros serves all
constexpr std::int64_t kBlockProducts = 2048;  // depth of a block: 512 KB of a 64-column panel, half of a small L2
constexpr std::int64_t kBlockInputBytes = 256 * 1024;
constexpr int kMaxNr = 64;

alignas(64) constexpr float kZeros[kMaxTapFloats] = {};

// Products are cut into blocks of whole taps, or of parts of one tap. Sums pass from block to block through C, which
// loses nothing: the blocks depend on neither M nor the range only because it is simpler.
struct DepthBlock {
  std::int64_t tap_begin, tap_end, k_begin, k_end;
};

struct Blocking {
  std::int64_t taps;  // of a block
  std::int64_t k;     // of a block: all of a tap, unless taps is 1
  std::int64_t rows;
};

Blocking choose_blocking(const IgemmF32& p, std::int64_t range_rows) {
  const std::int64_t taps = p.a.taps();
  Blocking b{};
  const std::int64_t depth = kBlockProducts;
  b.k = std::min(p.k, p.k > depth ? depth : kMaxTapFloats);
  b.taps = b.k < p.k ? 1 : std::clamp<std::int64_t>(depth / p.k, 1, std::min(taps, kMaxPointers / 16));
  // Input floats that one more output pixel brings in: neighbours share the rest.
  const std::int64_t fresh = std::min(b.taps, p.a.stride_h * p.a.stride_w) * b.k;
  const std::int64_t cached = std::max<std::int64_t>(kBlockInputBytes / 4 / fresh, 48);
  // A multiple of every tile height (6, 8 and 10) up to rounding at the end of a block.
  std::int64_t rows = std::min(cached, kMaxPointers / b.taps);
  if (rows > 240) rows = rows / 120 * 120;
  b.rows = std::min(rows, range_rows);
  return b;
}

class Worker {
 public:
  Worker(const IgemmF32& problem, const IgemmRange& range)
      : p_(problem),
        range_(range),
        taps_(problem.a.taps()),
        blocking_(choose_blocking(problem, range.m_end - range.m_begin)) {}

  void run() {
    for (std::int64_t m = range_.m_begin; m < range_.m_end; m += blocking_.rows) {
      const std::int64_t m_end = std::min(m + blocking_.rows, range_.m_end);
      for (std::int64_t t = 0; t < taps_; t += blocking_.taps) {
        for (std::int64_t k = 0; k < p_.k; k += blocking_.k)
          run_block(m, m_end, {t, std::min(t + blocking_.taps, taps_), k, std::min(k + blocking_.k, p_.k)});
      }
    }
  }

 private:
  void run_block(std::int64_t m, std::int64_t m_end, const DepthBlock& depth) {
    fill_row_pointers(p_.a, {m, m_end, depth.tap_begin, depth.tap_end, depth.k_begin}, kZeros, pointers_);
    IgemmRun run{};
    run.rows = pointers_;
    run.row_stride = run.m = m_end - m;
    run.taps = depth.tap_end - depth.tap_begin;
    run.k = depth.k_end - depth.k_begin;
    run.residual_stride = p_.residual_stride;
    run.c_stride = p_.c_stride;
    run.resume = depth.tap_begin > 0 || depth.k_begin > 0;
    run.finish = depth.tap_end == taps_ && depth.k_end == p_.k;
    run.epilogue = p_.epilogue;
    run.bias = bias_;
    for (std::int64_t panel = range_.panel_begin; panel < range_.panel_end; ++panel) {
      const IgemmKernel& kernel = p_.panels.kernel(panel);
      const std::int64_t column = p_.panels.column(panel);
      run.n = static_cast<std::int32_t>(std::min<std::int64_t>(p_.panels.n - column, kernel.nr));
      run.b = p_.b + column * taps_ * p_.k + (depth.tap_begin * p_.k + depth.k_begin) * kernel.nr;
      run.b_tap_stride = p_.k * kernel.nr;
      if (!run.resume) load_bias(column, run.n);
      run.residual = p_.residual == nullptr ? nullptr : p_.residual + m * p_.residual_stride + column;
      run.c = p_.c + m * p_.c_stride + column;
      kernel.run(run);
    }
  }

  void load_bias(std::int64_t column, std::int32_t n) {
    if (p_.bias == nullptr) return;
    std::memcpy(bias_, p_.bias + column, static_cast<std::size_t>(n) * sizeof(float));
  }

  const IgemmF32& p_;
  const IgemmRange& range_;
  std::int64_t taps_;
  Blocking blocking_;
  alignas(64) float bias_[kMaxNr] = {};  // padding columns are never stored: what they start from is all the same
  const float* pointers_[kMaxPointers];
};

// Estimated cycles of a share: FMAs of one vector each, and its bytes of A and B from L3 at 8 a cycle.
double share_cost(const IgemmF32& p, std::int64_t rows, std::int64_t columns) {
  const double depth = static_cast<double>(p.a.taps() * p.k);
  const double fresh = static_cast<double>(std::min(p.a.taps(), p.a.stride_h * p.a.stride_w) * p.k);
  const double macs = static_cast<double>(rows) * static_cast<double>(columns) * depth;
  return macs / 16 + (static_cast<double>(rows) * fresh + static_cast<double>(columns) * depth) * 4 / 8;
}

}  // namespace

IgemmRows dense_rows(const float* base, std::int64_t m, std::int64_t lda) {
  IgemmRows rows;
  rows.base = base;
  rows.pixel_stride = lda;
  rows.in_w = rows.out_w = m;
  return rows;
}

IgemmRows padded_image_rows(const PaddedImage& image, std::int64_t kernel_h, std::int64_t stride_h,
                            std::int64_t stride_w, std::int64_t out_h, std::int64_t out_w) {
  IgemmRows rows;
  rows.base = image.base;
  rows.pixel_stride = image.channels;
  rows.row_stride = image.padded_w * image.channels;
  rows.image_stride = image.padded_h * rows.row_stride;
  rows.in_h = image.padded_h;
  rows.in_w = image.padded_w;
  rows.out_h = out_h;
  rows.out_w = out_w;
  rows.kernel_h = kernel_h;
  rows.stride_h = stride_h;
  rows.stride_w = stride_w;
  return rows;
}

void igemm_f32(const IgemmF32& problem, const IgemmRange& range) {
  if (range.m_begin >= range.m_end || range.panel_begin >= range.panel_end) return;
  Worker(problem, range).run();
}

void igemm_f32(const IgemmF32& problem) { igemm_f32(problem, igemm_f32_part(problem, 1, 0)); }

IgemmRange igemm_f32_part(const IgemmF32& problem, int parts, int index) {
  // Rows are cut at multiples of the widest panel's tile.
  const std::int64_t tile = problem.panels.wide->mr, tiles = (problem.m + tile - 1) / tile;
  const std::int64_t panels = problem.panels.count();
  int best_rows = parts;
  double best_cost = 0;
  for (int by_rows = parts; by_rows > 0; --by_rows) {
    if (parts % by_rows != 0) continue;
    const std::int64_t by_panels = parts / by_rows;
    const std::int64_t rows = std::min((tiles + by_rows - 1) / by_rows * tile, problem.m);
    const double cost = share_cost(problem, rows, (panels + by_panels - 1) / by_panels * problem.panels.wide->nr);
    if (by_rows == parts || cost < best_cost) {
      best_cost = cost;
      best_rows = by_rows;
    }
  }
  const std::int64_t by_panels = parts / best_rows, i = index / by_panels, j = index % by_panels;
  return {std::min(tiles * i / best_rows * tile, problem.m), std::min(tiles * (i + 1) / best_rows * tile, problem.m),
          panels * j / by_panels, panels * (j + 1) / by_panels};
}

}  // namespace fovea::kernels
