#!/usr/bin/env bash
# includes.sh COMPILER RIGHT WRONG DIRECTORIES: with this search path (a list with semicolons) the header
# RIGHT compiles, and WRONG is not found.
set -euo pipefail
compiler=$1 right=$2 wrong=$3
mapfile -t directories < <(tr ';' '\n' <<<"$4")
compile() {
  echo "#include \"$1\"" | "$compiler" -std=c++23 -fsyntax-only "${directories[@]/#/-I}" -x c++ - 2>&1
}
compile "$right" || { echo "$right does not compile"; exit 1; }
if message=$(compile "$wrong"); then
  echo "$wrong compiles"
  exit 1
fi
grep -q "$wrong.*\(No such file\|not found\)" <<<"$message" || { echo "$message"; exit 1; }
