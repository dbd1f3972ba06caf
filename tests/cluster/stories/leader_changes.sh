# Pods that lead are deleted, with lease-assist and without, by turns: controller-runtime's operator with its default election, which keeps
# its Lease of 15 s when it ends, and kube-scheduler, which may release its own. LEADER_CHANGES=N of each kind; FIGURES: a file for a line of each, with|without OPERATOR MS.
# operator: controller-runtime
# tags: long
# seconds: 1500
# shellcheck shell=bash
. ./operators.sh
. ./leaderless.sh
OPERATOR_IMAGE=localhost/controller-runtime
operator_controller_runtime_image v1
operator_kube_scheduler_image v1
widgets 5
operator_controller_runtime op v1 canary-percent=50 | in_cluster kubectl apply -f - >/dev/null
operator_kube_scheduler sched v1 canary-percent=50 | in_cluster kubectl apply -f - >/dev/null
adopted op; adopted sched
until_true 30 "a pod of op leads" held_by widget op-
until_true 30 "a pod of sched leads" held_by sched sched-
widget=$(mktemp) sched=$(mktemp) figures=${FIGURES:-$(mktemp)}
watch_lease widget "$widget"; pids=$watch_pid; watch_lease sched "$sched"; pids="$pids $watch_pid"
trap 'kill $pids 2>/dev/null || true' EXIT
pod_is_gone() { [ -z "$(k get pod "$1" -o name 2>/dev/null)" ]; }
another_leads() { [ -n "$(holder "$1")" ] && [ "$(holder "$1")" != "$2" ]; } # LEASE BY
whole() { [ "$(field "deployment/$1" '{.status.readyReplicas}')" = 2 ]; }
seen_by_watch() { [ -n "$(leaderless "$1" "$2")" ]; }
# change with|without TARGET LEASE FILE : the pod of the leader goes, until another one leads and all are back
change() {
  local how=$1 target=$2 lease=$3 file=$4 first from ms
  k annotate --overwrite "deployment/$target" handover.dev/lease-assist="$([ "$how" = with ] && echo always || echo off)" >/dev/null
  from=$(wc -l <"$file"); [ "$from" -gt 0 ] || from=1 # the holder's last write is the first of these
  first=$(holder "$lease"); k delete pod "${first%%_*}" --wait=false >/dev/null
  until_true 60 "another pod of $target leads" another_leads "$lease" "$first"
  until_true 20 "the watch has seen it" seen_by_watch "$file" "$from"
  ms=$(leaderless "$file" "$from" | tail -n 1); echo "$how $target $ms" >>"$figures"
  until_true 60 "the pod is gone" pod_is_gone "${first%%_*}"
  until_true 60 "the pods of $target are back" whole "$target"
}
for ((i = 0; i < ${LEADER_CHANGES:-3}; i++)); do
  for how in with without; do
    change $how op widget "$widget"; change $how sched sched "$sched"
  done
done
median() { awk -v how="$1" '$1 == how && $2 == "op" {print $3}' "$figures" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
note "nobody led for, in ms: $(awk '{printf "%s%s %s %s", (NR > 1 ? ", " : ""), $1, $2, $3}' "$figures")"
[ "$(median with)" -lt 8000 ] || fail "the Lease was not released in the stead of dead pods: $(median with) ms"
[ $((2 * $(median with))) -lt "$(median without)" ] || fail "with lease-assist $(median with) ms, without $(median without) ms"
