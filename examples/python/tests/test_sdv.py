# SPDX-License-Identifier: MIT
"""The interface of SDV's synthesizers."""
import tempfile
import unittest

import pandas as pd

import rowsmith
from rowsmith.sdv import RowsmithSynthesizer
from tables import simple

METADATA = {"primary_key": "key",
            "columns": {"key": {"sdtype": "id"}, "x": {"sdtype": "numerical"}, "n": {"sdtype": "categorical"},
                        "town": {"sdtype": "city"}, "label": {"sdtype": "categorical"}}}


class TestAdapter(unittest.TestCase):
    def setUp(self):
        self.frame = simple(200)
        self.frame.insert(0, "key", [f"K{i:04d}" for i in range(200)])

    def test_without_metadata(self):
        model = RowsmithSynthesizer(recipe="trees", quick=True)
        with self.assertRaisesRegex(ValueError, "not fitted"):
            model.sample(3)
        model.fit(self.frame)
        first, second = model.sample(30), model.sample(num_rows=30)
        pd.testing.assert_frame_equal(pd.concat([first, second], ignore_index=True), model.synthesizer.sample(60))
        model.reset_sampling()
        pd.testing.assert_frame_equal(model.sample(30), first)
        with tempfile.NamedTemporaryFile() as file:
            model.save(file.name)
            pd.testing.assert_frame_equal(RowsmithSynthesizer.load(file.name).sample(30), first)

    def test_metadata(self):
        class Metadata:
            def to_dict(self):
                return {"tables": {"people": METADATA}}

        for metadata in (METADATA, Metadata()):
            model = RowsmithSynthesizer(metadata, recipe="trees", quick=True)
            model.fit(self.frame)
            self.assertEqual(model.synthesizer.columns, {"key": "identifier", "x": "real", "n": "category", "town": "text",
                                                         "label": "category"})
            made = model.sample(20)
            self.assertTrue(set(made["n"]) <= set(self.frame["n"]))
            self.assertTrue(made["key"].is_unique)
            self.assertFalse(set(made["key"]) & set(self.frame["key"]))

    def test_dates(self):
        days = [f"{1 + i % 28:02d}.{1 + i % 12:02d}.2020" for i in range(200)]
        for values, fits in ((days, True), (pd.to_datetime(days, dayfirst=True), True), (["spring", "autumn"] * 100, False)):
            frame = self.frame[["x"]].assign(day=values)
            model = RowsmithSynthesizer({"columns": {"x": {"sdtype": "numerical"}, "day": {"sdtype": "datetime"}}},
                                        recipe="trees", quick=True)
            if fits:
                model.fit(frame)
                self.assertEqual(model.sample(5).dtypes["day"], frame.dtypes["day"])
            else:
                with self.assertRaisesRegex(ValueError, "use pd.to_datetime"):
                    model.fit(frame)

    def test_metadata_that_does_not_fit(self):
        for change, why in (({"wage": {"sdtype": "numerical"}}, "'wage' is none of the table's"),
                            ({"town": {"sdtype": "numerical"}}, "column 'town' is numerical, but of dtype object")):
            metadata = {"columns": {**METADATA["columns"], **change}}
            with self.assertRaisesRegex(ValueError, why):
                RowsmithSynthesizer(metadata).fit(self.frame)
        with self.assertRaisesRegex(ValueError, "says nothing of the column 'key'"):
            RowsmithSynthesizer({"columns": {name: {} for name in ("x", "n", "town", "label")}}).fit(self.frame)


class TestStubs(unittest.TestCase):
    """What type checkers are told is what there is."""

    def test_names_and_parameters(self):
        import ast
        import inspect
        import pathlib

        folder = pathlib.Path(rowsmith.__file__).parent
        self.assertTrue((folder / "py.typed").is_file())
        from rowsmith import ensemble, sdv
        for name, module in (("__init__", rowsmith), ("ensemble", ensemble), ("sdv", sdv)):
            tree = ast.parse((folder / f"{name}.pyi").read_text(encoding="utf-8"))
            for node in tree.body:
                if isinstance(node, ast.FunctionDef):
                    self.compare(node, getattr(module, node.name))
                if isinstance(node, ast.ClassDef) and hasattr(module, node.name):
                    for inner in node.body:
                        if isinstance(inner, ast.FunctionDef):
                            self.compare(inner, inspect.getattr_static(getattr(module, node.name), inner.name))
        for name in rowsmith.__all__:
            self.assertIn(name, (folder / "__init__.pyi").read_text(encoding="utf-8"))
            self.assertIsNotNone(getattr(rowsmith, name))

    def compare(self, node, real):
        import inspect
        if isinstance(real, property):
            self.assertTrue(any(getattr(one, "id", "") == "property" for one in node.decorator_list), node.name)
            return
        real = getattr(real, "__func__", real)
        if not real.__module__.startswith("rowsmith"):  # scikit-learn's, where that is installed
            return
        found = [name for name, one in inspect.signature(real).parameters.items()]
        told = [one.arg for one in node.args.args + node.args.kwonlyargs]
        told += [node.args.kwarg.arg] if node.args.kwarg else []
        self.assertEqual(told, found, node.name)


if __name__ == "__main__":
    unittest.main()
