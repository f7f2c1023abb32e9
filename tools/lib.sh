# Sourced by the scripts of this directory: packages, configuration, build.
# From here on the working directory is the top of the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What pygc is built of, and the debuggers and interpreters that the demo and the tests use. An entry
# with a % is of a series, such as lldb-19: see packages_of_suite.
build_packages=(
  g++ cmake ninja-build git pkg-config binutils
  libdw-dev libelf-dev libdebuginfod-dev libcli11-dev libfmt-dev nlohmann-json3-dev
  libunicorn-dev libseccomp-dev libzstd-dev liblz4-dev liblzma-dev zlib1g-dev
  liblldb-%-dev lldb-% gdb gdbserver
  libgtest-dev libgmock-dev libbenchmark-dev libvalijson-dev
  python3.% python3.%-dbg python3.%-dev procps debootstrap zstd lz4 xz-utils
)
# What makes and checks packages, and what is linked into the static program.
package_packages=(dpkg-dev lintian rpm xz-utils zlib1g-dev liblzma-dev libbz2-dev libzstd-dev)
# The form is that of one version.
check_packages=(clang-format-19 clang-tidy-19 ccache)

# What users run.
installed_targets=(pygc pygc-replayer-native pygc-replayer-emulated pygc-gdb pygc-lldb)

say() { printf '\n== %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "this needs root or sudo: $*" >&2
    return 1
  fi
}

package_version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true; }

# The packages among the arguments that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

# newest_series PATTERN: the highest N for which a package PATTERN, N in place of %, is known here.
newest_series() {
  apt-cache pkgnames "${1%%\%*}" | sed -n "s/^${1/\%/\\([0-9]*\\)}\$/\1/p" | sort -n | tail -1
}

# The LLDB that Debian 12 and 13 both have, or the newest that has headers.
lldb_series() {
  if apt-cache pkgnames liblldb-19-dev | grep -q .; then echo 19; else newest_series liblldb-%-dev; fi
}

# The arguments, the series filled in: an LLDB, and the newest CPython that has a debug build. Fails
# when the package index knows none.
packages_of_suite() {
  local package series
  for package in "$@"; do
    case $package in
    *lldb-%*) series=$(lldb_series) ;;
    python3.%*) series=$(newest_series python3.%-dbg) ;;
    *) series=- ;;
    esac
    [ -n "$series" ] || return 1
    echo "${package/\%/$series}"
  done
}

update_index() { as_root apt-get update -qq; }

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian: install the equivalents of: $*" >&2
    return
  fi
  local packages missing python
  if ! packages=$(packages_of_suite "$@"); then
    update_index
    packages=$(packages_of_suite "$@") || {
      echo "this suite has no LLDB with headers or no CPython with a debug build" >&2
      return 1
    }
  fi
  mapfile -t missing < <(missing_packages $packages)
  # The interpreter and what is split from it must be of one version.
  python=$(grep -x 'python3\.[0-9]*' <<<"$packages" || true)
  if [ -n "$python" ] && [ "$(package_version "$python")" != "$(package_version "$python-dbg")" ]; then
    missing+=("$python" "$python-dbg")
  fi
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing: ${missing[*]}"
    update_index
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
}

# build PRESET [-DNAME=VALUE...] [TARGET...]: configures when needed, and builds.
build() {
  local preset=$1 launcher=()
  shift
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    # Precompiled headers are taken as they are; another checkout has the same sources elsewhere; what
    # is not known yet is not preprocessed a second time.
    export CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
  fi
  say "building, preset $preset"
  while [[ ${1:-} == -D* ]]; do
    launcher+=("$1")
    shift
  done
  local log=build/configure-$preset.log
  mkdir -p build
  cmake --preset "$preset" "${launcher[@]}" >"$log" 2>&1 || {
    cat "$log" >&2
    return 1
  }
  grep -E 'Warning|not built|plugin' "$log" || true
  cmake --build --preset "$preset" ${*:+--target "$@"}
}
