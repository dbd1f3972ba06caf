#!/usr/bin/env bash
# index.sh NAME OUT.tar IMAGE.tar... : one OCI image of several architectures, from images of one each by oci.sh: a node pulls the one of its
# own. Reproducible, as they are.
set -euo pipefail
name=$1 out=$2; shift 2
d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
mkdir "$d/i"
for image; do
  tar -C "$d/i" -xf "$image"
  manifest=$(jq -c '.manifests[0] | {mediaType, digest, size}' "$d/i/index.json")
  config=$(jq -r .config.digest "$d/i/blobs/sha256/$(jq -r '.digest[7:]' <<<"$manifest")")
  jq -c --argjson manifest "$manifest" '$manifest + {platform: {architecture, os}}' "$d/i/blobs/sha256/${config#sha256:}"
done >"$d/manifests"
type=application/vnd.oci.image.index.v1+json
jq -cjs --arg type $type '{schemaVersion: 2, mediaType: $type, manifests: .}' "$d/manifests" >"$d/index"
[ "$(jq '[.manifests[].platform.architecture] | length - (unique | length)' "$d/index")" = 0 ] || { echo "$*: two images of one architecture" >&2; exit 1; }
digest=$(sha256sum "$d/index" | cut -d' ' -f1); size=$(stat -c%s "$d/index"); mv "$d/index" "$d/i/blobs/sha256/$digest"
jq -ncj --arg type $type --arg digest "sha256:$digest" --argjson size "$size" --arg name "$name" '{schemaVersion: 2, manifests: [{mediaType: $type, $digest, $size,
  annotations: {"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": $name}}]}' >"$d/i/index.json"
tar -C "$d/i" --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w --mtime=@0 --sort=name -cf "$out" .
