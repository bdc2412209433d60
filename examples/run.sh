#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the program `adult` for this machine and runs it with the options given. On Debian or Ubuntu, what the
# build needs and is not there is installed with apt-get first.
# usage: bash examples/run.sh [options of adult...]
set -euo pipefail
start=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source .ci/common.sh

printf '%s\n' "$library_packages" "$program_packages" | missing_packages | install_packages

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Building the example adult (the first time takes some minutes) ..." >&2
build() {
  # Tests and benchmarks need packages that this example does not.
  configure release -DROWSMITH_NATIVE=ON -DROWSMITH_BUILD_EXAMPLES=ON -DROWSMITH_BUILD_TESTS=OFF \
            -DROWSMITH_BUILD_BENCHMARKS=OFF &&
    cmake --build build/release --target adult -j "$(build_jobs)"
}
if ! build > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi

# Paths among the options are meant from where the user is.
program=$PWD/build/release/bin/adult
cd "$start"
"$program" "$@"
