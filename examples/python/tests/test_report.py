# SPDX-License-Identifier: MIT
"""Judging synthetic tables."""
import json
import math
import os
import pathlib
import subprocess
import tempfile
import unittest

import pandas as pd

import rowsmith
from tables import people, simple


class TestReport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.train, cls.holdout = simple(300, 1), simple(300, 2)
        cls.made = rowsmith.Synthesizer.fit(cls.train, label="label", recipe="trees", quick=True).sample(300)
        cls.report = rowsmith.evaluate(cls.train, cls.made, cls.holdout, target="label", quick=True, title="T & T")

    def test_figures(self):
        figures = self.report.figures
        self.assertIsInstance(figures, pd.DataFrame)
        self.assertEqual(set(figures["section"]), {"fidelity", "utility", "privacy"})
        figure = self.report["detection.boosted.auc"]
        self.assertEqual(figure.value, figures.loc["detection.boosted.auc", "value"])
        self.assertTrue(0 <= figure.value <= 1)
        self.assertIn(figure.light, ("green", "amber", "red"))
        with self.assertRaisesRegex(KeyError, "only: shapes.mean"):
            self.report["nothing"]

    def test_forms(self):
        self.assertEqual(set(self.report.verdict), {"fidelity", "utility", "privacy"})
        content = json.loads(self.report.to_json())
        self.assertEqual(content["train_rows"], 300)
        self.assertEqual(content, self.report.to_dict())
        self.assertIn("T &amp; T", self.report.to_html())
        self.assertIn("T &amp; T", self.report._repr_html_())
        self.assertIn("Detection", str(self.report))
        self.assertIn("fidelity=", repr(self.report))
        with tempfile.TemporaryDirectory() as folder:
            page, text = pathlib.Path(folder) / "page.html", pathlib.Path(folder) / "report.json"
            self.report.to_html(page)
            self.report.to_json(text)
            self.assertEqual(page.read_text(encoding="utf-8"), self.report.to_html())
            self.assertEqual(json.loads(text.read_text(encoding="utf-8")), content)

    def test_without_hold_out_rows(self):
        told = []
        report = rowsmith.evaluate(self.train, self.made, quick=True, progress=told.append)
        self.assertEqual(set(report.figures["section"]), {"fidelity"})
        self.assertEqual(report["shapes.mean"].value, rowsmith.evaluate(self.train, self.made, quick=True)["shapes.mean"].value)
        self.assertTrue(math.isnan(report["shapes.mean"].ideal))
        self.assertEqual(report.verdict, {})
        self.assertIn("without hold-out rows", repr(report))
        self.assertIn("Detection", report.to_html())
        self.assertEqual({one.stage_number for one in told}, {1, 2, 3})
        with self.assertRaisesRegex(ValueError, "give holdout="):
            rowsmith.evaluate(self.train, self.made, target="label")

    def test_what_is_refused(self):
        with self.assertRaisesRegex(rowsmith.SchemaError, "same rows as the training"):
            rowsmith.evaluate(self.train, self.made, self.train)
        with self.assertRaisesRegex(rowsmith.ShapeError, "at least 100"):
            rowsmith.evaluate(self.train, self.made, self.holdout.head(9))
        with self.assertRaisesRegex(rowsmith.SchemaError, "no column is called 'wage'"):
            rowsmith.evaluate(self.train, self.made, self.holdout, target="wage")
        with self.assertRaisesRegex(ValueError, "synthetic: the column 'town' is missing"):
            rowsmith.evaluate(self.train, self.made.drop(columns="town"))

    def test_files_and_frames_mix(self):
        with tempfile.TemporaryDirectory() as folder:
            path = str(pathlib.Path(folder) / "train.csv")
            self.train.to_csv(path, index=False)
            report = rowsmith.evaluate(path, self.made, self.holdout, target="label", quick=True)
        self.assertEqual(report["shapes.mean"].value, self.report["shapes.mean"].value)

    @unittest.skipUnless(os.environ.get("ROWSMITH_PROGRAM"), "ROWSMITH_PROGRAM does not name the program rowsmith")
    def test_reports_are_those_of_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            names = {}
            for name, frame in (("train", self.train), ("holdout", self.holdout), ("synthetic", self.made)):
                names[name] = str(pathlib.Path(folder) / f"{name}.csv")
                frame.to_csv(names[name], index=False)
            theirs = pathlib.Path(folder) / "report.json"
            subprocess.run([os.environ["ROWSMITH_PROGRAM"], "evaluate", "--train", names["train"], "--holdout",
                            names["holdout"], "--synthetic", names["synthetic"], "--target", "label", "--quick", "--quiet",
                            "--json", theirs], check=True, stdout=subprocess.PIPE)
            ours = rowsmith.evaluate(names["train"], names["synthetic"], names["holdout"], target="label", quick=True)
            figures = json.loads(theirs.read_text(encoding="utf-8"))["figures"]
            self.assertEqual([figure["key"] for figure in figures], list(ours.figures.index))
            for figure in figures:  # optimised otherwise, the last digit may be another
                own = ours[figure["key"]]
                self.assertEqual((own.light, own.title), (figure["light"], figure["title"]))
                if figure["value"] is not None:
                    self.assertAlmostEqual(own.value, figure["value"], delta=1e-9 * max(1, abs(own.value)))

    def test_columns_of_every_kind(self):
        frame = people(240)
        report = rowsmith.evaluate(frame, people(200, 7), people(200, 8), target=["town", "price"], quick=True)
        self.assertIn("efficacy.forest.town", " ".join(report.figures.index))


if __name__ == "__main__":
    unittest.main()
