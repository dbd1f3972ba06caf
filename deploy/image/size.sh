#!/usr/bin/env bash
# size.sh PROGRAM : fails unless the text segment of a release build is under 1,150,000 bytes (on arm64, where every instruction has four bytes, 1,250,000): bounds that
# are raised knowingly, with what a program must hold.
set -euo pipefail
allowed=1150000
! LC_ALL=C readelf -h "$1" | grep -q 'Machine:.*AArch64' || allowed=1250000
text=$(size "$1" | awk 'NR == 2 {print $1}')
[ "$text" -lt $allowed ] || { echo "$1: a text segment of $text bytes; allowed is less than $allowed" >&2; exit 1; }
