#!/usr/bin/env bash
# The form of all sources, and clang-tidy over those that changed since it last passed here.
# Needs the configured and built release preset.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=build/release
stamps=$build/lint
mkdir -p "$stamps"

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.h' '*.c')
clang-format-19 --dry-run -Werror "${sources[@]}"

# What ninja knows a source to include, in this checkout: a stamp older than any of it is void.
ninja -C "$build" -t deps |
  awk -v top="$PWD/" '/^[^ ]/ { unit = ""; next }
    NF { path = $1; if (unit == "") unit = path; if (index(path, top) == 1) print unit, path }' \
    >"$stamps/includes"

check() {
  local file=$1 stamp=$stamps/${1//\//_} path
  local stale=
  if [ -e "$stamp" ]; then
    while read -r path; do
      [ "$stamp" -nt "$path" ] || stale=yes
    done < <(awk -v unit="$PWD/$file" '$1 == unit { print $2 }' "$stamps/includes"; echo .clang-tidy)
    [ -n "$stale" ] || return 0
  fi
  echo "clang-tidy $file"
  clang-tidy-19 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option "$file" 2>&1 |
    { grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header-filter' || true; }
  [ "${PIPESTATUS[0]}" = 0 ] && touch "$stamp"
}
export -f check
export stamps build

grep -o '"file": "[^"]*"' "$build/compile_commands.json" | cut -d'"' -f4 | grep '\.cc$' | sort -u |
  sed "s|^$PWD/||" | xargs -P "$(nproc)" -I{} bash -c 'set -o pipefail; check {}'
