#!/usr/bin/env bash
# sysroot.sh ARCH DIR : the libraries of another Debian architecture that a build needs, unpacked in DIR by apt's own verified download,
# with dpkg's record of what file is of which package, for sbom.sh. Nothing is installed: this machine's packages and its list of
# architectures stay as they are, and root is not needed. What is there is kept for as long as Debian has no newer versions of it.
set -euo pipefail
export LC_ALL=C
arch=$1 dir=$2
. "$(dirname "$0")/../packages.sh"
mkdir -p "$dir.apt/lists/partial" "$dir.apt/archives/partial"; dir=$(realpath -m "$dir")
: >"$dir.apt/status"
apt() {
  apt-get -qq -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch" -o APT::Install-Recommends=false -o APT::Sandbox::User= \
    -o "Dir::State=$dir.apt" -o "Dir::State::status=$dir.apt/status" -o "Dir::Cache=$dir.apt" "$@"
}
# Headers and libraries alone; the compiler is this machine's.
libraries=$(printf '%s\n' $packages_build | grep -E -- '-dev$')
apt update
apt clean
wanted=$(apt install -y --print-uris $libraries | cut -d' ' -f2 | sort)
[ -n "$wanted" ] || { echo "apt has no packages for $arch" >&2; exit 1; }
[ "$wanted" != "$(cat "$dir/wanted" 2>/dev/null)" ] || exit 0
apt install -y --download-only $libraries
new=$dir.new; rm -rf "$new"; mkdir -p "$new/usr/lib" "$new/var/lib/dpkg/info"
ln -s usr/lib "$new/lib" # as Debian merges them: a link of one to the other's stays inside
echo 1 >"$new/var/lib/dpkg/info/format"
for deb in "$dir.apt"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -C "$new" --no-same-owner --keep-directory-symlink -xf -
  { dpkg-deb -f "$deb"; printf 'Status: install ok installed\n\n'; } >>"$new/var/lib/dpkg/status"
  name=$(dpkg-deb -f "$deb" Package)
  [ "$(dpkg-deb -f "$deb" Multi-Arch)" != same ] || name=$name:$(dpkg-deb -f "$deb" Architecture)
  dpkg-deb --fsys-tarfile "$deb" | tar -t | sed 's/^\.//; s,/$,,; s,^$,/.,' >"$new/var/lib/dpkg/info/$name.list"
done
find "$new" -type l -lname '/*' -printf '%p %l\n' | while read -r link to; do ln -sfnr "$new$to" "$link"; done
echo "$wanted" >"$new/wanted"
rm -rf "$dir" "$dir.apt/archives"; mv "$new" "$dir"
