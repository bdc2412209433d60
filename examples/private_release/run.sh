#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a table to rows that may be given away: a model with a guarantee, rows, a card that says what they are, and a
# report with a gate; beside it the same without a guarantee, to see what the guarantee costs.
# usage: bash examples/private_release/run.sh [--train people.csv --holdout others.csv --label income] [--epsilon 3]
#        [--delta 1e-6] [--schema people.schema.json] [--rows N] [--seed 0] [--program build/release/bin/rowsmith]
#        [--folder release] [--quick]
# Without tables the rows of examples/adult/embedded are learnt. FOLDER gets release.csv, card.txt and report.html, which
# may be given away together but for the report: it was made of the real rows, and nothing covers it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
train="" holdout="" label="" epsilon=3 delta=1e-6 schema=() rows="" seed=0 folder=release quick=()
rowsmith=$here/../../build/release/bin/rowsmith
wrong() { echo "run.sh: $1" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    --quick) quick=(--quick); shift; continue ;;
    --offline) shift; continue ;; # nothing is fetched
    --train | --holdout | --label | --epsilon | --delta | --schema | --rows | --seed | --program | --folder)
      [ $# -gt 1 ] || wrong "$1: expected a value" ;;
    *) wrong "$1 is no option; see the beginning of this file" ;;
  esac
  case "$1" in
    --train) train=$2 ;; --holdout) holdout=$2 ;; --label) label=$2 ;; --epsilon) epsilon=$2 ;; --delta) delta=$2 ;;
    --schema) schema=(--schema "$2") ;; --rows) rows=$2 ;; --seed) seed=$2 ;; --program) rowsmith=$2 ;;
    --folder) folder=$2 ;;
  esac
  shift 2
done
if [ -z "$train$holdout$label" ]; then
  train=$here/../adult/embedded/train.csv holdout=$here/../adult/embedded/test.csv label=income
fi
[ -n "$train" ] && [ -n "$holdout" ] && [ -n "$label" ] ||
  wrong "--train, --holdout and --label go together: rows to learn, others to judge by, and what to predict"
[ -x "$rowsmith" ] || wrong "$rowsmith is not there: build it, or say --program"
mkdir -p "$folder"

echo "== with a guarantee: epsilon $epsilon, delta $delta"
"$rowsmith" fit "$train" --label "$label" --epsilon "$epsilon" --delta "$delta" ${schema[@]+"${schema[@]}"} \
  -o "$folder/private.model" --quiet ${quick[@]+"${quick[@]}"}
"$rowsmith" describe "$folder/private.model" | tee "$folder/card.txt"
# As many rows as the model says there were: a count with noise. The exact one is nobody's business.
if [ -z "$rows" ]; then rows=$(sed -n 's/.* \([0-9][0-9]*\) rows.*/\1/p' "$folder/card.txt" | head -n 1); fi
"$rowsmith" sample "$folder/private.model" -n "$rows" --seed "$seed" -o "$folder/release.csv"

echo "== without"
"$rowsmith" fit "$train" --label "$label" ${schema[@]+"${schema[@]}"} -o "$folder/plain.model" --quiet \
  ${quick[@]+"${quick[@]}"}
"$rowsmith" sample "$folder/plain.model" -n "$rows" --seed "$seed" -o "$folder/plain.csv"

# The gate holds both to one standard; it is for people, and says no with its exit code.
for kind in release plain; do
  echo "== report of $folder/$kind.csv"
  model=$folder/private.model
  if [ "$kind" = plain ]; then model=$folder/plain.model; fi
  "$rowsmith" evaluate --train "$train" --holdout "$holdout" --synthetic "$folder/$kind.csv" --model "$model" \
    --target "$label" --usual-gate --quiet \
    ${schema[@]+"${schema[@]}"} --html "$folder/report.$kind.html" ${quick[@]+"${quick[@]}"} || true
done
mv "$folder/report.release.html" "$folder/report.html"
