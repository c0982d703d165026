"""Interleaved rounds: in each, the machine's peak and then every engine for a moment, in an order that rotates.

A round counts only if the machine was as fast before and after it as it was at best; rounds are repeated until enough
count. What a neighbour on the same host takes away is so taken from nobody's figures.
"""

import statistics
import time

PEAK_SLACK = 0.05  # a round with a lower share of the best peak than 1 - this does not count
STEAL_SLACK = 0.02  # nor one in which the hypervisor took more than this share of the processors' time
PAUSE_S = 0.03  # between engines: spinning threads of the last one have gone to sleep
MAX_REPEATS = 3  # at most this many times the wanted rounds are run
QUICK_PEAK_MS = 30


def counts(round_, best_peak):
    return min(round_["peaks"]) >= (1 - PEAK_SLACK) * best_peak and round_["steal_share"] <= STEAL_SLACK


def verdict(rounds, wanted):
    """The rounds that count, and "stable", "noisy" (fewer than wanted) or "invalid" (hardly any)."""
    best = max((max(r["peaks"]) for r in rounds), default=0.0)
    valid = [r for r in rounds if counts(r, best)]
    if len(valid) >= wanted:
        return valid, "stable"
    return valid, "noisy" if len(valid) >= max(3, wanted // 2) else "invalid"


def run_round(gauge, engines, order, seconds, case):
    quick_peak = {"op": "peak", "quick": True, "precision": case.precision, "threads": case.threads, "milliseconds": QUICK_PEAK_MS}
    first = gauge.request(**quick_peak)
    begin = time.monotonic()
    times, rates = {}, {}
    for name in order:
        time.sleep(PAUSE_S)
        reply = engines[name].request(op="run", seconds=seconds)
        if case.mode == "throughput":
            rates[name] = reply["runs_per_s"]
        else:
            times[name] = reply["times_ms"]
            rates[name] = 1e3 / statistics.median(times[name])
    elapsed = time.monotonic() - begin
    last = gauge.request(**quick_peak)
    return {
        "peaks": [first["gmacs_per_s"], last["gmacs_per_s"]],
        "steal_share": max(0.0, last["steal_s"] - first["steal_s"]) / max(elapsed * case.threads, 1e-9),
        "order": list(order),
        "runs_per_s": rates,
        **({"times_ms": times} if times else {}),
    }


def measure(gauge, engines, wanted, seconds, case, progress=lambda done, total: None):
    """Runs rounds until `wanted` of them count. Returns all rounds, those that count, and the verdict."""
    names = list(engines)
    rounds = []
    while True:
        shift = len(rounds) % len(names)
        rounds.append(run_round(gauge, engines, names[shift:] + names[:shift], seconds, case))
        valid, text = verdict(rounds, wanted)
        progress(len(valid), wanted)
        if text == "stable" or len(rounds) >= MAX_REPEATS * wanted:
            return rounds, valid, text


def summarise(rounds, name):
    """Median and best rate of the rounds; with single times also the median of the rounds' medians and the best run."""
    rates = [r["runs_per_s"][name] for r in rounds]
    result = {"runs_per_s": statistics.median(rates), "best_runs_per_s": max(rates)}
    if "times_ms" in rounds[0]:
        medians = [statistics.median(r["times_ms"][name]) for r in rounds]
        result.update(
            median_ms=statistics.median(medians),
            best_ms=min(min(r["times_ms"][name]) for r in rounds),
            round_medians_ms=medians,
        )
        result["runs_per_s"] = 1e3 / result["median_ms"]
    return result


def ratio(rounds, name, other):
    """How many times faster `name` is than `other`: the median of the rounds' ratios and the quartiles around it."""
    ratios = sorted(r["runs_per_s"][name] / r["runs_per_s"][other] for r in rounds)
    if len(ratios) < 4:
        return {"median": statistics.median(ratios), "low": ratios[0], "high": ratios[-1]}
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high}
