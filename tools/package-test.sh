#!/usr/bin/env bash
# Installs the package of a Debian suite in a bare tree of that suite, as a user would, and asks it for a
# verdict: on a core and on a running process, alone, in a plain gdb, in a plain lldb, and in what they have
# of debug adapters for editors.
#   tools/package-test.sh [SUITE [PACKAGE]]    default: bookworm, build/packages/pygc_*~deb12_*.deb
#   tools/package-test.sh SUITE TARBALL        unpacks a static tarball instead, and runs `pygc install`
#   tools/package-test.sh --prepare [SUITE]    only the tree, which comes over the network
#
# The trees are kept beside those of tools/matrix.sh as package-SUITE. Needs root or sudo, and the right
# to mount. Status 3: the tree could not be prepared, so nothing is known.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
prepare_only=
[ "${1:-}" != --prepare ] || { prepare_only=yes; shift; }
suite=${1:-bookworm}
declare -A numbers=([bullseye]=11 [bookworm]=12 [trixie]=13)
package=${2:-$(ls -t build/packages/pygc_*~deb"${numbers[$suite]:-}"_*.deb 2>/dev/null | head -n 1)}
[ -n "$prepare_only" ] || [ -e "$package" ] ||
  { echo "no package of Debian $suite: tools/package.sh makes it" >&2; exit 2; }
matrix=${PYGC_MATRIX_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pygc-matrix}
root=$matrix/package-$suite
log=$matrix/package-$suite.log

prepare_tree() {
  mkdir -p "$matrix"
  exec 9>"$matrix/package-$suite.lock" # another may be at it
  flock 9
  [ -e "$root/.pygc-complete" ] && return 0
  echo "package-test: preparing Debian $suite" >&2
  as_root rm -rf "$root"
  as_root debootstrap --variant=minbase --include=python3,ca-certificates "$suite" "$root" >"$log" 2>&1 &&
    as_root chroot "$root" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends gdb lldb >>"$log" 2>&1 &&
    as_root touch "$root/.pygc-complete"
}
prepare_tree || { echo "package-test: Debian $suite could not be prepared, see $log" >&2; exit 3; }
[ -z "$prepare_only" ] || exit 0

as_root mkdir -p "$root/package-test"
as_root cp "$package" tools/demo_target.py tests/e2e/scripts/dap.py "$root/package-test/"
as_root tee "$root/package-test/run.sh" >/dev/null <<'END'
# Inside the tree: run.sh PACKAGE
set -euo pipefail
cd /package-test
package=$1 started=$SECONDS
export HOME=/root DEBIAN_FRONTEND=noninteractive
rm -rf ~/.gdbinit ~/.lldbinit unpacked core.*

case $package in
*.deb) apt-get install -y --no-install-recommends "./$package" >install.log 2>&1 || { cat install.log; exit 1; } ;;
*)
  mkdir unpacked
  # The bare tree need not have xz.
  python3 -W ignore -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall("unpacked")' "$package"
  export PATH=$(echo "$PWD"/unpacked/*/bin):$PATH
  pygc install --user
  pygc install --user | grep -q 'already' || { echo "WRONG: the second install did something"; exit 1; }
  ;;
esac
pygc --version
gdb --version | head -n 1
lldb --version 2>/dev/null | head -n 1

python=$(readlink -f /usr/bin/python3)
"$python" demo_target.py >pid &
target=$!
trap 'kill $target 2>/dev/null || true' EXIT
until [ -s pid ]; do kill -0 "$target"; sleep 0.1; done
gcore -o core "$target" >gcore.log 2>&1 || { cat gcore.log; exit 1; }

failed=0
verdict() { # WHAT COMMAND...: a verdict has to come, of a complete check
  local what=$1 status=0
  shift
  "$@" >out.log 2>&1 || status=$?
  if grep -q '^verdict: ' out.log && grep -q '; complete' out.log; then
    echo "ok: $what: $(grep '^verdict: ' out.log)"
  else
    echo "WRONG: $what, status $status"
    cat out.log
    failed=1
  fi
}
verdict "alone, core" pygc check "core.$target"
verdict "alone, --pid" pygc check --pid "$target"
verdict "gdb, core" gdb -batch -ex 'pygc check' "$python" "core.$target"
verdict "gdb, attached" gdb -batch -ex 'pygc check' -p "$target"
verdict "lldb, core" lldb --batch -o 'pygc check' -c "core.$target" "$python"
verdict "lldb, attached" lldb --batch -o 'pygc check' -p "$target"
in_adapter() { # WORDS PROGRAM [OPTION]
  printf '{"adapter": ["%s"%s], "request": "attach", "arguments": {"pid": %d, "program": "%s", "stopOnEntry": true},
    "expressions": ["%s"]}' "$2" "${3:+, \"$3\"}" "$target" "$python" "$1" >task.json
  timeout 120 python3 dap.py task.json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["text"])'
}
if gdb -batch -ex 'python import gdb.dap; print("it is there")' 2>&1 | grep -q 'it is there'; then
  verdict "gdb --interpreter=dap" in_adapter "pygc check" gdb --interpreter=dap
fi
lldb_dap=$(ls /usr/bin/lldb-dap* /usr/bin/lldb-vscode* 2>/dev/null | head -n 1 || true)
case $lldb_dap in
'') ;;
*/lldb-vscode*) verdict "${lldb_dap##*/}" in_adapter '`pygc check' "$lldb_dap" ;; # no automatic mode yet
*) verdict "${lldb_dap##*/}" in_adapter "pygc check" "$lldb_dap" ;;
esac
echo "from nothing to all verdicts: $((SECONDS - started)) s"

case $package in
*.deb) apt-get purge -y pygc >>install.log 2>&1 ;;
*) pygc install --remove ;;
esac
left=$(gdb -batch -ex 'help pygc' 2>&1 || true)
grep -q 'Undefined command: "pygc"' <<<"$left" || { echo "WRONG: something is left: $left"; failed=1; }
[ ! -e /etc/gdb/gdbinit.d/pygc.gdb ] && [ ! -e /usr/lib/lldb/plugins/libpygc-lldb.so ] || { echo "WRONG: files are left"; failed=1; }
exit $failed
END

say "${package##*/} in a bare Debian $suite"
environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb)
for name in http_proxy https_proxy no_proxy; do
  [ -z "${!name:-}" ] || environment+=("$name=${!name}")
done
as_root unshare --mount --pid --fork --kill-child bash -euc '
  root=$1
  shift
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  cd "$root"
  pivot_root . mnt
  exec chroot . sh -c "umount -l /mnt && exec env -i \"\$@\"" sh "$@"' bash "$root" "${environment[@]}" \
  bash /package-test/run.sh "${package##*/}"
