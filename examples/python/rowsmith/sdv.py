# SPDX-License-Identifier: MIT
"""The interface of SDV's single-table synthesizers, for programs that are written for it."""
import json

from . import _frames, _native
from ._synthesizer import Synthesizer

# Kinds of columns that SDV knows to be numbers, dates and classes; all others are personal data: free texts.
LEARNT = {"numerical": None, "datetime": None, "categorical": "category", "boolean": "category", "id": "identifier",
          "unknown": None}


def is_date(frame):
    """Of a frame of one column."""
    if _frames.types.is_datetime64_any_dtype(frame.dtypes.iloc[0]):
        return True
    try:
        found = json.loads(_frames.FrameReader(frame, {}).table.format)
    except _native.SchemaError:  # it would not be learnt at all
        return False
    return found["columns"][0]["role"] == "date"


class RowsmithSynthesizer:
    """fit(data), sample(num_rows), save(path), load(path).

    metadata: nothing, an object with to_dict() such as SDV's SingleTableMetadata, or the dict that this returns:
    {"columns": {name: {"sdtype": "numerical" | "datetime" | "categorical" | "boolean" | "id" | …}}, "primary_key": name}.
    Columns of personal data (sdtypes such as "email") are not learnt: a placeholder stands for them. Other arguments are
    those of `Synthesizer.fit`.
    """

    def __init__(self, metadata=None, **fit_options):
        self.metadata = metadata
        self.fit_options = fit_options
        self._synthesizer = None
        self._rows_made = 0

    def _roles(self, data):
        content = self.metadata.to_dict() if hasattr(self.metadata, "to_dict") else self.metadata
        if content is None:
            return {}
        if "tables" in content:
            tables = content["tables"]
            if len(tables) != 1:
                raise ValueError(f"metadata: {len(tables)} tables, expected one")
            content = next(iter(tables.values()))
        roles = {}
        for name, column in content["columns"].items():
            if name not in data.columns:
                raise ValueError(f"metadata: the column '{name}' is none of the table's")
            sdtype = column.get("sdtype", "unknown")
            role = LEARNT.get(sdtype, "text")
            if sdtype == "numerical" and not _frames.types.is_numeric_dtype(data[name].dtype):
                raise ValueError(f"metadata: column '{name}' is numerical, but of dtype {data[name].dtype}; use pd.to_numeric")
            if sdtype == "datetime" and not is_date(data[[name]]):
                raise ValueError(f"metadata: column '{name}' is of dates, but is not read as such; use pd.to_datetime, "
                                 "with format= if it has one of its own")
            if role is not None:
                roles[name] = role
        missing = [name for name in data.columns if name not in content["columns"]]
        if missing:
            raise ValueError(f"metadata: it says nothing of the column '{missing[0]}'")
        if content.get("primary_key"):
            roles[content["primary_key"]] = "identifier"
        return roles

    def fit(self, data):
        roles = {**self._roles(data), **self.fit_options.get("roles", {})}
        options = {key: value for key, value in self.fit_options.items() if key != "roles"}
        self._synthesizer = Synthesizer.fit(data, roles=roles, **options)
        self._rows_made = 0

    def sample(self, num_rows):
        """Rows that go on behind those of the last call; `reset_sampling` begins anew."""
        rows = self.synthesizer.sample(num_rows, first_row=self._rows_made)
        self._rows_made += num_rows
        return rows

    def reset_sampling(self):
        self._rows_made = 0

    @property
    def synthesizer(self):
        """The `Synthesizer` behind it."""
        if self._synthesizer is None:
            raise ValueError("the synthesizer is not fitted yet; call fit first")
        return self._synthesizer

    def save(self, filepath):
        self.synthesizer.save(filepath)

    @classmethod
    def load(cls, filepath):
        result = cls()
        result._synthesizer = Synthesizer.load(filepath)
        return result
