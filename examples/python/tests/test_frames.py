# SPDX-License-Identifier: MIT
"""Data frames come back with the dtypes that they went in with, or an error says what to do."""
import datetime
import decimal
import unittest
import warnings

import numpy as np
import pandas as pd

import rowsmith
from tables import ROWS, people, simple


class TestDtypes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.frame = people()
        cls.model = rowsmith.Synthesizer.fit(cls.frame, label="label", recipe="trees", quick=True, threads=1)
        cls.made = cls.model.sample(200, seed=3)

    def test_columns_and_dtypes_are_those_of_the_frame(self):
        self.assertEqual(list(self.made.columns), list(self.frame.columns))
        for name in self.frame.columns:
            self.assertEqual(self.made[name].dtype, self.frame[name].dtype, name)
        self.assertEqual(len(self.made), 200)

    def test_roles(self):
        roles = self.model.columns
        self.assertEqual(roles["key"], "identifier")
        self.assertEqual(roles["note"], "text")
        self.assertEqual(roles["written"], "date")
        self.assertEqual(roles["label"], "category")
        self.assertEqual(roles["price"], "real")

    def test_values_are_of_their_columns_kind(self):
        made = self.made
        self.assertTrue(made["key"].min() >= 1000 + ROWS)
        self.assertTrue(made["key"].is_unique)
        self.assertTrue((made["price"] == made["price"].round(2)).all())
        self.assertTrue((made["narrow"] == made["narrow"].astype("float64").round(3).astype("float32")).all())
        self.assertTrue((made["day"] == made["day"].dt.normalize()).all())
        self.assertEqual(set(made["job"].dropna()), {"clerk", "cook"})
        self.assertTrue(made["job"].isna().any())
        self.assertTrue(made["gaps"].isna().any())
        self.assertTrue(made["holes"].isna().any())
        self.assertTrue(made["perhaps"].isna().any())
        self.assertEqual(list(made["town"].cat.categories), ["Oslo", "Köln", "Bern"])
        self.assertNotIn("Oslo", set(made["town"]))
        self.assertEqual(set(made["label"]), {0, 1})
        self.assertEqual(set(made["note"]), {"[text]"})
        self.assertTrue(pd.to_datetime(made["written"]).between("2019-12-01", "2022-12-31").all())
        self.assertTrue(made["at"].between("2020-12-31", "2021-06-01").all())
        self.assertTrue((made["exact"] == made["exact"].dt.floor("ms")).all())
        self.assertGreater((made["nanoseconds"] % 1000 != 0).mean(), 0.9)

    def test_rows_are_scored_whatever_made_them(self):
        for rows in (self.frame, self.made):
            score = self.model.score(rows)
            self.assertEqual(score.shape, (len(rows),))
            self.assertEqual(score.dtype, np.float64)
            self.assertTrue(np.isfinite(score).all())
        odd = self.frame.head(3).assign(job="pilot")
        self.assertTrue((self.model.score(odd) == -np.inf).all())
        shuffled = self.frame[list(reversed(self.frame.columns))]
        np.testing.assert_array_equal(self.model.score(shuffled), self.model.score(self.frame))

    def test_columns_that_are_not_learnt_need_not_be_scored(self):
        rows = self.frame.drop(columns=["key", "note"])
        np.testing.assert_array_equal(self.model.score(rows), self.model.score(self.frame))
        with self.assertRaisesRegex(ValueError, "the column 'age' is missing"):
            self.model.score(self.frame.drop(columns="age"))
        with self.assertRaisesRegex(ValueError, "the column 'more' is none of the model's"):
            self.model.score(self.frame.assign(more=1))
        with self.assertRaisesRegex(ValueError, "column 'age' is of dtype object, expected numbers"):
            self.model.score(self.frame.assign(age=self.frame["age"].astype(str)))

    def test_conditions(self):
        made = self.model.sample(50, seed=1, where=["age >= 60", "town = Bern", "day >= 2021-01-01", "job is present"])
        self.assertTrue((made["age"] >= 60).all())
        self.assertTrue((made["town"] == "Bern").all())
        self.assertTrue((made["day"] >= "2021-01-01").all())
        self.assertTrue(made["job"].notna().all())
        with self.assertRaises(rowsmith.SchemaError):
            self.model.sample(5, where="wage > 3")
        with self.assertRaises(rowsmith.RareConditionsError):
            self.model.sample(5, where="age > 1000")
        balanced = self.model.sample(400, balance="label")["label"].mean()
        self.assertAlmostEqual(balanced, 0.5, delta=0.02)

    def test_partial_rows_are_completed(self):
        given = self.frame[["key", "age", "town", "day", "gaps", "label"]].head(40).set_axis(range(100, 140))
        given = given.assign(age=given["age"].where(given["age"] > 40), town=given["town"].where(given["age"] < 70))
        made = self.model.complete(given, seed=2)
        self.assertEqual(list(made.columns), list(self.frame.columns))
        self.assertEqual(list(made.index), list(given.index))
        for name in self.frame.columns:
            self.assertEqual(made[name].dtype, self.frame[name].dtype, name)
        for name in ("key", "age", "town", "day", "label"):
            there = given[name].notna()
            self.assertTrue((made[name][there] == given[name][there]).all(), name)
            self.assertTrue(made[name].notna().all(), name)
        pd.testing.assert_frame_equal(made, self.model.complete(given, seed=2, threads=1))
        self.assertFalse(made.equals(self.model.complete(given, seed=3)))
        self.assertTrue(self.model.complete(given, fill="expect")["age"].notna().all())

    def test_partial_rows_that_do_not_fit(self):
        with self.assertRaisesRegex(ValueError, "'wage' is none of the model's"):
            self.model.complete(pd.DataFrame({"wage": [1.0]}))
        with self.assertRaisesRegex(ValueError, "none of the columns that the model learnt"):
            self.model.complete(pd.DataFrame({"note": ["a"]}))
        with self.assertRaisesRegex(ValueError, "expected draw or expect"):
            self.model.complete(self.frame.head(3), fill="mean")
        with self.assertRaisesRegex(ValueError, "--where-file"):
            self.model.complete("rows.csv")
        with self.assertWarnsRegex(rowsmith.DataWarning, "1 cells hold categories that the model does not know"):
            made = self.model.complete(pd.DataFrame({"job": ["pilot", None]}))
        self.assertEqual(made["job"][0], "pilot")
        with self.assertWarnsRegex(rowsmith.DataWarning, "'age' holds numbers that are not whole"):
            self.assertEqual(self.model.complete(pd.DataFrame({"age": [30.5]}))["age"][0], 30.5)

    def test_the_frame_is_not_changed(self):
        pd.testing.assert_frame_equal(self.frame, people())


class TestCells(unittest.TestCase):
    def fit(self, frame, **options):
        return rowsmith.Synthesizer.fit(frame, recipe="trees", quick=True, threads=1, **options)

    def test_what_a_table_cannot_hold_is_refused_with_advice(self):
        good = simple(60)
        cases = {
            "use .dt.total_seconds": pd.Series(pd.to_timedelta(np.arange(60), unit="s")),
            "use .dt.to_timestamp": pd.Series(pd.period_range("2020-01", periods=60, freq="M")),
            r"use .replace\(": pd.Series(np.r_[np.inf, np.arange(59.0)]),
            "use .astype\\(float\\)": pd.Series([decimal.Decimal(i) for i in range(60)]),
            "use pd.to_datetime": pd.Series([datetime.date(2020, 1, 1 + i % 28) for i in range(60)]),
            "use .astype\\('boolean'\\)": pd.Series([True, None, False] * 20, dtype=object),
            "use pd.to_numeric": pd.Series([1, "2", None] * 20, dtype=object),
            "use .dt.floor\\('us'\\)": pd.Series(pd.to_datetime(1_600_000_000_000_000_001 + np.arange(60) * 10**12)),
            "are too far apart": pd.Series(np.r_[-2**62, 2**62, np.arange(58) % 7]),
            "no text that UTF-8 can write": pd.Series(["\ud800", "a"] * 30),
            "use .astype\\(str\\), or drop": pd.Series([[1]] * 60),
        }
        for advice, column in cases.items():
            with self.subTest(advice), self.assertRaisesRegex(ValueError, advice):
                self.fit(good.assign(odd=column.to_numpy() if column.dtype == object else column))

    def test_names_and_index(self):
        frame = simple(60)
        with self.assertRaisesRegex(ValueError, "the column name 0 is no text"):
            self.fit(pd.DataFrame(np.zeros((60, 2))))
        with self.assertRaisesRegex(ValueError, "'x' is there twice"):
            self.fit(pd.concat([frame, frame[["x"]]], axis=1))
        with self.assertRaisesRegex(ValueError, r"reset_index\(\)"):
            self.fit(frame.set_index("n"))
        with self.assertRaisesRegex(ValueError, "expected a pandas DataFrame or the path"):
            self.fit(3)
        with self.assertRaisesRegex(ValueError, "no rows"):
            self.fit(frame.head(0))
        with self.assertRaisesRegex(ValueError, "'nothing' is no column"):
            self.fit(frame, label="nothing")
        with self.assertRaisesRegex(ValueError, "expected one of category"):
            self.fit(frame, roles={"x": "number"})
        with self.assertRaisesRegex(ValueError, "is of files"):
            self.fit(frame, delimiter=";")
        with self.assertRaisesRegex(ValueError, "expected one of default"):
            rowsmith.Synthesizer.fit(frame, recipe="best")

    def test_texts_of_numbers_stay_texts(self):
        frame = simple(200).assign(zip=[str(10000 + i % 150) for i in range(200)])
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = self.fit(frame)
        self.assertEqual(model.columns["zip"], "category")
        self.assertTrue(any(issubclass(one.category, rowsmith.DataWarning) and "zip" in str(one.message) for one in said))
        self.assertTrue(set(model.sample(50)["zip"]) <= set(frame["zip"]))

    def test_declared_roles(self):
        frame = simple(200)
        model = self.fit(frame, roles={"n": "category", "town": "text", "x": "dropped"})
        made = model.sample(20)
        self.assertEqual(list(made.columns), ["n", "town", "label"])
        self.assertEqual(made["n"].dtype, frame["n"].dtype)
        self.assertTrue(set(made["n"]) <= set(frame["n"]))
        self.assertEqual(set(made["town"]), {"[text]"})

    def test_missing_text_and_empty_text_differ(self):
        frame = simple(200).assign(word=np.array(["", "a", None, "NA"], dtype=object)[np.arange(200) % 4])
        made = self.fit(frame).sample(300)["word"]
        self.assertEqual(set(made.dropna()), {"", "a", "NA"})
        self.assertTrue(made.isna().any())

    def test_a_row_index_is_no_column(self):
        frame = simple(120)
        shuffled = frame.set_axis(np.random.default_rng(3).permutation(120))
        self.assertEqual(self.fit(frame), self.fit(shuffled))

    def test_folded_categories(self):
        frame = simple(200)
        frame["town"] = pd.Categorical(np.where(np.arange(200) < 3, "Rare", frame["town"]))
        model = self.fit(frame, min_category_rows=10)
        self.assertNotIn("Rare", "".join(model._model.notes.values()))
        self.assertNotIn("Rare", list(model.sample(50)["town"].cat.categories))
        with self.assertRaisesRegex(ValueError, "categories that are no texts"):
            self.fit(frame.assign(flag=True), min_category_rows=10)

    def test_tables_that_become_frames(self):
        class Arrow:
            def to_pandas(self):
                return simple(120)

        self.assertEqual(self.fit(Arrow()), self.fit(simple(120)))


if __name__ == "__main__":
    unittest.main()
