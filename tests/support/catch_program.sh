#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a Catch2 program, shows what it prints and writes "<passed> <failed>" test cases to a file.
# usage: catch_program.sh COUNTS PROGRAM [test specification]
counts=$1
program=$2
filter=$3
mkdir -p "$(dirname "$counts")"
rm -f "$counts" "$counts.log"

"$program" ${filter:+"$filter"} > "$counts.log" 2>&1
status=$?
cat "$counts.log"

# The summary is "All tests passed (12 assertions in 3 test cases)" or
# "test cases: 3 | 2 passed | 1 failed", with further kinds left out here.
awk -v status="$status" -v filter="$filter" '
  /^All tests passed \(/ { for (i = 1; i < NF; ++i) if ($(i + 1) == "test") passed = $i; seen = 1 }
  /^test cases:/ {
    n = split($0, part, "|")
    for (i = 2; i <= n; ++i) {
      split(part[i], word, " ")
      if (word[2] == "passed") passed = word[1]
      if (word[2] == "failed" && part[i] !~ /expected/) failed = word[1]
    }
    seen = 1
  }
  /^No test(s ran| cases matched)/ { none = 1 }
  END {
    if (none && !seen) { failed = filter == ""; status = failed }
    else if ((status != 0 || !seen) && failed == 0) failed = 1
    print passed + 0, failed + 0 > "/dev/stderr"
    exit status != 0 || failed != 0
  }' "$counts.log" 2> "$counts"
