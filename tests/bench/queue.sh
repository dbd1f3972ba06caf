#!/usr/bin/env bash
# What the work queue costs, beside client-go's in the same run. Lines "NAME VALUE UNIT". BUILD=DIR: where to build.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
. "$here/lib/build.sh"
build_here queue bench_queue
ours=$("$BUILD/tests/bench/bench_queue")
echo "$ours"

skip() { echo "skipped: client-go's queue: $*"; exit 0; }
. "$here/../go.sh"
why=$(go_program "$here/queue_peer" "$BUILD/queue_peer" 2>&1) || skip "$why"
peer=$("$BUILD/queue_peer")
echo "$peer"
value() { awk -v name="$2" '$1 == name { print $2 }' <<<"$1"; }
for what in add_get_done_ns batch_add_get_done_ns; do
  awk -v a="$(value "$peer" "peer_$what")" -v b="$(value "$ours" "queue_$what")" -v name="ratio_${what%_ns}" \
    'BEGIN { printf "%s %.1f x\n", name, a / b }'
done
