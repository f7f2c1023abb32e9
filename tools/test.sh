#!/usr/bin/env bash
# Builds pygc and runs what checks it: the form of the sources and all tests of the release build.
#   tools/test.sh [--sanitize]   also the unit tests under AddressSanitizer and UBSan
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
install_packages "${build_packages[@]}" "${check_packages[@]}"
failed=()

build release
say "form of the sources"
tools/lint.sh || failed+=(lint)

# Twice the build: on request.
if [ "${1:-}" = --sanitize ]; then
  build asan pygc_unit_tests pygc-replayer-native pygc-replayer-emulated
  say "unit tests under sanitizers"
  ctest --test-dir build/asan -L unit --output-on-failure -j "$(nproc)" || failed+=(asan)
fi

say "interpreters of the matrix"
tools/matrix.sh | tee build/release/matrix.txt

# One at a time: some look for processes and files that another test would have left behind.
say "all tests"
ctest --test-dir build/release --output-on-failure || failed+=(tests)

if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
