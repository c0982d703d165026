#include "kernels/igemm_f32/igemm_f32.h"

#include <algorithm>
#include <cstring>

#include "kernels/conv_rows/tap_classes.h"

namespace fovea::kernels {
namespace {

constexpr std::int64_t kBlockProducts = 1024;  // depth of a block: 256 KB of a 64-column panel
constexpr std::int64_t kBlockInputBytes = 256 * 1024;
constexpr int kMaxNr = 64;

// Products are cut into blocks of whole taps, or of parts of one tap, so that a panel's part stays in L2 while the rows
// of the block pass. Sums go from block to block through C, which loses nothing.
struct Blocking {
  std::int64_t taps;
  std::int64_t k;  // all of a tap, unless taps is 1
  std::int64_t rows;
};

std::int64_t even_parts(std::int64_t total, std::int64_t largest) {
  const std::int64_t parts = (total + largest - 1) / largest;
  return (total + parts - 1) / parts;
}

Blocking choose_blocking(const IgemmF32& p) {
  const std::int64_t taps = p.a.taps();
  Blocking b{};
  b.k = even_parts(p.k, kBlockProducts);
  b.taps = b.k < p.k ? 1 : std::clamp<std::int64_t>(kBlockProducts / p.k, 1, PixelGroups<float>::kMaxBlockTaps);
  b.taps = even_parts(taps, b.taps);
  // Input floats that one more output pixel brings in: neighbours share the rest.
  const std::int64_t fresh = std::min(b.taps, p.a.stride_h * p.a.stride_w) * b.k;
  b.rows = std::max<std::int64_t>(kBlockInputBytes / 4 / fresh, 48);
  b.rows = std::min({b.rows, PixelGroups<float>::kMaxOffsets / b.taps, PixelGroups<float>::kMaxRows});
  // Whole output rows of a convolution, and otherwise a multiple of all tile heights, leave the fewest small tiles.
  const std::int64_t unit = taps > 1 ? p.a.out_w : 240;
  if (b.rows > unit) b.rows = b.rows / unit * unit;
  return b;
}

class Worker {
 public:
  Worker(const IgemmF32& problem, const IgemmRange& range)
      : p_(problem), range_(range), taps_(problem.a.taps()), blocking_(choose_blocking(problem)), groups_(problem.a, problem.c_stride, problem.residual_stride) {}

  void run() {
    for (std::int64_t m = range_.m_begin; m < range_.m_end; m += blocking_.rows) {
      const std::int64_t m_end = std::min(m + blocking_.rows, range_.m_end);
      for (std::int64_t t = 0; t < taps_; t += blocking_.taps) {
        for (std::int64_t k = 0; k < p_.k; k += blocking_.k)
          run_block({m, m_end, t, std::min(t + blocking_.taps, taps_), k, std::min(k + blocking_.k, p_.k)});
      }
    }
  }

 private:
  void run_block(const IgemmBlock& block) {
    groups_.start(block);
    while (groups_.next()) {
      for (std::int64_t panel = range_.panel_begin; panel < range_.panel_end; ++panel) run_panel(block, panel);
    }
  }

  void run_panel(const IgemmBlock& block, std::int64_t panel) {
    const IgemmKernel& kernel = p_.panels.kernel(panel);
    const std::int64_t column = p_.panels.column(panel);
    IgemmRun run{};
    run.k = block.k_end - block.k_begin;
    run.b = p_.b + column * taps_ * p_.k + block.k_begin * kernel.nr;
    run.b_tap_stride = p_.k * kernel.nr;
    if (p_.residual != nullptr) run.residual = p_.residual + block.m_begin * p_.residual_stride + column;
    run.c = p_.c + block.m_begin * p_.c_stride + column;
    run.n = static_cast<std::int32_t>(std::min<std::int64_t>(p_.panels.n - column, kernel.nr));
    run.resume = block.tap_begin > 0 || block.k_begin > 0;
    run.finish = block.tap_end == taps_ && block.k_end == p_.k;
    run.epilogue = p_.epilogue;
    run.bias = bias_;
    if (!run.resume && p_.bias != nullptr)
      std::memcpy(bias_, p_.bias + column, static_cast<std::size_t>(run.n) * sizeof(float));
    run.a = groups_.a();
    for (const PixelGroup& group : groups_) {
      run.a_offsets = group.a_offsets;
      run.a_tap_stride = run.m = group.m;
      run.c_offsets = group.c_offsets;
      run.residual_offsets = group.residual_offsets;
      run.tap_indices = group.tap_indices;
      run.taps = group.taps;
      kernel.run(run);
    }
  }

  const IgemmF32& p_;
  const IgemmRange& range_;
  std::int64_t taps_;
  Blocking blocking_;
  PixelGroups<float> groups_;
  alignas(64) float bias_[kMaxNr] = {};  // padding columns are never stored: what they start from is all the same
};

// Estimated cycles of a share: FMAs of one vector each, and its bytes of A and B from L3 at 16 a cycle.
double share_cost(const IgemmF32& p, std::int64_t rows, std::int64_t columns) {
  const double depth = static_cast<double>(p.a.taps() * p.k);
  const double fresh = static_cast<double>(std::min(p.a.taps(), p.a.stride_h * p.a.stride_w) * p.k);
  const double macs = static_cast<double>(rows) * static_cast<double>(columns) * depth;
  return macs / 16 + (static_cast<double>(rows) * fresh + static_cast<double>(columns) * depth) * 4 / 16;
}

}  // namespace

void igemm_f32(const IgemmF32& problem, const IgemmRange& range) {
  if (range.m_begin >= range.m_end || range.panel_begin >= range.panel_end) return;
  Worker(problem, range).run();
}

void igemm_f32(const IgemmF32& problem) { igemm_f32(problem, igemm_f32_part(problem, 1, 0)); }

IgemmRange igemm_f32_part(const IgemmF32& problem, int parts, int index) {
  return cut_share(problem, parts, index, [&](std::int64_t rows, std::int64_t columns) {
    return share_cost(problem, rows, columns);
  });
}

}  // namespace fovea::kernels
