#!/usr/bin/env bash
# build.sh [-t NAME] OUT : builds Handover in release mode and packs it with the shared libraries that it needs. On a bare Debian, as
# root, it installs what is missing.
#   OUT ending in .tar: an OCI image (ctr, skopeo, podman load it), and its bill of materials beside it, OUT.spdx.json; otherwise OUT is
#   filled as a root file system. The same commit on the same packages gives the same bytes.
#   Environment: HANDOVER_BUILD (build-release), SOURCE_DATE_EPOCH and IMAGE_REVISION (those of the commit).
# No shell, no package manager, no embedded API server in the image; it runs as 65532 with a read-only root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
name=handover:dev; [ "${1:-}" = -t ] && { name=$2; shift 2; }
out=${1:?"usage: build.sh [-t NAME] OUT"}
build=${HANDOVER_BUILD:-$top/build-release}
. "$top/deploy/packages.sh"
if command -v dpkg-query >/dev/null; then
  missing=$(packages_missing $packages_build binutils ca-certificates jq)
  if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || { echo "missing, and only root can install them:" $missing >&2; exit 1; }
    echo "installing" $missing >&2
    log=$(mktemp); packages_install "$log" $missing || { tail -20 "$log" >&2; exit 1; }
    rm -f "$log"
  fi
fi
# The time of everything in the image: the commit's, so that it says when the program was made and not when it was built.
[ -n "${SOURCE_DATE_EPOCH:-}" ] || SOURCE_DATE_EPOCH=$(git -C "$top" log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=0
export SOURCE_DATE_EPOCH
log=$build/image.log; mkdir -p "$build"
exec 9>"$build/image.lock"; flock 9 # one build at a time in one folder
{ cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF && ninja -C "$build" handover; } >"$log" 2>&1 ||
  { tail -30 "$log" >&2; exit 1; }
"$here/size.sh" "$build/handover"
"$here/hardening.sh" "$build/handover"
case $out in *.tar) root=$(mktemp -d); trap 'rm -rf "$root"' EXIT ;; *) root=$out; mkdir -p "$root" ;; esac
"$here/rootfs.sh" "$build/handover" "$root"
version=$("$build/handover" version | awk 'NR == 1 {print $NF}')
mkdir -p "$root/usr/share/sbom"
"$here/sbom.sh" "$version" "$root" >"$root/usr/share/sbom/handover.spdx.json"
case $out in
  *.tar)
    export IMAGE_LABELS; IMAGE_LABELS=$(jq -nc --arg version "$version" --arg revision "${IMAGE_REVISION-$(git -C "$top" rev-parse HEAD 2>/dev/null || true)}" \
      --arg created "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" '
      {"title": "handover", "description": "Safe upgrades for Kubernetes operators", "licenses": "Apache-2.0", $version, $revision, $created}
      | with_entries(select(.value != "") | .key |= "org.opencontainers.image." + .)')
    "$here/oci.sh" "$name" "$root" /usr/bin/handover "$out"
    cp "$root/usr/share/sbom/handover.spdx.json" "$out.spdx.json"
    echo "$out: $(($(stat -c%s "$out") / 1024)) KiB, $(sha256sum "$out" | cut -d' ' -f1)" ;;
esac
