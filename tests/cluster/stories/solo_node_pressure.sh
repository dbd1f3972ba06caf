# The canary's node runs short of disk: the kubelet evicts its pods, and new ones find no node. It is named, is no verdict, and the rollout
# goes on when the node has room again.
[ -n "${OWN_CLUSTER:-}" ] || skip "it needs a node of its own"
trap './cluster.sh node 2 down' EXIT
./cluster.sh node 2 up
in_cluster kubectl label node node2 canaries=here >/dev/null
manifest op v1 canary-percent=50 soak=40s min-events=10 max-error-rate=5% quiet=1s deadline=50s on-inconclusive=rollback |
  sed 's|^      containers:|      nodeSelector: {kubernetes.io/hostname: node1}\n&|' | k apply -f - >/dev/null; adopted op
before=$(pods_of op)
k get deployment op -o json | jq '.spec.template.spec |= (.containers[0].image |= sub(":v1$"; ":v2") | .nodeSelector = {canaries: "here"})' | k replace -f - >/dev/null
wait_phase op Soaking 60
pressure() { # PERCENT of the disk that has to be free
  sed -i "s/nodefs.available: \"[0-9]*%\", imagefs.available: \"[0-9]*%\"/nodefs.available: \"$1%\", imagefs.available: \"$1%\"/" "$CLUSTER_DIR/node2/kubelet.yaml"
  ./cluster.sh restart kubelet 2
}
pressure 99
named() { state op '(.hold // "") + " " + .message' | has -E '(PodsDisrupted|PodsUnschedulable).*low on resource'; }
until_true 120 "the node's pressure is named" named
note "$(state op .message | cut -c1-200)"
for_a_while 55 "it is no verdict, past the deadline" named
[ "$(pods_of op)" = "$before" ] || fail "stable pods changed"
pressure 1
until_true 150 "every pod runs v2 when the node has room" image_is op v2
wait_phase op Stable 90
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
