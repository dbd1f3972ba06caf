#!/usr/bin/env bash
# build.sh [-t NAME] OUT : builds Handover in release mode and packs it with the shared libraries that it needs.
#   OUT ending in .tar: an OCI image (ctr, skopeo, podman load it); otherwise OUT is filled as a root file system.
# No shell, no package manager, no embedded API server in the image; it runs as 65532 with a read-only root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
name=handover:dev; [ "${1:-}" = -t ] && { name=$2; shift 2; }
out=${1:?"usage: build.sh [-t NAME] OUT"}
build=${HANDOVER_BUILD:-$top/build-release}
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF >/dev/null
ninja -C "$build" handover >/dev/null
"$here/size.sh" "$build/handover"
"$here/hardening.sh" "$build/handover"
case $out in *.tar) root=$(mktemp -d); trap 'rm -rf "$root"' EXIT ;; *) root=$out; mkdir -p "$root" ;; esac
"$here/rootfs.sh" "$build/handover" "$root"
case $out in *.tar) "$here/oci.sh" "$name" "$root" /usr/bin/handover "$out" ;; esac
