# SPDX-License-Identifier: MIT
# Functions shared by tests/run.sh and examples/run.sh; sourced by bash.

# Debian or Ubuntu packages and the headers (any of them) by which each is recognised.
library_packages='libeigen3-dev Eigen/Core
librandom123-dev Random123/philox.h
libfccp-dev libfccp/csv.h csv.h
nlohmann-json3-dev nlohmann/json.hpp'
program_packages='libcli11-dev CLI/CLI.hpp
libcpp-httplib-dev httplib.h
zlib1g-dev zlib.h
libzstd-dev zstd.h
libsqlite3-dev sqlite3.h'
test_packages='catch2 catch2/catch.hpp catch2/catch_all.hpp'

# Reads "package header..." lines and names the packages that are missing, the build tools too. It asks the
# compiler, so that what was installed by other means counts.
missing_packages() {
  local cxx package headers header test
  cxx=${CXX:-$(command -v c++ || command -v g++ || command -v clang++ || true)}
  command -v cmake > /dev/null || echo cmake
  command -v ninja > /dev/null || command -v make > /dev/null || echo ninja-build
  command -v "${cxx:-none}" > /dev/null || { echo g++; cxx=false; }
  while read -r package headers; do
    test=0
    for header in $headers; do test="$test || __has_include(<$header>)"; done
    printf '#if !(%s)\n#error missing\n#endif\n' "$test" |
      "$cxx" -x c++ -std=c++20 -I/usr/include/eigen3 -E - > /dev/null 2>&1 || echo "$package"
  done
}

# Names the packages that are missing for builds with clang: the compiler, its sanitizers and OpenMP.
missing_clang_packages() {
  local probe
  probe=$(mktemp)
  echo '#include <omp.h>' | clang++ -x c++ -fopenmp -E - > /dev/null 2>&1 || echo libomp-dev
  if ! command -v clang++ > /dev/null; then
    echo clang
    echo libclang-rt-dev
  elif ! echo 'int main() {}' | clang++ -x c++ -fsanitize=address -o "$probe" - 2> /dev/null; then
    echo "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"
  fi
  rm -f "$probe"
}

# Names the packages that are missing for the tests of the Python package.
missing_python_packages() {
  local module package
  while read -r module package; do
    /usr/bin/python3 -c "import $module" > /dev/null 2>&1 || echo "$package"
  done << 'END'
pandas python3-pandas
pip python3-pip
pybind11 python3-pybind11
setuptools python3-setuptools
wheel python3-wheel
END
  test -e "$(/usr/bin/python3 -c "import sysconfig; print(sysconfig.get_paths()['include'])")/Python.h" || echo python3-dev
}

# style_tool NAME: the program of that name of LLVM 14, or nothing.
style_tool() {
  local candidate
  for candidate in "$1-14" "$1"; do
    if "$candidate" --version 2> /dev/null | grep -q 'version 14\.'; then
      echo "$candidate"
      return
    fi
  done
}
missing_style_packages() {
  local tool
  for tool in clang-format clang-tidy; do
    if [ -z "$(style_tool "$tool")" ]; then echo "$tool-14"; fi
  done
}

# Names the packages that are missing for training on several processes.
missing_mpi_packages() {
  command -v mpicxx > /dev/null || echo libopenmpi-dev
  command -v mpirun > /dev/null || echo openmpi-bin
}

# Installs the packages whose names are read. Nothing to read: touches nothing.
install_packages() {
  local packages sudo=
  packages=$(sort -u | tr '\n' ' ')
  [ -n "${packages// /}" ] || return 0
  if ! command -v apt-get > /dev/null; then
    echo "Missing (names of Debian packages): $packages" >&2
    return 0 # it may be there where only CMake looks; if not, CMake says so
  fi
  if [ "$(id -u)" != 0 ]; then
    sudo=sudo
    if ! command -v sudo > /dev/null; then
      echo "Missing packages. As root: apt-get install $packages" >&2
      return 1
    fi
  fi
  echo "Installing with apt-get: $packages" >&2
  $sudo apt-get update -q
  # shellcheck disable=SC2086
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
}

# configure PRESET [options]: into build/PRESET, with Ninja if it is there and the folder is new.
configure() {
  local preset=$1 generator=()
  shift
  if [ ! -f "build/$preset/CMakeCache.txt" ] && command -v ninja > /dev/null; then
    generator=(-G Ninja)
  fi
  cmake --preset "$preset" "${generator[@]}" "$@"
}

# How many jobs to build with: one a processor, but each may need 1.5 GB of memory.
build_jobs() {
  local jobs memory
  jobs=$(nproc 2> /dev/null || echo 2)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo 2> /dev/null || true)
  if [ -n "$memory" ] && [ "$memory" -lt "$jobs" ]; then jobs=$memory; fi
  if [ "$jobs" -lt 1 ]; then jobs=1; fi
  echo "$jobs"
}
