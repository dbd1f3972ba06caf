#!/usr/bin/env bash
# tests/image_arch.sh BUILD : the image for the other architecture, on one machine: built by Debian's cross compiler, with libraries of that architecture alone, its own bill of
# materials, and run by qemu; two packings give the same bytes. Both images are one by an index.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd); cd "$top"
build=$1; d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
skip() { echo "$*"; exit 77; }
. deploy/packages.sh; . tests/wait.sh
case $(dpkg --print-architecture 2>/dev/null) in
  amd64) here=amd64 other=arm64 cpu=aarch64 machine=AArch64 ;;
  arm64) here=arm64 other=amd64 cpu=x86_64 machine='Advanced Micro Devices X86-64' ;;
  *) skip "another architecture's compiler is Debian's, and this is none for amd64 or arm64" ;;
esac
missing=$(packages_missing $packages_build "gcc-${cpu/_/-}-linux-gnu" ca-certificates jq | xargs); [ -z "$missing" ] || skip "not installed: $missing"
deploy/image/sysroot.sh $other "$build-$other/sysroot" >"$d/sysroot.log" 2>&1 || skip "the libraries for $other cannot be had: $(tail -n 1 "$d/sysroot.log")"

export SOURCE_DATE_EPOCH=1700000000 IMAGE_REVISION=none HANDOVER_BUILD=$build
status=0; deploy/image/build.sh --arch riscv64 "$d/x.tar" 2>"$d/said" || status=$?
[ $status = 2 ] && grep -q 'read "riscv64", allowed are amd64 and arm64' "$d/said" || fail "another architecture: $status, $(cat "$d/said")"
status=0; deploy/image/build.sh --arch amd64,arm64 "$d/root" 2>"$d/said" || status=$?
[ $status = 2 ] && grep -q 'no root file system' "$d/said" || fail "a root file system of two architectures: $status, $(cat "$d/said")"
deploy/image/build.sh -t localhost/handover:both --arch amd64,arm64 "$d/both.tar" >/dev/null
(umask 027; deploy/image/build.sh -t localhost/handover:both --arch $other "$d/$other.tar" >/dev/null)
deploy/image/build.sh -t localhost/handover:both "$d/$here.tar" >/dev/null
deploy/image/index.sh localhost/handover:both "$d/again.tar" "$d/amd64.tar" "$d/arm64.tar"
cmp "$d/both.tar" "$d/again.tar" || fail "packed again, the image differs"
! deploy/image/index.sh x "$d/x.tar" "$d/$here.tar" "$d/$here.tar" 2>/dev/null || fail "an index of one architecture twice"

# A node finds the one of its own: each manifest says its platform, as its configuration does, and every blob is what its name says.
mkdir "$d/i"; tar -C "$d/i" -xf "$d/both.tar"
(cd "$d/i/blobs/sha256" && for b in *; do echo "$b  $b"; done | sha256sum --quiet -c -) || fail "a blob is not what its digest says"
blob() { echo "$d/i/blobs/sha256/${1#sha256:}"; }
[ "$(jq '.manifests | length' "$d/i/index.json")" = 1 ] || fail "the name is of more than one thing"
index=$(blob "$(jq -r '.manifests[0].digest' "$d/i/index.json")")
[ "$(jq -c '[.manifests[].platform | .os + "/" + .architecture]' "$index")" = '["linux/amd64","linux/arm64"]' ] || fail "the index: $(cat "$index")"
jq -r '.manifests[] | "\(.digest) \(.size)"' "$index" | while read -r digest size; do [ "$(stat -c%s "$(blob "$digest")")" = "$size" ] || fail "the size of $digest"; done
manifest=$(blob "$(jq -r --arg a $other '.manifests[] | select(.platform.architecture == $a) | .digest' "$index")")
[ "$(jq -r .architecture "$(blob "$(jq -r .config.digest "$manifest")")")" = $other ] || fail "the configuration says another architecture"
mkdir "$d/root"; tar -C "$d/root" -xf "$(blob "$(jq -r '.layers[0].digest' "$manifest")")"

# Nothing of this machine is in it, and the bill of materials has each library with its package of that architecture.
find "$d/root" -type f \( -name '*.so*' -o -path '*/bin/*' \) | while read -r f; do
  LC_ALL=C readelf -h "$f" | has "Machine: *$machine" || fail "${f#"$d/root"} is not for $other"
done
sbom=$d/root/usr/share/sbom/handover.spdx.json
cmp "$sbom" "$d/both.tar.$other.spdx.json"
jq -r '.files[] | "\(.checksums[0].checksumValue)  \(.fileName)"' "$sbom" | (cd "$d/root" && sha256sum --quiet -c -) || fail "a digest is wrong"
lone=$(jq -r '[.relationships[] | select(.relationshipType == "CONTAINS" and .spdxElementId == "SPDXRef-Package-handover") | .relatedSpdxElement] | map(select(test("lib.*\\.so"))) | .[]' "$sbom")
[ -z "$lone" ] || fail "libraries without a package: $lone"
jq -e --arg a "arch=$other&" '[.packages[] | select(.name == "libcurl4") | .externalRefs[].referenceLocator] | length == 1 and (.[0] | contains($a))' "$sbom" >/dev/null ||
  fail "libcurl4 in the bill of materials: $(jq -c '.packages[] | select(.name == "libcurl4")' "$sbom")"

qemu=$(command -v "qemu-$cpu-static" || command -v "qemu-$cpu") || skip "all but its start: qemu-user-static is not installed"
[ "$("$qemu" -L "$d/root" "$d/root/usr/bin/handover" version | head -1)" = "$("$build/handover" version | head -1)" ] || fail "it does not start"
"$qemu" -L "$d/root" "$d/root/usr/bin/handover" install --dry-run --kubernetes=1.37 --image=x/y:1 | cmp - <("$build/handover" install --dry-run --kubernetes=1.37 --image=x/y:1) ||
  fail "it does not say what this machine's says"
