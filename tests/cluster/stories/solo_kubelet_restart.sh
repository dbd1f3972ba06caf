# The kubelet is killed and started again: no container notices, and neither does the leadership.
. ./leadership.sh
in_a_rollout 15
both_warm
old=$(leader) at=$(term); log=$(log_of "$old")
containers() { H get pods -l app.kubernetes.io/name=handover -o json | jq -c '[.items[] | [.metadata.uid, (.status.containerStatuses[] | .restartCount, .containerID)]]'; }
were=$(containers)
./cluster.sh restart kubelet
same() { [ "$(leader)" = "$old" ] && [ "$(term)" = "$at" ]; }
for_a_while 16 "another leader: $(leader)" same # longer than a lease
until_true 20 "a leader and a warm standby" warm
[ "$(containers)" = "$were" ] || fail "containers: $were, then $(containers)"
keep_logs
[ "$(said "$log" "the lease is lost: nothing is changed any more")" = "" ] || fail "the leader lost the lease"
note "term $at before and after; the rollout goes on"
it_ends_well
same || fail "another leader: $(leader)"
