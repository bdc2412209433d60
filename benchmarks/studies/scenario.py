#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Scenarios: how near rows that were asked for are to unseen ones, and whether what-if pairs tell what unseen rows do.

  cmake --preset release && cmake --build --preset release --target rowsmith_program scenario
  benchmarks/studies/scenario.py --train adult.train.csv --unseen adult.unseen.csv --label income \\
    --scenario 'sex = Female; age >= 60' --scenario 'workclass = Self-emp-not-inc; occupation = Craft-repair'

A model is fitted to the training rows. For each scenario (conditions with semicolons between) the program tells support
and detection. Then questions are drawn: a categorical column is changed from one of its frequent categories to another,
and two others are kept. Told are, for every other column (numbers in standard deviations, categories as the share of the
most frequent one), the change from unseen rows, by strata of the kept columns (those with enough rows of both kinds,
weighted by the unseen rows that have the first category), and the same from training rows, from pairs, and from pairs
without what is kept. The error of each is its root mean squared difference to the unseen rows' change, over all questions
and columns; the training rows' is what chance leaves, so that no model can be far below it. Intervals are from
questions that are drawn again (bootstrap).

How alike pairs are is told for three ways: `what_if`, two samples of one seed under the two conditions (common random
numbers), and rows of other seeds: the share of drawn cells that are the same, and how wide an interval of the mean
change is against that of unpaired rows. --figures writes what draw_figures.py draws.
"""
import argparse
import json
import pathlib
import re
import subprocess
import tempfile

import numpy as np
import pandas as pd

MISSING = ["?", "", "NA"]  # as rowsmith::CsvOptions has them


def read(path, texts):
    table = pd.read_csv(path, keep_default_na=False, na_values=MISSING, dtype={name: str for name in texts})
    return table.assign(**{name: table[name].fillna("(missing)") for name in texts})


def by_strata(first, second, keep, value, weights):
    """Mean of value in `second` without that in `first`, over strata of `keep`. \\param weights  of strata"""
    if not keep:
        return value(second).mean() - value(first).mean()
    a = value(first).groupby([first[name] for name in keep]).mean()
    b = value(second).groupby([second[name] for name in keep]).mean()
    both = (b - a).reindex(weights.index)
    there = both.notna()
    return float((both[there] * weights[there]).sum() / weights[there].sum()) if there.any() else np.nan


def interval(errors, random, pick):
    """Of root mean squared errors, by questions drawn again."""
    values = [pick(errors[random.integers(len(errors), size=len(errors))]) for _ in range(1000)]
    return np.percentile(values, [2.5, 97.5])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default="build/release/bin", help="folder of rowsmith and scenario")
    parser.add_argument("--train", required=True)
    parser.add_argument("--unseen", required=True)
    parser.add_argument("--label", default="")
    parser.add_argument("--model", help="already fitted to the training rows")
    parser.add_argument("--scenario", action="append", default=[])
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--stratum", type=int, default=10, help="least unseen rows of both kinds in a stratum")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--figures", help="file to write")
    options = parser.parse_args()
    rowsmith, scenario = (str(pathlib.Path(options.programs) / name) for name in ("rowsmith", "scenario"))
    first = pd.read_csv(options.train, keep_default_na=False, na_values=MISSING)
    texts = [name for name in first.columns if not pd.api.types.is_numeric_dtype(first[name])]
    train, unseen = read(options.train, texts), read(options.unseen, texts)
    random = np.random.default_rng(options.seed)
    questions, alike, detected = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or f"{folder}/model"
        if not options.model:
            label = ["--label", options.label] if options.label else []
            subprocess.run([rowsmith, "fit", options.train, "-o", model, "--quiet", "--seed", str(options.seed), *label],
                           check=True)

        def asked(*words):
            return subprocess.run([scenario, "--model", model, "--seed", str(options.seed), *words], check=True,
                                  capture_output=True, text=True).stdout

        for text in options.scenario:
            where = [word for one in text.split(";") for word in ("--where", one.strip())]
            told = asked("-n", "500", "--holdout", options.unseen, *where)
            line = {"scenario": text}
            share, candidates, effective = re.search(
                r"about (\S+) of the model.*from (\S+) candidates, of which (\S+) count", told).groups()
            line.update(share=float(share), candidates=int(candidates), effective=float(effective),
                        unseen=int(re.search(r"(\d+) held-out rows", told).group(1)))
            if auc := re.search(r"with AUC (\S+)", told):
                line["auc"] = float(auc.group(1))
                detected.append(line)
            print(json.dumps(line), flush=True)

        tried = 0
        while len(questions) < options.questions and tried < 20 * options.questions:
            tried += 1
            names = list(random.permutation(texts))
            changed, keep = names[0], names[1:3]
            frequent = [value for value in train[changed].value_counts().index[:4] if value != "(missing)"]
            if len(frequent) < 2:
                continue
            old, new = random.permutation(frequent)[:2]

            def of(table, value, changed=changed):
                return table[table[changed] == value]

            sizes = pd.concat([of(unseen, value).groupby(keep).size() for value in (old, new)], axis=1).min(axis=1)
            weights = of(unseen, old).groupby(keep).size()[lambda n: sizes.reindex(n.index).fillna(0) >= options.stratum]
            if weights.sum() < 300:  # a relation leaves hardly any stratum: husbands are men
                continue
            words = ["-n", str(options.pairs), "--where", f"{changed} = {old}", "--change", f"{changed} = {new}"]
            asked(*words, "--keep", ",".join(keep), "-o", f"{folder}/kept")
            asked(*words, "-o", f"{folder}/all")
            before, after = (read(f"{folder}/kept.{part}.csv", texts) for part in ("before", "after"))
            before_all, after_all = (read(f"{folder}/all.{part}.csv", texts) for part in ("before", "after"))
            line = {"change": f"{changed}: {old} -> {new}", "keep": keep, "columns": {}}
            for name in train.columns:
                if name == changed or name in keep:
                    continue
                if name in texts:
                    most = train[name].mode().iloc[0]
                    value = lambda table, name=name, most=most: (table[name] == most).astype(float)
                else:
                    value = lambda table, name=name: table[name] / train[name].std()
                line["columns"][name] = {
                    "unseen": by_strata(of(unseen, old), of(unseen, new), keep, value, weights),
                    "train": by_strata(of(train, old), of(train, new), keep, value, weights),
                    "pairs": by_strata(before, after, keep, value, weights),
                    "pairs, nothing kept": by_strata(before_all, after_all, [], value, weights)}
            questions.append(line)
            print(json.dumps(line), flush=True)

            # How alike: drawn cells of pairs, of two samples of one seed, and of rows of other seeds.
            def sampled(value, seed, changed=changed):
                subprocess.run([rowsmith, "sample", model, "-n", str(options.pairs), "--plain", "--seed", str(seed),
                                "--where", f"{changed} = {value}", "-o", f"{folder}/rows.csv"], check=True,
                               stderr=subprocess.DEVNULL)
                return read(f"{folder}/rows.csv", texts)

            drawn = [name for name in train.columns if name != changed]
            old_rows, new_rows, others = (sampled(old, options.seed), sampled(new, options.seed),
                                          sampled(new, options.seed + 1))
            told = {}
            for way, (one, two) in {"what_if": (before_all, after_all), "one seed": (old_rows, new_rows),
                                    "other seeds": (old_rows, others)}.items():
                widths = [np.sqrt((two[name] - one[name]).var() / (one[name].var() + two[name].var()))
                          for name in drawn if name not in texts and one[name].var() > 0]
                told[way] = {"same": float((one[drawn].to_numpy() == two[drawn].to_numpy()).mean()),
                             "width": float(np.mean(widths))}
            alike.append(told)

    def errors(way):
        return np.array([[line["columns"][name][way] - line["columns"][name]["unseen"] for name in line["columns"]]
                         for line in questions])

    def size(some):
        return float(np.sqrt(np.nanmean(some ** 2)))

    nothing = np.array([[cell["unseen"] for cell in line["columns"].values()] for line in questions])
    panels = [{"title": "error of the change, sd", "mark": 0, "rows": []}]
    for way, of_way in {"training rows": errors("train"), "pairs": errors("pairs"),
                        "pairs, nothing kept": errors("pairs, nothing kept"), "no change": nothing}.items():
        low, high = interval(of_way, random, size)
        panels[0]["rows"].append({"name": way, "value": size(of_way), "low": low, "high": high, "ours": way == "pairs"})
        print(f"{way}: error {size(of_way):.3f} [{low:.3f}, {high:.3f}]")
    for key, title in {"same": "share of drawn cells alike", "width": "width of intervals, unpaired: 1"}.items():
        rows = []
        for way in ("what_if", "one seed", "other seeds"):
            values = np.array([told[way][key] for told in alike])
            low, high = interval(values, random, np.mean)
            rows.append({"name": way, "value": float(values.mean()), "low": low, "high": high, "ours": way == "what_if"})
            print(f"{way}: {title} {values.mean():.3f} [{low:.3f}, {high:.3f}]")
        panels.append({"title": title, "rows": rows})
    if detected:
        panels.append({"title": "detection, unseen rows (AUC)", "mark": 0.5,
                       "rows": [{"name": line["scenario"][:24], "value": line["auc"], "ours": True} for line in detected]})
    print(f"{len(questions)} questions, {options.pairs} pairs each, seed {options.seed}")
    if options.figures:
        pathlib.Path(options.figures).write_text(json.dumps({"panels": panels}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
