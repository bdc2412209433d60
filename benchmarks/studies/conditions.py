#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How near rows that were asked for are to real rows that meet the same conditions.

  cmake --preset release && cmake --build --preset release --target rowsmith_program
  benchmarks/studies/conditions.py --train adult.train.csv --unseen adult.unseen.csv --label income

A model is fitted to the training rows. Then conditions on one to four columns are drawn, each about a random training
row: the row's category, or the quarter of a column's numbers around the row's. Those that enough unseen rows meet are
kept. For each, as many rows are asked for as there are unseen ones, and XGBoost (default options, 4 folds) tells the two
apart. Beside it: the same for rows of an unconditional sample that meet the condition, as far as there are enough
(rejection), for rows asked for against those, and for training rows that meet it, which is the best there can be.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import confirm_tables as judge  # noqa: E402: from the folder above


def drawn_condition(table, columns, random):
    """(text for --where, mask of rows) for each column, about a random row."""
    row = table.iloc[random.integers(len(table))]
    parts = []
    for name in columns:
        value = row[name]
        if pd.isna(value):
            parts.append((f"{name} is missing", lambda other, name=name: other[name].isna()))
        elif isinstance(value, str):
            parts.append((f"{name} = {value}", lambda other, name=name, value=value: other[name] == value))
        else:
            ranks = table[name].rank(pct=True)
            place = ranks[table[name] == value].iloc[0]
            inside = table[name][(ranks - place).abs() <= 0.125]
            low, high = inside.min(), inside.max()
            parts.append((f"{name} >= {low}", lambda other, name=name, low=low: other[name] >= low))
            parts.append((f"{name} <= {high}", lambda other, name=name, high=high: other[name] <= high))
    return [text for text, _ in parts], lambda other: np.logical_and.reduce([mask(other) for _, mask in parts])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/rowsmith")
    parser.add_argument("--train", required=True)
    parser.add_argument("--unseen", required=True)
    parser.add_argument("--label", default="")
    parser.add_argument("--model", help="already fitted to the training rows")
    parser.add_argument("--conditions", type=int, default=20)
    parser.add_argument("--least", type=int, default=500, help="unseen rows that meet a condition")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, unseen, categorical = judge.read_pair(options.train, options.unseen)
    random = np.random.default_rng(options.seed)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or f"{folder}/model"
        if not options.model:
            label = ["--label", options.label] if options.label else []
            subprocess.run([options.program, "fit", options.train, "-o", model, "--quiet", "--seed", str(options.seed),
                            *label], check=True)

        def sample(rows, *more):
            begin = time.monotonic()
            subprocess.run([options.program, "sample", model, "-n", str(rows), "--seed", str(options.seed + 1), "--plain",
                            "-o", f"{folder}/rows.csv", *more], check=True, stderr=subprocess.DEVNULL)
            return judge.read(f"{folder}/rows.csv", categorical), time.monotonic() - begin

        plain, _ = sample(200_000)
        tried = 0
        while len(lines) < options.conditions and tried < 50 * options.conditions:
            count = len(lines) % 4 + 1
            names = list(random.choice(train.columns, count, replace=False))
            texts, meets = drawn_condition(train, names, random)
            tried += 1
            real = unseen[meets(unseen)]
            if len(real) < options.least or len(real) > 0.9 * len(unseen):
                continue
            asked, seconds = sample(len(real), *[word for text in texts for word in ("--where", text)])
            rejected, seen = plain[meets(plain)], train[meets(train)]
            told = {"condition": texts, "unseen": len(real), "meet": bool(meets(asked).all()), "seconds": round(seconds, 2)}
            told["asked"] = judge.detection(real, asked, categorical, 10_000, options.seed)
            told["train"] = judge.detection(real, seen, categorical, 10_000, options.seed)
            if len(rejected) >= options.least:
                told["rejection"] = judge.detection(real, rejected, categorical, 10_000, options.seed)
                told["asked_against_rejection"] = judge.detection(rejected, asked, categorical, 10_000, options.seed)
            lines.append(told)
            print(json.dumps(told), flush=True)
    for name in ("asked", "rejection", "asked_against_rejection", "train"):
        values = [line[name] for line in lines if name in line]
        if values:
            spread = statistics.stdev(values) if len(values) > 1 else 0
            print(f"{name}: mean {statistics.mean(values):.3f}, sd {spread:.3f}, of {len(values)} conditions")
    print("all rows meet their conditions" if all(line["meet"] for line in lines) else "SOME ROWS DO NOT MEET THEIR CONDITION")


if __name__ == "__main__":
    main()
