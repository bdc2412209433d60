#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What including the library costs: seconds of the processor (user and system; a compiler takes one core) and peak memory
# of each compiler that is there. Targets: 15 s and 1.5 GB. Forms: an empty program that includes <rowsmith/rowsmith.hpp>
# ("include"); the README's program without its judge ("fit"), whole ("program"), whole with the single header in place
# of the headers ("single"), and whole beside the component that is compiled once ("compiled"). Nothing is linked, and no
# cache of compilers is asked. With more than one round, the least time counts. All of it takes some minutes.
#
# usage: benchmarks/compile_cost.sh [--compilers "g++ clang++"] [--flags "-std=c++20 -O2 -fopenmp"] [--eigen DIR]
#                                   [--forms "compiled include fit program single"] [--rounds 1]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
compilers=
flags="-std=c++20 -O2 -fopenmp"
eigen=/usr/include/eigen3
forms="compiled include fit program single"
rounds=1
while [ $# -gt 0 ]; do
  case $1 in
    --compilers) compilers=${2:?}; shift 2 ;;
    --flags) flags=${2:?}; shift 2 ;;
    --eigen) eigen=${2:?}; shift 2 ;;
    --forms) forms=${2:?}; shift 2 ;;
    --rounds) rounds=${2:?}; shift 2 ;;
    -h | --help) sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "compile_cost.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
  esac
done
fail() { echo "compile_cost.sh: $1" >&2; exit 2; }
[ -x /usr/bin/time ] || fail "needs /usr/bin/time (package time)"
[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "--rounds '$rounds': expected a whole number of 1 or more"
[ -f "$eigen/Eigen/Dense" ] || fail "$eigen holds no Eigen (package libeigen3-dev, or --eigen DIR)"
command -v cmake > /dev/null || fail "needs cmake, which makes the single header"
if [ -z "$compilers" ]; then
  for compiler in g++ clang++; do
    if command -v "$compiler" > /dev/null; then compilers="$compilers $compiler"; fi
  done
  [ -n "$compilers" ] || fail "there is neither g++ nor clang++; name others with --compilers"
fi
for compiler in $compilers; do
  command -v "$compiler" > /dev/null || fail "--compilers: there is no '$compiler'"
done
for form in $forms; do
  [[ " compiled include fit program single " == *" $form "* ]] ||
    fail "--forms '$form': expected compiled, include, fit, program or single"
done
export CCACHE_DISABLE=1 # where the compiler's name is that of ccache

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The first block of C++ in the README.
awk '/^```/ { if (inside) exit; inside = /^```cpp/; next } inside' "$root/README.md" > "$folder/program.cpp"
for line in '#include <rowsmith/rowsmith.hpp>' 'rs::Synthesizer::fit(' 'rs::detection('; do
  grep -qF "$line" "$folder/program.cpp" || fail "README.md: its first block of C++ has no '$line'"
done
grep -vF 'rs::detection(' "$folder/program.cpp" > "$folder/fit.cpp"
printf '#include <rowsmith/rowsmith.hpp>\nint main() {}\n' > "$folder/include.cpp"
mkdir "$folder/single"
cmake -DROOT="$root" -DOUT="$folder/single/rowsmith.hpp" -P "$root/.cmake/single_header.cmake" > /dev/null
sed 's|^#include <rowsmith/rowsmith.hpp>$|#include "single/rowsmith.hpp"|' "$folder/program.cpp" > "$folder/single.cpp"
cp "$folder/program.cpp" "$folder/compiled.cpp"

echo "| compiler, $flags | form | processor, s | target | peak, GB | target | |"
echo "|---|---|---|---|---|---|---|"
for compiler in $compilers; do
  version=$("$compiler" --version | head -n 1)
  for form in $forms; do
    include=()
    if [ "$form" != single ]; then include=("-I$root/include"); fi
    if [ "$form" = compiled ]; then include+=(-DROWSMITH_COMPILED); fi
    : > "$folder/times"
    for ((round = 0; round < rounds; ++round)); do
      # shellcheck disable=SC2086
      if ! /usr/bin/time -q -a -o "$folder/times" -f '%U %S %M' "$compiler" $flags "${include[@]}" -isystem "$eigen" \
        -c "$folder/$form.cpp" -o "$folder/$form.o" > "$folder/log" 2>&1; then
        head -n 40 "$folder/log" >&2
        echo "compile_cost.sh: $compiler did not compile the form $form" >&2
        exit 1
      fi
    done
    awk -v compiler="$version" -v form="$form" '
      { time = $1 + $2; if (NR == 1 || time < least) least = time; if ($3 > most) most = $3 }
      END {
        gb = most * 1024 / 1e9
        printf "| %s | %s | %.1f | ≤ 15 | %.2f | ≤ 1.5 | %s |\n", compiler,
          form, least, gb, least <= 15 && gb <= 1.5 ? "pass" : "short"
      }' "$folder/times"
  done
done
