# shellcheck shell=bash
# seconds: 600
# The API server holds while Handover is away, and when Handover was removed before its targets were released: until the policy is removed, too.
served mutatingadmissionpolicies.admissionregistration.k8s.io
in_cluster kubectl api-resources --api-group=admissionregistration.k8s.io | has -E '^mutatingadmissionpolicies +.*admissionregistration.k8s.io/v1 ' ||
  skip "this API server has no v1 of MutatingAdmissionPolicy"
no_policy() { in_cluster kubectl delete mutatingadmissionpolicybinding,mutatingadmissionpolicy handover-hold >/dev/null 2>&1; }
back() { in_cluster kubectl -n handover-system scale deployment/handover --replicas=2 >/dev/null; }
trap 'no_policy || true; back' EXIT
rests() { local d; d=$(k get deployment "$1" -o json) && jq -e '(.spec.paused | not) and .metadata.annotations["handover.dev/held"] == null' <<<"$d" >/dev/null; }
marked() { local d; d=$(k get deployment "$1" -o json) && jq -e '.spec.paused and .metadata.annotations["handover.dev/held"] == "true"' <<<"$d" >/dev/null; }
in_cluster kubectl apply -f "$TOP/deploy/manifests/policy/hold/hold.yaml" >/dev/null # as its users do: for the whole cluster
for t in op stays; do apply $t v1 "${quick[@]}"; done
for t in op stays; do wait_phase $t Stable 60; until_true 60 "$t at rest" rests $t; done
away() { [ -z "$(in_cluster kubectl -n handover-system get pods -l app.kubernetes.io/name=handover -o name)" ]; }
in_cluster kubectl -n handover-system scale deployment/handover --replicas=0 >/dev/null
until_true 60 "Handover is away" away

before=$(pods_of op); set_image op v2; set_image stays v2
for_a_while 5 "held without Handover" marked op; same_pods op "$before"
back; until_true 120 "every pod runs v2" image_is op v2; wait_phase op Stable 60; until_true 20 "at rest" rests op
until_true 120 "every pod runs v2" image_is stays v2; wait_phase stays Stable 60

# Removed in the right order (docs/operations.md): op is released before; in the wrong one: stays is not.
k annotate deployment/op handover.dev/canary-percent- >/dev/null
gone() { ! k get configmap op-handover >/dev/null 2>&1; }
until_true 30 "op is released" gone; rests op || fail "something of ours is left on op"
in_cluster kubectl -n handover-system scale deployment/handover --replicas=0 >/dev/null; until_true 60 "Handover is away" away
set_image op v3; rests op || fail "a Deployment that has left is held"
until_true 60 "every pod of op runs v3" image_is op v3
set_image stays v3; marked stays || fail "stays is not held"
k rollout resume deployment/stays >/dev/null 2>&1 || true; marked stays || fail "stays is let go"
no_policy
lifted() { k patch deployment stays --type=merge -p '{"metadata":{"annotations":{"handover.dev/held":null}},"spec":{"paused":null}}' >/dev/null && rests stays; }
until_true 20 "the policy is not in force any more, and stays is let go by hand" lifted
until_true 60 "every pod of stays runs v3" image_is stays v3
