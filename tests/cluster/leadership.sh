# What the stories about Handover's own leadership share, sourced by them after lib.sh: its processes on the node, its logs (kept
# beyond the pods' lives), who leads, and who worked when. All times are microseconds since 1970, of the one clock of the node.

[ -n "${OWN_CLUSTER:-}" ] || skip "it needs the node, and this cluster is not our own"
kept=$(mktemp -d)
at_exit=("rm -rf $kept")
# Ended pods, of an eviction, stay until somebody deletes them.
for phase in Failed Succeeded; do in_cluster kubectl -n handover-system delete pods --field-selector=status.phase=$phase --wait=false >/dev/null; done
trap 'for c in "${at_exit[@]}"; do eval "$c" || true; done' EXIT

H() { kubectl_in handover-system "$@"; }
now_us() { local t=$EPOCHREALTIME; echo "${t/./}"; }
ms() { awk -v us="$1" 'BEGIN {printf "%.1f ms", us / 1000}'; }

# ---- pods and processes ----

pods() { H get pods -l app.kubernetes.io/name=handover -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null and (.status.phase | IN("Failed", "Succeeded") | not)) | .metadata.name + " " + .status.podIP'; }
pid_of() { # POD : the process of Handover in it
  local p
  for p in $(pgrep -x handover); do
    if { tr '\0' '\n' <"/proc/$p/environ"; } 2>/dev/null | has -x "POD_NAME=$1"; then echo "$p"; return; fi
  done
  fail "no process of pod $1"
}
shim_of() { awk '/^PPid:/ {print $2}' "/proc/$1/status"; } # PID of a container's first process
term() { H get lease handover -o 'jsonpath={.spec.leaseTransitions}'; }
# The token of the account that may read the page; as every kubectl can ask for it.
page_token=
may_read_the_page() {
  [ -n "$page_token" ] || page_token=$(printf '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":7200}}' |
    in_cluster kubectl create --raw /api/v1/namespaces/handover-system/serviceaccounts/handover-page/token -f - | jq -re .status.token)
} 2>/dev/null
# A leader, and beside it a standby with warm caches that has seen who leads; all of the same mind.
warm() {
  local holder n=0 name ip page; holder=$(leader); [ -n "$holder" ] || return 1
  may_read_the_page || return 1
  while read -r name ip; do
    in_cluster curl -sf -m 2 -o /dev/null "http://$ip:8080/readyz" || return 1
    page=$(in_cluster curl -sf -m 2 -H "Authorization: Bearer $page_token" "http://$ip:8080/status.json") || return 1
    jq -e --arg h "$holder" '.holder == $h and .leading == (.identity == $h)' <<<"$page" || return 1
    n=$((n + 1))
  done < <(pods)
  [ $n = "${WARM:-2}" ]
} >/dev/null
both_warm() { until_true 40 "a leader and a warm standby" warm; keep_logs; }
# The scheduler may have put both on one node, the second one being new to it: the standby is made again until it is on the other.
one_on_each_node() {
  local nodes i old; old=$(leader)
  for i in 1 2 3; do
    nodes=$(H get pods -l app.kubernetes.io/name=handover -o json | jq -r '[.items[] | select(.metadata.deletionTimestamp == null) | .spec.nodeName] | unique | length')
    [ "$nodes" != 2 ] || return 0
    note "both were on one node"
    H delete pod -l app.kubernetes.io/name=handover --field-selector "metadata.name!=${old%%_*}" --wait=false >/dev/null; both_warm
  done
  fail "both Handovers stay on one node"
}
other_leads() { local l; l=$(leader) && [ -n "$l" ] && [ "$l" != "$1" ]; }
metric() { # POD NAME{LABELS}
  local ip; ip=$(H get pod "$1" -o 'jsonpath={.status.podIP}')
  in_cluster curl -sf -m 5 "http://$ip:8080/metrics" | grep -F "$2 " | awk '{print $2}'
}
# A container that has been killed before waits 10 s and more for its next start: its pod is replaced.
replace_pod() { H delete pod "$1" --wait=false >/dev/null 2>&1 || true; }

# ---- logs: each process has one, POD_UID_handover_N.log, in as many pieces as there were files ----

keep_logs() { # hard links: the kubelet deletes the files with the pod, and makes a new one where one was deleted
  local f d
  for f in "$CLUSTER_DIR"/node*/pod-logs/handover-system_handover-*/handover/*.log; do
    d=${f##*/pod-logs/handover-system_}; ln "$f" "$kept/${d//\//_}.$(stat -c %i "$f" 2>/dev/null)" 2>/dev/null || true
  done
}
logs() { find "$kept" -name '*.log.*' | sed 's/\.[0-9]*$//' | sort -u; }
lines() { sort -m "$1".* | sed -n 's/^[^ ]* [^ ]* F {/{/p'; } # a CRI log's own head cut off
log_of() { local f; for f in $(logs); do [ "$(said "$f" Starting .identity)" != "$1" ] || { echo "$f"; return; }; done; return 1; } # IDENTITY
US='def us: (sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601) * 1000000 + (capture("\\.(?<f>[0-9]{6})Z$").f | tonumber);'
said() { lines "$1" | jq -r --arg e "$2" "select(.event == \$e) | ${3:-.msg}"; } # FILE EVENT [JQ of the line]
first_work() { lines "$1" | jq -r "$US select(.msg == \"reconcile started\") | .ts | us" | head -1; }
# BEGIN END FILE of each process that has worked, by time: from its first reconcile's begin to its last sign of one
spans() {
  local f
  for f in $(logs); do
    lines "$f" | jq -r "$US select(.msg == \"reconcile started\" or .msg == \"reconcile finished\") | .ts | us" |
      awk -v f="$f" 'NR == 1 {a = $1} {b = $1} END {if (NR) print a, b, f}'
  done | sort -n
}
# Two processes never worked at the same time; says the gaps between them. SINCE: only those that ended later
never_two() {
  local since=${1:-0} a b f last=0 before=
  keep_logs
  while read -r a b f; do
    [ "$b" -gt "$since" ] || continue
    if [ $last != 0 ]; then
      [ "$a" -gt "$last" ] || fail "two worked at once: $(basename "$f") began at $a, $(basename "$before") was at work until $last"
      note "from the last reconcile of one to the first of the next: $(ms $((a - last)))"
    fi
    last=$b before=$f
  done < <(spans)
  [ $last != 0 ] || fail "nobody worked at all"
}
# The one that leads now: sets new (identity), new_log, why (how it came to lead)
successor() {
  new=$(leader)
  led() { keep_logs; new_log=$(log_of "$new") && [ -n "$new_log" ] && why=$(said "$new_log" LeaseAcquired "select(.reason) | .reason") && [ -n "$why" ] && [ -n "$(first_work "$new_log")" ]; }
  until_true 10 "the log of $new says that it leads and works ($(ls "$kept"))" led
  led
}

# ---- a rollout to be in the middle of ----

in_a_rollout() { # SECONDS : from v1 to v2, not promoted for that long (a fifth of the soak); sets before, canary, begun
  apply op v1 canary-percent=50 soak=$((5 * $1))s min-events=10 max-error-rate=5% quiet=1s; adopted op
  before=$(pods_of op); set_image op v2
  until_true 20 "a canary pod" some_canary op
  canary=$(canaries op) begun=$(state op .startedAt)
}
still_in_it() { # the same rollout with the same canary, stable untouched
  [ "$(canaries op)" = "$canary" ] || fail "the canary was made anew: $canary, then $(canaries op)"
  [ "$(state op .startedAt)" = "$begun" ] || fail "the rollout began anew"
  [ "$(pods_of op)" = "$before" ] || fail "stable pods changed: $before, then $(pods_of op)"
}
it_ends_well() {
  until_true 90 "every pod runs v2" image_is op v2
  wait_phase op Stable 30
  [ "$(state op '.history | length')" = 1 ] || fail "more than one rollout in the history: $(state op .history)"
}

# A program of the node is killed and started again: the leader stays, its term too, no container changes, the rollout goes on.
leadership_survives() { # kubelet|containerd
  local old at log were
  in_a_rollout 15
  both_warm
  old=$(leader) at=$(term); log=$(log_of "$old")
  containers() { H get pods -l app.kubernetes.io/name=handover -o json | jq -c '[.items[] | [.metadata.uid, (.status.containerStatuses[] | .restartCount, .containerID)]]'; }
  were=$(containers)
  ./cluster.sh restart "$1"
  same() { [ "$(leader)" = "$old" ] && [ "$(term)" = "$at" ]; }
  for_a_while 16 "another leader: $(leader)" same # longer than a lease
  until_true 20 "a leader and a warm standby" warm
  [ "$(containers)" = "$were" ] || fail "containers: $were, then $(containers)"
  keep_logs
  [ "$(said "$log" LeaseLost)" = "" ] || fail "the leader lost the lease"
  note "term $at before and after; the rollout goes on"
  it_ends_well
  same || fail "another leader: $(leader)"
}
