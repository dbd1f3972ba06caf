#!/usr/bin/env bash
# operator_program.sh HANDOVER LIBRARY... : neither the operator nor its image has anything of the embedded API server (LIBRARY).
set -euo pipefail
program=$1 top=$(cd "$(dirname "$0")/.." && pwd); shift
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
symbols=$(nm "$program" | awk '{print $3}' | sort -u)
theirs=$(nm -g --defined-only "$@" | awk 'NF == 3 {print $3}' | sort -u)
for list in "$symbols" "$theirs"; do [ "$(wc -l <<<"$list")" -gt 100 ] || { echo "FAIL: the programs were not understood"; exit 1; }; done
found=$(comm -12 <(echo "$symbols") <(echo "$theirs") | tr '\n' ' ')
[ -z "$found" ] || { echo "FAIL: handover has symbols of the embedded API server: $found"; exit 1; }

"$top/deploy/image/rootfs.sh" "$program" "$dir/root"
[ "$(ls "$dir/root/usr/bin")" = handover ] || { echo "FAIL: the image has $(ls "$dir/root/usr/bin")"; exit 1; }
for command in sim demo; do # what it says where handover-sim is not
  rc=0; said=$(PATH=/usr/bin "$dir/root/usr/bin/handover" $command 2>&1) || rc=$?
  [ $rc = 1 ] && grep -qF "handover-sim was found neither in $dir/root/usr/bin" <<<"$said" && grep -qF 'ninja -C build handover-sim' <<<"$said" ||
    { echo "FAIL: exit code $rc: $said"; exit 1; }
done
