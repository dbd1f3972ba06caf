#!/usr/bin/env bash
# The assist bench: for how long nobody leads when the pod of an operator's leader is deleted, with Handover's lease-assist and without, COUNT=10
# times each by turns: controller-runtime's operator, which keeps its Lease when it ends, and kube-scheduler (sched), on the current Kubernetes: the
# story leader_changes, in a cluster of its own (root), or in that of KUBECONFIG. Prints NAME VALUE UNIT; fails where the operator's median with it
# is above LIMIT=6000 ms, or above half of that without.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
out=$(mktemp -d); missed=0
trap 'rm -rf "$out"' EXIT
. "$here/lib/measure.sh"
export FIGURES=$out/raw LEADER_CHANGES=${COUNT:-10}
: >"$FIGURES"
JOBS=1 "$top/tests/cluster/run.sh" leader_changes >&2 || missed=1
awk '{print "leaderless_ms_" $1 ($2 == "op" ? "" : "_" $2), $3, "ms"}' "$FIGURES" >"$out/figures"
for name in leaderless_ms_with leaderless_ms_without leaderless_ms_with_sched leaderless_ms_without_sched; do
  echo "$name $(median "$name") ms"
  echo "${name}_p99 $(percentile "$name" 99) ms"
  echo "${name}_count $(awk -v n="$name" '$1 == n' "$out/figures" | wc -l) changes"
done
echo "load $(cut -d' ' -f1 /proc/loadavg) runnable"
aim "nobody leads with the assist, ms" "$(median leaderless_ms_with)" "${LIMIT:-6000}"
aim "with the assist beside a half of that without, ms" "$(median leaderless_ms_with)" "$(median leaderless_ms_without) / 2"
exit $missed
