#!/usr/bin/env bash
# Prepares, once and cached, every CPython build that a Debian 12 or 13 machine can have without compiling
# one, and the free-threaded ones, which no suite has as packages and which are compiled from Debian's source
# package; prints a line for each: name, version, interpreter, root ("-" for the host's own).
#
#   tools/matrix.sh                    prepare what is missing, then list
#   tools/matrix.sh --list             list what is there
#   tools/matrix.sh --free-threaded    prepare what is missing of the free-threaded builds alone, then list
#   tools/matrix.sh --list-packages    list the interpreters of the tree of real packages
#   tools/matrix.sh --list-generators  the tree that has Cython, pybind11 and nanobind
#   tools/matrix.sh --debuggers        prepare what is missing of the debuggers, then list them
#   tools/matrix.sh --list-debuggers   list the debuggers: name, version, program, root
#
# PYGC_MATRIX_DIR: where the Debian trees go (default: the user's cache directory).
# PYGC_MATRIX_SUITES: Debian suites to prepare (default: "trixie sid").
# PYGC_MATRIX_FREE_THREADED: suites to take sources of free-threaded builds from, each with its package
#   (default: "trixie/python3.13").
# PYGC_EXTRA_PYTHONS: interpreters to list besides, each with its debug information (default: none).
# PYGC_MATRIX_DEBUGGERS: Debian suites to take debuggers from (default: "bullseye bookworm trixie sid").
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
matrix=${PYGC_MATRIX_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pygc-matrix}
suites=${PYGC_MATRIX_SUITES:-trixie sid}
# Debian 12: the one whose large packages are known to import together.
packages_suite=bookworm
packages=(numpy pandas lxml scipy matplotlib sklearn torch pyqt5 sqlalchemy cryptography gevent django sympy)
# The newest, for they know each version of CPython that the matrix has.
generators_suite=sid
generators=(cython3 pybind11-dev nanobind-dev)

# Between them they have GDB 10 and newer, and every LLDB from 13 on.
debugger_suites=${PYGC_MATRIX_DEBUGGERS:-bullseye bookworm trixie sid}
oldest_lldb=13

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# A minimal Debian in ROOT, in which packages are unpacked without waiting for the disk: a tree that a power
# failure spoils is made again.
make_tree() { # SUITE ROOT LOG
  as_root rm -rf "$2"
  mkdir -p "$matrix"
  as_root debootstrap --variant=minbase "$1" "$2" >"$3" 2>&1 &&
    echo force-unsafe-io | as_root tee "$2/etc/dpkg/dpkg.cfg.d/unsafe-io" >/dev/null
}

# The suite's Python series, as its own package index names them.
series_of() { # ROOT
  chroot "$1" apt-cache pkgnames 2>/dev/null | sed -n 's/^python\(3\.[0-9]*\)-dbg$/\1/p' | sort -V
}

prepare_suite() { # SUITE
  local suite=$1 root=$matrix/$1 packages=()
  [ -e "$root/.pygc-complete" ] && return 0
  echo "matrix: preparing Debian $suite" >&2
  make_tree "$suite" "$root" "$matrix/$suite.log" || return 1
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

install_into() { # SUITE PACKAGE...
  local root=$matrix/$1 log=$matrix/$1.log
  shift
  as_root chroot "$root" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1
}

# Into a tree of prepare_suite, so that they are run by an interpreter of the tree.
prepare_generators() {
  local root=$matrix/$generators_suite
  [ -e "$root/.pygc-complete" ] || return 1
  [ -e "$root/.pygc-generators" ] && return 0
  echo "matrix: adding ${generators[*]} to Debian $generators_suite" >&2
  # The tree's package index may be older than what the mirror still has.
  install_into "$generators_suite" "${generators[@]}" ||
    { as_root chroot "$root" apt-get update >>"$matrix/$generators_suite.log" 2>&1 &&
      install_into "$generators_suite" "${generators[@]}"; } || return 1
  as_root chroot "$root" apt-get clean
  as_root touch "$root/.pygc-generators"
}

# No package has a free-threaded interpreter, but Debian's source packages make one, release and debug. The
# sources are fetched with a package list of their own, so that this machine's stays as it is.
free_threaded=${PYGC_MATRIX_FREE_THREADED:-trixie/python3.13}

mirror_of_host() {
  { grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d || true; } |
    head -1 | tr -d ' '
}

fetch_source() { # SUITE PACKAGE DIRECTORY: leaves its .orig.tar there
  local suite=$1 package=$2 directory=$3 mirror
  mirror=$(mirror_of_host)
  [ -n "$mirror" ] || { echo "this machine's package sources name no mirror of Debian" >&2 && return 1; }
  mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial"
  echo "deb-src $mirror $suite main" >"$directory/sources.list"
  cat >"$directory/apt.conf" <<EOF
Dir::Etc::sourcelist "$directory/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$directory/lists";
Dir::Cache "$directory/cache";
EOF
  (cd "$directory" && export APT_CONFIG=$directory/apt.conf && apt-get update &&
    apt-get source --tar-only --download-only "$package")
}

prepare_free_threaded_of() { # SUITE PACKAGE
  local suite=$1 package=$2 root=$matrix/free-threaded work
  [ -e "$root/.pygc-complete-$package" ] && return 0
  echo "matrix: compiling free-threaded builds of $package of Debian $suite" >&2
  mkdir -p "$root"
  work=$(mktemp -d "$root/work.XXXXXX")
  {
    fetch_source "$suite" "$package" "$work" && mkdir "$work/source" &&
      tar xf "$work"/*.orig.tar.* -C "$work/source" --strip-components=1 &&
      compile_free_threaded "$work" release && compile_free_threaded "$work" debug --with-pydebug
  } >"$root/$package.log" 2>&1 || return 1
  rm -rf "$work"
  touch "$root/.pygc-complete-$package"
}

compile_free_threaded() { # WORK KIND [OPTION...]: into free-threaded/VERSION-KIND
  local work=$1 kind=$2 version
  shift 2
  version=$(sed -n 's/^#define PY_VERSION  *"\(.*\)"/\1/p' "$work/source/Include/patchlevel.h")
  mkdir "$work/$kind"
  (cd "$work/$kind" && CFLAGS="-g -O2" ../source/configure -q --disable-gil --without-ensurepip \
    --disable-test-modules --prefix="$matrix/free-threaded/$version-$kind" "$@" &&
    make -j"$(nproc)" && make altinstall COMPILEALL_OPTS="-r 0") # -r 0: hardly a .pyc, for all take minutes
}

prepare_free_threaded() {
  local each
  for each in $free_threaded; do
    prepare_free_threaded_of "${each%%/*}" "${each#*/}" ||
      echo "matrix: no free-threaded ${each#*/} (see $matrix/free-threaded/${each#*/}.log)" >&2
  done
}

list_free_threaded() {
  local interpreter version
  for interpreter in "$matrix"/free-threaded/*/bin/python3.[0-9]*t "$matrix"/free-threaded/*/bin/python3.[0-9]*td; do
    [ -x "$interpreter" ] || continue
    version=$("$interpreter" -c 'import platform; print(platform.python_version())') || continue
    echo "source-${interpreter##*/} $version $interpreter -"
  done
}

list_extra() {
  local interpreter version
  for interpreter in ${PYGC_EXTRA_PYTHONS:-}; do
    version=$("$interpreter" -c 'import platform; print(platform.python_version())')
    echo "extra-${interpreter##*/} $version $interpreter -"
  done
}

# Real packages with large heaps, for the host's series of CPython.
prepare_packages() {
  local root=$matrix/$packages_suite
  [ -e "$root/.pygc-packages" ] && return 0
  echo "matrix: preparing packages of Debian $packages_suite" >&2
  make_tree "$packages_suite" "$root" "$matrix/$packages_suite.log" || return 1
  install_into "$packages_suite" python3.11 python3.11-dbg "${packages[@]/#/python3-}" || return 1
  as_root chroot "$root" apt-get clean
  as_root touch "$root/.pygc-packages"
}

list_tree() { # NAME ROOT: the interpreters of a Debian tree, release and debug
  local name=$1 root=$2 interpreter version
  for interpreter in "$root"/usr/bin/python3.[0-9]* "$root"/usr/bin/python3.[0-9]*d; do
    case ${interpreter##*/} in *-config | *-dbg* | *'*'*) continue ;; esac
    [ -x "$interpreter" ] || continue
    version=$(PYTHONHOME=$root/usr "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path \
      "$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu" "$interpreter" -c \
      'import platform; print(platform.python_version())' 2>/dev/null) || continue
    echo "$name-${interpreter##*/} $version $interpreter $root"
  done | sort -u
}

list() {
  local debug interpreter version root
  # The host's own, where there is a debug build too: these have debug information.
  for debug in /usr/bin/python3.*d; do
    for interpreter in "${debug%d}" "$debug"; do
      [ -x "${debug%d}" ] && [ -x "$debug" ] || continue
      version=$("$interpreter" -c 'import platform; print(platform.python_version())')
      echo "host-${interpreter##*/} $version $interpreter -"
    done
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
  list_free_threaded
  list_extra
}

# Debuggers of other versions, each suite's in a tree of its own. They run here, not in a chroot, so
# that they see this machine's files and processes.
libraries=/usr/lib/x86_64-linux-gnu

# The majors of LLDB that this machine has, and those that earlier suites have brought.
present_lldbs() { # ROOT of debuggers...
  local root program
  for root in "" "$@"; do
    for program in "$root"/usr/lib/llvm-*/bin/lldb; do
      [ -x "$program" ] || continue
      program=${program%/bin/lldb}
      echo "${program##*-}"
    done
  done
}

# A program of the tree is run by the loader of whichever C library is newer, the tree's or this
# machine's: it must do for the program and for pygc's plugin. Likewise Python must find its modules.
write_launcher() { # ROOT NAME PROGRAM LIBRARY_DIRECTORY [OPTION]
  local root=$1 name=$2 program=$3 first=$4 option=${5:-} loader path ours theirs
  ours=$(getconf GNU_LIBC_VERSION)
  theirs=$(chroot "$root" getconf GNU_LIBC_VERSION)
  if [ "$(printf '%s\n' "$ours" "$theirs" | sort -V | tail -1)" = "$theirs" ]; then
    loader=$root$libraries path=$first:$root$libraries
  else
    loader=$libraries path=$libraries:$first:$root$libraries
  fi
  {
    echo '#!/bin/sh'
    echo "export PYTHONHOME='$root/usr' PYTHONPATH='$first/python3/dist-packages'"
    echo "export LLDB_DEBUGSERVER_PATH='$root/launchers/$name-server'"
    echo "exec '$loader/ld-linux-x86-64.so.2' --library-path '$path' '$root$program' ${option:+'$option'} \"\$@\""
  } | as_root tee "$root/launchers/$name" >/dev/null
  as_root chmod +x "$root/launchers/$name"
}

prepare_debuggers_of() { # SUITE
  local suite=$1 name=debuggers-$1 root=$matrix/debuggers-$1 majors=() wanted=() major
  [ -e "$root/.pygc-complete" ] && return 0
  echo "matrix: preparing debuggers of Debian $suite" >&2
  make_tree "$suite" "$root" "$matrix/$name.log" || return 1
  # bookworm's GDB is the one that stands in tools/lib.sh.
  [ "$suite" = bookworm ] || wanted=(gdb)
  for major in $(chroot "$root" apt-cache pkgnames | sed -n 's/^lldb-\([0-9]*\)$/\1/p' | sort -n); do
    [ "$major" -ge "$oldest_lldb" ] || continue
    present_lldbs "$matrix"/debuggers-* | grep -qx "$major" && continue
    # The package of the library may be called liblldb-17t64.
    wanted+=("$(chroot "$root" apt-cache depends "lldb-$major" | sed -n "s/.*Depends: \(liblldb-$major.*\)/\1/p")")
    majors+=("$major")
  done
  if [ ${#wanted[@]} -gt 0 ]; then
    install_into "$name" "${wanted[@]}" || return 1
  fi
  as_root mkdir -p "$root/launchers" "$root/debs"
  for major in "${majors[@]}"; do
    # Unpacked only: the packages of several majors refuse each other, and want all of LLVM.
    as_root chroot "$root" sh -c "cd /debs && apt-get download lldb-$major python3-lldb-$major" \
      >>"$matrix/$name.log" 2>&1 || return 1
    for package in "$root"/debs/*.deb; do
      as_root dpkg-deb -x "$package" "$root"
    done
    as_root rm -f "$root"/debs/*.deb
    write_launcher "$root" "lldb-$major" "/usr/lib/llvm-$major/bin/lldb" "$root/usr/lib/llvm-$major/lib"
    write_launcher "$root" "lldb-$major-server" "/usr/lib/llvm-$major/bin/lldb-server" \
      "$root/usr/lib/llvm-$major/lib"
  done
  if [ -x "$root/usr/bin/gdb" ]; then
    write_launcher "$root" gdb /usr/bin/gdb "$root/usr/lib" "--data-directory=$root/usr/share/gdb"
  fi
  as_root chroot "$root" apt-get clean
  as_root touch "$root/.pygc-complete"
}

# Other builds of the suite's GDB: gdb-minimal is without Python, gdb-multiarch knows all processors.
# Unpacked only, for gdb and gdb-minimal refuse each other.
prepare_gdb_builds_of() { # SUITE
  local name=debuggers-$1 root=$matrix/debuggers-$1 build unpacked
  [ -e "$root/.pygc-complete" ] || return 1
  [ -x "$root/usr/bin/gdb" ] && [ ! -e "$root/.pygc-gdb-builds" ] || return 0
  echo "matrix: adding gdb-minimal and gdb-multiarch to the debuggers of Debian $1" >&2
  # The tree's package index may be older than what the mirror still has.
  as_root chroot "$root" apt-get update >>"$matrix/$name.log" 2>&1 || true
  for build in gdb-minimal gdb-multiarch; do
    unpacked=$root/opt/$build
    as_root mkdir -p "$unpacked"
    as_root chroot "$root" sh -c "cd /debs && apt-get download $build" >>"$matrix/$name.log" 2>&1 || return 1
    as_root dpkg-deb -x "$root"/debs/"$build"_*.deb "$unpacked"
    as_root rm -f "$root"/debs/*.deb
    [ -x "$unpacked/usr/bin/$build" ] || [ ! -x "$unpacked/usr/bin/gdb" ] ||
      as_root ln -s gdb "$unpacked/usr/bin/$build"
    [ -x "$unpacked/usr/bin/$build" ] || continue # a package that is but a name for another
    write_launcher "$root" "$build" "/opt/$build/usr/bin/$build" "$root/usr/lib" \
      "--data-directory=$root/usr/share/gdb"
  done
  as_root chroot "$root" apt-get clean
  as_root touch "$root/.pygc-gdb-builds"
}

list_debugger() { # NAME PROGRAM ROOT
  local version
  version=$("$2" --version 2>/dev/null | sed -n '1s/.* \([0-9][0-9.]*[0-9]\).*/\1/p') || return 0
  echo "$1 ${version:-unknown} $2 $3"
}

list_debuggers() {
  local program suite root
  for program in /usr/bin/gdb /usr/bin/lldb-[0-9]*; do
    [ -x "$program" ] && list_debugger "host-${program##*/}" "$program" -
  done
  for suite in $debugger_suites; do
    root=$matrix/debuggers-$suite
    [ -e "$root/.pygc-complete" ] || continue
    for program in "$root"/launchers/gdb* "$root"/launchers/lldb-*; do
      case $program in *-server) continue ;; esac
      [ -x "$program" ] && list_debugger "$suite-${program##*/}" "$program" "$root"
    done
  done
}

prepare_debuggers() {
  local suite
  for suite in $debugger_suites; do
    { prepare_debuggers_of "$suite" && prepare_gdb_builds_of "$suite"; } ||
      echo "matrix: not all debuggers of Debian $suite (see $matrix/debuggers-$suite.log)" >&2
  done
}

case "${1:-}" in
--list) list ;;
--list-packages)
  if [ -e "$matrix/$packages_suite/.pygc-packages" ]; then
    list_tree "$packages_suite" "$matrix/$packages_suite"
  fi
  ;;
--list-generators)
  if [ -e "$matrix/$generators_suite/.pygc-generators" ]; then
    echo "$matrix/$generators_suite"
  fi
  ;;
--free-threaded)
  prepare_free_threaded
  list_free_threaded
  ;;
--debuggers)
  prepare_debuggers
  list_debuggers
  ;;
--list-debuggers) list_debuggers ;;
*)
  for suite in $suites; do
    prepare_suite "$suite" || echo "matrix: Debian $suite could not be prepared (see $matrix/$suite.log)" >&2
  done
  prepare_generators || echo "matrix: no generators of extensions (see $matrix/$generators_suite.log)" >&2
  prepare_free_threaded
  prepare_packages || echo "matrix: no real packages (see $matrix/$packages_suite.log)" >&2
  prepare_debuggers
  list
  ;;
esac
