#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rare attacks: the full study, and its picture.

  cmake --preset release && cmake --build --preset release --target intrusion
  benchmarks/studies/intrusion.py --train KDDTrain.csv --test KDDTest.csv --json figures.json --svg figures.svg

Runs the program `intrusion` (examples/intrusion) on NSL-KDD's official files and draws accuracy, the recall of the two
rare classes and false alarms by judge and way.
"""
import argparse
import json
import subprocess

import draw_figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/intrusion")
    parser.add_argument("--train")
    parser.add_argument("--test")
    parser.add_argument("--seeds", default="5")
    parser.add_argument("--json", required=True)
    parser.add_argument("--svg", required=True)
    parser.add_argument("--draw-only", action="store_true", help="the file of --json is there already")
    options = parser.parse_args()
    if not options.draw_only:
        subprocess.run([options.program, "--train", options.train, "--test", options.test, "--seeds", options.seeds, "--json",
                        options.json], check=True)
    with open(options.json, encoding="utf-8") as file:
        told = json.load(file)
    panels = []
    for judge, ways in told.items():
        for figure in ("accuracy", "recall R2L", "recall U2R", "false alarms"):
            panels.append({"title": f"{judge}: {figure}",
                           "rows": [{"name": way, "value": figures[figure]["mean"],
                                     "low": figures[figure]["mean"] - figures[figure]["sd"],
                                     "high": figures[figure]["mean"] + figures[figure]["sd"],
                                     "ours": way.startswith("rowsmith")} for way, figures in ways.items()]})
    draw_figures.draw({"panels": panels, "columns": 4}, options.svg)


if __name__ == "__main__":
    main()
