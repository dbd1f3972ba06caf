# Handover's own next versions, canary first, in the middle of 20 other rollouts: a good one is tried, promoted, and the rollouts go
# on to their end; broken ones (tests/broken) are rolled back by themselves, and nothing of the other targets is touched. The pods of
# the version in service are the same ones all the while. BROKEN="KIND ..." (one; with LONG=1 all): which.
# tags: long
# seconds: 2400
. ./leadership.sh; . ./own_update.sh
n=${TARGETS:-20}
kinds=${BROKEN:-hangs}; [ -z "${LONG:-}" ] || kinds=${BROKEN:-fails crashes hangs checkpoint hot slow leaks}
at_exit+=(own_reset)
export REPLICAS=1 PROBE_SECONDS=2
many() { # IMAGE SOAK : the other targets with this version
  local i
  for i in $(seq "$n"); do echo ---; manifest "op$i" "$1" canary-percent=50 "soak=$2" min-events=10 max-error-rate=5% quiet=1s; done | k apply -f - >/dev/null
}
others() { k get configmaps -o json | jq -r '.items[] | select(.data.state) | .data.state | fromjson | .phase + " " + (.image // "")' | sort | uniq -c | tr -s ' \n' ' '; }
all_are() { [ "$(k get configmaps -o json | jq --arg p "$1" '[.items[] | select(.data.state) | .data.state | fromjson | select(.phase == $p)] | length')" = "$n" ]; }
# Who led, from now on, told every 50 ms: for how long nobody did at most.
watch_leader() { ( while :; do echo "$(now_us) $(leader)"; sleep 0.05; done >"$kept/leaders" 2>/dev/null ) & watcher=$!; at_exit+=("kill $watcher 2>/dev/null"); }

deploy_handover "$leases | $notes"
both_warm
own_phase Stable 60
many v1 20s
until_true 60 "all $n targets are adopted (are:$(others))" all_are Stable

# ---- a good one ----
many v2 90s
t=$SECONDS old=$(leader) at=$(term); watch_leader
update '.spec.template.spec.containers[0].env += [{name: "ROUND", value: "2"}]'
own_phase Soaking 60
until_true 90 "the canary leads on trial" canary_leads
note "trial 1 after $((SECONDS - t)) s: ${old%%_*} led; now $(leader | cut -d_ -f1), guarded by $(H get lease handover -o 'jsonpath={.metadata.annotations.handover\.dev/guardian}' | cut -d_ -f1); others:$(others)"
keep_logs
own_phase Stable 240
[ "$(own '.history[0].result')" = promoted ] || fail "$(own '.history[0]')"
kill "$watcher"
until_true 20 "the new version leads" stable_leads
note "promoted after $((SECONDS - t)) s, $(($(term) - at)) changes of the leader: $(own '.history[0].reason')"
note "nobody led, each time: $(awk '{split($2, id, "_"); if (id[1] == "") {if (!since) since = $1} else if (since) {printf "%d ms ", ($1 - since) / 1000; since = 0}}' "$kept/leaders")"
until_true 180 "all $n rollouts have ended (are:$(others))" all_are Stable
[ "$(k get pods -o json | jq '[.items[] | select(.metadata.deletionTimestamp == null and (.spec.containers[0].image | endswith(":v2")))] | length')" -ge "$n" ] || fail "not all run v2: $(others)"
k get events -o json | jq -e '[.items[] | select(.reason | IN("RolledBack", "RolloutCancelled"))] == []' >/dev/null || fail "one was rolled back or cancelled"
H get events -o json | jq -r '.items[] | select(.involvedObject.name == "handover") | .reason' | sort | uniq -c | tr -s ' \n' ' ' | sed 's/^/   Events:/'; echo

# ---- broken ones ----
broken_image
before=$(not_canaries)
for kind in $kinds; do
  t=$SECONDS ended=$(last_end)
  k get configmaps -o json | jq -S '[.items[] | select(.data.state) | {(.metadata.name): (.data.state | fromjson | [.phase, (.history | length)])}]' >"$kept/others"
  broken "$kind"
  target=handover; until_true 450 "$kind is rolled back (is $(own '.phase + " " + (.message // "")' 2>/dev/null))" rolled_back_once_more
  until_true 40 "the version in service leads" stable_leads
  note "$kind: rolled back after $((SECONDS - t)) s: $(own '.history[0].reason')"
  [ "$(not_canaries)" = "$before" ] || fail "$kind: the pods in service changed: $before; now $(not_canaries)"
  k get configmaps -o json | jq -S '[.items[] | select(.data.state) | {(.metadata.name): (.data.state | fromjson | [.phase, (.history | length)])}]' | diff - "$kept/others" || fail "$kind: another target was touched"
  H get lease handover -o json | jq -e '.metadata.annotations | has("handover.dev/trial-until") | not' >/dev/null || fail "$kind: marks of the trial are left"
done

# ---- a good one again, held by the API server's policy ----
[ -n "${LONG:-}" ] && in_cluster kubectl api-resources --api-group=admissionregistration.k8s.io | has -E '^mutatingadmissionpolicies +.*admissionregistration.k8s.io/v1 ' || exit 0
H get deployment handover -o json | jq -r '.metadata.annotations["handover.dev/promote"] // ""' | has -x '' || fail "a word of a user's is left"
good_again() { update '.spec.template.spec.containers[0] |= (.image = "localhost/handover:test" | .env = [.env[] | select(.name | IN("HANDOVER_BROKEN", "ROUND") | not)] + [{name: "ROUND", value: "'"$1"'"}])'; }
good_again 2; own_phase Stable 60 # what is in service
in_cluster kubectl apply -f "$TOP/deploy/manifests/policy/hold/hold.yaml" >/dev/null
own_rests() { H get deployment handover -o json | jq -e '(.spec.paused | not) and .metadata.annotations["handover.dev/held"] == null' >/dev/null; }
until_true 60 "Handover's own Deployment at rest" own_rests
t=$SECONDS ended=$(last_end)
good_again 3
promoted_once_more() { [ "$(last_end)" != "$ended" ] && own_is Stable; }
target=handover; until_true 450 "promoted (is $(own '.phase + " " + (.message // "")' 2>/dev/null))" promoted_once_more
[ "$(own '.history[0].result')" = promoted ] || fail "$(own '.history[0]')"
until_true 60 "at rest again" own_rests; until_true 40 "the new version leads" stable_leads
note "held by the policy: promoted after $((SECONDS - t)) s"
