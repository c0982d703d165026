#include "kernels/igemm_u8s8/igemm_u8s8.h"

#include <algorithm>

#include "kernels/conv_rows/tap_classes.h"

namespace fovea::kernels {
namespace {

constexpr std::int64_t kBlockInputBytes = 256 * 1024;
constexpr int kMaxNr = 64;

// Rows that pass a panel before the next one does: few enough for their input to stay in L2 beside the panel's weights.
std::int64_t choose_rows(const IgemmU8S8& p) {
  const std::int64_t taps = p.a.taps();
  const std::int64_t fresh = std::min(taps, p.a.stride_h * p.a.stride_w) * p.k;  // neighbours share the rest
  std::int64_t rows = std::max<std::int64_t>(kBlockInputBytes / fresh, 48);
  rows = std::min({rows, PixelGroups<std::uint8_t>::kMaxOffsets / taps, PixelGroups<std::uint8_t>::kMaxRows});
  // Whole output rows of a convolution, and otherwise a multiple of all tile heights, leave the fewest small tiles.
  const std::int64_t unit = taps > 1 ? p.a.out_w : 240;
  return rows > unit ? rows / unit * unit : rows;
}

class Worker {
 public:
  Worker(const IgemmU8S8& problem, const IgemmRange& range)
      : p_(problem),
        range_(range),
        taps_(problem.a.taps()),
        quads_((problem.k + kIgemmQuad - 1) / kIgemmQuad),
        groups_(problem.a, problem.c_stride, problem.residual_stride) {}

  void run() {
    const std::int64_t rows = choose_rows(p_);
    for (std::int64_t m = range_.m_begin; m < range_.m_end; m += rows) {
      const std::int64_t m_end = std::min(m + rows, range_.m_end);
      groups_.start({m, m_end, 0, taps_, 0, p_.k});
      while (groups_.next()) {
        if (needs_row_sums()) sum_rows();
        for (std::int64_t panel = range_.panel_begin; panel < range_.panel_end; ++panel) run_panel(m, panel);
      }
    }
  }

 private:
  void run_panel(std::int64_t first_row, std::int64_t panel) {
    const IgemmU8Kernel& kernel = p_.panels.kernel(panel);
    const std::int64_t column = p_.panels.column(panel);
    IgemmU8Run run{};
    run.a = groups_.a();
    run.quads = quads_;
    run.b = p_.columns.b + column * taps_ * quads_ * kIgemmQuad;
    run.b_tap_stride = quads_ * kernel.nr * kIgemmQuad;
    run.start = start_;
    if (has_offset(column, kernel.nr)) run.offset = p_.columns.offset + column;
    run.multiplier = p_.columns.multiplier + column;
    run.bias = p_.columns.bias + column;
    if (p_.c != nullptr) run.c = p_.c + first_row * p_.c_stride + column;
    if (p_.c_f32 != nullptr) run.c_f32 = p_.c_f32 + first_row * p_.c_stride + column;
    if (p_.residual != nullptr) run.residual = p_.residual + first_row * p_.residual_stride + column;
    run.n = static_cast<std::int32_t>(std::min<std::int64_t>(p_.panels.n - column, kernel.nr));
    run.requantise = p_.requantise;
    if (panel + 1 < range_.panel_end) run.next_b = run.b + kernel.nr * taps_ * quads_ * kIgemmQuad;
    for (const PixelGroup& group : groups_) {
      start_sums(group, p_.columns.tap_sums + column * taps_, kernel.nr);
      run.a_offsets = group.a_offsets;
      run.a_tap_stride = run.m = group.m;
      run.tap_indices = group.tap_indices;
      run.taps = group.taps;
      const std::int32_t* of_rows = needs_row_sums() ? row_sums_ + first_of(group) : nullptr;
      (p_.columns.offset != nullptr ? run.row_sums : run.row_start) = of_rows;
      run.c_offsets = group.c_offsets;
      run.residual_offsets = group.residual_offsets;
      kernel.run(run);
    }
  }

  bool needs_row_sums() const { return p_.columns.offset != nullptr || p_.columns.common_offset != 0; }

  // Few columns have an offset, where zero points lie off the middle: panels without go without its products.
  bool has_offset(std::int64_t column, int nr) const {
    if (p_.columns.offset == nullptr) return false;
    const std::int32_t* offset = p_.columns.offset + column;
    return std::any_of(offset, offset + nr, [](std::int32_t v) { return v != 0; });
  }

  // Place of a group's rows among those of all groups.
  std::int64_t first_of(const PixelGroup& group) const { return group.c_offsets - groups_.begin()->c_offsets; }

  // -a_zero_point * (sum of the weights of the taps that the group has).
  void start_sums(const PixelGroup& group, const std::int32_t* tap_sums, int nr) {
    std::fill_n(start_, nr, 0);
    if (p_.a_zero_point == 0) return;
    for (std::int64_t t = 0; t < group.taps; ++t) {
      const std::int32_t* sums = tap_sums + group.tap_indices[t] * nr;
      for (int i = 0; i < nr; ++i) start_[i] += sums[i];
    }
    for (int i = 0; i < nr; ++i) start_[i] *= -p_.a_zero_point;
  }

  void sum_rows() {
    for (const PixelGroup& group : groups_) {
      IgemmU8Run run{};
      run.a = groups_.a();
      run.a_offsets = group.a_offsets;
      run.a_tap_stride = run.m = group.m;
      run.taps = group.taps;
      std::int32_t* sums = row_sums_ + first_of(group);
      p_.panels.wide->row_sums(run, p_.k, sums);
      if (p_.columns.offset != nullptr) continue;
      for (std::int64_t i = 0; i < group.m; ++i) sums[i] *= p_.columns.common_offset;
    }
  }

  const IgemmU8S8& p_;
  const IgemmRange& range_;
  std::int64_t taps_, quads_;
  PixelGroups<std::uint8_t> groups_;
  alignas(64) std::int32_t start_[kMaxNr];
  alignas(64) std::int32_t row_sums_[PixelGroups<std::uint8_t>::kMaxRows];  // times the common offset, if there is one
};

// Estimated cycles of a share: dot products of one vector each, and its bytes of A and B from L3 at 16 a cycle.
double share_cost(const IgemmU8S8& p, std::int64_t rows, std::int64_t columns) {
  const double depth = static_cast<double>(p.a.taps() * p.k);
  const double fresh = static_cast<double>(std::min(p.a.taps(), p.a.stride_h * p.a.stride_w) * p.k);
  const double macs = static_cast<double>(rows) * static_cast<double>(columns) * depth;
  return macs / 64 + (static_cast<double>(rows) * fresh + static_cast<double>(columns) * depth) / 16;
}

}  // namespace

void igemm_u8s8(const IgemmU8S8& problem, const IgemmRange& range) {
  if (range.m_begin >= range.m_end || range.panel_begin >= range.panel_end) return;
  Worker(problem, range).run();
}

void igemm_u8s8(const IgemmU8S8& problem) { igemm_u8s8(problem, igemm_u8s8_part(problem, 1, 0)); }

IgemmRange igemm_u8s8_part(const IgemmU8S8& problem, int parts, int index) {
  return cut_share(problem, parts, index,
                   [&](std::int64_t rows, std::int64_t columns) { return share_cost(problem, rows, columns); });
}

}  // namespace fovea::kernels
