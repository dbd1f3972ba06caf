# run.sh itself as the README says: on a cluster that it did not make (KUBECONFIG, with the images named), and with programs of others that
# have no kubelet (KUBEBUILDER_ASSETS, as envtest's), where only the stories of a control plane run.
[ -n "${OWN_CLUSTER:-}" ] || skip "it is the run on a cluster of somebody else"
told() { # LINE OUTPUT
  has -x "$1" <<<"$2" || fail "run.sh does not say '$1': $2"
}
run=(env -u OWN_CLUSTER -u CLUSTER_NODES -u KEEP)
said=$("${run[@]}" HANDOVER_IMAGE=localhost/handover:test OPERATOR_IMAGE=localhost/operator bash -c 'in_cluster ./run.sh bad_annotation solo_leader_killed' 2>&1) || fail "on the cluster of KUBECONFIG: $said"
told 'ok   bad_annotation.*' "$said"; told 'skip solo_leader_killed: .*not our own' "$said"

d=$(mktemp -d); mkdir "$d/bin"; other=(env CLUSTER_DIR="$d/cluster" CLUSTER_NS="$CLUSTER_NS-assets")
trap '[ ! -d "$d/cluster/pki" ] || "${other[@]}" ./cluster.sh down; rm -rf "$d"' EXIT
for p in kube-apiserver etcd kubectl; do ln -s "$(readlink -f "$(command -v $p)")" "$d/bin/$p"; done
said=$("${run[@]}" -u KUBECONFIG KUBEBUILDER_ASSETS="$d/bin" "${other[@]}" ./run.sh wrong_credentials bad_annotation 2>&1) || fail "with the programs of KUBEBUILDER_ASSETS: $said"
told 'ok   wrong_credentials.*' "$said"; told 'skip bad_annotation: there is no kubelet here' "$said"; told '1 passed, 0 failed' "$said"
[ ! -e "/run/netns/$CLUSTER_NS-assets" ] || fail "it leaves its network namespace"
