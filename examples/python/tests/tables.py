# SPDX-License-Identifier: MIT
"""Small tables that the tests share."""
import numpy as np
import pandas as pd

ROWS = 300


def people(rows=ROWS, seed=1):
    """A column of each kind that a frame may have."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    seconds = pd.DatetimeIndex(pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 10**7, rows), unit="s"))
    age = rng.integers(17, 90, rows)
    return pd.DataFrame({
        "key": np.arange(1000, 1000 + rows),
        "age": age,
        "small": rng.integers(3, 200, rows).astype("uint8"),
        "gaps": pd.array(np.where(rng.random(rows) < 0.3, None, rng.integers(0, 50, rows)), dtype="Int64"),
        "price": np.round(rng.gamma(2, 30, rows), 2),
        "holes": np.where(rng.random(rows) < 0.2, np.nan, np.round(rng.normal(size=rows), 3)),
        "narrow": rng.normal(size=rows).round(3).astype("float32"),
        "flag": rng.random(rows) < 0.4,
        "perhaps": pd.array(np.where(rng.random(rows) < 0.2, None, rng.random(rows) < 0.5), dtype="boolean"),
        "day": days,
        "at": seconds.tz_localize("UTC").tz_convert("Europe/Berlin"),
        "exact": seconds + pd.to_timedelta(rng.integers(0, 1000, rows), unit="ms"),
        "town": pd.Categorical(rng.choice(["Bern", "Köln"], rows), categories=["Oslo", "Köln", "Bern"], ordered=True),
        "size": pd.Categorical(rng.choice([1, 2, 3], rows)),
        "job": rng.choice(np.array(["clerk", "cook", None], dtype=object), rows),
        "nanoseconds": 1_700_000_000_000_000_000 + rng.integers(0, 10**15, rows),
        "note": [f"remark {rng.integers(10**9)} of row {i}" for i in range(rows)],
        "written": [str(day.date()) for day in days],
        "label": (age + rng.integers(-10, 10, rows) > 50).astype(int),
    })


def simple(rows=ROWS, seed=1):
    """Numbers and categories, as a file would hold them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return pd.DataFrame({
        "x": np.round(x, 3),
        "n": rng.integers(0, 1000, rows),
        "town": rng.choice(["Bern", "Köln", "Málaga"], rows),
        "label": np.where(x + 0.3 * rng.normal(size=rows) > 0, "yes", "no"),
    })
