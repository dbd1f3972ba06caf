#!/usr/bin/env bash
# size.sh PROGRAM : fails unless the text segment of a release build is under 600,000 bytes.
set -euo pipefail
text=$(size "$1" | awk 'NR == 2 {print $1}')
[ "$text" -lt 600000 ] || { echo "$1: a text segment of $text bytes; allowed is less than 600000" >&2; exit 1; }
