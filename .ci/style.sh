#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The format of all sources, and clang-tidy on the library's headers that were changed since the branch left main
# (on main: by the last commit), for a few minutes at most. The last line is "N passed, M failed".
# Both tools are those of LLVM 14: other versions format differently.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source .ci/common.sh
missing_style_packages | install_packages >&2

passed=0
failed=0
format=$(style_tool clang-format)
mapfile -t sources < <(find benchmarks examples include tests -name '*.[ch]pp' -o -name '*.[ch]' | sort)
misformatted=$(printf '%s\0' "${sources[@]}" | xargs -0 "$format" --dry-run 2>&1 |
  sed -n 's/^\([^:]*\):.*clang-format-violations.*/\1/p' | sort -u)
if [ -z "$misformatted" ]; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
  printf 'failed: format: clang-format -i %s\n' "$(tr '\n' ' ' <<< "$misformatted")"
fi

# The commit to compare with; none without a history.
base=
if git rev-parse -q --verify HEAD > /dev/null 2>&1; then
  for main in origin/main main; do
    base=$(git merge-base HEAD "$main" 2> /dev/null || true)
    if [ -n "$base" ] && [ "$base" != "$(git rev-parse HEAD)" ]; then break; fi
    base=
  done
  if [ -z "$base" ]; then base=$(git rev-parse -q --verify HEAD~1 2> /dev/null || true); fi
fi
if [ -z "$base" ]; then
  echo "clang-tidy skipped: there is no commit to compare with" >&2
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
fi

# tidy HEADER: one line "passed", "failed" or "late", with what clang-tidy says before it.
tidy() {
  local left=$((deadline - $(date +%s))) source output status=0
  if [ "$left" -le 0 ]; then echo "late $1"; return; fi
  source=$folder/$(tr / _ <<< "$1").cpp
  echo "#include <${1#include/}>" > "$source"
  output=$(timeout "$left" "$clang_tidy" --quiet --warnings-as-errors='*' --config-file=.clang-tidy \
    --header-filter="/$1\$" "$source" -- -std=c++20 -fopenmp -Iinclude -isystem /usr/include/eigen3 2> /dev/null) || status=$?
  case $status in
    0) echo "passed $1" ;;
    124) echo "late $1" ;;
    *) grep -E 'error:|warning:' <<< "$output" | sort -u | head -n 10; echo "failed $1" ;;
  esac
}
export -f tidy
clang_tidy=$(style_tool clang-tidy)
deadline=$(($(date +%s) + ${TIDY_SECONDS:-180}))
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export clang_tidy deadline folder
results=$(git diff --name-only --diff-filter=d "$base" -- 'include/rowsmith/*/*.hpp' |
  xargs -P "$(build_jobs)" -I{} bash -c 'tidy {}')
grep -vE '^(passed|late|failed) ' <<< "$results" >&2 || true
sed -n 's/^failed \(.*\)/failed: clang-tidy: \1/p' <<< "$results"
late=$(grep -c '^late ' <<< "$results" || true)
if [ "$late" != 0 ]; then echo "clang-tidy: $late headers were not looked at for want of time" >&2; fi
passed=$((passed + $(grep -c '^passed ' <<< "$results" || true)))
failed=$((failed + $(grep -c '^failed ' <<< "$results" || true)))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
