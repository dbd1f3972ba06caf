#!/usr/bin/env bash
# rootfs.sh PROGRAM ROOT : the smallest root file system for a program: itself in /usr/bin, stripped, every library that the
# loader names at the path where the loader will look for it, certificates, and user 65532. Existing files in ROOT stay.
# HANDOVER_TRIPLET, HANDOVER_SYSROOT: a program of another architecture, whose libraries are there; they are found without running it.
set -euo pipefail
program=$1 root=$2
mkdir -p "$root/etc"
install -D "$program" "$root/usr/bin/$(basename "$program")"
strip=strip; [ -z "${HANDOVER_SYSROOT:-}" ] || strip=$HANDOVER_TRIPLET-strip
$strip "$root/usr/bin/$(basename "$program")"
other() { # FILE : what a file of the other architecture needs, and what that needs
  local lib at
  for lib in $(readelf -dlW "$1" | sed -nE 's/.*Shared library: \[(.*)\]/\1/p; s/.*program interpreter: (.*)\]/\1/p'); do
    case $lib in /*) at=$lib ;; *) at=/lib/$HANDOVER_TRIPLET/$lib; [ "$lib" != "${loader##*/}" ] || at=$loader ;; esac
    [ ! -e "$root$at" ] || continue
    [ -e "$HANDOVER_SYSROOT$at" ] || { echo "$1 needs $lib, and $HANDOVER_SYSROOT does not have it" >&2; exit 1; }
    install -D "$(readlink -f "$HANDOVER_SYSROOT$at")" "$root$at"
    other "$root$at"
  done
}
if [ -n "${HANDOVER_SYSROOT:-}" ]; then
  loader=$(readelf -lW "$program" | sed -nE 's/.*program interpreter: (.*)\]/\1/p')
  other "$program"
else
  ldd "$program" | grep -oE '/[^ ]+' | while read -r lib; do install -D "$(readlink -f "$lib")" "$root$lib"; done
fi
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
printf 'nonroot:x:65532:65532::/:/\n' >"$root/etc/passwd"; printf 'nonroot:x:65532:\n' >"$root/etc/group"
