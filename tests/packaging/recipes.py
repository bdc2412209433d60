# SPDX-License-Identifier: MIT
"""Runs the recipes of Conan with stand-ins for its modules, which do with CMake what Conan would.

usage: python3 recipes.py CHECKOUT WORK VERSION COMPILER GENERATOR
"""
import fnmatch
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
import types

checkout, work, version, compiler, generator = sys.argv[1:]
work = pathlib.Path(work)
downloads = []


class ConanFile:
    def __init__(self, recipe):
        self.recipe_folder = os.path.dirname(recipe)
        for name in ("export_sources", "source", "build", "package"):
            folder = work / self.name / name
            folder.mkdir(parents=True)
            setattr(self, name + "_folder", str(folder))
        self.requirements_told = []
        self.requires = self.requirements_told.append
        self.cpp_info = types.SimpleNamespace(builddirs=[], set_property=lambda *_: None)
        self.info = types.SimpleNamespace(clear=lambda: None)


def copy(_, pattern, source, target):
    copied = 0
    for path in sorted(pathlib.Path(source).rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_file() and fnmatch.fnmatchcase(name, pattern):
            (pathlib.Path(target) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, pathlib.Path(target) / name)
            copied += 1
    assert copied, f"{pattern}: nothing in {source}"


class CMakeToolchain:
    def __init__(self, conanfile):
        self.conanfile = conanfile
        self.cache_variables = {}

    def generate(self):
        self.conanfile.variables_told = self.cache_variables


class CMake:
    def __init__(self, conanfile):
        self.conanfile = conanfile

    def configure(self):
        variables = {name: {False: "OFF", True: "ON"}.get(value, value)
                     for name, value in self.conanfile.variables_told.items()}
        said = subprocess.run(
            ["cmake", "-G", generator, "-S", self.conanfile.source_folder, "-B", self.conanfile.build_folder,
             "-DCMAKE_CXX_COMPILER=" + compiler] + [f"-D{name}={value}" for name, value in variables.items()],
            check=True, capture_output=True, text=True)
        assert "not used by the project" not in said.stderr, said.stderr

    def install(self, component):
        subprocess.run(["cmake", "--install", self.conanfile.build_folder, "--prefix", self.conanfile.package_folder,
                        "--component", component], check=True, capture_output=True)


def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


nothing = lambda *_, **__: None
module("conan", ConanFile=ConanFile)
module("conan.tools")
module("conan.tools.build", check_min_cppstd=nothing)
module("conan.tools.cmake", CMake=CMake, CMakeToolchain=CMakeToolchain, cmake_layout=nothing,
       CMakeDeps=lambda _: types.SimpleNamespace(generate=nothing))
module("conan.tools.files", copy=copy, load=lambda _, path: pathlib.Path(path).read_text(encoding="utf-8"),
       get=lambda _, url, sha256, strip_root: downloads.append((url, sha256)))
module("conan.tools.layout", basic_layout=nothing)


def recipe(path, name):
    path = os.path.join(checkout, ".packaging", "conan", path)
    return runpy.run_path(path)[name](path)


shutil.rmtree(work, ignore_errors=True)
rowsmith = recipe("conanfile.py", "RowsmithConan")
rowsmith.set_version()
assert rowsmith.version == version, rowsmith.version
rowsmith.export_sources()
shutil.rmtree(rowsmith.source_folder)
shutil.copytree(rowsmith.export_sources_folder, rowsmith.source_folder)
for step in (rowsmith.layout, rowsmith.requirements, rowsmith.validate, rowsmith.package_id, rowsmith.generate,
             rowsmith.build, rowsmith.package, rowsmith.package_info):
    step()
package = pathlib.Path(rowsmith.package_folder)
for file in ("include/rowsmith/rowsmith.hpp", "licenses/LICENSE", rowsmith.cpp_info.builddirs[0] + "/rowsmithConfig.cmake"):
    assert (package / file).is_file(), f"the package has no {file}"

random123 = recipe("random123/conanfile.py", "Random123Conan")
assert f"{random123.name}/{random123.version}" in rowsmith.requirements_told
random123.source()
# What the build itself would download.
fetched = pathlib.Path(checkout, ".cmake", "dependencies.cmake").read_text(encoding="utf-8")
for text in downloads[0]:
    assert text in fetched, text
print("recipes: fine")
