# SPDX-License-Identifier: MIT
"""Forests and boosted trees with the interface of scikit-learn's estimators."""
import unittest

import numpy as np
import pandas as pd

import rowsmith
from rowsmith import ensemble

try:
    import sklearn
    import sklearn.base
    import sklearn.ensemble
    import sklearn.model_selection
    import sklearn.pipeline
    import sklearn.preprocessing
except ImportError:
    sklearn = None

RNG = np.random.default_rng(5)
X = RNG.normal(size=(400, 4))
Y = np.array(["a", "b", "c"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)]
NUMBERS = 3 * X[:, 0] + np.sin(3 * X[:, 1])
ALL = [getattr(rowsmith, name) for name in ensemble.__all__]


class TestEstimators(unittest.TestCase):
    def test_classifiers(self):
        for kind in (rowsmith.RandomForestClassifier, rowsmith.GradientBoostingClassifier):
            with self.subTest(kind.__name__):
                model = kind(n_estimators=30, random_state=1).fit(X[:300], Y[:300])
                shares = model.predict_proba(X[300:])
                self.assertEqual(shares.shape, (100, 3))
                np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
                self.assertEqual(list(model.classes_), ["a", "b", "c"])
                self.assertGreater(model.score(X[300:], Y[300:]), 0.85)
                self.assertAlmostEqual(model.feature_importances_.sum(), 1)
                again = kind(n_estimators=30, random_state=1, n_jobs=1).fit(X[:300], Y[:300])
                np.testing.assert_array_equal(again.predict_proba(X[300:]), shares)

    def test_regressors(self):
        for kind in (rowsmith.RandomForestRegressor, rowsmith.GradientBoostingRegressor):
            with self.subTest(kind.__name__):
                model = kind(n_estimators=50).fit(X[:300], NUMBERS[:300])
                self.assertGreater(model.score(X[300:], NUMBERS[300:]), 0.85)

    def test_isolation(self):
        model = rowsmith.IsolationForest(random_state=2).fit(X)
        usual, odd = model.score_samples(X).mean(), model.score_samples(np.full((1, 4), 9.0))[0]
        self.assertLess(odd, usual - 0.1)

    def test_parameters(self):
        for kind in ALL:
            with self.subTest(kind.__name__):
                model = kind(n_estimators=7)
                params = model.get_params()
                self.assertEqual(params["n_estimators"], 7)
                self.assertIs(model.set_params(n_estimators=9), model)
                self.assertEqual(model.n_estimators, 9)
                self.assertEqual(kind(**params).get_params(), params)
                with self.assertRaises(ValueError):
                    model.set_params(leaves=3)
                self.assertIn("n_estimators=9", repr(model))

    def test_out_of_bag(self):
        model = rowsmith.RandomForestClassifier(oob_score=True).fit(X, Y)
        self.assertGreater(model.oob_score_, 0.85)
        with self.assertRaises(AttributeError):
            rowsmith.RandomForestClassifier().fit(X, Y).oob_score_

    def test_frames(self):
        frame = pd.DataFrame({"x": X[:, 0], "town": pd.Categorical(np.where(X[:, 1] > 0.5, "Bern", "Oslo")),
                              "n": pd.array([None, 1] * 200, dtype="Int64")})
        model = rowsmith.RandomForestClassifier(n_estimators=30).fit(frame, Y)
        self.assertGreater(model.score(frame, Y), 0.95)
        self.assertEqual(list(model.feature_names_in_), ["x", "town", "n"])
        with self.assertRaisesRegex(ValueError, "'Rome', which no training row had"):
            model.predict(frame.assign(town="Rome"))
        with self.assertRaisesRegex(ValueError, "expected a DataFrame of the columns x, town, n"):
            model.predict(frame[["town", "x", "n"]])

    def test_what_is_refused(self):
        model = rowsmith.RandomForestClassifier(n_estimators=3)
        with self.assertRaisesRegex(ValueError, "not fitted"):
            model.predict(X)
        with self.assertRaisesRegex(ValueError, "2 to 65535"):
            model.fit(X, np.zeros(400))
        with self.assertRaisesRegex(ValueError, "expected one class for each"):
            model.fit(X, Y[:3])
        model.fit(X, Y)
        with self.assertRaisesRegex(ValueError, "3 features, expected 4"):
            model.predict(X[:, :3])
        with self.assertRaisesRegex(ValueError, "'sqrt' is no value for max_features"):
            rowsmith.RandomForestClassifier(max_features="sqrt").fit(X, Y)
        with self.assertRaises(rowsmith.OptionError):
            rowsmith.RandomForestClassifier(n_estimators=0).fit(X, Y)

    @unittest.skipIf(sklearn is None, "scikit-learn is not there")
    def test_scikit_learn_takes_them(self):
        for kind in (rowsmith.RandomForestClassifier, rowsmith.GradientBoostingClassifier):
            with self.subTest(kind.__name__):
                model = kind(n_estimators=20)
                self.assertTrue(sklearn.base.is_classifier(model))
                self.assertEqual(sklearn.base.clone(model).get_params(), model.get_params())
                scores = sklearn.model_selection.cross_val_score(model, X, Y, cv=3)
                theirs = sklearn.model_selection.cross_val_score(sklearn.ensemble.RandomForestClassifier(20), X, Y, cv=3)
                self.assertGreater(scores.mean(), theirs.mean() - 0.05)
                pipe = sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), model)
                search = sklearn.model_selection.GridSearchCV(
                    pipe, {f"{kind.__name__.lower()}__max_depth": [2, 6]}, cv=2).fit(X, Y)
                self.assertEqual(len(search.cv_results_["mean_test_score"]), 2)


if __name__ == "__main__":
    unittest.main()
