#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a reader with nothing but Debian gets: makes the packages, the Python wheel and the single header here, installs
# them in a fresh chroot of this machine's own release, which has nothing that they do not bring or the pages do not
# name, and does there what docs/start says. The last line is "N passed, M failed". It takes a quarter of an hour or
# so, needs root, debootstrap and the mirror that apt uses here, and ends with 77 and a sentence where it cannot run.
#
# usage: bash tests/packaging/fresh.sh [--made FOLDER]
#   --made FOLDER  the packages, the wheel and the header are there already, and not made again; they are else left in
#                  build/fresh/made
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source .ci/common.sh

made=
case ${1:-} in
  '') ;;
  --made) made=$(cd "${2:?--made needs a folder}" && pwd) ;;
  -h | --help) sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  *) echo "tests/packaging/fresh.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
esac
skip() {
  echo "fresh: not run: $1" >&2
  exit 77
}

# ---- can it run here? ----------------------------------------------------------------------------------
[ "$(id -u)" = 0 ] || skip "a chroot is made and entered by root alone"
command -v apt-get > /dev/null || skip "this is no Debian or Ubuntu"
command -v debootstrap > /dev/null || skip "there is no debootstrap (apt-get install debootstrap)"
# All mounts are made in a namespace of their own, so that they go with its last process, however that ends.
if [ "${ROWSMITH_FRESH_NAMESPACE:-}" != yes ]; then
  unshare --mount true 2> /dev/null || skip "this root may not mount anything"
  exec env ROWSMITH_FRESH_NAMESPACE=yes unshare --mount --propagation private bash "$0" "$@"
fi
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
distribution=$(. /etc/os-release && echo "${ID:-}")
[ -n "$release" ] || skip "/etc/os-release names no release"
# "URI suite component" of what this machine installs its own release from.
sources=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
  awk -v release="$release" -v origin="$distribution" \
    '($2 == release || index($2, release "-") == 1) && tolower($4) == origin { print $1, $2, $3 }' | sort -u)
mirror=$(awk -v release="$release" '$2 == release { print $1; exit }' <<< "$sources")
[ -n "$mirror" ] || skip "apt's sources here name no mirror of $distribution $release (apt-get update)"

# ---- packages, wheel and single header ------------------------------------------------------------------
# Joined by &&, because it is called where a failure does not end the script.
make_all() {
  local source=build/fresh/wheel
  rm -rf build/fresh/made "${source:?}"/{native,rowsmith} && mkdir -p build/fresh/made "$source" &&
    configure package && cmake --build --preset package --parallel "$(build_jobs)" &&
    cmake --build build/package --target single_header && cp build/package/single/rowsmith_single.hpp build/fresh/made &&
    cpack -G DEB --config build/package/CPackConfig.cmake -B "$PWD/build/fresh/made" &&
    # A copy, so that nothing is written among the sources; with their times, by which it is known what is up to date.
    cp -rp examples/python/{native,rowsmith,pyproject.toml,setup.py} "$source" &&
    ROWSMITH_ROOT=$PWD ROWSMITH_MARCH='' /usr/bin/python3 -m pip --disable-pip-version-check wheel --no-index --no-deps \
      --no-build-isolation -w build/fresh/made "$source"
}
if [ -z "$made" ]; then
  {
    printf '%s\n' "$library_packages" "$program_packages" | missing_packages
    missing_python_packages
    command -v dpkg-shlibdeps > /dev/null || echo dpkg-dev
  } | install_packages
  echo "fresh: making packages, wheel and single header" >&2
  mkdir -p build/fresh
  make_all > build/fresh/log 2>&1 || { tail -n 40 build/fresh/log; echo "0 passed, 1 failed"; exit 1; }
  made=$PWD/build/fresh/made
fi
for file in "$made"/rowsmith_*.deb "$made"/librowsmith-dev_*.deb "$made"/librowsmith-c*.deb "$made"/rowsmith-*.whl \
  "$made"/rowsmith_single.hpp; do
  [ -f "$file" ] || { echo "fresh: there is no $file" >&2; exit 2; }
done
version=$(sed -n 's/^#define ROWSMITH_VERSION "\([0-9.]*\)"/\1/p' include/rowsmith/core/version.hpp)

# ---- the chroot ----------------------------------------------------------------------------------------
root=$(mktemp -d)
# shellcheck disable=SC2317
clean_up() {
  local status=$?
  trap - EXIT
  while read -r place; do umount -l "$place" || true; done < <(awk -v root="$root/" 'index($2, root) == 1 { print $2 }' \
    /proc/self/mounts | sort -r)
  rm -rf --one-file-system "$root"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "fresh: debootstrap of $distribution $release" >&2
components=$(awk -v release="$release" '$2 == release { print $3 }' <<< "$sources" | paste -sd,)
extra=()
case $mirror in https:*) extra=(--include=ca-certificates) ;; esac
debootstrap --variant=minbase --components="$components" "${extra[@]}" "$release" "$root" "$mirror" > "$root.log" 2>&1 || {
  tail -n 20 "$root.log"
  rm -f "$root.log"
  echo "0 passed, 1 failed"
  exit 1
}
rm -f "$root.log"
awk '{ print "deb", $1, $2, $3 }' <<< "$sources" > "$root/etc/apt/sources.list"
# How this machine's apt gets to its mirror, and no more of an archive kept than is needed.
{
  apt-config dump | grep -E '^Acquire::(http|https)(::|")' || true
  echo 'APT::Install-Recommends "false"; Acquire::Languages "none";'
  echo 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache ""; APT::Keep-Downloaded-Packages "false";'
} > "$root/etc/apt/apt.conf.d/90fresh"
case $mirror in https:*) cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" ;; esac
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
mount -t proc proc "$root/proc"

work=$root/root/rowsmith
mkdir -p "$work/checkout/tests" "$work/consume"
cp "$made"/*.deb "$made"/*.whl "$work"
mkdir "$work/single"
cp "$made/rowsmith_single.hpp" "$work/single"
# Of the sources no more than the pages and who does what they say; no header.
cp -r README.md docs "$work/checkout"
cp -r tests/docs "$work/checkout/tests"
cp -r tests/consume/{main.cpp,component,find_package} tests/packaging/single_header.cpp "$work/consume"

# inside COMMANDS: run by bash in the chroot, in the folder with the packages.
inside() {
  local variable environment=()
  for variable in http_proxy https_proxy no_proxy; do
    if [ -n "${!variable:-}" ]; then environment+=("$variable=${!variable}"); fi
  done
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive OMP_WAIT_POLICY=passive "${environment[@]}" \
    chroot "$root" bash -euo pipefail -c "cd /root/rowsmith; $1"
}

passed=0
failed=0
# check WHAT COMMANDS: one that is counted, and whose output is shown only where it fails.
check() {
  local log=$root/root/log
  if inside "$2" > "$log" 2>&1 < /dev/null; then
    passed=$((passed + 1))
    echo "passed: $1"
  else
    failed=$((failed + 1))
    tail -n 40 "$log"
    echo "failed: $1"
  fi
}
install='apt-get install -q -y'
start='env/bin/python -B checkout/tests/docs/starts.py checkout --installed starts'

# ---- what is done there --------------------------------------------------------------------------------
inside 'apt-get update -q' > "$root/root/log" 2>&1 || { cat "$root/root/log"; echo "0 passed, 1 failed"; exit 1; }
echo "fresh: installing and running" >&2

# The wheel, with Debian's pandas and what docs/python.md says that a ready wheel needs, and with nothing of rowsmith's
# packages: first, so that these do not bring what it lacks.
check "pip installs the wheel" "$install libgomp1 python3-pandas python3-venv
  python3 -m venv --system-site-packages env
  env/bin/pip --disable-pip-version-check install --no-index ./rowsmith-*.whl
  cd / && [ \"\$(/root/rowsmith/env/bin/python -c 'import rowsmith; print(rowsmith.__version__)')\" = $version ]"

# The program alone: its package names all that it needs. What the page of judging has of C++ comes later.
check "apt installs rowsmith" "$install ./rowsmith_*.deb"
check "the programs run" "[ \"\$(rowsmith --version)\" = $version ] && [ \"\$(rowsmith-service --version)\" = $version ]"
check "completions are there, and bash has them" '
  for file in zsh/vendor-completions/_rowsmith fish/vendor_completions.d/rowsmith.fish; do test -s /usr/share/$file; done
  source /usr/share/bash-completion/completions/rowsmith
  complete -p rowsmith'
check "man finds the pages" "$install man-db
  for page in rowsmith rowsmith-service; do
    test -s \"\$(man -w \$page)\"
    grep -q \"^NAME\" <<< \"\$(man \$page 2> /dev/null)\"
  done"

# What the pages have their readers do.
check "docs/start/run.md" "$start run"
check "the service answers" '
  rowsmith-service starts/run/people.model --port 8099 > service.log 2>&1 & service=$!
  trap "kill $service" EXIT
  env/bin/python -c "
import time, urllib.request
for attempt in range(100):
    try:
        answer = urllib.request.urlopen(\"http://127.0.0.1:8099/sample?n=3&seed=1&format=csv\").read().decode()
        break
    except OSError:
        time.sleep(0.1)
assert len(answer.splitlines()) == 4, answer"'

# The library: apt brings the headers that it needs, the reader the compiler.
check "apt installs librowsmith-dev" "$install g++ && $install ./librowsmith-dev_*.deb ./librowsmith-c*.deb"
check "docs/start/embed.md" "$start embed"
check "docs/start/judge.md" "$start judge"
check "docs/start/extend.md" "$start extend"
check "the headers of models" "$start headers"
check "the starts in Python" "$start python"

# Other builds. -O0: that they compile, link and run is what is asked.
check "pkg-config" "$install pkgconf
  flags=\$(pkg-config --cflags rowsmith) libraries=\$(pkg-config --libs rowsmith)
  g++ -std=c++20 -Wall -Wextra -Werror \$flags consume/main.cpp -o pkg_config \$libraries
  ./pkg_config | grep 'rowsmith $version, 2 rows'
  gcc -Wall -Werror consume/component/c.c -o c_program \$(pkg-config --cflags --libs rowsmith_c)
  ./c_program | grep 'refused: .*there is no such model'"
check "find_package" "$install cmake make
  cmake -S consume/find_package -B cmake_all && cmake --build cmake_all
  cmake_all/consumer | grep 'rowsmith $version, 2 rows'
  cmake -S consume/component -B cmake_c -DCOMPONENT=c && cmake --build cmake_c
  cmake_c/consumer | grep 'refused: .*there is no such model'"

# The single header: no other of the library's is left on the machine.
check "apt removes all packages, and nothing is left" '
  apt-get purge -q -y rowsmith librowsmith-dev "librowsmith-c*"
  left=$(find / -xdev -path /proc -prune -o -path /root -prune -o -path /var/cache -prune -o -name "*rowsmith*" -print)
  echo "left: $left"
  [ -z "$left" ]'
check "the program of README.md compiles with the single header alone" '
  env/bin/python -B - << "END"
import sys
sys.path.insert(0, "checkout/tests/docs")
import blocks
block = next(block for block in blocks.blocks_of("checkout") if block.page == "README.md" and blocks.is_program(block))
text = block.text.replace("<rowsmith/rowsmith.hpp>", "\"rowsmith_single.hpp\"")
assert text != block.text
open("single/main.cpp", "w").write(text)
END
  g++ -std=c++20 -O0 -fopenmp -Isingle -I/usr/include/eigen3 single/main.cpp -o single/main
  g++ -std=c++20 -O0 -fopenmp -Isingle -I/usr/include/eigen3 consume/single_header.cpp -o single/small
  single/small | grep "rowsmith '"$version"', 2 rows"'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
