#!/usr/bin/env bash
# Builds pygc and runs what checks it: the form of the sources and all tests of the release build.
#   tools/test.sh [--sanitize] [--every-build]
# --sanitize: also the unit tests under AddressSanitizer and UBSan.
# --every-build: what depends on no more than the kind of a build (its minor version, debug or not, with a
#   GIL or without) is tested on each build of the matrix; else on the first of each of half of the kinds. gc_refs, the
#   findings of reported cases and the layouts are tested on each build in any case.
# PYGC_TEST_DEBUG_REGISTERS=off: as on a machine whose hardware watchpoints never fire.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
sanitize=
for option in "$@"; do
  case $option in
  --sanitize) sanitize=yes ;;
  --every-build) export PYGC_TEST_EVERY_BUILD=1 ;;
  *) sed -n '2,8s/^# //p' tools/test.sh >&2; exit 2 ;;
  esac
done
failed=()
stages=()

# Says what comes now, and remembers when it began.
stage() {
  stages+=("$SECONDS $1")
  say "$1"
}

# The seconds that each stage took.
durations() {
  local i next
  for i in "${!stages[@]}"; do
    next=${stages[i + 1]:-$SECONDS}
    printf '%6d  %s\n' $((${next%% *} - ${stages[i]%% *})) "${stages[i]#* }"
  done
}

# Lines "SECONDS TEST" of JUnit files, the longest first.
slowest_tests() { # FILE...
  sed -n 's/.*<testcase name="\([^"]*\)".* time="\([0-9.]*\)".*/\2 \1/p' "$@" | sort -rn | sed -n 1,10p
}

# What fails runs once more, alone: a test that passes then is told as unsteady, with what it said at first.
run_tests() { # NAME OPTION...
  local name=$1
  shift
  rm -f "build/release/$name-again.log"
  ctest --test-dir build/release --output-on-failure -j "$(nproc)" --output-junit "$name.xml" "$@" |
    tee "build/release/$name.log" && return
  say "once more, alone: what failed"
  ctest --test-dir build/release --output-on-failure --rerun-failed --output-log "build/release/$name-again.log" \
    "$@" || failed+=("$name")
}

# What each failed test said at first, cut to its last lines, and which of them failed again.
failures() { # NAME
  local log=build/release/$1.log again=build/release/$1-again.log
  sed -n '/^The following tests FAILED/,/^$/p' "$log"
  [ ! -e "$again" ] || sed -n 's/^.*Test *#[0-9]*: \(.*\) \.\.\.* *Passed.*/passed when it ran alone: \1/p' "$again"
  awk '/\*\*\*(Failed|Timeout|Exception)/ {on = 60} /^ *Start +[0-9]+:/ {next} on-- > 0' "$log"
}

stage "packages of this machine"
install_packages "${build_packages[@]}" "${check_packages[@]}"
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

stage "build"
build release
stage "form of the sources"
tools/lint.sh || failed+=(lint)

# Twice the build: on request.
if [ -n "$sanitize" ]; then
  stage "unit tests under sanitizers"
  build asan pygc_unit_tests pygc-replayer-native pygc-replayer-emulated
  ctest --test-dir build/asan -L unit --output-on-failure -j "$(nproc)" || failed+=(asan)
fi

# The other Debian: its compiler, its libraries, its interpreter.
stage "build and unit tests in Debian 13"
status=0
tools/suite.sh trixie build || status=$?
case $status in
0) ;;
3) echo "nothing is known of Debian 13: its tree could not be prepared" >&2 ;;
*) failed+=(debian-13) ;;
esac

stage "the package in a bare Debian"
status=0
{ tools/package.sh deb && timeout --foreground 300 tools/package-test.sh "$suite"; } || status=$?
case $status in
0) ;;
3) echo "nothing is known of the package: its tree could not be prepared" >&2 ;;
*) failed+=(package) ;;
esac

stage "tests of this machine's interpreters"
build/release/bin/pygc_watchpoint_probe
run_tests tests -LE matrix

stage "interpreters of the matrix"
wait "$matrix" || failed+=(matrix)
trap - EXIT
cat build/matrix.log build/matrix.list
# The list of tests is made anew when this file is new.
cp build/matrix.list build/release/matrix.txt

stage "tests of the matrix"
run_tests matrix-tests -L matrix

stage "1.3 million objects against gc.collect() (no time is asserted)"
tools/bench.sh --brief || failed+=(bench)

say "the ten slowest tests, in seconds"
slowest_tests build/release/tests.xml build/release/matrix-tests.xml
say "the stages, in seconds"
durations
say "in sum, with $(wc -l <build/matrix.list) interpreters: $(cut -d' ' -f1 build/matrix.list | xargs)"
[ -n "${PYGC_TEST_EVERY_BUILD:-}" ] ||
  echo "builds of one kind share some tests, and so do release and debug builds: tools/test.sh --every-build has all"
build/release/bin/pygc_watchpoint_probe
for name in tests matrix-tests; do
  sed -n '/% tests passed/,/^Total Test time/p' "build/release/$name.log"
  failures "$name"
done

if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
