#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scikit-learn's forests say of the Adult table, for comparison with rowsmith's.

usage: sklearn_reference.py FOLDER      (with adult.data and adult.test)
Prints one JSON object:
  auc_real   forest trained on adult.data, tested on adult.test, target income, positive >50K
  same       detection of adult.test against adult.data: rows of one source
  shuffled   detection of adult.data with every column shuffled on its own against adult.data
Forests have 100 trees and scikit-learn's defaults; categories are ordinal codes in alphabetical order. Detection
is the mean AUC over 4 stratified folds of a mix of as many rows of each. Exits with 77 without scikit-learn.
"""
import json
import os
import sys

try:
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
except ImportError:
    sys.exit(77)

NAMES = ("age workclass fnlwgt education education-num marital-status occupation relationship race sex "
         "capital-gain capital-loss hours-per-week native-country income").split()


def read(folder, name, comments):
    table = pd.read_csv(os.path.join(folder, name), names=NAMES, skipinitialspace=True, skiprows=comments)
    table["income"] = table["income"].str.rstrip(".")
    return table


def encode(*tables):
    """Ordinal codes of the union of the categories; '?' is the missing value, before all others."""
    result = [table.copy() for table in tables]
    for name in NAMES:
        if tables[0][name].dtype == object:
            texts = sorted(set().union(*(table[name] for table in tables)) - {"?"})
            codes = {text: code for code, text in enumerate(texts)} | {"?": -1}
            for table in result:
                table[name] = table[name].map(codes)
    return [table.to_numpy(dtype=float) for table in result]


def forest(seed):
    return RandomForestClassifier(100, random_state=seed, n_jobs=-1)


def detection(real, other):
    a, b = encode(real, other)
    n = min(len(a), len(b))
    random = np.random.default_rng(0)
    x = np.vstack([a[random.permutation(len(a))[:n]], b[random.permutation(len(b))[:n]]])
    y = np.repeat([0, 1], n)
    aucs = []
    for train, test in StratifiedKFold(4, shuffle=True, random_state=0).split(x, y):
        aucs.append(roc_auc_score(y[test], forest(0).fit(x[train], y[train]).predict_proba(x[test])[:, 1]))
    return float(np.mean(aucs))


def main(folder):
    train, test = read(folder, "adult.data", 0), read(folder, "adult.test", 1)
    a, b = encode(train, test)
    model = forest(0).fit(a[:, :-1], a[:, -1])
    random = np.random.default_rng(1)
    shuffled = train.apply(lambda column: random.permutation(column.to_numpy()))
    print(json.dumps({"auc_real": float(roc_auc_score(b[:, -1], model.predict_proba(b[:, :-1])[:, 1])),
                      "same": detection(train, test), "shuffled": detection(train, shuffled)}))


main(sys.argv[1])
