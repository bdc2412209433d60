#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What rows with a guarantee are worth: efficacy, detection and attacks by epsilon and by what learns from the rows.

  cmake --preset release && cmake --build --preset release --target rowsmith_program
  benchmarks/studies/privacy.py --train adult.train.csv --test adult.test.csv --label income --out adult.jsonl

For each epsilon, way and seed a model is fitted to the training rows with nothing declared but the label: domains are
learnt and paid for. Rows are made, as many as there are training rows. Classifiers (XGBoost and a forest of 100 trees,
default options) learn the label from them and, for comparison, from the training rows, and are tested on the test rows:
efficacy is the ratio of their AUCs. XGBoost tells made rows from test rows in 4 folds (detection), and `rowsmith
evaluate` attacks them (membership by distance, and by boosted trees) with the test rows as those that were not seen.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from xgboost import XGBClassifier

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import confirm_tables as judge  # noqa: E402: from the folder above

WAYS = {"heads": "heads", "encoder": "encoder", "encoder and GAN": "gan", "shares by label": "counts", "tree of shares": "tree"}


def efficacies(train, test, categorical, label, positive):
    """AUC on test rows of a forest and of XGBoost."""
    features, tested = judge.encode([train, test], categorical, skip=label)
    known, wanted = ((table[label] == positive).to_numpy() for table in (train, test))
    result = {}
    for name, model in (("forest", RandomForestClassifier(100, n_jobs=-1, random_state=0)),
                        ("xgboost", XGBClassifier(tree_method="hist", n_jobs=-1))):
        if known.all() or not known.any():
            result[name] = 0.5
            continue
        result[name] = roc_auc_score(wanted, model.fit(features, known).predict_proba(tested)[:, 1])
    return result


def attacks(program, folder, train, test, label):
    """Membership AUCs of the library's own report: each with its deviation, and the same of unseen rows."""
    subprocess.run([program, "evaluate", "--train", train, "--holdout", test, "--synthetic", f"{folder}/made.csv",
                    "--target", label, "--json", f"{folder}/report.json", "--quick"], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    figures = json.loads(pathlib.Path(f"{folder}/report.json").read_text(encoding="utf-8"))["figures"]
    return {figure["key"]: [round(figure[part], 4) for part in ("value", "sd", "ideal", "ideal_sd")]
            for figure in figures if re.fullmatch(r"membership\..*auc", figure["key"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/rowsmith")
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--positive", help="of the label; by default its rarer value")
    parser.add_argument("--epsilons", nargs="+", type=float, default=[0.5, 1, 2, 3, 5, 10])
    parser.add_argument("--delta", type=float, default=1e-6)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", required=True, help="a line of JSON a run is added to it")
    parser.add_argument("--without", action="store_true", help="the default recipe too, which promises nothing")
    options = parser.parse_args()
    train, test, categorical = judge.read_pair(options.train, options.test)
    if options.label not in categorical:
        categorical.append(options.label)
        train, test = (judge.read(path, categorical) for path in (options.train, options.test))
    positive = options.positive or train[options.label].value_counts().index[-1]
    real = efficacies(train, test, categorical, options.label, positive)
    runs = [(epsilon, way) for epsilon in options.epsilons for way in options.ways]
    if options.without:
        runs.append((float("inf"), "default recipe"))
    for seed in range(options.seeds):
        for epsilon, way in runs:
            with tempfile.TemporaryDirectory() as folder:
                command = [options.program, "fit", options.train, "--label", options.label, "-o", f"{folder}/model",
                           "--seed", str(seed), "--quiet"]
                if np.isfinite(epsilon):
                    command += ["--epsilon", str(epsilon), "--delta", str(options.delta), "--private-parts", WAYS[way]]
                begin = time.monotonic()
                subprocess.run(command, check=True)
                seconds = time.monotonic() - begin
                subprocess.run([options.program, "sample", f"{folder}/model", "-n", str(len(train)), "--seed",
                                str(seed + 1), "--plain", "-o", f"{folder}/made.csv"], check=True,
                               stderr=subprocess.DEVNULL)
                made = judge.read(f"{folder}/made.csv", categorical)
                found = efficacies(made, test, categorical, options.label, positive)
                run = {"table": pathlib.Path(options.train).stem, "epsilon": epsilon, "way": way, "seed": seed,
                       "fit_seconds": round(seconds, 1),
                       "auc": {name: round(float(value), 4) for name, value in found.items()},
                       "auc_real": {name: round(float(value), 4) for name, value in real.items()},
                       "efficacy": {name: round(float(found[name] / real[name]), 4) for name in found},
                       "detection": round(float(judge.detection(test, made, categorical, 10_000, seed)), 4),
                       "attacks": attacks(options.program, folder, options.train, options.test, options.label)}
            line = json.dumps(run)
            print(line, flush=True)
            with open(options.out, "a", encoding="utf-8") as out:
                out.write(line + "\n")


if __name__ == "__main__":
    main()
