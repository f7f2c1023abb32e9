# Sourced by the scripts of this directory: packages, configuration, build.
# From here on the working directory is the top of the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What pygc is built of, and the debuggers and interpreters that the demo and the tests use.
# python3.11 and python3.11-dbg must be of one version: they stand together.
build_packages=(
  g++ cmake ninja-build git pkg-config binutils
  libdw-dev libelf-dev libdebuginfod-dev libcli11-dev libfmt-dev nlohmann-json3-dev
  libunicorn-dev libseccomp-dev liblldb-19-dev lldb-19 gdb gdbserver
  libgtest-dev libgmock-dev libbenchmark-dev
  python3.11 python3.11-dbg python3.11-dev procps debootstrap
)
check_packages=(clang-format-19 clang-tidy-19)

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

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian: install the equivalents of: $*" >&2
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ "$(package_version python3.11)" != "$(package_version python3.11-dbg)" ]; then
    missing+=(python3.11 python3.11-dbg)
  fi
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
}

# build PRESET [TARGET...]: configures when needed, and builds.
build() {
  local preset=$1 launcher=()
  shift
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  say "building, preset $preset"
  local log=build/configure-$preset.log
  mkdir -p build
  cmake --preset "$preset" "${launcher[@]}" >"$log" 2>&1 || {
    cat "$log" >&2
    return 1
  }
  grep -E 'Warning|not built|plugin' "$log" || true
  cmake --build --preset "$preset" ${*:+--target "$@"}
}
