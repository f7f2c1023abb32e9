#!/usr/bin/env bash
# Builds pygc and does its main job on real input: an interpreter in which faulthandler was imported
# twice, its core, and `pygc check` in LLDB, in GDB and alone. Fails when a claim does not hold. Where the
# interpreter is of a version that has been mended, the claim is that nothing is found. --write puts what was
# shown into the README's session, which is held against it otherwise, and draws its picture.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
install_packages "${build_packages[@]}"
build release pygc pygc-replayer-emulated pygc-gdb pygc-lldb

pygc=$PWD/build/release/bin/pygc
lldb_plugin=$PWD/build/release/lib/lldb/plugins/libpygc-lldb.so
gdb_script=$PWD/build/release/share/pygc/pygc.gdb
lldb=$(sed -n 's/^PYGC_LLDB:FILEPATH=//p' build/release/CMakeCache.txt)
python=$(sed -n 's/^PYGC_TEST_PYTHON:FILEPATH=//p' build/release/CMakeCache.txt)
place=$(mktemp -d)
target=
finish() {
  [ -z "$target" ] || kill "$target" 2>/dev/null || true
  rm -rf "$place"
}
trap finish EXIT

say "${python##*/} in which faulthandler was imported twice, and its core"
"$python" tools/demo_target.py >"$place/pid" &
target=$!
until [ -s "$place/pid" ]; do
  kill -0 "$target" || { echo "the interpreter ended" >&2; exit 1; }
  sleep 0.1
done
gcore -o "$place/core" "$target" >"$place/gcore.log" 2>&1 || { cat "$place/gcore.log" >&2; exit 1; }
core=$place/core.$target
kill "$target"
wait "$target" 2>/dev/null || true
target=
ls -l "$core"

bug=present
gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'info address faulthandler_traverse' "$python" \
  2>/dev/null | grep -q 'function at' || bug=mended
echo "the bug is $bug in this version"

in_lldb() { "$lldb" --batch --no-lldbinit -o "plugin load $lldb_plugin" \
  -o "target create --core $core $python" -o "$1"; }
in_gdb() { gdb -nx -batch -iex 'set debuginfod enabled off' -ex "source $gdb_script" -ex "$1" \
  "$python" "$core"; }

# GDB and LLDB go on whatever is found; alone the check ends with status 1 when there are findings.
say "pygc check in LLDB"
in_lldb "pygc check" || true
say "pygc check in GDB"
in_gdb "pygc check" || true
say "pygc check alone"
status=0
"$pygc" check "$core" >"$place/alone.txt" || status=$?
cat "$place/alone.txt"

say "the claims"
in_lldb "pygc check --json --output $place/lldb.json" >"$place/lldb.log" 2>&1 || true
in_gdb "pygc check --json --output $place/gdb.json" >"$place/gdb.log" 2>&1 || true
"$pygc" check "$core" --json --output "$place/alone.json" || true
for name in lldb gdb alone; do
  [ -s "$place/$name.json" ] || { echo "no answer from $name" >&2; cat "$place/$name.log" >&2; exit 1; }
done
"$python" tools/demo_claims.py "$bug" "$place"/{lldb,gdb,alone}.json
expected=0
[ "$bug" = mended ] || expected=1
[ "$status" = "$expected" ] || { echo "WRONG: the status alone was $status, not $expected"; exit 1; }
echo "ok: the status alone was $expected"
if [ "${1:-}" = --write ]; then
  { TERM=xterm-256color "$python" tests/e2e/scripts/terminal.py 80 "$pygc" check "$core" || true; } |
    sed "s|$place/||" | "$python" tools/demo_picture.py "\$ pygc check ${core##*/}" docs/check.svg
fi
# Debian 12's interpreter is the one that the README shows.
case $("$python" -c 'import platform; print(platform.python_version())') in
3.11.*) "$python" tools/demo_session.py README.md "$place/alone.txt" "$@" ;;
esac
