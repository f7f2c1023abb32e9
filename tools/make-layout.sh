#!/usr/bin/env bash
# Writes the layout table of a CPython build from its DWARF: the file that lets pygc read targets of that
# build which have no debug information.
#
#   tools/make-layout.sh INTERPRETER [ROOT [VENDOR]]
#   tools/make-layout.sh --matrix        of every build that tools/matrix.sh --list names
#
# ROOT: the directory tree that the interpreter lives in ("-": this machine's own root). VENDOR: "debian"
# for a file that a Debian package brought, else "upstream". pygc is taken from build/release, or from
# $PYGC; the tables go to common/cpython/layouts, or to $PYGC_LAYOUTS.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pygc=${PYGC:-$top/build/release/bin/pygc}
tables=${PYGC_LAYOUTS:-$top/common/cpython/layouts}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_table() { # INTERPRETER ROOT VENDOR
  local interpreter=$1 root=$2 vendor=$3 launcher=() home=() options=() pid name
  if [ "$root" != - ]; then
    launcher=("$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu")
    home=("PYTHONHOME=$root/usr")
    options=(--sysroot "$root" --debug-directory "$root/usr/lib/debug")
  fi
  rm -f "$work"/*
  mkfifo "$work/said"
  env "${home[@]}" "${launcher[@]}" "$interpreter" -c '
import sys, time
kind = "debug" if hasattr(sys, "gettotalrefcount") else "release"
version = sys.version.split()[0].rstrip("+") + ("t" if "t" in sys.abiflags else "")
print("%s-%s" % (version, kind), flush=True)
time.sleep(1000)' >"$work/said" &
  pid=$!
  read -r name <"$work/said"
  gdb -nx -batch -iex 'set debuginfod enabled off' -p "$pid" -ex "gcore $work/core" >"$work/log" 2>&1 ||
    true
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  if [ ! -e "$work/core" ]; then
    cat "$work/log" >&2
    return 1
  fi
  mkdir -p "$tables"
  "$pygc" layout "$work/core" "${options[@]}" --vendor "$vendor" \
    --output "$tables/$vendor-$name.json" || return 1
  echo "$tables/$vendor-$name.json"
}

vendor_of() { # INTERPRETER ROOT
  if [ "$2" != - ] || [ -n "$(dpkg-query -S "$1" 2>/dev/null)" ]; then echo debian; else echo upstream; fi
}

case ${1:-} in
  "" | -h | --help) sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
  --matrix)
    while read -r _ _ interpreter root; do
      make_table "$interpreter" "$root" "$(vendor_of "$interpreter" "$root")"
    done < <("$top/tools/matrix.sh" --list)
    ;;
  *) make_table "$1" "${2:--}" "${3:-$(vendor_of "$1" "${2:--}")}" ;;
esac
