# A ValidatingAdmissionPolicy refuses first the pause, then the canary: each is named with the policy's own words, announced as done is
# nothing, and it goes on when the policy is gone.
served validatingadmissionpolicies.admissionregistration.k8s.io
policy() { # NAME GROUP RESOURCES EXPRESSION MESSAGE
  in_cluster kubectl apply -f - >/dev/null <<END
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: $NS-$1}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $NS}}
    resourceRules: [{apiGroups: ["$2"], apiVersions: ["*"], operations: ["*"], resources: [$3]}]
  validations: [{expression: "$4", message: "$5"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: $NS-$1}
spec: {policyName: $NS-$1, validationActions: [Deny]}
END
}
lift() { in_cluster kubectl delete validatingadmissionpolicy,validatingadmissionpolicybinding "$NS-$1" >/dev/null 2>&1; }
trap 'lift pause || true; lift canary || true' EXIT
policy pause apps deployments "!has(object.spec.paused) || !object.spec.paused" "no Deployment may be paused here"
# until the policy is in force: a few seconds after it was made
# By its own words: a probe that is refused for another reason proves nothing.
in_force() { probe 2>&1 | has "$message"; }
message="no Deployment may be paused here"
probe() { manifest probe v1 | sed 's/^spec:/spec:\n  paused: true/' | k create --dry-run=server -f - || true; }
until_true 30 "the policy is in force" in_force
apply op v1 "${quick[@]}"
until_true 60 "the refused pause is named" event_seen 'ReconcileFailed.*no Deployment may be paused here'
for_a_while 3 "the target is left alone" not_paused op
! event_seen '^Adopted ' || fail "it is announced as adopted, and is not paused"
lift pause
target=op; wait_phase op Stable 200; paused op || fail "not adopted when the policy was gone"

before=$(pods_of op)
policy canary apps replicasets "!object.metadata.name.contains('-canary-')" "canaries are not allowed here"
message="canaries are not allowed here"
probe() { # what a list holds has no kind of its own
  k get rs -o json | jq '.items[0] | {apiVersion: "apps/v1", kind: "ReplicaSet", metadata: {name: "op-canary-probe", namespace: .metadata.namespace}, spec: (.spec | .replicas = 0)}' |
    k create --dry-run=server -f - || true
}
until_true 30 "the policy is in force" in_force
set_image op v2
until_true 60 "the refused canary is named" event_seen 'canaries are not allowed here'
same_pods op "$before"
lift canary
until_true 200 "every pod runs v2" image_is op v2
wait_phase op Stable 60
