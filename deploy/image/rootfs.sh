#!/usr/bin/env bash
# rootfs.sh PROGRAM ROOT : the smallest root file system for a program: itself in /usr/bin, stripped, every library that the
# loader names at the path where the loader will look for it, certificates, and user 65532. Existing files in ROOT stay.
set -euo pipefail
program=$1 root=$2
mkdir -p "$root/etc"
install -D "$program" "$root/usr/bin/$(basename "$program")"
strip "$root/usr/bin/$(basename "$program")"
ldd "$program" | grep -oE '/[^ ]+' | while read -r lib; do install -D "$(readlink -f "$lib")" "$root$lib"; done
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
printf 'nonroot:x:65532:65532::/:/\n' >"$root/etc/passwd"; printf 'nonroot:x:65532:\n' >"$root/etc/group"
