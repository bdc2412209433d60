#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Detection and efficacy of synthetic rows from the CSV alone, by XGBoost: a line of JSON a run.

usage: confirm_tables.py MANIFEST.jsonl [--judged-rows 10000]
The manifest is that of `bench_tables --out`: a line of JSON a run, with table, target, task and the three files. Needs
pandas, scikit-learn and xgboost (Debian: python3-pandas python3-sklearn python3-xgboost).

Numbers stay numbers; a category becomes a column for each of its values if there are at most 60 of them in the two
tables that are judged together, else one number: the place of the value among all by how often these tables have it.
XGBoost with its default options and tree_method hist, one thread.
"""
import argparse
import json
import os

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier, XGBRegressor

MOST_COLUMNS = 60  # for one category
MISSING = ["?", "", "NA"]  # as rowsmith::CsvOptions has them


def read(path, categorical):
    return pd.read_csv(path, keep_default_na=False, na_values=MISSING, dtype={name: str for name in categorical})


def read_pair(train, unseen):
    """Training rows, unseen rows, and which of their columns are categories."""
    first = pd.read_csv(train, keep_default_na=False, na_values=MISSING)
    categorical = [name for name in first.columns
                   if pd.api.types.is_bool_dtype(first[name]) or not pd.api.types.is_numeric_dtype(first[name])]
    return read(train, categorical), read(unseen, categorical), categorical


def encode(tables, categorical, skip=None):
    """One matrix a table; all tables count alike for the places of values."""
    parts = [[] for _ in tables]
    for name in tables[0].columns:
        if name == skip:
            continue
        columns = [table[name] for table in tables]
        if name in categorical:
            columns = [column.fillna("(missing)") for column in columns]
            counts = pd.concat(columns).value_counts()
            values = sorted(counts.index, key=lambda value: (-counts[value], value))
            place = {value: i for i, value in enumerate(values)}
            columns = [column.map(place).to_numpy() for column in columns]
            if len(values) <= MOST_COLUMNS:
                columns = [np.eye(len(values), dtype=np.float32)[column] for column in columns]
        for part, column in zip(parts, columns):
            part.append(np.asarray(column, dtype=np.float32).reshape(len(column), -1))
    return [np.hstack(part) for part in parts]


def detection(real, made, categorical, most, seed):
    random = np.random.default_rng(seed)
    n = min(len(real), len(made), most)
    x = np.vstack(encode([table.iloc[random.permutation(len(table))[:n]] for table in (real, made)], categorical))
    y = np.repeat([0, 1], n)
    aucs = []
    for train, test in StratifiedKFold(4, shuffle=True, random_state=seed).split(x, y):
        model = XGBClassifier(tree_method="hist", n_jobs=1, random_state=seed).fit(x[train], y[train])
        aucs.append(roc_auc_score(y[test], model.predict_proba(x[test])[:, 1]))
    return float(np.mean(aucs))


def class_auc(x, y, test_x, test_y, seed):
    """Macro one-vs-rest over the classes of the test rows if there are more than two."""
    classes = sorted(set(test_y))
    known = sorted(set(y))  # of synthetic rows some may be missing
    if len(known) < 2:
        return 0.5
    model = XGBClassifier(tree_method="hist", n_jobs=1, random_state=seed).fit(x, np.searchsorted(known, y))
    probability = dict(zip(known, model.predict_proba(test_x).T))
    none = np.zeros(len(test_y))
    aucs = [roc_auc_score(test_y == name, probability.get(name, none)) for name in classes]
    return float(aucs[0] if len(classes) == 2 else np.mean(aucs))


def regression_errors(x, y, test_x, test_y, seed):
    """Root mean squared errors in standard deviations of the test rows' target, and of the logarithm of the target
    brought into [1, 20000]. The latter is what TabSyn's program measures (eval/mle/mle.py), after which the published
    figures are made."""
    def error(y, test_y):
        model = XGBRegressor(tree_method="hist", n_jobs=1, random_state=seed).fit(x, y)
        return float(np.sqrt(np.mean((model.predict(test_x) - test_y) ** 2)))

    def log(values):
        return np.log(np.clip(values, 1, 20000))

    return {"rmse": error(y, test_y) / float(np.std(test_y)), "rmse_log": error(log(y), log(test_y))}


def efficacy(source, unseen, run):
    """Of a model trained on one table and tested on the other."""
    target = run["target"]
    tables = [source, unseen]
    if run["task"] == "regression":
        tables = [table[table[target].notna()] for table in tables]
    x, test_x = encode(tables, run["categorical"], skip=target)
    if run["task"] == "regression":
        y, test_y = (table[target].to_numpy(float) for table in tables)
        return regression_errors(x, y, test_x, test_y, run["seed"])
    y, test_y = (table[target].fillna("(missing)").to_numpy(str) for table in tables)
    return {"auc": class_auc(x, y, test_x, test_y, run["seed"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest")
    parser.add_argument("--judged-rows", type=int, default=10000,
                        help="of each table in detection; more are sampled (default: %(default)s)")
    options = parser.parse_args()
    folder = os.path.dirname(options.manifest)
    real_figures = {}  # by table and seed: they have no synthetic rows in them
    with open(options.manifest, encoding="utf-8") as lines:
        runs = [json.loads(line) for line in lines]
    for run in runs:
        train, unseen, made = (read(os.path.join(folder, run[part]), run["categorical"])
                               for part in ("train", "unseen", "synthetic"))

        def told(real, other):
            return detection(real, other, run["categorical"], options.judged_rows, run["seed"])

        key = run["table"], run["seed"]
        if key not in real_figures:
            figures = {f"xgboost_{name}_real": value for name, value in efficacy(train, unseen, run).items()}
            real_figures[key] = {"xgboost_base_detection": told(train, unseen), **figures}
        figures = {"xgboost_detection_train": told(train, made), "xgboost_detection_unseen": told(unseen, made)}
        figures.update({f"xgboost_{name}_synthetic": value for name, value in efficacy(made, unseen, run).items()})
        print(json.dumps({**{name: run[name] for name in ("table", "seed", "recipe")}, **figures, **real_figures[key]}),
              flush=True)


if __name__ == "__main__":
    main()
