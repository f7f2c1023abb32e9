#!/usr/bin/env bash
# The form of all sources, and clang-tidy over those that the last commit or the working tree changed.
#   tools/lint.sh [--all | --since COMMIT]
# clang-tidy over everything takes most of an hour on two cores.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
base=HEAD~1
case ${1:-} in
--all) base= ;;
--since) base=$2 ;;
'') ;;
*) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac

mapfile -t sources < <(git ls-files -- '*.cc' '*.h' '*.c')
clang-format-19 --dry-run -Werror "${sources[@]}"

# A changed header stands for the source of its name.
changed() {
  if [ -z "$base" ]; then
    git ls-files -- '*.cc'
  elif git rev-parse --quiet --verify "$base" >/dev/null; then
    git diff --name-only --diff-filter=d "$base" -- '*.cc' '*.h'
  else
    echo "no commit $base to compare with: clang-tidy is left out" >&2
  fi | sed 's/\.h$/.cc/' | sort -u
}
# Configured, not built: each source by itself, as clang reads it.
mkdir -p build
cmake --preset lint >build/configure-lint.log 2>&1 || { cat build/configure-lint.log >&2; exit 1; }
changed | while read -r file; do
  if grep -qF "\"file\": \"$PWD/$file\"" build/lint/compile_commands.json; then
    echo "$file"
  fi
done | xargs -r -P "$(nproc)" -n 1 clang-tidy-19 -p build/lint --quiet \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-gch # another compiler's headers
