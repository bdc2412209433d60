#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds everything, runs all tests and prints, last, one line: "N passed, M failed". Counted are the test cases
# of the Catch2 programs, and each other check as one. Exits with 1 if anything failed.
# On Debian or Ubuntu, what the build needs and is not there is installed with apt-get first.
#
# usage: bash tests/run.sh [--preset NAME] [--sanitize [FOLDER...]]
#   --preset NAME           one of CMakePresets.json; default release, or ci where CI=true
#   --sanitize [FOLDER...]  afterwards the Catch2 programs again with the address and undefined-behaviour
#                           sanitizers: those of the folders of tests/ that are named, or all
# ADULT_DIR may name a folder with adult.data and adult.test; tests that need them are skipped without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source .ci/common.sh

preset=release
if [ "${CI:-}" = true ]; then preset=ci; fi
sanitize=no
folders=()
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    --sanitize)
      sanitize=yes
      shift
      while [ $# -gt 0 ] && [[ $1 != -* ]]; do folders+=("$1"); shift; done ;;
    -h | --help) sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "tests/run.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
  esac
done
if [ -n "${ADULT_DIR:-}" ]; then
  ADULT_DIR=$(cd "$ADULT_DIR" && pwd) # tests run in folders of their own
  export ADULT_DIR
fi

{
  printf '%s\n' "$library_packages" "$program_packages" "$test_packages" | missing_packages
  if [ "$preset" = tsan ]; then
    command -v clang++ > /dev/null || echo clang
    echo '#include <omp.h>' | clang++ -x c++ -fopenmp -E - > /dev/null 2>&1 || echo libomp-dev
  fi
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
  local everything=()
  if [ "$preset" = release ]; then everything=(-DROWSMITH_BUILD_TESTS=ON -DROWSMITH_BUILD_BENCHMARKS=ON); fi
  if ! configure "$preset" ${everything[@]+"${everything[@]}"} > "$build.log" 2>&1; then
    cat "$build.log"
    fail "$preset: configure"
    return 0
  fi
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

mkdir -p build
if [ "$preset" = asan ] || [ "$preset" = tsan ]; then
  run "$preset" rowsmith_tests -L catch2
else
  run "$preset" "all all_verify_interface_header_sets"
fi
if [ "$sanitize" = yes ]; then
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
        fail "asan: tests/$folder holds no tests"
      fi
    done
  fi
  if [ -n "$names" ]; then run asan "$targets" -R "$names"; fi
fi

for failure in ${failures[@]+"${failures[@]}"}; do echo "failed: $failure"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
