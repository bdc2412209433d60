#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What weights in half precision lose: rows and cells that are others, distributions, held-out likelihood, latency.

  cmake --preset release && cmake --build --preset release --target rowsmith_program bench_half
  benchmarks/studies/half_precision.py --train adult.train.csv --unseen adult.unseen.csv --label income

For each recipe a model is fitted with a fixed seed. bench_half draws the same rows of it with `Sampler`s of full and of
half precision. For each column, the distance of the two distributions (total variation of categories, the
Kolmogorov-Smirnov statistic of numbers) stands beside that of two seeds in full precision, which is what chance does. The
log-likelihood of unseen rows is of the model and of the model with rounded weights, which must draw the rows of the
Sampler in half precision; rows that either cannot make are left out of both, and counted. Latency is the median of single
calls, both in turns.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile


def run(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    except subprocess.CalledProcessError as error:
        sys.exit(f"half_precision: {' '.join(command[:2])} failed with {error.returncode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, help="a file of rows to learn")
    parser.add_argument("--unseen", required=True, help="a file of others, of the likelihood")
    parser.add_argument("--label", help="the column that says what a row is")
    parser.add_argument("--program", default="build/release/bin/rowsmith")
    parser.add_argument("--bench", default="build/release/bin/bench_half")
    parser.add_argument("--recipes", nargs="+", default=["default", "neural"],
                        help="trees alone have few weights to round; faithful has no likelihood, and its numbers "
                        "are no codes: nearly all of many digits differ in the last ones")
    parser.add_argument("--seed", type=int, default=1, help="of the fit and of the rows")
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--calls", type=int, default=200000, help="timed, of each precision")
    parser.add_argument("--quick", action="store_true", help="a few steps of training, to see that all works: no figures")
    parser.add_argument("--json", help="also write all lines to this file")
    options = parser.parse_args()
    for path in (options.train, options.unseen, options.program, options.bench):
        if not os.path.exists(path):
            sys.exit(f"half_precision: {path} does not exist")
    lines = {}
    with tempfile.TemporaryDirectory() as folder:
        for recipe in options.recipes:
            print(f"{recipe} ...", file=sys.stderr)
            model = os.path.join(folder, recipe + ".model")
            command = [options.program, "fit", options.train, "--recipe", recipe, "--seed", str(options.seed), "--quiet",
                       "-o", model]
            command += ["--label", options.label] if options.label else []
            run(command + (["--quick"] if options.quick else []))
            lines[recipe] = json.loads(run([options.bench, model, "--holdout", options.unseen, "--seed", str(options.seed),
                                            "--rows", str(options.rows), "--calls", str(options.calls)]))
    for recipe, line in lines.items():
        if line["rounded_differs"]:
            print(f"{recipe}: the model with rounded weights draws {line['rounded_differs']} of {line['rows']} rows otherwise "
                  "than the Sampler in half precision\n")
    print("| recipe | equal rows | equal cells | nats a row, full | half | rows of these | p50, full, µs | half | KiB, full | half |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for recipe, line in lines.items():
        told = line.get("held_out")
        nats = f"{told['single_nats']:.4f} | {told['half_nats']:.4f} | {told['possible']:,} of {told['rows']:,}" if told else "| |"
        print(f"| {recipe} | {line['rows_equal']:.4%} | {line['cells_equal']:.4%} | {nats} | {line['latency']['single_us']:.2f} | "
              f"{line['latency']['half_us']:.2f} | {line['bytes'] / 1024:.0f} | {line['half_bytes'] / 1024:.0f} |")
    for recipe, line in lines.items():
        print(f"\n| {recipe}: column | measure | equal cells | full against half | two seeds, full |\n|---|---|---|---|---|")
        for column in line["columns"]:
            print(f"| {column['name']} | {column['measure']} | {column['equal']:.4%} | {column['distance']:.5f} | "
                  f"{column['chance']:.5f} |")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            for recipe, line in lines.items():
                out.write(json.dumps({"recipe": recipe, **line}) + "\n")


if __name__ == "__main__":
    main()
