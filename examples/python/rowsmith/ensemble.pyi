# SPDX-License-Identifier: MIT
from typing import Any, Dict, Optional, TypeVar

import numpy as np
import numpy.typing as npt

Self = TypeVar("Self", bound="_Trees")

class _Trees:
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]
    def get_params(self, deep: bool = ...) -> Dict[str, Any]: ...
    def set_params(self: Self, **params: Any) -> Self: ...
    @property
    def feature_importances_(self) -> npt.NDArray[np.float64]: ...

class _Classifier(_Trees):
    classes_: npt.NDArray[Any]
    n_classes_: int
    def fit(self: Self, X: Any, y: Any) -> Self: ...
    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]: ...
    def predict(self, X: Any) -> npt.NDArray[Any]: ...
    def score(self, X: Any, y: Any) -> float: ...

class _Regressor(_Trees):
    def fit(self: Self, X: Any, y: Any) -> Self: ...
    def predict(self, X: Any) -> npt.NDArray[np.float64]: ...
    def score(self, X: Any, y: Any) -> float: ...

class _Forest:
    def __init__(
        self,
        n_estimators: int = ...,
        *,
        max_features: Optional[int] = ...,
        min_samples_leaf: int = ...,
        max_depth: Optional[int] = ...,
        bootstrap: bool = ...,
        max_bins: int = ...,
        oob_score: bool = ...,
        random_state: Optional[int] = ...,
        n_jobs: Optional[int] = ...,
    ) -> None: ...
    @property
    def oob_score_(self) -> float: ...

class _Boosting:
    def __init__(
        self,
        n_estimators: int = ...,
        *,
        max_depth: int = ...,
        learning_rate: float = ...,
        reg_lambda: float = ...,
        gamma: float = ...,
        min_child_weight: float = ...,
        subsample: float = ...,
        max_bins: int = ...,
        random_state: Optional[int] = ...,
        n_jobs: Optional[int] = ...,
    ) -> None: ...

class RandomForestClassifier(_Forest, _Classifier): ...
class RandomForestRegressor(_Forest, _Regressor): ...
class GradientBoostingClassifier(_Boosting, _Classifier): ...
class GradientBoostingRegressor(_Boosting, _Regressor): ...

class IsolationForest(_Trees):
    def __init__(
        self,
        n_estimators: int = ...,
        *,
        max_samples: int = ...,
        random_state: Optional[int] = ...,
        n_jobs: Optional[int] = ...,
    ) -> None: ...
    def fit(self: Self, X: Any, y: Any = ...) -> Self: ...
    def score_samples(self, X: Any) -> npt.NDArray[np.float64]: ...
