#!/usr/bin/env bash
# Prepares, once and cached, every CPython build that a Debian 12 machine can have without compiling
# one, and prints a line for each: name, version, interpreter, root ("-" for the host's own).
#
#   tools/matrix.sh           prepare what is missing, then list
#   tools/matrix.sh --list    list what is there
#
# PYGC_MATRIX_DIR: where the Debian trees go (default: the user's cache directory).
# PYGC_MATRIX_SUITES: Debian suites to prepare (default: "trixie sid").
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
matrix=${PYGC_MATRIX_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pygc-matrix}
suites=${PYGC_MATRIX_SUITES:-trixie sid}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# The suite's Python series, as its own package index names them.
series_of() { # ROOT
  chroot "$1" apt-cache pkgnames 2>/dev/null | sed -n 's/^python\(3\.[0-9]*\)-dbg$/\1/p' | sort -V
}

prepare_suite() { # SUITE
  local suite=$1 root=$matrix/$1 packages=()
  [ -e "$root/.pygc-complete" ] && return 0
  echo "matrix: preparing Debian $suite" >&2
  as_root rm -rf "$root"
  mkdir -p "$matrix"
  as_root debootstrap --variant=minbase "$suite" "$root" >"$matrix/$suite.log" 2>&1 || return 1
  for series in $(series_of "$root"); do
    case $series in 3.1[0-9]) packages+=("python$series" "python$series-dbg" "libpython$series-dev") ;; esac
  done
  [ ${#packages[@]} -gt 0 ] || return 1
  as_root chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    "${packages[@]}" >>"$matrix/$suite.log" 2>&1 || return 1
  # Real extension packages: what the suite has of them, one by one, so that one missing costs no other.
  for package in python3-numpy python3-lxml python3-pandas python3-sympy python3-django; do
    as_root chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
      --no-install-recommends "$package" >>"$matrix/$suite.log" 2>&1 ||
      echo "matrix: $suite has no $package" >&2
  done
  as_root chroot "$root" apt-get clean
  as_root touch "$root/.pygc-complete"
}

list_tree() { # NAME ROOT: the interpreters of a Debian tree, release and debug
  local name=$1 root=$2 interpreter version
  for interpreter in "$root"/usr/bin/python3.[0-9]* "$root"/usr/bin/python3.[0-9]*d; do
    case ${interpreter##*/} in *-config | *-dbg* | *'*'*) continue ;; esac
    [ -x "$interpreter" ] || continue
    version=$(PYTHONHOME=$root/usr "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path \
      "$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu" "$interpreter" -c \
      'import platform; print(platform.python_version())' 2>/dev/null) || continue
    echo "$name-${interpreter##*/} $version $interpreter $root"
  done | sort -u
}

list() {
  local interpreter version root
  for interpreter in /usr/bin/python3.11 /usr/bin/python3.11d; do
    [ -x "$interpreter" ] || continue
    version=$("$interpreter" -c 'import platform; print(platform.python_version())')
    echo "host-${interpreter##*/} $version $interpreter -"
  done
  for suite in $suites; do
    [ -e "$matrix/$suite/.pygc-complete" ] && list_tree "$suite" "$matrix/$suite"
  done
  root=${PYENV_ROOT:-$HOME/.pyenv}/versions
  for interpreter in "$root"/3.*/bin/python3; do
    [ -x "$interpreter" ] || continue
    version=$("$interpreter" -c 'import platform; print(platform.python_version())') || continue
    case $version in 3.[0-7].*) continue ;; esac
    echo "pyenv-$version $version $(readlink -f "$interpreter") -"
  done
}

if [ "${1:-}" != --list ]; then
  for suite in $suites; do
    prepare_suite "$suite" || echo "matrix: Debian $suite could not be prepared (see $matrix/$suite.log)" >&2
  done
fi
list
