# SPDX-License-Identifier: MIT
"""Learns a table of numbers and categories and writes new rows that a random forest can hardly tell from real ones.

    import rowsmith
    model = rowsmith.Synthesizer.fit(frame, label="income")
    rows = model.sample(10_000, seed=1)
"""
from ._frames import DataWarning
from ._native import (CsvError, Error, ModelFileError, OptionError, RareConditionsError, SchemaError, ShapeError,
                      TrainingError, instruction_set)
from ._native import version as __version__
from ._progress import Progress
from ._report import Figure, Report, evaluate
from ._synthesizer import Synthesizer

ESTIMATORS = ("GradientBoostingClassifier", "GradientBoostingRegressor", "IsolationForest", "RandomForestClassifier",
              "RandomForestRegressor")

__all__ = ["CsvError", "DataWarning", "Error", "Figure", "ModelFileError", "OptionError", "Progress",
           "RareConditionsError", "Report", "SchemaError", "ShapeError", "Synthesizer", "TrainingError", "__version__",
           "evaluate", "instruction_set", *ESTIMATORS]


def __getattr__(name):
    # scikit-learn takes a second to import, and most programs do without.
    if name in ESTIMATORS:
        from . import ensemble
        return getattr(ensemble, name)
    raise AttributeError(f"module 'rowsmith' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
