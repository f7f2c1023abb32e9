#!/usr/bin/env bash
# Builds and tests the checkout, as it stands, in another Debian suite: a tree made by debootstrap.
#   tools/suite.sh SUITE [build | test | demo | package | shell]    for example: tools/suite.sh trixie
#
# build: what users run and the unit tests, which are run (default). test: tools/test.sh. demo:
# tools/demo.sh.
# package: tools/package.sh deb; the package is copied to build/packages.
# Status 3: the tree could not be prepared, so nothing is known.
#
# The tree, its packages, its build and its compiler cache are kept beside the trees of tools/matrix.sh
# (PYGC_MATRIX_DIR) as SUITE-build: the second time only what has changed is built. The sources are
# copied into it. Needs root or sudo; without the right to mount there is no /proc inside, and the tests
# are left out.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
suite=${1:-} action=${2:-build}
case $suite:$action in
:* | -*) sed -n '2,/^source/{s/^# \{0,1\}//p}' tools/suite.sh >&2; exit 2 ;;
*:build | *:test | *:demo | *:package | *:shell) ;;
*) echo "unknown: $action" >&2; exit 2 ;;
esac
matrix=${PYGC_MATRIX_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pygc-matrix}
root=$matrix/$suite-build
log=$matrix/$suite-build.log

# Bare but for git, and for the compiler cache that makes the second build quick; what else the build
# needs tools/lib.sh installs, as on any machine.
prepare_tree() {
  [ -e "$root/.pygc-complete" ] && return 0
  echo "suite: preparing Debian $suite" >&2
  mkdir -p "$matrix"
  as_root rm -rf "$root"
  as_root debootstrap --variant=minbase --include=git,ccache,ca-certificates "$suite" "$root" >"$log" 2>&1 &&
    echo force-unsafe-io | as_root tee "$root/etc/dpkg/dpkg.cfg.d/unsafe-io" >/dev/null &&
    as_root touch "$root/.pygc-complete"
}

# Only what differs is written, with a new time, so that the build in the tree goes on from its last.
copy_sources() {
  local stage inside=$root/pygc
  stage=$(mktemp -d)
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' each; do [ ! -e "$each" ] || printf '%s\0' "$each"; done |
    tar -c --null --files-from=- | tar -x -C "$stage" --no-same-owner
  # As much history as tools/lint.sh compares with.
  git clone --quiet --bare --depth 2 "file://$PWD" "$stage/.git"
  git -C "$stage" config core.bare false
  git -C "$stage" reset --quiet
  as_root mkdir -p "$inside"
  as_root bash -euc '
    stage=$1 inside=$2
    cd "$inside"
    find . \( -path ./build -o -path ./.git \) -prune -o ! -type d -print0 | while IFS= read -r -d "" file; do
      [ -e "$stage/$file" ] || rm "$file"
    done
    cd "$stage"
    find . -path ./.git -prune -o ! -type d -print0 | while IFS= read -r -d "" file; do
      cmp -s "$file" "$inside/$file" || { mkdir -p "$inside/${file%/*}" && cp "$file" "$inside/$file"; }
    done
    rm -rf "$inside/.git"
    cp -r "$stage/.git" "$inside/.git"' bash "$stage" "$inside"
  rm -rf "$stage"
}

mounts_allowed() { as_root unshare --mount --pid --fork true 2>/dev/null; }

# inside COMMAND: in the tree. The mounts and the processes live in namespaces of their own and end
# with the command, whatever ends it.
inside() {
  local enter='cd /pygc && '$1
  local environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "TERM=${TERM:-dumb}"
    PYGC_MATRIX_DIR=/var/cache/pygc-matrix)
  local name
  for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || environment+=("$name=${!name}")
  done
  if mounts_allowed; then
    # The matrix is the host's: it is prepared once.
    as_root mkdir -p "$root/var/cache/pygc-matrix"
    as_root unshare --mount --pid --fork --kill-child bash -euc '
      root=$1 matrix=$2
      shift 2
      mount --bind "$root" "$root"
      mount -t proc proc "$root/proc"
      mount --rbind /dev "$root/dev"
      mount --bind "$matrix" "$root/var/cache/pygc-matrix"
      # The root of its namespace, as that of any machine is: with chroot alone the kernel gives processes
      # in further namespaces of the tests paths that nothing in the tree has.
      cd "$root"
      pivot_root . mnt
      exec chroot . sh -c "umount -l /mnt && exec env -i \"\$@\"" sh "$@"' bash "$root" "$matrix" "${environment[@]}" bash -c "$enter"
  else
    as_root chroot "$root" env -i "${environment[@]}" bash -c "$enter"
  fi
}

if [ -r /etc/os-release ] && [ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = "$suite" ]; then
  echo "suite: this machine is Debian $suite: its own build is the one"
  exit 0
fi
not_prepared() {
  echo "suite: Debian $suite could not be prepared ($1)" >&2
  exit 3
}

prepare_tree || not_prepared "see $log"
copy_sources
case $action in
build)
  inside 'source tools/lib.sh && install_packages "${build_packages[@]}"' || not_prepared "packages"
  inside 'source tools/lib.sh && build release "${installed_targets[@]}" pygc_unit_tests'
  if mounts_allowed; then
    inside 'ctest --test-dir build/release -L unit --output-on-failure -j "$(nproc)"'
  else
    echo "suite: no right to mount: no /proc in the tree, its tests are left out" >&2
  fi
  ;;
package)
  inside 'tools/package.sh deb'
  mkdir -p build/packages
  cp "$root"/pygc/build/packages/*.deb build/packages/
  ;;
shell) inside 'exec bash' ;;
*) inside "tools/$action.sh" ;;
esac
