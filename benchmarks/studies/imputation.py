#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How well missing cells are filled: against the mean or mode of each column, and a random forest a column.

  cmake --preset release && cmake --build --preset release --target rowsmith_program
  benchmarks/studies/imputation.py --train adult.train.csv --unseen adult.unseen.csv --label income

A model is fitted to the training rows. A share of the cells of unseen rows, drawn at random, is taken away and filled:
by `sample --where-file --expect` (the best guess), by `sample --where-file` (a draw), by the training rows' mean or most
frequent category, and by a forest for each column (scikit-learn, 100 trees, fitted to the training rows' other columns),
which sees other missing cells as mean or mode first and then, for three rounds, as the forests filled them (missForest,
Stekhoven & Buehlmann 2012, fitted to complete rows).

Told are, over the cells that were taken away, the mean over numerical columns of the root mean squared error in standard
deviations of the column, the mean over categorical ones of the share of wrong cells, each with the standard deviation of
the difference to the forest's over bootstrapped rows; and the AUC with which XGBoost tells completed rows from other
unseen ones (.5: not at all).
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import confirm_tables as judge  # noqa: E402: from the folder above


def mean_or_mode(train, name, categorical):
    return train[name].mode().iloc[0] if name in categorical else train[name].mean()


def simple(train, holed, holes, categorical):
    filled = holed.copy()
    for name in filled.columns:
        filled.loc[holes[name], name] = mean_or_mode(train, name, categorical)
    return filled


def forests(train, holed, holes, categorical, seed):
    """missForest with forests of the training rows."""
    def features(table, without):
        parts = []
        for name in table.columns:
            if name == without:
                continue
            if name not in categorical:
                parts.append(table[[name]].fillna(train[name].mean()))
                continue
            levels = train[name].fillna("").astype(str).value_counts().index
            values = pd.Categorical(table[name].fillna("").astype(str), categories=levels)
            if len(levels) <= 20:
                parts.append(pd.get_dummies(pd.Series(values, index=table.index), prefix=name))
            else:  # by frequency
                parts.append(pd.Series(values.codes, index=table.index, name=name))
        return pd.concat(parts, axis=1).to_numpy(dtype=np.float32)

    models = {}
    for name in train.columns:
        if not holes[name].any():
            continue
        rows = train[train[name].notna()]
        kind = RandomForestClassifier if name in categorical else RandomForestRegressor
        models[name] = kind(100, min_samples_leaf=2, max_features="sqrt" if name in categorical else 1 / 3, n_jobs=-1,
                            random_state=seed)
        models[name].fit(features(rows, name), rows[name])
    filled = simple(train, holed, holes, categorical)
    for _ in range(3):
        before = filled.copy()
        for name, model in models.items():
            filled.loc[holes[name], name] = model.predict(features(before[holes[name]], name))
    return filled


def errors(real, filled, holes, categorical, rows):
    """(mean over numerical columns, mean over categorical ones), of some rows, with repetition."""
    numbers, texts = [], []
    for name in real.columns:
        at = rows[holes[name].to_numpy()[rows]]
        if len(at) < 10:
            continue
        true, guess = real[name].to_numpy()[at], filled[name].to_numpy()[at]
        if name in categorical:
            texts.append(np.mean(true.astype(str) != guess.astype(str)))
        elif np.std(true.astype(float)) > 0:
            numbers.append(np.sqrt(np.mean((true.astype(float) - guess.astype(float)) ** 2)) / real[name].std())
    return np.mean(numbers) if numbers else np.nan, np.mean(texts) if texts else np.nan


def add_figures(path, name, lines):
    """A panel for the errors in numbers, one for those in categories and one for how completed rows are told."""
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"columns": 3, "panels": []}
    share = lines[0]["share"]
    titles = {"numbers": "error of numbers, sd", "categories": "wrong categories", "told apart": "told from real rows, AUC"}
    for figure, title in titles.items():
        told["panels"].append({"title": f"{name}: {title}", "rows": [
            {"name": line["way"], "value": line[figure], "ours": line["way"].startswith("rowsmith")}
            for line in lines if line["share"] == share]})
    path.write_text(json.dumps(told), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/rowsmith")
    parser.add_argument("--train", required=True)
    parser.add_argument("--unseen", required=True)
    parser.add_argument("--label", default="")
    parser.add_argument("--model", help="already fitted to the training rows")
    parser.add_argument("--rows", type=int, default=3000, help="unseen rows to take cells from")
    parser.add_argument("--train-rows", type=int, default=30000, help="that forests are fitted to, at most")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.3])
    parser.add_argument("--name", default="", help="of the table, for the picture")
    parser.add_argument("--figures", help="a file for the figures, to be drawn by draw_figures.py; they are added to those there")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, unseen, categorical = judge.read_pair(options.train, options.unseen)
    random = np.random.default_rng(options.seed)
    order = random.permutation(len(unseen))
    real = unseen.iloc[order[:options.rows]].reset_index(drop=True)
    others = unseen.iloc[order[options.rows:2 * options.rows]].reset_index(drop=True)
    some = train.sample(min(options.train_rows, len(train)), random_state=options.seed)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or f"{folder}/model"
        if not options.model:
            label = ["--label", options.label] if options.label else []
            subprocess.run([options.program, "fit", options.train, "-o", model, "--quiet", "--seed", str(options.seed),
                            *label], check=True)
        for share in options.shares:
            holes = pd.DataFrame({name: (random.random(len(real)) < share) & real[name].notna() for name in real.columns})
            holed = real.mask(holes)
            holed.to_csv(f"{folder}/holed.csv", index=False)

            def ours(*more):
                subprocess.run([options.program, "sample", model, "--where-file", f"{folder}/holed.csv", "--quiet",
                                "--seed", str(options.seed), "-o", f"{folder}/filled.csv", *more], check=True)
                return judge.read(f"{folder}/filled.csv", categorical)

            ways = {"mean or mode": lambda: simple(train, holed, holes, categorical),
                    "forest a column": lambda: forests(some, holed, holes, categorical, options.seed),
                    "rowsmith --expect": lambda: ours("--expect"),
                    "rowsmith, a draw": ours}
            filled, seconds = {}, {}
            for way, fill in ways.items():
                begin = time.monotonic()
                filled[way] = fill()
                seconds[way] = time.monotonic() - begin
            all_rows = np.arange(len(real))
            draws = [random.integers(len(real), size=len(real)) for _ in range(200)]
            spread = {way: np.nanstd([np.subtract(errors(real, filled[way], holes, categorical, rows),
                                                  errors(real, filled["forest a column"], holes, categorical, rows))
                                      for rows in draws], axis=0) for way in ways}
            for way in ways:
                numbers, texts = errors(real, filled[way], holes, categorical, all_rows)
                told = {"share": share, "way": way, "numbers": round(numbers, 3), "categories": round(texts, 3),
                        "sd of the difference to the forest": [round(float(x), 4) for x in spread[way]],
                        "told apart": round(judge.detection(others, filled[way], categorical, 10_000, options.seed), 3),
                        "seconds": round(seconds[way], 1)}
                lines.append(told)
                print(json.dumps(told), flush=True)
    if options.figures:
        add_figures(pathlib.Path(options.figures), options.name, lines)


if __name__ == "__main__":
    main()
