# Operators by others that elect a leader, unmodified, with one annotation: their canary leads by turns, a good one is promoted, a bad
# one is rolled back in its first trial. controller-runtime's keeps its Lease when it ends, as it does by default; kube-scheduler is a
# part of Kubernetes. It prints how long nobody led at each change of the leader, beside a restart without Handover.
# operator: controller-runtime
# tags: long
# seconds: 900
# shellcheck shell=bash
. ./operators.sh
. ./leaderless.sh
OPERATOR_IMAGE=localhost/controller-runtime
operator_controller_runtime_image v1
operator_controller_runtime_image v2
operator_controller_runtime_image bad error-rate=0.5
operator_kube_scheduler_image v1
operator_kube_scheduler_image v2
widgets 5
turns=(canary-percent=50 soak=20s min-events=10 max-error-rate=5% quiet=5s deadline=12m)
operator_controller_runtime op v1 "${turns[@]}" | in_cluster kubectl apply -f - >/dev/null
operator_kube_scheduler sched v1 "${turns[@]}" | in_cluster kubectl apply -f - >/dev/null
adopted op; adopted sched
until_true 30 "a pod of op leads" held_by widget op-
until_true 30 "a pod of sched leads" held_by sched sched-
leads_track() { # LEASE canary|stable
  local pod track; pod=$(holder "$1"); pod=${pod%%_*}; [ -n "$pod" ] || return 1
  track=$(field "pod/$pod" '{.metadata.labels.handover\.dev/track}'); [ "${track:-stable}" = "$2" ]
}
holders=$(mktemp) # each write of the Lease: who, when acquired, when renewed
watch_lease widget "$holders"
trap 'kill $watch_pid 2>/dev/null || true' EXIT
from=1

# Without Handover's help: the leader's pod is deleted, and the Lease expires
k annotate --overwrite deployment/op handover.dev/lease-assist=off >/dev/null
first=$(holder widget); k delete pod "${first%%_*}" --wait=false >/dev/null
until_true 60 "another pod leads" eval '[ -n "$(holder widget)" ] && [ "$(holder widget)" != "$first" ]'
note "a restart without Handover: nobody led for $(leaderless "$holders" | tail -1) ms"
k annotate deployment/op handover.dev/lease-assist- >/dev/null; from=$(($(wc -l <"$holders") + 1))
until_true 60 "all pods are back" eval '[ "$(field deployment/op {.status.readyReplicas})" = 2 ]'

# Work for the scheduler: pods that no node is for, each an attempt
( for ((i = 0; ; i++)); do
    printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"s%s"},"spec":{"schedulerName":"op","nodeSelector":{"no":"node"},"containers":[{"name":"c","image":"none"}]}}' $i | k create -f - || true
    k delete pod "s$((i - 3))" --ignore-not-found --wait=false || true
  done ) >/dev/null 2>&1 & work=$!; trap 'kill $watch_pid $work 2>/dev/null || true' EXIT

set_image op v2; OPERATOR_IMAGE=localhost/kube-scheduler set_image sched v2
until_true 120 "op's canary leads" leads_track widget canary
note "op: the canary leads"
until_true 60 "stable is back" eval '[ "$(field deployment/op {.spec.replicas})" = 2 ]'
until_true 420 "every pod of op runs v2" image_is op v2
wait_phase op Stable 60; canary_gone op
[ "$(state op '.history[0].result')" = promoted ] || fail "not promoted: $(state op '.history[0]')"
[ "$(field deployment/op '{.spec.replicas}')" = 2 ] || fail "replicas changed"
OPERATOR_IMAGE=localhost/kube-scheduler # of what is asked for from here on
until_true 420 "every pod of sched runs v2" image_is sched v2
wait_phase sched Stable 60; canary_gone sched
[ "$(state sched '.history[0].result')" = promoted ] || fail "not promoted: $(state sched '.history[0]')"
OPERATOR_IMAGE=localhost/controller-runtime
until_true 60 "v2 leads" leads_track widget stable
note "promoted: $(state op '.history[0].reason'); kube-scheduler: $(state sched '.history[0].reason')"

before=$(pods_of op | wc -l)
set_image op bad; wait_phase op RolledBack 300; canary_gone op
[ "$(state op '.history[0].result')" = failed ] || fail "not rolled back: $(state op '.history[0]')"
until_true 30 "stable leads again" leads_track widget stable
until_true 60 "stable is whole" eval '[ "$(pods_of op | wc -l)" = "$before" ]'
gaps=$(leaderless "$holders" "$from"); n=$(wc -l <<<"$gaps"); median=$(sort -n <<<"$gaps" | sed -n "$(((n + 1) / 2))p")
note "rolled back: $(state op '.history[0].reason')"
note "nobody led for, in ms, at $n changes of the leader: $(tr '\n' ' ' <<<"$gaps"), median $median"
[ "$median" -lt 6000 ] || fail "the Lease was not released in the stead of dead pods"
