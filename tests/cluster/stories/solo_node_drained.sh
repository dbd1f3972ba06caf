# `kubectl drain` of the node on which Handover leads and a target's pods run: the lead passes at once, the target's budget is kept, the
# rollout goes on.
. ./leadership.sh
at_exit+=("in_cluster kubectl uncordon node2 >/dev/null; ./cluster.sh node 2 down; deploy_handover")
./cluster.sh node 2 up
# One on each node: with both on node1 there would be nothing to drain.
deploy_handover '.spec.template.spec.topologySpreadConstraints = [{maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule", labelSelector: {matchLabels: {"app.kubernetes.io/name": "handover"}}}] |
  .spec.strategy = {type: "Recreate"}'
in_a_rollout 25; both_warm; one_on_each_node
k apply -f - >/dev/null <<'END'
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: op}
spec: {minAvailable: 1, selector: {matchLabels: {app: op}, matchExpressions: [{key: handover.dev/track, operator: NotIn, values: [canary]}]}}
END
node_of() { H get pod "$1" -o 'jsonpath={.spec.nodeName}'; }
old=$(leader)
if [ "$(node_of "${old%%_*}")" = node1 ]; then
  H delete pod "${old%%_*}" --wait=false >/dev/null
  within 12 "another leader than $old" other_leads "$old"; both_warm; old=$(leader)
fi
t0=$(now_us)
in_cluster kubectl drain node2 --ignore-daemonsets --delete-emptydir-data --timeout=120s >/dev/null 2>&1 || fail "the drain did not end"
note "drained after $(ms $(($(now_us) - t0)))"
other_leads "$old" || fail "the leader is still $(leader)"
successor
[ "$why" = released ] || fail "$new leads because: $why"
[ "$(state op .startedAt)" = "$begun" ] || fail "the rollout began anew"
until_true 120 "every pod runs v2" image_is op v2
wait_phase op Stable 60
never_two >/dev/null
