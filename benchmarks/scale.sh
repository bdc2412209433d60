#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long, and in how much memory, tables of many rows are learnt and made. Makes tables with a model of the program
# itself, fits each in chunks, and prints a line of the table of docs/scale.md for each: rows, bytes of CSV, seconds and
# peak memory of the fit, seconds and peak memory of making as many rows. With --processes, the same fit on 1, 2, ...
# processes of one thread each (a program built with -DROWSMITH_MPI=ON).
#
# usage: benchmarks/scale.sh --program build/release/bin/rowsmith --model adult.model [--rows "10000 1000000"]
#                            [--folder DIR] [--processes "1 2"] [--options "--seed 1"]
set -euo pipefail
program=build/release/bin/rowsmith
model=
counts="10000 100000 1000000 10000000"
folder=
processes=
options="--seed 1"
while [ $# -gt 0 ]; do
  case $1 in
    --program) program=$(realpath "${2:?}"); shift 2 ;;
    --model) model=$(realpath "${2:?}"); shift 2 ;;
    --rows) counts=${2:?}; shift 2 ;;
    --folder) folder=${2:?}; shift 2 ;;
    --processes) processes=${2:?}; shift 2 ;;
    --options) options=${2:?}; shift 2 ;;
    -h | --help) sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "scale.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
  esac
done
[ -n "$model" ] || { echo "scale.sh: --model: which model makes the tables?" >&2; exit 2; }
[ -x /usr/bin/time ] || { echo "scale.sh: needs /usr/bin/time (package time)" >&2; exit 2; }
if [ -z "$folder" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
cd "$folder"

# measured COMMAND...: runs it and prints "seconds MiB"; of several processes, the largest.
measured() {
  if ! /usr/bin/time -q -f '%e %M' -o measured.time "$@" > measured.log 2>&1; then
    cat measured.log >&2
    exit 1
  fi
  awk '{ printf "%.1f | %.0f", $1, $2 / 1024 }' measured.time
}

echo "| rows | CSV, MB | fit, s | fit, MiB | sample, s | sample, MiB |"
echo "|---|---|---|---|---|---|"
for count in $counts; do
  if [ ! -f "$count.csv" ]; then
    "$program" sample "$model" -n "$count" --seed 11 --quiet -o "$count.csv"
  fi
  # shellcheck disable=SC2086
  fit=$(measured "$program" fit "$count.csv" --stream --quiet --fresh $options -o "$count.model")
  made=$(measured "$program" sample "$count.model" -n "$count" --quiet -o /dev/null)
  echo "| $count | $(awk -v b="$(stat -c %s "$count.csv")" 'BEGIN { printf "%.0f", b / 1e6 }') | $fit | $made |"
  for size in $processes; do
    # shellcheck disable=SC2086
    fit=$(OMP_NUM_THREADS=1 measured mpirun --oversubscribe -n "$size" "$program" fit "$count.csv" --stream --quiet \
      --fresh $options -o "$count.$size.model")
    cmp "$count.model" "$count.$size.model" || { echo "scale.sh: $size processes made another model" >&2; exit 1; }
    echo "| $count, $size processes of one thread | | $fit | | |"
  done
done
