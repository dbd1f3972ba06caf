# The canary's node runs short of disk: the kubelet evicts its pods, and new ones find no node. It is named, is no verdict, and the rollout
# goes on when the node has room again.
[ -n "${OWN_CLUSTER:-}" ] || skip "it needs a node of its own"
fill=$CLUSTER_DIR/node2-fill
trap 'rm -f "$fill"; ./cluster.sh node 2 down' EXIT
./cluster.sh node 2 up
# The node's own limit is 4 GiB below what is free now; the disk is this machine's.
free=$(($(df -B1 --output=avail "$CLUSTER_DIR" | tail -1) / 1048576))
[ $free -gt 16384 ] || skip "$free MiB are free in $CLUSTER_DIR, 16 GiB are needed"
sed -i "s/nodefs.available: \"1%\", imagefs.available: \"1%\"/nodefs.available: \"$((free - 4096))Mi\"/" "$CLUSTER_DIR/node2/kubelet.yaml"
./cluster.sh restart kubelet 2
in_cluster kubectl label node node2 canaries=here >/dev/null
manifest op v1 canary-percent=50 soak=40s min-events=4000 max-error-rate=5% quiet=1s |
  sed 's|^      containers:|      nodeSelector: {kubernetes.io/hostname: node1}\n&|' | k apply -f - >/dev/null; adopted op
before=$(pods_of op)
k get deployment op -o json | jq '.spec.template.spec |= (.containers[0].image |= sub(":v1$"; ":v2") | .nodeSelector = {canaries: "here"})' | k replace -f - >/dev/null
wait_phase op Soaking 60
fallocate -l 8GiB "$fill"
named() { state op '(.hold // "") + " " + .message' | has -E '(PodsDisrupted|PodsUnschedulable).*low on resource'; }
until_true 120 "the node's pressure is named" named
note "$(state op .message | cut -c1-200)"
for_a_while 20 "it is no verdict" named
same_pods op "$before"
rm -f "$fill"
until_true 240 "every pod runs v2 when the node has room" image_is op v2
wait_phase op Stable 90
[ "$(state op '.history[0].result')" = promoted ] || fail "the history says $(state op .history)"
