"""What is measured: single cases, and the tables that --table prints."""

from dataclasses import dataclass


@dataclass
class Case:
    model: str
    precision: str
    threads: int  # in throughput mode also the number of streams, of one thread each
    batch: int = 1
    mode: str = "latency"

    def title(self):
        count = f"{self.threads} stream(s)" if self.mode == "throughput" else f"{self.threads} thread(s)"
        return f"{self.model} {self.precision}, batch {self.batch}, {count}"


# Models by table. Those of int8 without "qdq" are quantised here, with weights per channel; the others come quantised.
TABLES = {
    "int8": [
        "resnet50",
        "mobilenet-v1",
        "mobilenet-v2",
        "efficientnet-lite0",
        "mobilenet-v1-qdq",
        "mobilenet-v2-qdq",
        "mobilenet-v1-0.25-128-qdq",
        "cifar10-resnet8-qdq",
        "mobilenet-v3-small-qdq",
        "ssd_mobilenet_v1_coco_300_qdq.onnx",
    ]
}


def table_cases(table, threads, batch):
    """Latency on each number of threads, and throughput on the largest."""
    cases = []
    for model in TABLES[table]:
        cases += [Case(model, table, n, batch) for n in threads]
        cases.append(Case(model, table, max(threads), batch, "throughput"))
    return cases


def cases_of(options):
    if options.table:
        return table_cases(options.table, options.threads, options.batch)
    return [
        Case(model, precision, threads, options.batch, mode)
        for model in options.models
        for precision in options.precisions
        for mode in options.mode
        for threads in options.threads
    ]
