#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds example programs for this machine and runs them. On Debian or Ubuntu, what the build needs and is not
# there is installed with apt-get first.
# usage: bash examples/run.sh [NAME] [options of the program...]
#   NAME  a folder of examples, or `all`: every program with data of its own, one after the other; default adult
set -euo pipefail
start=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source .ci/common.sh

all=(adult custom_table scenario imbalance intrusion anomaly load_test private_release)
names=(adult)
if [ $# -gt 0 ] && [ "$1" = all ]; then
  names=("${all[@]}")
  shift
elif [ $# -gt 0 ] && [[ $1 != -* ]]; then
  if [ ! -d "examples/$1" ]; then
    echo "examples/run.sh: there is no example '$1', expected all or one of: ${all[*]}" >&2
    exit 2
  fi
  names=("$1")
  shift
fi

printf '%s\n' "$library_packages" "$program_packages" | missing_packages | install_packages

log=$(mktemp)
trap 'rm -f "$log"' EXIT
targets=()
for name in "${names[@]}"; do
  if [ -f "examples/$name/run.sh" ]; then
    targets+=(rowsmith_program) # which makes what that script compiles
  else
    targets+=("$name")
  fi
done
build() {
  # Tests and benchmarks need packages that examples do not.
  configure release -DROWSMITH_NATIVE=ON -DROWSMITH_BUILD_EXAMPLES=ON -DROWSMITH_BUILD_TESTS=OFF \
            -DROWSMITH_BUILD_BENCHMARKS=OFF &&
    cmake --build build/release --target "${targets[@]}" -j "$(build_jobs)"
}
echo "Building ${targets[*]} (the first time takes some minutes) ..." >&2
if ! build > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi

programs=$PWD
for name in "${names[@]}"; do
  options=("$@")
  if [ ${#names[@]} -gt 1 ]; then
    echo "== $name" >&2
    if [ "$name" = custom_table ]; then options=(); fi # it has none
  fi
  # Paths among the options are meant from where the user is; of several programs each has its files in a folder.
  if [ ${#names[@]} -gt 1 ]; then
    mkdir -p "$programs/build/release/runs/$name"
    cd "$programs/build/release/runs/$name"
  else
    cd "$start"
  fi
  if [ -f "$programs/examples/$name/run.sh" ]; then
    bash "$programs/examples/$name/run.sh" ${options[@]+"${options[@]}"}
  else
    "$programs/build/release/bin/$name" ${options[@]+"${options[@]}"}
  fi
done
