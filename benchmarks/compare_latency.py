#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Times single rows against the same row in PyTorch, in RTNeural or in both, in turns, and prints a table with marks.

  cmake --preset release && cmake --build --preset release --target bench_latency
  benchmarks/compare_latency.py --baseline torch_baseline.py --rtneural RTNeural

The baseline is a script that takes --threads, --batches and --seconds and prints a line of JSON for each figure, among
them {"what": "row", "us_per_step": median}: noise 64-128-128-32, decoder 32-128-256-108, argmax of each head. Ours is
the decoded row. PyTorch's product rate is printed; a single row spends its time in calls, not in products.

RTNeural is a checkout of its repository. rtneural_side.cpp is compiled with its headers, on Eigen, with the flags of our
release build. It times the same layers bare: one forward pass of a compile-time model, no noise drawn and nothing
decoded, where ours is the whole decoded row.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import torch_side

ROOT = pathlib.Path(__file__).resolve().parent.parent


def compile_rtneural(options, folder):
    """The program that times RTNeural's layers."""
    for path, what in ((options.rtneural + "/RTNeural/RTNeural.h", "--rtneural: not a checkout of RTNeural"),
                       (options.eigen + "/Eigen/Dense", "--eigen: not Eigen's headers (package libeigen3-dev)")):
        if not os.path.exists(path):
            sys.exit(f"compare_latency: {what}: {path} does not exist")
    program = os.path.join(folder, "rtneural_side")
    # Its largest layer is a matrix in the model itself, beyond what Eigen takes for fit for a stack; the model is static.
    command = [options.compiler, "-std=c++20", "-O3", "-DNDEBUG", "-march=native", "-DRTNEURAL_USE_EIGEN=1",
               "-DRTNEURAL_DEFAULT_ALIGNMENT=32", "-DEIGEN_STACK_ALLOCATION_LIMIT=0", "-isystem", options.rtneural,
               "-isystem", options.eigen, str(ROOT / "benchmarks/rtneural_side.cpp"), "-o", program]
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"compare_latency: rtneural_side.cpp was not compiled: {error}")
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    torch_side.add_options(parser, required=False)
    parser.add_argument("--rtneural", metavar="DIR", help="a checkout of RTNeural")
    parser.add_argument("--eigen", metavar="DIR", default="/usr/include/eigen3", help="the Eigen that RTNeural is to use")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"), help="of RTNeural's side")
    parser.add_argument("--bench", default=str(ROOT / "build/release/bin/bench_latency"), help="our program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=200000, help="of ours and of RTNeural's, a round")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure of the baseline and round")
    options = parser.parse_args()
    if not options.baseline and not options.rtneural:
        parser.error("--baseline or --rtneural: beside what?")
    for path in filter(None, (options.baseline, options.bench)):
        if not os.path.exists(path):
            sys.exit(f"compare_latency: {path} does not exist")
    if options.baseline:
        gflops, version = torch_side.product_rate(options.python, options.blas)
        print(f"PyTorch {version}: products at {gflops:.1f} GFLOP/s on one thread\n")
    with tempfile.TemporaryDirectory() as folder:
        rtneural = compile_rtneural(options, folder) if options.rtneural else None
        measure(options, rtneural)


def measure(options, rtneural):
    ours, eigen, torch, theirs = [], [], [], []
    for i in range(options.rounds):
        print(f"round {i + 1} of {options.rounds} ...", file=sys.stderr)
        for line in torch_side.lines_of([options.bench, "--model", "independent", "--calls", str(options.calls),
                                         "--evict", "1", "--json"]):
            if line["what"] in ("row", "eigen") and line["mode"] == "warm":
                (ours if line["what"] == "row" else eigen).append(line["p50_us"])
        if options.baseline:
            for line in torch_side.lines_of([options.python, options.baseline, "--threads", "1", "--batches", "128",
                                             "--seconds", str(options.seconds)], torch_side.environment(options.blas)):
                if line["what"] == "row":
                    torch.append(line["us_per_step"])
        if rtneural:
            theirs += [line["p50_us"] for line in torch_side.lines_of([rtneural, str(options.calls)])]
    row, products = map(statistics.median, (ours, eigen))
    print("| figure | measured | target | stretch | |")
    print("|---|---|---|---|---|")
    if torch:
        other = statistics.median(torch)
        ratio = other / row
        mark = "stretch" if ratio >= 40 else "pass" if ratio >= 20 else "short"
        print(f"| whole decoded row: PyTorch {other:.1f} µs / ours {row:.2f} µs | {ratio:.1f} | ≥ 20 | ≥ 40 | {mark} |")
    if theirs:
        other = statistics.median(theirs)
        print(f"| RTNeural's bare layers {other:.2f} µs / our whole decoded row {row:.2f} µs | {other / row:.2f} | | | |")
    print(f"| whole decoded row / Eigen products alone ({products:.2f} µs) | {row / products:.2f} | | | |")


if __name__ == "__main__":
    main()
