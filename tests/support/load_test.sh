#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles examples/load_test with the header of a small model, and checks what it writes.
# usage: load_test.sh ROWSMITH EXAMPLES COMPILER
set -eu
rowsmith=$1
examples=$2
compiler=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() {
  echo "load_test: $1" >&2
  exit 1
}

# Names and texts that need quotes in CSV.
awk 'BEGIN { print "age,\"home, town\",share,paid"
             for (i = 0; i < 400; ++i)
               printf "%d,\"%s\",%.2f,%s\n", 20 + i * 7 % 50, i % 3 ? "Oslo, \"\"west\"\"" : "Lima", i * 13 % 97 / 8,
                      i % 5 ? "yes" : "" }' > people.csv
"$rowsmith" fit people.csv --recipe trees --quick --quiet -o people.model 2> error || fail "fit: $(cat error)"
"$rowsmith" export people.model -o model.hpp --name model --no-score
"$compiler" -std=c++20 -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -pthread -I. \
  "$examples/load_test/load_test.cpp" -o load_test

# Three blocks of rows, of which the last is not full.
./load_test --rows 9000 --seed 3 --threads 1 > one
./load_test --rows 9000 --seed 3 --threads 5 > five
cmp one five || fail "another number of threads wrote other bytes"
[ "$(wc -l < one)" -eq 9001 ] || fail "9000 rows and a header were expected"
[ "$(head -n 1 one)" = 'age,"home, town",share,paid' ] || fail "the header is $(head -n 1 one)"

# Ranges that begin and end within blocks.
{
  ./load_test --rows 4097 --seed 3
  ./load_test --rows 1 --seed 3 --first-row 4097 --no-header
  ./load_test --rows 4902 --seed 3 --first-row 4098 --no-header --threads 3
} > parts
cmp one parts || fail "ranges put together are not the whole"
./load_test --rows 9000 --seed 4 > other
if cmp -s one other; then fail "another seed wrote the same rows"; fi

# Each line has the four cells, in the forms that they had, and every category comes.
grep -vE '^[2-6][0-9],("Oslo, ""west"""|Lima),[0-9]+(\.[0-9]{1,2})?,(yes)?$' one | tail -n +2 > wrong || true
[ ! -s wrong ] || fail "a line is $(head -n 1 wrong)"
for text in Oslo Lima ',yes$' ',$'; do
  grep -q "$text" one || fail "no row has $text"
done

# The library writes the same rows from the model file.
"$rowsmith" sample people.model -n 9000 --seed 3 --plain -o library
[ "$(cut -d , -f 1 one | sort | uniq -c)" = "$(cut -d , -f 1 library | sort | uniq -c)" ] ||
  fail "the library's ages are other ones"

# A reader that has enough is no failure; a full disk is; wrong use is told before any row.
status=0
{ ./load_test --rows 1000000000 --threads 3 || echo $? > status; } | head -n 2 > /dev/null
[ ! -e status ] || fail "a closed pipe ended it with $(cat status)"
if [ -w /dev/full ]; then
  ./load_test --rows 9000 > /dev/full 2> error || status=$?
  [ "$status" -eq 1 ] && grep -q "cannot be written" error || fail "a full disk ended it with $status"
fi
for wrong in "--rows" "--rows x" "--rows -1" "--row 5" "--threads 9999"; do
  status=0
  # shellcheck disable=SC2086 # several words
  ./load_test $wrong > out 2> error || status=$?
  [ "$status" -eq 2 ] && [ ! -s out ] && [ -s error ] || fail "$wrong ended it with $status"
done
echo "load_test: all as expected"
