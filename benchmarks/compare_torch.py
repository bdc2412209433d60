#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Times rowsmith's training steps against the same steps in PyTorch, and prints a table of ratios.

Both sides run in turns, so that a change in the machine's speed meets both. A figure is the median over the
rounds of each side's median step. Run it with nothing else on the machine:

  cmake --preset release && cmake --build --preset release --target bench_training
  benchmarks/compare_torch.py --baseline torch_baseline.py

The baseline is a script that takes --threads, --batches and --seconds and prints a line of JSON for each figure:
{"what": "ae_step" | "gan_step" | "row" | "rows", "batch": B, "threads": T, "us_per_step": median}. It runs on OpenBLAS
where that is installed (libopenblas0-pthread); both sides' product rate is printed, and no ratio where PyTorch's is below
half of ours.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys

import torch_side

ROOT = pathlib.Path(__file__).resolve().parent.parent


def measure(command, threads, batches, seconds, env=None):
    """{(what, batch, threads): line} of one program."""
    words = command + ["--threads", *map(str, threads), "--batches", *map(str, batches), "--seconds", str(seconds)]
    return {(line["what"], line["batch"], line["threads"]): line for line in torch_side.lines_of(words, env)}


def median(rounds, key, field="us_per_step"):
    return statistics.median(r[key][field] for r in rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    torch_side.add_options(parser)
    parser.add_argument("--bench", default=str(ROOT / "build/release/bin/bench_training"), help="our program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure and round")
    parser.add_argument("--json", help="also write all lines to this file")
    options = parser.parse_args()
    for path in (options.baseline, options.bench):
        if not os.path.exists(path):
            sys.exit(f"compare_torch: {path} does not exist")

    rate = torch_side.lines_of([options.bench, "--what", "product", "--threads", "1"])[-1]["gflops"]
    torch_side.require_healthy("compare_torch", torch_side.product_rate(options.python, options.blas)[0], rate)
    batches = [128, 512, 2048]
    ours, torch = [], []
    for i in range(options.rounds):
        print(f"round {i + 1} of {options.rounds} ...", file=sys.stderr)
        ours.append(measure([options.bench], [1, 2], batches, options.seconds))
        torch.append(measure([options.python, options.baseline], [1], batches, options.seconds,
                             torch_side.environment(options.blas)))

    def against_torch(what, batch):
        key = (what, batch, 1)
        return median(torch, key) / median(ours, key)

    product = ("ae_step", 512, 1)
    allocations = max(r[key]["allocations"] for r in ours for key in r if key[0].endswith("_step"))
    figures = [  # name, value, target, stretch, whether more is better
        ("ae_step, batch 512, 1 thread: PyTorch / ours", against_torch("ae_step", 512), 2.2, 2.6, True),
        ("gan_step, batch 512, 1 thread: PyTorch / ours", against_torch("gan_step", 512), 3, 4, True),
        ("ae_step, batch 128, 1 thread: PyTorch / ours", against_torch("ae_step", 128), 4, 5, True),
        ("gan_step, batch 128, 1 thread: PyTorch / ours", against_torch("gan_step", 128), 4, 5, True),
        ("rows, batch 8192, 1 thread: PyTorch / ours", against_torch("rows", 8192), 4, 6, True),
        ("row, 1 thread: PyTorch / ours", against_torch("row", 1), None, None, True),
        ("ae_step, batch 512: ours / bare Eigen products",
         median(ours, product) / median(ours, product, "gemm_us"), 1.35, 1.15, False),
        ("ae_step, batch 2048: 1 thread / 2 threads",
         median(ours, ("ae_step", 2048, 1)) / median(ours, ("ae_step", 2048, 2)), 1.8, 1.95, True),
        ("heap allocations in a step after the first", allocations, 0, 0, False),
    ]
    print("| figure | measured | target | stretch | |")
    print("|---|---|---|---|---|")
    for name, value, target, stretch, more in figures:
        def reached(bound):
            return bound is not None and (value >= bound if more else value <= bound)
        mark = "" if target is None else "stretch" if reached(stretch) else "pass" if reached(target) else "short"
        sign = "≥" if more else "≤"
        show = lambda bound: "" if bound is None else f"{sign} {bound}"
        print(f"| {name} | {value:.2f} | {show(target)} | {show(stretch)} | {mark} |")
    print()
    print("| µs a step | batch | threads | ours | PyTorch |")
    print("|---|---|---|---|---|")
    for key in sorted(ours[0]):
        other = f"{median(torch, key):.0f}" if key in torch[0] else ""
        print(f"| {key[0]} | {key[1]} | {key[2]} | {median(ours, key):.0f} | {other} |")
    if options.json:
        with open(options.json, "w") as out:
            for side, rounds in (("rowsmith", ours), ("torch", torch)):
                for i, lines in enumerate(rounds):
                    for line in lines.values():
                        out.write(json.dumps({"side": side, "round": i, **line}) + "\n")


main()
