# Idle in the cluster: under 4 MiB of its own, and no request but the watches and the lease renewal.
apply op v1 "${quick[@]}"; adopted op
H() { kubectl_in handover-system "$@"; }
memory() { # POD : sets rss and own, in KiB
  local p pid=
  for p in $(pgrep -x handover); do
    if { tr '\0' '\n' <"/proc/$p/environ"; } 2>/dev/null | has -x "POD_NAME=$1"; then pid=$p; fi
  done
  [ -n "$pid" ] || fail "the process of pod $1 was not found"
  rss=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status") own=$(awk '/^RssAnon/ {print $2}' "/proc/$pid/status")
}
# The leader of the stories before has worked hard: what that took goes back to the system within a minute.
pod=$(leader); pod=${pod%%_*}
settled_down() { memory "$pod" && [ "$own" -lt 4096 ]; }
if [ -n "${OWN_CLUSTER:-}" ]; then
  memory "$pod"; note "after what it has done so far: VmRSS $rss KiB, RssAnon $own KiB"
  until_true 60 "what the work took has gone back" settled_down
fi
H rollout restart deployment/handover >/dev/null; H rollout status deployment/handover --timeout=180s >/dev/null
led_by_a_new_one() { local l; l=$(leader) && [ -n "$l" ] && [ "${l%%_*}" != "$pod" ] && H get pod "${l%%_*}" -o json | jq -e '.metadata.deletionTimestamp == null'; }
until_true 20 "a new leader" led_by_a_new_one
pod=$(leader); pod=${pod%%_*}
ip=$(H get pod "$pod" -o 'jsonpath={.status.podIP}')
page() { in_cluster curl -sf "http://$ip:8080/metrics"; }
# requests by verb and resource, watches and the lease apart
requests() { page | grep '^rest_client_requests_total' | awk '{s += $NF} END {print s + 0}'; }
settled() { local a b; a=$(requests); sleep 5; b=$(requests); [ $((b - a)) -le 4 ]; } # at most the renewals of 5 s
# The targets of earlier stories go away with their namespaces, and that is work.
alone() { local all; all=$(in_cluster kubectl get namespaces -o name) && ! grep -v "^namespace/$NS\$" <<<"$all" | has '^namespace/story-'; }
until_true 60 "the namespaces of earlier stories are gone" alone
until_true 60 "no requests but the renewals" settled
a=$(requests); sleep 20; b=$(requests)
note "$((b - a)) requests in 20 s (a renewal every 2 s)"
[ $((b - a)) -le 13 ] || fail "$((b - a)) requests in 20 s of idleness"
[ $((b - a)) -ge 5 ] || fail "$((b - a)) requests in 20 s: the lease is not renewed, or not counted"
if [ -z "${OWN_CLUSTER:-}" ]; then note "memory is not looked at: not our cluster"; exit 0; fi
memory "$pod"
note "VmRSS $rss KiB, RssAnon $own KiB"
[ "$own" -lt 4096 ] || fail "of its own $own KiB, allowed are 4096"
