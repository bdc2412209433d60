# SPDX-License-Identifier: MIT
"""Generated rows are, to pandas, of the types that the table's columns are.

usage: pandas_types.py PROGRAM FOLDER
"""
import datetime
import os
import random
import subprocess
import sys

import pandas

program, folder = sys.argv[1:]
random.seed(1)
ROWS = 400


def digits(number, decimals, point=".", thousands=""):
    whole, _, rest = f"{number:.{decimals}f}".partition(".")
    groups = f"{int(whole):,}".replace(",", thousands) if thousands else whole
    return groups + (point + rest if rest else "")


def table(point, thousands):
    """Names and rows of texts: a column for each role and kind of number."""
    names = ["id", "whole", "nanoseconds", "price", "ratio", "gaps", "flag", "day", "at", "town", "zip", "note"]
    rows = []
    for i in range(ROWS):
        day = datetime.date(2020, 1, 1) + datetime.timedelta(days=random.randrange(900))
        at = datetime.datetime(2021, 5, 1) + datetime.timedelta(seconds=random.randrange(10**7))
        rows.append([
            str(1000 + i),
            str(random.randrange(17, 91)),
            str(1_700_000_000_000_000_000 + random.randrange(10**15)),
            digits(random.randrange(100_000, 500_000_000) / 100, 2, point, thousands),
            "" if random.random() < 0.2 else digits(random.gauss(0, 1), 4, point),
            "" if random.random() < 0.3 else str(random.randrange(50)),
            random.choice(["True", "False"]),
            day.isoformat(),
            at.isoformat(sep=" "),
            random.choice(["Köln", "Málaga", "Bern"]),
            "0" + str(random.randrange(1100, 1120)),
            f"remark {random.randrange(10**9)} of row {i}",
        ])
    return names, rows


def check(condition, *what):
    if not condition:
        raise SystemExit(" ".join(str(part) for part in what))


def compare(name, encoding, separator, end, point=".", thousands="", options=()):
    source, model, made = (os.path.join(folder, name + suffix) for suffix in (".csv", ".model", ".made.csv"))
    names, rows = table(point, thousands)
    text = end.join(separator.join(row) for row in [names, *rows]) + end
    with open(source, "wb") as file:
        file.write(text.encode(encoding))
    subprocess.run([program, "fit", source, "-o", model, "--recipe", "trees", "--quick", "--quiet", *options], check=True)
    subprocess.run([program, "sample", model, "-n", "300", "-o", made], check=True)
    with open(made, "rb") as file:
        generated = file.read()
    check(generated[:3] == text.encode(encoding)[:3], name, "begins otherwise")
    check(generated.decode(encoding).endswith(end), name, "has other line ends")

    def read(path, **more):
        return pandas.read_csv(path, sep=separator, decimal=point, thousands=thousands or None, encoding=encoding,
                               parse_dates=["day", "at"], **more)

    real, sample = read(source), read(made)
    check(len(sample) == 300, name, "has", len(sample), "rows")
    check(list(real.columns) == list(sample.columns), name, list(sample.columns))
    check((real.dtypes == sample.dtypes).all(), name, real.dtypes, sample.dtypes)
    expected = {"id": "int64", "whole": "int64", "nanoseconds": "int64", "price": "float64", "ratio": "float64",
                "gaps": "float64", "flag": "bool", "day": "datetime64[ns]", "at": "datetime64[ns]", "town": "object",
                "zip": "int64", "note": "object"}
    check({column: str(kind) for column, kind in sample.dtypes.items()} == expected, name, sample.dtypes)
    for column in names:
        check(real[column].isna().any() == sample[column].isna().any(), name, column, "missing values differ")
    for column in ("nanoseconds", "day", "at", "price"):
        width = real[column].max() - real[column].min()
        check(real[column].min() - width / 10 <= sample[column].min(), name, column, sample[column].min())
        check(sample[column].max() <= real[column].max() + width / 10, name, column, sample[column].max())
    check(sample["nanoseconds"].nunique() > 150, name, "nanoseconds were rounded")
    check((sample["id"] >= 1000 + ROWS).all() and sample["id"].is_unique, name, "keys come again")
    check(set(sample["town"]) <= set(real["town"]), name, set(sample["town"]))
    check(set(sample["note"]) == {"[text]"}, name, set(sample["note"]))
    texts = read(made, dtype=str)
    check(texts["zip"].str.match(r"^0\d{4}$").all(), name, "zeros in front are lost")
    check(texts["price"].str.match(r"^[\d.]+,\d\d$" if point == "," else r"^\d+\.\d\d$").all(), name, texts["price"])
    print(name, "is of the same types")


compare("utf-8", "utf-8", ",", "\n")
compare("excel", "utf-16", ";", "\r\n", ",", ".")
compare("old", "latin-1", ";", "\r\n", ",", ".", ["--encoding", "latin-1"])
compare("marked", "utf-8-sig", "\t", "\n")
