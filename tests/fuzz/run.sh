#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzzing programs with clang, runs each for some seconds from its corpus and prints, last, one line:
# "N passed, M failed". What a program finds new goes to build/fuzz/found, and is where its next run goes on; an
# input that it fails on is kept in build/fuzz/crashes. A new corpus is written by
#   cmake --build build/fuzz --target fuzz_corpus && build/fuzz/bin/fuzz_corpus tests/fuzz/corpus
#
# usage: bash tests/fuzz/run.sh [SECONDS [TARGET...]]
#   SECONDS  for each target; default 30
#   TARGET   the name of a source in tests/fuzz, such as csv; default all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source .ci/common.sh

case ${1:-} in -h | --help) sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;; esac
seconds=${1:-30}
if [ $# -gt 0 ]; then shift; fi
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for source in tests/fuzz/*.cpp; do
    name=$(basename "$source" .cpp)
    if [ "$name" != make_corpus ]; then targets+=("$name"); fi
  done
fi

{
  printf '%s\n' "$library_packages" "$program_packages" | missing_packages
  missing_clang_packages
} | install_packages

mkdir -p build/fuzz build/fuzz/crashes
log=build/fuzz.log
if ! { configure fuzz && cmake --build build/fuzz -j "$(build_jobs)" --target "${targets[@]/#/fuzz_}"; } > "$log" 2>&1; then
  tail -n 60 "$log"
  echo "failed: fuzz: build (all of it is in $log)"
  echo "0 passed, ${#targets[@]} failed"
  exit 1
fi

# One target; its last words go to a file that is empty if all went well.
fuzz() {
  local name=$1 log=build/fuzz/$1.log
  mkdir -p "build/fuzz/found/$name"
  if build/fuzz/bin/fuzz_"$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2560 -max_len=65536 \
      -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$name-" \
      "build/fuzz/found/$name" "tests/fuzz/corpus/$name" > "$log" 2>&1; then
    echo "  $name: $(sed -n 's/^stat::number_of_executed_units: */executed /p' "$log")$(
      sed -n 's/.*\(cov: [0-9]*\).*/, \1/p' "$log" | tail -n 1)" >&2
    echo "$name passed"
  else
    tail -n 40 "$log" >&2
    echo "$name failed"
  fi
}
export -f fuzz
export seconds
results=$(printf '%s\n' "${targets[@]}" | xargs -P "$(build_jobs)" -I{} bash -c 'fuzz {}')
failed=$(grep -c ' failed$' <<< "$results" || true)
sed -n 's/^\(.*\) failed$/failed: fuzz: \1 (input in build\/fuzz\/crashes)/p' <<< "$results"
echo "$((${#targets[@]} - failed)) passed, $failed failed"
[ "$failed" = 0 ]
