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


def parallel(case):
    return f"{case['threads']} {'stream' if case['mode'] == 'throughput' else 'thread'}{'s' if case['threads'] != 1 else ''}"


def title(case):
    return f"{short_name(case['model'])} {case['precision']}, batch {case['batch']}, {parallel(case)}"


def ratio_text(row):
    return f"{row['ratio']['median']:.3f} [{row['ratio']['low']:.3f}, {row['ratio']['high']:.3f}]" if "ratio" in row else ""


def share_text(row):
    return f"{row['percent_of_peak']:.0f} %" if "percent_of_peak" in row else "-"


def case_text(case):
    head = title(case)
    if "error" in case:
        return f"{head}: not measured: {case['error']}"
    if case["synthetic_weights"]:
        head += ", SYNTHETIC weights"
    peak = case["peak"][f"{case['precision']}_gmacs_per_s"]
    head += f": peak {peak:.1f} GMAC/s, {len(case['valid_rounds'])} of {case['round_count']} rounds count, measurement {case['verdict']}"
    streams = case["mode"] == "throughput"
    times = ["best images/s"] if streams else ["median ms", "best ms"]
    rows = [["engine", "version", *times, "images/s", "% of peak", "fovea is faster by"]]
    notes = []
    for row in case["engines"]:
        name = row["engine"]
        if "note" in row:
            notes.append(f"{name}: {row['note']}")
        if "error" in row:
            notes.append(f"{name} has no times: {row['error'].removeprefix(name + ': ')}")
            continue
        cells = [f"{row['best_images_per_s']:.1f}"] if streams else [f"{row['median_ms']:.3f}", f"{row['best_ms']:.3f}"]
        rows.append([name, row["version"], *cells, f"{row['images_per_s']:.1f}", share_text(row), ratio_text(row)])
    return "\n".join([head, align(rows), *notes])


def summary_text(cases):
    """One line a case: Fovea against the fastest peer of each."""
    rows = [["model", "precision", "batch", "on", "fovea images/s", "% of peak", "fastest peer", "its images/s", "fovea is faster by", "measurement"]]
    for case in cases:
        measured = [r for r in case.get("engines", []) if "images_per_s" in r]
        fovea = next((r for r in measured if r["engine"] == "fovea"), None)
        fastest = max((r for r in measured if r["engine"] != "fovea"), key=lambda r: r["images_per_s"], default=None)
        rows.append(
            [
                short_name(case["model"]),
                case["precision"],
                str(case["batch"]),
                parallel(case),
                f"{fovea['images_per_s']:.1f}" if fovea else "-",
                share_text(fovea) if fovea else "-",
                fastest["engine"] if fastest else "-",
                f"{fastest['images_per_s']:.1f}" if fastest else "-",
                (ratio_text(fastest) if fastest else "") or "-",
                case.get("verdict", "none"),
            ]
        )
    return align(rows)
