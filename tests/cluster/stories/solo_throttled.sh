# The API server answers 429 to all that Handover asks but its Lease: it keeps the lead, nothing is changed meanwhile, and it goes on when
# it is let.
# tags: long
served flowschemas.flowcontrol.apiserver.k8s.io
[ "${CLUSTER_MINOR:-99}" -ge 29 ] || skip "this API server has no flowcontrol v1"
. ./leadership.sh
flow() { # NAME PRECEDENCE LEVEL RULES : Handover's requests of that kind
  cat <<END
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: $1}
spec:
  matchingPrecedence: $2
  priorityLevelConfiguration: {name: $3}
  rules:
  - subjects: [{kind: ServiceAccount, serviceAccount: {name: handover, namespace: handover-system}}]
    resourceRules: [$4]
END
}
all='{verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true}'
leases='{verbs: ["*"], apiGroups: [coordination.k8s.io], resources: [leases], namespaces: ["*"]}'
at_exit+=("in_cluster kubectl delete flowschema story-starved story-lease >/dev/null 2>&1; in_cluster kubectl delete prioritylevelconfiguration story-starved >/dev/null 2>&1")
in_cluster kubectl apply -f - >/dev/null <<'END'
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: {name: story-starved}
spec: {type: Limited, limited: {nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: {type: Reject}}}
END
in_a_rollout 25; both_warm; old=$(leader) at=$(term)
{ flow story-lease 90 leader-election "$leases"; echo ---; flow story-starved 100 story-starved "$all"; } | in_cluster kubectl apply -f - >/dev/null
throttled() { keep_logs; lines "$(log_of "$old")" | has '429'; }
until_true 30 "the leader's requests are refused with 429" throttled
same() { [ "$(leader)" = "$old" ] && [ "$(term)" = "$at" ]; }
for_a_while 16 "another leader: $(leader)" same # longer than a lease
note "429 to all but the lease: $old kept it"
still_in_it
in_cluster kubectl delete flowschema story-starved >/dev/null
until_true 90 "a leader and a warm standby" warm
it_ends_well
never_two >/dev/null
