#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rare classes: the full study, and its picture.

  cmake --preset release && cmake --build --preset release --target imbalance
  benchmarks/studies/imbalance.py --data adult.csv --target income --positive '>50K' --json figures.json --svg figures.svg

Runs the program `imbalance` (examples/imbalance) with ten seeds, and draws PR-AUC by judge and way.
"""
import argparse
import json
import subprocess

import draw_figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/imbalance")
    parser.add_argument("--data")
    parser.add_argument("--target")
    parser.add_argument("--positive")
    parser.add_argument("--seeds", default="10")
    parser.add_argument("--json", required=True)
    parser.add_argument("--svg", required=True)
    parser.add_argument("--draw-only", action="store_true", help="the file of --json is there already")
    options = parser.parse_args()
    if not options.draw_only:
        subprocess.run([options.program, "--data", options.data, "--target", options.target, "--positive", options.positive,
                        "--seeds", options.seeds, "--json", options.json], check=True)
    with open(options.json, encoding="utf-8") as file:
        told = json.load(file)
    panels = []
    for table, judges in told.items():
        for judge in ("forest", "boosted"):
            ways = judges[judge]["PR-AUC"]
            panels.append({"title": f"{table}: PR-AUC, {judge}",
                           "rows": [{"name": way, "value": figure["mean"], "low": figure["mean"] - figure["half"],
                                     "high": figure["mean"] + figure["half"], "ours": way.startswith("rowsmith")}
                                    for way, figure in ways.items()]})
    draw_figures.draw({"panels": panels, "columns": 2}, options.svg)


if __name__ == "__main__":
    main()
