#!/usr/bin/env bash
# What the work queue costs, beside client-go's in the same run. Lines "NAME VALUE UNIT". BUILD=DIR: where to build.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
build=${BUILD:-$top/build-bench}
mkdir -p "$build"
{ cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release && ninja -C "$build" bench_queue; } >"$build/queue.log" 2>&1 ||
  { tail -30 "$build/queue.log" >&2; exit 1; }
ours=$("$build/tests/bench/bench_queue")
echo "$ours"

skip() { echo "skipped: client-go's queue: $*"; exit 0; }
. "$here/../go.sh"
why=$(go_program "$here/queue_peer" "$build/queue_peer" 2>&1) || skip "$why"
peer=$("$build/queue_peer")
echo "$peer"
value() { awk -v name="$2" '$1 == name { print $2 }' <<<"$1"; }
for what in add_get_done_ns batch_add_get_done_ns; do
  awk -v a="$(value "$peer" "peer_$what")" -v b="$(value "$ours" "queue_$what")" -v name="ratio_${what%_ns}" \
    'BEGIN { printf "%s %.1f x\n", name, a / b }'
done
