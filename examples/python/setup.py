# SPDX-License-Identifier: MIT
"""Compiles rowsmith._native from the headers of the library beside which this folder lies.

Environment: CXX, the compiler; ROWSMITH_MARCH, the processor that is compiled for: native unless told otherwise, empty
for any; ROWSMITH_CXXFLAGS, flags added behind all others; ROWSMITH_ROOT, the folder that holds include/rowsmith.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get("ROWSMITH_ROOT") or HERE.parent.parent)
HEADERS = ROOT / "include"
if not (HEADERS / "rowsmith/rowsmith.hpp").is_file():
    sys.exit(f"rowsmith: {HEADERS} does not hold the library's headers; install from a checkout of the whole repository, "
             "or set ROWSMITH_ROOT to one")


def version():
    text = (HEADERS / "rowsmith/core/version.hpp").read_text(encoding="utf-8")
    return re.search(r'#define ROWSMITH_VERSION "([0-9.]+)"', text).group(1)


class Build(build_ext):
    """One source, compiled by one call: Python's own flags are those of C, and not those of the library's programs."""

    def build_extension(self, ext):
        import pybind11
        target = self.get_ext_fullpath(ext.name)
        compiler = shlex.split(os.environ.get("CXX") or shutil.which("c++") or "g++")
        if shutil.which("ccache") and "ccache" not in compiler[0]:
            compiler.insert(0, "ccache")
        march = os.environ.get("ROWSMITH_MARCH", "native")
        includes = [f"-I{HEADERS}"]
        for folder in (pybind11.get_include(), sysconfig.get_paths()["include"], "/usr/include/eigen3"):
            includes += ["-isystem", folder]
        flags = ["-std=c++20", "-O3", "-DNDEBUG", "-fPIC", "-fvisibility=hidden", "-fopenmp"]
        if march:
            flags.append(f"-march={march}")
        flags += shlex.split(os.environ.get("ROWSMITH_CXXFLAGS", ""))
        folder = pathlib.Path(self.build_temp)
        made, record = folder / "module.o", folder / "commands.txt"
        link = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
        commands = [[*compiler, *flags, *includes, "-c", *ext.sources, "-o", str(made)],
                    [*[part for part in compiler if part != "ccache"], "-shared", "-fopenmp", *link, str(made), "-o", target]]
        text = "".join(shlex.join(command) + "\n" for command in commands)
        depends = [pathlib.Path(name) for name in ext.sources + ext.depends]
        if not self.force and record.exists() and record.read_text() == text and os.path.exists(target) and all(
                path.stat().st_mtime < os.path.getmtime(target) for path in depends):
            return
        pathlib.Path(target).parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        for command in commands:
            print(shlex.join(command), flush=True)
            try:
                subprocess.run(command, check=True)
            except (OSError, subprocess.CalledProcessError) as error:
                sys.exit(f"rowsmith: the extension was not built: {error}. It needs a C++20 compiler with OpenMP, and as "
                         "Debian calls them libeigen3-dev libfccp-dev librandom123-dev nlohmann-json3-dev pybind11-dev")
        record.write_text(text)


os.chdir(HERE)
setup(
    version=version(),
    ext_modules=[
        Extension("rowsmith._native", ["native/module.cpp"],
                  depends=[str(path) for folder in (HERE / "native", HEADERS)
                           for path in sorted(folder.rglob("*.hpp"))])
    ],
    cmdclass={"build_ext": Build},
)
