# SPDX-License-Identifier: MIT
"""Data frames as tables of the library's, and back with the same dtypes."""
import json
import logging
import os
import warnings

import numpy as np
import pandas as pd
from pandas.api import types

from . import _native

log = logging.getLogger("rowsmith")
LARGEST = 2**53  # whole numbers below are exact in a double
ROLES = ("category", "identifier", "text", "dropped")


class DataWarning(UserWarning):
    """What is likely wrong with a table, or with how it was read."""


def warn(text):
    warnings.warn(text, DataWarning, stacklevel=4)


def as_frame(data, name):
    """A data frame, or the path of a file."""
    if isinstance(data, (str, os.PathLike)):
        return os.fspath(data)
    if not isinstance(data, pd.DataFrame):
        if hasattr(data, "to_pandas"):  # tables of Arrow and Polars
            data = data.to_pandas()
        elif hasattr(data, "__arrow_c_stream__"):
            try:
                import pyarrow
            except ImportError:
                raise ValueError(f"{name}: a stream of Arrow's needs pyarrow, which is not there; give a pandas "
                                 "DataFrame") from None
            data = pyarrow.table(data).to_pandas()
        else:
            raise ValueError(f"{name}: {type(data).__name__}, expected a pandas DataFrame or the path of a CSV file")
    for column in data.columns:
        if not isinstance(column, str):
            raise ValueError(f"{name}: the column name {column!r} is no text; set {name}.columns = "
                             f"{name}.columns.astype(str)")
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise ValueError(f"{name}: the column '{twice}' is there twice, expected different names")
    named = [level for level in data.index.names if level is not None]
    if named or data.index.nlevels > 1:
        raise ValueError(f"{name}: the index is named ({', '.join(map(str, named)) or 'several levels'}) and would be "
                         "lost; use reset_index(), with drop=True if it says nothing")
    return data


# ---- cells ----------------------------------------------------------------------------------------------


def text_of(value, column):
    """A category as a text, from which `value_of` makes the category again."""
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(f"column '{column}' holds {value!r}, which is no text that UTF-8 can write") from None
        return value
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    raise ValueError(f"column '{column}' has the category {value!r} of type {type(value).__name__}, expected texts, "
                     "numbers or booleans: use .astype(str)")


def kind_of_values(values, column):
    """The type that all categories are of: str, bool, int or float."""
    kinds = set()
    for value in values:
        kinds.add("str" if isinstance(value, str) else "bool" if isinstance(value, (bool, np.bool_)) else
                  "int" if isinstance(value, (int, np.integer)) else "float")
    if len(kinds) > 1:
        raise ValueError(f"column '{column}' has categories of several types ({', '.join(sorted(kinds))}); use "
                         ".astype(str)")
    return kinds.pop() if kinds else "str"


def value_of(text, kind):
    return {"str": str, "bool": lambda word: word == "True", "int": int, "float": float}[kind](text)


def category_cells(series):
    """Codes by first appearance, −1 where missing, and the values that they stand for."""
    name = series.name
    if isinstance(series.dtype, pd.CategoricalDtype):
        own = series.cat.codes.to_numpy()
        used = pd.unique(own[own >= 0])
        place = np.full(len(series.cat.categories) + 1, -1, dtype=np.int32)
        place[used] = np.arange(len(used), dtype=np.int32)
        codes = place[own]
        values = [series.cat.categories[code] for code in used]
    else:
        codes, found = pd.factorize(series.to_numpy(dtype=object, na_value=None) if series.hasnans else
                                    series.to_numpy(dtype=object))
        values = list(found)
    texts = [text_of(value, name) for value in values]
    return np.ascontiguousarray(codes, dtype=np.int32), values, texts


def check_texts(series):
    """Objects are texts, or nothing is guessed."""
    if series.dtype != object:
        return
    for row, value in enumerate(series):
        if isinstance(value, str) or value is None or value is pd.NA or value is pd.NaT or (
                isinstance(value, float) and np.isnan(value)):
            continue
        advice = {"bool": "use .astype('boolean')", "int": "use pd.to_numeric", "float": "use pd.to_numeric",
                  "Decimal": "use .astype(float)", "date": "use pd.to_datetime", "datetime": "use pd.to_datetime",
                  "Timestamp": "use pd.to_datetime"}.get(type(value).__name__, "use .astype(str), or drop the column")
        raise ValueError(f"column '{series.name}' holds {value!r} of type {type(value).__name__} in row {row}, expected "
                         f"texts: {advice}")


def float_cells(series):
    """Numbers as doubles (of contiguous float64: themselves), and the decimals that all of them have; −1: many."""
    own = series.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(own)
    if infinite.any():
        raise ValueError(f"column '{series.name}' is infinite in row {int(infinite.argmax())}, expected numbers; use "
                         ".replace([np.inf, -np.inf], np.nan)")
    narrow = getattr(series.dtype, "numpy_dtype", series.dtype)
    narrow = np.dtype(narrow) if np.dtype(narrow).kind == "f" else np.dtype(np.float64)
    present = own[~np.isnan(own)]
    for decimals in range(0, 16):
        # A few rows first: most columns are out then.
        for some in (present[:1000], present):
            with np.errstate(all="ignore"):  # the largest doubles have no room for decimals
                if not np.array_equal(np.round(some, decimals).astype(narrow), some.astype(narrow)):
                    break
        else:
            rounded = np.round(own, decimals) + 0.0 if narrow != np.float64 else own
            return np.ascontiguousarray(rounded), decimals
    return np.ascontiguousarray(own), -1


def integer_cells(series, origin):
    """Whole numbers as doubles, counted from `origin`. The caller has looked that they fit."""
    if series.hasnans:
        missing = series.isna().to_numpy()
        values = np.full(len(series), np.nan)
        values[~missing] = integer_cells(series[~missing], origin)
        return values
    numbers = series.to_numpy(dtype=np.uint64 if "uint" in str(series.dtype).lower() else np.int64)
    if origin:
        return np.array([int(number) - origin for number in numbers], dtype=np.float64)
    return np.ascontiguousarray(numbers.astype(np.float64))


def integer_origin(series):
    """0 for numbers that a double holds; else None if they are too far apart."""
    present = series.dropna()
    if present.empty:
        return 0
    least, most = int(present.min()), int(present.max())
    return 0 if max(abs(least), abs(most)) < LARGEST else None


def moments_of(series):
    """Nanoseconds since 1970 of dates, in UTC if they have a zone, and where they are missing."""
    zone = getattr(series.dtype, "tz", None)
    plain = series.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else series
    return plain.to_numpy(dtype="datetime64[ns]").astype(np.int64), series.isna().to_numpy()


def date_cells(series, pattern):
    """Dates as days or seconds. \\param pattern  None: found by the dates"""
    moments, missing = moments_of(series)
    present = moments[~missing]
    day = 86_400 * 10**9
    if pattern is None:
        zone = getattr(series.dtype, "tz", None)
        if zone is None and not (present % day).any():
            pattern = "YYYY-MM-DD"
        elif not (present % 10**9).any():
            pattern = "YYYY-MM-DD hh:mm:ss"
        elif not (present % 10**6).any():
            pattern = "YYYY-MM-DD hh:mm:ss.fff"
        else:
            pattern = "YYYY-MM-DD hh:mm:ss.ffffff"
    if "h" not in pattern:
        unit, what = day, "days"
    else:
        digits = pattern.count("f")
        unit, what = 10**(9 - digits), "microseconds" if digits == 6 else "milliseconds" if digits == 3 else "seconds"
    if (present % unit).any():
        row = int(np.flatnonzero(~missing)[(present % unit != 0).argmax()])
        rounding = {"days": "D", "seconds": "s", "milliseconds": "ms", "microseconds": "us"}[what]
        raise ValueError(f"column '{series.name}' has the date {series.iloc[row]} in row {row}, expected whole {what}; "
                         f"use .dt.floor('{rounding}')")
    counted = (moments // unit).astype(np.float64)
    if what == "milliseconds":
        counted = counted / 1e3
    elif what == "microseconds":
        counted = counted / 1e6
    counted[missing] = np.nan
    return counted, pattern


# ---- columns --------------------------------------------------------------------------------------------


def native_column(entry, values=None, decimals=-1, codes=None, texts=()):
    column = _native.FrameColumn()
    column.format = json.dumps(entry)
    column.decimals = decimals
    if values is not None:
        column.values = values
    if codes is not None:
        column.codes = codes
        column.texts = list(texts)
    return column


class FrameReader:
    """Makes a table of a data frame. What is found out about its columns is said in `notes` and `warnings`.

    \\param private  nothing may be decided by the rows \\param label  learnt as a category, whatever it looks like
    """

    def __init__(self, frame, roles, label="", private=False, day_first=None, keep_categories=True):
        self.notes, self.warnings = [], []
        self.private, self.day_first, self.keep_categories = private, day_first, keep_categories
        for name, role in roles.items():
            if name not in frame.columns:
                raise ValueError(f"roles: column '{name}' is declared, but the frame does not have it")
            if role not in ROLES:
                raise ValueError(f"roles: column '{name}' is declared {role!r}, expected one of {', '.join(ROLES)}; what "
                                 "is a number or a date is said by its dtype")
        if label and label not in frame.columns:
            raise ValueError(f"the label '{label}' is no column of the frame")
        if len(frame) == 0:
            raise ValueError("the frame has no rows, expected at least one")
        columns, self.dtypes = [], []
        for name in frame.columns:
            role = roles.get(name, "category" if name == label else None)
            column, known = self.column(frame[name], role)
            columns.append(column)
            self.dtypes.append({"name": name, "dtype": str(frame[name].dtype), **known})
        self.table = _native.Table.of_columns(columns, label)

    def column(self, series, role):
        name, dtype = series.name, series.dtype
        if isinstance(dtype, pd.SparseDtype):
            raise ValueError(f"column '{name}' is of dtype {dtype}, which a table cannot hold: use .sparse.to_dense()")
        entry = {"name": name, "role": role or "category", "missing": ""}
        if role == "dropped":
            return native_column(entry), {}
        if role == "text":
            return native_column(entry), {}
        if role == "identifier":
            return self.key(series, entry)
        if types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype) or role == "category":
            if types.is_datetime64_any_dtype(dtype):
                raise ValueError(f"column '{name}' is of dates and cannot be a category; use .astype(str)")
            if not isinstance(dtype, pd.CategoricalDtype):
                check_texts(series)
            return self.category(series, entry)
        if types.is_integer_dtype(dtype):
            return self.integers(series, entry)
        if types.is_float_dtype(dtype):
            values, decimals = float_cells(series)
            return native_column({**entry, "role": "real"}, values, -1 if self.private else decimals), {}
        if types.is_datetime64_any_dtype(dtype):
            values, pattern = date_cells(series, "YYYY-MM-DD hh:mm:ss" if self.private else None)
            decimals = pattern.count("f") if "h" in pattern else 0
            return native_column({**entry, "role": "date", "pattern": pattern}, values, decimals), {}
        if types.is_string_dtype(dtype) or dtype == object:
            check_texts(series)
            return self.texts(series, entry)
        advice = ("use .dt.total_seconds()" if types.is_timedelta64_dtype(dtype) else
                  "use .dt.to_timestamp()" if isinstance(dtype, pd.PeriodDtype) else
                  "use .astype(str), or declare it dropped")
        raise ValueError(f"column '{name}' is of dtype {dtype}, which a table cannot hold: {advice}")

    def category(self, series, entry):
        codes, values, texts = category_cells(series)
        known = {}
        if isinstance(series.dtype, pd.CategoricalDtype):
            all_values = list(series.cat.categories)
            for value in all_values:
                text_of(value, series.name)
            known = {"kind": kind_of_values(all_values, series.name), "ordered": bool(series.cat.ordered)}
            if self.keep_categories and not self.private:
                known["categories"] = [text_of(value, series.name) for value in all_values]
        else:
            known = {"kind": kind_of_values(values, series.name)}
        if not self.keep_categories and known["kind"] != "str":
            raise ValueError(f"min_category_rows: column '{series.name}' has categories that are no texts, and rare ones "
                             "become '(other)'; use .astype(str)")
        return native_column({**entry, "role": "category"}, codes=codes, texts=texts), known

    def infer(self, name, codes, texts, quoted):
        entry, notes, cautions = _native.infer_texts(name, codes, texts, quoted, self.day_first)
        entry = json.loads(entry)
        return entry, [f"column '{name}': {note}" for note in notes], [f"column '{name}': {one}" for one in cautions]

    def key(self, series, entry):
        """Declared to be one: made anew as its texts look."""
        if self.private:
            return native_column({**entry, "pattern": "#", "first": 1}), {}
        codes, values, texts = category_cells(series)
        found, notes, _ = self.infer(series.name, codes, texts, False)
        if found["role"] != "identifier":
            found = {**entry, "pattern": "#", "first": 1}
        self.notes += notes
        return native_column(found), {"kind": kind_of_values(values, series.name)}

    def integers(self, series, entry):
        name, origin = series.name, integer_origin(series)
        entry = {**entry, "role": "integer"}
        if not self.private:
            unique = len(series) >= 20 and not series.hasnans and series.is_unique
            if unique or origin is None:  # a key, or numbers that are counted from an origin
                codes, _, texts = category_cells(series)
                found, notes, _ = self.infer(name, codes, texts, False)
                if found["role"] == "identifier":
                    self.notes += [*notes, f"column '{name}': a key, which is made anew and never learnt"]
                    return native_column(found), {"kind": "int"}
                if origin is None and "origin" in found:
                    self.notes += notes
                    return native_column({**entry, "origin": found["origin"]},
                                         integer_cells(series, int(found["origin"])), 0), {}
        if origin is None:
            raise ValueError(f"column '{name}' has whole numbers of 2^53 and more that are too far apart to be learnt as "
                             "numbers; declare it: roles={" + repr(name) + ": 'category'} or 'identifier'")
        return native_column(entry, integer_cells(series, 0), 0), {}

    def texts(self, series, entry):
        codes, _, texts = category_cells(series)
        if self.private:
            return native_column({**entry, "role": "category"}, codes=codes, texts=texts), {"kind": "str"}
        name = series.name
        try:
            found, notes, cautions = self.infer(name, codes, texts, True)
        except _native.SchemaError:  # nearly all are numbers
            found, notes, cautions = {"role": "real"}, [], []
        if found["role"] in ("integer", "real"):
            found = {**entry, "role": "category"}
            if len(texts) > 100:
                self.warnings.append(f"column '{name}': {len(texts)} numbers that are written as texts, learnt as "
                                     "categories; pd.to_numeric makes numbers of them")
        else:
            self.notes += notes
            self.warnings += cautions
        if found["role"] in ("category", "date"):
            return native_column(found, codes=codes, texts=texts), {"kind": "str"}
        what = "a key, which is made anew" if found["role"] == "identifier" else "free text, which is left out"
        self.notes.append(f"column '{name}': {what} and never learnt")
        return native_column(found), {"kind": "str"}


def table_like(frame, table_format, name):
    """Rows of another frame of the columns that a format learns."""
    columns = []
    for entry in table_format["columns"]:
        column, role = entry["name"], entry["role"]
        if role in ("identifier", "text", "dropped"):
            continue
        if column not in frame.columns:
            raise ValueError(f"{name}: the column '{column}' is missing")
        columns.append(column_like(frame[column], entry, name))
    known = {entry["name"] for entry in table_format["columns"]}
    others = [column for column in frame.columns if column not in known]
    if others:
        raise ValueError(f"{name}: the column '{others[0]}' is none of the model's; drop it")
    return _native.Table.of_columns(columns, table_format.get("label", ""))


def partial_table(frame, table_format, name):
    """Rows of some of the columns that a format learns."""
    known = {entry["name"]: entry for entry in table_format["columns"]}
    columns = []
    for column in frame.columns:
        if column not in known:
            raise ValueError(f"{name}: the column '{column}' is none of the model's; drop it")
        if known[column]["role"] not in ("identifier", "text", "dropped"):
            columns.append(column_like(frame[column], known[column], name))
    if not columns:
        raise ValueError(f"{name}: none of the columns that the model learnt is there")
    return _native.Table.of_columns(columns, "")


def column_like(series, entry, name):
    dtype, role = series.dtype, entry["role"]
    if role == "category":
        if not isinstance(dtype, pd.CategoricalDtype):
            check_texts(series)
        codes, _, texts = category_cells(series)
        return native_column(entry, codes=codes, texts=texts)
    if role == "date":
        if types.is_datetime64_any_dtype(dtype):
            if "Y" not in entry["pattern"]:
                raise ValueError(f"{name}: column '{series.name}' is of dates, expected times such as {entry['pattern']}")
            values, pattern = date_cells(series, entry["pattern"])
            return native_column(entry, values, pattern.count("f") if "h" in pattern else 0)
        check_texts(series)
        codes, _, texts = category_cells(series)
        return native_column(entry, codes=codes, texts=texts)
    origin = int(entry.get("origin", 0))
    if types.is_integer_dtype(dtype) and not types.is_bool_dtype(dtype):
        if not origin and integer_origin(series) is None:
            raise ValueError(f"{name}: column '{series.name}' has whole numbers of 2^53 and more, which the model's numbers "
                             "are not")
        return native_column(entry, integer_cells(series, origin), 0)
    if types.is_float_dtype(dtype) and not origin:
        values, decimals = float_cells(series)
        return native_column(entry, values, decimals)
    if series.isna().all():
        return native_column(entry, np.full(len(series), np.nan), 0)
    raise ValueError(f"{name}: column '{series.name}' is of dtype {dtype}, expected "
                     f"{'whole numbers' if origin else 'numbers'}, which the model learnt; use pd.to_numeric")


# ---- back -----------------------------------------------------------------------------------------------


def frame_of(columns, dtypes, first_row, seed, rows):
    """Generated columns as a frame. \\param dtypes  by name, those of the frame that the model learnt; {}: a file"""
    result = {}
    for text, cells, more in columns:
        entry = json.loads(text)
        name, role = entry["name"], entry["role"]
        known = dtypes.get(name)
        if role == "dropped":
            continue
        if role == "text":
            dtype = known["dtype"] if known and "str" in known["dtype"] else object
            result[name] = pd.Series(["[text]"] * rows, dtype=dtype)
        elif role == "identifier":
            keys = _native.made_keys(text, first_row, rows, seed)
            result[name] = restored_texts(keys, known)
        elif role == "category":
            result[name] = category_back(cells, more, known)
        elif role == "date":
            result[name] = dates_back(text, entry, cells, more, known)
        else:
            result[name] = numbers_back(entry, cells, more, known)
    return pd.DataFrame(result, copy=False)


def restored_texts(texts, known):
    if known is None or known["dtype"] == "category":  # new keys are none of the categories
        return pd.Series(texts, dtype=object)
    kind = known.get("kind", "str")
    if kind == "str":
        return pd.Series(texts, dtype=known["dtype"])
    try:
        return pd.Series([value_of(text, kind) for text in texts]).astype(known["dtype"])
    except (ValueError, OverflowError, TypeError):
        warn(f"column '{known['name']}': keys that are made anew do not fit {known['dtype']}, and stay texts")
        return pd.Series(texts, dtype=object)


def category_back(codes, texts, known):
    if known is None:
        return pd.Series(pd.Categorical.from_codes(codes, texts))
    kind = known["kind"]
    if known["dtype"] == "category":
        listed = list(known.get("categories", texts))
        listed += [text for text in texts if text not in set(listed)]  # of rows that were given
        place = {text: code for code, text in enumerate(listed)}
        own = np.array([place[text] for text in texts] + [-1], dtype=np.int64)[codes]
        return pd.Series(pd.Categorical.from_codes(own, [value_of(text, kind) for text in listed], ordered=known["ordered"]))
    values = np.array([value_of(text, kind) for text in texts] + [None], dtype=object)[codes]
    if known["dtype"] == "object":
        return pd.Series(values, dtype=object)
    return pd.Series(values).astype(known["dtype"])


def dates_back(text, entry, numbers, decimals, known):
    pattern = entry["pattern"]
    if "Y" not in pattern or (known is not None and not known["dtype"].startswith("datetime64")):
        texts = _native.texts_of_numbers(text, numbers, decimals)
        return pd.Series(texts, dtype=known["dtype"] if known is not None else object)
    missing = np.isnan(numbers)
    digits = pattern.count("f")
    per = 1 if "h" not in pattern else 10**digits
    unit = 86_400 * 10**9 if "h" not in pattern else 10**(9 - digits)
    step = 1 if "h" not in pattern or "s" in pattern else 60
    counted = np.rint(np.where(missing, 0, numbers) * per / step) * step
    if np.abs(counted).max(initial=0) * unit >= 2**63 - unit:  # before 1677 or after 2262
        return pd.Series(_native.texts_of_numbers(text, numbers, decimals), dtype=object)
    moments = (counted.astype(np.int64) * unit).astype("datetime64[ns]")
    moments[missing] = np.datetime64("NaT")
    series = pd.Series(moments)
    if known is not None and known["dtype"] != "datetime64[ns]":
        zone = pd.api.types.pandas_dtype(known["dtype"])
        series = series.dt.tz_localize("UTC").dt.tz_convert(zone.tz) if hasattr(zone, "tz") else series.astype(zone)
    return series


def numbers_back(entry, numbers, decimals, known):
    whole = entry["role"] == "integer" or (known is not None and "int" in known["dtype"].lower())
    if not whole:
        series = pd.Series(numbers, copy=False)
        return series if known is None or known["dtype"] == "float64" else series.astype(known["dtype"])
    missing = np.isnan(numbers)
    origin = int(entry.get("origin", 0))
    counted = np.rint(np.where(missing, 0, numbers))
    if not np.array_equal(counted[~missing], numbers[~missing]):  # given ones
        warn(f"column '{entry['name']}' holds numbers that are not whole, and is float64")
        return pd.Series(numbers, copy=False)
    if origin:
        exact = [int(number) + origin for number in counted]
        least, most = min(exact, default=0), max(exact, default=0)
        values = np.array(exact, dtype=np.uint64 if most >= 2**63 else np.int64)
    else:
        least, most = counted.min(initial=0), counted.max(initial=0)
        if max(abs(least), abs(most)) >= 2**63:
            return pd.Series(numbers, copy=False)
        values = counted.astype(np.int64)
    dtype = known["dtype"] if known is not None else "Int64" if missing.any() else str(values.dtype)
    if known is not None:
        bounds = np.iinfo(dtype.lower())
        if least < bounds.min or most > bounds.max:  # ranges are rounded outwards
            warn(f"column '{entry['name']}': numbers from {int(least)} to {int(most)} do not fit {dtype}, and are {values.dtype}")
            dtype = str(values.dtype)
    if missing.any():
        return pd.Series(pd.arrays.IntegerArray(values, missing)).astype("Int64" if dtype[0] not in "IU" else dtype)
    return pd.Series(values, copy=False).astype(dtype)
