# shellcheck shell=bash
# seconds: 900
# New templates held by the API server's MutatingAdmissionPolicy, in a namespace of its own: what kubectl and others write has no effect on what is
# held, at rest everything works that a paused Deployment refuses, and the policy may come and go.
served mutatingadmissionpolicies.admissionregistration.k8s.io
in_cluster kubectl api-resources --api-group=admissionregistration.k8s.io | has -E '^mutatingadmissionpolicies +.*admissionregistration.k8s.io/v1 ' ||
  skip "this API server has no v1 of MutatingAdmissionPolicy"
hold_policy() { # here alone: other stories run beside this one
  in_cluster kubectl create --dry-run=client -o json -f "$TOP/deploy/manifests/policy/hold/hold.yaml" | jq --arg ns "$NS" \
    'if .kind == "MutatingAdmissionPolicyBinding" then .spec.matchResources = {namespaceSelector: {matchLabels: {"kubernetes.io/metadata.name": $ns}}} else . end' |
    in_cluster kubectl apply -f - >/dev/null
}
no_policy() { in_cluster kubectl delete mutatingadmissionpolicybinding,mutatingadmissionpolicy handover-hold >/dev/null 2>&1; }
trap 'no_policy || true' EXIT
on_target() { local d; d=$(k get deployment op -o json) && jq -e "$1" <<<"$d" >/dev/null; }
rests() { on_target '(.spec.paused | not) and .metadata.annotations["handover.dev/held"] == null and .spec.progressDeadlineSeconds == 600'; }
marked() { on_target '.spec.paused and .metadata.annotations["handover.dev/held"] == "true"'; }
active() { k get rs -o json | jq '[.items[] | select(.metadata.ownerReferences[0].controller and .spec.replicas > 0)] | length'; }
one_active() { [ "$(active)" = 1 ]; }
still_held() { # WHAT : by the very write, and nothing starts
  marked || fail "$1: not held by the write itself"
  for_a_while 3 "$1: another ReplicaSet is started" one_active
  marked || fail "$1: not held any more"
  same_pods op "$before"
}
ends_well() { k rollout status deployment/op --timeout=5s; } # as a pipeline asks, and what Argo CD's check of a Deployment looks at

# Without the policy, as ever; when it is there, and shown to be in effect, nothing of ours is on a target at rest.
apply op v1 "${quick[@]}"; adopted op
hold_policy
until_true 40 "not paused at rest" rests; until_true 10 "that is said" event_seen '^HeldByPolicy '
ends_well >/dev/null || fail "kubectl rollout status does not end at rest"
[ "$(field deployment/op '{.status.conditions[?(@.type=="Progressing")].status}')" = True ] || fail "at rest it is not Progressing=True"
before=$(pods_of op)

set_image op bad; still_held "set image"
k rollout resume deployment/op >/dev/null 2>&1 || true; still_held "rollout resume"
wait_phase op RolledBack 90; same_pods op "$before"; marked || fail "not marked after the rollback"
manifest op bad "${quick[@]}" | k replace -f - >/dev/null; still_held "replace without pause and mark"
manifest op v3 "${quick[@]}" | sed 's/^spec:/spec:\n  paused: false/' | k apply --server-side --force-conflicts --field-manager=gitops -f - >/dev/null
still_held "server-side apply of paused: false and another image"
k rollout restart deployment/op >/dev/null 2>&1 && fail "kubectl restarts what is held"
k scale deployment/op --replicas=3 >/dev/null
until_true 120 "every pod runs v3" image_is op v3; wait_phase op Stable 60; until_true 20 "at rest" rests
ends_well >/dev/null || fail "kubectl rollout status does not end after a promotion"

# Triggers like any other, which kubectl refuses on a paused Deployment.
k rollout restart deployment/op >/dev/null; marked || fail "a restart is not held"
restarted() { [ "$(state op '.history[0].result')" = promoted ] && [ "$(state op '.history | length')" -gt "$1" ] && phase_is op Stable && rests; }
past=$(state op '.history | length'); until_true 120 "the restart is judged and rolled out" restarted "$past"
before=$(pods_of op)
k rollout undo deployment/op --to-revision="$(k get rs -o json | jq -r --arg i "${OPERATOR_IMAGE:-localhost/operator}:v1" '[.items[] | select(.metadata.ownerReferences[0].controller and .spec.template.spec.containers[0].image == $i)][0].metadata.annotations["deployment.kubernetes.io/revision"]')" >/dev/null
still_held "rollout undo"
until_true 120 "every pod runs v1 again" image_is op v1; wait_phase op Stable 60; until_true 20 "at rest" rests

# Another notation of the same quantity is nothing to hold.
before=$(pods_of op)
k patch deployment op --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/resources/limits/memory","value":"65536Ki"}]' >/dev/null
until_true 20 "another notation is let go" rests; same_pods op "$before"; phase_is op Stable || fail "another notation is a rollout"

# In the middle of a promotion, too.
PROBE_SECONDS=5; apply op v2 "${quick[@]}"; wait_phase op Promoting 90
set_image op bad; marked || fail "in the middle of a promotion it is not held"
wait_phase op RolledBack 120; marked || fail "not marked after the rollback"
image_of_pods() { k get pods -l app=op,handover.dev/track!=canary -o json | jq -r ".items[] | $LIVING | .spec.containers[0].image" | sort -u; }
[[ $(image_of_pods) != *:bad* ]] || fail "a pod of the unjudged version runs"
set_image op v1; wait_phase op Stable 180; until_true 20 "at rest" rests

# The policy goes: paused at once; and comes again.
no_policy; until_true 10 "paused at once" paused op # the Event is the 26th of this object within minutes, which is one too many
until_true 10 "without a mark" on_target '.metadata.annotations["handover.dev/held"] == null and .spec.progressDeadlineSeconds == 2147483647'
set_image op v3; until_true 120 "every pod runs v3" image_is op v3; wait_phase op Stable 60; until_true 10 "paused" paused op
hold_policy; until_true 60 "not paused at rest" rests

# Out of our hands in the write that brings another image.
before=$(pods_of op)
k patch deployment op --type=merge -p '{"metadata":{"annotations":null},"spec":{"template":{"metadata":{"annotations":{"x":"y"}}}}}' >/dev/null
still_held "all annotations go with another template"
hold_is() { [ "$(state op .hold)" = "$1" ]; }
until_true 20 "the release is refused" hold_is ReleaseRefused
k patch deployment op --type=json -p '[{"op":"remove","path":"/spec/template/metadata/annotations"}]' >/dev/null
gone() { ! k get configmap op-handover >/dev/null 2>&1; }
until_true 30 "left" gone; rests || fail "something of ours is left"; same_pods op "$before"
