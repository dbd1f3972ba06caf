#!/usr/bin/env bash
# tests/image.sh BUILD : the image is small, says what it is and what is in it, and the same commit gives the same bytes: it is built in
# BUILD and once more from a copy of the tree, elsewhere, under another umask and time zone.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd); cd "$top"
build=$1; d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
command -v jq >/dev/null || { echo "jq is not installed"; exit 77; }
export SOURCE_DATE_EPOCH=1700000000 IMAGE_REVISION=$(git rev-parse HEAD 2>/dev/null || echo none)
HANDOVER_BUILD=$build deploy/image/build.sh -t localhost/handover:test "$d/a.tar"
mkdir "$d/copy"
{ git ls-files -z 2>/dev/null || find . -path ./build\* -prune -o -type f -print0; } | xargs -0 cp -P --parents -t "$d/copy"
(umask 027; cd "$d/copy"; TZ=Asia/Tokyo HANDOVER_BUILD=$d/elsewhere deploy/image/build.sh -t localhost/handover:test "$d/b.tar")
cmp "$d/a.tar" "$d/b.tar" || fail "two builds of one commit differ"
cmp "$d/a.tar.spdx.json" "$d/b.tar.spdx.json" || fail "the bills of materials differ"

[ "$(stat -c%s "$d/a.tar")" -lt $((30 << 20)) ] || fail "the image has $(stat -c%s "$d/a.tar") bytes, 30 MiB are allowed"
mkdir "$d/i" "$d/root"; tar -C "$d/i" -xf "$d/a.tar"
blob() { echo "$d/i/blobs/sha256/${1#sha256:}"; }
manifest=$(blob "$(jq -r '.manifests[0].digest' "$d/i/index.json")")
config=$(blob "$(jq -r .config.digest "$manifest")")
jq -e '.config.User == "65532:65532" and .created == "2023-11-14T22:13:20Z"
  and (.config.Labels | has("org.opencontainers.image.version") and has("org.opencontainers.image.licenses"))' "$config" >/dev/null ||
  fail "the image's configuration: $(cat "$config")"
tar -C "$d/root" -xf "$(blob "$(jq -r '.layers[0].digest' "$manifest")")"
[ -z "$(find "$d/root" -perm /6022 ! -type l)" ] || fail "writable for others, or set-uid: $(find "$d/root" -perm /6022 ! -type l)"

# Each file is in the bill of materials with its digest, each package of it is one that is installed here.
sbom=$d/root/usr/share/sbom/handover.spdx.json
cmp "$sbom" "$d/a.tar.spdx.json"
jq -r '.files[] | "\(.checksums[0].checksumValue)  \(.fileName)"' "$sbom" | (cd "$d/root" && sha256sum --quiet -c -) || fail "a digest is wrong"
diff <(jq -r '.files[].fileName' "$sbom" | sort) <(cd "$d/root" && find . -type f ! -path ./usr/share/sbom/\* | sort) || fail "files and bill of materials differ"
jq -r '.packages[] | select(.name != "handover") | "\(.name) \(.versionInfo)"' "$sbom" | while read -r package version; do
  [ "$(dpkg-query -W -f='${Version}' "$package" 2>/dev/null | head -c "${#version}")" = "$version" ] || fail "$package $version is not installed here"
done
lone=$(jq -r '[.relationships[] | select(.relationshipType == "CONTAINS" and .spdxElementId == "SPDXRef-Package-handover") | .relatedSpdxElement] | map(select(test("lib.*\\.so"))) | .[]' "$sbom")
[ -z "$lone" ] || fail "libraries without a package: $lone"
