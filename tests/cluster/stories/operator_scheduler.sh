# kube-scheduler as a target in mode replicas, with a Lease of its own that client-go's elector holds. The canary stands by: held, and said so. Back by
# setting the image again; or promoted by a user. There is never a second leader, and pods are scheduled all the while.
# tags: long
. ./operators.sh
OPERATOR_IMAGE=localhost/kube-scheduler
operator_kube_scheduler_image v1
operator_kube_scheduler_image v2
operator_kube_scheduler op v1 mode=replicas "${quick[@]}" | in_cluster kubectl apply -f - >/dev/null
adopted op; before=$(pods_of op)
until_true 30 "a pod holds the Lease" held_by op op-
first=$(holder op); holders=$(mktemp); watch_holders op "$holders"
scheduled() { [ -n "$(field "pod/$1" '{.spec.nodeName}')" ]; }
schedules() { # NAME : a pod that asks for this scheduler
  printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{"schedulerName":"op","containers":[{"name":"c","image":"localhost/pause:1","imagePullPolicy":"Never"}]}}' "$1" |
    k apply -f - >/dev/null
  until_true "${2:-10}" "$1 is scheduled" scheduled "$1"
}
stands_by() { says op '^Soaking \(NoData\): no metrics: canary: it stands by for a lease that it shares with stable'; }
schedules before

set_image op v2
until_true 30 "a canary pod" some_canary op
until_true 60 "the status says that the canary stands by" stands_by
schedules meanwhile
still() { says op '^Soaking \(NoData\): ' && [ "$(holder op)" = "$first" ]; } # a busy machine's page may be late, too: another reason for the same hold
for_a_while 12 "held for want of evidence, longer than the soak" still
set_image op v1; wait_phase op Stable 40; canary_gone op
same_pods op "$before"
note "held, and taken back"

set_image op v2; until_true 60 "the canary stands by again" stands_by
! grep -q '^op-canary-' "$holders" || fail "the canary held the Lease: $(cat "$holders")" # from now on it may
user_command op promote
until_true 90 "every pod runs v2" image_is op v2
wait_phase op Stable 30; canary_gone op
until_true 40 "another pod holds the Lease" eval '[ -n "$(holder op)" ] && [ "$(holder op)" != "$first" ]'
schedules after 30
[ "$(state op '.history[0].result')" = promoted ] || fail "not promoted: $(state op '.history[0]')"
note "promoted by a user; $(field lease/op '{.spec.leaseTransitions}') changes of the leader"
