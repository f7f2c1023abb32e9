#!/usr/bin/env bash
# Looks for inputs that pygc does not bear, or of which it says "clean" when it should not.
#   tools/fuzz.sh cores [MUTANTS [SEED]]       damaged cores of real interpreters (10000), pygc alone
#   tools/fuzz.sh debuggers [MUTANTS [SEED]]   the same (300) in GDB and in LLDB each
#   tools/fuzz.sh targets [SECONDS [TARGET...]]  libFuzzer for so long (600) on each program of tests/fuzz
#   tools/fuzz.sh                              all of it
# Inputs that libFuzzer has found stay in build/fuzz/corpus, those that end a program in
# build/fuzz/found. docs/reliability.md says what is judged how. PYGC_FUZZ_PYTHONS: other interpreters than
# the host's release and debug build. PYGC_FUZZ_JOBS: how many mutants at a time.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
failed=()

pythons() {
  local python
  if [ -n "${PYGC_FUZZ_PYTHONS:-}" ]; then
    echo "$PYGC_FUZZ_PYTHONS"
    return
  fi
  python=$(sed -n 's/^PYGC_TEST_PYTHON:FILEPATH=//p' build/release/CMakeCache.txt)
  echo "$python ${python}d"
}

campaign() { # MUTANTS SEED [OPTION...]
  local mutants=$1 seed=$2
  shift 2
  # The host's own Python: it compares and damages, and sees nothing of pygc but its answer.
  /usr/bin/python3 tests/fuzz/cores/campaign.py --pygc build/release/bin/pygc --python $(pythons) \
    --mutants "$mutants" --seed "$seed" --jobs "${PYGC_FUZZ_JOBS:-$(nproc)}" "$@"
}

fuzz_cores() {
  build release pygc pygc-replayer-native pygc-replayer-emulated
  say "damaged cores, alone"
  campaign "${1:-10000}" "${2:-1}" || failed+=(cores)
}

fuzz_in_debuggers() {
  build release "${installed_targets[@]}"
  say "damaged cores in GDB"
  campaign "${1:-300}" "${2:-1}" --debugger gdb --program "$(command -v gdb)" \
    --plugin "$PWD/build/release/share/pygc/pygc.gdb" || failed+=(gdb)
  say "damaged cores in LLDB"
  campaign "${1:-300}" "${2:-1}" --debugger lldb \
    --program "$(sed -n 's/^PYGC_LLDB:FILEPATH=//p' build/release/CMakeCache.txt)" \
    --plugin "$PWD/build/release/lib/lldb/plugins/libpygc-lldb.so" || failed+=(lldb)
}

# Beside what pygc_fuzz_seeds writes: what other programs make.
more_seeds() { # DIRECTORY
  local to=$1 format
  mkdir -p "$to"/{elf_file,layout,decompress}
  cp common/cpython/layouts/*.json "$to/layout/"
  for format in 4 5; do
    printf '%s\n' 'struct pair { int left; long right[3]; } counted;' \
      'static inline int twice(int x) { int y = x * 2; return y + counted.left; }' \
      'int main_of(struct pair* p, int n) { for (int i = 0; i < n; ++i) p->left += twice(i); return p->left; }' |
      clang-19 -x c - -gdwarf-$format -O1 -fPIC -shared -nostdlib -Wl,--build-id -o "$to/elf_file/dwarf$format"
  done
  # In front of the packed bytes stands the size of pieces.
  for format in 'zstd -q' 'lz4 -q' 'xz' 'gzip'; do
    { printf '\377'; head -c 3000 CMakeLists.txt | $format -c -; } >"$to/decompress/${format%% *}"
    { printf '\3'; { head -c 300 CMakeLists.txt | $format -c -; printf ab | $format -c -; }; } \
      >"$to/decompress/${format%% *}2"
  done
}

fuzz_targets() { # SECONDS [TARGET...]
  local seconds=${1:-600} target
  [ $# = 0 ] || shift
  install_packages "${build_packages[@]}" clang-19 libclang-rt-19-dev
  build fuzz pygc_fuzz
  local bin=build/fuzz/bin
  "$bin/pygc_fuzz_seeds" build/fuzz/seeds
  more_seeds build/fuzz/seeds
  mkdir -p build/fuzz/found
  [ $# -gt 0 ] || set -- core elf_file layout lists wire packets replies decompress
  for target in "$@"; do
    say "libFuzzer on $target, $seconds s"
    mkdir -p "build/fuzz/corpus/$target" "build/fuzz/seeds/$target"
    "$bin/pygc_fuzz_$target" "build/fuzz/corpus/$target" "build/fuzz/seeds/$target" \
      -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/found/$target-" >"build/fuzz/$target.log" 2>&1 ||
      { tail -40 "build/fuzz/$target.log"; failed+=("$target"); }
    grep -E '^stat::(number_of_executed_units|average_exec|peak_rss)|^#[0-9]+.*DONE' "build/fuzz/$target.log" || true
  done
}

case "${1:-}" in
cores) shift && fuzz_cores "$@" ;;
debuggers) shift && fuzz_in_debuggers "$@" ;;
targets) shift && fuzz_targets "$@" ;;
"")
  fuzz_targets
  fuzz_cores
  fuzz_in_debuggers
  ;;
*)
  sed -n '2,10p' "${BASH_SOURCE[0]}" >&2
  exit 2
  ;;
esac

if [ ${#failed[@]} -gt 0 ]; then
  echo "found something: ${failed[*]}" >&2
  exit 1
fi
