# SPDX-License-Identifier: MIT
"""Installs the package into a folder, as pip does it for users, and runs its tests.

usage: run.py FOLDER [--program PROGRAM] [--flags FLAGS]
  FOLDER     where it is built and installed; what is up to date there is not built again
  --program  the program rowsmith, compiled with the same flags: model files are compared with its
  --flags    of the compiler, in place of the package's own for this processor
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program")
    parser.add_argument("--flags")
    options = parser.parse_args()
    source, site = options.folder / "source", options.folder / "site"
    environment = dict(os.environ, ROWSMITH_ROOT=str(HERE.parent.parent), PYTHONDONTWRITEBYTECODE="1")
    if options.flags is not None:
        environment.update(ROWSMITH_MARCH="", ROWSMITH_CXXFLAGS=options.flags)
    # A copy, so that nothing is written among the sources; with their times, by which it is known what is up to date.
    for name in ("native", "rowsmith"):
        shutil.rmtree(source / name, ignore_errors=True)
        shutil.copytree(HERE / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("pyproject.toml", "setup.py"):
        shutil.copy2(HERE / name, source / name)
    shutil.rmtree(site, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-index", "--no-deps",
                    "--no-build-isolation", "--quiet", "--target", str(site), str(source)], env=environment, check=True)
    # Other tests run beside these: threads that wait leave the processor to them.
    environment.update(PYTHONPATH=str(site), OMP_WAIT_POLICY="passive")
    if options.program:
        environment["ROWSMITH_PROGRAM"] = options.program
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "unittest", "discover", "-s", str(HERE / "tests")],
                          env=environment, cwd=options.folder, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
