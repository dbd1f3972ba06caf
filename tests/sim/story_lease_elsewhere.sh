# An operator whose Lease is in another namespace. Where Handover may not see it, and where its owner has not said that this target may have it, the
# rollout holds and says what is missing; then stable and the canary lead by turns on it, and it is released in a dead pod's stead. What is asked for
# there is that one Lease.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","leaderElection":true,"lease":"infra/op-lock","leaseMs":4000,"reconcilesPerSecond":40}'
lease=/apis/coordination.k8s.io/v1/namespaces/infra/leases
api POST /api/v1/namespaces '{"metadata":{"name":"infra"}}' >/dev/null
fault "{\"match\":{$ours,\"method\":\"GET\",\"path\":\"*/namespaces/infra/leases\"},\"count\":-1,\"status\":403}"
handover a; target op:v1 canary-percent=50 soak=3s max-error-rate=5% quiet=1s lease=infra/op-lock; adopted
holder() { api GET "$lease/op-lock" | jq -r '.spec.holderIdentity // "" | sub("_.*"; "")'; }
somebody_leads() { [ -n "$(holder)" ]; }
until_true 20 "a leader" somebody_leads
set_image op:v2
says() { state .message | has -E "$1"; }
until_true 40 "the missing right is named" says 'no right to Lease infra/op-lock: a Role in namespace infra lacks .*resourceNames: .op-lock., verbs: .list, watch, patch'
state .hold | has InvalidConfig || fail "held for $(state .hold)"
fault '{"clear":true}'
until_true 90 "its owner's word is asked for" says 'kubectl annotate lease/op-lock -n infra handover.dev/targets=default/op'
events | has '^LeaseReleased' && fail "released without its owner's word"
api PATCH "$lease/op-lock" '{"metadata":{"annotations":{"handover.dev/targets":"default/op"}}}' application/merge-patch+json >/dev/null
until_true 60 "the canary leads by turns" eval 'events | has "^LeaderMode .*Lease infra/op-lock"'
promoted op:v2 400
events | has '^LeaseReleased release Lease infra/op-lock' || fail "it was not released in stable's stead"
asked=$(api GET /sim/requests | jq -r '.last[] | select((.userAgent | startswith("handover")) and (.target | test("/namespaces/infra/"))) | .target' | grep -v 'fieldSelector=metadata.name%3Dop-lock' | grep -v "^$lease/op-lock?") || true
[ -z "$asked" ] || fail "it asked for more: $asked"
