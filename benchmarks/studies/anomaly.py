#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How well odd rows are found, beside an isolation forest and nearest neighbours: the table of docs/uses/anomaly.md.

  cmake --preset release && cmake --build --preset release --target anomaly
  benchmarks/studies/anomaly.py --data DIR --seeds 3 --json anomaly.json --svg anomaly.svg

DIR holds adult/adult.data and adult/adult.test (UCI, without headers), magic/magic.csv, shoppers/shoppers.csv, and
nsl_kdd/train.csv and nsl_kdd/test.csv (KDDTrain+ 20 % and KDDTest+, with a header, `label` and `difficulty`). Into rows
that nothing was trained on, anomalies of four kinds are planted (examples/anomaly/plant.hpp); of NSL-KDD, normal rows
are learnt and the official test file's attacks are to be found. Each seed has a split, fits and planted rows of its own.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import draw_figures

ADULT = ["age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race",
         "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income"]


def adult_file(folder, target):
    """The two files of UCI as one table with a header; the test rows' labels have a full stop."""
    with open(target, "w", encoding="utf-8") as out:
        out.write(",".join(ADULT) + "\n")
        for name in ("adult.data", "adult.test"):
            for line in (folder / name).read_text(encoding="utf-8").splitlines():
                cells = [cell.strip().rstrip(".") for cell in line.split(",")]
                if len(cells) == len(ADULT):
                    out.write(",".join(cells) + "\n")
    return str(target)


def spread(values):
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/anomaly")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--only", nargs="+", default=["adult", "magic", "shoppers", "nsl_kdd"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=pathlib.Path, help="a folder for each run's figures: those there are not made again")
    parser.add_argument("--json", help="figures by table, detector and kind")
    parser.add_argument("--svg", help="drawn from them")
    options = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        tables = {
            "adult": lambda: ["--data", adult_file(options.data / "adult", pathlib.Path(folder) / "adult.csv"),
                              "--label", "income"],
            "magic": lambda: ["--data", str(options.data / "magic/magic.csv"), "--label", "class"],
            "shoppers": lambda: ["--data", str(options.data / "shoppers/shoppers.csv"), "--label", "Revenue"],
            "nsl_kdd": lambda: ["--train", str(options.data / "nsl_kdd/train.csv"), "--test",
                                str(options.data / "nsl_kdd/test.csv"), "--normal", "label=normal", "--drop",
                                "difficulty"]}
        kept = options.runs or pathlib.Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        for seed in range(options.seeds):
            for name in options.only:
                if not (run := kept / f"{name}.{seed}.json").exists():
                    begin = time.monotonic()
                    subprocess.run([options.program, *tables[name](), "--seed", str(seed), "--json", str(run)],
                                   check=True, stdout=subprocess.DEVNULL)
                    print(f"{name}, seed {seed}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        for name in options.only:
            runs = [json.loads((kept / f"{name}.{seed}.json").read_text(encoding="utf-8"))
                    for seed in range(options.seeds)]
            result[name] = {"seeds": len(runs), "train_rows": runs[0]["train_rows"],
                            "usual_rows": runs[0]["usual_rows"], "detectors": []}
            for d, detector in enumerate(runs[0]["detectors"]):
                of = [run["detectors"][d] for run in runs]
                kinds = {}
                for kind, figures in detector["kinds"].items():
                    kinds[kind] = {"rows": figures["rows"]}
                    for figure in ("auc", "found", "impossible"):
                        kinds[kind][figure], kinds[kind][figure + "_sd"] = spread(
                            [one["kinds"][kind][figure] for one in of if kind in one["kinds"]])
                alarms = spread([one["false_alarms"] for one in of])
                result[name]["detectors"].append({"name": detector["name"], "ours": detector["ours"], "kinds": kinds,
                                                  "false_alarms": alarms[0], "false_alarms_sd": alarms[1]})
    for name, table in result.items():
        names = [detector["name"] for detector in table["detectors"]]
        print(f"\n{name}: {table['train_rows']} training rows, {table['usual_rows']} usual test rows, "
              f"{table['seeds']} seeds\n\n| ROC-AUC (found) | n | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 2))
        for kind, figures in table["detectors"][0]["kinds"].items():
            cells = [detector["kinds"][kind] for detector in table["detectors"]]
            print(f"| {kind} | {figures['rows']} | " +
                  " | ".join(f"{c['auc']:.3f}" + (f" ± {c['auc_sd']:.3f}" if table["seeds"] > 1 else "") +
                             f" ({c['found']:.2f})" for c in cells) + " |")
        print("| false alarms | | " + " | ".join(f"{d['false_alarms']:.4f}" for d in table["detectors"]) + " |")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.svg:
        panels = []
        for name, table in result.items():
            rows = []
            for detector in table["detectors"]:
                kinds = list(detector["kinds"].values())
                kinds = kinds[:1] if "all others" in detector["kinds"] else kinds
                if len(kinds) == 1:
                    value, low, high = (kinds[0]["auc"] + step * kinds[0]["auc_sd"] for step in (0, -1, 1))
                else:
                    every = [kind["auc"] for kind in kinds]
                    value, low, high = statistics.mean(every), min(every), max(every)
                rows.append({"name": detector["name"], "value": value, "low": low, "high": high,
                             "ours": detector["ours"]})
            title = {"nsl_kdd": "NSL-KDD: attacks, ROC-AUC"}.get(name, f"{name.capitalize()}: four kinds, ROC-AUC")
            panels.append({"title": title, "rows": rows})
        draw_figures.draw({"panels": panels}, options.svg)


if __name__ == "__main__":
    main()
