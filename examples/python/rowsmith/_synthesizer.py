# SPDX-License-Identifier: MIT
"""Fit a table, sample rows, score rows, save, load."""
import json
import os

from . import _frames, _native
from ._progress import Listening

RECIPES = ("default", "nearest", "neural", "trees", "faithful")


def check_count(name, value, least=0):
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < least:
        raise ValueError(f"{name} = {value!r}, expected a whole number of {least} or more")
    return value.__index__()


def texts_of(name, value):
    """A text, or several."""
    texts = [value] if isinstance(value, str) else list(value or ())
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"{name}: {text!r}, expected a text")
    return texts


def read_options(roles, label, delimiter, encoding, header, missing, day_first):
    options = _native.ReadOptions()
    options.roles, options.label = dict(roles), label
    options.delimiter, options.encoding, options.header = delimiter, encoding, header
    options.missing, options.day_first = texts_of("missing", missing), day_first
    return options


def tell(notes, warnings):
    for note in notes:
        _frames.log.info(note)
    for text in warnings:
        _frames.warn(text)


def table_for(data, name, table_format):
    """Rows of a frame or a file, of the columns that a format learns."""
    data = _frames.as_frame(data, name)
    if isinstance(data, str):
        return _native.Table.read_like(data, table_format, _native.ReadOptions())
    return _frames.table_like(data, json.loads(table_format), name)


def domain_of(name, known):
    domain = _native.ColumnDomain()
    domain.name = name
    if known == "category":
        domain.set_category()
    elif isinstance(known, tuple) and len(known) in (2, 3):
        domain.minimum, domain.maximum = float(known[0]), float(known[1])
        if len(known) == 3:
            domain.decimals = check_count(f"domains: decimals of column '{name}'", known[2])
    elif isinstance(known, (list, set, frozenset)) and known:
        domain.categories = [_frames.text_of(value, name) for value in known]
    else:
        raise ValueError(f"domains: column '{name}' has {known!r}, expected (least, most), (least, most, decimals) or a "
                         "list of categories")
    return domain


class Synthesizer:
    """A trained model. `Synthesizer.fit` and `Synthesizer.load` make one; it cannot be changed afterwards."""

    def __init__(self, model):
        if not isinstance(model, _native.Model):
            raise TypeError("Synthesizer: use Synthesizer.fit(data) or Synthesizer.load(path)")
        self._model = model
        frame = model.notes.get("frame")
        self._dtypes = {} if frame is None else {entry["name"]: entry for entry in json.loads(frame)["columns"]}
        self._format = json.loads(model.format)

    @classmethod
    def fit(cls, data, *, label=None, recipe="default", seed=0, threads=0, conditional=False, progress=None,
            checkpoint=None, roles=None, relations=(), min_share=1.0, min_category_rows=0, quick=False, epsilon=None,
            delta=1e-6, domains=None, private_parts="heads", delimiter=None, encoding=None, header=None, missing=(),
            day_first=None):
        """Learns a table: a pandas DataFrame, or the path of a CSV file, which is read as the program rowsmith reads it.

        label: the column that says what a row is. roles: by column, "category", "identifier", "text" or "dropped" (of a
        file also "integer", "real" and "date") in place of what is found. relations: as `rowsmith fit --relation` has
        them. checkpoint: the path of a file from which an interrupted fit goes on. progress: None (where somebody looks),
        True, False, or a function of a `Progress`, which ends the stage by returning False. quick: a few steps only, to
        see that all works. epsilon, delta: differential privacy; domains says what is known of columns: {"age": (0, 120),
        "price": (0, 1000, 2), "sex": ["Female", "Male"]}. delimiter, encoding, header, missing and day_first are of files.
        """
        if recipe not in RECIPES:
            raise ValueError(f"recipe: {recipe!r}, expected one of {', '.join(RECIPES)}")
        label = label or ""
        if conditional and not label:
            raise ValueError("conditional: a model makes rows for a label; say which column it is with label=")
        roles = dict(roles or {})
        options = _native.FitOptions()
        options.recipe, options.conditional = recipe, bool(conditional)
        options.seed, options.threads = check_count("seed", seed), check_count("threads", threads)
        options.relations, options.min_share = texts_of("relations", relations), float(min_share)
        options.min_category_rows, options.quick = check_count("min_category_rows", min_category_rows), bool(quick)
        options.checkpoint = None if checkpoint is None else os.fspath(checkpoint)
        private = epsilon is not None
        if private:
            cls._set_privacy(options, epsilon, delta, domains, private_parts)
        elif domains:
            raise ValueError("domains: say how much may be told of a row, too: epsilon=")
        data = _frames.as_frame(data, "data")
        own = {"delimiter": delimiter, "encoding": encoding, "header": header, "missing": tuple(missing) or None}
        if isinstance(data, str):
            table = cls._read(data, options, read_options(roles, label, delimiter, encoding, header, missing, day_first),
                              private)
        else:
            for name, value in own.items():
                if value is not None:
                    raise ValueError(f"{name}: is of files, not of data frames")
            reader = _frames.FrameReader(data, roles, label, private, day_first, options.min_category_rows == 0)
            table = reader.table
            tell(reader.notes, reader.warnings)
            options.notes = {"frame": json.dumps({"columns": reader.dtypes})}
            if private:
                options.taken_as_public = ["the columns' names and dtypes, and which columns are left out"]
        if not private:
            tell(*table.findings())
        with Listening(progress) as listener:
            return cls(_native.Model.fit(table, options, listener))

    @staticmethod
    def _set_privacy(options, epsilon, delta, domains, private_parts):
        if not 1e-3 <= epsilon <= 100:
            raise ValueError(f"epsilon = {epsilon!r}, expected 0.001 to 100")
        if not 1e-10 <= delta <= 0.01:
            raise ValueError(f"delta = {delta!r}, expected 1e-10 to 0.01")
        for name, given, why in (
                ("recipe", options.recipe != "default", "no recipe but the private one has a guarantee to give; leave it "
                 "out with epsilon"),
                ("conditional", options.conditional, "a private model has no label of its own; sample(where=) asks for rows"),
                ("relations", options.relations, "a private training keeps none"),
                ("min_category_rows", options.min_category_rows, "with epsilon, noisy counts say which categories are told"),
                ("checkpoint", options.checkpoint, "a private training keeps none: what was spent is spent")):
            if given:
                raise ValueError(f"{name}: {why}")
        options.epsilon, options.delta, options.private_parts = float(epsilon), float(delta), private_parts
        options.domains = [domain_of(name, known) for name, known in dict(domains or {}).items()]

    @staticmethod
    def _read(path, options, how, private):
        table = _native.Table.read(path, how, private)
        if private:
            options.learn_kinds = True
            declared = {domain.name for domain in options.domains}
            options.domains += [domain_of(name, "category") for name, role in how.roles.items()
                                if role == "category" and name not in declared]
            options.taken_as_public = [
                "how the file is written down: delimiter, line ends, encoding; and its first line, the columns' names",
                "which texts stand for missing values: \"?\", \"NA\", nothing, and those of missing="]
            if any(role in ("identifier", "text", "dropped") for role in how.roles.values()):
                options.taken_as_public.append("which columns are left out (roles=)")
        tell(table.notes, table.warnings)
        return table

    def sample(self, n, *, seed=0, where=(), label=None, balance=None, allow_rare=False, first_row=0, threads=0):
        """Makes `n` rows, as a DataFrame of the dtypes that were learnt. Row i depends on the model, the seed, the
        conditions and i only.

        where: conditions such as "age >= 60", "sex = Female", "job in Sales, Clerk" or "age is missing", which all hold.
        label: of a conditional model, the label that all rows have. balance: a column of whose categories there are to be
        as many rows each. allow_rare: conditions that hardly any row meets are no error. first_row: the number of the
        first row.
        """
        n, first_row, seed = check_count("n", n), check_count("first_row", first_row), check_count("seed", seed)
        label = "" if label is None else _frames.text_of(label, self.label)
        columns = self._model.sample(n, seed, label, texts_of("where", where), balance or "", bool(allow_rare), first_row,
                                     check_count("threads", threads))
        return _frames.frame_of(columns, self._dtypes, first_row, seed, n)

    def score(self, data, *, samples=64, seed=0, threads=0):
        """The log-probability of each row (a DataFrame or the path of a file), in nats; −inf for a row that the model
        cannot make. A number outside the range of the training rows costs more, as `rowsmith score` has it; its scores
        are these with the other sign."""
        table = table_for(data, "data", self._model.format)
        return self._model.score(table, check_count("samples", samples, 1), check_count("seed", seed),
                                 check_count("threads", threads))

    def complete(self, data, *, fill="draw", seed=0, first_row=0, threads=0, progress=None):
        """Fills the missing cells of a DataFrame of some or all of the model's columns, and adds the columns that it does
        not have, as the model has them in rows with the other cells. Cells that are there stay as they are.

        fill: "draw", so that rows are distributed as the model's are, or "expect", the mean or the most frequent category:
        the best single guess, which varies less than real cells do.
        """
        if fill not in ("draw", "expect"):
            raise ValueError(f"fill: {fill!r}, expected draw or expect")
        data = _frames.as_frame(data, "data")
        if isinstance(data, str):
            raise ValueError("data: a path, expected a DataFrame; the program completes files: rowsmith sample --where-file")
        table = _frames.partial_table(data, self._format, "data")
        first_row, seed = check_count("first_row", first_row), check_count("seed", seed)
        with Listening(progress) as listener:
            columns, _, unknown, left_missing, unsure, broken = self._model.complete(
                table, fill == "expect", seed, first_row, check_count("threads", threads), listener)
        for count, what in ((unknown, "cells hold categories that the model does not know: kept, and nothing is concluded "
                             "from them"),
                            (left_missing, "cells are missing in all such rows that the model makes, and stay so"),
                            (unsure, "rows are so unlike the model's that what is filled in is only the best found"),
                            (broken, "rows do not keep a relation that the model keeps")):
            if count:
                _frames.warn(f"{count} {what}")
        rows = _frames.frame_of(columns, self._dtypes, first_row, seed, len(data))
        for entry in self._format["columns"]:  # keys and free texts that were given
            if entry["role"] in ("identifier", "text") and entry["name"] in data.columns:
                rows[entry["name"]] = data[entry["name"]].reset_index(drop=True)
        return rows.set_axis(data.index)

    def save(self, path):
        """Writes the model file, which the program rowsmith reads, too."""
        self._model.save(os.fspath(path))

    @classmethod
    def load(cls, path):
        """Reads a model file, whoever wrote it."""
        return cls(_native.Model.load(os.fspath(path)))

    def without_guide(self):
        """The same model without its guide: rows as they are drawn, several times as many a second."""
        return Synthesizer(self._model.without_guide())

    @property
    def label(self):
        """The label's column; None: there is none."""
        return self._format.get("label") or None

    @property
    def labels(self):
        """Of a conditional model, the labels that rows can be asked for."""
        return self._model.labels

    @property
    def columns(self):
        """What each column is to the model, by name: "integer", "real", "category", "date", "identifier", …"""
        return {entry["name"]: entry["role"] for entry in self._format["columns"]}

    @property
    def relations(self):
        """Relations of columns that generated rows keep, in words."""
        return self._model.relations

    @property
    def notes(self):
        """Recipe, seed, options and the like."""
        return {key: text for key, text in self._model.notes.items() if key not in ("format", "frame")}

    @property
    def privacy(self):
        """What the model promises of any one row, in words; None: nothing."""
        return self._model.privacy

    @property
    def card(self):
        """What the model is, and what it repeats of its training rows, in words."""
        return self._model.card

    def __repr__(self):
        notes = self._model.notes
        parts = [f"recipe={notes.get('recipe', 'own')!r}", f"columns={len(self._format['columns'])}"]
        if self.privacy is None and "training_rows" in notes:
            parts.append(f"training_rows={notes['training_rows']}")
        if self.label:
            parts.append(f"label={self.label!r}")
        if self._model.conditional:
            parts.append("conditional=True")
        if self.privacy is not None:
            parts.append("private=True")
        return f"Synthesizer({', '.join(parts)})"

    def __eq__(self, other):
        return isinstance(other, Synthesizer) and self._model.bytes() == other._model.bytes()

    __hash__ = None

    def __reduce__(self):
        return _from_bytes, (self._model.bytes(),)


def _from_bytes(data):
    return Synthesizer(_native.Model.from_bytes(data))
