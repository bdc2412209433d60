# SPDX-License-Identifier: MIT
"""The library's forests and boosted trees, with the interface of scikit-learn's estimators.

Features are a matrix of numbers, or a DataFrame of numbers, booleans and categories: texts and categories are told apart
without an order where the model can (random forests of two classes or of numbers, isolation forests), elsewhere by the
order of their names. Missing values need no treatment. With scikit-learn installed, estimators are its
`BaseEstimator`s: pipelines, cross-validation and searches take them.
"""
import inspect

import numpy as np
import pandas as pd
from pandas.api import types

from . import _native

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin, RegressorMixin
except ImportError:

    class BaseEstimator:
        """get_params and set_params as scikit-learn has them."""

        @classmethod
        def _get_param_names(cls):
            return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

        def get_params(self, deep=True):
            del deep  # no parameter is an estimator
            return {name: getattr(self, name) for name in self._get_param_names()}

        def set_params(self, **params):
            for name, value in params.items():
                if name not in self._get_param_names():
                    raise ValueError(f"{type(self).__name__} has no parameter {name!r}, only: "
                                     f"{', '.join(self._get_param_names())}")
                setattr(self, name, value)
            return self

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_params().items())})"

    class ClassifierMixin:
        _estimator_type = "classifier"

        def score(self, X, y):
            """The share of rows whose class is predicted."""
            return float(np.mean(self.predict(X) == np.asarray(y)))

    class RegressorMixin:
        _estimator_type = "regressor"

        def score(self, X, y):
            """R² of the predictions."""
            y = np.asarray(y, dtype=np.float64)
            return float(1 - np.sum((y - self.predict(X))**2) / np.sum((y - y.mean())**2))

    class OutlierMixin:
        _estimator_type = "outlier_detector"

__all__ = ["GradientBoostingClassifier", "GradientBoostingRegressor", "IsolationForest", "RandomForestClassifier",
           "RandomForestRegressor"]


class _Trees(BaseEstimator):
    """What all have in common: how features become a matrix."""

    def _learn_features(self, X):
        """The matrix of the training rows, and by feature whether it has no order."""
        self._categories = None
        if isinstance(X, pd.DataFrame):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
            self._categories = {}
            for name in X.columns:
                if not types.is_numeric_dtype(X[name].dtype):
                    present = X[name].dropna().unique()
                    self._categories[name] = {value: code for code, value in enumerate(sorted(present, key=str))}
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        matrix = self._matrix(X)
        self.n_features_in_ = matrix.shape[1]
        if matrix.shape[0] == 0 or matrix.shape[1] == 0:
            raise ValueError(f"X has {matrix.shape[0]} rows and {matrix.shape[1]} columns, expected one at least")
        return matrix, [] if not self._categories else [name in self._categories for name in X.columns]

    def _matrix(self, X):
        if self._categories is None:
            if isinstance(X, pd.DataFrame):
                X = X.to_numpy(dtype=np.float64, na_value=np.nan)
            matrix = np.asfortranarray(X, dtype=np.float64)
            if matrix.ndim != 2:
                raise ValueError(f"X has {matrix.ndim} dimensions, expected 2: rows and columns")
            if hasattr(self, "n_features_in_") and self._fitted and matrix.shape[1] != self.n_features_in_:
                raise ValueError(f"X has {matrix.shape[1]} features, expected {self.n_features_in_}")
            return matrix
        if not isinstance(X, pd.DataFrame) or list(X.columns) != list(self.feature_names_in_):
            raise ValueError(f"X: expected a DataFrame of the columns {', '.join(map(str, self.feature_names_in_))}, in this "
                             "order")
        matrix = np.empty((len(X), X.shape[1]), dtype=np.float64, order="F")
        for f, name in enumerate(X.columns):
            if name not in self._categories:
                matrix[:, f] = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
                continue
            codes = X[name].astype(object).map(self._categories[name])
            unknown = codes.isna() & X[name].notna()
            if unknown.any():
                raise ValueError(f"X: column '{name}' holds {X[name][unknown].iloc[0]!r}, which no training row had")
            matrix[:, f] = codes.to_numpy(dtype=np.float64, na_value=np.nan)
        return matrix

    @property
    def _fitted(self):
        return hasattr(self, "_model")

    def _check_fitted(self):
        if not self._fitted:
            raise ValueError(f"this {type(self).__name__} is not fitted yet; call fit first")

    def _options(self, options, **values):
        values["seed"] = 0 if self.random_state is None else self.random_state
        values["threads"] = self._threads()
        for name, value in values.items():
            try:
                setattr(options, name, value)
            except TypeError:
                raise ValueError(f"{type(self).__name__}: {value!r} is no value for {name}, which is a "
                                 f"{type(getattr(options, name)).__name__}") from None
        return options

    def _threads(self):
        return 0 if self.n_jobs in (None, -1) else self.n_jobs

    @property
    def feature_importances_(self):
        """By feature; they add up to 1, or are all 0 if nothing was ever split."""
        self._check_fitted()
        return np.asarray(self._model.importances())


class _Classifier(ClassifierMixin, _Trees):
    def fit(self, X, y):
        """Learns the class of each row."""
        self.__dict__.pop("_model", None)
        matrix, categorical = self._learn_features(X)
        y = np.asarray(y)
        if y.shape != (matrix.shape[0],):
            raise ValueError(f"y has the shape {y.shape}, expected one class for each of {matrix.shape[0]} rows")
        if pd.isna(y).any():
            raise ValueError(f"y is missing in row {int(pd.isna(y).argmax())}, expected a class")
        self.classes_, labels = np.unique(y, return_inverse=True)
        if not 2 <= len(self.classes_) <= 65535:
            raise ValueError(f"y has {len(self.classes_)} classes, expected 2 to 65535")
        self._model = self._native.fit(matrix, categorical, np.empty(0), labels.astype(np.uint16), len(self.classes_),
                                       self._native_options())
        self.n_classes_ = len(self.classes_)
        return self

    def predict_proba(self, X):
        """Class probabilities, rows × classes in the order of `classes_`."""
        self._check_fitted()
        return self._model.predict(self._matrix(X), self._threads()).reshape(-1, len(self.classes_))

    def predict(self, X):
        """The likeliest class of each row."""
        self._check_fitted()
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class _Regressor(RegressorMixin, _Trees):
    def fit(self, X, y):
        """Learns a number for each row."""
        self.__dict__.pop("_model", None)
        matrix, categorical = self._learn_features(X)
        y = np.ascontiguousarray(y, dtype=np.float64)
        if y.shape != (matrix.shape[0],):
            raise ValueError(f"y has the shape {y.shape}, expected one number for each of {matrix.shape[0]} rows")
        self._model = self._native.fit(matrix, categorical, y, np.empty(0, dtype=np.uint16), 0, self._native_options())
        return self

    def predict(self, X):
        """A number for each row."""
        self._check_fitted()
        return self._model.predict(self._matrix(X), self._threads())


class _Forest:
    def __init__(self, n_estimators=100, *, max_features=None, min_samples_leaf=1, max_depth=None, bootstrap=True,
                 max_bins=256, oob_score=False, random_state=0, n_jobs=None):
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.max_depth = max_depth
        self.bootstrap = bootstrap
        self.max_bins = max_bins
        self.oob_score = oob_score
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _native_options(self):
        return self._options(_native.ForestOptions(), trees=self.n_estimators, max_features=self.max_features or 0,
                             min_samples_leaf=self.min_samples_leaf, max_depth=self.max_depth or 0,
                             bootstrap=self.bootstrap, max_bins=self.max_bins, out_of_bag=self.oob_score)

    @property
    def oob_score_(self):
        """Of `oob_score=True`: accuracy or R² of the training rows, each by trees that have not seen it."""
        if not (self._fitted and self.oob_score):
            raise AttributeError("oob_score_: fit with oob_score=True")
        return self._model.out_of_bag_score()


class _Boosting:
    def __init__(self, n_estimators=100, *, max_depth=6, learning_rate=0.3, reg_lambda=1.0, gamma=0.0,
                 min_child_weight=1.0, subsample=1.0, max_bins=255, random_state=0, n_jobs=None):
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.reg_lambda = reg_lambda
        self.gamma = gamma
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.max_bins = max_bins
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _native_options(self):
        return self._options(_native.BoostingOptions(), rounds=self.n_estimators, max_depth=self.max_depth,
                             learning_rate=self.learning_rate, penalty=self.reg_lambda, gamma=self.gamma,
                             min_child_weight=self.min_child_weight, subsample=self.subsample, max_bins=self.max_bins)


class RandomForestClassifier(_Forest, _Classifier):
    """A random forest with scikit-learn's defaults. max_features: None for the square root of their number."""
    _native = _native.ForestClassifier


class RandomForestRegressor(_Forest, _Regressor):
    """A random forest for numbers. max_features: None for all."""
    _native = _native.ForestRegressor


class GradientBoostingClassifier(_Boosting, _Classifier):
    """Boosted trees with XGBoost's gains, defaults and names of options."""
    _native = _native.BoostingClassifier


class GradientBoostingRegressor(_Boosting, _Regressor):
    """Boosted trees for numbers: squared error."""
    _native = _native.BoostingRegressor


class IsolationForest(OutlierMixin, _Trees):
    """An isolation forest. `score_samples` is the lower, the odder a row is, as scikit-learn has it."""

    def __init__(self, n_estimators=100, *, max_samples=256, random_state=0, n_jobs=None):
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Learns what usual rows are; y is not looked at."""
        del y
        self.__dict__.pop("_model", None)
        matrix, categorical = self._learn_features(X)
        options = self._options(_native.IsolationOptions(), trees=self.n_estimators, samples=self.max_samples)
        self._model = _native.IsolationForest.fit(matrix, categorical, options)
        return self

    def score_samples(self, X):
        """Near −1 for odd rows, −0.5 and more for others."""
        self._check_fitted()
        return -self._model.score(self._matrix(X), self._threads())

    @property
    def feature_importances_(self):
        raise AttributeError("feature_importances_: an isolation forest has none")
