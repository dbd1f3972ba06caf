#!/usr/bin/env bash
# build.sh [-t NAME] [--arch ARCH[,ARCH]] OUT : builds Handover in release mode and packs it with the shared libraries that it needs. On a
# bare Debian, as root, it installs what is missing.
#   OUT ending in .tar: an OCI image (ctr, skopeo, podman load it), and its bill of materials beside it, OUT.spdx.json; otherwise OUT is
#   filled as a root file system. The same commit on the same packages gives the same bytes.
#   --arch: amd64 or arm64 instead of this machine's, by Debian's cross compiler and its libraries; amd64,arm64: one image of both, and
#   OUT.ARCH.spdx.json.
#   Environment: HANDOVER_BUILD (build-release; for another architecture -ARCH is appended), SOURCE_DATE_EPOCH and IMAGE_REVISION (those of the commit).
# No shell, no package manager, no embedded API server in the image; it runs as 65532 with a read-only root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
name=handover:dev archs=
while :; do case ${1:-} in -t) name=$2; shift 2 ;; --arch) archs=$2; shift 2 ;; *) break ;; esac; done
out=${1:?"usage: build.sh [-t NAME] [--arch ARCH[,ARCH]] OUT"}
if [[ $archs == *,* ]]; then
  [[ $out == *.tar ]] || { echo "--arch $archs: several architectures make an image, OUT.tar, and no root file system; read was $out" >&2; exit 2; }
  parts=$(mktemp -d); trap 'rm -rf "$parts"' EXIT
  images=()
  for a in ${archs//,/ }; do
    "$0" -t "$name" --arch "$a" "$parts/$a.tar"
    images+=("$parts/$a.tar")
  done
  "$here/index.sh" "$name" "$out" "${images[@]}"
  for a in ${archs//,/ }; do cp "$parts/$a.tar.spdx.json" "$out.$a.spdx.json"; done
  echo "$out: $archs, $(($(stat -c%s "$out") / 1024)) KiB, $(sha256sum "$out" | cut -d' ' -f1)"; exit
fi
build=${HANDOVER_BUILD:-$top/build-release}
. "$top/deploy/packages.sh"
here_arch=$(dpkg --print-architecture 2>/dev/null || true) cross=()
export IMAGE_ARCH=${archs:-$here_arch}; [ -n "$IMAGE_ARCH" ] || unset IMAGE_ARCH
unset HANDOVER_TRIPLET HANDOVER_SYSROOT
case $archs in
  '' | "$here_arch") ;;
  amd64) export HANDOVER_TRIPLET=x86_64-linux-gnu ;;
  arm64) export HANDOVER_TRIPLET=aarch64-linux-gnu ;;
  *) echo "--arch: read \"$archs\", allowed are amd64 and arm64" >&2; exit 2 ;;
esac
packages_other=
if [ -n "${HANDOVER_TRIPLET:-}" ]; then
  [ -n "$here_arch" ] || { echo "--arch $archs: another architecture's compiler and libraries are Debian's, and this is none" >&2; exit 1; }
  build=$build-$archs packages_other=gcc-${HANDOVER_TRIPLET//_/-} cross=("-DCMAKE_TOOLCHAIN_FILE=$here/cross.cmake")
  export HANDOVER_SYSROOT=$build/sysroot
fi
if command -v dpkg-query >/dev/null; then
  missing=$(packages_missing $packages_build binutils ca-certificates jq $packages_other)
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
[ -z "${HANDOVER_SYSROOT:-}" ] || "$here/sysroot.sh" "$archs" "$HANDOVER_SYSROOT"
{ cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHANDOVER_TESTS=OFF "${cross[@]+"${cross[@]}"}" && ninja -C "$build" handover; } >"$log" 2>&1 ||
  { tail -30 "$log" >&2; exit 1; }
"$here/size.sh" "$build/handover"
"$here/hardening.sh" "$build/handover"
case $out in *.tar) root=$(mktemp -d); trap 'rm -rf "$root"' EXIT ;; *) root=$out; mkdir -p "$root" ;; esac
"$here/rootfs.sh" "$build/handover" "$root"
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:.*=//p' "$build/CMakeCache.txt")
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
