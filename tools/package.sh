#!/usr/bin/env bash
# Builds the packages of pygc and puts them into build/packages.
#   tools/package.sh [deb] [rpm] [tarball]     for the suite that this machine runs (default: deb tarball)
#   tools/suite.sh SUITE package               the same in a tree of another suite
#
# deb: by CPack, with dependencies by dpkg-shlibdeps, then lintian. rpm: by CPack, then checked by rpm.
# tarball: pygc and its engines linked statically, plugins that glibc 2.28 can load.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kinds=("$@")
[ ${#kinds[@]} -gt 0 ] || kinds=(deb tarball)
install_packages "${build_packages[@]}" "${package_packages[@]}"
packages=$PWD/build/packages
mkdir -p "$packages"

# The same version of Debian's package in two suites must differ.
release_of_suite() {
  local version
  version=$(. /etc/os-release && echo "${VERSION_ID:-}")
  echo "1${version:+~deb$version}"
}

cpack_in() { # PRESET GENERATOR
  (cd "build/$1" && cpack -G "$2" -B "$packages/$2" >"$packages/$2.log" 2>&1) || {
    cat "$packages/$2.log" >&2
    return 1
  }
}

# CPack has ldconfig run for what lies in /usr/lib/pygc, which is no library that programs link.
without_ldconfig() { # FILE
  local stage
  stage=$(mktemp -d)
  as_root dpkg-deb --raw-extract "$1" "$stage"
  as_root rm -f "$stage"/DEBIAN/postinst "$stage"/DEBIAN/postrm
  as_root dpkg-deb --root-owner-group --build "$stage" "$1" >/dev/null
  as_root rm -rf "$stage"
}

make_deb() {
  local file
  build release "-DPYGC_PACKAGE_RELEASE=$(release_of_suite)" "${installed_targets[@]}"
  rm -rf "$packages/DEB"
  cpack_in release DEB
  for file in "$packages"/DEB/*.deb; do
    without_ldconfig "$file"
    mv "$file" "$packages/"
    say "lintian ${file##*/}"
    lintian --no-cfg --fail-on error,warning --allow-root "$packages/${file##*/}"
  done
}

make_rpm() {
  local file database
  build release "${installed_targets[@]}"
  rm -rf "$packages/RPM"
  cpack_in release RPM
  for file in "$packages"/RPM/*.rpm; do
    mv "$file" "$packages/"
    file=$packages/${file##*/}
    say "rpm on ${file##*/}"
    rpm --checksig --nosignature "$file"
    rpm --query --package --requires "$file"
    rpm --query --package --list "$file" | grep -x '/usr/bin/pygc\|/usr/lib/lldb/plugins/libpygc-lldb.so\|/etc/gdb/gdbinit.d/pygc.gdb'
    database=$(mktemp -d)
    rpm --dbpath "$database" --install --test --nodeps --ignoreos "$file"
    rm -rf "$database"
  done
}

# Names with a version beyond those that are said to do: none may be left.
too_new() { # FILE...
  objdump -T "$@" | grep -E 'GLIBC_2\.(29|[3-9][0-9])|GLIBCXX_3\.4\.(2[6-9]|[3-9][0-9])' || true
}

make_tarball() {
  local version name stage file left
  build release "${installed_targets[@]}" pygc-static
  version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' build/release/CMakeCache.txt)
  name=pygc-$version-linux-$(uname -m)
  stage=$(mktemp -d)
  cmake --install build/release --strip --prefix "$stage/$name" >/dev/null
  strip -o "$stage/$name/bin/pygc" build/release/static/pygc
  cp LICENSE README.md NEWS.md "$stage/$name/"
  for file in "$stage/$name"/bin/pygc "$stage/$name"/libexec/pygc/*; do
    if readelf -d "$file" | grep -q NEEDED; then
      echo "${file##*/} needs libraries" >&2
      return 1
    fi
  done
  left=$(too_new "$stage/$name"/lib/pygc/*.so "$stage/$name"/lib/lldb/plugins/*.so)
  if [ -n "$left" ]; then
    printf 'the plugins need newer libraries than they may:\n%s\n' "$left" >&2
    return 1
  fi
  tar -C "$stage" --owner=0 --group=0 --numeric-owner --sort=name -cJf "$packages/$name.tar.xz" "$name"
  rm -rf "$stage"
}

for kind in "${kinds[@]}"; do
  case $kind in
  deb | rpm | tarball) "make_$kind" ;;
  *) echo "unknown: $kind" >&2; exit 2 ;;
  esac
done
say "packages"
find "$packages" -maxdepth 1 -type f ! -name '*.log' -exec ls -l {} +
