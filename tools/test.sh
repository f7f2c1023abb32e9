#!/usr/bin/env bash
# Builds pygc and runs what checks it: the form of the sources and all tests of the release build.
#   tools/test.sh [--sanitize]   also the unit tests under AddressSanitizer and UBSan
# PYGC_TEST_DEBUG_REGISTERS=off: as on a machine whose hardware watchpoints never fire.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
install_packages "${build_packages[@]}" "${check_packages[@]}"
failed=()

# Lines "SECONDS TEST" of a JUnit file, the longest first.
slowest_tests() { # FILE
  sed -n 's/.*<testcase name="\([^"]*\)".* time="\([0-9.]*\)".*/\2 \1/p' "$1" | sort -rn | sed -n 1,10p
}

# The suite whose package is made here.
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# The trees of Debian come over the network while the compiler works; a group of its own, to end it whole.
set -m
mkdir -p build/release
{
  tools/package-test.sh --prepare "$suite" || true
  tools/matrix.sh
} >build/matrix.list 2>build/matrix.log &
matrix=$!
set +m
trap 'kill -- -"$matrix" 2>/dev/null || true' EXIT

build release
say "form of the sources"
tools/lint.sh || failed+=(lint)

# Twice the build: on request.
if [ "${1:-}" = --sanitize ]; then
  build asan pygc_unit_tests pygc-replayer-native pygc-replayer-emulated
  say "unit tests under sanitizers"
  ctest --test-dir build/asan -L unit --output-on-failure -j "$(nproc)" || failed+=(asan)
fi

# The other Debian: its compiler, its libraries, its interpreter.
say "build and unit tests in Debian 13"
status=0
tools/suite.sh trixie build || status=$?
case $status in
0) ;;
3) echo "nothing is known of Debian 13: its tree could not be prepared" >&2 ;;
*) failed+=(debian-13) ;;
esac

say "the package in a bare Debian"
status=0
{ tools/package.sh deb && timeout 300 tools/package-test.sh "$suite"; } || status=$?
case $status in
0) ;;
3) echo "nothing is known of the package: its tree could not be prepared" >&2 ;;
*) failed+=(package) ;;
esac

say "interpreters of the matrix"
wait "$matrix" || failed+=(matrix)
trap - EXIT
cat build/matrix.log build/matrix.list
# The list of tests is made anew when this file is.
cmp -s build/matrix.list build/release/matrix.txt || cp build/matrix.list build/release/matrix.txt

say "all tests"
build/release/bin/pygc_watchpoint_probe
ctest --test-dir build/release --output-on-failure -j "$(nproc)" --output-junit tests.xml |
  tee build/release/ctest.log || failed+=(tests)

say "1.3 million objects against gc.collect() (no time is asserted)"
tools/bench.sh --brief || failed+=(bench)

say "the ten slowest tests, in seconds"
slowest_tests build/release/tests.xml
say "in sum, with $(wc -l <build/matrix.list) interpreters: $(cut -d' ' -f1 build/matrix.list | xargs)"
build/release/bin/pygc_watchpoint_probe
sed -n '/% tests passed/,$p' build/release/ctest.log

if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
