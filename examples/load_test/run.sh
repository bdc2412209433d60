#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Exports a model, compiles a program that needs the header alone, and measures what it writes through a pipe.
# usage: bash examples/load_test/run.sh [--model people.model | --table people.csv] [--recipe trees] [--unguided]
#        [--rows 1000000] [--seed 0] [--threads 0] [--program build/release/bin/rowsmith] [--folder FOLDER] [--quick]
# Without a model or a table the rows of examples/adult/embedded are learnt; --quick makes 100,000 rows. The header
# and the program stay in FOLDER, if one is named.
set -euo pipefail

source_file=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/load_test.cpp
model="" table="" recipe=trees rows=1000000 seed=0 threads=0 folder="" unguided=()
rowsmith=$(dirname "$source_file")/../../build/release/bin/rowsmith
wrong() { echo "run.sh: $1" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '3,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    --unguided) unguided=(--unguided); shift; continue ;;
    --quick) rows=100000; shift; continue ;;
    --model | --table | --recipe | --rows | --seed | --threads | --program | --folder)
      [ $# -gt 1 ] || wrong "$1: expected a value" ;;
    *) wrong "$1 is no option; see the beginning of this file" ;;
  esac
  case "$1" in
    --model) model=$2 ;; --table) table=$2 ;; --recipe) recipe=$2 ;; --rows) rows=$2 ;; --seed) seed=$2 ;;
    --threads) threads=$2 ;; --program) rowsmith=$2 ;; --folder) folder=$2 ;;
  esac
  shift 2
done
if [ -z "$model$table" ]; then table=$(dirname "$source_file")/../adult/embedded/train.csv; fi
[ -x "$rowsmith" ] || wrong "$rowsmith is not there: build it, or say --program"
if [ -z "$folder" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
mkdir -p "$folder"

if [ -z "$model" ]; then
  model=$folder/model
  "$rowsmith" fit "$table" --recipe "$recipe" -o "$model" --quiet
fi
"$rowsmith" export "$model" -o "$folder/model.hpp" --name model --no-score ${unguided[@]+"${unguided[@]}"}
# The folder of the header is the only one that is searched beside the compiler's own.
"${CXX:-g++}" -std=c++20 -O3 -march=native -pthread -I"$folder" "$source_file" -o "$folder/load_test"

write() { "$folder/load_test" --rows "$rows" --seed "$seed" --threads "$threads"; }
# Bytes, from the first rows: all of them would have to be counted in a run of its own.
few=$((rows < 100000 ? rows : 100000))
bytes_a_row=$(awk -v rows="$few" -v bytes="$("$folder/load_test" --rows "$few" --seed "$seed" --no-header | wc -c)" \
  'BEGIN { print bytes / rows }')
told() { # name, rows, real seconds, processor seconds
  awk -v name="$1" -v rows="$2" -v real="$3" -v processor="$4" -v bytes="$bytes_a_row" 'BEGIN {
    printf "%-34s %11.0f rows/s %8.1f MB/s  %8.2f s, %8.2f s of processor\n", name, rows / real,
           rows * bytes / real / 1e6, real, processor }'
}
TIMEFORMAT='%R %U %S'
timed() { # name, rows, command
  local name=$1 count=$2 seconds
  shift 2
  seconds=$({ time "$@" > /dev/null; } 2>&1)
  read -r real user system <<< "$seconds"
  told "$name" "$count" "$real" "$(awk -v a="$user" -v b="$system" 'BEGIN { print a + b }')"
}
count_lines() {
  local lines
  lines=$(write | wc -l)
  [ "$lines" -eq $((rows + 1)) ] || { echo "run.sh: $lines lines, expected $((rows + 1))" >&2; return 1; }
}
through_cat() { write | cat > /dev/null; }
copy() { for _ in $(seq 20); do cat "$folder/rows.csv"; done | cat > /dev/null; }

printf '%s bytes a row; header of %s bytes\n' "$bytes_a_row" "$(wc -c < "$folder/model.hpp")"
timed "load_test | wc -l" "$rows" count_lines
[ "$rows" -gt 10000000 ] || timed "load_test | cat > /dev/null" "$rows" through_cat
"$folder/load_test" --rows "$few" --seed "$seed" --no-header > "$folder/rows.csv"
timed "cat of such rows | cat > /dev/null" $((20 * few)) copy
