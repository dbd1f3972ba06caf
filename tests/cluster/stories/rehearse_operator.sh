# An operator on controller-runtime, with a finalizer on its widgets and a Deployment for each, applied server-side. A new version changes the pods'
# template of some of them: the rehearsal names exactly these, the rollout waits for a person's word, and after it exactly these restart. A version that
# changes nothing passes its rehearsal with an empty report.
# operator: controller-runtime
# tags: long
# seconds: 1500
served "native sidecars" 29
. ./operators.sh
OPERATOR_IMAGE=localhost/controller-runtime
common=(children=1 release=1 rate=1 writes=0) # a status names the pod that wrote it: that is a change
operator_controller_runtime_image v1 "${common[@]}"
operator_controller_runtime_image same "${common[@]}"
operator_controller_runtime_image v2 "${common[@]}" template=two template-shard=3
widgets 5
account op system:auth-delegator | in_cluster kubectl apply -f - >/dev/null
deploy() {
  { operator_controller_runtime op "$@" mode=leader rehearse="${REHEARSE:-40s}" max-changes=restarts=0,deletes=0 "${quick[@]}" soak=10s deadline=20m
    echo ---; allowed op children '{apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, create, update, patch, delete]}' '{apiGroups: [example.com], resources: [widgets, widgets/finalizers], verbs: ["*"]}'
  } | in_cluster kubectl apply -f - >/dev/null
}
children() { k get deployments -o json | jq -r '.items[] | select(.metadata.name | startswith("child-")) | "\(.metadata.name) \(.spec.template.metadata.annotations["example.com/template"] // "-") \(.metadata.generation)"' | sort; }
pods_of_children() { k get pods -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null and .metadata.labels["child-of"]) | "\(.metadata.labels["child-of"]) \(.metadata.uid)"' | sort; }
made() { [ "$(children | wc -l)" = 5 ] && [ "$(pods_of_children | wc -l)" = 5 ]; }
report() { field configmap/op-handover-rehearsal '{.data.report}' 2>/dev/null || k get configmap op-handover-rehearsal -o json | jq -r '.data | to_entries[0].value'; }
H() { in_cluster "$HANDOVER_BIN" "$@" -n "$NS" --kubeconfig "$CLUSTER_DIR/pki/admin.kubeconfig"; }

deploy v1; adopted op
until_true 120 "five children run (are: $(children))" made
before=$(children) pods=$(pods_of_children)

# ---- a version that changes nothing ----
t=$SECONDS; set_image op same
wait_phase op Rehearsing 60
both_rehearse() { [ "$(k get pods -l handover.dev/rehearsal -o name | wc -l)" = 2 ]; }
until_true 90 "two pods rehearse" both_rehearse
over() { [ "$(phase op)" != Rehearsing ]; }
target=op; until_true 300 "the rehearsal is over" over
[ "$(children)" = "$before" ] || fail "a child changed during the rehearsal: $(children)"
note "an equal version: $(report | jq -r .summary), $(report | jq -c '.run | [.reads, .writes, .failed]'), after $((SECONDS - t)) s"
report | jq -e '(.objects // []) == []' >/dev/null || fail "the report is not empty: $(report | head -c 2000)"
until_true 400 "promoted" image_is op same; wait_phase op Stable 60
[ "$(children)" = "$before" ] || fail "a child changed: $(children)"

# ---- one that restarts those of shard 3 ----
set_image op v2
waits() { [ "$(state op .hold)" = AwaitingApproval ]; }
target=op; until_true 400 "it waits for a person (is $(phase op))" waits
[ "$(pods_of_children)" = "$pods" ] || fail "pods of children changed before anybody approved"
named=$(report | jq -r '.objects[] | select(any(.fields[]?; .path | startswith("spec.template"))) | .name' | sort | paste -sd' ')
[ "$named" = "child-w3" ] || fail "named are: $named: $(report | head -c 3000)"
note "held: $(state op .message)"
H diff op | head -20 || [ "${PIPESTATUS[0]}" = 3 ]
H approve op
until_true 500 "promoted" image_is op v2; wait_phase op Stable 60
changed() { diff <(pods_of_children) <(echo "$pods") | grep '^[<>]' | awk '{print $2}' | sort -u | paste -sd' '; }
some_changed() { [ -n "$(changed)" ]; }
until_true 120 "the child that was named has restarted" some_changed
[ "$(changed)" = "w3" ] || fail "restarted are: $(changed)"
note "after approval: promoted, and exactly child-w3 restarted"
