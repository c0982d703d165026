// Panels: how the columns of an indirect GEMM are cut for its kernels, and the problem among workers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

#include "base/cpu_features.h"

namespace fovea::kernels {

// How n columns are cut into panels: `wide_count` panels of `wide`, then `narrow_count` of `narrow` (null if none).
// Padding columns are at the very end. A Kernel has members isa, mr and nr (its tile).
template <class Kernel>
struct Panels {
  std::int64_t n = 0;
  const Kernel* wide = nullptr;
  const Kernel* narrow = nullptr;
  std::int64_t wide_count = 0;
  std::int64_t narrow_count = 0;

  std::int64_t count() const { return wide_count + narrow_count; }
  const Kernel& kernel(std::int64_t panel) const { return panel < wide_count ? *wide : *narrow; }
  // First column of a panel; also its place in packed weights, in units of taps * k elements. panel may be count().
  std::int64_t column(std::int64_t panel) const {
    return panel <= wide_count ? panel * wide->nr : wide_count * wide->nr + (panel - wide_count) * narrow->nr;
  }
};

// The panels for n > 0 columns from kernels of one ISA, whose widths are 1, 2, … times the narrowest, widest first: as
// few panels as can be, as even as can be.
template <class Kernel>
Panels<Kernel> cut_panels(std::span<const Kernel> kernels, Isa isa, std::int64_t n) {
  std::int64_t widest = 0, unit = 0;  // of the first and last rows of the ISA
  for (const Kernel& kernel : kernels) {
    if (kernel.isa != isa) continue;
    if (widest == 0) widest = kernel.nr;
    unit = kernel.nr;
  }
  const auto of_width = [&](std::int64_t nr) -> const Kernel* {
    for (const Kernel& kernel : kernels)
      if (kernel.isa == isa && kernel.nr == nr) return &kernel;
    return nullptr;
  };
  const std::int64_t units = (n + unit - 1) / unit;
  const std::int64_t panels = (n + widest - 1) / widest;
  const std::int64_t narrow = units / panels, wide_count = units % panels;
  if (wide_count == 0) return {n, of_width(narrow * unit), nullptr, panels, 0};
  return {n, of_width((narrow + 1) * unit), of_width(narrow * unit), wide_count, panels - wide_count};
}

// The panels of least cost, by Kernel::row_cost: of equal ones the fewest. Wide panels are cheaper a column, narrow
// ones leave fewer columns of padding.
template <class Kernel>
Panels<Kernel> cheapest_panels(std::span<const Kernel> kernels, Isa isa, std::int64_t n) {
  Panels<Kernel> best{n};
  float least = std::numeric_limits<float>::infinity();
  const auto consider = [&](const Panels<Kernel>& panels) {
    const float cost = static_cast<float>(panels.wide_count) * panels.wide->row_cost +
                       (panels.narrow ? static_cast<float>(panels.narrow_count) * panels.narrow->row_cost : 0);
    if (cost > least || (cost == least && panels.count() >= best.count())) return;
    least = cost;
    best = panels;
  };
  for (const Kernel& wide : kernels) {
    if (wide.isa != isa) continue;
    const std::int64_t whole = n / wide.nr;
    if (whole * wide.nr < n) consider({n, &wide, nullptr, whole + 1, 0});
    if (whole == 0) continue;
    if (whole * wide.nr == n) consider({n, &wide, nullptr, whole, 0});
    for (const Kernel& narrow : kernels)
      for (std::int64_t count = whole; count > 0 && narrow.isa == isa && narrow.nr < wide.nr; --count)
        if (const std::int64_t rest = n - count * wide.nr; rest > 0)
          consider({n, &wide, &narrow, count, (rest + narrow.nr - 1) / narrow.nr});
  }
  return best;
}

// Part of a problem: rows [m_begin, m_end) of panels [panel_begin, panel_end).
struct IgemmRange {
  std::int64_t m_begin = 0, m_end = 0;
  std::int64_t panel_begin = 0, panel_end = 0;
};

// The share of worker `index` of `parts`: the ranges of all workers are disjoint and cover the problem. Cuts rows,
// panels or both, so that the longest share is short and weights are not read by everybody where they are large. Rows
// are cut where the image is, if that is even, and else at the multiple of the widest panel's tile nearest to it.
// share_cost(rows, columns) is the expected time of a share.
template <class Problem, class ShareCost>
IgemmRange cut_share(const Problem& problem, int parts, int index, ShareCost share_cost) {
  const std::int64_t m = problem.m, panels = problem.panels.count();
  if (m == 0) return {};
  const bool by_image_rows = problem.a.taps() > 1 && m / problem.a.out_w % parts == 0;
  const std::int64_t tile = by_image_rows ? problem.a.out_w : problem.panels.wide->mr;
  std::int64_t by_rows = parts;
  double best_cost = 0;
  for (std::int64_t cuts = parts; cuts > 0; --cuts) {
    if (parts % cuts != 0) continue;
    const std::int64_t rows = cuts == 1 || by_image_rows ? m / cuts : std::min(m / cuts + tile / 2 + 1, m);
    const std::int64_t panel_cuts = parts / cuts, share = (panels + panel_cuts - 1) / panel_cuts;
    const double cost = share_cost(rows, share * problem.panels.wide->nr);
    if (cuts == parts || cost < best_cost) {
      best_cost = cost;
      by_rows = cuts;
    }
  }
  const std::int64_t by_panels = parts / by_rows, i = index / by_panels, j = index % by_panels;
  const auto row_cut = [&](std::int64_t at) {
    return at == by_rows ? m : std::min((m * at / by_rows + tile / 2) / tile * tile, m);
  };
  return {row_cut(i), row_cut(i + 1), panels * j / by_panels, panels * (j + 1) / by_panels};
}

}  // namespace fovea::kernels
