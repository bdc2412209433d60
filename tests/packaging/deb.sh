# SPDX-License-Identifier: MIT
# Makes the Debian packages, unpacks them into one folder and uses what is in there: the program, its pages, the C
# library by pkg-config and by CMake. Nothing is installed on this machine.
# usage: bash deb.sh <cpack> <CPackConfig.cmake> <version> <folder to work in> <ON: compiled for any processor>
set -euo pipefail
cpack=$1 config=$2 version=$3 work=$4 plain=$5
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "deb: $1" >&2
  exit 1
}
has() { # WHAT TEXT WORD...
  local what=$1 text=$2 word
  shift 2
  for word in "$@"; do
    grep -qE -- "$word" <<< "$text" || fail "$what has no '$word': $text"
  done
}

rm -rf "$work"
mkdir -p "$work/root"
# Packages for use are compressed better, and slower.
"$cpack" -G DEB --config "$config" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip -B "$work" > "$work/cpack.log" 2>&1 || fail "$(cat "$work/cpack.log")"
architecture=$(dpkg --print-architecture)
c_package=librowsmith-c${version%.*}
packages=(rowsmith librowsmith-dev "$c_package")
files=()
for package in "${packages[@]}"; do
  file=$work/${package}_${version}_$architecture.deb
  [ -f "$file" ] || fail "$file was not made: $(ls "$work")"
  [ "$(dpkg-deb -f "$file" Package)" = "$package" ] || fail "$file holds another package"
  dpkg-deb -x "$file" "$work/root"
  files+=("$file")
done
depends() { dpkg-deb -f "$work/${1}_${version}_$architecture.deb" Depends; }
has "what rowsmith depends on" "$(depends rowsmith)" 'libc6 \(>= ' 'libstdc\+\+6 \(>= '
has "what $c_package depends on" "$(depends "$c_package")" 'libc6 \(>= ' 'libstdc\+\+6 \(>= '
has "what librowsmith-dev depends on" "$(depends librowsmith-dev)" "$c_package \(= $version\)" \
  'libeigen3-dev \(>= 3.4\)' libfccp-dev librandom123-dev nlohmann-json3-dev
for name in bin/rowsmith bin/rowsmith-service share/man/man1/rowsmith.1.gz share/man/man1/rowsmith-service.1.gz \
  share/bash-completion/completions/rowsmith share/zsh/vendor-completions/_rowsmith \
  share/fish/vendor_completions.d/rowsmith.fish include/rowsmith/rowsmith.hpp include/rowsmith/deploy/c_api.h \
  share/cmake/rowsmith/rowsmithConfig.cmake share/pkgconfig/rowsmith.pc \
  share/doc/rowsmith/copyright share/doc/librowsmith-dev/copyright "share/doc/$c_package/copyright"; do
  [ -s "$work/root/usr/$name" ] || fail "no package holds /usr/$name"
done

# The programs.
program=$work/root/usr/bin/rowsmith
[ "$("$program" --version)" = "$version" ] || fail "rowsmith --version is not $version"
[ "$("$work/root/usr/bin/rowsmith-service" --version)" = "$version" ] || fail "rowsmith-service --version is not $version"
cd "$work"
{
  echo size,town
  for row in $(seq 1 120); do echo "$((20 + row * 7 % 40)),town $((row % 3))"; done
} > small.csv
has "rowsmith describe" "$("$program" describe small.csv)" '120 rows, 2 columns'
"$program" fit small.csv --recipe trees --quick --quiet -o small.model
[ "$("$program" sample small.model -n 7 --seed 1 | wc -l)" = 8 ] || fail "rowsmith sample: other than a line of names and 7 rows"

# The C library, from its package and librowsmith-dev.
library=$(dirname "$(find "$work/root/usr/lib" -name librowsmith_c.so)")
if command -v cc > /dev/null; then
  if command -v pkg-config > /dev/null; then
    export PKG_CONFIG_PATH=$library/pkgconfig:$work/root/usr/share/pkgconfig
    [ "$(pkg-config --modversion rowsmith)" = "$version" ] || fail "pkg-config: another version of rowsmith"
    # shellcheck disable=SC2046
    cc "$here/../consume/component/c.c" $(pkg-config --cflags --libs rowsmith_c) -o c_program
    has "a program in C" "$(LD_LIBRARY_PATH=$library ./c_program)" 'refused: .*there is no such model'
  else
    echo "deb: pkg-config was not tried: it is not installed"
  fi
  if ! { cmake -S "$here/../consume/component" -B c_build -DCOMPONENT=c "-Drowsmith_ROOT=$work/root/usr" &&
    cmake --build c_build; } > cmake.log 2>&1; then
    fail "$(cat cmake.log)"
  fi
  has "a program in C, by CMake" "$(c_build/consumer)" 'refused: .*there is no such model'
fi

# A program in C++, beside what librowsmith-dev holds compiled, if that is for any processor.
[ -n "$(find "$work/root/usr/lib" -name librowsmith_compiled.a)" ] || fail "no package holds librowsmith_compiled.a"
if [ "$plain" = ON ]; then
  if ! { cmake -S "$here/../consume/component" -B compiled_build -DCOMPONENT=compiled "-Drowsmith_ROOT=$work/root/usr" &&
    cmake --build compiled_build; } > cmake.log 2>&1; then
    fail "$(cat cmake.log)"
  fi
  has "a program beside the compiled library" "$(compiled_build/consumer)" 'expected at least'
fi

if command -v lintian > /dev/null; then
  # Who publishes packages gives an address of theirs.
  said=$(lintian --allow-root --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "${files[@]}" 2>&1 || true)
  echo "$said"
  errors=$(grep '^E: ' <<< "$said" || true)
  [ -z "$errors" ] || fail "lintian: $errors"
else
  echo "deb: lintian was not tried: it is not installed"
fi
echo "deb: fine"
