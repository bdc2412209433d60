#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the documentation: the pages of docs/ and an API reference of the docstrings, with one search over both.
# Warnings are errors. What is built needs no network, and works from a disk.
#
# usage: bash .site/build.sh OUT
#   OUT  a folder that is made anew; open OUT/index.html
# Needs doxygen, mkdocs and mkdocs-material: apt install doxygen mkdocs mkdocs-material
set -euo pipefail
if [ $# != 1 ] || [ "$1" = --help ]; then sed -n '3,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
python=/usr/bin/python3 # whose modules the packages of Debian bring
missing=
command -v doxygen > /dev/null || missing+=" doxygen"
"$python" -c 'import mkdocs, markdown, yaml' 2> /dev/null || missing+=" mkdocs"
"$python" -c 'import pymdownx' 2> /dev/null && "$python" -m mkdocs build --help 2> /dev/null | grep -q material ||
  missing+=" mkdocs-material"
if [ -n "$missing" ]; then
  echo "build.sh: missing:$missing (apt install$missing)" >&2
  exit 3
fi

# A folder that is no site of ours is left alone.
if [ -e "$1" ] && [ ! -f "$1/search/search_index.json" ] && [ -n "$(ls -A "$1")" ]; then
  echo "build.sh: $1 is there already, and no site" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
  cat "$here/Doxyfile"
  printf 'INPUT = "%s"\nOUTPUT_DIRECTORY = "%s"\nSTRIP_FROM_PATH = "%s"\n' \
    "$root/include/rowsmith" "$work/doxygen" "$root/include"
} > "$work/Doxyfile"
mkdir "$work/doxygen"
doxygen "$work/Doxyfile" 2> "$work/warnings" || { cat "$work/warnings" >&2; exit 1; }
if [ -s "$work/warnings" ]; then
  cat "$work/warnings" >&2
  echo "build.sh: docstrings have faults" >&2
  exit 1
fi
"$python" -B "$here/stage.py" "$root" "$work/doxygen/xml" "$work" "$out"
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 "$python" -m mkdocs build --strict --clean \
  --config-file "$work/mkdocs.yml" > "$work/said" 2>&1 || { grep -v '^INFO' "$work/said" >&2; exit 1; }

# The search for pages that are read from a disk.
"$python" -B - "$out" << 'END'
import glob
import json
import pathlib
import sys

out = pathlib.Path(sys.argv[1])
worker = pathlib.Path(glob.glob(str(out / "assets/javascripts/workers/search.*.js"))[0]).read_text(encoding="utf-8")
index = (out / "search/search_index.json").read_text(encoding="utf-8")
(out / "search/from_disk.js").write_text(
    "var __search = {worker: URL.createObjectURL(new Blob([" + json.dumps(worker) + "], {type: 'text/javascript'})),\n"
    "  index: Promise.resolve(" + index + ")}\n", encoding="utf-8")
END
"$python" -B "$root/tests/docs/links.py" --site "$out"
