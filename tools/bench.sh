#!/usr/bin/env bash
# Measures pygc against gc.collect() on large heaps, and writes the tables into docs/performance.md.
#   tools/bench.sh           1.3 M, 10 M and 30 M objects, an interpreter that has just started, one with
#                            300 threads: twenty minutes, 16 GB of memory and 20 GB of disk
#   tools/bench.sh --brief   1.3 M objects, a kernel core, pygc alone; writes nothing
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
bench=build/release/bin/pygc_bench

if [ "${1:-}" = --brief ]; then
  exec "$bench" --objects 1300000 --repetitions 5 --rows alone
fi
install_packages "${build_packages[@]}"
build release

tables=$(mktemp)
trap 'rm -f "$tables"' EXIT
{
  echo "$(nproc) processors, $(awk '/MemTotal/ {printf "%d", $2 / 1e6}' /proc/meminfo) GB of memory," \
    "Linux $(uname -r), huge pages: $(cat /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null || echo none);" \
    "load $(cut -d' ' -f1 /proc/loadavg) when it began."
  for objects in 1300000 10000000; do
    for core in kernel gcore; do
      echo
      "$bench" --objects "$objects" --core "$core"
    done
  done
  echo
  "$bench" --objects 30000000 --rows alone
  for core in kernel gcore; do
    echo
    "$bench" --objects 0 --rows alone --core "$core"
    echo
    "$bench" --objects 0 --rows alone --core "$core" --threads 300
  done
} | tee "$tables"

# What lies between the two marks is replaced.
sed -i -e "/^<!-- measured -->/r $tables" \
  -e '/^<!-- measured -->/,/^<!-- end -->/{/^<!--/!d}' docs/performance.md
