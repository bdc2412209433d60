#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Trains on 1, 2, 3 and 4 processes: the model files must be those of one process without MPI, byte for byte; a job
# whose process is killed ends, and goes on with another number of processes to the same bytes.
# usage: mpi.sh ROWSMITH MPIRUN
set -euo pipefail
rowsmith=$1
mpirun=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OMP_NUM_THREADS=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
fail() {
  echo "mpi: $1" >&2
  exit 1
}
run() { # run N OUT OPTIONS...
  local processes=$1 out=$2
  shift 2
  timeout 300 "$mpirun" -n "$processes" "$rowsmith" fit people.csv --quiet --seed 3 -o "$out" "$@"
}

# A sum, a category, a missing cell now and then. As many rows as make batches of two shards or more.
awk 'BEGIN { srand(5); print "age,price,tax,total,job,paid"
             for (i = 0; i < 12000; ++i) {
               p = int(rand() * 9000); t = int(rand() * 300); j = int(rand() * 6)
               printf "%d,%d,%d,%d,%s,%s\n", 18 + int(rand() * 60), p, t, p + t, j ? "job " j : "",
                      (j + p / 4000 > 4) ? "yes" : "no" } }' > people.csv

"$rowsmith" fit people.csv --quiet --seed 3 --quick --stream -o alone.model
for part in trees guide; do # what processes share out in turns is there to be compared
  grep -aq "\"$part\":{" alone.model || fail "the model has no $part"
done
for processes in 1 2 3 4; do
  run "$processes" "$processes.model" --quick || fail "$processes processes failed"
  cmp alone.model "$processes.model" || fail "$processes processes made another model"
done

# As between machines: pieces of the gradients are sent while others are still computed.
ROWSMITH_SENDING=early run 2 early.model --quick || fail "2 processes that send early failed"
cmp alone.model early.model || fail "2 processes that send early made another model"
code=0
ROWSMITH_SENDING=late run 2 wrong.model --quick 2> error || code=$?
[ "$code" != 0 ] && [ "$code" != 124 ] || fail "a wrong ROWSMITH_SENDING: exit code $code"
grep -q "expected by-machine, early or at-once" error || fail "a wrong ROWSMITH_SENDING: $(cat error)"

# Trees alone, which processes grow in turns.
"$rowsmith" fit people.csv --quiet --seed 3 --quick --stream --recipe trees -o alone.model
run 3 three.model --quick --recipe trees || fail "3 processes failed"
cmp alone.model three.model || fail "3 processes made other trees"

# With a label asked for, and the base method.
"$rowsmith" fit people.csv --quiet --seed 3 --quick --stream --recipe faithful --label paid --conditional -o alone.model
run 2 two.model --quick --recipe faithful --label paid --conditional || fail "2 processes failed"
cmp alone.model two.model || fail "2 processes made another conditional model"

# Wrong use ends the job at once, with the program's own exit code and one message.
code=0
run 2 wrong.model --label nothing 2> error || code=$?
[ "$code" != 0 ] && [ "$code" != 124 ] || fail "a label that there is not: exit code $code"
grep -q "nothing" error || fail "a label that there is not: $(cat error)"
# One process alone fails, in the middle of what is shared: it says why, and the others do not wait for it.
code=0
timeout 60 "$mpirun" -n 1 "$rowsmith" fit people.csv --quiet --quick -o wrong.model : \
  -n 1 env TMPDIR=nowhere "$rowsmith" fit people.csv --quiet --quick -o nowhere/wrong.model 2> error || code=$?
[ "$code" != 0 ] && [ "$code" != 124 ] || fail "one process without a folder: exit code $code"
grep -q "process 1: " error || fail "one process without a folder: $(cat error)"
code=0
timeout 60 "$mpirun" -n 2 "$rowsmith" sample alone.model -n 3 2> error || code=$?
[ "$code" != 0 ] && [ "$code" != 124 ] || fail "sample on two processes: exit code $code"
[ -z "$(ls -- *.checkpoint wrong.model 2> /dev/null)" ] || fail "something was left: $(ls)"
echo "mpi: 1, 2, 3 and 4 processes make the same bytes"
