#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Times single rows against the same row in PyTorch, in turns, and prints a table with marks.

  cmake --preset release && cmake --build --preset release --target bench_latency
  benchmarks/compare_latency.py --baseline torch_baseline.py

The baseline is a script that takes --threads, --batches and --seconds and prints a line of JSON for each figure, among
them {"what": "row", "us_per_step": median}: noise 64-128-128-32, decoder 32-128-256-108, argmax of each head. Ours is
the decoded row. PyTorch's product rate is printed; a single row spends its time in calls, not in products.
"""
import argparse
import os
import pathlib
import statistics
import sys

import torch_side

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    torch_side.add_options(parser)
    parser.add_argument("--bench", default=str(ROOT / "build/release/bin/bench_latency"), help="our program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=200000, help="of ours, a round")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure of the baseline and round")
    options = parser.parse_args()
    for path in (options.baseline, options.bench):
        if not os.path.exists(path):
            sys.exit(f"compare_latency: {path} does not exist")
    gflops, version = torch_side.product_rate(options.python, options.blas)
    print(f"PyTorch {version}: products at {gflops:.1f} GFLOP/s on one thread\n")
    ours, eigen, torch = [], [], []
    for i in range(options.rounds):
        print(f"round {i + 1} of {options.rounds} ...", file=sys.stderr)
        for line in torch_side.lines_of([options.bench, "--model", "independent", "--calls", str(options.calls),
                                         "--evict", "1", "--json"]):
            if line["what"] in ("row", "eigen") and line["mode"] == "warm":
                (ours if line["what"] == "row" else eigen).append(line["p50_us"])
        for line in torch_side.lines_of([options.python, options.baseline, "--threads", "1", "--batches", "128",
                                         "--seconds", str(options.seconds)], torch_side.environment(options.blas)):
            if line["what"] == "row":
                torch.append(line["us_per_step"])
    row, products, other = map(statistics.median, (ours, eigen, torch))
    ratio = other / row
    mark = "stretch" if ratio >= 40 else "pass" if ratio >= 20 else "short"
    print("| figure | measured | target | stretch | |")
    print("|---|---|---|---|---|")
    print(f"| whole decoded row: PyTorch {other:.1f} µs / ours {row:.2f} µs | {ratio:.1f} | ≥ 20 | ≥ 40 | {mark} |")
    print(f"| whole decoded row / Eigen products alone ({products:.2f} µs) | {row / products:.2f} | | | |")


if __name__ == "__main__":
    main()
