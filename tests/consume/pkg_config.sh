# SPDX-License-Identifier: MIT
# Compiles and runs main.cpp with what pkg-config says of the installed library, and with nothing else of its.
# usage: sh pkg_config.sh <prefix> <compiler> <pkg-config> <folder of this script> <folder to work in>
set -eu
prefix=$1 compiler=$2 pkg_config=$3 here=$4 work=$5
mkdir -p "$work"
PKG_CONFIG_PATH=$prefix/share/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
"$pkg_config" --print-errors --exists 'rowsmith >= 0.1'
flags=$("$pkg_config" --cflags rowsmith)
libraries=$("$pkg_config" --libs rowsmith)
case $flags in *"$prefix"*) ;; *) echo "the installed headers are not in: $flags" >&2; exit 1 ;; esac
# shellcheck disable=SC2086
"$compiler" -std=c++20 -Wall -Wextra -Werror $flags "$here/main.cpp" -o "$work/consumer" $libraries
"$work/consumer"
