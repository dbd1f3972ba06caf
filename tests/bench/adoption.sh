#!/usr/bin/env bash
# The adoption bench: how long COUNT=300 new targets take until all are held back, and what they cost in requests, on a real API
# server (control plane alone: the Deployments have no replicas). KUBECONFIG set: that API server, in namespace bench-PID; else a
# cluster of our own. Prints NAME VALUE UNIT; fails above SECONDS=10 or above 5 requests a target.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); top=$(cd "$here/../.." && pwd)
. "$here/lib/build.sh"
COUNT=${COUNT:-300} LIMIT=${LIMIT:-10}
out=$(mktemp -d); ns=bench-$$ pid= own=
say() { echo "adoption: $*" >&2; }
build_here adoption handover
cluster=$top/tests/cluster/cluster.sh inside=()
if [ -z "${KUBECONFIG:-}" ]; then
  export CLUSTER_DIR=${CLUSTER_DIR:-/tmp/handover-bench} CLUSTER_NS=${CLUSTER_NS:-handover-bench} WITHOUT_NODE=1
  [ "$(id -u)" = 0 ] || { say "a cluster of our own needs root"; exit 1; }
  own=1
  inside=(nsenter "--net=/run/netns/$CLUSTER_NS")
  "$cluster" up || exit 1
  eval "$("$cluster" env)" # KUBECONFIG, and the cluster's own kubectl first in PATH
fi
k() { "${inside[@]}" kubectl -n "$ns" "$@"; }
tidy() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null || true; }
  k delete namespace "$ns" --wait=false >/dev/null 2>&1 || true
  [ -z "$own" ] || [ -n "${KEEP:-}" ] || "$cluster" down
  rm -rf "$out"
}
trap tidy EXIT
k create namespace "$ns" >/dev/null
for ((i = 0; i < COUNT; i++)); do cat <<YAML
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: op-$i, annotations: {handover.dev/canary-percent: "10"}}
spec:
  replicas: 0
  selector: {matchLabels: {app: op-$i}}
  template:
    metadata: {labels: {app: op-$i}}
    spec: {containers: [{name: operator, image: "op:v1"}]}
YAML
done >"$out/targets.yaml"
k apply -f "$out/targets.yaml" >/dev/null
observed() { [ "$(k get deployments -o jsonpath='{range .items[*]}{.status.observedGeneration}{"\n"}{end}' | grep -c .)" = "$COUNT" ]; }
until observed; do sleep 0.5; done
say "$COUNT Deployments are there; Handover starts"

POD_NAME=bench "${inside[@]}" "$BUILD/handover" run --kubeconfig="$KUBECONFIG" --namespace="$ns" --lease-namespace="$ns" --admin=127.0.0.1:9399 \
  --log-format=json >"$out/log" 2>&1 & pid=$!
page() { "${inside[@]}" curl -sf http://127.0.0.1:9399/metrics; }
stable() { page | sed -n 's/^handover_targets{phase="Stable"} //p'; }
until grep -q '"event":"LeaseAcquired"' "$out/log" || ! kill -0 "$pid"; do sleep 0.05; done
began=$(date +%s%N)
until [ "$(stable)" = "$COUNT" ]; do
  kill -0 "$pid" || { tail -5 "$out/log" >&2; exit 1; }
  [ $((($(date +%s%N) - began) / 1000000000)) -lt 300 ] || { say "$(stable) of $COUNT after 300 s"; exit 1; }
  sleep 0.1
done
ended=$(date +%s%N)
page >"$out/page"
requests=$(sed -nE 's/^rest_client_requests_total\{.*\} ([0-9.e+]+)$/\1/p' "$out/page" | awk '{ n += $1 } END { print n + 0 }')
awk -v ms=$(((ended - began) / 1000000)) -v n="$COUNT" -v requests="$requests" -v limit="$LIMIT" 'BEGIN {
  printf "adoption_seconds %.2f s\nadoption_requests %.2f requests/target\n", ms / 1000, requests / n
  exit !(ms / 1000 <= limit && requests / n <= 5) }'
