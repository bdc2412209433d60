#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds everything, runs all tests and prints, last, one line: "N passed, M failed". Counted are the test cases
# of the Catch2 programs, and each other check as one. Exits with 1 if anything failed.
# On Debian or Ubuntu, what the build needs and is not there is installed with apt-get first.
#
# usage: bash tests/run.sh [--preset NAME] [--style] [--without FOLDER...] [--sanitize [FOLDER...]]
#                          [--fuzz SECONDS]
#   --preset NAME           one of CMakePresets.json; default release, or ci where CI=true
#   --style                 first the format of all sources, and clang-tidy on the headers that were changed
#   --without FOLDER...     not the Catch2 programs of these folders of tests/: they follow with sanitizers
#   --sanitize [FOLDER...]  afterwards the Catch2 programs again with the address and undefined-behaviour
#                           sanitizers: those of the folders of tests/ that are named, or all; compiled for AVX2 and
#                           fused products where the processor has them
#   --fuzz SECONDS          each fuzzing program for so long (tests/fuzz/run.sh)
# ADULT_DIR may name a folder with adult.data and adult.test; tests that need them are skipped without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source .ci/common.sh

preset=release
if [ "${CI:-}" = true ]; then preset=ci; fi
style=no
fuzz=
without=
sanitize=no
folders=() # of --sanitize; none: all
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    --style) style=yes; shift ;;
    --fuzz) fuzz=${2:?--fuzz needs a number of seconds}; shift 2 ;;
    --without)
      shift
      while [ $# -gt 0 ] && [[ $1 != -* ]]; do without+="${without:+;}$1"; shift; done ;;
    --sanitize)
      sanitize=yes
      shift
      while [ $# -gt 0 ] && [[ $1 != -* ]]; do folders+=("$1"); shift; done ;;
    -h | --help) sed -n '3,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "tests/run.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
  esac
done
if [ -n "${ADULT_DIR:-}" ]; then
  ADULT_DIR=$(cd "$ADULT_DIR" && pwd) # tests run in folders of their own
  export ADULT_DIR
fi

{
  printf '%s\n' "$library_packages" "$program_packages" "$test_packages" | missing_packages
  if [ "$preset" = ci ]; then missing_mpi_packages; fi
  if [ "$preset" = tsan ] || [ -n "$fuzz" ]; then missing_clang_packages; fi
  if [ "$preset" = ci ]; then missing_python_packages; fi # elsewhere the package is tested if they are there
  if [ "$style" = yes ]; then missing_style_packages; fi
} | install_packages

passed=0
failed=0
failures=()
fail() {
  failed=$((failed + 1))
  failures+=("$1")
}

# run PRESET TARGETS CTEST_OPTIONS...: builds, tests and counts.
run() {
  local preset=$1 targets=$2 build=build/$1 name status counted
  shift 2
  echo "== $preset: configure and build" >&2
  # The release folder is shared with examples/run.sh, which builds less.
  local more=()
  if [ "$preset" = release ]; then more=(-DROWSMITH_BUILD_TESTS=ON -DROWSMITH_BUILD_BENCHMARKS=ON); fi
  if [ "$preset" = "$first_preset" ]; then more+=("-DROWSMITH_TESTS_WITHOUT=$without"); fi
  if ! configure "$preset" ${more[@]+"${more[@]}"} > "$build.log" 2>&1; then
    cat "$build.log"
    fail "$preset: configure"
    return 0
  fi
  sed -n 's/^-- \(.* is not tested: .*\)/  \1/p' "$build.log" >&2
  # One source that does not compile must not hide what the others would tell.
  local keep_going=(-k)
  if [ -f "$build/build.ninja" ]; then keep_going=(-k 0); fi
  # shellcheck disable=SC2086
  if ! cmake --build "$build" -j "$(build_jobs)" --target $targets -- "${keep_going[@]}" > "$build.log" 2>&1; then
    grep -E -A 12 '(^FAILED| error: |undefined reference|\*\*\* )' "$build.log" | head -n 200 || cat "$build.log"
    fail "$preset: build (all of it is in $build.log)"
  fi

  echo "== $preset: test" >&2
  rm -rf "$build/counts" "$build/junit.xml"
  (cd "$build" && ctest -j "$(build_jobs)" --output-on-failure --no-tests=error --output-junit junit.xml "$@") || true
  if [ ! -f "$build/junit.xml" ]; then
    fail "$preset: ctest"
    return 0
  fi
  # One line "name status" for each test.
  while read -r name status; do
    if [ -f "$build/counts/$name" ]; then
      counted=$(cat "$build/counts/$name")
      passed=$((passed + ${counted% *}))
      failed=$((failed + ${counted#* }))
      if [ "${counted#* }" != 0 ]; then failures+=("$preset: $name"); fi
      # Ended by a signal or the time limit after its counts were written, or before.
      if [ "$status" != run ] && [ "${counted#* }" = 0 ]; then fail "$preset: $name"; fi
    elif [ "$status" = run ]; then
      passed=$((passed + 1))
    else
      fail "$preset: $name"
    fi
  done < <(sed -n 's/.*<testcase name="\([^"]*\)".* status="\([^"]*\)".*/\1 \2/p' "$build/junit.xml")
  grep -hi 'skip' "$build"/counts/*.log 2> /dev/null | sed 's/^/  /' | sort -u || true
}

# Adds the numbers of a script's last line, "N passed, M failed", and the failures that it names.
count() {
  local output=$1 last
  last=$(tail -n 1 <<< "$output")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    while read -r name; do failures+=("$name"); done < <(sed -n 's/^failed: //p' <<< "$output")
  else
    fail "$2"
  fi
}

mkdir -p build
if [ "$style" = yes ]; then
  echo "== style" >&2
  count "$(bash .ci/style.sh || true)" style
fi
first_preset=$preset
if [[ $preset =~ ^(asan|asan-avx2|tsan|avx2)$ ]]; then
  run "$preset" rowsmith_tests -L catch2
else
  run "$preset" "all headers_alone"
fi
if [ "$sanitize" = yes ]; then
  preset=asan
  if grep -qs '\bavx2\b.*\bfma\b\|\bfma\b.*\bavx2\b' /proc/cpuinfo; then preset=asan-avx2; fi
  targets=rowsmith_tests
  names='catch2\.'
  if [ ${#folders[@]} -gt 0 ]; then
    targets=
    names=
    for folder in "${folders[@]}"; do
      if compgen -G "tests/$folder/*.test.cpp" > /dev/null || compgen -G "tests/$folder/*/*.test.cpp" > /dev/null; then
        targets+=" test_$folder"
        names+="${names:+|}^catch2\\.$folder\$"
      else
        fail "$preset: tests/$folder holds no tests"
      fi
    done
  fi
  if [ -n "$names" ]; then run "$preset" "$targets" -R "$names"; fi
fi
if [ -n "$fuzz" ]; then
  echo "== fuzz" >&2
  count "$(bash tests/fuzz/run.sh "$fuzz" || true)" fuzz
fi

for failure in ${failures[@]+"${failures[@]}"}; do echo "failed: $failure"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
