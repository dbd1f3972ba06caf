#!/usr/bin/env bash
# sbom.sh VERSION ROOTFS : what is in an image, as SPDX 2.3 in JSON: Handover itself, and each Debian package that a file of the root
# file system comes from, with its version and the files' digests. Reproducible: times come from SOURCE_DATE_EPOCH.
set -euo pipefail
version=$1 root=$(realpath "$2")
made=$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y-%m-%dT%H:%M:%SZ)
arch=${IMAGE_ARCH:-$(dpkg --print-architecture)}
installed=(dpkg-query); [ -z "${HANDOVER_SYSROOT:-}" ] || installed+=("--admindir=$HANDOVER_SYSROOT/var/lib/dpkg") # as sysroot.sh has written it
owner() { # FILE-IN-ROOT -> PACKAGE VERSION of the installed file of the same path; nothing where no package has it
  local p name
  for p in "$1" "$(readlink -f "$1")" "/usr$1" "${1#/usr}"; do
    name=$("${installed[@]}" -S "$p" 2>/dev/null | head -1 | sed 's/: .*//; s/,.*//') && [ -n "$name" ] || continue
    "${installed[@]}" -W -f='${Package} ${Version} ${source:Package}\n' "$name"; return
  done
}
files=$(mktemp); trap 'rm -f "$files"' EXIT
find "$root" -type f -printf '/%P\n' | LC_ALL=C sort | while read -r f; do
  [ "$f" != /usr/share/sbom/handover.spdx.json ] || continue
  sum=$(sha256sum "$root$f" | cut -d' ' -f1)
  case $f in
    /usr/bin/*) from="handover $version handover" ;;
    /etc/ssl/certs/ca-certificates.crt) from=$(dpkg-query -W -f='${Package} ${Version} ${source:Package}' ca-certificates 2>/dev/null) ;;
    *) from=$(owner "$f") ;;
  esac
  echo "$f $sum ${from:-handover $version handover}"
done >"$files"
jq -Rn --arg version "$version" --arg made "$made" --arg arch "$arch" '
  def id: gsub("[^A-Za-z0-9.-]"; "-");
  [inputs | split(" ") | {file: .[0], sum: .[1], package: .[2], version: .[3], source: .[4]}] as $files
  | ([$files[] | {package, version, source}] | unique) as $packages
  | {spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", name: "handover-\($version)-\($arch)",
     documentNamespace: "https://handover.dev/spdx/\($version)/\($arch)/\([$files[].sum] | join("") | .[0:32])",
     creationInfo: {created: $made, creators: ["Tool: handover-sbom.sh"]},
     packages: [$packages[] | {SPDXID: "SPDXRef-Package-\(.package | id)", name: .package, versionInfo: .version,
       downloadLocation: "NOASSERTION", filesAnalyzed: false, licenseConcluded: "NOASSERTION",
       licenseDeclared: (if .package == "handover" then "Apache-2.0" else "NOASSERTION" end), copyrightText: "NOASSERTION",
       externalRefs: (if .package == "handover" then [] else [{referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
         referenceLocator: "pkg:deb/debian/\(.package)@\(.version | @uri)?arch=\($arch)&upstream=\(.source)"}] end)}],
     files: [$files[] | {SPDXID: "SPDXRef-File-\(.file[1:] | id)", fileName: ".\(.file)", checksums: [{algorithm: "SHA256", checksumValue: .sum}],
       licenseConcluded: "NOASSERTION", copyrightText: "NOASSERTION"}],
     relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Package-handover"}]
       + [$packages[] | select(.package != "handover") | {spdxElementId: "SPDXRef-Package-handover", relationshipType: "DEPENDS_ON",
          relatedSpdxElement: "SPDXRef-Package-\(.package | id)"}]
       + [$files[] | {spdxElementId: "SPDXRef-Package-\(.package | id)", relationshipType: "CONTAINS", relatedSpdxElement: "SPDXRef-File-\(.file[1:] | id)"}])}' "$files"
