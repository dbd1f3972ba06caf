# Coordinated leader election: somebody enters a candidate of an older version for Handover's Lease, and the API server would rather have that
# one lead. Handover keeps the lead that it has renewed, and its successor follows a release.
# tags: api
[ -n "${OWN_CLUSTER:-}" ] || skip "it needs an API server with a feature of its own"
[ "${CLUSTER_MINOR:-0}" -ge 33 ] || skip "Kubernetes 1.$CLUSTER_MINOR has no coordinated leader election"
d=$(mktemp -d); pids=()
other=(env CLUSTER_DIR="$d/cluster" CLUSTER_NS="$CLUSTER_NS-coordinated" WITHOUT_NODE=1)
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; "${other[@]}" ./cluster.sh down; rm -rf "$d"' EXIT
"${other[@]}" API_ARGS="--feature-gates=CoordinatedLeaderElection=true --runtime-config=coordination.k8s.io/v1beta1=true" ./cluster.sh up
eval "$("${other[@]}" ./cluster.sh env)"
k create namespace "$NS" >/dev/null
candidate() {
  POD_NAME=$1 POD_UID= nsenter "--net=/run/netns/$CLUSTER_NS" "$HANDOVER_BIN" run --namespace="$NS" --lease-namespace="$NS" --admin=none >"$d/$1" 2>&1 & pids+=($!)
}
said() { grep -q "$2" "$d/$1"; }
holds() { field lease/handover '{.spec.holderIdentity}' | has "^$1"; }
candidate first; until_true 30 "it leads" holds first
candidate second; until_true 30 "a standby" said second "caches are warm"
k apply -f - >/dev/null <<'LC'
apiVersion: coordination.k8s.io/v1beta1
kind: LeaseCandidate
metadata: {name: somebody}
spec: {leaseName: handover, strategy: OldestEmulationVersion, binaryVersion: "0.0.1", emulationVersion: "0.0.1"}
LC
kept() { holds first && [ "$(field lease/handover '{.spec.leaseTransitions}')" = "$term" ]; }
term=$(field lease/handover '{.spec.leaseTransitions}')
for_a_while 12 "the leader keeps its lease" kept
kill -TERM "${pids[0]}"; t0=$(now_ms)
until_true 20 "the standby leads" holds second
note "its successor leads $(($(now_ms) - t0)) ms after SIGTERM; the Lease is $(k get lease handover -o json | jq -c .spec), the candidate was asked at: $(field leasecandidate/somebody '{.spec.pingTime}')"
kept() { holds second; }
for_a_while 12 "and keeps it" kept
