#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Times the Python package against the library in C++, in turns, and prints the ratios.

  cmake --preset release && cmake --build --preset release --target bench_library
  benchmarks/compare_python.py --table people.csv --label income --python env/bin/python

Both sides do the same in one process each: read the file and fit the default recipe (`Synthesizer.fit(path)` here, its
parts there), then sample; with the same options, seed and threads. Their model files must be the same bytes, or nothing is
printed. The package's sample ends with a data frame, the library's with a `Table`: what the frame costs is the package's.
Starting the processes and importing pandas and rowsmith is in neither; it is printed apart. Both sides are compiled for
this processor with -O3. A figure is the median of the rounds.
"""
import argparse
import filecmp
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The package's side: table, model file, label, rows, seed, threads, quick.
SIDE = """
import json, sys, time
start = time.perf_counter()
import rowsmith
imported = time.perf_counter() - start
table, out, label, rows, seed, threads, quick = sys.argv[1:]
start = time.perf_counter()
model = rowsmith.Synthesizer.fit(table, label=label or None, seed=int(seed), threads=int(threads), quick=bool(int(quick)),
                                 progress=False)
fit = time.perf_counter() - start
start = time.perf_counter()
made = model.sample(int(rows), seed=int(seed), threads=int(threads))
sample = time.perf_counter() - start
model.save(out)
print(json.dumps({"fit_s": fit, "sample_s": sample, "rows": len(made), "import_s": imported}))
"""


def line_of(command):
    """The line of JSON that one side prints; its warnings about the table are left out, its errors are not."""
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"compare_python: {command[0]} failed:\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", required=True, help="a file with a header, such as the Adult table")
    parser.add_argument("--label", default="", help="the column that says what a row is")
    parser.add_argument("--python", default=sys.executable, help="the Python that has the package")
    parser.add_argument("--bench", default=str(ROOT / "build/release/bin/bench_library"), help="the library's side")
    parser.add_argument("--rows", type=int, default=100000, help="to sample")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="of both; 0: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a few steps only, to see that all works: no figures")
    options = parser.parse_args()
    for path in (options.table, options.bench):
        if not os.path.exists(path):
            sys.exit(f"compare_python: {path} does not exist")
    if subprocess.run([options.python, "-c", "import rowsmith"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        sys.exit(f"compare_python: {options.python} has no package rowsmith: pip install ./examples/python, or --python")
    package, library = [], []
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = os.path.join(folder, "library.model"), os.path.join(folder, "package.model")
        for i in range(options.rounds):
            print(f"round {i + 1} of {options.rounds} ...", file=sys.stderr)
            command = [options.bench, options.table, "-o", ours, "--rows", str(options.rows), "--seed", str(options.seed),
                       "--threads", str(options.threads)]
            command += ["--label", options.label] if options.label else []
            library.append(line_of(command + (["--quick"] if options.quick else [])))
            package.append(line_of([options.python, "-c", SIDE, options.table, theirs, options.label, str(options.rows),
                                    str(options.seed), str(options.threads), str(int(options.quick))]))
            if not filecmp.cmp(ours, theirs, shallow=False):
                sys.exit("compare_python: the two model files differ, so that the times are of different work. Are both "
                         "sides of this checkout, by one compiler, for one processor?")

    def median(side, figure):
        return statistics.median(line[figure] for line in side)

    print(f"model files: the same bytes in {options.rounds} rounds; threads: {options.threads or 'all'}; "
          f"importing the package takes {median(package, 'import_s'):.2f} s\n")
    print("| figure | package, s | library, s | ratio | target | |")
    print("|---|---|---|---|---|---|")
    for figure, name in (("fit_s", "fit, file read"), ("sample_s", f"sample of {options.rows:,} rows")):
        ratio = median(package, figure) / median(library, figure)
        print(f"| {name} | {median(package, figure):.3f} | {median(library, figure):.3f} | {ratio:.3f} | ≤ 1.03 | "
              f"{'pass' if ratio <= 1.03 else 'short'} |")


if __name__ == "__main__":
    main()
