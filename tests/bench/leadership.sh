#!/usr/bin/env bash
# The leadership bench: what happens to the work between two leaders, on a real API server, beside client-go's elector and beside
# the floor (one Lease write seen by a watch, plus one Lease write) in the same run. docs/bench.md explains the figures.
#   COUNT=200 handovers of an idle leader, and as many of a busy one; PEER=50 of client-go (0: none);
#   NODE=1: a kubelet too, CRASHES=50 SIGKILLs of pods with keys in flight, NOCERT=3 of pods that leave no death certificate.
# KUBECONFIG set: that API server is used, and nobody is killed; else a cluster of our own (CLUSTER_DIR, CLUSTER_NS; KEEP=1 leaves
# it up, and it is used again). BUILD=DIR: where to build. Fails when an aim is missed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
. "$here/lib/build.sh"
COUNT=${COUNT:-200} PEER=${PEER:-50} CRASHES=${CRASHES:-50} NOCERT=${NOCERT:-3}
programs=$BUILD/tests/bench
out=${OUT:-$(mktemp -d)}; mkdir -p "$out"; chmod 755 "$out"
say() { echo "leadership: $*" >&2; }

build_here leadership bench_leadership_worker bench_leadership_feeder bench_leadership_floor
if [ "$PEER" -gt 0 ]; then
  . "$top/tests/go.sh"
  why=$(go_program "$here/leadership_peer" "$BUILD/leadership_peer" 2>&1) || { say "no peer: $why"; PEER=0; }
fi

cluster=$top/tests/cluster/cluster.sh own=
if [ -n "${KUBECONFIG:-}" ]; then
  inside=() NODE=0
else
  export CLUSTER_DIR=${CLUSTER_DIR:-/tmp/handover-bench} CLUSTER_NS=${CLUSTER_NS:-handover-bench}
  own=1
  [ "$(id -u)" = 0 ] || { say "a cluster of our own needs root"; exit 1; }
  NODE=${NODE:-1}; [ "$NODE" != 0 ] || export WITHOUT_NODE=1
  inside=(nsenter "--net=/run/netns/$CLUSTER_NS")
  if [ -d "$CLUSTER_DIR/pki" ] && ! "${inside[@]}" kubectl --kubeconfig="$CLUSTER_DIR/pki/admin.kubeconfig" get --raw /readyz >/dev/null 2>&1; then "$cluster" down; fi
  [ -d "$CLUSTER_DIR/pki" ] || { [ -n "${KEEP:-}" ] || trap '"$cluster" down' EXIT; "$cluster" up || exit 1; }
  eval "$("$cluster" env)" # KUBECONFIG, and the cluster's own kubectl first in PATH
fi
ns=bench-$$
. "$here/leadership/driver.sh"
for kind in idle busy peer crash nocert; do "${inside[@]}" kubectl create namespace "$ns-$kind" >/dev/null; done
tidy() {
  end_all
  for kind in idle busy peer crash nocert; do "${inside[@]}" kubectl delete namespace "$ns-$kind" --wait=false >/dev/null 2>&1 || true; done
  [ -n "${KEEP:-}" ] || [ -z "$own" ] || "$cluster" down
}
trap tidy EXIT

launch() { # KIND WHO
  case $1 in
    peer) "${inside[@]}" "$BUILD/leadership_peer" "$2" "$ns-peer" lease 2>>"$out/peer.log" & ;;
    *) "${inside[@]}" env LOG=1 WORK_MS=60 "$programs/bench_leadership_worker" "$2" "$ns-$1" lease 2>>"$out/$1.log" & ;;
  esac
  pid[$2]=$!
}
export LEDGER=$fifo

say "load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
say "$COUNT handovers of an idle leader, $PEER of client-go between them"
feed idle 4 0 0 0; begin idle; floor 100
[ "$PEER" = 0 ] || begin peer
for ((i = 1, p = 0; i <= COUNT; i++)); do
  between 150 400; handover idle
  # client-go polls every 2 to 4.4 s: its leader is stopped at any moment of that
  if [ $((i * PEER / COUNT)) -gt $p ]; then p=$((p + 1)); between 0 3000; handover peer; fi
  [ $i != $((COUNT / 2)) ] || floor 100
done
floor 100; finish idle; [ "$PEER" = 0 ] || finish peer

say "$COUNT handovers with work in flight"
feed busy 32 6 6 60; begin busy
for ((i = 1; i <= COUNT; i++)); do between 300 900; handover busy; done
unfeed busy; settle busy; finish busy

[ "$NODE" = 0 ] || . "$here/leadership/node.sh"
say "load average after: $(cut -d' ' -f1-3 /proc/loadavg); the ledger: $ledger"
sort -s -k1,1n "$ledger" >"$out/sorted"
awk -v LEASE_MS=15000 -f "$here/leadership/report.awk" "$out/sorted"
