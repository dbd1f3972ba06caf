#!/usr/bin/env bash
# oci.sh NAME ROOTFS ENTRYPOINT OUT.tar : packs a root file system as a one-layer OCI image, with tar and sha256sum alone.
# Reproducible: the same files give the same digest, whatever their times and the umask; times are SOURCE_DATE_EPOCH.
# Runs as user 65532 unless IMAGE_USER says otherwise. IMAGE_LABELS: its labels, a JSON object. IMAGE_ARCH: of what architecture its
# programs are (this machine's).
set -euo pipefail
name=$1 root=$2 entry=$3 out=$4 user=${IMAGE_USER:-65532:65532}
d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
mkdir -p "$d/i/blobs/sha256"
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
arch=${IMAGE_ARCH:-$arch}
blob() { # FILE -> digest; the file becomes a blob
  local h; h=$(sha256sum "$1" | cut -d' ' -f1); mv "$1" "$d/i/blobs/sha256/$h"; echo "$h"; }
size() { stat -c%s "$d/i/blobs/sha256/$1"; }
tar -C "$root" --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w "--mtime=@${SOURCE_DATE_EPOCH:-0}" --sort=name -cf "$d/layer" .
layer=$(blob "$d/layer")
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y-%m-%dT%H:%M:%SZ)
printf '{"created":"%s","architecture":"%s","os":"linux","config":{"User":"%s","Entrypoint":["%s"],"Env":["PATH=/usr/bin:/bin"],"Labels":%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$created" "$arch" "$user" "$entry" "${IMAGE_LABELS:-null}" "$layer" >"$d/config"
config=$(blob "$d/config")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
  "$config" "$(size "$config")" "$layer" "$(size "$layer")" >"$d/manifest"
manifest=$(blob "$d/manifest")
printf '{"imageLayoutVersion":"1.0.0"}' >"$d/i/oci-layout"
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}}]}' \
  "$manifest" "$(size "$manifest")" "$name" "$name" >"$d/i/index.json"
tar -C "$d/i" --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w --mtime=@0 --sort=name -cf "$out" .
