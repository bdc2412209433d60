# SPDX-License-Identifier: MIT
"""Reports on synthetic tables."""
import dataclasses
import html
import json
import math
import os

import pandas as pd

from . import _frames, _native
from ._progress import Listening
from ._synthesizer import check_count, read_options, table_for, tell, texts_of


def number(value):
    return math.nan if value is None else value


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure of a report. NaN: not measured; `meaning` says why."""
    key: str
    section: str  # fidelity, utility or privacy
    title: str
    value: float
    sd: float
    ideal: float  # what real rows show in place of the synthetic ones
    light: str  # green, amber, red, or none: for the reader to judge
    meaning: str


class Report:
    """What is known of a synthetic table. `evaluate` makes it."""

    def __init__(self, content, native=None, title="Synthetic data report"):
        self._content, self._native, self._title = content, native, title
        self._figures = [
            Figure(entry["key"], entry["section"], entry["title"], number(entry["value"]), number(entry["sd"]),
                   number(entry["ideal"]), entry["light"], entry["meaning"]) for entry in content["figures"]
        ]

    @property
    def figures(self):
        """All figures, a row each, by key: section, title, value, sd, ideal, light and meaning."""
        rows = [dataclasses.asdict(figure) for figure in self._figures]
        return pd.DataFrame(rows).set_index("key")

    def __getitem__(self, key):
        """The figure of a key, such as "detection.boosted.auc"."""
        for figure in self._figures:
            if figure.key == key:
                return figure
        raise KeyError(f"there is no figure {key!r}, only: {', '.join(figure.key for figure in self._figures)}")

    @property
    def verdict(self):
        """green, amber, red or none for fidelity, utility and privacy; {} without hold-out rows."""
        return dict(self._content.get("verdict", {}))

    def to_dict(self):
        return json.loads(json.dumps(self._content))

    def to_json(self, path=None):
        """All that was measured, as a text or to a file: the JSON of `rowsmith evaluate --json`, with hold-out rows."""
        text = json.dumps(self._content) if self._native is None else self._native.json()
        if path is None:
            return text
        with open(os.fspath(path), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return None

    def to_html(self, path=None):
        """A page for people, which needs nothing else, as a text or to a file."""
        text = self._table_page() if self._native is None else self._native.html(self._title, "", "", "")
        if path is None:
            return text
        with open(os.fspath(path), "w", encoding="utf-8") as file:
            file.write(text)
        return None

    def _table_page(self):
        return (f"<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{html.escape(self._title)}</title>"
                f"</head><body>{self._repr_html_()}</body></html>\n")

    def _repr_html_(self):
        rows = ""
        for figure in self._figures:
            spread = f" ± {figure.sd:.4f}" if figure.sd > 0 else ""
            value = "–" if math.isnan(figure.value) else f"{figure.value:.4f}{spread}"
            ideal = "–" if math.isnan(figure.ideal) else f"{figure.ideal:.4f}"
            rows += (f"<tr><td>{html.escape(figure.section)}</td><td title=\"{html.escape(figure.meaning, quote=True)}\">"
                     f"{html.escape(figure.title)}</td><td>{value}</td><td>{ideal}</td><td>{figure.light}</td></tr>")
        return (f"<p><b>{html.escape(self._title)}</b></p><table><thead><tr><th></th><th>Figure</th><th>Synthetic</th>"
                f"<th>Real rows</th><th></th></tr></thead><tbody>{rows}</tbody></table>")

    def __str__(self):
        if self._native is not None:
            return self._native.text()
        lines = [f"  {figure.title}: {figure.value:.6g} +- {figure.sd:.6g}" for figure in self._figures]
        return "\n".join(["against training rows alone:", *lines, ""])

    def __repr__(self):
        lights = ", ".join(f"{section}={light!r}" for section, light in self.verdict.items())
        return f"Report({len(self._figures)} figures{', ' + lights if lights else ', without hold-out rows'})"


def evaluate(train, synthetic, holdout=None, *, target=None, roles=None, seeds=3, seed=0, quick=False, max_rows=50_000,
             threads=0, progress=None, title="Synthetic data report"):
    """Judges a synthetic table: fidelity, utility and privacy. Tables are DataFrames or paths of files.

    holdout: rows of the same source that the model never saw. Without them nothing can be said about utility and privacy,
    and of fidelity only how alike the tables are. target: the column to predict, or several. roles: of the training
    table's columns, as `Synthesizer.fit` has them; a label of whole numbers is a class only if it is declared
    "category". quick: small models and few rows, to see that all works.
    """
    targets = texts_of("target", target)
    train = _frames.as_frame(train, "train")
    if isinstance(train, str):
        real = _native.Table.read(train, read_options(roles or {}, "", None, None, None, (), None))
        tell(real.notes, real.warnings)
    else:
        reader = _frames.FrameReader(train, dict(roles or {}))
        real = reader.table
        tell(reader.notes, reader.warnings)
    made = table_for(synthetic, "synthetic", real.format)
    options = _native.JudgeOptions()
    options.targets, options.seeds, options.quick = targets, check_count("seeds", seeds, 1), bool(quick)
    options.seed, options.max_rows = check_count("seed", seed), check_count("max_rows", max_rows, 2)
    options.threads = check_count("threads", threads)
    if holdout is None:
        if targets:
            raise ValueError("target: what synthetic rows are worth to learn from is measured on rows that the model never "
                             "saw; give holdout=, too")
        with Listening(progress) as listener:
            figures = _native.compare(real, made, options, listener)
        return Report({"train_rows": real.rows, "synthetic_rows": made.rows,
                       "figures": [json.loads(figure) for figure in figures]}, title=title)
    unseen = table_for(holdout, "holdout", real.format)
    with Listening(progress) as listener:
        native = _native.judge(real, unseen, made, options, listener)
    return Report(json.loads(native.json()), native, title)
