"""The report as text."""

from pathlib import Path


def short_name(model):
    return Path(model).name


def align(rows):
    """Columns of equal width; the first is text, the others are aligned to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def case_text(case):
    title = f"{short_name(case['model'])} {case['precision']}, batch {case['batch']}, {case['threads']} thread(s)"
    if case["synthetic_weights"]:
        title += ", SYNTHETIC weights"
    peak = case["peak"][f"{case['precision']}_gmacs_per_s"]
    head = (
        f"{title}: peak {peak:.1f} GMAC/s, {len(case['valid_rounds'])} of {case['round_count']} rounds count, "
        f"measurement {case['verdict']}"
    )
    rows = [["engine", "version", "median ms", "best ms", "images/s", "% of peak", "fovea is faster by"]]
    reasons = []
    for row in case["engines"]:
        name = row["engine"]
        if "error" in row:
            reasons.append(f"{name} has no times: {row['error'].removeprefix(name + ': ')}")
            continue
        rows.append(
            [
                name,
                row["version"],
                f"{row['median_ms']:.3f}",
                f"{row['best_ms']:.3f}",
                f"{row['images_per_s']:.1f}",
                f"{row['percent_of_peak']:.0f} %",
                "" if "ratio" not in row else f"{row['ratio']['median']:.3f} [{row['ratio']['low']:.3f}, {row['ratio']['high']:.3f}]",
            ]
        )
    return "\n".join([head, align(rows), *reasons])


def summary_text(cases):
    """One line a case: Fovea against the fastest peer of each."""
    rows = [["model", "precision", "threads", "fovea ms", "fastest peer", "its ms", "ratio", "measurement"]]
    for case in cases:
        fovea = next((r for r in case["engines"] if r["engine"] == "fovea" and "median_ms" in r), None)
        peers = [r for r in case["engines"] if r["engine"] != "fovea" and "median_ms" in r]
        fastest = min(peers, key=lambda r: r["median_ms"], default=None)
        rows.append(
            [
                short_name(case["model"]),
                case["precision"],
                str(case["threads"]),
                f"{fovea['median_ms']:.3f}" if fovea else "-",
                fastest["engine"] if fastest else "-",
                f"{fastest['median_ms']:.3f}" if fastest else "-",
                f"{fastest['ratio']['median']:.3f}" if fastest and "ratio" in fastest else "-",
                case["verdict"],
            ]
        )
    return align(rows)
