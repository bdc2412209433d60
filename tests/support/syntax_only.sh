#!/bin/sh
# SPDX-License-Identifier: MIT
# A compiler's launcher: what it compiles is checked only, and an empty object is left, so that it is not checked again.
# usage: syntax_only.sh COMPILER OPTIONS... -o OBJECT ...
"$@" -fsyntax-only || exit
while [ $# -gt 1 ]; do
  if [ "$1" = -o ]; then : > "$2"; fi
  shift
done
