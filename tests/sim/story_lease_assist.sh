# An operator that does not release its Lease: with lease-assist its standby leads at its next look after the leader has died, and
# without it when the Lease has expired. A leader that merely lost its network keeps it.
. "$(dirname "$0")/lib.sh"
sim --script '{"image":"*","leaderElection":true,"reconcilesPerSecond":5}'
handover a; target op:v1 canary-percent=50 lease-assist=always; adopted
lease=/apis/coordination.k8s.io/v1/namespaces/default/leases/op-lock
holder() { api GET "$lease" | jq -r '.spec.holderIdentity // "" | sub("_.*"; "")'; }
somebody_leads() { [ -n "$(holder)" ]; }
until_true 20 "a leader" somebody_leads
released() { events | has "^LeaseReleased release Lease op-lock, which the dead pod $1 held"; }
# The kubelet tells of an end to the second: a Lease that was taken in that very second may be the next process's, and expires.
settled() { api GET "$lease" | jq -e '(.spec.renewTime[:19] + "Z" | fromdate) - (.spec.acquireTime[:19] + "Z" | fromdate) >= 2' >/dev/null; }
kill_leader() { until_true 10 "it has led for a while" settled; first=$(holder); api DELETE "/api/v1/namespaces/default/pods/$first" >/dev/null; }
another_leads() { local h; h=$(holder); [ -n "$h" ] && [ "$h" != "$first" ]; }
watched() { api GET /sim/requests | jq -e '[.last[].target | select(test("/leases.*watch=true"))] | length > 0' >/dev/null; }
until_true 10 "the Leases of the namespace are watched" watched
kill_leader
until_true 10 "the Lease is released in its stead" released "$first"
until_true 10 "another pod leads" another_leads

annotate lease-assist '"off"'; before=$(events | grep -c '^LeaseReleased')
kill_leader; gone() { ! api GET "/api/v1/namespaces/default/pods/$first" >/dev/null 2>&1; }
until_true 20 "the leader's pod is gone" gone
until_true 40 "another pod leads, the Lease having expired" another_leads
[ "$(events | grep -c '^LeaseReleased')" = "$before" ] || fail "released although the annotation says off"
