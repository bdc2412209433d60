# SPDX-License-Identifier: MIT
import os
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Union, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from .ensemble import GradientBoostingClassifier as GradientBoostingClassifier
from .ensemble import GradientBoostingRegressor as GradientBoostingRegressor
from .ensemble import IsolationForest as IsolationForest
from .ensemble import RandomForestClassifier as RandomForestClassifier
from .ensemble import RandomForestRegressor as RandomForestRegressor

__version__: str
instruction_set: str

Path = Union[str, "os.PathLike[str]"]
Data = Any  # pandas.DataFrame, a path, or a table with to_pandas() or __arrow_c_stream__()
Listener = Union[None, bool, Callable[["Progress"], Any]]

class Error(Exception): ...
class OptionError(Error, ValueError): ...

class CsvError(Error, ValueError):
    file: str
    line: int
    column: int

class SchemaError(Error, ValueError): ...
class RareConditionsError(Error, ValueError): ...
class ShapeError(Error, ValueError): ...

class TrainingError(Error):
    stage: str
    epoch: int
    step: int

class ModelFileError(Error): ...
class DataWarning(UserWarning): ...

class Progress:
    stage: str
    stage_number: int
    stages: int
    epoch: int
    epochs: int
    values: Dict[str, float]
    rows_per_second: float
    seconds: float
    seconds_left: float
    stage_done: bool

class Synthesizer:
    @classmethod
    def fit(
        cls,
        data: Data,
        *,
        label: Optional[str] = ...,
        recipe: str = ...,
        seed: int = ...,
        threads: int = ...,
        conditional: bool = ...,
        progress: Listener = ...,
        checkpoint: Optional[Path] = ...,
        roles: Optional[Mapping[str, str]] = ...,
        relations: Union[str, Iterable[str]] = ...,
        min_share: float = ...,
        min_category_rows: int = ...,
        quick: bool = ...,
        epsilon: Optional[float] = ...,
        delta: float = ...,
        domains: Optional[Mapping[str, Any]] = ...,
        private_parts: str = ...,
        delimiter: Optional[str] = ...,
        encoding: Optional[str] = ...,
        header: Optional[bool] = ...,
        missing: Union[str, Iterable[str]] = ...,
        day_first: Optional[bool] = ...,
    ) -> Synthesizer: ...
    def sample(
        self,
        n: int,
        *,
        seed: int = ...,
        where: Union[str, Iterable[str]] = ...,
        label: Any = ...,
        balance: Optional[str] = ...,
        allow_rare: bool = ...,
        first_row: int = ...,
        threads: int = ...,
    ) -> pd.DataFrame: ...
    def score(
        self, data: Data, *, samples: int = ..., seed: int = ..., threads: int = ...
    ) -> npt.NDArray[np.float64]: ...
    def complete(
        self,
        data: Data,
        *,
        fill: str = ...,
        seed: int = ...,
        first_row: int = ...,
        threads: int = ...,
        progress: Listener = ...,
    ) -> pd.DataFrame: ...
    def save(self, path: Path) -> None: ...
    @classmethod
    def load(cls, path: Path) -> Synthesizer: ...
    def without_guide(self) -> Synthesizer: ...
    @property
    def label(self) -> Optional[str]: ...
    @property
    def labels(self) -> List[str]: ...
    @property
    def columns(self) -> Dict[str, str]: ...
    @property
    def relations(self) -> List[str]: ...
    @property
    def notes(self) -> Dict[str, str]: ...
    @property
    def privacy(self) -> Optional[str]: ...
    @property
    def card(self) -> str: ...

class Figure:
    key: str
    section: str
    title: str
    value: float
    sd: float
    ideal: float
    light: str
    meaning: str

class Report:
    @property
    def figures(self) -> pd.DataFrame: ...
    @property
    def verdict(self) -> Dict[str, str]: ...
    def __getitem__(self, key: str) -> Figure: ...
    def to_dict(self) -> Dict[str, Any]: ...
    @overload
    def to_json(self, path: None = ...) -> str: ...
    @overload
    def to_json(self, path: Path) -> None: ...
    @overload
    def to_html(self, path: None = ...) -> str: ...
    @overload
    def to_html(self, path: Path) -> None: ...

def evaluate(
    train: Data,
    synthetic: Data,
    holdout: Data = ...,
    *,
    target: Union[None, str, Sequence[str]] = ...,
    roles: Optional[Mapping[str, str]] = ...,
    seeds: int = ...,
    seed: int = ...,
    quick: bool = ...,
    max_rows: int = ...,
    threads: int = ...,
    progress: Listener = ...,
    title: str = ...,
) -> Report: ...
