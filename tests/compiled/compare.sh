#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The component `compiled` gives the bits of the headers alone: models and rows of its program are those of `rowsmith`,
# which is compiled without it; and OBJECTS, the program's own, hold nothing of what the component does.
# usage: compare.sh PROGRAM ROWSMITH TABLE FOLDER NM OBJECTS...
set -euo pipefail
program=$1 rowsmith=$2 table=$3 folder=$4 nm=$5
shift 5
"$nm" -C "$@" > "$folder.symbols"
for name in "read_csv(" "write_csv(" "Synthesizer::save(" "Synthesizer::sample(" "detection(" "efficacy(" "fit_compiled<"; do
  grep " U .*$name" "$folder.symbols" > "$folder.found" || { echo "the program does not ask the component for $name"; exit 1; }
done
if grep " [WTtu] .*Trainer<.*::fit(" "$folder.symbols" > "$folder.found"; then
  echo "the program holds a training of its own:"
  head -n 3 "$folder.found"
  exit 1
fi
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
head -n 1500 "$table" > table.csv
for recipe in default nearest neural trees faithful; do
  "$program" table.csv $recipe here.model here.csv > here.txt
  for figure in "detection AUC" "efficacy" "epsilon 2"; do
    grep -q "^$figure" here.txt || { echo "$recipe: the program did not say '$figure':"; cat here.txt; exit 1; }
  done
  "$rowsmith" fit table.csv --recipe $recipe --label income --quick --quiet -o there.model
  "$rowsmith" sample there.model -n 500 --seed 3 -o there.csv --quiet
  cmp here.model there.model || { echo "$recipe: the models differ"; exit 1; }
  cmp here.csv there.csv || { echo "$recipe: the rows differ"; exit 1; }
done
echo "compiled: 5 recipes, the same bytes"
