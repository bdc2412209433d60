# SPDX-License-Identifier: MIT
"""Does what a reader of docs/start does: writes the files, runs the commands of each page in a folder of its own, in order,
and looks at what comes out.

usage: python3 starts.py CHECKOUT ROWSMITH BLOCKS CXX WORK
       python3 starts.py CHECKOUT --installed WORK PART
  ROWSMITH  the program; `fit` and `evaluate` get --quick here: how well they do is tested elsewhere
  BLOCKS    the pages' programs in one, compiled without optimisation (blocks.py). In place of the compiler the commands
            find a script that looks at what it is given, has the compiler read a source with the same flags, and makes a
            program that calls that of the page.
  --installed  nothing is put in place of anything: the program, the compiler, the headers and the Python package are those
            of the machine. PART is a page of docs/start, or, with the files that run and judge left in WORK, `headers` or
            `python`. CHECKOUT needs README.md and docs alone.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import blocks as docs

# What each page promises: a regular expression of grep -E for the output of all of its commands, or a test of its files.
EXPECT = {
    "run": ['rows, 5 columns; commas', '^age,job,hours,wage,income$', 'Detection, boosted trees'],
    "embed": ['^4000 rows$', '^6[0-9],nurse,'],
    "judge": ['^fidelity: red$', '^privacy: red$', 'Efficacy on income, boosted: [0-9.]+ .* red$',
              'Detection, boosted trees: 0\\.9.* red$', 'Exact copies of training rows: 0\\.[45].* red$', '^not released: 1$',
              'figures, privacy is red$'],
    "extend": ['^age,job,hours,wage,income$', '^[1-6][0-9],[a-z]+,[1-5][0-9],[0-9.]+,(high|low)$'],
}
CHECKS = {
    "run": 'test "$(wc -l < synthetic.csv)" = 2001 && test -s report.html && test "$(rowsmith sample people.model -n 40 '
           "--seed 1 --where 'age >= 60' --where 'job = nurse' 2> /dev/null | grep -cE '^6[0-9],nurse,')\" = 40",
    "embed": 'test "$(wc -l < synthetic.csv)" = 4001 && test "$(./service | tr " " ,)" = '
             '"$(sed 1d synthetic.csv | head -n 3 | cut -d, -f1,2)"',
    "judge": "test -s shuffled.html",
    "extend": 'test "$(rowsmith sample own.model -n 3 --seed 1 | wc -l)" = 4',
}


def script(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def headers_of_models(root, work, blocks, cxx):
    """Blocks that include what `rowsmith export` writes, compiled with such a header."""
    for block in blocks:
        if not block.told.startswith("with "):
            continue
        header = block.told.removeprefix("with ").removesuffix(".hpp")
        subprocess.run(["rowsmith", "export", "people.model", "-o", header + ".hpp", "--name", header, "--no-score"]
                       if "score(" not in block.text else
                       ["rowsmith", "export", "people.model", "-o", header + ".hpp", "--name", header],
                       cwd=work / "run", check=True, stdout=subprocess.DEVNULL)
        include, _, body = block.text.partition("\n")
        body = body.replace('"workclass"', '"job"')  # the columns of the start's table
        source = (f"{include}\n#include <string>\ninline void append_csv(std::string& text, const {header}::Row&) {{ text += ','; }}\n"
                  "void statements(std::uint64_t seed, std::uint64_t index, std::uint64_t first, std::uint64_t last, std::string& text);\n"
                  "void statements([[maybe_unused]] std::uint64_t seed, [[maybe_unused]] std::uint64_t index, "
                  "[[maybe_unused]] std::uint64_t first, [[maybe_unused]] std::uint64_t last, "
                  f"[[maybe_unused]] std::string& text) {{\n#line {block.line} \"{root / block.page}\"\n{body}}}\n")
        (work / "run" / "block.cpp").write_text(source, encoding="utf-8")
        subprocess.run([cxx, "-std=c++20", "-fsyntax-only", "block.cpp"], cwd=work / "run", check=True)
        print(f"starts: {block.place} compiles with {header}.hpp")


def run_page(name, blocks, work, environment):
    folder = work / name
    folder.mkdir()
    lines = ["set -eu"]
    for block in blocks:
        if block.told.startswith("not run: ") or block.told == "output":
            continue
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            lines.append(f"echo '== {block.place}' >&2\n{block.text}")
    lines.append(f"{{ {CHECKS[name]}; }} || {{ echo 'the check of starts.py failed' >&2; exit 1; }}")
    done = subprocess.run(["bash", "-c", "\n".join(lines)], cwd=folder, env=environment, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    faults = [] if done.returncode == 0 else [f"ends with {done.returncode}"]
    for expected in EXPECT[name]:
        if subprocess.run(["grep", "-qE", "--", expected], input=done.stdout, text=True, check=False).returncode != 0:
            faults.append(f"does not print '{expected}'")
    if faults:
        sys.exit(f"{done.stdout}\ndocs/start/{name}.md: {'; '.join(faults)}")
    print(f"starts: docs/start/{name}.md does what it says")


def python_start(blocks, work, environment):
    """The five minutes of docs/python.md with the table of docs/start/run.md."""
    block = next(block for block in blocks if block.page == "docs/python.md" and block.language == "python")
    folder = work / "python"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    table = next(block for block in blocks if block.page == "docs/start/run.md" and "> people.csv" in block.text)
    subprocess.run(["bash", "-c", table.text], cwd=folder, env=environment, check=True)
    (folder / "start.py").write_text(block.text + "assert list(made.columns) == list(train.columns)\n"
                                     "assert len(made) == len(train) and list(made.dtypes) == list(train.dtypes)\n",
                                     encoding="utf-8")
    subprocess.run([sys.executable, "start.py"], cwd=folder, env=environment, check=True)
    for name in ("people.model", "report.html"):
        if not (folder / name).is_file():
            sys.exit(f"{block.place}: writes no {name}")
    print(f"starts: {block.place} does what it says")


def run_python(blocks, work, environment, needed=False):
    """The programs in Python, where the package is: built by the test of the package, or installed."""
    for block in blocks:
        if block.language != "python" or not block.file:
            continue
        folder = work / pathlib.PurePath(block.page).stem
        for python in (sys.executable, "/usr/bin/python3"):
            there = subprocess.run([python, "-c", "import rowsmith, pandas"], env=environment, capture_output=True, check=False)
            if there.returncode == 0:
                done = subprocess.run([python, block.file], cwd=folder, env=environment, capture_output=True, text=True,
                                      check=True)
                if not 0.4 < float(done.stdout) < 0.6:
                    sys.exit(f"{block.place}: prints {done.stdout}")
                print(f"starts: {block.place} does what it says")
                break
        else:
            if needed:
                sys.exit(f"{block.place}: the Python package rowsmith is not there: {there.stderr.decode()}")
            print(f"starts: {block.place} was not run: the Python package rowsmith is not there")


def installed(root, work, part):
    blocks = docs.blocks_of(root)
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    work.mkdir(parents=True, exist_ok=True)
    if part == "headers":
        headers_of_models(root, work, blocks, "g++")
    elif part == "python":
        python_start(blocks, work, environment)
        run_python(blocks, work, environment, needed=True)
    elif part in EXPECT:
        shutil.rmtree(work / part, ignore_errors=True)
        run_page(part, [block for block in blocks if block.page == f"docs/start/{part}.md"], work, environment)
    else:
        sys.exit(f"starts.py: there is no part '{part}', expected {', '.join(EXPECT)}, headers or python")


def main():
    if sys.argv[2:3] == ["--installed"]:
        root, _, work, part = sys.argv[1:]
        installed(pathlib.Path(root).resolve(), pathlib.Path(work).resolve(), part)
        return
    root, program, programs, cxx, work = sys.argv[1:]
    root, work, program = pathlib.Path(root).resolve(), pathlib.Path(work).resolve(), os.path.abspath(program)
    shutil.rmtree(work, ignore_errors=True)
    cxx = shutil.which(cxx) or sys.exit(f"starts.py: there is no compiler {cxx}")
    (work / "bin").mkdir(parents=True)
    blocks = docs.blocks_of(root)
    files = {block.file: block for block in blocks if block.file and block.language == "cpp"}
    script(work / "bin" / "rowsmith", f"""#!/usr/bin/env bash
case $1 in fit | evaluate) exec "{program}" "$@" --quick --quiet ;; esac
exec "{program}" "$@"
""")
    cases = "".join(f"    {name}) block={block.name} ;;\n" for name, block in files.items())
    script(work / "bin" / "g++", f"""#!/usr/bin/env bash
# g++ [flags] SOURCE -o PROGRAM
set -eu
source= out= flags=()
while [ $# -gt 0 ]; do
  case $1 in
    -o) out=$2; shift ;;
    *.cpp) source=$1 ;;
    *) flags+=("$1") ;;
  esac
  shift
done
case $source in
{cases}    *) echo "g++: no page has its reader write '$source'" >&2; exit 1 ;;
esac
test -f "$source" && test -n "$out"
printf '#if __cplusplus < 202002L\\n#error not C++20\\n#endif\\nint main() {{}}\\n' > flags.cpp
"{cxx}" "${{flags[@]}}" -fsyntax-only flags.cpp
printf '#!/bin/sh\\nexec "%s" %s "$@"\\n' "{os.path.abspath(programs)}" "$block" > "$out"
chmod +x "$out"
""")
    paths = [str(pathlib.Path(programs).resolve().parent.parent / "tests" / "python" / "site"), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ, PATH=f"{work / 'bin'}:{os.environ['PATH']}", PYTHONPATH=":".join(filter(None, paths)),
                       PYTHONDONTWRITEBYTECODE="1", OMP_WAIT_POLICY="passive")
    os.environ.update(environment)
    for name in EXPECT:
        run_page(name, [block for block in blocks if block.page == f"docs/start/{name}.md"], work, environment)
    left = {block.page for block in blocks if block.page.startswith("docs/start/")} - {f"docs/start/{n}.md" for n in EXPECT}
    if left:
        sys.exit(f"starts.py knows nothing of {', '.join(sorted(left))}")
    headers_of_models(root, work, blocks, cxx)
    run_python(blocks, work, environment)


if __name__ == "__main__":
    main()
