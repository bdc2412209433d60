# SPDX-License-Identifier: MIT
"""Fit, sample, save and load; from files as the program rowsmith does."""
import csv
import io
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np
import pandas as pd

import rowsmith
from tables import simple

PROGRAM = os.environ.get("ROWSMITH_PROGRAM")


class TestFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        cls.csv = cls.path / "people.csv"
        frame = simple(400)
        frame["paid"] = [f"${value:,.2f}" for value in np.random.default_rng(2).gamma(2, 900, 400)]
        frame["day"] = [f"{1 + i % 28}.{1 + i % 12}.{2000 + i % 20}" for i in range(400)]
        frame.loc[frame.index % 7 == 0, "n"] = None
        frame["n"] = frame["n"].astype("Int64")
        frame.to_csv(cls.csv, index=False, sep=";")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @unittest.skipUnless(PROGRAM, "ROWSMITH_PROGRAM does not name the program rowsmith")
    def test_model_files_are_those_of_the_program(self):
        for recipe, options in (("default", {}), ("nearest", {}), ("neural", {"conditional": True}),
                                ("trees", {"min_category_rows": 20}), ("faithful", {})):
            with self.subTest(recipe):
                theirs, ours = self.path / f"{recipe}.theirs", self.path / f"{recipe}.ours"
                flags = ["--conditional"] if "conditional" in options else []
                if "min_category_rows" in options:
                    flags += ["--min-category-rows", "20"]
                self.run_program("fit", self.csv, "--label", "label", "--recipe", recipe, "--quick", "--quiet", "--seed",
                                 "5", *flags, "-o", theirs)
                model = rowsmith.Synthesizer.fit(self.csv, label="label", recipe=recipe, quick=True, seed=5, threads=1,
                                                 **options)
                model.save(ours)
                self.assertTrue(ours.read_bytes() == theirs.read_bytes(), "the files differ")
                self.assertEqual(model, rowsmith.Synthesizer.load(theirs))

    @unittest.skipUnless(PROGRAM, "ROWSMITH_PROGRAM does not name the program rowsmith")
    def test_rows_and_scores_are_those_of_the_program(self):
        path = self.path / "rows.model"
        model = rowsmith.Synthesizer.fit(self.csv, label="label", recipe="trees", quick=True)
        model.save(path)
        made = self.run_program("sample", path, "-n", "500", "--seed", "9", "--where", "n >= 100", "--plain").stdout
        theirs = pd.read_csv(io.BytesIO(made), dtype={"n": "Int64"})
        ours = model.sample(500, seed=9, where="n >= 100")
        self.assertEqual(list(ours.columns), list(theirs.columns))
        np.testing.assert_array_equal(ours["x"], theirs["x"])
        np.testing.assert_array_equal(ours["paid"], theirs["paid"])
        np.testing.assert_array_equal(ours["n"], theirs["n"])
        np.testing.assert_array_equal(ours["town"].astype(str), theirs["town"])
        days = (ours["day"] - pd.Timestamp("1970-01-01")).dt.days
        np.testing.assert_array_equal(days, theirs["day"])
        scored = self.run_program("score", path, self.csv).stdout.decode().splitlines()
        scores = [float(row["score"]) for row in csv.DictReader(scored)]
        np.testing.assert_allclose(-model.score(self.csv), scores, atol=0.0051)

    @unittest.skipUnless(PROGRAM, "ROWSMITH_PROGRAM does not name the program rowsmith")
    def test_the_program_takes_models_of_frames(self):
        path = self.path / "frame.model"
        rowsmith.Synthesizer.fit(simple(), label="label", recipe="trees", quick=True).save(path)
        made = self.run_program("sample", path, "-n", "40", "--seed", "2").stdout
        theirs = pd.read_csv(io.BytesIO(made))
        pd.testing.assert_frame_equal(theirs, rowsmith.Synthesizer.load(path).sample(40, seed=2))
        self.assertIn(b"x", self.run_program("describe", path).stdout)

    def test_frames_of_files(self):
        model = rowsmith.Synthesizer.fit(str(self.csv), label="label", recipe="trees", quick=True)
        made = model.sample(100)
        self.assertEqual({name: str(dtype) for name, dtype in made.dtypes.items()},
                         {"x": "float64", "n": "Int64", "town": "category", "label": "category", "paid": "float64",
                          "day": "datetime64[ns]"})
        self.assertTrue(np.isfinite(model.score(made)).all())

    def test_errors_of_files(self):
        with self.assertRaises(rowsmith.Error) as caught:
            rowsmith.Synthesizer.fit(self.path / "nothing.csv")
        self.assertIn("nothing.csv", str(caught.exception))
        ragged = self.path / "ragged.csv"
        ragged.write_text("a,b\n1,2\n3\n", encoding="utf-8")
        with self.assertRaises(rowsmith.CsvError) as caught:
            rowsmith.Synthesizer.fit(ragged)
        self.assertEqual((caught.exception.file, caught.exception.line), (str(ragged), 3))
        self.assertIsInstance(caught.exception, ValueError)
        with self.assertRaises(rowsmith.ModelFileError):
            rowsmith.Synthesizer.load(self.csv)
        with self.assertRaisesRegex(rowsmith.OptionError, "expected one of integer, real, category"):
            rowsmith.Synthesizer.fit(self.csv, roles={"x": "number"})

    def test_checkpoints(self):
        state = self.path / "fit.checkpoint"

        def interrupt(told):
            if told.stage_number == 2:
                raise KeyboardInterrupt

        options = {"label": "label", "quick": True, "checkpoint": state, "threads": 1}
        with self.assertRaises(KeyboardInterrupt):
            rowsmith.Synthesizer.fit(self.csv, progress=interrupt, **options)
        whole = rowsmith.Synthesizer.fit(self.csv, **options)
        self.assertFalse(state.exists())
        self.assertEqual(whole, rowsmith.Synthesizer.fit(self.csv, label="label", quick=True))


class TestModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.frame = simple()
        cls.model = rowsmith.Synthesizer.fit(cls.frame, label="label", recipe="trees", conditional=True, quick=True)

    def test_rows_depend_on_seed_and_number_alone(self):
        rows = self.model.sample(70_000, seed=4)  # of two blocks
        pd.testing.assert_frame_equal(self.model.sample(50, seed=4, threads=1), rows.head(50))
        tail = self.model.sample(20, seed=4, first_row=69_980)
        pd.testing.assert_frame_equal(tail, rows.tail(20).reset_index(drop=True))
        self.assertFalse(self.model.sample(50, seed=5).equals(rows.head(50)))
        self.assertEqual(len(self.model.sample(0)), 0)
        self.assertEqual(list(self.model.sample(0).dtypes), list(rows.dtypes))

    def test_labels(self):
        self.assertEqual(self.model.label, "label")
        self.assertEqual(set(self.model.labels), {"yes", "no"})
        self.assertEqual(set(self.model.sample(30, label="yes")["label"]), {"yes"})
        with self.assertRaisesRegex(rowsmith.SchemaError, "the labels of column 'label' are"):
            self.model.sample(3, label="maybe")

    def test_numbers_of_rows(self):
        for bad in (-1, 1.5, "3", True):
            with self.assertRaisesRegex(ValueError, "n = .* expected a whole number"):
                self.model.sample(bad)

    def test_copies(self):
        with tempfile.TemporaryDirectory() as folder:
            self.model.save(pathlib.Path(folder) / "model")
            loaded = rowsmith.Synthesizer.load(os.path.join(folder, "model"))
        self.assertEqual(loaded, self.model)
        self.assertEqual(pickle.loads(pickle.dumps(self.model)), self.model)
        pd.testing.assert_frame_equal(loaded.sample(30, seed=1), self.model.sample(30, seed=1))

    def test_words(self):
        self.assertEqual(repr(self.model), "Synthesizer(recipe='trees', columns=4, training_rows=300, label='label', "
                         "conditional=True)")
        self.assertEqual(self.model.notes["recipe"], "trees")
        self.assertIn("town", self.model.card)
        self.assertIsNone(self.model.privacy)
        with self.assertRaises(TypeError):
            rowsmith.Synthesizer()

    def test_relations(self):
        frame = self.frame.assign(total=self.frame["n"] + np.arange(300) % 40, more=np.arange(300) % 40)
        model = rowsmith.Synthesizer.fit(frame, recipe="trees", quick=True)
        self.assertIn("'total' = 'n' + 'more'", model.relations)
        made = model.sample(100)
        self.assertTrue((made["total"] == made["n"] + made["more"]).all())
        broken = frame.head(2).assign(total=7)
        self.assertTrue((model.score(broken) == -np.inf).all())

    def test_private(self):
        frame = self.frame.assign(town=pd.Categorical(self.frame["town"], categories=["Bern", "Köln", "Málaga", "Secret"]),
                                  day=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(300), unit="D"))
        model = rowsmith.Synthesizer.fit(frame, label="label", epsilon=5, delta=1e-3, private_parts="counts",
                                         domains={"n": (0, 1000, 0), "label": ["yes", "no"]})
        self.assertIn("(5, 0.001)", model.privacy.replace("epsilon = 5, delta = 0.001", "(5, 0.001)"))
        self.assertNotIn("Secret", "".join(model._model.notes.values()))
        made = model.sample(100)
        self.assertEqual(list(made.dtypes), [frame[name].dtype if name != "town" else made["town"].dtype for name in frame])
        self.assertTrue(made["n"].between(0, 1000).all())
        self.assertIn("private=True", repr(model))
        self.assertNotIn("training_rows", repr(model))
        for options, why in (({"recipe": "trees"}, "recipe"), ({"conditional": True}, "conditional"),
                             ({"checkpoint": "x"}, "checkpoint"), ({"epsilon": 0}, "epsilon"), ({"delta": 1}, "delta"),
                             ({"domains": {"n": 3}}, "domains")):
            with self.subTest(why), self.assertRaisesRegex(ValueError, why):
                rowsmith.Synthesizer.fit(frame, label="label", **{"epsilon": 1, **options})
        with self.assertRaisesRegex(ValueError, "epsilon="):
            rowsmith.Synthesizer.fit(frame, domains={"n": (0, 1000)})


class TestProgress(unittest.TestCase):
    def test_a_function_is_told(self):
        told = []
        rowsmith.Synthesizer.fit(simple(), quick=True, progress=told.append)
        self.assertTrue(all(isinstance(one, rowsmith.Progress) for one in told))
        self.assertEqual({"autoencoder", "gan"} - {one.stage for one in told}, set())
        self.assertTrue(all(1 <= one.stage_number <= one.stages for one in told))
        self.assertIn("loss", told[0].values)

    def test_what_it_throws_comes_out(self):
        def refuse(_):
            raise RuntimeError("enough")

        with self.assertRaisesRegex(RuntimeError, "enough"):
            rowsmith.Synthesizer.fit(simple(), quick=True, progress=refuse)
        with self.assertRaisesRegex(ValueError, "expected None, True, False or a function"):
            rowsmith.Synthesizer.fit(simple(), quick=True, progress=3)

    def test_lines(self):
        code = ("import sys; sys.path[:0] = %r; import rowsmith, tables; "
                "rowsmith.Synthesizer.fit(tables.simple(), quick=True, progress=%s)")
        for progress, expected in (("True", True), ("None", False), ("False", False)):
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", code % (sys.path, progress)], check=True,
                                  stderr=subprocess.PIPE)
            self.assertEqual(b"autoencoder" in done.stderr, expected, progress)

    def test_control_c_stops_a_fit(self):
        frame = simple(20_000)
        timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            rowsmith.Synthesizer.fit(frame)  # much longer, if nothing stops it

    def test_other_threads_run_meanwhile(self):
        counted = [0, False]

        def count():
            while not counted[1]:
                counted[0] += 1
                time.sleep(0.001)

        thread = threading.Thread(target=count)
        thread.start()
        rowsmith.Synthesizer.fit(simple(), quick=True, recipe="trees")
        counted[1] = True
        thread.join()
        self.assertGreater(counted[0], 20)


if __name__ == "__main__":
    unittest.main()
