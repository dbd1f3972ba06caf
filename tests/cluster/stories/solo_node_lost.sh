# Handover leads on a second node, which loses its power: nobody can vouch for its end, so the standby on the first node leads when the
# lease has expired, and never before; the rollout goes on.
. ./leadership.sh
[ -n "${OWN_CLUSTER:-}" ] || skip "it needs nodes of its own"
at_exit+=("in_cluster kubectl delete pods -A --field-selector spec.nodeName=node2 --force --grace-period=0 >/dev/null 2>&1; ./cluster.sh node 2 down; deploy_handover")
./cluster.sh node 2 up
deploy_handover '.spec.template.spec.topologySpreadConstraints = [{maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule", labelSelector: {matchLabels: {"app.kubernetes.io/name": "handover"}}}] |
  .spec.strategy = {type: "Recreate"}'
in_a_rollout 60; both_warm; one_on_each_node
node_of() { H get pod "$1" -o 'jsonpath={.spec.nodeName}'; }
old=$(leader)
if [ "$(node_of "${old%%_*}")" = node1 ]; then # the lead has to be on node2
  H delete pod "${old%%_*}" --wait=false >/dev/null
  within 12 "another leader than $old" other_leads "$old"; both_warm; old=$(leader)
fi
[ "$(node_of "${old%%_*}")" = node2 ] || fail "the leader $old is on $(node_of "${old%%_*}")"
keep_logs; renewed=$(H get lease handover -o 'jsonpath={.spec.renewTime}'); t0=$(now_us)
./cluster.sh node 2 lose
keep_logs
within 25 "another leader than $old, when the lease has expired" other_leads "$old"
successor
[ "$why" = expired ] || fail "$new leads because: $why"
waited=$(($(date -d "$(H get lease handover -o 'jsonpath={.spec.acquireTime}')" +%s%3N) - $(date -d "$renewed" +%s%3N)))
[ "$waited" -ge 13000 ] || fail "the lease was taken over $waited ms after its last renewal"
note "the successor's first reconcile $(ms $(($(first_work "$new_log") - t0))) after the node was lost"
phase_is op Soaking || fail "the rollout is $(phase op)"
[ "$(state op .startedAt)" = "$begun" ] || fail "the rollout began anew"
