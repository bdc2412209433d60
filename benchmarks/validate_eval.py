#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares rowsmith's evaluation with scikit-learn and xgboost, and prints tables with a mark for each figure.

  cmake --preset release && cmake --build --preset release --target bench_forest rowsmith_program
  ADULT_DIR=FOLDER benchmarks/validate_eval.py [--sections forests measures]

The folder holds adult.data and adult.test of the UCI repository. Each section is a function that takes the options
and returns figures; add it to SECTIONS. Times mean something only with nothing else on the machine: both sides run
in turns, a figure is the median of the rounds. Exits with 1 if any figure falls short, 77 without the packages.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple, Optional

try:
    import numpy as np
    import pandas as pd
    import sklearn
    import xgboost
    from scipy.stats import ks_2samp
    from scipy.stats.contingency import association
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score, roc_auc_score
    from sklearn.model_selection import StratifiedKFold
except ImportError as error:
    print(f"validate_eval: {error} (Debian: python3-sklearn python3-pandas python3-xgboost)", file=sys.stderr)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = ("age workclass fnlwgt education education-num marital-status occupation relationship race sex "
         "capital-gain capital-loss hours-per-week native-country income").split()


class Figure(NamedTuple):
    name: str
    value: float
    target: Optional[float]  # None: for information
    stretch: Optional[float] = None
    more: bool = True  # more is better

    def mark(self):
        if self.target is None:
            return ""
        reached = lambda bound: self.value >= bound if self.more else self.value <= bound
        return "stretch" if self.stretch is not None and reached(self.stretch) else "pass" if reached(self.target) \
            else "short"


def print_table(title, figures):
    print(f"\n{title}\n\n| figure | measured | target | stretch | |\n|---|---|---|---|---|")
    for figure in figures:
        sign = "≥" if figure.more else "≤"
        show = lambda bound: "" if bound is None else f"{sign} {bound:g}"
        print(f"| {figure.name} | {figure.value:.4g} | {show(figure.target)} | {show(figure.stretch)} "
              f"| {figure.mark()} |", flush=True)


# ---- Adult -------------------------------------------------------------------------------------------------


def read_adult(folder, name, comments):
    table = pd.read_csv(os.path.join(folder, name), names=NAMES, skipinitialspace=True, skiprows=comments)
    table["income"] = table["income"].str.rstrip(".")
    return table


def encode(*tables):
    """Ordinal codes in alphabetical order of the union of the categories; NaN for '?', the missing value."""
    result = [table.copy() for table in tables]
    for name in NAMES:
        if tables[0][name].dtype == object:
            texts = sorted(set().union(*(table[name] for table in tables)) - {"?"})
            codes = {text: code for code, text in enumerate(texts)}
            for table in result:
                table[name] = table[name].map(codes)
    return [table.to_numpy(dtype=float) for table in result]


def synthetic_tables(source):
    """Three tables of different quality, made from the rows of `source`, as many of them."""
    random = np.random.default_rng(1)
    n = len(source)
    # Permuted, not drawn: repeated values of a nearly unique column would tell a table by themselves.
    draw = lambda column: random.permutation(column.to_numpy())
    columns_apart = source.apply(draw)
    replaced = source.apply(lambda column: pd.Series(
        np.where(random.random(n) < 0.15, draw(column), column.to_numpy())))
    # The left half of one row and the right half of another of the same income.
    by_income = source.groupby("income").indices
    halves = source.copy()
    partner = np.empty(n, dtype=int)
    for rows in by_income.values():
        partner[rows] = random.permutation(rows)
    for name in NAMES[7:-1]:
        halves[name] = source[name].to_numpy()[partner]
    return {"columns shuffled apart": columns_apart, "15 % of the cells replaced": replaced,
            "halves of rows joined": halves}


# ---- forests and boosted trees -------------------------------------------------------------------------------


def write_matrix(path, x, y):
    with open(path, "wb") as out:
        np.array([len(x), x.shape[1] + 1], dtype=np.uint64).tofile(out)
        np.asfortranarray(np.column_stack([x, y])).T.astype(float).tofile(out)


def ours(options, what, train, test=None, threads=0, seed=0, repeats=1):
    words = [options.bench, "--what", what, "--train", train, "--threads", str(threads or options.threads),
             "--repeats", str(repeats), "--seed", str(seed)] + (["--test", test] if test else [])
    run = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return [line for line in lines if line["what"] == what][-1], lines[0]


def reference(what, train, test, threads, seed=0):
    """{fit_s, predict_s, auc} of scikit-learn's forest or of xgboost. scikit-learn's wants numbers for NaN."""
    if what == "forest":
        train, test = [(np.where(np.isnan(x), -1, x), y) for x, y in (train, test)]
        model = RandomForestClassifier(100, random_state=seed, n_jobs=threads)
    else:
        model = xgboost.XGBClassifier(n_estimators=100, max_depth=6, tree_method="hist", n_jobs=threads)
    start = time.perf_counter()
    model.fit(*train)
    fit = time.perf_counter() - start
    start = time.perf_counter()
    probability = model.predict_proba(test[0])[:, 1]
    return {"fit_s": fit, "predict_s": time.perf_counter() - start, "auc": roc_auc_score(test[1], probability)}


def forests(options):
    """Times of forests and boosted trees, and their AUCs on real Adult and on three detection tasks."""
    if not os.path.exists(options.bench):
        sys.exit(f"validate_eval: {options.bench} does not exist; build the target bench_forest")
    train, test = read_adult(options.adult, "adult.data", 0), read_adult(options.adult, "adult.test", 1)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        def mix(real, table):
            a, b = encode(real, table)
            return np.vstack([a, b]), np.repeat([0, 1], [len(a), len(b)])

        def compare(name, tasks):
            """Mean AUCs over tasks of (train, test), forests also over seeds."""
            for what, other in (("forest", "scikit-learn"), ("boosting", "xgboost")):
                mine, theirs = [], []
                for i, (a, b) in enumerate(tasks):
                    write_matrix(path("a"), *a)
                    write_matrix(path("b"), *b)
                    for seed in range(options.seeds if what == "forest" else 1):
                        mine.append(ours(options, what, path("a"), path("b"), seed=seed)[0]["auc"])
                        theirs.append(reference(what, a, b, options.threads, seed)["auc"])
                    print(f"  {name}, {what} {i + 1}/{len(tasks)}: ours {mine[-1]:.5f}, {other} {theirs[-1]:.5f}",
                          file=sys.stderr)
                difference = statistics.mean(mine) - statistics.mean(theirs)
                figures.append(Figure(f"{what}, {name}: AUC {statistics.mean(mine):.4f}, {other} "
                                      f"{statistics.mean(theirs):.4f}, difference", abs(difference), 0.005, 0.002,
                                      more=False))

        a, b = encode(train, test)
        compare("real Adult", [((a[:, :-1], a[:, -1]), (b[:, :-1], b[:, -1]))])
        # Synthetic rows are made from other rows than they are compared with: near copies of a row in another fold
        # would teach the wrong label.
        everything = pd.concat([train, test]).sample(frac=1, random_state=0).reset_index(drop=True)
        half = len(everything) // 2
        for name, table in synthetic_tables(everything[half:].reset_index(drop=True)).items():
            x, y = mix(everything[:half], table)
            folds = list(StratifiedKFold(4, shuffle=True, random_state=0).split(x, y))[:options.folds]
            compare(name, [((x[i], y[i]), (x[j], y[j])) for i, j in folds])

        # The hardest to tell apart: the deepest trees.
        x, y = mix(train, synthetic_tables(train)["15 % of the cells replaced"])
        write_matrix(path("a"), x, y)
        times = {"forest": [], "boosting": []}
        for i in range(options.rounds):
            for what in times:
                # A new process has all its memory to ask for; the other side has done that in earlier rounds.
                mine, machine = ours(options, what, path("a"), repeats=2)
                times[what].append((mine, reference(what, (x, y), (x, y), options.threads)))
        seconds = lambda what, side: statistics.median(t[side]["fit_s"] + t[side]["predict_s"] for t in times[what])
        for what, other, target, stretch in (("forest", "scikit-learn", 5, 10), ("boosting", "xgboost", 1, 2)):
            mine, theirs = seconds(what, 0), seconds(what, 1)
            figures.append(Figure(f"{what}, fit + predict {len(x)} rows, {options.threads} threads: "
                                  f"{other} {theirs:.2f} s / ours {mine:.2f} s", theirs / mine, target, stretch))
        print(f"{machine['processor']}, {os.cpu_count()} processors; {machine['compiler']}, {machine['flags']}; "
              f"scikit-learn {sklearn.__version__}, xgboost {xgboost.__version__}")
    return figures


# ---- measures ------------------------------------------------------------------------------------------------


def variation(a, b):
    """Total variation distance of two series of hashable values, a missing one being a value."""
    a, b = [x.value_counts(normalize=True, dropna=False) for x in (a, b)]
    return a.sub(b, fill_value=0).abs().sum() / 2


def association_of(table, a, b):
    x, y = table[a], table[b]
    numbers = [column.dtype != object for column in (x, y)]
    if all(numbers):
        return np.corrcoef(x, y)[0, 1]
    if not any(numbers):
        return association(pd.crosstab(x, y).to_numpy(), method="cramer")
    value, group = (x, y) if numbers[0] else (y, x)
    means = value.groupby(group).transform("mean")
    return np.sqrt(((means - value.mean()) ** 2).sum() / ((value - value.mean()) ** 2).sum())


def one_hot(unit, table):
    """Numbers by the range of `unit`'s, then one column a category of Adult."""
    parts = []
    for name in NAMES:
        if unit[name].dtype == object:
            parts.append(pd.get_dummies(pd.Categorical(table[name], categories=one_hot.categories[name])).to_numpy(float))
        else:
            low, high = unit[name].min(), unit[name].max()
            parts.append(((table[name] - low) / (high - low)).to_numpy(float)[:, None])
    return parts


def distances(unit, a, b, squared=False):
    """Rows of a × rows of b: Gower's distance, or the squared Euclidean one."""
    total = np.zeros((len(a), len(b)))
    for x, y in zip(one_hot(unit, a), one_hot(unit, b)):
        if x.shape[1] == 1:
            gap = np.abs(x - y.T)
            total += np.minimum(gap ** 2 if squared else gap, 1)
        else:
            total += (2 if squared else 1) * (1 - x @ y.T)
    return total


def support_of(real, made):
    """α-precision, β-recall and authenticity, as evaluated by Alaa et al. without an embedding."""
    to_real = np.sqrt(np.sort(distances(real, real, real, True).round(9), axis=1)[:, 1])
    cross = np.sqrt(distances(real, real, made, True).round(9))
    x, y = [np.hstack(one_hot(real, table)) for table in (real, made)]
    alphas = np.linspace(0, 1, 30)
    radius = lambda rows, centre: np.linalg.norm(rows - centre.mean(axis=0), axis=1)
    edges = np.quantile(radius(x, x), alphas)
    precision = [(radius(y, x) <= edge).mean() for edge in edges]
    closest = radius(y, y)[cross.argmin(axis=1)]
    near = cross.min(axis=1) <= to_real
    recall = [(near & (closest <= edge)).mean() for edge in np.quantile(closest, alphas)]
    score = lambda shares: 1 - np.abs(np.array(shares) - alphas).sum() / alphas.sum()
    authentic = to_real[cross.argmin(axis=0)] < cross.min(axis=0)
    return score(precision), score(recall), authentic.mean()


def linear_efficacy(train, test):
    parts = []
    both = pd.concat([train, test])
    for name in NAMES[:-1]:
        column = both[name]
        parts.append(pd.get_dummies(column).to_numpy(float) if column.dtype == object
                     else ((column - column.mean()) / column.std(ddof=0)).to_numpy()[:, None])
    x, y = np.hstack(parts), (both["income"] == ">50K").to_numpy()
    model = LogisticRegression(C=1, tol=1e-10, max_iter=10000).fit(x[:len(train)], y[:len(train)])
    probability = model.predict_proba(x[len(train):])[:, 1]
    return roc_auc_score(y[len(train):], probability), f1_score(y[len(train):], probability > 0.5)


def measures(options):
    """Closed-form measures of 4,000 rows of each table, by numpy, pandas and SciPy."""
    if not os.path.exists(options.program):
        sys.exit(f"validate_eval: {options.program} does not exist; build the target rowsmith_program")
    adult = read_adult(options.adult, "adult.data", 0)
    rows = 4000
    train, holdout = adult.iloc[:rows].reset_index(drop=True), adult.iloc[rows:2 * rows].reset_index(drop=True)
    made = synthetic_tables(train)["15 % of the cells replaced"]
    made.iloc[:200] = train.iloc[:200]  # exact copies
    one_hot.categories = {name: sorted(set(adult[name])) for name in NAMES if adult[name].dtype == object}
    with tempfile.TemporaryDirectory() as folder:
        words = [options.program, "evaluate", "--quick", "--quiet", "--target", "income",
                 "--json", os.path.join(folder, "report.json")]
        for name, table in (("train", train), ("holdout", holdout), ("synthetic", made)):
            table.to_csv(os.path.join(folder, name), index=False)
            words += ["--" + name, os.path.join(folder, name)]
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        with open(os.path.join(folder, "report.json")) as file:
            report = json.load(file)
    figures = []

    def compare(name, pairs, target):
        worst = max(abs(a - b) for a, b in pairs)
        figures.append(Figure(f"{name}: largest difference of {len(pairs)}", worst, target, more=False))

    numerical = [name for name in NAMES if train[name].dtype != object]
    shape = lambda a, b, name: ks_2samp(a[name], b[name]).statistic if name in numerical else variation(a[name], b[name])
    for key, other in (("shapes", made), ("ideal", holdout)):
        columns = (report if key == "shapes" else report["ideal"])["shapes"]["columns"]
        compare(f"column shapes, {'synthetic' if key == 'shapes' else 'real'}",
                [(columns[name]["value"], shape(train, other, name)) for name in NAMES], 1e-9)

    def trend(a, b):
        if a in numerical and b in numerical:
            return abs(np.corrcoef(train[a], train[b])[0, 1] - np.corrcoef(made[a], made[b])[0, 1]) / 2
        joint = []
        for table in (train, made):
            parts = [np.digitize(table[c], np.histogram_bin_edges(train[c], 10)) if c in numerical else table[c]
                     for c in (a, b)]
            joint.append(pd.Series(list(zip(*parts))))
        return variation(*joint)

    compare("pair trends", [(pair["value"], trend(pair["first"], pair["second"]))
                            for pair in report["trends"]["pairs"]], 1e-9)
    for side, table in (("real", train), ("synthetic", made)):
        mine = np.array(report["associations"][side]).reshape(len(NAMES), -1)
        compare(f"associations, {side}", [(mine[i, j], association_of(table, a, b)) for i, a in enumerate(NAMES)
                                          for j, b in enumerate(NAMES) if i < j], 1e-9)
    keys = [set(map(tuple, table.astype(str).to_numpy())) for table in (train, holdout)]
    among = lambda table: sum(row in keys[0] for row in map(tuple, table.astype(str).to_numpy()))
    distinct = set(map(tuple, made.astype(str).to_numpy()))
    copies = report["copies"]
    compare("exact copies", [(copies["copies"], among(made)), (copies["holdout_copies"], among(holdout)),
                             (copies["only_in_training"], len(distinct & keys[0] - keys[1])),
                             (copies["only_in_holdout"], len(distinct & keys[1] - keys[0]))], 0)
    to_train, to_holdout = distances(train, made, train), distances(train, made, holdout)
    near = [part.min(axis=1).round(6) for part in (to_train, to_holdout)]
    compare("share nearer to training rows", [(report["distances"]["share"]["value"],
                                               (near[0] < near[1]).mean() + (near[0] == near[1]).mean() / 2)], 1e-3)
    quantiles = []
    for side, matrix in (("synthetic", to_train), ("holdout", distances(train, holdout, train))):
        first, second = np.sort(matrix, axis=1)[:, :2].T
        mine, at = report["distances"][side], report["distances"][side]["at"]
        ratio = np.where(second.round(6) == 0, 1, first / np.where(second == 0, 1, second))
        quantiles += zip(mine["distance"] + mine["ratio"], [*np.quantile(first, at), *np.quantile(ratio, at)])
    compare("quantiles of distances and their ratios (in single precision)", quantiles, 1e-5)
    for name, mine, other in (("synthetic", report["support"], made), ("real", report["ideal"]["support"], holdout)):
        compare(f"α-precision, β-recall, authenticity, {name}",
                list(zip([mine[key]["value"] for key in ("alpha_precision", "beta_recall", "authenticity")],
                         support_of(train, other))), 1e-3)
    linear = next(result for result in report["efficacy"] if result["classifier"] == "linear")
    auc_real, f1_real = linear_efficacy(train, holdout)
    auc_made, f1_made = linear_efficacy(made, holdout)
    compare("logistic regression, AUC and F1 beside scikit-learn's",
            [(linear["auc_real"]["mean"], auc_real), (linear["auc_synthetic"]["mean"], auc_made),
             (linear["f1_real"]["mean"], f1_real), (linear["f1_synthetic"]["mean"], f1_made)], 1e-5)
    return figures


SECTIONS = {"forests": forests, "measures": measures}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--adult", default=os.environ.get("ADULT_DIR"), help="default: $ADULT_DIR")
    parser.add_argument("--bench", default=str(ROOT / "build/release/bin/bench_forest"))
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/rowsmith"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3, help="of the times")
    parser.add_argument("--seeds", type=int, default=2, help="of the forests whose AUCs are compared")
    parser.add_argument("--folds", type=int, default=4, choices=range(1, 5), help="of the detection tasks, of 4")
    options = parser.parse_args()
    if not options.adult:
        sys.exit("validate_eval: ADULT_DIR does not name a folder with adult.data and adult.test")
    short = 0
    for name in options.sections:
        figures = SECTIONS[name](options)
        print_table(name, figures)
        short += sum(figure.mark() == "short" for figure in figures)
    sys.exit(1 if short else 0)


main()
