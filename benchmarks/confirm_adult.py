#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Detection and efficacy of synthetic Adult rows from the CSV alone, by scikit-learn and XGBoost.

usage: confirm_adult.py --data DIR --synthetic FILE.csv [--seeds 3]
DIR holds adult.data and adult.test. Needs pandas, scikit-learn and xgboost (Debian: python3-pandas python3-sklearn
python3-xgboost). Prints one JSON object a line.
"""
import argparse
import json
import os

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier

NAMES = ("age workclass fnlwgt education education-num marital-status occupation relationship race sex capital-gain "
         "capital-loss hours-per-week native-country income").split()


def read(path, **options):
    table = pd.read_csv(path, header=None, names=NAMES, skipinitialspace=True, **options)
    table["income"] = table["income"].str.rstrip(".")
    return table


def encode(tables):
    """Numbers as they are, categories by alphabetical code, as one matrix each."""
    joined = pd.concat(tables, keys=range(len(tables)))
    for name in NAMES:
        if joined[name].dtype == object:
            joined[name] = joined[name].astype("category").cat.codes
    return [joined.loc[i].to_numpy(dtype=float) for i in range(len(tables))]


def detection(real, made, make, seeds):
    aucs = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        n = min(len(real), len(made))
        x = np.vstack([real[random.permutation(len(real))[:n]], made[random.permutation(len(made))[:n]]])
        y = np.repeat([0, 1], n)
        folds = StratifiedKFold(4, shuffle=True, random_state=seed)
        aucs.append(np.mean([roc_auc_score(y[test], make(seed).fit(x[train], y[train]).predict_proba(x[test])[:, 1])
                             for train, test in folds.split(x, y)]))
    return {"mean": float(np.mean(aucs)), "sd": float(np.std(aucs, ddof=1)) if seeds > 1 else 0.0}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--synthetic", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    train = read(os.path.join(arguments.data, "adult.data"), na_filter=False)
    test = read(os.path.join(arguments.data, "adult.test"), skiprows=1, na_filter=False)
    made = pd.read_csv(arguments.synthetic, na_filter=False)[NAMES]
    train, test, made = encode([train, test, made])

    def forest(seed):
        return RandomForestClassifier(100, random_state=seed, n_jobs=-1)

    def boosted(seed):
        return XGBClassifier(random_state=seed, n_jobs=2, tree_method="hist")

    for what, real in (("train", train), ("holdout", test)):
        for name, make in (("forest", forest), ("boosted", boosted)):
            print(json.dumps({"figure": f"{name}_detection_{what}", **detection(real, made, make, arguments.seeds)}),
                  flush=True)
    ratios = []
    for seed in range(arguments.seeds):
        auc = [roc_auc_score(test[:, -1], forest(seed).fit(t[:, :-1], t[:, -1]).predict_proba(test[:, :-1])[:, 1])
               for t in (train, made)]
        ratios.append(auc[1] / auc[0])
    print(json.dumps({"figure": "efficacy", "mean": float(np.mean(ratios)), "seeds": arguments.seeds}))


main()
