# kube-controller-manager as a target: its canary has a Lease of its own by `canary-args`, is judged by its queue's metrics, promoted.
# tags: long
. ./operators.sh
OPERATOR_IMAGE=localhost/kube-controller-manager
operator_kube_controller_manager_image v1
operator_kube_controller_manager_image v2
operator_kube_controller_manager op v1 "${quick[@]/=5%/=50%}" canary-args=--leader-elect-resource-name=op-canary | in_cluster kubectl apply -f - >/dev/null
adopted op; before=$(pods_of op)
until_true 30 "a pod holds the Lease" held_by op op-
holders=$(mktemp); watch_holders op "$holders"
# Jobs that are complete as soon as they are made, and deleted by each process that leads
( while :; do
    printf '{"apiVersion":"batch/v1","kind":"Job","metadata":{"generateName":"job-"},"spec":{"completions":0,"ttlSecondsAfterFinished":0,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"none"}]}}}}' |
      k create -f - >/dev/null || true
  done ) 2>/dev/null & jobs=$!; trap 'kill $jobs $holders_pid 2>/dev/null || true' EXIT
set_image op v2
until_true 40 "the canary leads by a Lease of its own" held_by op-canary op-canary-
same_pods op "$before"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 30; canary_gone op
[ "$(state op '.history[0].result')" = promoted ] || fail "not promoted: $(state op '.history[0]')"
! grep -q '^op-canary-' "$holders" || fail "the canary held stable's Lease: $(cat "$holders")"
note "$(state op '.history[0].reason')"
